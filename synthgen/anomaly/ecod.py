"""Outliers by the empirical tails of each column.

Written from Li et al., "ECOD: Unsupervised Outlier Detection Using Empirical Cumulative
Distribution Functions", IEEE TKDE 2022, arXiv:2201.00382. The tail probability of a value that lies
beyond all training values is that of half a training value, so that new rows can be scored.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class TailDetector:
    """Sum over columns of the negative logarithms of tail probabilities.

    Each row gets three sums: left tails, right tails, and for each column the tail that its
    skewness points to; the largest is the score.

    Examples
    --------
    >>> import numpy as np
    >>> detector = TailDetector().fit(np.arange(10.0)[:, None])
    >>> detector.abnormality(np.array([[4.0], [9.0], [30.0]])).round(2).tolist()
    [0.69, 2.3, 3.0]
    """

    def fit(self, X: Matrix) -> TailDetector:
        """Keep the sorted columns and the signs of their skewness."""
        self.sorted_ = np.sort(X, axis=0)
        centred = X - X.mean(axis=0)
        self.skewed_right_ = (centred**3).mean(axis=0) >= 0
        return self

    def tails(self, X: Matrix) -> tuple[Matrix, Matrix]:
        """Return the negative logarithms of left and right tail probabilities, (rows, columns)."""
        n = len(self.sorted_)
        left, right = np.empty(X.shape), np.empty(X.shape)
        for j in range(X.shape[1]):
            left[:, j] = np.searchsorted(self.sorted_[:, j], X[:, j], "right") / n
            right[:, j] = 1.0 - np.searchsorted(self.sorted_[:, j], X[:, j], "left") / n
        least = 0.5 / n
        return -np.log(np.maximum(left, least)), -np.log(np.maximum(right, least))

    def abnormality(self, X: Matrix) -> Matrix:
        """Return scores, the higher the stranger, (rows,)."""
        left, right = self.tails(X)
        skewed = np.where(self.skewed_right_, right, left)
        sums = [left.sum(axis=1), right.sum(axis=1), skewed.sum(axis=1)]
        return np.asarray(np.maximum.reduce(sums))
