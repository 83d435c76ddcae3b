"""The detector under the names and signs of PyOD, which need not be installed."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted


class PyODAdapter:
    """Looks like a detector of PyOD 3: higher scores are stranger, labels are 0 and 1.

    Parameters
    ----------
    detector : GANOutlierDetector
        Fitted or not.

    Attributes
    ----------
    decision_scores_, labels_ : numpy.ndarray of shape (n,)
        Of the training rows; after ``fit`` of this adapter only.
    threshold_ : float
        Scores above it are outliers.
    contamination : float or "auto"

    References
    ----------
    Zhao et al., "PyOD: A Python Toolbox for Scalable Outlier Detection", JMLR 20, 2019.
    """

    decision_scores_: NDArray[np.float64]
    labels_: NDArray[np.int64]

    def __init__(self, detector: Any) -> None:
        self.detector = detector

    @property
    def contamination(self) -> float | str:
        """Share of outliers that was asked for."""
        asked: float | str = self.detector.contamination
        return asked

    @property
    def threshold_(self) -> float:
        """Score above which a row is an outlier."""
        check_is_fitted(self.detector)
        return -float(self.detector.offset_)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the detector and score the training rows."""
        self.detector.fit(X)
        self.decision_scores_ = self.decision_function(X)
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(np.int64)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return scores, the higher the stranger."""
        return np.asarray(self.detector.anomaly_score(X))

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return 1 for outliers and 0 for others."""
        return (self.decision_function(X) > self.threshold_).astype(np.int64)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the chances of 0 and 1, (n, 2): .5 at the threshold, a logistic curve about it."""
        distance = np.clip(self.decision_function(X) - self.threshold_, -500.0, 500.0)
        strange = 1.0 / (1.0 + np.exp(-distance))
        return np.stack([1.0 - strange, strange], axis=1)

    def fit_predict(self, X: Any, y: Any = None) -> NDArray[np.int64]:
        """Fit and return the labels of the training rows."""
        return self.fit(X).labels_
