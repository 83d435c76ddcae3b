"""Which columns a model relies on, and whether two models rely on the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.evaluate.learners import Predict
from synthgen.evaluate.tasks import Score
from synthgen.measure.columns import cut_rows

#: Rows that importance is measured on, and predictions per model (and class) that it may cost.
_MOST_ROWS: Final = 2_000
_FEWEST_ROWS: Final = 200
_PREDICTIONS: Final = 60_000


def importance_rows(
    truth: NDArray[Any], n_columns: int, n_classes: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose holdout rows to measure importance on: a bounded number, classes in equal shares.

    One class stands for regression.
    """
    outputs = n_columns * max(1, n_classes - 1)
    n_rows = max(_FEWEST_ROWS, min(_MOST_ROWS, _PREDICTIONS // outputs))
    if n_classes == 1:
        return cut_rows(np.arange(len(truth)), n_rows, rng)
    groups = [np.flatnonzero(truth == label) for label in np.unique(truth)]
    share = max(1, n_rows // len(groups))
    return np.concatenate([cut_rows(group, share, rng) for group in groups])


def permutation_importance(
    models: Sequence[Predict],
    features: NDArray[np.float64],
    truth: NDArray[Any],
    score: Score,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return how much each model's score falls when one column is permuted.

    The permutations are the same for all models.

    Parameters
    ----------
    models : sequence of callable
        From features to predictions.
    features : numpy.ndarray of shape (rows, columns)
    truth : numpy.ndarray of shape (rows,)
    score : callable
        From truth and predictions to the score.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of shape (models, columns)

    References
    ----------
    Breiman (2001), Random Forests, Machine Learning 45, doi:10.1023/A:1010933404324.
    """
    whole = np.array([score(truth, predict(features)) for predict in models])
    falls = np.empty((len(models), features.shape[1]))
    for place in range(features.shape[1]):
        shuffled = features.copy()
        shuffled[:, place] = rng.permutation(features[:, place])
        falls[:, place] = [score(truth, predict(shuffled)) for predict in models]
    return whole[:, None] - falls


def rank_agreement(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    """Return Spearman's rank correlation; None for fewer than three entries or all the same.

    Examples
    --------
    >>> rank_agreement(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.3, 0.4]))
    1.0
    """
    if len(first) < 3:
        return None
    from scipy.stats import rankdata

    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (first, second)]
    size = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return None if size == 0 else float(ranks[0] @ ranks[1] / size)
