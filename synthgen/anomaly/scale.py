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
