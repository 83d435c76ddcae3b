"""One column to canonical numbers and back.

The canonical number of a value is a float64, NaN if it is missing:

============  =====================================================================================
kind          canonical number
============  =====================================================================================
numeric       the value
integer       the value
boolean       0 or 1
datetime      seconds since 1970-01-01 00:00, in UTC if the column has a time zone, else as written
timedelta     seconds
============  =====================================================================================
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.data.casting import cast_levels, cast_numbers, cast_values
from synthgen.data.column import Column
from synthgen.data.datetext import format_text, parse_text
from synthgen.data.dtypes import dtype_from_name, family
from synthgen.data.numbertext import read_numbers, write_numbers
from synthgen.errors import InvalidDataError

__all__ = ["SECONDS", "cast_levels", "cast_values", "dates", "from_numbers", "to_numbers"]

#: Seconds in the units of ``Column.resolution``.
SECONDS: Final = {
    "D": 86_400.0, "h": 3_600.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6,
}  # fmt: skip
_MICRO: Final = 1_000_000
#: What datetime64[us] can hold, and Python's dates as well: years 1 to 9999, in seconds.
_DATE_LIMITS: Final = (-62_135_596_800.0, 253_402_300_799.0)
#: What nanoseconds since 1970 can hold, in seconds.
_NANO_LIMIT: Final = 9_223_372_036.0


def to_numbers(series: pd.Series, column: Column) -> np.ndarray:
    """Turn the values of a column into canonical numbers.

    Parameters
    ----------
    series : pandas.Series
        Values of the column; the dtype may differ from the schema's as long as it can be converted.
    column : Column
        Of kind numeric, integer, boolean, datetime or timedelta.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        NaN where missing.

    Raises
    ------
    InvalidDataError
        If the kind has no canonical numbers or the values are not of that kind.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        levels = to_numbers(pd.Series(series.cat.categories), column)
        return np.append(levels, np.nan)[series.cat.codes.to_numpy()]
    try:
        if column.kind in ("numeric", "integer", "boolean"):
            return _number_values(series, column.format)
        if column.kind == "datetime":
            return _seconds(dates(series, column.format))
        if column.kind == "timedelta":
            return _span_seconds(series)
    except (TypeError, ValueError, decimal.InvalidOperation) as error:
        raise InvalidDataError(
            f"Column {column.name!r} (kind {column.kind}) holds values that are not of its kind: "
            f"{error}"
        ) from error
    raise InvalidDataError(f"Column {column.name!r} of kind {column.kind!r} has no numbers.")


def from_numbers(values: np.ndarray, column: Column) -> pd.Series:
    """Turn canonical numbers into values of the column's dtype.

    Numbers are rounded to the column's decimals or resolution and clipped to its bounds.

    Parameters
    ----------
    values : numpy.ndarray of float, shape (n,)
        NaN where missing.
    column : Column

    Returns
    -------
    pandas.Series
        Of ``column.dtype``, with a RangeIndex. If that dtype has no missing value but some are
        missing, numbers become float64 and booleans object.

    Raises
    ------
    InvalidDataError
        If the kind has no canonical numbers.
    """
    values = np.asarray(values, dtype=np.float64)
    builders: dict[str, Callable[[np.ndarray, Column], Any]] = {
        "numeric": _build_numbers,
        "integer": _build_numbers,
        "boolean": _build_booleans,
        "datetime": _build_dates,
        "timedelta": _build_spans,
    }
    if column.kind not in builders:
        raise InvalidDataError(f"Column {column.name!r} of kind {column.kind!r} has no numbers.")
    array = builders[column.kind](values, column)
    # Without a dtype pandas would turn objects into dates or strings again.
    dtype = object if array.dtype.kind == "O" and isinstance(array, np.ndarray) else None
    return pd.Series(array, name=column.name, dtype=dtype, copy=False)


def dates(series: pd.Series, form: str | None = None) -> np.ndarray:
    """Return dates as datetime64, in UTC if they have a time zone.

    Parameters
    ----------
    series : pandas.Series
        datetime64, period, date or datetime objects, or text in the format `form`.

    Returns
    -------
    numpy.ndarray of datetime64
        Of any unit; NaT where missing or not of the format.
    """
    dtype = series.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return np.asarray(series.dt.tz_convert("UTC").dt.tz_localize(None))
    if isinstance(dtype, pd.PeriodDtype):
        return np.asarray(series.dt.to_timestamp())
    if dtype.kind == "M":
        return np.asarray(series)
    values = series.to_numpy(dtype=object)
    content = pd.api.types.infer_dtype(values, skipna=True)
    if content == "string":
        if form is None:
            raise TypeError("text without a date format")
        return parse_text(values, form)
    return _from_objects(values)


