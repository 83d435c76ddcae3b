"""Conditions on quantities as canonical numbers, and numbers moved onto conditions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.schema import Column
from synthgen.encode.numeric import range_ends
from synthgen.encode.wanted import Between, Wanted
from synthgen.errors import ConditionError


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
    values = tuple(_number(column, value) for value in wanted.values)
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


def _number(column: Column, value: Any) -> float:
    try:
        if column.kind in ("numeric", "integer"):
            return float(value)
        if column.kind == "timedelta":
            return pd.Timedelta(value).total_seconds()
        moment = pd.Timestamp(value)
        if column.time_zone is not None and moment.tz is None:
            moment = moment.tz_localize(column.time_zone)
        if moment.tz is not None:
            moment = moment.tz_convert("UTC").tz_localize(None)
        return (moment - pd.Timestamp(0)).total_seconds()
    except (TypeError, ValueError) as error:
        raise ConditionError(
            f"Column {column.name!r} is {column.kind}; the condition {value!r} is not."
        ) from error
