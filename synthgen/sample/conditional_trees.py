"""Boosted trees of one column given the others: of generated rows first, then of real ones.

Trees learn a column's conditional distribution among generated rows, of which there are as many as
needed. Boosting then goes on from there on real rows, so that what it adds is the difference, and
nothing is added where both agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import lightgbm as lgb
import numpy as np

from synthgen.core.parallel import map_ahead
from synthgen.sample.correct import probabilities, surely_kept
from synthgen.sample.places import OpenRows
from synthgen.sample.trees import raw_scores
from synthgen.train.detection import tree_parameters

_ROUNDS: Final = 150
_PATIENCE: Final = 10
_RATE: Final = 0.3
#: Leaves are drawn towards zero as if by so many rows, or by so much of the second derivative.
_SHRINK_SCORES: Final = 5.0
_SHRINK_LOG_ODDS: Final = 1.0
#: Most by which a leaf may change log odds, before it is multiplied by the rate.
_MOST_LOG_ODDS: Final = 1.0
#: Fewer rows than this cannot say when to stop.
_LEAST_UNSEEN: Final = 100
#: Spreads about the conditional mean are told apart if their logarithms differ by more.
_SPREADS_DIFFER: Final = 0.1


@dataclass(frozen=True)
class Sides:
    """Real and generated rows, in what the trees see of them.

    Parameters
    ----------
    real, generated, spare : OpenRows
        Generated rows are corrected step by step; `spare` ones say when to stop learning from them.
    folds : list of (numpy.ndarray, numpy.ndarray)
        Real rows to learn from and to judge by.
    hidden : list of int
        Features that no tree sees: what is worked out from others later.
    whole : bool
        Whether the final trees learn from all real rows, and not from those of the only fold.
    unordered : list of int
        Features that trees split into sets.
    """

    real: OpenRows
    generated: OpenRows
    spare: OpenRows
    folds: list[tuple[np.ndarray, np.ndarray]]
    hidden: list[int]
    whole: bool
    unordered: list[int] = field(default_factory=list)

    @property
    def n_generated(self) -> int:
        """Generated rows, the spare ones included."""
        return len(self.generated.table) + len(self.spare.table)


@dataclass(frozen=True)
class Task:
    """One thing to learn by trees: labels of real, generated and spare rows.

    Parameters
    ----------
    hidden : list of int
        Features that must not be seen: the one that is learned, and those that no tree sees.
    states : int
        0 for a score.
    real, generated, spare : (numpy.ndarray, numpy.ndarray)
        Rows that take part, and their labels.
    unordered : list of int
        Features that trees split into sets.
    """

    hidden: list[int]
    states: int
    real: tuple[np.ndarray, np.ndarray]
    generated: tuple[np.ndarray, np.ndarray]
    spare: tuple[np.ndarray, np.ndarray]
    unordered: list[int] = field(default_factory=list)

    @property
    def trees_per_round(self) -> int:
        """Trees that one round of boosting adds."""
        return self.states if self.states > 2 else 1

    def losses(self, labels: np.ndarray, raw: np.ndarray, spread: float = 1.0) -> np.ndarray:
        """Return each row's loss in nats; scores are normal with that `spread`."""
        if not self.states:
            return np.asarray(0.5 * ((labels - raw) / spread) ** 2 + np.log(spread))
        chances = probabilities(raw)[np.arange(len(labels)), labels.astype(np.int64)]
        return np.asarray(-np.log(np.maximum(chances, 1e-12)))


@dataclass(frozen=True)
class Unseen:
    """Real rows as trees that did not learn from them see them.

    Parameters
    ----------
    rounds : int
        Rounds of boosting after which the trees knew most.
    labels : numpy.ndarray of shape (n,)
    start, after : numpy.ndarray of shape (n,) or (n, states)
        What is predicted of generated rows, and with what real rows add.
    """

    rounds: int
    labels: np.ndarray
    start: np.ndarray
    after: np.ndarray

    def surely_kept(self) -> np.ndarray:
        """Return how likely each state is kept without asking the trees of generated rows."""
        return surely_kept(self.labels.astype(np.int64), self.after - self.start)