def _from_objects(values: np.ndarray) -> np.ndarray:
    codes, levels = pd.factorize(values)
    table = np.full(len(levels) + 1, np.datetime64("NaT", "us"))
    table[:-1] = [_naive(level) for level in levels]
    return table[codes]


def _naive(value: Any) -> Any:
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


def _number_values(series: pd.Series, form: str | None) -> np.ndarray:
    if series.dtype != object and not isinstance(series.dtype, pd.StringDtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    content = pd.api.types.infer_dtype(series, skipna=True)
    if content == "string":
        return read_numbers(series.to_numpy(dtype=object), form)
    values = series.to_numpy(dtype=object)
    result = np.full(len(values), np.nan)
    present = ~pd.isna(values)
    result[present] = values[present].astype(np.float64)
    return result


def _seconds(values: np.ndarray) -> np.ndarray:
    unit, step = np.datetime_data(values.dtype)
    if unit == "generic" or step != 1 or unit not in ("s", "ms", "us", "ns"):
        values, unit = values.astype("datetime64[us]"), "us"
    result = values.astype(np.int64) / {"s": 1, "ms": 1_000, "us": _MICRO, "ns": 10**9}[unit]
    result[np.isnat(values)] = np.nan
    return np.asarray(result, dtype=np.float64)


def _span_seconds(series: pd.Series) -> np.ndarray:
    if series.dtype.kind != "m":
        codes, levels = pd.factorize(series.to_numpy(dtype=object))
        table = np.full(len(levels) + 1, np.timedelta64("NaT", "us"))
        table[:-1] = [_span(level) for level in levels]
        spans = table[codes]
    else:
        spans = series.to_numpy()
    unit, _ = np.datetime_data(spans.dtype)
    per_second = {"s": 1, "ms": 1_000, "us": _MICRO, "ns": 10**9}[unit]
    result = spans.astype(np.int64) / per_second
    result[np.isnat(spans)] = np.nan
    return np.asarray(result, dtype=np.float64)


def _span(value: Any) -> Any:
    if isinstance(value, dt.time):
        return dt.timedelta(
            hours=value.hour,
            minutes=value.minute,
            seconds=value.second,
            microseconds=value.microsecond,
        )
    return value


def _clip(values: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    if low is None and high is None:
        return values
    return np.asarray(np.clip(values, low, high))


def _build_numbers(values: np.ndarray, column: Column) -> Any:
    decimals = column.decimals
    if column.kind == "integer":
        decimals = min(decimals or 0, 0)
    if decimals is not None:
        values = np.round(values, decimals) + 0.0  # no negative zero
    values = _clip(values, column.minimum, column.maximum)
    kind = family(column.dtype)
    if kind == "decimal":
        return _decimals(values, column.decimals or 0)
    if kind in ("string", "object"):
        return _number_objects(values, column)
    return cast_numbers(values, column.dtype)


def _decimals(values: np.ndarray, places: int) -> np.ndarray:
    scaled = np.rint(values * 10.0**places)
    codes, levels = pd.factorize(scaled)
    exact = [decimal.Decimal(int(level)).scaleb(-places) for level in levels]
    table = np.array([*exact, None], dtype=object)
    return table[codes]


def _number_objects(values: np.ndarray, column: Column) -> Any:
    codes, levels = pd.factorize(values)
    if column.format is not None:
        texts: list[Any] = list(write_numbers(levels, column.format))
    else:
        whole = column.kind == "integer"
        texts = [int(level) if whole else float(level) for level in levels]
    table = np.array([*texts, np.nan], dtype=object)[codes]
    if column.format is None or family(column.dtype) == "object":
        return table
    return pd.array(table, dtype=dtype_from_name(column.dtype))


def _build_booleans(values: np.ndarray, column: Column) -> Any:
    missing = np.isnan(values)
    truth = np.where(missing, 0.0, values) >= 0.5
    kind = family(column.dtype)
    if column.dtype == "boolean":
        return pd.arrays.BooleanArray(truth, missing)
    if kind == "number":
        return cast_numbers(np.where(missing, np.nan, truth), column.dtype)
    if column.dtype == "bool" and not missing.any():
        return truth
    objects = truth.astype(object)
    objects[missing] = np.nan
    return objects


def _rounded(values: np.ndarray, resolution: str | None) -> np.ndarray:
    if resolution in (None, "us"):
        return values
    step = SECONDS[resolution]
    return np.round(values / step) * step if step >= 1 else np.round(values, 3)


def _build_dates(values: np.ndarray, column: Column) -> Any:
    missing = np.isnan(values)
    values = np.clip(np.where(missing, 0.0, values), *_DATE_LIMITS)
    if column.time_zone is None or column.resolution != "D":
        values = _rounded(values, column.resolution)
    values = _clip(values, column.minimum, column.maximum)
    if column.dtype.startswith("datetime64[ns"):
        values = np.clip(values, -_NANO_LIMIT, _NANO_LIMIT)
    micros = np.rint(values * _MICRO).astype(np.int64).astype("datetime64[us]")
    micros[missing] = np.datetime64("NaT", "us")
    if family(column.dtype) in ("string", "object"):
        return _date_texts(micros, column)
    if column.dtype.startswith("object"):
        return _date_objects(micros, column)
    index = pd.DatetimeIndex(micros)
    if column.dtype.startswith("period"):
        return index.to_period(dtype_from_name(column.dtype).freq).array
    if column.time_zone is not None:
        index = _local(index, column)
    return index.astype(dtype_from_name(column.dtype)).array


def _local(index: pd.DatetimeIndex, column: Column) -> pd.DatetimeIndex:
    index = index.tz_localize("UTC").tz_convert(column.time_zone)
    if column.resolution != "D":
        return index
    half_day = pd.Timedelta(12, unit="h")
    midnight = (index.tz_localize(None) + half_day).floor("D")
    # On a few days midnight does not exist or comes twice.
    early = np.ones(len(midnight), dtype=bool)
    return midnight.tz_localize(column.time_zone, ambiguous=early, nonexistent="shift_forward")


def _date_texts(micros: np.ndarray, column: Column) -> Any:
    codes, levels = pd.factorize(micros)
    texts = format_text(np.asarray(levels), column.format or "%Y-%m-%d")
    table = np.append(texts, np.nan)[codes] if len(texts) else np.full(len(codes), np.nan, object)
    if family(column.dtype) == "object":
        return table
    return pd.array(table, dtype=dtype_from_name(column.dtype))


def _date_objects(micros: np.ndarray, column: Column) -> np.ndarray:
    if column.dtype == "object[date]":
        return micros.astype("datetime64[D]").astype(object)
    moments = micros.astype(object)
    if column.time_zone is None:
        return np.asarray(moments)
    utc = [None if m is None else m.replace(tzinfo=dt.UTC) for m in moments]
    zone: Any = pd.Timestamp(0, tz=column.time_zone).tzinfo
    result = np.empty(len(utc), dtype=object)
    result[:] = [None if m is None else m.astimezone(zone) for m in utc]
    return result


def _build_spans(values: np.ndarray, column: Column) -> Any:
    missing = np.isnan(values)
    values = _rounded(np.where(missing, 0.0, values), column.resolution)
    values = _clip(values, column.minimum, column.maximum)
    values = np.clip(values, -_NANO_LIMIT, _NANO_LIMIT)
    if column.dtype == "object[time]":
        values = np.clip(values, 0.0, 86_399.999999)
    micros = np.rint(values * _MICRO).astype(np.int64).astype("timedelta64[us]")
    micros[missing] = np.timedelta64("NaT", "us")
    if column.dtype == "object[time]":
        return _times(micros)
    if column.dtype.startswith("object"):
        return micros.astype(object)
    return pd.TimedeltaIndex(micros).astype(dtype_from_name(column.dtype)).array


def _times(micros: np.ndarray) -> np.ndarray:
    codes, levels = pd.factorize(micros)
    midnight = dt.datetime.min
    texts = [(midnight + level).time() for level in levels.astype(object)]
    return np.array([*texts, None], dtype=object)[codes]
