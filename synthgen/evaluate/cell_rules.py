"""Which cells of a column are valid: rules learned from real values, and checks by them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.column import Column
from synthgen.data.dtypes import dtype_name
from synthgen.data.infer import infer_column
from synthgen.data.precision import find_decimals, find_resolution
from synthgen.data.values import SECONDS, to_numbers
from synthgen.errors import InvalidDataError

_NUMBERS: Final = ("numeric", "integer")
_TIMES: Final = ("datetime", "timedelta")
_LEVELS: Final = ("boolean", "categorical", "ordinal", "constant")
_SINGLE: Final = ("float32", "Float32")
_MOST_DECIMALS: Final = 10
#: With fewer distinct real numbers, that all are multiples of ten may be chance.
_FEW: Final = 5

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CellRules:
    """What the real values of a column and the schema allow.

    Parameters
    ----------
    column : Column
        Kind and format of the values, declared or inferred.
    nullable : bool
        Whether values may be missing.
    unique : bool
        Whether a value may occur only once.
    levels : frozenset, optional
        Allowed values of a discrete column.
    low, high : float, optional
        Bounds (inclusive) of the canonical numbers.
    decimals : int, optional
        Digits after the decimal point, negative for multiples of 10, 100, ...
    resolution : str, optional
        Coarsest unit of dates and time spans.
    single : bool
        Whether the real numbers have single precision.
    """

    column: Column
    nullable: bool
    unique: bool = False
    levels: frozenset[Any] | None = None
    low: float | None = None
    high: float | None = None
    decimals: int | None = None
    resolution: str | None = None
    single: bool = False


def learn_rules(series: pd.Series[Any], declared: Column | None) -> CellRules:
    """Return the rules of one column.

    Parameters
    ----------
    series : pandas.Series
        The real values.
    declared : Column, optional
        What the schema says; without it the column is inferred.

    Raises
    ------
    InvalidDataError
        If the values are no data that can be compared.
    """
    try:
        column = infer_column(series.name, _finite(series)) if declared is None else declared
        different = bool(series.dropna().is_unique)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"Column {series.name!r} cannot be checked: {error}") from error
    nullable = column.nullable or bool(series.isna().any())
    if column.kind in _NUMBERS or column.kind in _TIMES:
        return _learn_numbers(series, column, nullable)
    if column.kind in _LEVELS:
        levels = column.categories
        if levels is None:
            levels = tuple(_factorized(series.dropna())[1])
        if column.kind == "boolean":
            levels = (*levels, True, False)
        return CellRules(column, nullable, levels=frozenset(levels))
    return CellRules(column, nullable, unique=column.kind == "id" and different)


def _learn_numbers(series: pd.Series[Any], column: Column, nullable: bool) -> CellRules:
    """Return bounds and precision of a column of numbers, dates or time spans."""
    values = _canonical(series, column)
    present, values = values[~np.isnan(values)], values[np.isfinite(values)]
    low, high, decimals, resolution = column.minimum, column.maximum, column.decimals, None
    single = dtype_name(series) in _SINGLE
    if len(present):
        low = float(present.min()) if low is None else low
        high = float(present.max()) if high is None else high
    if len(values):
        if column.kind in _TIMES:
            resolution = column.resolution or _find_resolution(values, column)
        elif decimals is None:
            decimals = find_decimals(values, highest=_MOST_DECIMALS, single=single)
            if decimals is not None and decimals < 0 and len(np.unique(values)) < _FEW:
                decimals = 0
    return CellRules(
        column,
        nullable,
        low=low,
        high=high,
        decimals=decimals,
        resolution=resolution,
        single=single,
    )


def check_cells(series: pd.Series[Any], rules: CellRules) -> Iterator[tuple[str, Mask]]:
    """Yield the name of each check that applies and the cells that fail it."""
    missing = series.isna().to_numpy(dtype=bool)
    if not rules.nullable:
        yield "missing", missing
    if rules.column.kind in _NUMBERS or rules.column.kind in _TIMES:
        values = _canonical(series, rules.column)
        # A bound or a grid of double precision is compared as the numbers of single precision are.
        single = rules.single or dtype_name(series) in _SINGLE
        yield "type", np.isnan(values) & ~missing
        yield "range", _outside(values, rules, single)
        if rules.decimals is not None or rules.resolution is not None:
            yield "precision", _too_fine(values, rules, single)
    if rules.levels is not None:
        codes, levels = _factorized(series)
        unseen = np.array([level not in rules.levels for level in levels] + [False])
        yield "category", unseen[codes]
    if rules.unique:
        yield "repeated", series.duplicated().to_numpy(dtype=bool) & ~missing


def _find_resolution(values: NDArray[np.float64], column: Column) -> str:
    kind = "datetime64[us]" if column.kind == "datetime" else "timedelta64[us]"
    return find_resolution(np.rint(values * 1e6).astype(np.int64).astype(kind), column.time_zone)


def _finite(series: pd.Series[Any]) -> pd.Series[Any]:
    """Leave out infinite numbers, which tell nothing about a kind."""
    if series.dtype.kind != "f":
        return series
    finite: pd.Series[Any] = series[~np.isinf(series.to_numpy(dtype=np.float64, na_value=np.nan))]
    return finite


def _canonical(series: pd.Series[Any], column: Column) -> NDArray[np.float64]:
    """Return canonical numbers, NaN where a value is missing or not of the column's kind."""
    try:
        return to_numbers(series, column)
    except InvalidDataError:
        objects = series.astype(object)
    if column.kind in _NUMBERS:
        return np.asarray(pd.to_numeric(objects, errors="coerce"), dtype=np.float64)
    if column.kind == "timedelta":
        # Other objects are not coerced but raise.
        spans = [v if isinstance(v, (str, dt.timedelta)) else None for v in objects]
        parsed = pd.to_timedelta(pd.Series(spans, dtype=object), errors="coerce")
        return to_numbers(parsed, column)
    moments = pd.to_datetime(objects, errors="coerce", utc=True, format="ISO8601")
    return to_numbers(pd.Series(moments), column)


