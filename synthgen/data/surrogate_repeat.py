"""Keys that several rows share, made up anew with the same numbers of rows per key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.shuffle import key_of, pack, permute, unpack
from synthgen.data.surrogate_id import NumberIds, PatternIds, SequenceIds, fit_ids, ids_from_json

#: From this share of distinct values on, repeated ids are taken for mistakes in the data.
ALMOST_DISTINCT = 0.9


@dataclass(frozen=True, eq=False)
class RepeatedIds:
    """Keys of which one has three rows, another one, and so on, like in the real table.

    As many synthetic rows as there were real ones have exactly the real table's numbers of rows
    per key; which rows share a key is shuffled, and the keys are none of the real ones.

    Parameters
    ----------
    ids : NumberIds, SequenceIds or PatternIds
        Make the keys.
    sizes, keys : numpy.ndarray of int64, shape (different sizes,)
        `keys` many keys have `sizes` many rows each.
    key : int
        Of the shuffle.
    """

    ids: NumberIds | SequenceIds | PatternIds
    sizes: np.ndarray
    keys: np.ndarray
    key: int

    def generate(self, rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
        """Make keys for the row numbers; see :class:`synthgen.data.surrogate.Surrogate`."""
        ends = np.cumsum(self.sizes * self.keys)
        cycle, place = np.divmod(rows, ends[-1])
        place = permute(place, int(ends[-1]), self.key)
        which = np.searchsorted(ends, place, side="right")
        within = place - (ends - self.sizes * self.keys)[which]
        first = np.cumsum(self.keys) - self.keys
        number = first[which] + within // self.sizes[which]
        return self.ids.generate(cycle * self.keys.sum() + number, rng)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {
            "type": "repeated_ids",
            "ids": self.ids.to_json(),
            "sizes": pack(self.sizes),
            "keys": pack(self.keys),
            "key": self.key,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> RepeatedIds:
        """Read a document written by :meth:`to_json`."""
        return cls(
            ids=ids_from_json(document["ids"]),
            sizes=unpack(document["sizes"], "<i8"),
            keys=unpack(document["keys"], "<i8"),
            key=document["key"],
        )


def fit_keys(
    present: pd.Series, column: Column
) -> NumberIds | SequenceIds | PatternIds | RepeatedIds:
    """Learn the form of ids and, where rows share them, how many rows do.

    Parameters
    ----------
    present : pandas.Series
        Real ids, none missing: whole numbers or texts.
    column : Column

    Raises
    ------
    InvalidDataError
        If the values are neither whole numbers nor texts.
    """
    ids = fit_ids(present, column)
    rows_per_key = present.value_counts().to_numpy()
    if len(rows_per_key) >= ALMOST_DISTINCT * len(present):
        return ids
    sizes, keys = np.unique(rows_per_key, return_counts=True)
    return RepeatedIds(
        ids, sizes.astype(np.int64), keys.astype(np.int64), key_of("repeat", column.name)
    )
