"""Scores of a classifier on rare classes, and their intervals over folds of cross-validation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Name of a score and which way is better.
SCORES: Final = {
    "pr_auc": "higher",
    "balanced_accuracy": "higher",
    "macro_f1": "higher",
    "recall_at_precision": "higher",
    "brier": "lower",
}


@dataclass(frozen=True)
class Predictions:
    """What a classifier says about test rows.

    Parameters
    ----------
    codes : numpy.ndarray of int of shape (n,)
        Predicted classes.
    scores : numpy.ndarray of shape (n, classes)
        The higher, the more likely; only their order within a class counts.
    probabilities : numpy.ndarray of shape (n, classes), or None
    """

    codes: NDArray[np.int64]
    scores: Array
    probabilities: Array | None


def score(
    truth: NDArray[np.int64], said: Predictions, rare: int, precision: float
) -> dict[str, float | None]:
    """Return all scores of one fold.

    Parameters
    ----------
    truth : numpy.ndarray of int of shape (n,)
    said : Predictions
    rare : int
        Code of the rarest class.
    precision : float
        At which the recall of the rarest class is wanted.

    Returns
    -------
    dict of str to float or None
        ``pr_auc``: average precision, of the rarest class with two classes and else the mean over
        classes. ``recall_at_precision``: largest recall of the rarest class at any threshold with
        at least this precision. ``brier``: mean squared error of the probabilities, summed over
        classes and halved, so that with two classes it is the usual one.

    References
    ----------
    Saito & Rehmsmeier, "The Precision-Recall Plot Is More Informative than the ROC Plot When
    Evaluating Binary Classifiers on Imbalanced Datasets", PLoS ONE 10 (2015),
    doi:10.1371/journal.pone.0118432.
    """
    from sklearn.metrics import average_precision_score, balanced_accuracy_score, f1_score

    n_classes = said.scores.shape[1]
    classes = [rare] if n_classes == 2 else [c for c in range(n_classes) if (truth == c).any()]
    areas = [average_precision_score(truth == c, said.scores[:, c]) for c in classes]
    brier = None
    if said.probabilities is not None:
        wanted = np.eye(n_classes)[truth]
        brier = float(((said.probabilities - wanted) ** 2).sum(axis=1).mean() / 2)
    return {
        "pr_auc": float(np.mean(areas)),
        "balanced_accuracy": float(balanced_accuracy_score(truth, said.codes)),
        "macro_f1": float(f1_score(truth, said.codes, average="macro", zero_division=0)),
        "recall_at_precision": recall_at(truth == rare, said.scores[:, rare], precision),
        "brier": brier,
    }


def recall_at(positive: NDArray[np.bool_], scores: Array, precision: float) -> float:
    """Return the largest recall at a precision of at least `precision`; 0 if there is none.

    Examples
    --------
    >>> truth = np.array([True, False, True, False])
    >>> recall_at(truth, np.array([0.9, 0.8, 0.7, 0.1]), 0.6)
    1.0
    >>> recall_at(truth, np.array([0.9, 0.8, 0.7, 0.1]), 0.9)
    0.5
    """
    order = np.argsort(-scores, kind="stable")
    hits, ranked = np.cumsum(positive[order]), scores[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # ties move together
    good = hits[ends] / (ends + 1) >= precision
    return float(hits[ends][good].max(initial=0) / max(1, positive.sum()))


def corrected_interval(
    values: Array, test_share: float, confidence: float = 0.95
) -> tuple[float, float] | None:
    """Return the interval of a mean over folds of repeated cross-validation.

    Folds share training rows, so the standard error of independent values is far too small; the
    variance is multiplied by ``1 / folds + test rows / training rows`` instead.

    Parameters
    ----------
    values : numpy.ndarray of shape (folds,)
    test_share : float
        Test rows divided by training rows.
    confidence : float, default=0.95

    Returns
    -------
    tuple of float, or None
        None with fewer than two folds.

    References
    ----------
    Nadeau & Bengio, "Inference for the Generalization Error", Machine Learning 52 (2003),
    doi:10.1023/A:1024068626366.

    Examples
    --------
    >>> low, high = corrected_interval(np.array([1.0, 2.0, 3.0]), 0.5)
    >>> round((high - low) / 2, 3)  # 4.303 * sqrt(1/3 + 1/2)
    3.928
    """
    from scipy import stats

    n = len(values)
    if n < 2:
        return None
    variance = float(np.var(values, ddof=1)) * (1 / n + test_share)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * math.sqrt(variance)
    centre = float(np.mean(values))
    return centre - half, centre + half
