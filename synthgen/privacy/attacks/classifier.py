"""Membership by a classifier of synthetic against real rows (LOGAN without a box)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from synthgen.measure.columns import cut_rows
from synthgen.measure.trees import fit_trees
from synthgen.privacy.attacks.arena import Arena


@dataclass(frozen=True)
class Classifier:
    """Score a row by how synthetic it looks to boosted trees.

    Parameters
    ----------
    max_rows : int, default=20000
        Synthetic rows, and reference rows, that the trees learn from.
    n_estimators : int, default=100

    References
    ----------
    Hayes, Melis, Danezis & De Cristofaro (2019), LOGAN, PoPETs 2019(1), arXiv:1705.07663.
    """

    max_rows: int = 20_000
    n_estimators: int = 100

    name: ClassVar[str] = "classifier"
    threat_model: ClassVar[str] = "synthetic rows and other real rows"

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return the probability of being synthetic, as log-odds."""
        rng = arena.rng(4)
        size = min(self.max_rows, len(arena.synthetic), len(arena.reference))
        sides = [
            side[cut_rows(np.arange(len(side)), size, rng)]
            for side in (arena.synthetic, arena.reference)
        ]
        model = fit_trees(
            np.concatenate(sides),
            np.repeat([1, 0], size),
            objective="binary",
            categorical=arena.categorical,
            n_estimators=self.n_estimators,
            seed=arena.seed,
        )
        return {"trees": model.predict(arena.targets, raw_score=True, num_threads=1)}
