"""Columns that follow from others: a country from a city, a month from a date, a fare from a route.

Dates are looked at first, then single columns, then pairs of columns.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

import pandas as pd

from synthgen.data.column import Column
from synthgen.data.find_date_lookups import find_date_lookups
from synthgen.data.find_pair_lookups import find_pair_lookups
from synthgen.data.followers import KEYS, CodedColumn, code_columns, deciding, most_keys
from synthgen.data.lookup_rule import Lookup

_ENOUGH_ROWS: Final = 100


def find_lookups(
    df: pd.DataFrame, columns: Sequence[Column], taken: frozenset[Hashable] = frozenset()
) -> tuple[Lookup, ...]:
    """Return the columns that follow from others, but for at most 1% of the rows.

    Keys that have several values are not in the tables of the lookups, so that all rows obey.

    Parameters
    ----------
    df : pandas.DataFrame
        At least 100 rows, or nothing is found.
    columns : sequence of Column
        Keys are parts of dates, and categories and whole numbers, alone or two together, with at
        most 1,000 values of 5 rows each on average; numbers can follow as well. The first 200 of
        them are looked at.
    taken : frozenset of hashable
        Columns that follow from others already.

    Returns
    -------
    tuple of Lookup
        Each column follows from one key: the part of a date with the fewest levels, or else the
        column with the most, or else a pair. No key follows from another column.

    Examples
    --------
    >>> from synthgen import Schema
    >>> df = pd.DataFrame({"city": ["Bonn", "Rome", "Ulm", "Pisa"] * 50})
    >>> df["country"] = df["city"].map({"Bonn": "de", "Ulm": "de", "Rome": "it", "Pisa": "it"})
    >>> [(rule.key, rule.column) for rule in find_lookups(df, Schema.infer(df).columns)]
    [('city', 'country')]
    """
    if len(df) < _ENOUGH_ROWS:
        return ()
    coded = [c for c in code_columns(df, columns) if c.column.name not in taken]
    rules = find_date_lookups(df, columns, coded)
    coded = _left(coded, rules)
    rules += _single(df, coded)
    rules += find_pair_lookups(df, coded, rules)
    order = {column.name: place for place, column in enumerate(columns)}
    return tuple(sorted(rules, key=lambda rule: order[rule.column]))


def _left(coded: list[CodedColumn], rules: list[Lookup]) -> list[CodedColumn]:
    followers = {rule.column for rule in rules}
    return [c for c in coded if c.column.name not in followers]


def _single(df: pd.DataFrame, coded: list[CodedColumn]) -> list[Lookup]:
    """Find the columns that follow from another one."""
    # The finest key first, so that what follows from it is no key itself; of two that follow from
    # each other the one that comes first.
    by_size = sorted(coded, key=lambda c: -c.size)
    followers: set[Hashable] = set()
    rules = []
    for place, key in enumerate(by_size):
        name = key.column.name
        if key.size > most_keys(len(df)) or key.column.kind not in KEYS or name in followers:
            continue
        for other in by_size[place + 1 :]:
            if other.column.name in followers:
                continue
            levels = deciding(key, other, len(coded) ** 2)
            if levels is not None:
                followers.add(other.column.name)
                rule = Lookup(name, other.column.name, found=True)
                rules.append(rule.fit(df[levels[key.codes]]))
    return rules
