"""Global utility: whether every column can be predicted from the others as in real rows.

Utility for one target rewards a generator that gets the relations of that target right; here each
column is the target once, so that the whole dependence structure counts.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.parallel import map_ahead
from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.evaluate.result import Result
from synthgen.evaluate.tasks import interval
from synthgen.measure.columns import Matrices, Roles, align, column_roles, cut, matrices
from synthgen.measure.trees import fit_trees

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

#: A column counts if a model trained on real rows explains at least this share of its variance.
_PREDICTABLE: Final = 0.05
#: Most classes of a discrete column; the rarest are one.
_CLASSES: Final = 6
_LEAVES: Final = 15
#: Each tree sees about this many columns of a wide table.
_FEATURES: Final = 100
_RESAMPLES: Final = 200
_REFERENCE: Final = "global utility (Jiang et al. 2026, ICLR, arXiv:2509.11950)"
_MEASURE: Final = {"numbers": "R2 of ranks", "classes": "Brier skill"}


def global_utility(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any,
    schema: Schema | None = None,
    max_rows: int | None = 5_000,
    max_columns: int | None = 50,
    n_estimators: int = 50,
    random_state: Any = 0,
    n_jobs: int = 1,
) -> Result:
    """Predict every column from all others, trained on synthetic and on real rows.

    Parameters
    ----------
    real, synthetic : table
        Real rows to train on, and the rows in their place. The larger table is cut to the size of
        the smaller.
    holdout : table
        Real rows that nothing was trained on.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    max_rows : int or None, default=5000
        Use a random choice of no more than this many rows of each table.
    max_columns : int or None, default=50
        Predict a random choice of no more than this many columns, still from all others.
    n_estimators : int, default=50
        Rounds of boosting; at most six classes each have that many trees.
    random_state : int, Generator or None, default=0
        Seed of the choices and the models.
    n_jobs : int, default=1
        Number of columns worked on at a time; the result does not depend on it.

    Returns
    -------
    Result
        The mean over the columns of the score after training on synthetic rows relative to that
        after training on real rows, cut to [0, 1] column by column. 1: every column can be
        predicted as if from real rows; 0: no better than by mean and class shares.

        The score of a column is the share of the squared error of the mean (of the class shares)
        that the model removes on the holdout. Numbers are replaced by their ranks among the real
        training rows, so that no unit and no extreme value dominates; for categories it is the
        Brier skill score, with a missing value as a level of its own and the levels beyond the
        five most frequent as one. Columns of which even the real rows explain less than 5 % are
        listed, but do not count. If none is left, the value is None.

        The breakdown has one row per column, worst first. The interval (95 %, percentiles of 200
        resamples of the holdout) does not include the randomness of training.

    References
    ----------
    Jiang, Simidjievski & Jamnik (2026), TabStruct: Measuring Structural Fidelity of Tabular Data,
    ICLR, arXiv:2509.11950. There the scores are balanced accuracy and RMSE, here two forms of one
    measure for which no information is 0.

    Brier (1950), Verification of forecasts expressed in terms of probability, Monthly Weather
    Review 78.

    Examples
    --------
    >>> x = np.arange(300.0)
    >>> table = pd.DataFrame({"x": x, "double": 2 * x, "half": np.where(x < 150, "low", "high")})
    >>> global_utility(table, table, holdout=table).value
    1.0
    """
    seed = root_seed(random_state)
    n_estimators = check_integer("n_estimators", n_estimators, minimum=1)
    n_jobs = check_integer("n_jobs", n_jobs, minimum=1)
    max_rows, max_columns = (
        None if most is None else check_integer(name, most, minimum=1)
        for name, most in (("max_rows", max_rows), ("max_columns", max_columns))
    )
    first, made, test = align(real, synthetic, holdout)
    roles = column_roles(first, schema)
    rng = generator(seed, "score", 33)
    size = min(len(first), len(made), max_rows or len(first))
    frames = [cut(first, size, rng), cut(made, size, rng), cut(test, max_rows, rng)]
    encoded = matrices(frames, roles)
    places = np.arange(len(encoded.names))
    if max_columns is not None and len(places) > max_columns:
        places = np.sort(rng.choice(places, size=max_columns, replace=False))

    def examine(place: int) -> _Outcome:
        return _examine(encoded, place, n_estimators, seed)

    outcomes = list(map_ahead(examine, (int(place) for place in places), workers=n_jobs))
    return _result(outcomes, roles, [len(frame) for frame in frames], rng)


@dataclass(frozen=True)
class _Outcome:
    """One column: the loss of each holdout row without a model, trained on real and on synthetic.

    Parameters
    ----------
    name : hashable
    measure : str
    losses : numpy.ndarray of shape (rows, 3)
        0 where the holdout has no value. Without rows where there is nothing to predict.
    reason : str
        Why the column does not count, or "".
    """

    name: Hashable
    measure: str
    losses: NDArray[np.float64]
    reason: str = ""


def _examine(encoded: Matrices, place: int, n_estimators: int, seed: int) -> _Outcome:
    """Train both models for one column and test them."""
    name, n_levels = encoded.names[place], encoded.n_levels[place]
    columns = [array[:, place] for array in encoded.arrays]
    measure = _MEASURE["classes" if n_levels else "numbers"]
    targets, n_classes = _classes(columns, n_levels) if n_levels else _ranks(columns)
    usable = [~np.isnan(target) for target in targets]
    for table, own in (("real", 0), ("holdout", 2)):
        if len(np.unique(targets[own][usable[own]])) < 2:
            return _Outcome(name, measure, np.empty((0, 3)), f"constant in the {table} table")
    if len(encoded.names) < 2:
        return _Outcome(name, measure, np.empty((0, 3)), "there is no other column")
    others = [np.delete(array, place, axis=1) for array in encoded.arrays]
    levels = np.delete(encoded.n_levels, place)
    truth = _indicators(targets[2][usable[2]], n_classes)
    known = _indicators(targets[0][usable[0]], n_classes)
    losses = np.zeros((len(targets[2]), 3))
    guesses: list[NDArray[np.float64]] = [np.broadcast_to(known.mean(axis=0), truth.shape)]
    rows = others[2][usable[2]]
    for own in (0, 1):
        features, target = others[own][usable[own]], targets[own][usable[own]]
        if len(target):
            guesses.append(_predict(features, target, rows, levels, n_classes, n_estimators, seed))
        else:
            guesses.append(guesses[0])
    for number, guess in enumerate(guesses):
        losses[usable[2], number] = ((truth - guess) ** 2).sum(axis=1)
    return _Outcome(name, measure, losses)


def _ranks(columns: list[NDArray[np.float64]]) -> tuple[list[NDArray[np.float64]], int]:
    """Return the mean rank of each value among the real training rows, in [0, 1]."""
    known = np.sort(columns[0][~np.isnan(columns[0])])
    ranks = []
    for column in columns:
        sides = [np.searchsorted(known, column, side=side) for side in ("left", "right")]
        rank = (sides[0] + sides[1]) / (2 * max(1, len(known)))
        ranks.append(np.where(np.isnan(column), np.nan, rank))
    return ranks, 1


def _classes(
    columns: list[NDArray[np.float64]], n_levels: int
) -> tuple[list[NDArray[np.float64]], int]:
    """Return classes by frequency among the real training rows; missing is a level too.

    Values that no real row has are no class: NaN.
    """
    codes = [np.where(np.isnan(column), n_levels, column).astype(np.int64) for column in columns]
    counts = [np.bincount(codes[table], minlength=n_levels + 1) for table in (0, 2)]
    # Levels of the holdout alone come last.
    order = np.argsort(-(counts[0] + (counts[1] > 0) / 2), kind="stable")
    n_known = int(((counts[0] + counts[1]) > 0).sum())
    n_classes = min(_CLASSES, n_known)
    places = np.full(n_levels + 1, np.nan)
    places[order[:n_known]] = np.minimum(np.arange(n_known), n_classes - 1)
    return [places[own] for own in codes], n_classes


def _indicators(target: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Return numbers as one column, classes as one column each."""
    column = target[:, None]
    shares: NDArray[np.float64] = column == np.arange(n_classes, dtype=np.float64)
    return column if n_classes == 1 else shares.astype(np.float64)


