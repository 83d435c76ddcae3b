"""Ids made up anew: distinct for distinct rows, of the same form, and none of the real ones.

Where the real ids are dense the sequence goes on after the last one; where they are sparse, new
ones are spread over the same range or form. In small ranges the positions of the real ids are
kept to leave them out (positions after a keyed shuffle, though whoever has the model can undo it);
in ranges beyond 2**53 a clash is too unlikely to matter and nothing is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.dtypes import is_integer_dtype
from synthgen.data.pattern import capacity, learn_pattern, parse_pattern
from synthgen.data.shuffle import draw, key_of, mix, pack, permute, skip, unpack, unpermute
from synthgen.data.values import cast_values
from synthgen.errors import InvalidDataError

_DENSE: Final = 2.0
_HUGE: Final = 2**53
_LIMIT: Final = 2**62
_NONE: Final = np.empty(0, dtype=np.int64)
_NUMBERED: Final = re.compile(r"(.*?)(\d+)(\D*)", re.S)


@dataclass(frozen=True, eq=False)
class NumberIds:
    """Whole numbers: `low` + a shuffled position times `unit`, then on from the highest.

    Parameters
    ----------
    low, high : int
        Lowest and highest real id.
    unit : int
        Step between possible values (above 1 for floats too large for single steps, and for whole
        numbers that fill most of 64 bits).
    taken : numpy.ndarray of int64
        Sorted positions of the real ids.
    free : int
        How many positions between `low` and `high` are used; 0 if the real ids are dense.
    dtype : str
    key : int
    """

    low: int
    high: int
    unit: int
    taken: np.ndarray
    free: int
    dtype: str
    key: int

    def generate(self, rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
        """Make ids for the row numbers; see :class:`synthgen.data.surrogate.Surrogate`."""
        del rng
        inside = rows < self.free
        size = (self.high - self.low) // self.unit + 1
        positions = np.where(inside, 0, size + rows - self.free)
        if inside.any():
            positions[inside] = permute(skip(rows[inside], self.taken), size, self.key)
        self._check(int(positions.max(initial=0)))
        # Modulo 2**64, where sums of what is too large for 64 bits with a sign come out right.
        values = positions.astype(np.uint64) * np.uint64(self.unit) + np.uint64(self.low % 2**64)
        return cast_values(values if self.high >= 2**63 else values.view(np.int64), self.dtype)

    def _check(self, position: int) -> None:
        largest = 2**64 - 1 if self.high >= 2**63 else 2**63 - 1
        if is_integer_dtype(self.dtype):
            largest = int(np.iinfo(self.dtype.lower()).max)
        elif self.dtype.lower() == "float32":
            largest = 2**24
        if self.low + position * self.unit > largest:
            raise InvalidDataError(
                f"There are not enough numbers of dtype {self.dtype} for so many new ids. "
                "Convert the column to a wider dtype, or to another kind."
            )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {
            "type": "number_ids",
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "taken": pack(self.taken),
            "free": self.free,
            "dtype": self.dtype,
            "key": self.key,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> NumberIds:
        """Read a document written by :meth:`to_json`."""
        values = {name: value for name, value in document.items() if name != "type"}
        return cls(**(values | {"taken": unpack(document["taken"], "<i8")}))


@dataclass(frozen=True)
class SequenceIds:
    """Texts that are numbered: a prefix, a running number, a suffix.

    Parameters
    ----------
    prefix, suffix : str
    width : int
        Digits that the number is padded to; 0 for no padding. Beyond them it gets longer.
    start : int
        Number of the first new id.
    dtype : str
    """

    prefix: str
    suffix: str
    width: int
    start: int
    dtype: str

    def generate(self, rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
        """Make ids for the row numbers; see :class:`synthgen.data.surrogate.Surrogate`."""
        del rng
        prefix, suffix, width, start = self.prefix, self.suffix, self.width, self.start
        texts = [f"{prefix}{row + start:0{width}d}{suffix}" for row in rows.tolist()]
        return cast_values(np.array(texts, dtype=object), self.dtype)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {"type": "sequence_ids", **vars(self)}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> SequenceIds:
        """Read a document written by :meth:`to_json`."""
        return cls(**{name: value for name, value in document.items() if name != "type"})


@dataclass(frozen=True, eq=False)
class PatternIds:
    """Texts of a form, or of several in given shares.

    Parameters
    ----------
    pattern : str
        See :mod:`synthgen.data.pattern`.
    shares : tuple of int
        How many of every cycle of rows get which alternative.
    taken : tuple of numpy.ndarray of int64
        For each alternative the sorted positions of the real ids.
    dtype : str
    key : int
    """

    pattern: str
    shares: tuple[int, ...]
    taken: tuple[np.ndarray, ...]
    dtype: str
    key: int

    def generate(self, rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
        """Make ids for the row numbers; see :class:`synthgen.data.surrogate.Surrogate`."""
        del rng
        alternatives = parse_pattern(self.pattern)
        free = [
            min(capacity(a), _LIMIT) - len(t) for a, t in zip(alternatives, self.taken, strict=True)
        ]
        which, index = self._allocate(rows, free)
        texts = np.empty(len(rows), dtype=object)
        for k, positions in enumerate(alternatives):
            mine = np.flatnonzero(which == k)
            if len(mine):
                texts[mine] = _fill(skip(index[mine], self.taken[k]), positions, self.key + 97 * k)
        return cast_values(texts, self.dtype)

    def _allocate(self, rows: np.ndarray, free: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Choose for every row the alternative and the position within it.

        Rows take turns by the shares; an alternative that is used up drops out.
        """
        which = np.full(len(rows), -1)
        index = np.zeros(len(rows), dtype=np.int64)
        used = [0] * len(free)
        first = 0
        active = [k for k in range(len(free)) if free[k] > 0]
        while active and (which < 0).any():
            turns = np.repeat(active, [self.shares[k] for k in active])
            rounds = min((free[k] - used[k]) // self.shares[k] for k in active)
            if rounds:
                mine = np.flatnonzero((rows >= first) & (rows < first + rounds * len(turns)))
                cycle, place = np.divmod(rows[mine] - first, len(turns))
                which[mine] = turns[place]
                for k in active:
                    own = mine[which[mine] == k]
                    start = int(np.flatnonzero(turns == k)[0])
                    turn = place[which[mine] == k] - start
                    index[own] = used[k] + cycle[which[mine] == k] * self.shares[k] + turn
                    used[k] += rounds * self.shares[k]
                first += rounds * len(turns)
            active = [k for k in active if free[k] - used[k] >= self.shares[k]]
        if (which < 0).any():
            raise _too_many(self.pattern, int(rows.max()))
        return which, index

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {
            "type": "pattern_ids",
            "pattern": self.pattern,
            "shares": list(self.shares),
            "taken": [pack(positions) for positions in self.taken],
            "dtype": self.dtype,
            "key": self.key,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> PatternIds:
        """Read a document written by :meth:`to_json`."""
        return cls(
            pattern=document["pattern"],
            shares=tuple(document["shares"]),
            taken=tuple(unpack(text, "<i8") for text in document["taken"]),
            dtype=document["dtype"],
            key=document["key"],
        )


def ids_from_json(document: dict[str, Any]) -> NumberIds | SequenceIds | PatternIds:
    """Read a document written by the ``to_json`` of one of the three."""
    readers: dict[str, Callable[[dict[str, Any]], NumberIds | SequenceIds | PatternIds]] = {
        "number_ids": NumberIds.from_json,
        "sequence_ids": SequenceIds.from_json,
        "pattern_ids": PatternIds.from_json,
    }
    return readers[document["type"]](document)


def fit_ids(present: pd.Series, column: Column) -> NumberIds | SequenceIds | PatternIds:
    """Learn the form of ids.

    Parameters
    ----------
    present : pandas.Series
        Real ids, none missing: whole numbers or texts.
    column : Column
        If it has a pattern, that is used.

    Raises
    ------
    InvalidDataError
        If the values are neither whole numbers nor texts.
    """
    content = pd.api.types.infer_dtype(present)
    key = key_of("id", column.name)
    if content == "string":
        return _fit_texts(np.asarray(present.astype(object).unique()), column, key)
    if content in ("integer", "floating", "mixed-integer-float", "decimal"):
        whole = [int(value) for value in present.unique()]
        if all(value == other for value, other in zip(whole, present.unique(), strict=True)):
            return _fit_numbers(whole, column, key)
    raise InvalidDataError(
        f"Column {column.name!r} of kind 'id' must hold whole numbers or texts; found {content}."
    )


def _fit_numbers(values: list[int], column: Column, key: int) -> NumberIds:
    low, high = min(values), max(values)
    exact = is_integer_dtype(column.dtype) or column.dtype.startswith("object")
    if low < -(2**63) or high >= 2**64 or (low < 0 and high >= 2**63):
        raise InvalidDataError(
            f"Column {column.name!r} holds whole numbers of more than 64 bits; make them text."
        )
    unit = 1 if exact else max(1, int(np.spacing(float(max(abs(low), abs(high))))))
    unit = max(unit, -(-(high - low + 1) // _LIMIT))
    size = (high - low) // unit + 1
    if size < _DENSE * len(values):
        return NumberIds(low, high, unit, _NONE, 0, column.dtype, key)
    taken = _NONE
    if size < _HUGE:
        positions = np.unique(np.array([(value - low) // unit for value in values]))
        taken = np.sort(unpermute(positions, size, key))
    return NumberIds(low, high, unit, taken, size - len(taken), column.dtype, key)


def _fit_texts(texts: np.ndarray, column: Column, key: int) -> SequenceIds | PatternIds:
    if column.pattern is None or column.pattern == learn_pattern(texts):
        sequence = _fit_sequence(texts, column.dtype)
        if sequence is not None:
            return sequence
    pattern = column.pattern or learn_pattern(texts) or _any_text(texts)
    alternatives = parse_pattern(pattern)
    counts, taken = [], []
    for k, positions in enumerate(alternatives):
        matching = [text for text in texts if _matches(text, positions)]
        counts.append(len(matching))
        taken.append(_taken(matching, positions, key + 97 * k))
    total = max(1, sum(counts))
    shares = tuple(max(1, round(100 * count / total)) for count in counts)
    return PatternIds(pattern, shares, tuple(taken), column.dtype, key)


def _fit_sequence(texts: np.ndarray, dtype: str) -> SequenceIds | None:
    """Recognise texts that differ in one running number."""
    matches = [_NUMBERED.fullmatch(text) for text in texts]
    forms = {(match[1], match[3]) if match else None for match in matches}
    if len(forms) != 1 or None in forms:
        return None
    numbers = [match[2] for match in matches if match]
    values = [int(number) for number in numbers]
    padded = len({len(number) for number in numbers}) == 1
    if not padded and any(number.startswith("0") and number != "0" for number in numbers):
        return None
    if max(values) - min(values) + 1 > 20 * len(values):
        return None
    ((prefix, suffix),) = (form for form in forms if form is not None)
    return SequenceIds(prefix, suffix, len(numbers[0]) if padded else 0, max(values) + 1, dtype)


def _any_text(texts: np.ndarray) -> str:
    length = int(np.median([len(text) for text in texts]))
    return f"[0-9A-Za-z]{{{min(max(length, 8), 32)}}}"


def _matches(text: str, positions: list[str]) -> bool:
    return len(text) == len(positions) and all(
        character in members for character, members in zip(text, positions, strict=True)
    )


def _window(positions: list[str]) -> tuple[int, int]:
    """Return how many trailing positions carry the row number, and how many values they have."""
    size, used = 1, 0
    for members in reversed(positions):
        if size >= _HUGE:
            break
        size, used = size * len(members), used + 1
    return used, size


def _taken(texts: list[str], positions: list[str], key: int) -> np.ndarray:
    used, size = _window(positions)
    if not texts or capacity(positions) >= _HUGE:
        return _NONE
    values = np.zeros(len(texts), dtype=np.int64)
    for place in range(len(positions) - used, len(positions)):
        members = positions[place]
        codes = [members.index(text[place]) for text in texts]
        values = values * len(members) + np.array(codes, dtype=np.int64)
    return np.sort(unpermute(values, size, key))


def _fill(index: np.ndarray, positions: list[str], key: int) -> np.ndarray:
    """Write positions within an alternative as texts."""
    used, size = _window(positions)
    if (index >= size).any():
        raise _too_many("".join(positions)[:40], int(index.max()))
    rest = permute(index, size, key)
    columns: list[np.ndarray] = []
    for place in range(len(positions) - 1, -1, -1):
        members = np.array(list(positions[place]))
        if place >= len(positions) - used:
            rest, codes = np.divmod(rest, len(members))
        else:  # the trailing positions make it distinct already
            codes = draw(mix(index, key), len(members), key_of(key, place))
        columns.append(members[codes])
    matrix = np.stack(columns[::-1], axis=1)
    joined = np.ascontiguousarray(matrix.astype("U1")).view(f"U{matrix.shape[1]}")
    return np.asarray(joined[:, 0].astype(object))


def _too_many(form: str, wanted: int) -> InvalidDataError:
    return InvalidDataError(
        f"The form {form!r} has not enough new ids for row number {wanted:,}. Give the column a "
        "wider form with schema.with_column(name, pattern=...), or another kind."
    )
