"""Membership by neighbourhood counts: synthetic against real rows around a row (DPI)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.privacy.attacks.arena import Arena

_SIZES: Final = (5, 20, 50)


@dataclass(frozen=True)
class Neighbourhood:
    """Score a row by the share of synthetic rows among its nearest synthetic and reference rows.

    Counts are divided by the sizes of the two tables, with half a row added to each.

    References
    ----------
    Ward, Wang & Cheng (2024), Data plagiarism index, arXiv:2406.13012.
    """

    name: ClassVar[str] = "neighbourhood"
    threat_model: ClassVar[str] = "synthetic rows and other real rows"

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return the log-ratio of the two densities among the nearest 5, 20 and 50 rows."""
        made, real = arena.near_synthetic.distances, arena.near_reference.distances
        balance = np.log(len(arena.reference) / len(arena.synthetic))
        both = np.sort(np.concatenate([made, real], axis=1), axis=1)
        result = {}
        for size in _SIZES:
            radius = both[:, [min(size, both.shape[1]) - 1]]
            ours = (made <= radius).sum(axis=1) + 0.5
            theirs = (real <= radius).sum(axis=1) + 0.5
            result[f"{size} rows"] = np.log(ours / theirs) + balance
        return result
