"""A prediction task on three tables: what is predicted, and how predictions are scored."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.errors import InvalidParameterError
from synthgen.measure.columns import Matrices, Roles, joint_codes, matrices
from synthgen.measure.stats import auc

#: A numeric target with at most this many distinct whole values is a set of classes.
_FEW_VALUES: Final = 10

#: With more classes than this the rarest are one class.
MOST_CLASSES: Final = 30

MEASURE: Final = {
    "binary": "ROC AUC",
    "multiclass": "macro one-vs-rest ROC AUC",
    "regression": "R2",
}

#: From predictions of the holdout's rows, or of some of them, to the score.
Score = Callable[[NDArray[Any], NDArray[np.float64]], float]


@dataclass(frozen=True)
class Problem:
    """One prediction task on encoded tables: real training rows, synthetic rows, holdout rows.

    Parameters
    ----------
    objective : {"binary", "multiclass", "regression"}
    features : Matrices
    targets : list of numpy.ndarray
        Numbers or classes per table; rows without one are gone.
    n_classes : int
    dropped : list of int
        Rows per table without a usable target.
    folded : int
        Number of rare classes that were made one.
    absent : list
        Classes that the holdout has and the synthetic table has not.
    """

    objective: str
    features: Matrices
    targets: list[NDArray[Any]]
    n_classes: int
    dropped: list[int]
    folded: int
    absent: list[Any]


def objective(real: pd.DataFrame, roles: Roles, target: Hashable, task: str) -> str:
    """Return "regression" or "classification" for a target that has a role.

    Raises
    ------
    InvalidParameterError
        If a target that is no number is to be regressed.
    """
    continuous = roles.roles[target] == "continuous"
    if task == "regression" and not continuous:
        raise InvalidParameterError(
            f"task='regression' needs numbers in {target!r}, got dtype {real[target].dtype}."
        )
    if task != "auto":
        return task
    if not continuous:
        return "classification"
    values = roles.numbers(real, target)
    distinct = np.unique(values[~np.isnan(values)])
    few = len(distinct) <= _FEW_VALUES and bool((distinct == np.round(distinct)).all())
    return "classification" if few else "regression"


def encode(frames: Sequence[pd.DataFrame], roles: Roles, target: Hashable, task: str) -> Problem:
    """Encode real, synthetic and holdout rows.

    The classes are those of the real tables: synthetic rows with another one are dropped, as are
    all rows without a target.
    """
    features = matrices(frames, roles.without(target))
    absent: list[Any] = []
    folded = 0
    if task == "regression":
        targets: list[NDArray[Any]] = [roles.numbers(frame, target) for frame in frames]
        usable = [~np.isnan(values) for values in targets]
        n_classes = 1
    else:
        # Classes of the real tables come first in the order of the codes.
        columns = [frames[place][target] for place in (0, 2, 1)]
        (real, test, made), _ = joint_codes(columns)
        n_classes = int(max(real.max(), test.max())) + 1
        absent = _absent(made, test, columns[1])
        targets = [real, made, test]
        usable = [(codes >= 0) & (codes < n_classes) for codes in targets]
        if n_classes > MOST_CLASSES:
            folded = n_classes - MOST_CLASSES + 1
            targets = _fold(targets, usable, n_classes)
            n_classes = MOST_CLASSES
    arrays = [array[keep] for array, keep in zip(features.arrays, usable, strict=True)]
    return Problem(
        objective=task if task == "regression" else "binary" if n_classes == 2 else "multiclass",
        features=Matrices(arrays, features.names, features.n_levels),
        targets=[values[keep] for values, keep in zip(targets, usable, strict=True)],
        n_classes=n_classes,
        dropped=[int((~keep).sum()) for keep in usable],
        folded=folded,
        absent=absent,
    )


def _absent(made: NDArray[np.int64], test: NDArray[np.int64], column: pd.Series[Any]) -> list[Any]:
    """Return the values in the holdout's column that no synthetic row has."""
    codes, first = np.unique(test, return_index=True)
    gone = first[(codes >= 0) & ~np.isin(codes, made)]
    return column.iloc[gone].tolist()