def seen_by_trees(
    side: OpenRows, hidden: list[int], part: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return what trees see of the rows, and the labels."""
    matrix = side.matrix[part[0]]
    matrix[:, hidden] = 0.0
    return matrix, part[1]


def fit_generated(task: Task, sides: Sides, seed: int) -> lgb.Booster:
    """Learn the conditional distribution of generated rows."""
    rows = seen_by_trees(sides.generated, task.hidden, task.generated)
    data = lgb.Dataset(*rows, categorical_feature=task.unordered)
    spare = lgb.Dataset(*seen_by_trees(sides.spare, task.hidden, task.spare), reference=data)
    stop = lgb.early_stopping(_PATIENCE, verbose=False)
    trees = lgb.train(_parameters(task, seed), data, _ROUNDS, valid_sets=[spare], callbacks=[stop])
    best = max(trees.best_iteration, 1)
    return lgb.Booster(model_str=trees.model_to_string(num_iteration=best))


def boost_on_unseen(
    task: Task,
    sides: Sides,
    matrix: np.ndarray,
    labels: np.ndarray,
    start: np.ndarray,
    seed: int,
) -> Unseen:
    """Boost on part of the real rows, and predict the others."""

    def by_fold(fold: tuple[np.ndarray, np.ndarray]) -> Unseen:
        a, b = (np.isin(task.real[0], rows) for rows in fold)
        if min(a.sum(), b.sum()) < _LEAST_UNSEEN:
            return Unseen(0, labels[b], start[b], start[b])
        held_out = (matrix[b], labels[b], start[b])
        trees = boost(task, matrix[a], labels[a], start[a], _ROUNDS, seed, held_out)
        best = lgb.Booster(model_str=trees.model_to_string(num_iteration=trees.best_iteration))
        after = start[b] + raw_scores(best, matrix[b])
        return Unseen(trees.best_iteration, labels[b], start[b], after)

    found = list(map_ahead(by_fold, sides.folds))
    return Unseen(
        round(float(np.mean([fold.rounds for fold in found]))),
        np.concatenate([fold.labels for fold in found]),
        np.concatenate([fold.start for fold in found]),
        np.concatenate([fold.after for fold in found]),
    )


def spreads_about_means(
    task: Task, sides: Sides, before: lgb.Booster, unseen: Unseen
) -> tuple[float, float]:
    """Return the spread of generated and of real scores about their conditional means.

    Both are that of real scores where they hardly differ, and 1 for states.
    """
    if task.states:
        return 1.0, 1.0
    matrix, scores = seen_by_trees(sides.spare, task.hidden, task.spare)
    generated = float(np.std(scores - raw_scores(before, matrix))) + 1e-6
    real = float(np.std(unseen.labels - unseen.after)) + 1e-6
    return (generated, real) if abs(np.log(real / generated)) > _SPREADS_DIFFER else (real, real)


def boost(
    task: Task,
    matrix: np.ndarray,
    labels: np.ndarray,
    start: np.ndarray,
    rounds: int,
    seed: int,
    held_out: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> lgb.Booster:
    """Go on boosting from the raw scores `start`; held-out rows end it."""
    parameters = _parameters(task, seed) | {"boost_from_average": False}
    scores = _state_after_state(start)
    data = lgb.Dataset(matrix, labels, init_score=scores, categorical_feature=task.unordered)
    if held_out is None:
        return lgb.train(parameters, data, rounds)
    seen, known, before = held_out
    judge = lgb.Dataset(seen, known, init_score=_state_after_state(before), reference=data)
    stop = lgb.early_stopping(_PATIENCE, verbose=False)
    return lgb.train(parameters, data, rounds, valid_sets=[judge], callbacks=[stop])


def _state_after_state(raw: np.ndarray) -> np.ndarray:
    """Flatten raw scores the way LightGBM wants them, one state after the other."""
    return raw if raw.ndim == 1 else raw.ravel(order="F")


def _parameters(task: Task, seed: int) -> dict[str, Any]:
    parameters = tree_parameters(seed) | {"learning_rate": _RATE, "min_data_in_leaf": 20}
    if not task.states:
        return parameters | {"objective": "regression", "lambda_l2": _SHRINK_SCORES}
    # A leaf without a rare state would otherwise make it as good as impossible in one step.
    parameters |= {"max_delta_step": _MOST_LOG_ODDS, "lambda_l2": _SHRINK_LOG_ODDS}
    if task.states > 2:
        return parameters | {"objective": "multiclass", "num_class": task.states}
    return parameters | {"objective": "binary"}