def _predict(
    features: NDArray[np.float64],
    target: NDArray[np.float64],
    rows: NDArray[np.float64],
    n_levels: NDArray[np.int64],
    n_classes: int,
    n_estimators: int,
    seed: int,
) -> NDArray[np.float64]:
    """Train on features and target, predict rows; shape (rows, 1) or (rows, classes)."""
    if len(np.unique(target)) < 2:
        return np.repeat(_indicators(target[:1], n_classes), len(rows), axis=0)
    model = fit_trees(
        features,
        target,
        objective={1: "regression", 2: "binary"}.get(n_classes, "multiclass"),
        categorical=[int(place) for place in np.flatnonzero(n_levels)],
        n_classes=n_classes,
        n_estimators=n_estimators,
        n_leaves=_LEAVES,
        feature_share=min(1.0, _FEATURES / features.shape[1]),
        seed=seed,
    )
    guess = np.asarray(model.predict(rows, num_threads=1)).reshape(len(rows), -1)
    return np.column_stack([1 - guess, guess]) if n_classes == 2 else guess


def _relative(sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From summed losses (..., 3) to scores (..., 2), real first, and the relative score (...)."""
    scores = 1 - sums[..., 1:] / np.where(sums[..., :1] > 0, sums[..., :1], 1.0)
    real = np.where(scores[..., 0] > 0, scores[..., 0], np.inf)
    return scores, np.clip(scores[..., 1] / real, 0.0, 1.0)


def _result(
    outcomes: list[_Outcome], roles: Roles, sizes: list[int], rng: np.random.Generator
) -> Result:
    table = _table(outcomes)
    details: dict[str, Any] = {
        "columns_counted": int(table["counted"].sum()),
        "columns_tried": len(table),
        "columns": len(roles.roles),
        "least_score_of_real": _PREDICTABLE,
        "rows": sizes,
        "not_counted": {
            str(name): reason
            for name, reason in zip(table["column"], table["reason"], strict=True)
            if reason
        },
        "left_out": {str(name): reason for name, reason in roles.left_out.items()},
    }
    if not table["counted"].any():
        details["not_applicable"] = "no column can be predicted from the others, even in real rows"
        return Result(
            "global_utility", None, breakdown=table, reference=_REFERENCE, details=details
        )
    names = set(table.loc[table["counted"], "column"])
    counted = [outcome.losses for outcome in outcomes if outcome.name in names]
    return Result(
        "global_utility",
        float(table.loc[table["counted"], "relative"].mean()),
        interval=_resampled(counted, rng),
        breakdown=table,
        reference=_REFERENCE,
        details=details,
    )


def _table(outcomes: list[_Outcome]) -> pd.DataFrame:
    records = []
    for outcome in outcomes:
        scores, relative = _relative(outcome.losses.sum(axis=0))
        reason = outcome.reason
        if not reason and scores[0] < _PREDICTABLE:
            reason = f"real rows explain less than {_PREDICTABLE:.0%} of it"
        known = len(outcome.losses) > 0
        records.append(
            {
                "column": outcome.name,
                "measure": outcome.measure,
                "synthetic": float(scores[1]) if known else np.nan,
                "real": float(scores[0]) if known else np.nan,
                "relative": np.nan if reason else float(relative),
                "counted": not reason,
                "reason": reason,
            }
        )
    table = pd.DataFrame(records).astype({"column": object})
    return table.sort_values("relative", kind="stable", na_position="last", ignore_index=True)


def _resampled(losses: list[NDArray[np.float64]], rng: np.random.Generator) -> tuple[float, float]:
    """Return the interval of the mean relative score; all columns share the resampled rows."""
    n_rows = len(losses[0])
    stacked = np.concatenate(losses, axis=1)
    samples = np.empty(_RESAMPLES)
    for draw in range(_RESAMPLES):
        times = np.bincount(rng.integers(n_rows, size=n_rows), minlength=n_rows)
        sums = (times @ stacked).reshape(len(losses), 3)
        samples[draw] = _relative(sums)[1].mean()
    return interval(samples)
