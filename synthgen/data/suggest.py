"""Constraints that all rows of a table obey and that are unlikely to be an accident."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import permutations
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from synthgen.data.constraints import (
    Constraint,
    Inequality,
    OneHot,
    Range,
    Unique,
)
from synthgen.data.find_lookups import find_lookups
from synthgen.data.find_sums import find_sums
from synthgen.data.values import to_numbers

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_ENOUGH_ROWS: Final = 100
_PROBE: Final = 2_000
_MOST_COLUMNS: Final = 100


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
    found += [r for r in _inequalities(numbers, units) if not grouped & set(r.columns)]
    sums = find_sums(df, schema.columns)
    found += [*sums, *find_lookups(df, schema.columns, frozenset(rule.total for rule in sums))]
    found += _unique(df, schema)
    return tuple(found)


def _ranges(numbers: dict[Hashable, np.ndarray], is_date: dict[Hashable, bool]) -> list[Range]:
    rules = []
    for name, values in numbers.items():
        present = values[~np.isnan(values)]
        if not is_date[name] and len(present) >= _ENOUGH_ROWS and present.min() >= 0:
            rules.append(Range(name, low=0))
    return rules


def _inequalities(
    numbers: dict[Hashable, np.ndarray], is_date: dict[Hashable, bool]
) -> list[Inequality]:
    rules = []
    for low, high in permutations(list(numbers)[:_MOST_COLUMNS], 2):
        if is_date[low] != is_date[high]:
            continue
        if _ordered(numbers[low], numbers[high], is_date[low]):
            rules.append(Inequality(low, high))
    return _without_implied(rules)


def _ordered(low: np.ndarray, high: np.ndarray, is_date: bool) -> bool:
    """Whether low <= high in all rows, and their ranges overlap so much that it says something."""
    step = max(1, len(low) // _PROBE)
    if (low[::step] > high[::step]).any():
        return False
    both = ~(np.isnan(low) | np.isnan(high))
    low, high = low[both], high[both]
    if len(low) < _ENOUGH_ROWS or (low > high).any() or (low == high).all():
        return False
    # Were the two independent, this many pairs would be in the wrong order.
    sample = np.sort(high)
    expected = float(np.mean(np.searchsorted(sample, low, side="left") / len(sample)))
    if expected * len(low) < 20:
        return False
    if is_date:
        return True
    tied = float(np.corrcoef(_ranks(low), _ranks(high))[0, 1]) if len(np.unique(low)) > 2 else 0.0
    return tied > 0.3


def _ranks(values: np.ndarray) -> np.ndarray:
    return np.asarray(pd.Series(values).rank().to_numpy())


def _without_implied(rules: list[Inequality]) -> list[Inequality]:
    """Leave out a <= c where a <= b and b <= c are there."""
    pairs = {rule.columns for rule in rules}
    names = {name for pair in pairs for name in pair}
    implied = {
        (a, c)
        for a, c in pairs
        if any((a, b) in pairs and (b, c) in pairs and (c, b) not in pairs for b in names)
    }
    return [rule for rule in rules if rule.columns not in implied]


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