def _factorized(series: pd.Series[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    try:
        codes, levels = pd.factorize(series.astype(object))
    except TypeError as error:
        raise InvalidDataError(
            f"Column {series.name!r} holds lists or other nested objects: {error}."
        ) from error
    return codes, np.asarray(levels, dtype=object)


def _outside(values: NDArray[np.float64], rules: CellRules, single: bool) -> Mask:
    kind = np.float32 if single else np.float64
    low = kind(-np.inf if rules.low is None else rules.low)
    high = kind(np.inf if rules.high is None else rules.high)
    compared = values.astype(kind)
    return np.asarray((compared < low) | (compared > high))


def _too_fine(values: NDArray[np.float64], rules: CellRules, single: bool) -> Mask:
    """Return which values lie off the grid of the real ones; missing and infinite ones do not."""
    if rules.resolution is not None:
        return _between_units(values, rules.resolution, rules.column.time_zone)
    present = np.where(np.isfinite(values), values, 0.0)
    rounded = np.round(present, rules.decimals or 0)
    if single:
        return np.asarray(rounded.astype(np.float32) != present.astype(np.float32))
    # Sums of decimal numbers miss the nearest float by a few units.
    return np.asarray(np.abs(rounded - present) > 4.0 * np.spacing(np.abs(present)))


def _between_units(values: NDArray[np.float64], resolution: str, time_zone: str | None) -> Mask:
    if SECONDS[resolution] < 1e-3:
        # Seconds since 1970 as floats resolve about a fourth of a microsecond, not less.
        return np.zeros(len(values), dtype=bool)
    micros = np.rint(np.where(np.isfinite(values), values, 0.0) * 1e6).astype(np.int64)
    if time_zone is not None:
        moments = pd.DatetimeIndex(micros.astype("datetime64[us]"), tz="UTC")
        local = moments.tz_convert(time_zone).tz_localize(None)
        micros = local.to_numpy().astype("datetime64[us]").astype(np.int64)
    off = micros % round(SECONDS[resolution] * 1e6) != 0
    return np.asarray(off & np.isfinite(values))
