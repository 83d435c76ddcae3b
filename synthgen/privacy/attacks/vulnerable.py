"""The rows most at risk: far from all others, so that a generator can hardly hide them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synthgen.measure.space import Rows
from synthgen.privacy.attacks.neighbours import nearest

_N_NEIGHBOURS: Final = 5
#: At least this share is chosen, and as many as this number if that is at most the last share.
_LEAST_SHARE: Final = 0.01
_WANTED: Final = 200
_MOST_SHARE: Final = 0.1


@dataclass(frozen=True)
class Vulnerable:
    """The most isolated rows of members and holdout, by one threshold.

    Parameters
    ----------
    members, holdout : numpy.ndarray of int
        Places in the two tables.
    share : float
        Share of the holdout rows that are chosen.
    """

    members: NDArray[np.int64]
    holdout: NDArray[np.int64]
    share: float


def select(members: Rows, holdout: Rows, reference: Rows) -> Vulnerable:
    """Choose rows by the mean distance to their nearest five reference rows.

    Distances to the reference, not among members, so that members and holdout rows are chosen
    alike: a choice that knew members would tell them apart by itself.

    References
    ----------
    Meeus, Guepin, Cretu & de Montjoye (2023), Achilles' heels: vulnerable record identification in
    synthetic data publishing, arXiv:2306.10308.
    """
    inside, outside = (
        nearest(rows, reference, _N_NEIGHBOURS).distances.mean(axis=1)
        for rows in (members, holdout)
    )
    share = min(_MOST_SHARE, max(_LEAST_SHARE, _WANTED / len(outside)))
    threshold = np.quantile(outside, 1 - share)
    return Vulnerable(
        np.flatnonzero(inside >= threshold), np.flatnonzero(outside >= threshold), share
    )
