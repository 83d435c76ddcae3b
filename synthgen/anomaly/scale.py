"""Scores of different methods on one scale, by how rare a row as strange as this one is.

Averaging ranks, the usual way to combine detectors (Aggarwal and Sathe, SIGKDD Explorations 17,
2015, doi:10.1145/2830544.2830549), forgets how far beyond all known rows a stranger is. Here the
rank among calibration rows becomes -log of the share of rows at least as strange, and goes on
growing with the distance from the strangest of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

#: Share of the calibration rows that the slope of the tail is taken from.
_TAIL: Final = 0.1
#: Beyond the strangest calibration row a method's word grows by the logarithm only.
_LOUDEST: Final = 4.0

#: Share of the scores that the slope of their lower tail is taken from.
_LOWER: Final = 0.25
#: With more rows than this, it makes no difference whether a row is among those it is compared to.
_MANY: Final = 500


def rare_below(scores: Vector, share: float) -> float:
    """Return the score below which a new row falls with probability `share`, at most.

    Parameters
    ----------
    scores : numpy.ndarray of shape (n,)
        Of rows that no method learned from.
    share : float

    Returns
    -------
    float
        An order statistic: a new score is below the k-th of n with probability k / (n + 1). With
        too few scores for that, as far below the least as an exponential tail reaches.

    References
    ----------
    Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World", Springer 2005, section 2.2.

    Examples
    --------
    >>> rare_below(np.arange(99.0), 0.05)
    4.0
    >>> rare_below(np.arange(9.0), 0.05) < 0
    True
    """
    known = np.sort(np.asarray(scores, dtype=np.float64))
    rank = share * (len(known) + 1)
    if rank >= 1.0:
        return float(known[int(rank) - 1])
    tail = known[: max(2, int(_LOWER * len(known)))]
    return float(known[0] + (tail[-1] - tail).mean() * np.log(rank))


@dataclass(frozen=True)
class Scale:
    """The abnormality of calibration rows under one method.

    Parameters
    ----------
    known : numpy.ndarray of shape (rows,)
        Ascending.
    slope : float
        Mean excess over the tail's threshold.

    Examples
    --------
    >>> scale = Scale.fit(np.arange(100.0))
    >>> bool(scale(np.array([50.0])) < scale(np.array([99.0])) < scale(np.array([500.0])))
    True
    """

    known: Vector
    slope: float

    @classmethod
    def fit(cls, abnormality: Vector) -> Scale:
        """Learn from the abnormality of calibration rows."""
        known = np.sort(np.asarray(abnormality, dtype=np.float64))
        tail = known[int((1.0 - _TAIL) * (len(known) - 1)) :]
        slope = float((tail - tail[0]).mean())
        if slope <= 0.0:
            slope = float(known.std()) or 1.0
        return cls(known, slope)

    def __call__(self, abnormality: Vector) -> Vector:
        """Return -log of tail shares, and more beyond the strangest calibration row, (rows,)."""
        n = len(self.known)
        low = np.searchsorted(self.known, abnormality, "left")
        high = np.searchsorted(self.known, abnormality, "right")
        share = (n + 0.5 - (low + high) / 2.0) / (n + 1.0)
        beyond = np.maximum(abnormality - self.known[-1], 0.0) / self.slope
        return np.asarray(-np.log(share) + _LOUDEST * np.log1p(beyond / _LOUDEST))


def left_out(abnormality: Vector) -> Vector:
    """Return calibration rows on the scale of all others, as rows that are new would be, (n,).

    A row that the scale was fitted to is never beyond the strangest known row; new ones are.

    Examples
    --------
    >>> rows = np.arange(20.0)
    >>> bool(left_out(rows)[-1] > Scale.fit(rows)(rows)[-1])
    True
    """
    if not 1 < len(abnormality) <= _MANY:
        return Scale.fit(abnormality)(abnormality)
    rows = np.asarray(abnormality, dtype=np.float64)
    # Of the tail's slope there is one estimate: without its end, a short tail would have next to
    # none.
    slope = Scale.fit(rows).slope
    own = [Scale(np.sort(np.delete(rows, k)), slope)(rows[k : k + 1]) for k in range(len(rows))]
    return np.concatenate(own)
