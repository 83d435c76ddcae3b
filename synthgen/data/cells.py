"""Cells of a frame that constraints compare and overwrite, whatever their dtype."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from synthgen.data.column import Column, canonical_bound
from synthgen.data.datetext import formattable
from synthgen.data.dtypes import dtype_name, family
from synthgen.data.values import cast_levels, to_numbers
from synthgen.errors import ConstraintError

OrderedKind = Literal["numeric", "datetime", "timedelta"]

_KINDS: Final[dict[str, OrderedKind]] = {
    "datetime": "datetime",
    "timedelta": "timedelta",
    "time": "timedelta",
}


def ordered_numbers(
    df: pd.DataFrame, name: Hashable, form: str | None
) -> tuple[np.ndarray, OrderedKind]:
    """Return a column as numbers that order like its values, and what they are.

    Returns
    -------
    values : numpy.ndarray of float64, shape (n,)
        NaN where missing.
    kind : {"numeric", "datetime", "timedelta"}

    Raises
    ------
    ConstraintError
        If the column is missing or has no order.
    """
    require_columns(df, (name,))
    series = df[name]
    dtype = dtype_name(series)
    kind = _KINDS.get(family(dtype), "numeric")
    if form is not None and family(dtype) in ("string", "object"):
        kind = "datetime" if formattable(form) else "numeric"
    elif family(dtype) == "string" or _content(series) == "string":
        raise ConstraintError(f"The texts of {name!r} have no order for a range or an inequality.")
    return to_numbers(series, Column(name, kind, dtype, format=form)), kind


def _content(series: pd.Series) -> str:
    return (
        pd.api.types.infer_dtype(series, skipna=True)
        if pd.api.types.is_object_dtype(series.dtype)
        else ""
    )


def copy_cells(
    df: pd.DataFrame,
    columns: tuple[Hashable, ...],
    broken: np.ndarray,
    valid: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame | None:
    """Overwrite cells of broken rows by those of random valid rows; None if no row is valid."""
    rows = np.flatnonzero(broken)
    if not len(rows):
        return df
    donors = np.flatnonzero(valid)
    if not len(donors):
        return None
    taken = rng.choice(donors, size=len(rows))
    df = df.copy()
    for name in columns:
        df[name] = put_cells(df[name], rows, df[name].iloc[taken])
    return df


def put_cells(series: pd.Series, rows: np.ndarray, cells: pd.Series) -> pd.Series:
    """Return a series in which the cells at `rows` are replaced, of the same dtype."""
    joined = pd.concat([series, cells], ignore_index=True)
    order = np.arange(len(series))
    order[rows] = len(series) + np.arange(len(rows))
    result: pd.Series = joined.iloc[order].set_axis(series.index)
    result.name = series.name
    return result


def level_cells(levels: list[Any], places: np.ndarray, like: pd.Series) -> pd.Series:
    """Return the levels at `places` in the dtype of a column; a level of None is missing."""
    distinct = [level for level in dict.fromkeys(levels) if level is not None]
    number = {level: k for k, level in enumerate(distinct)}
    codes = np.array([number.get(level, -1) for level in levels], dtype=np.int64)[places]
    if isinstance(like.dtype, pd.CategoricalDtype):
        picked = np.empty(len(distinct) + 1, dtype=object)
        picked[:] = [*distinct, None]
        return pd.Series(picked[codes], dtype=object).astype(like.dtype)
    cells: Any = cast_levels(distinct, dtype_name(like))
    cells = cells.take(codes, allow_fill=bool((codes < 0).any()))
    return pd.Series(cells, dtype=like.dtype)


def canonical_limit(bound: Any, kind: str, name: Hashable) -> float | None:
    """Return a limit given by the user as a canonical number.

    Raises
    ------
    ConstraintError
        If it is not one.
    """
    try:
        return canonical_bound(bound, kind)
    except ValueError as error:
        raise ConstraintError(f"The range of {name!r}: {error}") from error


def plain_values(series: pd.Series) -> list[Any]:
    """Return values as Python objects with None for missing, comparable across dtypes."""
    missing = series.isna().to_numpy()
    return [None if gone else value for value, gone in zip(series.tolist(), missing, strict=True)]


def require_columns(df: pd.DataFrame, names: Iterable[Hashable]) -> None:
    """Check that a frame has the columns of a constraint.

    Raises
    ------
    ConstraintError
        If it has not, or is none.
    """
    if not isinstance(df, pd.DataFrame):
        raise ConstraintError(f"Constraints look at a pandas.DataFrame, got {type(df).__name__}.")
    missing = [name for name in names if name not in df.columns]
    if missing:
        raise ConstraintError(f"The frame lacks the columns {missing!r} of a constraint.")
