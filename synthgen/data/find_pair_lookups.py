"""Columns that follow from two others together: a distance from origin and destination."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd

from synthgen.data.followers import (
    KEYS,
    MOST_OPEN,
    Coded,
    CodedColumn,
    deciding,
    differs_within,
    most_keys,
)
from synthgen.data.lookup_rule import Lookup

_MOST_COLUMNS: Final = 40
_PROBE: Final = 2_000
#: Share of the first rows that must have the same keys as another one, to say anything.
_REPEATED: Final = 0.3
#: Whole numbers of more values measure something: they may tell keys apart, and decide nothing.
_MOST_NUMBERS: Final = 50
_NUMBERS: Final = ("numeric", "integer")

#: Two keys, what follows from them, and the rows where it does.
_Triple = tuple[CodedColumn, CodedColumn, CodedColumn, np.ndarray]


def find_pair_lookups(
    df: pd.DataFrame, coded: Sequence[CodedColumn], known: Sequence[Lookup] = ()
) -> list[Lookup]:
    """Return the columns that follow from two others, and from neither alone.

    Parameters
    ----------
    df : pandas.DataFrame
    coded : sequence of CodedColumn
        The first 40 keys that follow from no other column are combined.
    known : sequence of Lookup
        Their columns follow already, and their keys may not.

    Returns
    -------
    list of Lookup
        Where each of three columns follows from the other two, a number does, or else the column
        with the most levels.
    """
    followers = {rule.column for rule in known}
    used: set[Hashable] = {name for rule in known for name in rule.keys}
    left = [c for c in coded if c.column.name not in followers]
    most = most_keys(len(df))
    keys = [c for c in left if _may_decide(c) and c.size <= most][:_MOST_COLUMNS]
    others = [c for c in left if c.column.name not in used]
    if not others:
        return []
    probe = np.stack([c.codes[:: _step(len(df))] for c in others])
    triples = [
        triple for pair in combinations(keys, 2) for triple in _followed(pair, others, probe)
    ]
    triples.sort(key=lambda triple: (triple[2].column.kind not in _NUMBERS, -triple[2].size))
    rules = []
    for first, second, other, rows in triples:
        names = [c.column.name for c in (first, second, other)]
        if followers.isdisjoint(names) and names[2] not in used:
            followers.add(names[2])
            used.update(names[:2])
            rule = Lookup(names[0], names[2], found=True, also=(names[1],))
            rules.append(rule.fit(df[rows]))
    return rules


def _may_decide(column: CodedColumn) -> bool:
    kind = column.column.kind
    return kind in KEYS and (kind != "integer" or column.size <= _MOST_NUMBERS)


def _followed(
    pair: tuple[CodedColumn, CodedColumn], others: list[CodedColumn], probe: np.ndarray
) -> list[_Triple]:
    """Return the pair with each of the other columns that follows from it.

    `probe` has some rows of the other columns, (columns, rows), evenly spaced.
    """
    codes = pair[0].codes * pair[1].size + pair[1].codes
    n_rows = len(codes)
    few = Coded.of(codes[:: _step(n_rows)])
    if few.size > (1.0 - _REPEATED) * len(few.codes):
        return []
    changes = differs_within(few.codes, few.size, probe)
    hopeful = [
        other
        for other, share in zip(others, changes.mean(axis=1), strict=True)
        if share <= MOST_OPEN and other not in pair
    ]
    key = Coded.of(codes) if hopeful else few
    if key.size > most_keys(n_rows):
        return []
    # Each pair of keys with each other column, and there may be so many of either.
    looked_at = _MOST_COLUMNS**2 * len(others)
    found = []
    for other in hopeful:
        levels = deciding(key, other, looked_at)
        if levels is not None:
            found.append((*pair, other, levels[key.codes]))
    return found


def _step(n_rows: int) -> int:
    return max(1, n_rows // _PROBE)
