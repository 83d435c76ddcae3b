"""Columns of quantities: numbers, durations, and moments in time as day and time of day.

A datetime with a varying time of day is two encoded parts, since hours repeat every day and days do
not: "rush hour" is a few states of the second part whatever the date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.schema import Column
from synthgen.data.values import from_numbers, to_numbers
from synthgen.encode.base import CellCondition, Resolution
from synthgen.encode.canonical import canonical, move_into
from synthgen.encode.layout import Head, StateBlock
from synthgen.encode.numeric import NumericEncoder
from synthgen.encode.wanted import Between, Wanted

_DAY = 86_400.0


@dataclass(frozen=True)
class QuantityEncoder:
    """Encoder of a numeric, integer, datetime or timedelta column.

    Parameters
    ----------
    column : Column
    whole : NumericEncoder
        Encodes the value, or, for a datetime with a time of day, the day.
    clock : NumericEncoder or None
        Encodes the seconds since midnight; missing there whenever the day is.
    """

    column: Column
    whole: NumericEncoder
    clock: NumericEncoder | None

    @classmethod
    def fit(cls, frame: pd.DataFrame, column: Column, resolution: Resolution) -> QuantityEncoder:
        """Learn from one column of `frame`."""
        numbers = to_numbers(frame[column.name], column)
        if column.kind == "datetime":
            day, seconds = _split(numbers)
            present = seconds[~np.isnan(seconds)]
            if len(present) and present.max() > present.min():
                # Missing days have no clock of their own; an ordinary time stands in for them.
                seconds = np.where(np.isnan(seconds), np.median(present), seconds)
                return cls(
                    column,
                    NumericEncoder.fit(day, resolution),
                    NumericEncoder.fit(seconds, resolution),
                )
        return cls(column, NumericEncoder.fit(numbers, resolution), None)

    @property
    def names(self) -> tuple[Any, ...]:
        """The column's label."""
        return (self.column.name,)

    @property
    def _parts(self) -> tuple[NumericEncoder, ...]:
        return (self.whole,) if self.clock is None else (self.whole, self.clock)

    @property
    def blocks(self) -> tuple[StateBlock, ...]:
        """Blocks of all parts."""
        return tuple(block for part in self._parts for block in part.blocks)

    @property
    def heads(self) -> tuple[Head, ...]:
        """Heads of all parts, gates counted within :attr:`blocks`."""
        heads: list[Head] = []
        start = 0
        for part in self._parts:
            for head in part.heads:
                gate = None if head.gate is None else head.gate + start
                heads.append(Head(0, head.edges, head.atoms, head.curve, gate))
            start += len(part.blocks)
        return tuple(heads)

    def missing_states(self) -> list[tuple[int, int]]:
        """Return the states that mean missing."""
        return [(0, len(self.whole.frequencies) - 1)] if self.whole.missing else []

    def transform(
        self, frame: pd.DataFrame, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return codes of shape (n, blocks) and scores of shape (n, heads)."""
        numbers = to_numbers(frame[self.column.name], self.column)
        if self.clock is None:
            return self.whole.transform(numbers, rng)
        day, seconds = _split(numbers)
        usual = self.clock.inverse(*_first_cell(self.clock))[0]
        parts = [
            self.whole.transform(day, rng),
            self.clock.transform(np.where(np.isnan(seconds), usual, seconds), rng),
        ]
        return (
            np.concatenate([codes for codes, _ in parts], axis=1),
            np.concatenate([scores for _, scores in parts], axis=1),
        )

    def inverse(
        self,
        codes: np.ndarray,
        scores: np.ndarray,
        rows: np.ndarray,
        rng: np.random.Generator,
        wanted: Mapping[Any, Wanted],
    ) -> dict[Any, Any]:
        """Return the column in its original dtype."""
        if self.clock is None:
            numbers = self.whole.inverse(codes, scores)
        else:
            n_blocks, n_heads = len(self.whole.blocks), len(self.whole.heads)
            day = self.whole.inverse(codes[:, :n_blocks], scores[:, :n_heads])
            seconds = self.clock.inverse(codes[:, n_blocks:], scores[:, n_heads:])
            numbers = np.round(day) * _DAY + seconds
        asked = wanted.get(self.column.name)
        if asked is not None:
            numbers = move_into(numbers, canonical(self.column, asked))
        return {self.column.name: from_numbers(numbers, self.column)}

    def condition(self, name: Any, wanted: Wanted) -> CellCondition:
        """Translate a condition on the column; a range of moments restricts the days only."""
        asked = canonical(self.column, wanted)
        if self.clock is None:
            return self.whole.condition(name, asked)
        days = Wanted(
            tuple(value // _DAY for value in asked.values),
            asked.missing,
            _whole_days(asked.between),
        )
        first = self.whole.condition(name, days)
        second = CellCondition((None,) * len(self.clock.blocks), (None,) * len(self.clock.heads))
        if asked.values and not asked.missing:
            times = tuple(dict.fromkeys(value % _DAY for value in asked.values))
            second = self.clock.condition(name, Wanted(times))
        return CellCondition(first.states + second.states, first.intervals + second.intervals)

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays."""
        facts: dict[str, Any] = {}
        arrays: dict[str, np.ndarray] = {}
        for name, part in zip(("whole", "clock"), self._parts, strict=False):
            facts[name], values = part.to_state()
            arrays |= {f"{name}.{key}": value for key, value in values.items()}
        return facts, arrays

    @classmethod
    def from_state(
        cls, column: Column, facts: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> QuantityEncoder:
        """Rebuild an encoder from :meth:`to_state`."""
        parts = {
            name: NumericEncoder.from_state(
                facts[name],
                {k.split(".", 1)[1]: v for k, v in arrays.items() if k.startswith(f"{name}.")},
            )
            for name in facts
        }
        return cls(column, parts["whole"], parts.get("clock"))


def _split(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split seconds since 1970 into days and seconds since midnight."""
    day = np.floor(numbers / _DAY)
    return day, numbers - day * _DAY


def _whole_days(between: Between | None) -> Between | None:
    if between is None:
        return None
    low = None if between.low is None else between.low // _DAY
    high = None if between.high is None else between.high // _DAY
    return Between(low, high)


def _first_cell(encoder: NumericEncoder) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and scores of one ordinary value: the most frequent state, the middle rank."""
    codes = [[int(np.argmax(block.frequencies)) for block in encoder.blocks]]
    return np.array(codes, dtype=np.int32), np.zeros((1, len(encoder.heads)), np.float32)
