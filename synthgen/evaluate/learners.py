"""Families of models that utility is measured with: boosted trees, linear models, random forests.

A family is a function from encoded training rows (see :mod:`synthgen.measure.columns`) to a
function that predicts. Whatever a model needs to know about the values (levels worth
a column of their own, centre and spread) is learned from its own training rows, as a user of these
rows would: levels that turn up later are treated as rare ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from synthgen.measure.trees import fit_trees

Family = Literal["trees", "linear", "forest"]

Array = NDArray[np.float64]

#: Scores of rows: shape (rows,), or (rows, classes) with several classes.
Predict = Callable[[Array], Array]

#: A linear model gives at most this many levels of a category a column of their own ...
_LEVELS: Final = 50
#: ... and has at most about this many columns for categories.
_WIDTH: Final = 2_000
#: Standardised numbers are cut off here, lest one extreme row decides everything.
_EXTREME: Final = 10.0
_RIDGE: Final = 1.0
_FOREST_TREES: Final = 60
_FOREST_LEAF: Final = 5
#: Training rows per tree of a forest.
_FOREST_ROWS: Final = 10_000
#: Boosting fits one tree per round and class; rounds are cut to keep to this many trees.
_BOOSTED_TREES: Final = 2_000
_BLOCK: Final = 8_192


@dataclass(frozen=True)
class Goal:
    """What is to be predicted, and from which columns.

    Parameters
    ----------
    objective : {"binary", "multiclass", "regression"}
    n_levels : sequence of int
        Per feature the number of categories, 0 for numbers.
    n_classes : int, default=1
        Number of classes; the target holds 0..n_classes-1.
    n_estimators : int, default=200
        Rounds of boosting.
    seed : int, default=0
    n_jobs : int, default=1
        Threads; the result does not depend on them.
    """

    objective: str
    n_levels: Sequence[int]
    n_classes: int = 1
    n_estimators: int = 200
    seed: int = 0
    n_jobs: int = 1


def fit_learner(family: str, features: Array, target: NDArray[Any], goal: Goal) -> Predict:
    """Train a model of one family.

    Parameters
    ----------
    family : {"trees", "linear", "forest"}
        ``"trees"``: LightGBM, see :func:`~synthgen.measure.trees.fit_trees`. ``"linear"``:
        logistic or ridge regression on standardised numbers and one-hot categories, rare levels
        folded into one. ``"forest"``: 60 random trees on numbers and categories in the order of
        their frequency.
    features : numpy.ndarray of shape (rows, columns)
        Numbers and codes of categories, NaN where missing.
    target : numpy.ndarray of shape (rows,)
        Numbers or classes, none missing.
    goal : Goal

    Returns
    -------
    callable
        From features to scores: shape (rows,), with several classes (rows, classes). A target with
        a single value gives a constant.

    Examples
    --------
    >>> x = np.arange(40.0)[:, None]
    >>> predict = fit_learner("linear", x, 2 * x[:, 0], Goal("regression", [0]))
    >>> bool(abs(predict(np.array([[10.0]]))[0] - 20) < 1)
    True
    """
    if len(np.unique(target)) < 2:
        return _constant(target, goal)
    return FAMILIES[family](features, target, goal)


def _constant(target: NDArray[Any], goal: Goal) -> Predict:
    """Nothing can be learned from one value: the constant prediction, which is honest."""
    several = goal.objective == "multiclass"

    def predict(rows: Array) -> Array:
        shape = (len(rows), goal.n_classes) if several else len(rows)
        return np.full(shape, float(target[0]))

    return predict


def _fit_trees(features: Array, target: NDArray[Any], goal: Goal) -> Predict:
    rounds = goal.n_estimators
    if goal.objective == "multiclass":
        rounds = max(1, min(rounds, _BOOSTED_TREES // goal.n_classes))
    model = fit_trees(
        features,
        target,
        objective=goal.objective,
        categorical=[place for place, levels in enumerate(goal.n_levels) if levels],
        n_classes=goal.n_classes,
        n_estimators=rounds,
        seed=goal.seed,
        n_jobs=goal.n_jobs,
    )
    return lambda rows: np.asarray(model.predict(rows, num_threads=goal.n_jobs))


def _fit_forest(features: Array, target: NDArray[Any], goal: Goal) -> Predict:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    columns = [
        _Numbers.learn(column) if levels == 0 else _Ranks.learn(column, levels)
        for column, levels in zip(features.T, goal.n_levels, strict=True)
    ]

    def encode(rows: Array) -> Array:
        pairs = zip(columns, rows.T, strict=True)
        # A missing number is below all others, so that one split sets it apart.
        return np.column_stack([np.nan_to_num(way.apply(own), nan=-1e6) for way, own in pairs])

    regression = goal.objective == "regression"
    kind = RandomForestRegressor if regression else RandomForestClassifier
    model = kind(
        n_estimators=_FOREST_TREES,
        min_samples_leaf=max(1, min(_FOREST_LEAF, len(target) // 20)),
        max_features=1 / 3 if regression else "sqrt",
        max_samples=min(len(target), _FOREST_ROWS),
        random_state=goal.seed % 2**32,
        n_jobs=goal.n_jobs,
    )
    model.fit(encode(features), target)
    # Threads would add up the trees' votes in the order in which they finish.
    model.n_jobs = 1
    if regression:
        return lambda rows: np.asarray(model.predict(encode(rows)), dtype=np.float64)
    return lambda rows: _by_class(model.predict_proba(encode(rows)), model.classes_, goal)


def _by_class(shares: Array, classes: NDArray[Any], goal: Goal) -> Array:
    """Give classes without a training row the probability 0."""
    whole = np.zeros((len(shares), goal.n_classes))
    whole[:, classes.astype(np.int64)] = shares
    return whole[:, 1] if goal.objective == "binary" else whole


def _fit_linear(features: Array, target: NDArray[Any], goal: Goal) -> Predict:
    encode = _linear_columns(features, goal.n_levels)
    if goal.objective == "regression":
        return _fit_ridge(encode, features, target)
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=100)
    with warnings.catch_warnings():
        # A hundred steps are a fine model, converged to the last digit or not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(encode(features), target)
    return lambda rows: _by_class(model.predict_proba(encode(rows)), model.classes_, goal)


def _fit_ridge(encode: Callable[[Array], Any], features: Array, target: Array) -> Predict:
    """Solve the normal equations, adding them up over blocks of rows.

    Predictions keep to the range of the training targets: a line goes on for ever, data does not.
    """
    centre, spread = float(target.mean()), float(np.ptp(target))
    scaled = (target - centre) / spread
    starts = range(0, len(features), _BLOCK)
    first = encode(features[:1])
    gram = np.zeros((first.shape[1], first.shape[1]))
    sums, products = np.zeros(len(gram)), np.zeros(len(gram))
    for start in starts:
        block = encode(features[start : start + _BLOCK]).toarray()
        gram += block.T @ block
        sums += block.sum(axis=0)
        products += block.T @ scaled[start : start + _BLOCK]
    means = sums / len(features)
    # With the targets centred, centring the columns changes the left-hand side only.
    gram -= len(features) * np.outer(means, means)
    weights = np.linalg.solve(gram + _RIDGE * np.eye(len(gram)), products)
    offset = -float(means @ weights)
    low, high = scaled.min(), scaled.max()

    def predict(rows: Array) -> Array:
        guesses = np.asarray(encode(rows) @ weights) + offset
        return np.clip(guesses, low, high) * spread + centre

    return predict


def _linear_columns(features: Array, n_levels: Sequence[int]) -> Callable[[Array], Any]:
    """Return a function from features to one sparse matrix of numbers, gaps and one-hot levels."""
    from scipy import sparse

    n_categories = sum(levels > 0 for levels in n_levels)
    kept = max(2, min(_LEVELS, _WIDTH // max(1, n_categories)))
    ways: list[_Numbers | _Ranks] = [
        _Numbers.learn(column) if levels == 0 else _Ranks.learn(column, levels, kept)
        for column, levels in zip(features.T, n_levels, strict=True)
    ]

    def encode(rows: Array) -> Any:
        blocks = []
        for way, column in zip(ways, rows.T, strict=True):
            values = way.apply(column)
            if isinstance(way, _Ranks):
                places = values.astype(np.int64) + 1  # missing is -1
                cells = (np.ones(len(places)), (np.arange(len(places)), places))
                blocks.append(sparse.csr_matrix(cells, shape=(len(places), way.width)))
                continue
            gaps = np.isnan(values)
            blocks.append(sparse.csr_matrix(np.where(gaps, 0.0, values)[:, None]))
            if way.has_gaps:
                blocks.append(sparse.csr_matrix(gaps.astype(np.float64)[:, None]))
        return sparse.csr_matrix(sparse.hstack(blocks))

    return encode


@dataclass(frozen=True)
class _Numbers:
    """Centre and spread of a column of numbers; missing stays missing."""

    unit: float
    centre: float
    spread: float
    has_gaps: bool

    @classmethod
    def learn(cls, column: Array) -> _Numbers:
        present = column[~np.isnan(column)]
        if not len(present):
            return cls(1.0, 0.0, 1.0, True)
        # The unit keeps the squares of huge numbers finite.
        unit = float(np.abs(present).max()) or 1.0
        scaled = present / unit
        spread = float(scaled.std())
        # Rounding leaves a trace of spread in a constant column.
        spread = spread if spread > 1e-12 else 1.0
        return cls(unit, float(scaled.mean()), spread, len(present) < len(column))

    def apply(self, column: Array) -> Array:
        with np.errstate(over="ignore"):
            values = (column / self.unit - self.centre) / self.spread
        return np.clip(values, -_EXTREME, _EXTREME)


@dataclass(frozen=True)
class _Ranks:
    """Codes by frequency, the most frequent 0; all rare and unseen levels share the last code."""

    ranks: NDArray[np.int64]
    n_kept: int

    @classmethod
    def learn(cls, column: Array, n_levels: int, most: int | None = None) -> _Ranks:
        codes = column[~np.isnan(column)].astype(np.int64)
        counts = np.bincount(codes, minlength=n_levels)
        n_kept = int((counts > 0).sum())
        n_kept = n_kept if most is None else min(n_kept, most)
        ranks = np.empty(n_levels, dtype=np.int64)
        ranks[np.argsort(-counts, kind="stable")] = np.arange(n_levels)
        return cls(np.minimum(ranks, n_kept), n_kept)

    @property
    def width(self) -> int:
        """Number of codes: missing, the kept levels, all others."""
        return self.n_kept + 2

    def apply(self, column: Array) -> Array:
        gaps = np.isnan(column)
        codes = np.where(gaps, 0, column).astype(np.int64)
        return np.where(gaps, -1.0, self.ranks[codes])


#: The models by name; each learns from features, target and goal.
FAMILIES: Final[dict[str, Callable[[Array, NDArray[Any], Goal], Predict]]] = {
    "trees": _fit_trees,
    "linear": _fit_linear,
    "forest": _fit_forest,
}
