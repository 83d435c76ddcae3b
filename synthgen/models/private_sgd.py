"""Private training of a critic on rows: domain, histograms, noisy updates, in that order.

Real rows are looked at in three places: where a domain is bought, where histograms are released,
and in the clipped gradients of :mod:`synthgen.train.dp`; each is charged to the ledger first.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import torch

from synthgen.core.device import supports_bfloat16
from synthgen.core.random import isolated_torch_rng
from synthgen.data.schema import Schema
from synthgen.dp.events import Event
from synthgen.dp.ledger import Ledger
from synthgen.dp.moments import Release, join_cells, release_histograms, release_pairs
from synthgen.dp.noise import NoiseSource
from synthgen.dp.plan import MarginalPlan, plan_gradients, plan_histograms
from synthgen.dp.sgd_budget import DPSGD
from synthgen.dp.shared import SharedLedger
from synthgen.encode.public import Cells
from synthgen.encode.table import TableEncoder
from synthgen.errors import TrainingWarning
from synthgen.models.private import Listener, PrivateFit
from synthgen.models.private_domain import (
    bought,
    declared_cells,
    encoded_cells,
    fine_columns,
    learned,
    public_encoder,
    with_atoms,
)
from synthgen.train.dp_checks import check_private_recipe
from synthgen.train.dp_game import PrivateGame
from synthgen.train.dp_table import PrivateTableTask, filled
from synthgen.train.recipe import Recipe
from synthgen.train.trainer import Budget, Trainer, TrainResult


def fit_by_gradients(
    frame: pd.DataFrame,
    schema: Schema,
    privacy: DPSGD,
    recipe: Recipe,
    *,
    seconds: float,
    seed: int,
    device: torch.device,
    listener: Listener | None,
) -> PrivateFit:
    """Release histograms of `frame` and train a generator against a private critic.

    Parameters
    ----------
    frame : pandas.DataFrame
        The private rows.
    schema : Schema
        Checked by :func:`~synthgen.models.private_domain.check_private_schema`.
    privacy : DPSGD
        Says how many steps there are, and how large batches.
    recipe : Recipe
        Networks and game.
    seconds : float
        Limit of the training. Steps that it cuts off are charged all the same.
    seed : int
        Of weights and fake rows; never of noise or of which rows are sampled.
    device : torch.device
    listener : callable, optional
        Told about progress.

    Raises
    ------
    PrivacyError
        If the guarantee cannot be given; nothing is released then.
    """
    privacy.check(len(frame))
    check_private_recipe(recipe)
    names = learned(schema)
    fine = fine_columns(schema) if privacy.infer == "refuse" else []
    plan = plan_histograms(privacy, len(frame), len(names), n_fine=len(fine))
    event = plan_gradients(privacy, len(frame), plan.reservation())
    ledger = _opened(privacy, plan, event, len(frame))
    if privacy.infer == "spend":
        schema = bought(frame, schema, plan, ledger)
    cells = declared_cells(schema)
    if fine:
        cells |= with_atoms(frame, fine, plan, ledger)
    release = _release(frame, schema, cells, plan, ledger, privacy.max_bins)
    encoder = public_encoder(schema, cells, release)
    ledger.charge(event)
    source = ledger.source
    ledger.close()
    recipe = recipe.replace(
        batch_size=privacy.batch_size, steps=privacy.steps, critic_steps=privacy.critic_steps
    )
    task = _task(frame, encoder, release, recipe, source, seed, device)
    result = _train(task, recipe, privacy, event, source, seconds, seed, listener)
    if result.stopped_by != "steps":
        warnings.warn(
            f"Training ended by {result.stopped_by} after {result.steps} of {event.count} updates, "
            "which are all charged; raise max_minutes, or plan fewer with DPSGD(steps=...).",
            TrainingWarning,
            stacklevel=5,
        )
    return PrivateFit(schema, encoder, result.generator, recipe, result, ledger, release)


def _opened(privacy: DPSGD, plan: MarginalPlan, event: Event, n_rows: int) -> Ledger:
    """Open the ledger of a fit, once its whole budget is reserved."""
    if privacy.ledger is not None:
        shared = SharedLedger(privacy.ledger)
        shared.reserve([*plan.reservation(), event], adjacency=privacy.adjacency, label="DPSGD")
    ledger = privacy.open_ledger(n_rows)
    ledger.assume("The schema (columns, categories, ranges, granularity, gaps) is public.")
    ledger.assume(
        "Rows are in a batch independently of each other (Poisson sampling), and nobody learns "
        "which ones were."
    )
    if privacy.sampling_rate is not None:
        ledger.assume("The probability with which a row is in a batch is public.")
    return ledger


def _release(
    frame: pd.DataFrame,
    schema: Schema,
    cells: dict[Any, Cells],
    plan: MarginalPlan,
    ledger: Ledger,
    bins: int,
) -> Release:
    """Release histograms and join fine cells as far as their noise asks for."""
    codes, columns = encoded_cells(frame, schema, cells)
    sigma = plan.sigma("one_way", len(columns), ledger)
    histograms = release_histograms(codes, columns, sigma=sigma, ledger=ledger)
    coarse = join_cells(columns, histograms, noise=sigma, most=bins)
    tables = release_pairs(codes, histograms, coarse, [], np.inf, ledger)
    return Release(histograms, coarse, tables.pooled())


def _task(
    frame: pd.DataFrame,
    encoder: TableEncoder,
    release: Release,
    recipe: Recipe,
    source: NoiseSource,
    seed: int,
    device: torch.device,
) -> PrivateTableTask:
    table = encoder.transform(frame)
    # A row without any declared cell is no row: it is counted nowhere, gradients included.
    table = table.take(np.flatnonzero((table.codes >= 0).any(axis=1)))
    table = filled(table, release.tables, source)
    with isolated_torch_rng(seed, "weights"):
        return PrivateTableTask(
            encoder.layout,
            table,
            recipe,
            release.tables,
            device=device,
            low_precision=supports_bfloat16(device),
        )


def _train(
    task: PrivateTableTask,
    recipe: Recipe,
    privacy: DPSGD,
    event: Event,
    source: NoiseSource,
    seconds: float,
    seed: int,
    listener: Listener | None,
) -> TrainResult:
    game = PrivateGame(
        task,
        recipe,
        seed,
        event=event,
        source=source,
        clipping=privacy.clipping,
        critic_steps=privacy.critic_steps,
        target_accuracy=privacy.target_accuracy,
    )
    # Nothing is chosen by looking at rows: the last state is the best.
    looks = iter(range(10**9))
    trainer = Trainer(
        task,
        recipe,
        Budget(steps=event.count, seconds=seconds, checks=10),
        seed=seed,
        monitor=lambda _: {"score": -float(next(looks))},
        listener=listener,
        game=game,
    )
    return trainer.run()
