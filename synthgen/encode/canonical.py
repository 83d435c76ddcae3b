"""Conditions on quantities: what a column can hold, as canonical numbers, and moving onto them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.data.dtypes import dtype_name
from synthgen.data.numbertext import read_numbers
from synthgen.data.schema import Column
from synthgen.data.values import SECONDS, dates, from_numbers, to_numbers
from synthgen.encode.numeric import range_ends
from synthgen.encode.wanted import Between, Wanted
from synthgen.errors import ConditionError, InvalidDataError

#: Share of a unit by which a value may miss the grid of its column, and rounding of large numbers.
_OFF_GRID: Final = 1e-6
_ROUNDING: Final = 1e-9
#: Relative rounding of numbers of single precision, and more.
_SINGLE: Final = 1e-6
#: Dates that everybody reads alike: year first, with or without a time.
_ISO: Final = re.compile(r"\d{4}(-?\d\d(-?\d\d)?)?([T ].+)?|\d{4}-?[QW]\d+")


def canonical(column: Column, wanted: Wanted) -> Wanted:
    """Return a condition with its values as canonical numbers.

    Parameters
    ----------
    column : Column
        Of kind numeric, integer, datetime or timedelta.
    wanted : Wanted

    Raises
    ------
    ConditionError
        If a value is not of the column's kind.
    """
    values = tuple(_held(column, value) for value in wanted.values)
    between = wanted.between
    if between is not None:
        low = None if between.low is None else _number(column, between.low)
        high = None if between.high is None else _number(column, between.high)
        if low is not None and high is not None and low > high:
            raise ConditionError(
                f"The range for column {column.name!r} is empty: {between.low!r} is above "
                f"{between.high!r}."
            )
        between = _on_grid(column, low, high)
    return Wanted(values, wanted.missing, between)


def move_into(numbers: np.ndarray, wanted: Wanted) -> np.ndarray:
    """Move decoded numbers, drawn near what is wanted, onto what is wanted."""
    if wanted.between is not None:
        moved = np.clip(numbers, *range_ends(wanted))
    elif wanted.values:
        values = np.sort(np.asarray(wanted.values, dtype=np.float64))
        nearest = np.searchsorted((values[1:] + values[:-1]) / 2, numbers)
        moved = values[nearest]
    else:
        return numbers
    return np.where(np.isnan(numbers), numbers, moved)


def _on_grid(column: Column, low: float | None, high: float | None) -> Between:
    """Move the ends of a range inwards to numbers that the column can hold."""
    decimals = 0 if column.kind == "integer" else column.decimals
    if decimals is None or column.kind not in ("numeric", "integer"):
        return Between(low, high)
    unit = 10.0**-decimals
    # The small share of a unit forgives binary fractions that miss a decimal one.
    low = None if low is None else round(np.ceil(low / unit - 1e-6) * unit, max(decimals, 0))
    high = None if high is None else round(np.floor(high / unit + 1e-6) * unit, max(decimals, 0))
    if low is not None and high is not None and low > high:
        raise ConditionError(
            f"No value of column {column.name!r} lies in the range: it has {decimals} decimals."
        )
    return Between(low, high)


def _held(column: Column, value: Any) -> float:
    """Return the number of a value that the column can hold."""
    number = _number(column, value)
    if off_grid(np.array([number]), column)[0]:
        raise ConditionError(f"Column {column.name!r} cannot be {value!r}: {_grid_of(column)}.")
    return number


def as_held(series: pd.Series, column: Column) -> pd.Series:
    """Return given cells as their column writes them, if it is one of numbers or dates.

    Raises
    ------
    ConditionError
        Naming the first cell that it cannot hold.
    """
    if column.kind not in ("numeric", "integer", "boolean", "datetime", "timedelta"):
        return series
    numbers = _numbers_of(series, column)
    strange = np.isnan(numbers) & series.notna().to_numpy()
    if column.kind == "datetime":
        for place in np.flatnonzero(strange):
            numbers[place] = _number(column, series.tolist()[place])
        strange = np.isnan(numbers) & series.notna().to_numpy()
    missing = np.isnan(numbers)
    if strange.any():
        row = int(strange.argmax())
        raise ConditionError(
            f"Column {column.name!r} is {column.kind}; row {row} of the conditions has "
            f"{series.tolist()[row]!r}."
        )
    if missing.any() and not column.nullable:
        raise ConditionError(
            f"Column {column.name!r} has no missing values, and row {int(missing.argmax())} of the "
            "conditions asks for one."
        )
    broken = off_grid(numbers, column)
    if broken.any():
        row = int(broken.argmax())
        raise ConditionError(
            f"Column {column.name!r} cannot be {series.tolist()[row]!r}, as row {row} of the "
            f"conditions asks: {_grid_of(column)}."
        )
    alike = dtype_name(series) == column.dtype and not column.dtype.startswith("object")
    if alike or column.kind == "boolean":
        return series
    with np.errstate(over="ignore"):
        held = from_numbers(numbers, column)
    _check_kept(numbers, held, series, column)
    return held.set_axis(series.index)


def _numbers_of(series: pd.Series, column: Column) -> np.ndarray:
    """Return given cells as canonical numbers; NaN where missing or not of the column's kind."""
    if column.kind == "datetime" and column.format is None and series.dtype.kind not in "mM":
        found = [np.nan if pd.isna(cell) else _number(column, cell) for cell in series.tolist()]
        return np.array(found, dtype=np.float64)
    try:
        return to_numbers(series, column)
    except InvalidDataError as error:
        raise ConditionError(f"Conditions on column {column.name!r}: {error}") from error


