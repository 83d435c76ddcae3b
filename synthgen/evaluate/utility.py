"""Utility: whether a model trained on synthetic rows works on real ones."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_choice, check_integer
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidParameterError
from synthgen.evaluate.importance import (
    importance_rows,
    permutation_importance,
    rank_agreement,
)
from synthgen.evaluate.learners import FAMILIES, Family, Goal, Predict, fit_learner
from synthgen.evaluate.result import Result
from synthgen.evaluate.tasks import (
    MEASURE,
    Problem,
    encode,
    interval,
    objective,
    obstacle,
    resample,
    scorer,
    uninformed,
)
from synthgen.measure.columns import Roles, align, column_roles, cut

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_TASKS: Final = ("auto", "classification", "regression")
_REFERENCE: Final = "train on synthetic, test on real (Esteban et al. 2017, arXiv:1706.02633)"


def utility(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any,
    target: Hashable,
    task: Literal["auto", "classification", "regression"] = "auto",
    models: Sequence[Family] = ("trees",),
    schema: Schema | None = None,
    max_rows: int | None = 50_000,
    n_estimators: int = 200,
    n_bootstrap: int = 200,
    random_state: Any = 0,
    n_jobs: int = 1,
) -> Result:
    """Train models on synthetic and on real rows, test both on the same real holdout.

    Parameters
    ----------
    real, synthetic : table
        Real rows to train on, and the rows in their place. The larger table is cut to the size of
        the smaller.
    holdout : table
        Real rows that nothing was trained on.
    target : hashable
        Name of the column to predict.
    task : {"auto", "classification", "regression"}, default="auto"
        With ``"auto"``, a numeric target is regressed unless it has at most 10 distinct values,
        all whole.
    models : sequence of {"trees", "linear", "forest"}, default=("trees",)
        Families of models: boosted trees (the strongest as a rule), logistic or ridge regression,
        random forest; see :func:`~synthgen.evaluate.learners.fit_learner`.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    max_rows : int or None, default=50_000
        Use a random choice of no more than this many rows of each table.
    n_estimators : int, default=200
        Rounds of boosting, fewer with more than ten classes.
    n_bootstrap : int, default=200
        Number of resamples of the holdout for the intervals (95 %, by percentiles).
    random_state : int, Generator or None, default=0
        Seed of models and resamples.
    n_jobs : int, default=1
        Threads; the result does not depend on it.

    Returns
    -------
    Result
        The value is the score after training on synthetic rows: ROC AUC (two classes), macro
        one-vs-rest ROC AUC (more; each class counts the same, the rarest beyond 30 are one) or R2
        (numbers); the mean over the families. The ceiling is that after training on real rows. The
        breakdown has one row per family: both scores and their difference with intervals, resampled
        together, and ``importance_agreement``: Spearman's correlation of the permutation
        importances of the columns in the two models. ``details["importances"]`` lists these.

        A class without a synthetic row counts as one that the model never predicts, and is listed.
        If no synthetic row has a usable target, the value is that of a guess without information
        (0.5 or 0), and ``details["notes"]`` says so. If the real tables leave nothing to predict,
        the value is None.

    Raises
    ------
    InvalidParameterError
        If the table has no column `target`, the target is an identifier or text, or an option is
        unknown.

    References
    ----------
    Esteban, Hyland & Rätsch (2017), Real-valued (medical) time series generation with recurrent
    conditional GANs, arXiv:1706.02633.

    Examples
    --------
    >>> table = pd.DataFrame({"x": range(80), "y": ["low"] * 40 + ["high"] * 40})
    >>> result = utility(table, table, holdout=table, target="y", models=["linear", "forest"])
    >>> result.value, result.ceiling
    (1.0, 1.0)
    """
    seed = root_seed(random_state)
    n_bootstrap = check_integer("n_bootstrap", n_bootstrap, minimum=10)
    n_estimators = check_integer("n_estimators", n_estimators, minimum=1)
    n_jobs = check_integer("n_jobs", n_jobs, minimum=1)
    if max_rows is not None:
        max_rows = check_integer("max_rows", max_rows, minimum=1)
    task = check_choice("task", task, _TASKS)
    families = _families(models)
    first, made, test = align(real, synthetic, holdout)
    roles = column_roles(first, schema)
    reason = _no_task(first, roles, target)
    if reason is not None:
        return _nothing(reason, target, roles)
    kind = objective(first, roles, target, task)
    rng = generator(seed, "score", 3)
    size = min(len(first), len(made), max_rows or len(first))
    frames = [cut(first, size, rng), cut(made, size, rng)]
    frames.append(cut(test, max_rows, generator(seed, "score", 31)))
    problem = encode(frames, roles, target, kind)
    reason = obstacle(problem, target)
    if reason is not None:
        return _nothing(reason, target, roles)
    goal = Goal(
        problem.objective,
        problem.features.n_levels,
        n_classes=problem.n_classes,
        n_estimators=n_estimators,
        seed=seed,
        n_jobs=n_jobs,
    )
    pairs = [_train(problem, family, goal) for family in families]
    tested = _test(problem, pairs, n_bootstrap, rng)
    importances = _importances(problem, pairs, generator(seed, "score", 32))
    return _result(problem, families, tested, importances, roles, target)


def _families(models: Sequence[str]) -> list[str]:
    families = [models] if isinstance(models, str) else list(models)
    if not families or len(set(families)) < len(families):
        raise InvalidParameterError(
            f"models must name at least one family, each once, got {models!r}."
        )
    return [check_choice("models", family, FAMILIES) for family in families]


def _no_task(real: pd.DataFrame, roles: Roles, target: Hashable) -> str | None:
    """Return why there is nothing to do; raise if the target is a wrong choice."""
    if target not in roles.roles:
        why = roles.left_out.get(target, f"the columns are {list(real.columns)}")
        if target in roles.left_out and real[target].nunique() < 2:
            return f"the real table has at most one value in {target!r}; nothing to predict"
        raise InvalidParameterError(f"target {target!r} cannot be predicted: {why}.")
    if len(roles.roles) < 2:
        return f"there is no column beside {target!r} to predict it from"
    return None


def _nothing(reason: str, target: Hashable, roles: Roles) -> Result:
    details = {"not_applicable": reason, "target": str(target), "left_out": _left_out(roles)}
    return Result("utility", None, reference=_REFERENCE, details=details)


def _left_out(roles: Roles) -> dict[str, str]:
    return {str(name): reason for name, reason in roles.left_out.items()}


#: Models of one family trained on real and on synthetic rows; None where there are none.
_Pair = tuple[Predict, Predict | None]


def _train(problem: Problem, family: str, goal: Goal) -> _Pair:
    arrays, targets = problem.features.arrays, problem.targets
    real = fit_learner(family, arrays[0], targets[0], goal)
    if not len(targets[1]):
        return real, None
    return real, fit_learner(family, arrays[1], targets[1], goal)


@dataclass(frozen=True)
class _Tested:
    """Scores of shape (families, 2), real first, and resampled ones (resamples, families, 2)."""

    scores: NDArray[np.float64]
    samples: NDArray[np.float64]


def _test(
    problem: Problem, pairs: list[_Pair], n_bootstrap: int, rng: np.random.Generator
) -> _Tested:
    truth, rows = problem.targets[2], problem.features.arrays[2]
    predictions = [
        uninformed(problem) if predict is None else predict(rows)
        for pair in pairs
        for predict in pair
    ]
    score = scorer(problem.objective)
    scores = np.array([score(truth, prediction) for prediction in predictions])
    samples = resample(problem.objective, truth, predictions, n_bootstrap, rng)
    return _Tested(scores.reshape(-1, 2), samples.reshape(n_bootstrap, -1, 2))


def _importances(
    problem: Problem, pairs: list[_Pair], rng: np.random.Generator
) -> NDArray[np.float64] | None:
    """Return importances of shape (families, 2, columns); None without synthetic models."""
    models = [predict for pair in pairs for predict in pair if predict is not None]
    if len(models) < 2 * len(pairs):
        return None
    truth, features = problem.targets[2], problem.features.arrays[2]
    rows = importance_rows(truth, features.shape[1], problem.n_classes, rng)
    if len(np.unique(truth[rows])) < 2:
        return None
    score = scorer(problem.objective)
    falls = permutation_importance(models, features[rows], truth[rows], score, rng)
    return falls.reshape(len(pairs), 2, -1)


def _result(
    problem: Problem,
    families: list[str],
    tested: _Tested,
    importances: NDArray[np.float64] | None,
    roles: Roles,
    target: Hashable,
) -> Result:
    ceiling, value = (float(score) for score in tested.scores.mean(axis=0))
    means = tested.samples.mean(axis=1)
    agreements = _agreements(families, importances)
    defined = [agreement for agreement in agreements if agreement is not None]
    return Result(
        "utility",
        value,
        interval=interval(means[:, 1]),
        ceiling=ceiling,
        breakdown=_by_family(problem, families, tested, agreements),
        reference=_REFERENCE,
        details={
            "measure": MEASURE[problem.objective],
            "models": families,
            "train_on_real": ceiling,
            "train_on_real_interval": interval(means[:, 0]),
            "difference": value - ceiling,
            "difference_interval": interval(means[:, 1] - means[:, 0]),
            "importance_agreement": float(np.mean(defined)) if defined else None,
            "importances": _importance_records(problem, families, importances),
            "target": str(target),
            "classes": problem.n_classes if problem.objective != "regression" else None,
            "classes_made_one": problem.folded,
            "classes_without_synthetic_rows": [str(label) for label in problem.absent],
            "training_rows": [len(problem.targets[place]) for place in (0, 1)],
            "holdout_rows": len(problem.targets[2]),
            "rows_without_usable_target": problem.dropped,
            "notes": _notes(problem, target),
            "left_out": _left_out(roles),
        },
    )


def _notes(problem: Problem, target: Hashable) -> list[str]:
    values = problem.targets[1]
    if not len(values):
        return [
            f"no synthetic row has a usable value in {target!r}: "
            "scored as a guess without information"
        ]
    if len(np.unique(values)) < 2:
        return [f"the synthetic rows have a single value in {target!r}: nothing to learn from"]
    return []


def _agreements(families: list[str], importances: NDArray[np.float64] | None) -> list[float | None]:
    if importances is None:
        return [None] * len(families)
    return [rank_agreement(real, made) for real, made in importances]


def _importance_records(
    problem: Problem, families: list[str], importances: NDArray[np.float64] | None
) -> list[dict[str, Any]]:
    if importances is None:
        return []
    return [
        {"model": family, "column": name, "real": float(real), "synthetic": float(made)}
        for family, (reals, mades) in zip(families, importances, strict=True)
        for name, real, made in zip(problem.features.names, reals, mades, strict=True)
    ]


def _by_family(
    problem: Problem, families: list[str], tested: _Tested, agreements: list[float | None]
) -> pd.DataFrame:
    records = []
    for place, family in enumerate(families):
        real, made = tested.scores[place]
        samples = tested.samples[:, place]
        record: dict[str, Any] = {"model": family, "measure": MEASURE[problem.objective]}
        parts = {
            "synthetic": (made, samples[:, 1]),
            "real": (real, samples[:, 0]),
            "difference": (made - real, samples[:, 1] - samples[:, 0]),
        }
        for name, (figure, draws) in parts.items():
            low, high = interval(draws)
            record |= {name: float(figure), f"{name}_low": low, f"{name}_high": high}
        agreement = agreements[place]
        record["importance_agreement"] = np.nan if agreement is None else agreement
        records.append(record)
    return pd.DataFrame(records)
