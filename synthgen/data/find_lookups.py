"""Columns that follow from another one: a country from a city, a label from a code.

Whether a column is a function of another is easy to see; whether that means something is a question
of how likely it would be by accident. If the cells of the column were dealt out at random, each key
that occurs n times would get n equal ones with a probability of sum_v p_v^n; the product over all
keys has to be next to nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.lookup_rule import Lookup

_KEYS: Final = ("categorical", "ordinal", "integer", "boolean")
_FOLLOWERS: Final = (*_KEYS, "numeric")
_ENOUGH_ROWS: Final = 100
_MOST_KEYS: Final = 1_000
#: Rows per key on average, at least.
_ROWS_PER_KEY: Final = 5
_MOST_COLUMNS: Final = 200
_PROBE: Final = 2_000
#: Log probability of a dependency by accident, over all pairs of columns together.
_ACCIDENT: Final = -20.0


@dataclass(frozen=True)
class _Coded:
    """A column as codes of its levels, missing among them."""

    column: Column
    codes: np.ndarray
    counts: np.ndarray

    @property
    def size(self) -> int:
        """Number of levels."""
        return len(self.counts)


def find_lookups(
    df: pd.DataFrame, columns: Sequence[Column], taken: frozenset[Hashable] = frozenset()
) -> tuple[Lookup, ...]:
    """Return the columns that follow from another one in every row.

    Parameters
    ----------
    df : pandas.DataFrame
        At least 100 rows, or nothing is found.
    columns : sequence of Column
        Keys are categories and whole numbers with at most 1,000 values of 5 rows each on average;
        numbers can follow as well. The first 200 of them are looked at.
    taken : frozenset of hashable
        Columns that follow from others already.

    Returns
    -------
    tuple of Lookup
        Each column follows from one key, the one with the most levels; no key follows from another
        column.

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
    coded = [c for c in _coded(df, columns) if c.column.name not in taken]
    # The finest key first, so that what follows from it is no key itself; of two that follow from
    # each other the one that comes first.
    coded.sort(key=lambda c: -c.size)
    most = min(_MOST_KEYS, len(df) // _ROWS_PER_KEY)
    limit = _ACCIDENT - np.log(max(len(coded), 1)) * 2
    followers: set[Hashable] = set()
    rules = []
    for place, key in enumerate(coded):
        if key.size > most or key.column.kind not in _KEYS or key.column.name in followers:
            continue
        for other in coded[place + 1 :]:
            if other.column.name not in followers and _follows(key, other, limit):
                followers.add(other.column.name)
                pair = Lookup(key.column.name, other.column.name, found=True)
                rules.append(pair.fit(df))
    order = {column.name: place for place, column in enumerate(columns)}
    return tuple(sorted(rules, key=lambda rule: order[rule.column]))


def _coded(df: pd.DataFrame, columns: Sequence[Column]) -> list[_Coded]:
    found = []
    for column in columns:
        if column.kind not in _FOLLOWERS:
            continue
        codes, levels = pd.factorize(df[column.name], use_na_sentinel=False)
        if len(levels) > 1:
            found.append(_Coded(column, codes.astype(np.int64), np.bincount(codes)))
        if len(found) == _MOST_COLUMNS:
            break
    return found


def _follows(key: _Coded, other: _Coded, limit: float) -> bool:
    """Whether the other column is a function of the key, and hardly by accident."""
    if other.size > key.size:
        return False
    for rows in (slice(0, _PROBE), slice(None)):
        pairs = np.unique(key.codes[rows] * other.size + other.codes[rows])
        if len(pairs) > len(np.unique(pairs // other.size)):
            return False
    shares = other.counts / other.counts.sum()
    sizes, times = np.unique(key.counts, return_counts=True)
    equal = np.log(np.maximum((shares[None, :] ** sizes[:, None]).sum(axis=1), 1e-300))
    return bool(times @ equal < limit)
