"""Membership by Monte-Carlo integration: how much synthetic data lies around a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.privacy.attacks.arena import Arena

#: The radius is such a quantile of the distances from the targets to their nearest synthetic row.
_QUANTILES: Final = {"median": 0.5, "first decile": 0.1, "ninth decile": 0.9}


@dataclass(frozen=True)
class MonteCarlo:
    """Score a row by the number of synthetic rows within a radius.

    Counts stop at the length of the lists of neighbours: rows with more of them stand where many
    real rows do too.

    References
    ----------
    Hilprecht, Haerterich & Bernau (2019), Monte Carlo and reconstruction membership inference
    attacks against generative models, PoPETs 2019(4), doi:10.2478/popets-2019-0067.
    """

    name: ClassVar[str] = "monte_carlo"
    threat_model: ClassVar[str] = "synthetic rows"

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return the counts within each radius."""
        distances = arena.near_synthetic.distances
        radii = {name: np.quantile(distances[:, 0], at) for name, at in _QUANTILES.items()}
        return {
            name: (distances <= radius).sum(axis=1).astype(np.float64)
            for name, radius in radii.items()
        }
