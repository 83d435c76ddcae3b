"""Columns of quantities: numbers, durations, and moments in time.

A moment is several encoded parts: some things repeat and others do not. The time of day, where
it varies, is one of its own: "rush hour" is a few states of it whatever the date. Days are split
further where the data show a reason (:func:`~synthgen.encode.calendar.choose_calendar`): they are
months, if all are the same day of the month; week and weekday, if they are many; else whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.schema import Column
from synthgen.data.values import from_numbers, to_numbers
from synthgen.data.wall_time import from_wall, to_wall
from synthgen.encode.base import CellCondition, Resolution
from synthgen.encode.calendar import (
    DAY,
    Calendar,
    calendar_from_state,
    choose_calendar,
)
from synthgen.encode.calendar_conditions import calendar_cells
from synthgen.encode.canonical import canonical, move_into
from synthgen.encode.layout import Head, StateBlock
from synthgen.encode.numeric import NumericEncoder, range_ends
from synthgen.encode.wanted import Between, Wanted

_CLOCK = "clock"


@dataclass(frozen=True)
class QuantityEncoder:
    """Encoder of a numeric, integer, datetime or timedelta column.

    Parameters
    ----------
    column : Column
    parts : tuple of NumericEncoder
        The value, or the parts of the day, and then the time of day if there is a clock. Missing
        is a state of the first part; the others hold any ordinary value there.
    clocked : bool
        Whether the last part is the seconds since midnight.
    calendar : Months or Weeks, optional
        How days are split, as clocks in the column's time zone show them. Without it the first part
        is the value, or, with a clock, the day in UTC.
    time : float
        Seconds since midnight of all moments, with a calendar and without a clock.
    """

    column: Column
    parts: tuple[NumericEncoder, ...]
    clocked: bool = False
    calendar: Calendar | None = None
    time: float = 0.0

    @classmethod
    def fit(cls, frame: pd.DataFrame, column: Column, resolution: Resolution) -> QuantityEncoder:
        """Learn from one column of `frame`."""
        numbers = to_numbers(frame[column.name], column)
        if column.kind != "datetime":
            return cls(column, (NumericEncoder.fit(numbers, resolution),))
        day, seconds = _split(to_wall(numbers, column.time_zone))
        calendar = choose_calendar(day, resolution)
        if calendar is None:
            day, seconds = _split(numbers)
        times = seconds[~np.isnan(seconds)]
        clocked = len(times) > 0 and bool(times.max() > times.min())
        whole = (day if clocked else numbers,)
        parts = whole if calendar is None else calendar.split(day)
        fitted = [NumericEncoder.fit(parts[0], resolution)]
        # Where the other parts say nothing, they are as elsewhere: their shares stay what they are.
        others = (*parts[1:], seconds) if clocked else parts[1:]
        fitted += [NumericEncoder.fit(part[~np.isnan(part)], resolution) for part in others]
        time = float(times[0]) if calendar is not None and not clocked else 0.0
        return cls(column, tuple(fitted), clocked, calendar, time)

    @property
    def names(self) -> tuple[Any, ...]:
        """The column's label."""
        return (self.column.name,)

    @property
    def whole(self) -> NumericEncoder:
        """The first part: the value, day, week or month."""
        return self.parts[0]

    @property
    def clock(self) -> NumericEncoder | None:
        """The part of the time of day."""
        return self.parts[-1] if self.clocked else None

    @property
    def blocks(self) -> tuple[StateBlock, ...]:
        """Blocks of all parts."""
        return tuple(block for part in self.parts for block in part.blocks)

    @property
    def heads(self) -> tuple[Head, ...]:
        """Heads of all parts, gates counted within :attr:`blocks`."""
        heads: list[Head] = []
        start = 0
        for part in self.parts:
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
        values = self._values(to_numbers(frame[self.column.name], self.column))
        encoded = [self.whole.transform(values[0], rng)]
        for part, own in zip(self.parts[1:], values[1:], strict=True):
            encoded.append(part.transform(_filled(own, part, rng), rng))
        return (
            np.concatenate([codes for codes, _ in encoded], axis=1),
            np.concatenate([scores for _, scores in encoded], axis=1),
        )

    def _values(self, numbers: np.ndarray) -> tuple[np.ndarray, ...]:
        """Split canonical numbers into what the parts encode."""
        if self.calendar is not None:
            day, seconds = _split(to_wall(numbers, self.column.time_zone))
            days = self.calendar.split(day)
            return (*days, seconds) if self.clocked else days
        return _split(numbers) if self.clocked else (numbers,)

    def inverse(
        self,
        codes: np.ndarray,
        scores: np.ndarray,
        rows: np.ndarray,
        rng: np.random.Generator,
        wanted: Mapping[Any, Wanted],
    ) -> dict[Any, Any]:
        """Return the column in its original dtype."""
        asked = wanted.get(self.column.name)
        number = None if asked is None else canonical(self.column, asked)
        values = self._decoded(codes, scores)
        if self.calendar is not None:
            numbers = self._moments(self.calendar, values, number)
        elif self.clocked:
            numbers = np.round(values[0]) * DAY + values[1]
        else:
            numbers = values[0]
        if number is not None:
            numbers = move_into(numbers, number)
        return {self.column.name: from_numbers(numbers, self.column)}

    def _decoded(self, codes: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
        """Return the value of each part."""
        values = []
        block = head = 0
        for part in self.parts:
            next_block, next_head = block + len(part.blocks), head + len(part.heads)
            values.append(part.inverse(codes[:, block:next_block], scores[:, head:next_head]))
            block, head = next_block, next_head
        return values

    def _moments(
        self, calendar: Calendar, values: list[np.ndarray], asked: Wanted | None
    ) -> np.ndarray:
        """Join the parts; days outside a wanted range are moved into it."""
        count = len(calendar.names)
        parts = tuple(values[:count])
        seconds = values[-1] if self.clocked else np.full(len(parts[0]), self.time)
        if asked is None or asked.between is None:
            days = calendar.join(parts, -np.inf, np.inf)
        else:
            low, high = range_ends(self._shown(asked))
            least, most = np.ceil((low - seconds) / DAY), np.floor((high - seconds) / DAY)
            days = calendar.join(parts, least, most)
            # With its time of day a row may fit on no day; then at least the day is a wanted one.
            late = (days < least) | (days > most)
            whole = calendar.join(parts, np.floor(low / DAY), np.floor(high / DAY))
            days = np.where(late, whole, days)
        return from_wall(days * DAY + seconds, self.column.time_zone)

    def _shown(self, asked: Wanted) -> Wanted:
        """Return a condition in canonical numbers as clocks in the column's time zone show it."""
        between = asked.between
        if between is not None:
            between = Between(*(None if end is None else self._wall(end) for end in _ends(between)))
        return Wanted(tuple(self._wall(value) for value in asked.values), asked.missing, between)

    def _wall(self, number: float) -> float:
        return float(to_wall(np.array([number], dtype=np.float64), self.column.time_zone)[0])

    def condition(self, name: Any, wanted: Wanted) -> CellCondition:
        """Translate a condition on the column; a range of moments restricts the days only.

        Raises
        ------
        ConditionError
            If no value of the column can satisfy it.
        """
        asked = canonical(self.column, wanted)
        if self.calendar is not None:
            asked = self._shown(asked)
            days = self._days(asked)
            found = calendar_cells(name, self.calendar, self.parts, days, wanted)
        elif self.clock is None:
            return self.whole.condition(name, asked)
        else:
            found = self.whole.condition(name, self._days(asked))
        if self.clock is None:
            return found
        times = CellCondition((None,) * len(self.clock.blocks), (None,) * len(self.clock.heads))
        if asked.values and not asked.missing:
            of_day = tuple(dict.fromkeys(value % DAY for value in asked.values))
            times = self.clock.condition(name, Wanted(of_day))
        return CellCondition(found.states + times.states, found.intervals + times.intervals)

    def _days(self, asked: Wanted) -> Wanted:
        """Return the days of a condition on moments."""
        between = asked.between
        if between is not None:
            # Without a clock the time of day is known, and the first or the last day may be out.
            time, early = (0.0, 0.0) if self.clocked else (self.time, 1.0)
            low, high = _ends(between)
            low = None if low is None else np.ceil((low - time) / DAY) if early else low // DAY
            high = None if high is None else (high - time) // DAY
            between = Between(low, high)
        return Wanted(tuple(value // DAY for value in asked.values), asked.missing, between)

    @property
    def _part_names(self) -> tuple[str, ...]:
        names = ("whole",) if self.calendar is None else self.calendar.names
        return (*names, _CLOCK) if self.clocked else names

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays."""
        facts: dict[str, Any] = {}
        arrays: dict[str, np.ndarray] = {}
        for name, part in zip(self._part_names, self.parts, strict=True):
            facts[name], values = part.to_state()
            arrays |= {f"{name}.{key}": value for key, value in values.items()}
        if self.calendar is not None:
            rule, values = self.calendar.to_state()
            facts["calendar"] = rule | {"time": self.time}
            arrays |= {f"calendar.{key}": value for key, value in values.items()}
        return facts, arrays

    @classmethod
    def from_state(
        cls, column: Column, facts: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> QuantityEncoder:
        """Rebuild an encoder from :meth:`to_state`; without a calendar days are whole."""

        def own(name: str) -> dict[str, np.ndarray]:
            prefix = f"{name}."
            return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

        parts = tuple(
            NumericEncoder.from_state(facts[name], own(name))
            for name in ("whole", "weekday", _CLOCK)
            if name in facts
        )
        rule = facts.get("calendar")
        if rule is None:
            return cls(column, parts, _CLOCK in facts)
        calendar = calendar_from_state(rule, own("calendar"))
        return cls(column, parts, _CLOCK in facts, calendar, rule["time"])


def _split(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split seconds since 1970 into days and seconds since midnight."""
    day = np.floor(numbers / DAY)
    return day, numbers - day * DAY


def _ends(between: Between) -> tuple[float | None, float | None]:
    return between.low, between.high


def _filled(
    values: np.ndarray, part: NumericEncoder, rng: np.random.Generator | None
) -> np.ndarray:
    """Put ordinary values where there are none: as elsewhere with `rng`, else the most usual."""
    gaps = np.isnan(values)
    if not gaps.any():
        return values
    filled = values.copy()
    if rng is None or gaps.all():
        filled[gaps] = part.inverse(*_first_cell(part))[0]
    else:
        filled[gaps] = rng.choice(values[~gaps], int(gaps.sum()))
    return filled


def _first_cell(encoder: NumericEncoder) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and scores of one ordinary value: the most frequent state, the middle rank."""
    codes = [[int(np.argmax(block.frequencies)) for block in encoder.blocks]]
    return np.array(codes, dtype=np.int32), np.zeros((1, len(encoder.heads)), np.float32)
