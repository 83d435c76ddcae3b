"""Private training by noisy marginals: domain, release, training, in that order.

Real rows are looked at in two places only: where a domain is bought and where histograms and pair
tables are released, both through the ledger. Everything else sees what was released.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import torch

from synthgen.core.device import supports_bfloat16
from synthgen.core.random import isolated_torch_rng
from synthgen.data.schema import Schema
from synthgen.dp.budget import DPMarginals
from synthgen.dp.ledger import Ledger
from synthgen.dp.moments import Release, release_moments
from synthgen.dp.plan import MarginalPlan, plan_marginals
from synthgen.dp.shared import SharedLedger
from synthgen.encode.public import Cells
from synthgen.encode.table import TableEncoder
from synthgen.models.private_domain import (
    bought,
    check_private_schema,
    declared_cells,
    encoded_cells,
    fine_columns,
    learned,
    public_encoder,
    with_atoms,
)
from synthgen.train.marginals import MARGINAL_RECIPE, MarginalTask, misfit
from synthgen.train.recipe import Recipe
from synthgen.train.trainer import Budget, Trainer, TrainResult

__all__ = ["Listener", "PrivateFit", "check_private_schema", "fit_private"]

#: Told after each step: share of training done, step, latest figures.
Listener = Callable[[float, int, dict[str, float]], None]


@dataclass(frozen=True)
class PrivateFit:
    """What private training gives.

    Parameters
    ----------
    schema : Schema
        Declared or bought; public.
    encoder : TableEncoder
    network : torch.nn.Module
    recipe : Recipe
    result : TrainResult
    ledger : Ledger
        Closed.
    release : Release
    """

    schema: Schema
    encoder: TableEncoder
    network: Any
    recipe: Recipe
    result: TrainResult
    ledger: Ledger
    release: Release

    def history(self) -> pd.DataFrame:
        """Return the history without the column that only orders the states."""
        return self.result.history.to_frame().drop(columns="score")


def fit_private(
    frame: pd.DataFrame,
    schema: Schema,
    privacy: DPMarginals,
    *,
    seconds: float,
    steps: int | None,
    seed: int,
    device: torch.device,
    listener: Listener | None,
) -> PrivateFit:
    """Release marginals of `frame` and train a generator on them.

    Parameters
    ----------
    frame : pandas.DataFrame
        The private rows.
    schema : Schema
        Checked by :func:`check_private_schema`.
    privacy : DPMarginals
    seconds : float
        Limit of the training.
    steps : int, optional
        Steps of the training.
    seed : int
        Of the training; never of the noise.
    device : torch.device
    listener : callable, optional
        Told about progress.

    Raises
    ------
    PrivacyError
        If the guarantee cannot be given; nothing is released then.
    """
    privacy.check(len(frame))
    names = learned(schema)
    fine = fine_columns(schema) if privacy.infer == "refuse" else []
    plan = plan_marginals(privacy, len(frame), len(names), n_fine=len(fine))
    if privacy.ledger is not None:
        shared = SharedLedger(privacy.ledger)
        shared.reserve(plan.reservation(), adjacency=privacy.adjacency, label="DPMarginals")
    ledger = privacy.open_ledger(len(frame))
    ledger.assume("The schema (columns, categories, ranges, granularity, gaps) is public.")
    if privacy.infer == "spend":
        schema = bought(frame, schema, plan, ledger)
    cells = declared_cells(schema)
    if fine:
        cells |= with_atoms(frame, fine, plan, ledger)
    release = _release(frame, schema, cells, plan, ledger, privacy.max_bins)
    ledger.close()
    release = replace(release, tables=release.tables.pooled())
    encoder = public_encoder(schema, cells, release)
    recipe = MARGINAL_RECIPE if steps is None else MARGINAL_RECIPE.replace(steps=steps)
    result = _train(encoder, release, recipe, seconds, seed, device, listener)
    return PrivateFit(schema, encoder, result.generator, recipe, result, ledger, release)


def _release(
    frame: pd.DataFrame,
    schema: Schema,
    cells: dict[Any, Cells],
    plan: MarginalPlan,
    ledger: Ledger,
    bins: int,
) -> Release:
    codes, columns = encoded_cells(frame, schema, cells)
    return release_moments(codes, columns, plan, ledger, bins)


def _train(
    encoder: TableEncoder,
    release: Release,
    recipe: Recipe,
    seconds: float,
    seed: int,
    device: torch.device,
    listener: Listener | None,
) -> TrainResult:
    with isolated_torch_rng(seed, "weights"):
        task = MarginalTask(
            encoder.layout,
            release.tables,
            recipe.check(),
            device=device,
            low_precision=supports_bfloat16(device),
        )
    # The monitor sees released tables only; it informs and does not choose, since the last state
    # is the best when the learning rate has come down.
    looks = iter(range(10**9))

    def monitor(generator: Any) -> dict[str, float]:
        return {"misfit": misfit(generator, release.tables, seed), "score": -float(next(looks))}

    trainer = Trainer(
        task,
        recipe,
        Budget(steps=recipe.steps, seconds=seconds, checks=5),
        seed=seed,
        monitor=monitor,
        listener=listener,
    )
    return trainer.run()
