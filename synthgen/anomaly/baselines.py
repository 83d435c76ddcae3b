"""What every model has to beat: isolation forest, neighbours, tails, principal components.

Liu et al., "Isolation Forest", ICDM 2008, doi:10.1109/ICDM.2008.17. Ramaswamy et al., "Efficient
Algorithms for Mining Outliers from Large Data Sets", SIGMOD 2000, doi:10.1145/342009.335437.
Shyu et al., "A Novel Anomaly Detection Scheme Based on Principal Component Classifier", 2003.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from synthgen.anomaly.ecod import TailDetector

Matrix = NDArray[np.float64]

#: Training rows that neighbours are sought among, at most.
_MOST_NEIGHBOURS: Final = 20_000
_NEIGHBOURS: Final = 5


class Detector(Protocol):
    """Learns from points and says how strange others are."""

    def fit(self, X: Matrix) -> Any:
        """Learn."""

    def abnormality(self, X: Matrix) -> Matrix:
        """Return scores, the higher the stranger, (rows,)."""


class Neighbours:
    """Mean distance to the nearest training rows.

    Parameters
    ----------
    seed : int
        Of the training rows that are kept, if there are too many.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, X: Matrix) -> Neighbours:
        """Keep the rows."""
        if len(X) > _MOST_NEIGHBOURS:
            rng = np.random.default_rng(self.seed)
            X = X[np.sort(rng.choice(len(X), _MOST_NEIGHBOURS, replace=False))]
        count = min(_NEIGHBOURS, len(X))
        self._search = NearestNeighbors(n_neighbors=count).fit(X)
        return self

    def abnormality(self, X: Matrix) -> Matrix:
        """Return mean distances."""
        distances, _ = self._search.kneighbors(X)
        return np.asarray(distances.mean(axis=1), dtype=np.float64)


class Forest:
    """Isolation forest of scikit-learn's default size.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, X: Matrix) -> Forest:
        """Grow the trees."""
        self._forest = IsolationForest(random_state=self.seed % 2**32).fit(X)
        return self

    def abnormality(self, X: Matrix) -> Matrix:
        """Return the forest's anomaly scores, in (0, 1)."""
        return np.asarray(-self._forest.score_samples(X), dtype=np.float64)


class Components:
    """Squared distance from the principal components that hold 90 % of the variance.

    Parameters
    ----------
    seed : int
    share : float
        Of the variance, in (0, 1).
    """

    def __init__(self, seed: int = 0, share: float = 0.9) -> None:
        self.seed, self.share = seed, share

    def fit(self, X: Matrix) -> Components:
        """Find the components."""
        full = PCA(
            random_state=self.seed % 2**32, svd_solver="full" if X.shape[1] < 500 else "auto"
        )
        full.fit(X)
        variance = full.explained_variance_
        total = variance.sum()
        count = 1
        if total > 0:
            count = int(np.searchsorted(np.cumsum(variance) / total, self.share)) + 1
        self._mean, self._axes = full.mean_, full.components_[:count]
        return self

    def residuals(self, X: Matrix) -> Matrix:
        """Return what the components leave unexplained, (rows, columns)."""
        centred = X - self._mean
        return np.asarray(centred - (centred @ self._axes.T) @ self._axes)

    def abnormality(self, X: Matrix) -> Matrix:
        """Return squared lengths of the residuals."""
        return np.asarray((self.residuals(X) ** 2).sum(axis=1))


#: Name -> how to make it from a seed, and which view of the rows it takes.
BASELINES: Final[dict[str, tuple[Callable[[int], Detector], str]]] = {
    "isolation_forest": (Forest, "marks"),
    "knn": (Neighbours, "points"),
    "ecod": (lambda _: TailDetector(), "marks"),
    "pca": (Components, "points"),
}
