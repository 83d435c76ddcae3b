"""How far out in its own column a value lies, beyond what the training rows show, too.

Ranks squeeze all that lies outside the training values into one place. Here the tail probability
goes on falling outside, at the rate of an exponential tail through the outermost tenth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthgen.anomaly.scale import Scale

Matrix = NDArray[np.float64]


class Margins:
    """Two-sided tails of each column.

    Parameters
    ----------
    X : numpy.ndarray of shape (rows, columns)
        Scaled numbers; NaN where missing.

    Examples
    --------
    >>> margins = Margins(np.arange(100.0)[:, None])
    >>> bool(margins.surprise(np.array([[500.0]])) > margins.surprise(np.array([[99.0]])))
    True
    """

    def __init__(self, X: Matrix) -> None:
        self._tails: list[tuple[Scale, Scale] | None] = []
        for column in X.T:
            present = column[~np.isnan(column)]
            self._tails.append((Scale.fit(-present), Scale.fit(present)) if len(present) else None)

    def surprise(self, X: Matrix) -> Matrix:
        """Return how surprising each value is, (rows, columns): -log 2 tail, 0 where missing."""
        out = np.zeros(X.shape)
        for j, tails in enumerate(self._tails):
            present = ~np.isnan(X[:, j])
            if tails is not None:
                left, right = tails[0](-X[present, j]), tails[1](X[present, j])
                out[present, j] = np.maximum(np.maximum(left, right) - np.log(2.0), 0.0)
        return out
