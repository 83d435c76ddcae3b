"""Shape and trend: whether single columns and pairs of columns look alike.

Both equal the *Column Shapes* and *Column Pair Trends* of sdmetrics 0.32, its handling of missing
values and its quirks included, but look at every row and are vectorised. Read them beside a floor:
columns drawn independently of each other have a perfect shape and a trend above .9 on most tables.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer, check_real
from synthgen.core.random import generator, root_seed
from synthgen.evaluate.pairs import contingency_similarity, correlations, cramers_v
from synthgen.evaluate.result import Result
from synthgen.measure.columns import Roles, align, column_roles, cut, joint_codes
from synthgen.measure.records import record_table

if TYPE_CHECKING:
    from synthgen.data.schema import Schema
from synthgen.errors import InvalidDataError

_DECIMALS: Final = 14
_UNSEEN: Final = 1e-6
_REFERENCE: Final = "sdmetrics 0.32, {}"


def shape(
    real: Any,
    synthetic: Any,
    *,
    schema: Schema | None = None,
    max_rows: int | None = None,
    random_state: Any = 0,
) -> Result:
    """Compare the distribution of every column.

    The score of a continuous column is one minus the Kolmogorov-Smirnov distance, that of a
    discrete column one minus the total variation distance. Missing values are ignored. The value
    is the mean over columns.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    max_rows : int, optional
        Look at no more than this many random rows of each table. By default all.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows.

    Returns
    -------
    Result
        Value in [0, 1], 1 is best; one row per column in the breakdown.

    Raises
    ------
    InvalidDataError
        If no column has values in both tables.
    SchemaMismatchError
        If the columns differ.

    Examples
    --------
    >>> real = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "c": ["a", "a", "b", "b"]})
    >>> fake = pd.DataFrame({"x": [0.0, 1.0, 2.0, 9.0], "c": ["a", "a", "a", "b"]})
    >>> shape(real, fake).value
    0.75
    """
    first, second, roles = _prepare(real, synthetic, schema, max_rows, random_state)
    records = []
    for name, role in roles.roles.items():
        if role == "continuous":
            metric = "1 - KS distance"
            parts = [roles.numbers(frame, name) for frame in (first, second)]
            score = _ks_complement(*parts)
        else:
            metric = "1 - total variation"
            codes, n_levels = joint_codes([first[name], second[name]])
            score = _tv_complement(codes[0], codes[1], n_levels)
        note = "" if np.isfinite(score) else "not applicable: all values are missing in one table"
        records.append((name, metric, score, note))
    breakdown = record_table(records, columns=["column", "metric", "score", "note"])
    if not breakdown["score"].notna().any():
        raise InvalidDataError("Shape: no column has values in both tables.")
    return Result(
        "shape",
        float(breakdown["score"].mean()),
        breakdown=breakdown,
        reference=_REFERENCE.format("ColumnShapes"),
        details=_sizes(first, second, roles),
    )


def trend(
    real: Any,
    synthetic: Any,
    *,
    schema: Schema | None = None,
    correlation_threshold: float = 0.0,
    association_threshold: float = 0.0,
    max_rows: int | None = None,
    random_state: Any = 0,
) -> Result:
    """Compare the relation of every pair of columns.

    Two continuous columns score ``1 - |r_real - r_synthetic| / 2`` by Pearson's correlation over
    the rows without missing values. All other pairs score one minus the total variation distance
    of their two-way tables, with missing as a level of its own; continuous columns are cut into
    10 bins of equal width, between each table's own minimum and maximum (there, missing values
    share the last bin with the maximum). The value is the mean over pairs. A pair with a constant
    column has no correlation and does not count.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns, at least two.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    correlation_threshold, association_threshold : float, default=0
        Only pairs with a real correlation (absolute) or a real Cramer's V above it count. 0 counts
        all pairs, as the literature does; the reports of sdmetrics use .5 and .3 in version 0.32.0
        (.4 and .3 in others), which is stricter.
    max_rows : int, optional
        Look at no more than this many random rows of each table. By default all.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows.

    Returns
    -------
    Result
        Value in [0, 1], 1 is best, or None if no pair reaches its threshold; one row per pair in
        the breakdown.

    Raises
    ------
    InvalidDataError
        If there are fewer than two columns to compare.
    """
    correlation_threshold = check_real(
        "correlation_threshold", correlation_threshold, low=0, high=1
    )
    association_threshold = check_real(
        "association_threshold", association_threshold, low=0, high=1
    )
    first, second, roles = _prepare(real, synthetic, schema, max_rows, random_state)
    if len(roles.roles) < 2:
        raise InvalidDataError(
            f"Trend needs at least two columns to compare, got {roles.names()}; "
            f"left out: {dict(roles.left_out)}."
        )
    records = _continuous_pairs(first, second, roles, correlation_threshold)
    records += _discrete_pairs(first, second, roles, association_threshold)
    names = ["column_1", "column_2", "metric", "score", "real", "synthetic", "counts", "note"]
    breakdown = _in_table_order(record_table(records, columns=names), roles)
    counted = breakdown.loc[breakdown["counts"], "score"].dropna()
    details = _sizes(first, second, roles) | {"pairs": len(breakdown), "counted": len(counted)}
    if counted.empty:
        details["not_applicable"] = "no pair of columns reaches the threshold or has a correlation"
    return Result(
        "trend",
        float(counted.mean()) if len(counted) else None,
        breakdown=breakdown,
        reference=_REFERENCE.format("ColumnPairTrends"),
        details=details,
    )


def _prepare(
    real: Any, synthetic: Any, schema: Schema | None, max_rows: int | None, random_state: Any
) -> tuple[pd.DataFrame, pd.DataFrame, Roles]:
    first, second = align(real, synthetic)
    roles = column_roles(first, schema)
    if max_rows is not None:
        n_rows = check_integer("max_rows", max_rows, minimum=1)
        rng = generator(root_seed(random_state), "score")
        first, second = cut(first, n_rows, rng), cut(second, n_rows, rng)
    return first, second, roles


def _sizes(first: pd.DataFrame, second: pd.DataFrame, roles: Roles) -> dict[str, Any]:
    return {
        "real_rows": len(first),
        "synthetic_rows": len(second),
        "left_out": {str(name): reason for name, reason in roles.left_out.items()},
    }


def _ks_complement(real: NDArray[np.float64], synthetic: NDArray[np.float64]) -> float:
    """Return 1 - KS, NaN if a side is empty; values are rounded as in sdmetrics."""
    first = np.sort(np.round(real[~np.isnan(real)], _DECIMALS))
    second = np.sort(np.round(synthetic[~np.isnan(synthetic)], _DECIMALS))
    if not len(first) or not len(second):
        return float("nan")
    points = np.concatenate([first, second])
    below = np.searchsorted(first, points, side="right") / len(first)
    below -= np.searchsorted(second, points, side="right") / len(second)
    return float(1 - np.abs(below).max())


def _tv_complement(real: NDArray[np.int64], synthetic: NDArray[np.int64], n_levels: int) -> float:
    """Return 1 - TV over the values present, NaN if a side is empty."""
    first = np.bincount(real[real >= 0], minlength=n_levels).astype(np.float64)
    second = np.bincount(synthetic[synthetic >= 0], minlength=n_levels).astype(np.float64)
    if not first.sum() or not second.sum():
        return float("nan")
    # sdmetrics gives a value that the real column lacks a millionth of a count.
    first[(first == 0) & (second > 0)] = _UNSEEN
    return float(1 - 0.5 * np.abs(first / first.sum() - second / second.sum()).sum())


def _continuous_pairs(
    first: pd.DataFrame, second: pd.DataFrame, roles: Roles, threshold: float
) -> list[tuple[Any, ...]]:
    names = roles.names("continuous")
    if len(names) < 2:
        return []
    tables = [
        np.column_stack([roles.numbers(frame, name) for name in names]) for frame in (first, second)
    ]
    real, synthetic = (correlations(table) for table in tables)
    records = []
    for i, j in itertools.combinations(range(len(names)), 2):
        r, s = real[i, j], synthetic[i, j]
        score = 1 - abs(r - s) / 2
        counts = threshold <= 0 or bool(abs(r) > threshold)
        note = "" if np.isfinite(score) else "not applicable: a column is constant or missing"
        records.append((names[i], names[j], "correlation", score, r, s, counts, note))
    return records


def _discrete_pairs(
    first: pd.DataFrame, second: pd.DataFrame, roles: Roles, threshold: float
) -> list[tuple[Any, ...]]:
    levels = {name: _levels(first, second, name, roles) for name in roles.names()}
    records = []
    for one, two in itertools.combinations(roles.names(), 2):
        if roles.roles[one] == roles.roles[two] == "continuous":
            continue
        (real_1, fake_1, n_1), (real_2, fake_2, n_2) = levels[one], levels[two]
        score = contingency_similarity(real_1 * n_2 + real_2, fake_1 * n_2 + fake_2, n_1 * n_2)
        association, note = float("nan"), ""
        if threshold > 0:
            association = cramers_v(real_1, real_2)
            if np.isnan(association):
                note = "not applicable: a column is constant in the real table"
        counts = threshold <= 0 or bool(association > threshold)
        missing = float("nan")
        records.append((one, two, "two-way table", score, association, missing, counts, note))
    return records


def _levels(
    first: pd.DataFrame, second: pd.DataFrame, name: Hashable, roles: Roles
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return both tables' column as codes 0..n-1, missing values as a level, and n."""
    if roles.roles[name] == "discrete":
        (real, synthetic), n_levels = joint_codes([first[name], second[name]])
        return real + 1, synthetic + 1, n_levels + 1
    real, synthetic = (_bins(roles.numbers(frame, name)) for frame in (first, second))
    return real, synthetic, 12


def _bins(values: NDArray[np.float64]) -> NDArray[np.int64]:
    present = values[~np.isnan(values)]
    try:
        edges = np.histogram_bin_edges(present)
    except ValueError:
        # Values that are all but equal, or as far apart as numbers can be: bins of equal ranks.
        edges = np.unique(np.quantile(present, np.linspace(0.0, 1.0, 11)))
    return np.digitize(values, bins=edges)


def _in_table_order(breakdown: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    place = {name: position for position, name in enumerate(roles.names())}
    keys = [
        place[one] * len(place) + place[two]
        for one, two in zip(breakdown["column_1"], breakdown["column_2"], strict=True)
    ]
    return breakdown.iloc[np.argsort(keys, kind="stable")].reset_index(drop=True)
