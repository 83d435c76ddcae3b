"""Pairs of columns of which one is never above the other: start and end, least and most."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import permutations
from typing import Final

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.order_rules import Inequality
from synthgen.data.values import to_numbers

_ENOUGH_ROWS: Final = 100
_PROBE: Final = 2_000
_SAMPLE: Final = 20_000
_MOST_COLUMNS: Final = 100
#: Rows that would be in the wrong order if the two columns had nothing to do with each other.
_SURPRISE: Final = 20


def find_orders(
    df: pd.DataFrame, columns: Sequence[Column], *, least_tie: float = 0.6
) -> tuple[Inequality, ...]:
    """Return the pairs of columns that are in order in every row, hardly by accident.

    Parameters
    ----------
    df : pandas.DataFrame
        Pairs need at least 100 rows that have both, of which 20 would be in the wrong order were
        they independent.
    columns : sequence of Column
        Those of numbers and dates are looked at, the first 100 of them; numbers are compared with
        numbers and dates with dates.
    least_tie : float, default=0.6
        Least rank correlation of two columns of numbers, in [0, 1]: of quantities of different
        kinds one may happen to be always smaller. Dates are all of one kind.

    Returns
    -------
    tuple of Inequality
        Without those that follow from others.

    Examples
    --------
    >>> from synthgen import Schema
    >>> rng = np.random.default_rng(0)
    >>> df = pd.DataFrame({"least": rng.normal(10, 5, 300)})
    >>> df["most"] = df["least"] + rng.exponential(2, 300)
    >>> [(rule.low, rule.high) for rule in find_orders(df, Schema.infer(df).columns)]
    [('least', 'most')]
    """
    numbers: dict[Hashable, np.ndarray] = {}
    is_date: dict[Hashable, bool] = {}
    for column in columns:
        if column.kind in ("numeric", "integer", "datetime") and len(numbers) < _MOST_COLUMNS:
            numbers[column.name] = to_numbers(df[column.name], column)
            is_date[column.name] = column.kind == "datetime"
    rules = []
    for low, high in permutations(numbers, 2):
        if is_date[low] != is_date[high]:
            continue
        if _ordered(numbers[low], numbers[high], -1.0 if is_date[low] else least_tie):
            rules.append(Inequality(low, high, found=True))
    return tuple(_without_implied(rules))


def _ordered(low: np.ndarray, high: np.ndarray, least_tie: float) -> bool:
    """Whether low <= high in all rows, and their ranges overlap so much that it says something."""
    step = max(1, len(low) // _PROBE)
    if (low[::step] > high[::step]).any():
        return False
    both = ~(np.isnan(low) | np.isnan(high))
    low, high = low[both], high[both]
    if len(low) < _ENOUGH_ROWS or (low > high).any() or (low == high).all():
        return False
    count = len(low)
    step = max(1, count // _SAMPLE)
    low, high = low[::step], high[::step]
    # Were the two independent, this many pairs would be in the wrong order.
    ordered = np.sort(high)
    expected = float(np.mean(np.searchsorted(ordered, low, side="left") / len(ordered)))
    if expected * count < _SURPRISE:
        return False
    tied = float(np.corrcoef(_ranks(low), _ranks(high))[0, 1]) if len(np.unique(low)) > 2 else 0.0
    return tied > least_tie


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
