"""The constraint that one column follows from others, as a country follows from a city."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from synthgen.core.documents import encode_scalar
from synthgen.data.cells import (
    level_cells,
    ordered_numbers,
    plain_values,
    put_cells,
    require_columns,
)
from synthgen.data.wall_time import (
    DATE_PARTS,
    PART_RANGES,
    DatePart,
    date_part,
    to_wall,
)
from synthgen.data.zones import is_zone, zone_name
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
        What belongs to each key; filled in by :meth:`fit`. A missing value is None. With `also`, a
        key is a tuple; with `part`, a whole number.
    found : bool, default=False
        Whether it was read off rows, by :meth:`Schema.infer <synthgen.Schema.infer>`.
    also : tuple of hashable, optional
        Columns that decide together with `key`, as origin and destination decide a distance.
    part : {"year", "quarter", "month", "week", "day", "dayofyear", "weekday", "hour", "minute"}, \
optional
        The key is a date, of which only this part decides. Mondays are 0, weeks those of ISO 8601.
    zone : str, optional
        Time zone of the clocks that the part is read off; that of the key by default. Dates
        without a zone are then taken for UTC.
    format : str, optional
        Of dates that are stored as text; a schema fills it in.

    Examples
    --------
    >>> df = pd.DataFrame({"city": ["Bonn", "Rome"], "country": ["de", "it"]})
    >>> rule = Lookup("city", "country").fit(df)
    >>> rule.check(pd.DataFrame({"city": ["Bonn", "Bonn"], "country": ["de", "it"]})).tolist()
    [True, False]

    >>> days = pd.DataFrame({"day": pd.to_datetime(["2024-05-31", "2024-06-01"]), "month": [5, 6]})
    >>> Lookup("day", "month", part="month").fit(days).check(days.assign(month=6)).tolist()
    [False, True]
    """

    key: Hashable
    column: Hashable
    table: tuple[tuple[Any, Any], ...] | None = None
    found: bool = field(default=False, compare=False)
    also: tuple[Hashable, ...] = ()
    part: DatePart | None = None
    zone: str | None = None
    format: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.also, (tuple, list)) or not all(
            isinstance(name, Hashable) for name in self.also
        ):
            raise ConstraintError(f"also takes a list of columns, got {self.also!r}.")
        object.__setattr__(self, "also", tuple(self.also))
        names = [*self.keys, self.column]
        if len(set(names)) < len(names):
            raise ConstraintError(
                f"Lookup needs two columns or more that differ from each other, got {names!r}."
            )
        if self.part is not None and (self.part not in DATE_PARTS or self.also):
            raise ConstraintError(
                f"part must be one of {DATE_PARTS!r} of a single key, got {self.part!r} of "
                f"{self.keys!r}."
            )
        if self.zone is not None and not is_zone(self.zone):
            raise ConstraintError(f"No time zone is known by the name {self.zone!r}.")
        if self.table is not None:
            self._check_table(self.table)

    def _check_table(self, table: Any) -> None:
        try:
            pairs = tuple((key, value) for key, value in table)
            keys = set(dict(pairs))
        except (TypeError, ValueError) as error:
            raise ConstraintError(
                f"The table of Lookup({self.key!r}, {self.column!r}) must consist of pairs of "
                f"a key and a value: {error}."
            ) from error
        if len(keys) < len(pairs):
            raise ConstraintError(f"The table of Lookup({self.key!r}) has a key twice.")
        wrong = [
            key
            for key in keys
            if self.also and not (isinstance(key, tuple) and len(key) == len(self.keys))
        ]
        if wrong:
            raise ConstraintError(
                f"The keys of Lookup({self.key!r}, {self.column!r}, also={self.also!r}) must be "
                f"tuples of {len(self.keys)} values, got {wrong[0]!r}."
            )
        object.__setattr__(self, "table", pairs)

    @property
    def keys(self) -> tuple[Hashable, ...]:
        """The columns that decide."""
        return (self.key, *self.also)

    @property
    def columns(self) -> tuple[Hashable, ...]:
        """The columns that decide, and the one that follows."""
        return (*self.keys, self.column)

    def fit(self, df: pd.DataFrame) -> Lookup:
        """Return the constraint with the table filled in: the most frequent value of each key."""
        codes, keys = self.levels(df)
        values, levels = _coded(df[self.column])
        pairs, counts = np.unique(codes * len(levels) + values, return_counts=True)
        table: dict[Any, Any] = {}
        for pair in pairs[np.argsort(-counts, kind="stable")]:
            key, value = divmod(int(pair), len(levels))
            table.setdefault(keys[key], levels[value])
        if self.part is not None:
            table |= _other_parts(table, self.part)
        return replace(self, table=tuple(table.items()))

    def levels(self, df: pd.DataFrame) -> tuple[np.ndarray, list[Any]]:
        """Return the number of each row's key, (n,), and the keys, None or with None if missing.

        Raises
        ------
        ConstraintError
            If a column is missing, or a part is to be taken of what is no date.
        """
        require_columns(df, self.columns[:-1])
        if self.part is not None:
            codes, parts = _coded(pd.Series(self._parts(df)))
            return codes, [None if part is None else int(part) for part in parts]
        if not self.also:
            return _coded(df[self.key])
        codes = np.zeros(len(df), dtype=np.int64)
        for name in self.keys:
            own, levels = _coded(df[name])
            _, codes = np.unique(codes * len(levels) + own, return_inverse=True)
        _, first = np.unique(codes, return_index=True)
        cells = [plain_values(df[name].iloc[first]) for name in self.keys]
        return codes, list(zip(*cells, strict=True))

    def _parts(self, df: pd.DataFrame) -> np.ndarray:
        assert self.part is not None  # asked for by levels
        seconds, kind = ordered_numbers(df, self.key, self.format)
        if kind != "datetime":
            raise ConstraintError(f"Only dates have a {self.part}, {self.key!r} holds {kind}s.")
        zone, dtype = self.zone, df[self.key].dtype
        if zone is None and isinstance(dtype, pd.DatetimeTZDtype):
            zone = zone_name(dtype.tz)
        return date_part(to_wall(seconds, zone), self.part)

    def check(self, df: pd.DataFrame) -> np.ndarray:
        """Return for each row whether it obeys, shape (n,)."""
        places = self._places(df)
        require_columns(df, (self.column,))
        values = [value for _, value in self._pairs()]
        numbers = {value: k for k, value in enumerate(dict.fromkeys(values))}
        expected = np.array([*(numbers[value] for value in values), -1])[places]
        codes, levels = _coded(df[self.column])
        found = np.array([*(numbers.get(level, -1) for level in levels), -1])[codes]
        return np.asarray((places < 0) | (expected == found))

    def values(self, df: pd.DataFrame, like: pd.Series) -> tuple[np.ndarray, pd.Series]:
        """Return the rows whose key is known, and what belongs there in the dtype of a column."""
        places = self._places(df)
        rows = np.flatnonzero(places >= 0)
        return rows, level_cells([value for _, value in self._pairs()], places[rows], like)

    def repair(self, df: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
        """Look the last column up."""
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
        places = {key: k for k, (key, _) in enumerate(self._pairs())}
        codes, keys = self.levels(df)
        return np.asarray(np.array([*(places.get(key, -1) for key in keys), -1])[codes])

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
            "also": [encode_scalar(name) for name in self.also],
            "part": self.part,
            "zone": self.zone,
            "format": self.format,
        }


def _other_parts(table: dict[Any, Any], part: DatePart) -> dict[Any, Any]:
    """Continue a table that counts as the part does over the parts that no row had."""
    counted = {key: value for key, value in table.items() if key is not None}
    if len(counted) < 2 or not all(type(value) is int for value in counted.values()):
        return {}
    steps = {value - key for key, value in counted.items()}
    if len(steps) > 1:
        return {}
    low, high = PART_RANGES.get(part, (min(counted), max(counted)))
    (step,) = steps
    return {key: key + step for key in range(low, high + 1) if key not in counted}


def _coded(series: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """Return the number of each cell's value, and the values as Python objects, None if missing."""
    codes, levels = pd.factorize(series)
    plain = plain_values(pd.Series(levels))
    if (codes < 0).any():
        codes, plain = np.where(codes < 0, len(plain), codes), [*plain, None]
    return codes.astype(np.int64), plain