def _check_kept(numbers: np.ndarray, held: pd.Series, series: pd.Series, column: Column) -> None:
    """Refuse cells that the type of a column cannot hold, such as 1000 among 8-bit integers."""
    lost = ~np.isclose(to_numbers(held, column), numbers, rtol=_SINGLE, equal_nan=True)
    if lost.any():
        row = int(lost.argmax())
        raise ConditionError(
            f"Column {column.name!r} cannot be {series.tolist()[row]!r}, as row {row} of the "
            f"conditions asks: its type is {column.dtype}."
        )


def off_grid(numbers: np.ndarray, column: Column) -> np.ndarray:
    """Return which canonical numbers the column cannot hold, since they miss its grid.

    Parameters
    ----------
    numbers : numpy.ndarray of shape (n,)
        NaN where missing, which misses no grid.
    column : Column

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
    """
    unit = _unit_of(column)
    if unit is None:
        return np.zeros(len(numbers), dtype=bool)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.where(np.isfinite(numbers), numbers, 0.0) / unit
        allowed = _OFF_GRID * np.maximum(1.0, np.abs(steps) * _ROUNDING)
        return np.asarray(np.abs(steps - np.rint(steps)) > allowed)


def _unit_of(column: Column) -> float | None:
    """Return what all canonical numbers of a column are multiples of; None if nothing is known."""
    if column.kind == "integer":
        return 1.0
    if column.kind == "numeric" and column.decimals is not None:
        return float(10.0**-column.decimals)
    if column.kind == "datetime" and column.resolution is not None and column.time_zone is None:
        return SECONDS[column.resolution]
    return None


def _grid_of(column: Column) -> str:
    if column.kind == "integer":
        return "it holds whole numbers"
    unit = f"{_unit_of(column):g}"
    return f"its values are multiples of {unit}{' seconds' if column.kind == 'datetime' else ''}"


def _number(column: Column, value: Any) -> float:
    try:
        number = _as_number(column, value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConditionError(
            f"Column {column.name!r} is {column.kind}; the condition {value!r} is not."
        ) from error
    if np.isnan(number):
        raise ConditionError(f"The condition on column {column.name!r} holds {value!r}.")
    counted = column.kind in ("numeric", "integer") and isinstance(value, int)
    if counted and int(number) != value:
        raise ConditionError(
            f"The condition {value!r} on column {column.name!r} has more digits than are kept: "
            "whole numbers are exact up to 2**53."
        )
    return number


def _as_number(column: Column, value: Any) -> float:
    if column.kind in ("numeric", "integer"):
        if isinstance(value, str) and column.format is not None:
            written = read_numbers(np.array([value], dtype=object), column.format)[0]
            return float(value) if np.isnan(written) else float(written)
        return float(value)
    if column.kind == "timedelta":
        return pd.Timedelta(value).total_seconds()
    moment = _moment(column, value)
    if column.time_zone is not None and moment.tz is None:
        # Hours that a change of clocks skips or repeats are given a meaning rather than refused.
        moment = moment.tz_localize(column.time_zone, ambiguous=True, nonexistent="shift_forward")
    if moment.tz is not None:
        moment = moment.tz_convert("UTC").tz_localize(None)
    start = pd.Timestamp(0).as_unit("us")
    return float((moment.as_unit("us") - start).total_seconds())


def _moment(column: Column, value: Any) -> pd.Timestamp:
    """Read a date; text in the format of the column, or in that of ISO 8601."""
    if isinstance(value, str) and column.format is not None:
        try:
            (found,) = dates(pd.Series([value]), column.format)
        except ValueError:
            found = np.datetime64("NaT")
        # Never as month before day where the column has day before month.
        value = dt.datetime.fromisoformat(value) if np.isnat(found) else found
    elif isinstance(value, str) and _ISO.fullmatch(value.strip()) is None:
        raise ValueError("Dates are written as 2020-12-31.")
    if isinstance(value, pd.Period):
        value = value.to_timestamp()
    return pd.Timestamp(value)
