"""Frames made ready for metrics: checked, aligned, and each column as numbers or as codes.

Every metric treats a column in one of three ways, its *role*:

* ``continuous``: numbers, dates, durations;
* ``discrete``: booleans, categories, strings;
* left out: identifiers, free text, personal data and constants (with a schema), or strings that
  are all different (without one). Such columns are regenerated, not learned, so that a score of
  them would say nothing; each result lists them with the reason.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types as ptypes

from synthgen.data.column import Column
from synthgen.data.frame import read_frame
from synthgen.data.values import to_numbers
from synthgen.errors import InvalidDataError, SchemaMismatchError

#: What pandas calls columns of plain values that have a written form.
_PLAIN: Final = frozenset({"integer", "floating", "mixed-integer-float", "boolean"})

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

Role = Literal["continuous", "discrete"]

_ROLE_OF_KIND: Final[dict[str, Role]] = {
    "numeric": "continuous",
    "integer": "continuous",
    "datetime": "continuous",
    "timedelta": "continuous",
    "boolean": "discrete",
    "categorical": "discrete",
    "ordinal": "discrete",
}

#: Without a schema, a string column with this many values or more, all different, is left out.
_ALL_DIFFERENT: Final = 20

_UNITS_IN_NS: Final = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}


@dataclass(frozen=True)
class Roles:
    """How the columns of a table enter a metric.

    Parameters
    ----------
    roles : dict
        Column name to role, in the order of the table.
    columns : dict
        Column name to the schema's column; empty without a schema.
    left_out : dict
        Column name to the reason why it is not used.
    """

    roles: Mapping[Hashable, Role]
    columns: Mapping[Hashable, Column]
    left_out: Mapping[Hashable, str]

    def names(self, role: Role | None = None) -> list[Hashable]:
        """Return the used columns, or those with one role."""
        return [name for name, own in self.roles.items() if role is None or own == role]

    def numbers(self, frame: pd.DataFrame, name: Hashable) -> NDArray[np.float64]:
        """Return a continuous column of a table, see :func:`numbers`."""
        return numbers(frame[name], self.columns.get(name))

    def without(self, name: Hashable) -> Roles:
        """Return the roles of all other columns."""
        kept = {other: role for other, role in self.roles.items() if other != name}
        return Roles(kept, self.columns, self.left_out)


def align(real: Any, *others: Any) -> list[pd.DataFrame]:
    """Return the tables as pandas frames with the columns of `real` in its order.

    Parameters
    ----------
    real : table
        The reference table (pandas, polars, pyarrow).
    *others : table
        Tables that must have the same columns, in any order.

    Returns
    -------
    list of pandas.DataFrame
        One per table, index 0..n-1.

    Raises
    ------
    InvalidDataError
        If a table is none, has no rows or no columns, or has duplicate column names.
    SchemaMismatchError
        If the columns differ, or one holds dates where another holds numbers or durations.
    """
    first = _as_frame(real, "real")
    frames = [first]
    for other in others:
        frame = _as_frame(other, "compared")
        missing = [name for name in first.columns if name not in frame.columns]
        extra = [name for name in frame.columns if name not in first.columns]
        if missing or extra:
            raise SchemaMismatchError(
                "The tables must have the same columns. "
                f"Missing from the compared table: {missing}; not in the real table: {extra}."
            )
        for name in first.columns:
            _check_times(first[name], frame[name])
        frames.append(frame[list(first.columns)])
    return frames


def _check_times(real: pd.Series[Any], other: pd.Series[Any]) -> None:
    """Refuse to compare dates with numbers, which would be taken for nanoseconds."""
    kinds = [_measured_as(column) for column in (real, other)]
    if "" not in kinds and kinds[0] != kinds[1]:
        raise SchemaMismatchError(
            f"Column {real.name!r} holds {kinds[0]} in the real table and {kinds[1]} in the "
            "compared one. Bring both to the same type."
        )


def _measured_as(column: pd.Series[Any]) -> str:
    """Say what is measured in a column; nothing of columns without values or of other types."""
    dtype = column.dtype
    if ptypes.is_datetime64_any_dtype(dtype):
        zoned = getattr(column.dt, "tz", None) is not None
        return "dates with a time zone" if zoned else "dates without a time zone"
    if ptypes.is_timedelta64_dtype(dtype):
        return "durations"
    number = ptypes.is_numeric_dtype(dtype) and not ptypes.is_bool_dtype(dtype)
    return "numbers" if number and column.notna().any() else ""


def _as_frame(data: Any, what: str) -> pd.DataFrame:
    table: pd.DataFrame = data if isinstance(data, pd.DataFrame) else read_frame(data)[0]
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise InvalidDataError(
            f"The {what} table has shape {table.shape}; it needs at least one row and one column."
        )
    if not table.columns.is_unique:
        doubled = list(table.columns[table.columns.duplicated()].unique())
        raise InvalidDataError(f"The {what} table has duplicate column names: {doubled}.")
    return _without_arrow(table.reset_index(drop=True))


def _without_arrow(table: pd.DataFrame) -> pd.DataFrame:
    """Give ordinary types to the columns that pyarrow holds, with which pandas can do less."""
    held = [isinstance(dtype, pd.ArrowDtype) for dtype in table.dtypes]
    if not any(held):
        return table
    columns = [
        read_frame(table.iloc[:, [place]])[0].iloc[:, 0] if arrow else table.iloc[:, place]
        for place, arrow in enumerate(held)
    ]
    plain = pd.DataFrame(dict(enumerate(columns)))
    plain.columns = table.columns
    return plain


def column_roles(real: pd.DataFrame, schema: Schema | None = None) -> Roles:
    """Decide how each column of `real` is treated.

    Parameters
    ----------
    real : pandas.DataFrame
    schema : Schema, optional
        Kinds of the columns. Without it the dtypes decide.

    Returns
    -------
    Roles

    Raises
    ------
    SchemaMismatchError
        If the schema does not know a column.
    InvalidDataError
        If no column is left to compare.
    """
    roles: dict[Hashable, Role] = {}
    columns: dict[Hashable, Column] = {}
    left_out: dict[Hashable, str] = {}
    for name in real.columns:
        # A column that the schema does not know raises here.
        column = None if schema is None else schema[name]
        role = _role_of_values(real[name]) if column is None else _ROLE_OF_KIND.get(column.kind)
        if role is None:
            kind = "strings that are all different" if column is None else f"kind {column.kind}"
            left_out[name] = f"{kind}: regenerated, not learned"
            continue
        roles[name] = role
        if column is not None:
            columns[name] = column
    if not roles:
        raise InvalidDataError(f"No column can be compared; all are left out: {left_out}.")
    return Roles(roles, columns, left_out)


def _role_of_values(values: pd.Series[Any]) -> Role | None:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype) or ptypes.is_bool_dtype(dtype):
        return "discrete"
    if ptypes.is_complex_dtype(dtype):
        raise InvalidDataError(f"Column {values.name!r} holds complex numbers; split it in two.")
    if ptypes.is_numeric_dtype(dtype) or _is_time(dtype):
        return "continuous"
    content = ptypes.infer_dtype(values, skipna=True)
    if content in ("decimal", "date", "datetime", "timedelta"):
        return "continuous"
    present = values.dropna()
    if content != "boolean" and len(present) >= _ALL_DIFFERENT and _all_different(present):
        return None
    return "discrete"


def _is_time(dtype: Any) -> bool:
    return ptypes.is_datetime64_any_dtype(dtype) or ptypes.is_timedelta64_dtype(dtype)


def _all_different(values: pd.Series[Any]) -> bool:
    try:
        return bool(values.is_unique)
    except TypeError:
        raise _unhashable(values) from None


def _unhashable(values: pd.Series[Any]) -> InvalidDataError:
    return InvalidDataError(
        f"Column {values.name!r} holds lists or other nested objects; one value per cell is needed."
    )


def numbers(values: pd.Series[Any], column: Column | None = None) -> NDArray[np.float64]:
    """Return a continuous column as floats, NaN where missing.

    Dates and durations become nanoseconds (since 1970-01-01 UTC). Numbers and dates that are stored
    in another form, such as dates as text, need the schema's column.

    Raises
    ------
    InvalidDataError
        If a value is not a number, or is infinite.
    """
    try:
        result = _to_float(values, column)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(
            f"Column {values.name!r} has numbers or dates in the real table, but dtype "
            f"{values.dtype} with values that are neither in the compared one: {error}."
        ) from error
    if np.isinf(result).any():
        raise InvalidDataError(
            f"Column {values.name!r} has {int(np.isinf(result).sum())} infinite values; "
            "use missing values or the column's limits instead."
        )
    return result


def _to_float(values: pd.Series[Any], column: Column | None) -> NDArray[np.float64]:
    dtype = values.dtype
    if ptypes.is_timedelta64_dtype(dtype):
        return _nanoseconds(pd.TimedeltaIndex(values))
    if ptypes.is_datetime64_any_dtype(dtype):
        return _nanoseconds(pd.DatetimeIndex(values))
    if ptypes.is_numeric_dtype(dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    if column is not None:
        unit = 1e9 if column.kind in ("datetime", "timedelta") else 1.0
        return to_numbers(values, column) * unit
    content = ptypes.infer_dtype(values, skipna=True)
    if content in ("date", "datetime"):
        return _nanoseconds(pd.DatetimeIndex(pd.to_datetime(values)))
    if content == "timedelta":
        return _nanoseconds(pd.TimedeltaIndex(pd.to_timedelta(values)))
    return pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)


def _nanoseconds(index: pd.DatetimeIndex | pd.TimedeltaIndex) -> NDArray[np.float64]:
    result = index.asi8.astype(np.float64) * _UNITS_IN_NS[index.unit]
    result[np.asarray(index.isna())] = np.nan
    return result


def joint_codes(columns: Sequence[pd.Series[Any]]) -> tuple[list[NDArray[np.int64]], int]:
    """Give numbers to the values of one discrete column over several tables.

    Returns
    -------
    codes : list of numpy.ndarray of shape (rows,)
        One array per table; -1 where missing.
    n_levels : int
        Number of distinct values; codes are below it.
    """
    parts = _as_same_types([column.astype(object) for column in columns])
    try:
        codes, levels = pd.factorize(pd.concat(parts, ignore_index=True))
    except TypeError:
        raise _unhashable(columns[0]) from None
    cuts = np.cumsum([len(part) for part in parts])[:-1]
    return np.split(codes.astype(np.int64), cuts), len(levels)


def _as_same_types(parts: list[pd.Series[Any]]) -> list[pd.Series[Any]]:
    """Read words as numbers, or write numbers as words, where tables hold one each.

    A table that was written to a text file and read again has other types and the same values.
    """
    kinds = [ptypes.infer_dtype(part, skipna=True) for part in parts]
    known = {kind for kind in kinds if kind != "empty"}
    if "string" not in known or known == {"string"} or not known <= {"string", *_PLAIN}:
        return parts
    words = [part for part, kind in zip(parts, kinds, strict=True) if kind == "string"]
    if "boolean" not in known:
        numbers = [pd.to_numeric(part, errors="coerce") for part in words]
        if all(
            (found.notna() == part.notna()).all()
            for found, part in zip(numbers, words, strict=True)
        ):
            return [pd.to_numeric(part).astype(object) for part in parts]
    return [part.where(part.isna(), part.map(str)) for part in parts]


@dataclass(frozen=True)
class Matrices:
    """Several tables as feature matrices with the same columns.

    Parameters
    ----------
    arrays : list of numpy.ndarray of shape (rows, columns), float64
        Numbers, or codes of categories; NaN where missing.
    names : list
        Column names.
    n_levels : list of int
        Number of categories per column, 0 for numbers.
    """

    arrays: list[NDArray[np.float64]]
    names: list[Hashable]
    n_levels: list[int]

    @property
    def categorical(self) -> list[int]:
        """Positions of the columns that hold codes."""
        return [place for place, levels in enumerate(self.n_levels) if levels]


def matrices(frames: Sequence[pd.DataFrame], roles: Roles) -> Matrices:
    """Encode the used columns of several aligned tables alike."""
    names = roles.names()
    arrays = [np.empty((len(frame), len(names))) for frame in frames]
    n_levels = []
    for place, name in enumerate(names):
        if roles.roles[name] == "continuous":
            parts = [roles.numbers(frame, name) for frame in frames]
            n_levels.append(0)
        else:
            codes, count = joint_codes([frame[name] for frame in frames])
            parts = [np.where(part < 0, np.nan, part) for part in codes]
            # An all-missing column still counts as a category, with no level seen.
            n_levels.append(max(count, 1))
        for array, part in zip(arrays, parts, strict=True):
            array[:, place] = part
    return Matrices(arrays, names, n_levels)


def cut_rows(
    rows: NDArray[np.int64], n_rows: int | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return `n_rows` random entries of `rows` in their order, or `rows` if it has no more."""
    if n_rows is None or len(rows) <= n_rows:
        return rows
    return rows[np.sort(rng.choice(len(rows), size=n_rows, replace=False))]


def cut(frame: pd.DataFrame, n_rows: int | None, rng: np.random.Generator) -> pd.DataFrame:
    """Return `n_rows` random rows in their order, or the frame itself if it has no more."""
    if n_rows is None or len(frame) <= n_rows:
        return frame
    return frame.iloc[cut_rows(np.arange(len(frame)), n_rows, rng)].reset_index(drop=True)