def _fold(
    targets: list[NDArray[np.int64]], usable: list[NDArray[np.bool_]], n_classes: int
) -> list[NDArray[Any]]:
    """Order the classes by their frequency in the holdout; the rest is one.

    The training rows must not choose: classes that are frequent among them by chance are rarer in
    any other table, which would favour the real one.
    """
    counts = np.bincount(targets[2][usable[2]], minlength=n_classes)
    places = np.empty(n_classes, dtype=np.int64)
    places[np.argsort(-counts, kind="stable")] = np.arange(n_classes)
    places = np.minimum(places, MOST_CLASSES - 1)
    return [
        np.where(keep, places[np.where(keep, codes, 0)], -1)
        for codes, keep in zip(targets, usable, strict=True)
    ]


def obstacle(problem: Problem, target: Hashable) -> str | None:
    """Return why the real tables leave nothing to predict, or None."""
    for place, table in ((0, "real"), (2, "holdout")):
        values = problem.targets[place]
        if not len(values):
            return f"no row of the {table} table has a value in {target!r}"
        if len(np.unique(values)) < 2:
            return f"the {table} table has a single value in {target!r}; nothing to predict"
    return None


def uninformed(problem: Problem) -> NDArray[np.float64]:
    """Return predictions of the holdout that use no information; they score 0.5 or 0."""
    truth = problem.targets[2]
    if problem.objective == "multiclass":
        return np.zeros((len(truth), problem.n_classes))
    return np.full(len(truth), float(truth.mean()))


def scorer(kind: str) -> Score:
    """Return the function that scores predictions against the truth."""
    if kind == "regression":
        return r2
    if kind == "binary":
        return lambda truth, score: auc(truth == 1, score)
    return macro_auc


def r2(truth: NDArray[Any], prediction: NDArray[np.float64]) -> float:
    """Return the share of the variance that is explained."""
    spread = float(((truth - truth.mean()) ** 2).sum())
    return float(1 - ((truth - prediction) ** 2).sum() / spread)


def macro_auc(truth: NDArray[Any], scores: NDArray[np.float64]) -> float:
    """Return the mean one-against-rest AUC of the classes that occur in `truth`."""
    return float(np.mean([auc(truth == label, scores[:, label]) for label in np.unique(truth)]))


def resample(
    kind: str,
    truth: NDArray[Any],
    predictions: Sequence[NDArray[np.float64]],
    n_resamples: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Score several predictions on the same resampled holdout rows; shape (resamples, predictions).

    Classes are resampled one by one, so that none can vanish.
    """
    labels = np.zeros(len(truth)) if kind == "regression" else truth
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    scores = [_row_scorer(kind, truth, prediction) for prediction in predictions]
    samples = np.empty((n_resamples, len(predictions)))
    for draw in range(n_resamples):
        rows = np.concatenate([rng.choice(group, size=len(group)) for group in groups])
        if kind == "regression" and np.ptp(truth[rows]) == 0:
            rows = np.arange(len(truth))
        samples[draw] = [score(rows) for score in scores]
    return samples


def _row_scorer(
    kind: str, truth: NDArray[Any], prediction: NDArray[np.float64]
) -> Callable[[NDArray[np.int64]], float]:
    """Return a function from row numbers to the score; what all calls share is done once."""
    if kind == "regression":
        return lambda rows: r2(truth[rows], prediction[rows])
    if kind == "binary":
        return _area_of_rows(truth == 1, prediction)
    areas = [_area_of_rows(truth == label, prediction[:, label]) for label in np.unique(truth)]
    return lambda rows: float(np.mean([area(rows) for area in areas]))


def _area_of_rows(
    positive: NDArray[np.bool_], score: NDArray[np.float64]
) -> Callable[[NDArray[np.int64]], float]:
    """As :func:`~synthgen.measure.stats.auc`, but sorted once and for all."""
    distinct, places = np.unique(score, return_inverse=True)
    doubled = 2 * places + positive

    def area(rows: NDArray[np.int64]) -> float:
        counts = np.bincount(doubled[rows], minlength=2 * len(distinct)).reshape(-1, 2)
        losers, winners = counts[:, 0], counts[:, 1]
        wins = (winners * (np.cumsum(losers) - losers / 2)).sum()
        return float(wins / (int(winners.sum()) * int(losers.sum())))

    return area


def interval(samples: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval by percentiles."""
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(low), float(high)
