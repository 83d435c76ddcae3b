"""Membership by distance: members tend to have a synthetic row nearby."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from synthgen.privacy.attacks.arena import Arena


@dataclass(frozen=True)
class Nearest:
    """Score a row by how near the nearest synthetic rows are.

    References
    ----------
    Chen, Yu, Zhang & Fritz (2020), GAN-Leaks, arXiv:1909.03935.
    """

    name: ClassVar[str] = "nearest"
    threat_model: ClassVar[str] = "synthetic rows"

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return minus the distance to the nearest row, and minus the mean of the nearest five.

        Once with numbers divided by the width of their middle 95 %, once by their full range.
        """
        distances, ranged = arena.near_synthetic.distances, arena.ranged_synthetic.distances
        return {
            "nearest": -distances[:, 0],
            "mean of five": -distances[:, :5].mean(axis=1),
            "nearest by range": -ranged[:, 0],
        }
