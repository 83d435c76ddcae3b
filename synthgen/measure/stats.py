"""Small statistics shared by the metrics."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthgen.errors import InvalidDataError

#: Two-sided 95 % quantile of the standard normal distribution.
Z95 = 1.959963984540054


def auc(positive: ArrayLike, score: ArrayLike) -> float:
    """Return the area under the ROC curve; ties count half.

    Parameters
    ----------
    positive : array-like of bool of shape (n,)
    score : array-like of float of shape (n,)
        Higher means more likely positive.

    Raises
    ------
    InvalidDataError
        If there are no positives or no negatives.

    Examples
    --------
    >>> auc([True, False, True], [0.9, 0.5, 0.5])
    0.75
    """
    mask = np.asarray(positive, dtype=bool)
    n_positive = int(mask.sum())
    n_negative = len(mask) - n_positive
    if n_positive == 0 or n_negative == 0:
        raise InvalidDataError(
            f"An AUC needs both classes, got {n_positive} positive and {n_negative} negative rows."
        )
    _, place, counts = np.unique(
        np.asarray(score, dtype=np.float64), return_inverse=True, return_counts=True
    )
    mean_ranks = np.cumsum(counts) - (counts - 1) / 2  # of each distinct score, from 1
    wins = mean_ranks[place[mask]].sum() - n_positive * (n_positive + 1) / 2
    return float(wins / (n_positive * n_negative))


def roc_curve(
    positive: ArrayLike, score: ArrayLike, *, points: int = 101
) -> tuple[list[float], list[float]]:
    """Return false and true positive rates from (0, 0) to (1, 1), at evenly spaced quantiles.

    Parameters
    ----------
    positive : array-like of bool of shape (n,)
    score : array-like of float of shape (n,)
        Higher means more likely positive.
    points : int, default=101
        Length of the two lists at most.

    Examples
    --------
    >>> roc_curve([True, False], [0.9, 0.1])
    ([0.0, 0.0, 1.0], [0.0, 1.0, 1.0])
    """
    mask = np.asarray(positive, dtype=bool)
    values = np.asarray(score, dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    hits, ranked = mask[order], values[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # ties move together
    true = np.append(0.0, np.cumsum(hits)[ends] / max(1, hits.sum()))
    false = np.append(0.0, np.cumsum(~hits)[ends] / max(1, (~hits).sum()))
    chosen = np.unique(np.linspace(0, len(true) - 1, points).round().astype(int))
    return false[chosen].tolist(), true[chosen].tolist()


def auc_interval(
    area: float, n_positive: int, n_negative: int, *, n_folds: int = 1
) -> tuple[float, float]:
    """Return the 95 % interval of an AUC.

    Parameters
    ----------
    area : float
    n_positive, n_negative : int
        Rows that it was measured on, all folds together.
    n_folds : int, default=1
        With more than one, the mean of cross-validation, whose folds depend on each other through
        the rows that they share for training: the variance is ``1 + n_folds / (n_folds - 1)`` times
        as large.

    Returns
    -------
    low, high : float
        At an area of 0 or 1, where rows leave no variance, the other end is that of a share of 0
        or 1 among as many trials as the smaller class has.

    References
    ----------
    Hanley & McNeil (1982), The meaning and use of the area under a ROC curve, Radiology 143; Nadeau
    & Bengio (2003), Inference for the generalization error, doi:10.1023/A:1024068626366.
    """
    if area in (0.0, 1.0):
        return share_interval(area, min(n_positive, n_negative))
    q1 = area / (2 - area)
    q2 = 2 * area**2 / (1 + area)
    variance = area * (1 - area)
    variance += (n_positive - 1) * (q1 - area**2) + (n_negative - 1) * (q2 - area**2)
    variance /= n_positive * n_negative
    if n_folds > 1:
        variance *= 1 + n_folds / (n_folds - 1)
    error = Z95 * math.sqrt(max(variance, 0.0))
    return max(0.0, area - error), min(1.0, area + error)


def share_interval(share: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson interval of a share of `n` trials.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.

    Examples
    --------
    >>> tuple(round(end, 3) for end in share_interval(0.5, 100))
    (0.404, 0.596)
    """
    quantile = Z95 if level == 0.95 else NormalDist().inv_cdf((1 + level) / 2)
    spread = quantile**2 / n
    centre = (share + spread / 2) / (1 + spread)
    half = quantile / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    low = 0.0 if share == 0 else max(0.0, centre - half)
    return low, 1.0 if share == 1 else min(1.0, centre + half)


def stratified_folds(
    labels: NDArray[np.int64], n_splits: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Assign each row to a fold so that every label is spread evenly.

    Returns
    -------
    numpy.ndarray of int of shape (n,)
        Fold numbers 0..n_splits-1.
    """
    folds = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        folds[rows] = np.arange(len(rows)) % n_splits
    return folds
