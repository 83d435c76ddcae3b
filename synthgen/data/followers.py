"""Whether a column is a function of a key, and hardly by accident.

Keys with several values, as an airport to which two distances are on record, decide nothing; they
may have one row in a hundred.

That a column follows from a key is easy to see; whether it means something is a question of how
likely it would be by accident. If the cells of the column were dealt out at random, each key that
occurs n times would get n equal ones with a probability of sum_v p_v^n; the product over all keys
has to be next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from synthgen.data.column import Column

#: Kinds of columns that can decide, and that can follow.
KEYS: Final = ("categorical", "ordinal", "integer", "boolean")
FOLLOWERS: Final = (*KEYS, "numeric")
MOST_KEYS: Final = 1_000
#: Rows per key on average, at least.
_ROWS_PER_KEY: Final = 5
_MOST_COLUMNS: Final = 200
#: Share of the rows that may have a key with several values; among the first rows more.
MOST_OPEN: Final = 0.01
_PROBE: Final = 2_000
_PROBE_FACTOR: Final = 5
#: Share of the rows without the most frequent value whose key has a further row, at least.
_LEAST_REPEATED: Final = 0.8
#: Log probability of a dependency by accident, over all that are looked at together.
_ACCIDENT: Final = -20.0


@dataclass(frozen=True, eq=False)
class Coded:
    """Rows as codes of their levels, missing among them.

    Parameters
    ----------
    codes : numpy.ndarray of int64, shape (n,)
    counts : numpy.ndarray of int64, shape (levels,)
        Rows of each level.
    """

    codes: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, codes: np.ndarray) -> Coded:
        """Return the same for numbers from 0, of which some may be absent."""
        _, dense = np.unique(codes, return_inverse=True)
        return cls(dense.astype(np.int64), np.bincount(dense))

    @property
    def size(self) -> int:
        """Number of levels."""
        return len(self.counts)


@dataclass(frozen=True, eq=False)
class CodedColumn(Coded):
    """A column as codes of its levels."""

    column: Column


def code_columns(df: pd.DataFrame, columns: Sequence[Column]) -> list[CodedColumn]:
    """Return the first 200 columns of two levels or more that can decide or follow."""
    found = []
    for column in columns:
        if column.kind not in FOLLOWERS:
            continue
        codes, levels = pd.factorize(df[column.name], use_na_sentinel=False)
        if len(levels) > 1:
            found.append(CodedColumn(codes.astype(np.int64), np.bincount(codes), column))
        if len(found) == _MOST_COLUMNS:
            break
    return found


def most_keys(n_rows: int) -> int:
    """Return how many levels a key may have."""
    return min(MOST_KEYS, n_rows // _ROWS_PER_KEY)


def deciding(
    key: Coded, other: Coded, looked_at: int, most_open: float = MOST_OPEN
) -> np.ndarray | None:
    """Return which levels of a key decide a column; None if it does not follow but by accident.

    Parameters
    ----------
    key, other : Coded
    looked_at : int
        How many pairs of a key and a column are looked at; one of them may be an accident.
    most_open : float
        Share of the rows that may have keys with several values, in [0, 1].

    Returns
    -------
    numpy.ndarray of bool, shape (levels of the key,), or None
    """
    if other.size > key.size:
        return None
    for rows, most in ((slice(0, _PROBE), _PROBE_FACTOR * most_open), (slice(None), most_open)):
        codes = key.codes[rows]
        changed = codes[differs_within(codes, key.size, other.codes[rows])]
        open_keys = np.bincount(changed, minlength=key.size) > 0
        if open_keys[codes].mean() > most:
            return None
    rare = other.codes != other.counts.argmax()
    if (key.counts[key.codes[rare]] > 1).mean() < _LEAST_REPEATED:
        return None  # Of keys with a single row each nothing can be said.
    shares = other.counts / other.counts.sum()
    sizes, times = np.unique(key.counts[~open_keys], return_counts=True)
    equal = np.log(np.maximum((shares[None, :] ** sizes[:, None]).sum(axis=1), 1e-300))
    # One of the pairs that are looked at, and any choice of keys to leave open.
    chances = np.log(max(looked_at, 1)) + open_keys.sum() * np.log(key.size)
    return ~open_keys if times @ equal + chances < _ACCIDENT else None


def differs_within(keys: np.ndarray, size: int, values: np.ndarray) -> np.ndarray:
    """Return where a value is another one than in some fixed row with the same key.

    Parameters
    ----------
    keys : numpy.ndarray of int, shape (n,)
        From 0 to `size` - 1.
    size : int
    values : numpy.ndarray of shape (..., n)

    Returns
    -------
    numpy.ndarray of bool, shape (..., n)
    """
    row = np.zeros(size, dtype=np.int64)
    row[keys] = np.arange(len(keys))
    return np.asarray(values != values[..., row[keys]])
