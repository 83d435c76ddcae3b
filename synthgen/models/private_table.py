"""What a synthesizer of tables does differently with privacy: schema, types and training."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import torch

from synthgen.core.device import resolve_device
from synthgen.core.progress import ProgressBar
from synthgen.core.random import torch_generator
from synthgen.data.declared import declared_dtype, declared_spec
from synthgen.data.frame import FrameSpec
from synthgen.data.schema import Schema
from synthgen.dp.budget import DPMarginals
from synthgen.dp.sgd_budget import DPSGD
from synthgen.models.encoded import EncodedSynthesizer
from synthgen.models.guarantee import Guaranteed
from synthgen.models.private import PrivateFit, fit_private
from synthgen.models.private_domain import check_private_schema
from synthgen.models.refusals import gradient_recipe
from synthgen.sample.draw import RowSource
from synthgen.sample.refine import Refiner, raked
from synthgen.sample.sampler import Sampler
from synthgen.train.recipe import Recipe

#: Generated rows that are raked to released histograms.
_RAKED_ROWS: Final = 50_000


class PrivateTables(Guaranteed, EncodedSynthesizer):
    """The part of a synthesizer that keeps a promise of differential privacy."""

    preset: str | Recipe
    privacy: DPMarginals | DPSGD | None
    device: str
    verbose: int
    max_minutes: float
    max_steps: int | str
    sampler_: Sampler
    recipe_: Recipe
    history_: pd.DataFrame
    refinement_: dict[str, Any]
    n_steps_: int
    best_step_: int
    stopped_by_: str
    device_: torch.device

    def _resolve_schema(self, frame: pd.DataFrame) -> Schema:
        if self.privacy is None:
            return super()._resolve_schema(frame)
        schema = check_private_schema(self.schema, self.privacy)
        schema.check(frame)
        return schema

    def _described(self, spec: FrameSpec, schema: Schema) -> FrameSpec:
        if self.privacy is None:
            return spec
        return declared_spec(spec, [declared_dtype(schema[name]) for name in spec.columns])

    def _learn_privately(
        self, frame: pd.DataFrame, schema: Schema, privacy: DPMarginals | DPSGD, seed: int
    ) -> Schema:
        device = resolve_device(self.device)
        with ProgressBar("fit", enabled=bool(self.verbose)) as bar:
            common: Any = {
                "seconds": 60.0 * self.max_minutes,
                "seed": seed,
                "device": device,
                "listener": bar.update,
            }
            if isinstance(privacy, DPSGD):
                # Opacus takes a while to load, which no other fit should wait for.
                from synthgen.models.private_sgd import fit_by_gradients

                recipe = gradient_recipe(self.preset)
                fit = fit_by_gradients(frame, schema, privacy, recipe, **common)
            else:
                steps = None if self.max_steps == "auto" else int(self.max_steps)
                fit = fit_private(frame, schema, privacy, steps=steps, **common)
        source = RowSource(fit.network)
        self.sampler_ = Sampler(fit.encoder, source, _raked(fit, source, seed))
        self.history_ = fit.history()
        self.n_steps_, self.best_step_ = fit.result.steps, fit.result.best_step
        self.stopped_by_ = fit.result.stopped_by
        self.refinement_ = {"used": True, "trees": 0, "reason": "raked to the released histograms"}
        self.recipe_, self.device_, self.ledger_ = fit.recipe, device, fit.ledger
        return fit.schema


def _raked(fit: PrivateFit, source: RowSource, seed: int) -> Refiner:
    """Give rows the released shares of single columns, which are less noisy than the pairs."""
    fresh = source.draw(_RAKED_ROWS, torch_generator(seed, "refine", 3))
    shares = np.concatenate(fit.release.tables.singles)
    return raked(fit.encoder.layout, shares, fit.release.tables.n_rows, fresh)
