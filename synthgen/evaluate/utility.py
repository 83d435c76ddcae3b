"""Utility: whether a model trained on synthetic rows works on real ones."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_choice, check_integer
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate.columns import (
    Matrices,
    Roles,
    align,
    column_roles,
    cut,
    joint_codes,
    matrices,
)
from synthgen.evaluate.result import Result
from synthgen.evaluate.stats import auc
from synthgen.evaluate.trees import fit_trees

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

Task = Literal["classification", "regression"]

#: A numeric target with at most this many distinct whole values is a set of classes.
_MAX_CLASSES: Final = 10

_MEASURE: Final = {
    "binary": "ROC AUC",
    "multiclass": "macro one-vs-rest ROC AUC",
    "regression": "R2",
}


@dataclass(frozen=True)
class _Problem:
    """One prediction task on encoded tables: real training rows, synthetic rows, holdout rows."""

    objective: str
    features: Matrices
    targets: list[NDArray[Any]]
    n_classes: int
    dropped: list[int]


def utility(
    real_train: Any,
    synthetic: Any,
    holdout: Any,
    target: Hashable,
    *,
    task: Literal["auto", "classification", "regression"] = "auto",
    schema: Schema | None = None,
    n_estimators: int = 200,
    n_bootstrap: int = 200,
    random_state: Any = 0,
    n_jobs: int = 1,
) -> Result:
    """Train boosted trees on synthetic and on real rows, test both on the same real holdout.

    Parameters
    ----------
    real_train, synthetic, holdout : table
        Tables with the same columns; `holdout` holds real rows that nothing was trained on. The
        larger training table is cut to the size of the smaller.
    target : hashable
        Name of the column to predict.
    task : {"auto", "classification", "regression"}, default="auto"
        With ``"auto"``, a numeric target is regressed unless it has at most 10 distinct values,
        all whole.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    n_estimators : int, default=200
        Number of trees.
    n_bootstrap : int, default=200
        Number of resamples of the holdout for the interval (95 %, by percentiles).
    random_state : int, Generator or None, default=0
        Seed of models and resamples.
    n_jobs : int, default=1
        Threads; the result does not depend on it.

    Returns
    -------
    Result
        The value is the score of the model trained on synthetic rows: ROC AUC (two classes), macro
        one-vs-rest ROC AUC (more) or R2 (numbers). The ceiling is that of the model trained on
        real rows; ``details`` has its interval and that of the difference, resampled together.

    Raises
    ------
    InvalidParameterError
        If the table has no column `target`, or it is left out by the schema.
    InvalidDataError
        If the holdout's target has a single value, or no row has a target.
    """
    seed = root_seed(random_state)
    n_bootstrap = check_integer("n_bootstrap", n_bootstrap, minimum=10)
    real, made, test = align(real_train, synthetic, holdout)
    roles = column_roles(real, schema)
    objective = _objective(real, roles, target, check_choice("task", task, _TASKS))
    rng = generator(seed, "score", 3)
    size = min(len(real), len(made))
    frames = [cut(real, size, rng), cut(made, size, rng), test]
    problem = _encode(frames, roles, target, objective)
    predictions = [_predict(problem, place, n_estimators, seed, n_jobs) for place in (0, 1)]
    score = _scorer(problem)
    truth = problem.targets[2]
    values = [score(truth, prediction) for prediction in predictions]
    samples = _bootstrap(score, truth, predictions, problem.objective, n_bootstrap, rng)
    intervals = [_interval(samples[:, place]) for place in (0, 1)]
    return Result(
        "utility",
        values[1],
        interval=intervals[1],
        ceiling=values[0],
        reference="train on synthetic, test on real (Esteban et al. 2017, arXiv:1706.02633)",
        details={
            "measure": _MEASURE[problem.objective],
            "train_on_real": values[0],
            "train_on_real_interval": intervals[0],
            "difference": values[1] - values[0],
            "difference_interval": _interval(samples[:, 1] - samples[:, 0]),
            "target": str(target),
            "training_rows": [len(problem.targets[place]) for place in (0, 1)],
            "holdout_rows": len(truth),
            "rows_without_usable_target": problem.dropped,
            "left_out": {str(name): reason for name, reason in roles.left_out.items()},
        },
    )


_TASKS: Final = ("auto", "classification", "regression")


def _objective(real: pd.DataFrame, roles: Roles, target: Hashable, task: str) -> str:
    """Return "regression" or "classification"; the number of classes decides the rest later."""
    if target not in roles.roles:
        why = roles.left_out.get(target, f"the columns are {list(real.columns)}")
        raise InvalidParameterError(f"target {target!r} cannot be predicted: {why}.")
    if len(roles.roles) < 2:
        raise InvalidDataError(f"There is no column beside {target!r} to predict it from.")
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
    few = len(distinct) <= _MAX_CLASSES and bool((distinct == np.round(distinct)).all())
    return "classification" if few else "regression"


def _encode(frames: list[pd.DataFrame], roles: Roles, target: Hashable, task: str) -> _Problem:
    features = matrices(frames, roles.without(target))
    if task == "regression":
        targets: list[NDArray[Any]] = [roles.numbers(frame, target) for frame in frames]
        usable = [~np.isnan(values) for values in targets]
        n_classes = 1
    else:
        # Classes are those of the real tables; they come first in the order of the codes.
        (real, test, made), _ = joint_codes([frames[place][target] for place in (0, 2, 1)])
        n_classes = int(max(real.max(), test.max())) + 1
        targets = [real, made, test]
        usable = [(codes >= 0) & (codes < n_classes) for codes in targets]
    arrays = [array[keep] for array, keep in zip(features.arrays, usable, strict=True)]
    targets = [values[keep] for values, keep in zip(targets, usable, strict=True)]
    _check_targets(targets, target)
    return _Problem(
        objective=task if task == "regression" else "binary" if n_classes == 2 else "multiclass",
        features=Matrices(arrays, features.names, features.n_levels),
        targets=targets,
        n_classes=n_classes,
        dropped=[int((~keep).sum()) for keep in usable],
    )


def _check_targets(targets: list[NDArray[Any]], name: Hashable) -> None:
    for values, table in zip(targets, ("real", "synthetic", "holdout"), strict=True):
        if not len(values):
            raise InvalidDataError(f"No row of the {table} table has a usable value in {name!r}.")
    if len(np.unique(targets[2])) < 2:
        raise InvalidDataError(f"The holdout has a single value in {name!r}; nothing to predict.")


def _predict(
    problem: _Problem, place: int, n_estimators: int, seed: int, n_jobs: int
) -> NDArray[np.float64]:
    """Train on one table and predict the holdout; shape (rows,) or (rows, classes)."""
    target = problem.targets[place]
    rows = problem.features.arrays[2]
    if len(np.unique(target)) < 2:
        # Nothing can be learned from one value: the constant prediction, which is honest.
        shape = (len(rows), problem.n_classes) if problem.objective == "multiclass" else len(rows)
        return np.full(shape, float(target[0]))
    model = fit_trees(
        problem.features.arrays[place],
        target,
        objective=problem.objective,
        categorical=problem.features.categorical,
        n_classes=problem.n_classes,
        n_estimators=n_estimators,
        seed=seed,
        n_jobs=n_jobs,
    )
    return np.asarray(model.predict(rows, num_threads=n_jobs))


_Score = Callable[[NDArray[Any], NDArray[np.float64]], float]


def _scorer(problem: _Problem) -> _Score:
    if problem.objective == "regression":
        return _r2
    if problem.objective == "binary":
        return lambda truth, score: auc(truth == 1, score)
    return _macro_auc


def _r2(truth: NDArray[Any], prediction: NDArray[np.float64]) -> float:
    spread = float(((truth - truth.mean()) ** 2).sum())
    return float(1 - ((truth - prediction) ** 2).sum() / spread)


def _macro_auc(truth: NDArray[Any], scores: NDArray[np.float64]) -> float:
    """Mean over the classes that occur in `truth`."""
    return float(np.mean([auc(truth == label, scores[:, label]) for label in np.unique(truth)]))


def _bootstrap(
    score: _Score,
    truth: NDArray[Any],
    predictions: list[NDArray[np.float64]],
    objective: str,
    n_bootstrap: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Score both predictions on resampled holdout rows; shape (resamples, 2).

    Classes are resampled one by one, so that none can vanish.
    """
    labels = np.zeros(len(truth)) if objective == "regression" else truth
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    samples = np.empty((n_bootstrap, len(predictions)))
    for draw in range(n_bootstrap):
        rows = np.concatenate([rng.choice(group, size=len(group)) for group in groups])
        if objective == "regression" and np.ptp(truth[rows]) == 0:
            rows = np.arange(len(truth))
        samples[draw] = [score(truth[rows], prediction[rows]) for prediction in predictions]
    return samples


def _interval(samples: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(low), float(high)
