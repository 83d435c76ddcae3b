"""Membership by density ratio: where the generator puts more mass than the population does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.measure.columns import cut_rows
from synthgen.privacy.attacks.arena import Arena
from synthgen.privacy.attacks.density import log_density, scott

#: Multiples of Scott's bandwidth.
_BANDWIDTHS: Final = (1.0, 0.5, 0.25)


@dataclass(frozen=True)
class Domias:
    """Score a row by the ratio of two kernel densities in at most ten principal components.

    Parameters
    ----------
    max_rows : int, default=16000
        Synthetic rows, and reference rows, that carry a kernel.

    References
    ----------
    van Breugel, Sun, Qian & van der Schaar (2023), Membership inference attacks against synthetic
    data through overfitting detection, arXiv:2302.12580.
    """

    max_rows: int = 16_000

    name: ClassVar[str] = "domias"
    threat_model: ClassVar[str] = "synthetic rows and other real rows"

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return the log-ratio at three bandwidths."""
        rng = arena.rng(2)
        sides = [
            side[cut_rows(np.arange(len(side)), self.max_rows, rng)]
            for side in (arena.projection.synthetic, arena.projection.reference)
        ]
        targets = arena.projection.targets
        result = {}
        for factor in _BANDWIDTHS:
            made, real = (
                log_density(targets, side, factor * scott(len(side), side.shape[1]))
                for side in sides
            )
            result[f"bandwidth {factor:g}"] = made - real
        return result
