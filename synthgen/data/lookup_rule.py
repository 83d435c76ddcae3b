"""The constraint that one column follows from another, as a country follows from a city."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from synthgen.core.documents import encode_scalar
from synthgen.data.cells import level_cells, plain_values, put_cells, require_columns
from synthgen.errors import ConstraintError


@dataclass(frozen=True)
class Lookup:
    """The value of one column decides that of another; keys that are not in the table obey.

    Both columns are learned as any other; in generated rows the second is looked up. That keeps
    what the generator knows about each of them, where
    :class:`~synthgen.data.constraints.FixedCombinations` makes one column of both.

    Parameters
    ----------
    key, column : hashable
        The column that decides, and the one that follows.
    table : tuple of (key, value), optional
        What belongs to each key; filled in by :meth:`fit`. A missing value is None.
    found : bool, default=False
        Whether it was read off rows, by :meth:`Schema.infer <synthgen.Schema.infer>`.

    Examples
    --------
    >>> df = pd.DataFrame({"city": ["Bonn", "Rome"], "country": ["de", "it"]})
    >>> rule = Lookup("city", "country").fit(df)
    >>> rule.check(pd.DataFrame({"city": ["Bonn", "Bonn"], "country": ["de", "it"]})).tolist()
    [True, False]
    """

    key: Hashable
    column: Hashable
    table: tuple[tuple[Any, Any], ...] | None = None
    found: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if self.key == self.column:
            raise ConstraintError(f"Lookup needs two columns, got {self.key!r} twice.")
        if self.table is not None:
            try:
                pairs = tuple((key, value) for key, value in self.table)
                keys = set(dict(pairs))
            except (TypeError, ValueError) as error:
                raise ConstraintError(
                    f"The table of Lookup({self.key!r}, {self.column!r}) must consist of pairs of "
                    f"a key and a value: {error}."
                ) from error
            if len(keys) < len(pairs):
                raise ConstraintError(f"The table of Lookup({self.key!r}) has a key twice.")
            object.__setattr__(self, "table", pairs)

    @property
    def columns(self) -> tuple[Hashable, ...]:
        """The two columns."""
        return (self.key, self.column)

    def fit(self, df: pd.DataFrame) -> Lookup:
        """Return the constraint with the table filled in: the most frequent value of each key."""
        require_columns(df, self.columns)
        pairs = pd.Series(
            list(zip(*(plain_values(df[name]) for name in self.columns), strict=True))
        )
        table: dict[Any, Any] = {}
        for key, value in pairs.value_counts(sort=True).index:
            table.setdefault(key, value)
        return replace(self, table=tuple(table.items()))

    def check(self, df: pd.DataFrame) -> np.ndarray:
        """Return for each row whether it obeys, shape (n,)."""
        places = self._places(df)
        values = [value for _, value in self._pairs()]
        numbers = {value: k for k, value in enumerate(dict.fromkeys(values))}
        expected = np.array([*(numbers[value] for value in values), -1])[places]
        return np.asarray((places < 0) | (expected == _numbered(df[self.column], numbers)))

    def values(self, df: pd.DataFrame, like: pd.Series) -> tuple[np.ndarray, pd.Series]:
        """Return the rows whose key is known, and what belongs there in the dtype of a column."""
        places = self._places(df)
        rows = np.flatnonzero(places >= 0)
        return rows, level_cells([value for _, value in self._pairs()], places[rows], like)

    def repair(self, df: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
        """Look the second column up."""
        del rng
        if self.check(df).all():
            return df
        rows, cells = self.values(df, df[self.column])
        df = df.copy()
        df[self.column] = put_cells(df[self.column], rows, cells)
        return df

    def _pairs(self) -> tuple[tuple[Any, Any], ...]:
        if self.table is None:
            raise ConstraintError(
                f"Lookup({self.key!r}, {self.column!r}) has no table yet; call fit(df)."
            )
        return self.table

    def _places(self, df: pd.DataFrame) -> np.ndarray:
        """Return the place of each row's key in the table, -1 if it is not there."""
        require_columns(df, self.columns)
        return _numbered(df[self.key], {key: k for k, (key, _) in enumerate(self._pairs())})

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        table = self.table
        return {
            "type": "lookup",
            "key": encode_scalar(self.key),
            "column": encode_scalar(self.column),
            "table": None
            if table is None
            else [[encode_scalar(key), encode_scalar(value)] for key, value in table],
            "found": self.found,
        }


def _numbered(series: pd.Series, numbers: dict[Any, int]) -> np.ndarray:
    """Return the number of each cell's value, -1 if it has none; missing cells are None."""
    codes, levels = pd.factorize(series)
    known = [numbers.get(level, -1) for level in plain_values(pd.Series(levels))]
    return np.array([*known, numbers.get(None, -1)])[codes]
