"""Constraints that all rows of a table obey and that are unlikely to be an accident."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.constraints import (
    Constraint,
    OneHot,
    Range,
    Unique,
)
from synthgen.data.find_lookups import find_lookups
from synthgen.data.find_orders import find_orders
from synthgen.data.find_sums import find_sums
from synthgen.data.values import to_numbers

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_ENOUGH_ROWS: Final = 100


def suggest_constraints(df: pd.DataFrame, schema: Schema) -> tuple[Constraint, ...]:
    """Suggest constraints; look at them before using them.

    Suggested are columns that are sums of others or follow from another one, numbers that are never
    negative, pairs of columns of which one is never above the other and that are close enough to be
    comparable, groups of 0/1 columns of which exactly one is set, and ids without repetition.

    Parameters
    ----------
    df : pandas.DataFrame
        At least 100 rows, or nothing is suggested.
    schema : Schema

    Returns
    -------
    tuple of Constraint
        All rows of `df` obey all of them.
    """
    if len(df) < _ENOUGH_ROWS:
        return ()
    numbers = {
        column.name: to_numbers(df[column.name], column)
        for column in schema
        if column.kind in ("numeric", "integer", "datetime")
    }
    units = {name: schema[name].kind == "datetime" for name in numbers}
    one_hot = _one_hot(df, schema)
    grouped = {name for group in one_hot for name in group.columns}
    found: list[Constraint] = list(one_hot)
    found += [rule for rule in _ranges(numbers, units) if rule.column not in grouped]
    rules = find_rules(df, schema.columns, least_tie=0.3)
    found += [rule for rule in rules if not grouped & set(rule.columns)]
    found += _unique(df, schema)
    return tuple(found)


def find_rules(
    df: pd.DataFrame, columns: Sequence[Column], *, least_tie: float = 0.6
) -> tuple[Constraint, ...]:
    """Return the sums, lookups and orders that hold in every row, hardly by accident.

    Parameters
    ----------
    df : pandas.DataFrame
    columns : sequence of Column
    least_tie : float, default=0.6
        See :func:`~synthgen.data.find_orders.find_orders`.

    Returns
    -------
    tuple of Constraint
        Each marked as found. Of columns that add up no order is told.
    """
    sums = find_sums(df, columns)
    added = [set(rule.columns) for rule in sums]
    orders = find_orders(df, columns, least_tie=least_tie)
    return (
        *sums,
        *find_lookups(df, columns, frozenset(rule.total for rule in sums)),
        *(rule for rule in orders if not any(names.issuperset(rule.columns) for names in added)),
    )


def _ranges(numbers: dict[Hashable, np.ndarray], is_date: dict[Hashable, bool]) -> list[Range]:
    rules = []
    for name, values in numbers.items():
        present = values[~np.isnan(values)]
        if not is_date[name] and len(present) >= _ENOUGH_ROWS and present.min() >= 0:
            rules.append(Range(name, low=0))
    return rules


def _one_hot(df: pd.DataFrame, schema: Schema) -> list[OneHot]:
    """Find groups of neighbouring 0/1 columns of which exactly one is set in every row."""
    rules: list[OneHot] = []
    run: list[Hashable] = []
    total = np.zeros(len(df))
    for column in schema:
        values = _flags(df, schema, column.name)
        if values is None or (total + values > 1).any():
            run, total = [], np.zeros(len(df))
        if values is None:
            continue
        run.append(column.name)
        total = total + values
        if (total == 1).all() and len(run) > 1:
            rules.append(OneHot(tuple(run)))
            run, total = [], np.zeros(len(df))
    return rules


def _flags(df: pd.DataFrame, schema: Schema, name: Hashable) -> np.ndarray | None:
    column = schema[name]
    if column.kind not in ("integer", "boolean", "numeric") or column.nullable:
        return None
    values = to_numbers(df[name], column)
    return values if ((values == 0) | (values == 1)).all() else None


def _unique(df: pd.DataFrame, schema: Schema) -> list[Unique]:
    return [
        Unique((column.name,))
        for column in schema
        if column.kind == "id" and df[column.name].is_unique
    ]
