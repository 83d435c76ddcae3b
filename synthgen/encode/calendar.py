"""Days as month, or as week and weekday: what a day number hides.

Days count from 1970-01-01, weeks begin on Mondays, months count from January of the year 0. All are
float64 arrays, NaN where missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np

from synthgen.encode.base import Resolution
from synthgen.encode.quantiles import SHARED

DAY: Final = 86_400.0
#: 1970-01-01 was a Thursday, a month of the year 1970.
_MONDAY, _JANUARY = 3, 1970 * 12
#: Least months and rows that make a day of the month a rule.
_MONTHS, _ROWS = 3, 6
#: Least days from first to last that a weekly rhythm is looked for in.
_SPAN = 56
#: How far days of independent weeks and weekdays may be from the real ones, beside chance.
_LOST = 0.02
#: Share of the rows on days that are not told apart by a few, from which on other days are closed.
_ALMOST_ALL = 0.99


def split_weeks(days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return week and weekday, Monday being 0.

    Examples
    --------
    >>> split_weeks(np.array([-4.0, -3.0, 0.0]))  # the last Sunday of 1969, Monday, Thursday
    (array([-1.,  0.,  0.]), array([6., 0., 3.]))
    """
    shifted = np.asarray(days, dtype=np.float64) + _MONDAY
    week = np.floor(shifted / 7)
    return week, shifted - 7 * week


def join_weeks(week: Any, weekday: Any) -> Any:
    """Return the days of :func:`split_weeks`."""
    return 7 * week + weekday - _MONDAY


def split_months(days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return month and day of the month, the first being 1.

    Examples
    --------
    >>> split_months(np.array([-1.0, 0.0, 31.0]))
    (array([23639., 23640., 23641.]), array([31.,  1.,  1.]))
    """
    missing = np.isnan(days)
    dates = np.where(missing, 0.0, days).astype(np.int64).astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    within = (dates - month.astype("datetime64[D]")).astype(np.float64) + 1
    number = month.astype(np.int64) + float(_JANUARY)
    return np.where(missing, np.nan, number), np.where(missing, np.nan, within)


def join_months(months: np.ndarray, day: int) -> np.ndarray:
    """Return day number `day` of each month, or its last if it is shorter.

    Examples
    --------
    >>> join_months(np.array([23640.0, 23641.0]), 31)  # 31 January and 28 February 1970
    array([30., 58.])
    """
    missing = np.isnan(months)
    number = np.where(missing, 0.0, months).astype(np.int64) - _JANUARY
    first = _first_day(number)
    length = _first_day(number + 1) - first
    return np.where(missing, np.nan, first + np.minimum(day, length) - 1)


def _first_day(month: np.ndarray) -> np.ndarray:
    return month.astype("datetime64[M]").astype("datetime64[D]").astype(np.float64)


@dataclass(frozen=True)
class Months:
    """Days that all are the same one of their month.

    Parameters
    ----------
    day : int
        From 1; 31 stands for the last of every month.
    """

    day: int

    names: ClassVar[tuple[str, ...]] = ("whole",)

    def split(self, days: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the month; any other day of it lies a little beside."""
        month, within = split_months(days)
        _, usual = split_months(join_months(month, self.day))
        return (month + (within - usual) / 64,)

    def join(
        self, parts: tuple[np.ndarray, ...], low: np.ndarray | float, high: np.ndarray | float
    ) -> np.ndarray:
        """Return the days from `low` to `high` that are nearest to the parts."""
        month = np.round(parts[0])
        least, most = self.between(np.asarray(low), np.asarray(high))
        return join_months(np.where(least <= most, np.clip(month, least, most), month), self.day)

    def between(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the first and the last month whose day lies from day `low` to day `high`."""
        ends = []
        for day, sign in ((low, 1), (high, -1)):
            month, _ = split_months(np.where(np.isfinite(day), day, np.nan))
            outside = sign * join_months(month, self.day) < sign * day
            ends.append(np.where(np.isfinite(day), month + sign * outside, day))
        return ends[0], ends[1]

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays."""
        return {"rule": "month", "day": self.day}, {}


@dataclass(frozen=True)
class Weeks:
    """Days of many weeks, as week and weekday.

    A day that much of the column falls on has a value of its own beside the weeks, a fraction above
    its week; its weekday says nothing and is NaN.

    Parameters
    ----------
    first, last : int
        The ordinary days lie between these.
    weekdays : tuple of int
        Weekdays seen, Monday being 0.
    spikes : numpy.ndarray
        Days with a value of their own, ascending.
    only : numpy.ndarray
        All other days there are, ascending; empty for any from first to last.
    """

    first: int
    last: int
    weekdays: tuple[int, ...]
    spikes: np.ndarray = field(default_factory=lambda: np.empty(0))
    only: np.ndarray = field(default_factory=lambda: np.empty(0))

    names: ClassVar[tuple[str, ...]] = ("whole", "weekday")

    def split(self, days: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return week and weekday."""
        week, weekday = split_weeks(days)
        own = np.isin(days, self.spikes)
        return np.where(own, self.own(days), week), np.where(own, np.nan, weekday)

    def own(self, days: np.ndarray) -> np.ndarray:
        """Return the values that spikes have."""
        week, weekday = split_weeks(days)
        return np.asarray(week + (weekday + 1) / 8)

    def join(
        self, parts: tuple[np.ndarray, ...], low: np.ndarray | float, high: np.ndarray | float
    ) -> np.ndarray:
        """Return the days from `low` to `high` that are nearest to the parts.

        Days that are none are moved by whole weeks, so that weekdays stay as they are.
        """
        week, weekday = np.round(parts[0]), parts[1]
        days = np.full(len(week), np.nan)
        for k in self.weekdays:
            rows = (weekday == k) & ~np.isnan(week)
            least = np.ceil((np.broadcast_to(low, week.shape)[rows] - join_weeks(0, k)) / 7)
            most = np.floor((np.broadcast_to(high, week.shape)[rows] - join_weeks(0, k)) / 7)
            days[rows] = join_weeks(_settle(week[rows], self._weeks_of(k), least, most), k)
        values = self.own(self.spikes)
        if len(values):
            place = np.minimum(np.searchsorted(values, parts[0]), len(values) - 1)
            days = np.where(values[place] == parts[0], self.spikes[place], days)
        return days

    @cached_property
    def everyday(self) -> np.ndarray:
        """All days from first to last on weekdays that were seen."""
        days = np.arange(self.first, self.last + 1, dtype=np.float64)
        return days[np.isin(split_weeks(days)[1], self.weekdays)]

    @cached_property
    def days(self) -> np.ndarray:
        """All days that ordinary rows are made on."""
        if not len(self.only):
            return np.setdiff1d(self.everyday, self.spikes)
        # A weekday of which no day is shared by many rows is not bound to the days that it had.
        lonely = np.setdiff1d(self.weekdays, split_weeks(self.only)[1])
        rare = self.everyday[np.isin(split_weeks(self.everyday)[1], lonely)]
        return np.union1d(self.only, rare)

    @cached_property
    def _split_days(self) -> tuple[np.ndarray, np.ndarray]:
        return split_weeks(self.days)

    def _weeks_of(self, weekday: int) -> np.ndarray:
        week, own = self._split_days
        return np.asarray(week[own == weekday])

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays."""
        facts = {"first": self.first, "last": self.last, "weekdays": list(self.weekdays)}
        return {"rule": "week"} | facts, {"spikes": self.spikes, "only": self.only}


Calendar = Months | Weeks


def calendar_from_state(facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> Calendar:
    """Rebuild a calendar from ``to_state``."""
    if facts["rule"] == "month":
        return Months(facts["day"])
    return Weeks(facts["first"], facts["last"], tuple(facts["weekdays"]), **arrays)


def choose_calendar(days: np.ndarray, resolution: Resolution) -> Calendar | None:
    """Choose how days are split.

    Months, if at least 6 rows in at least 3 months all fall on the same day of the month, or all on
    the last. Else weeks and weekdays, if the days are too many for a state each, the ordinary ones
    among them, spikes aside, span at least 8 weeks, and weeks and weekdays drawn independently give
    about the same days: where few weeks hold most rows, each has its own weekdays. Else they stay
    whole.

    Parameters
    ----------
    days : numpy.ndarray
        Day of each row, NaN where missing.
    resolution : Resolution
        Its `few` says how many days get a state each, its `spike` which are spikes.
    """
    present = days[~np.isnan(days)]
    distinct, counts = np.unique(present, return_counts=True)
    if len(present) >= _ROWS:
        months, within = split_months(distinct)
        if len(np.unique(months)) >= _MONTHS:
            if np.array_equal(join_months(months, 31), distinct):
                return Months(31)
            if (within == within[0]).all():
                return Months(int(within[0]))
    if len(distinct) <= resolution.few:
        return None
    own = counts > resolution.spike * len(days)
    ordinary, counts = distinct[~own], counts[~own]
    if not len(ordinary) or ordinary[-1] - ordinary[0] < _SPAN:
        return None
    shared = counts >= SHARED
    closed = counts[shared].sum() >= _ALMOST_ALL * counts.sum()
    calendar = Weeks(
        int(ordinary[0]),
        int(ordinary[-1]),
        tuple(np.unique(split_weeks(ordinary)[1]).astype(int).tolist()),
        distinct[own],
        ordinary[shared] if closed else np.empty(0),
    )
    most = max(_LOST, counts.sum() ** -0.5)
    return calendar if _lost(calendar, ordinary, counts) <= most else None


def _lost(calendar: Weeks, days: np.ndarray, counts: np.ndarray) -> float:
    """Return how far days of independent weeks and weekdays are from the real ones.

    It is the largest distance of their distribution functions (Kolmogorov).
    """
    week, weekday = split_weeks(days)
    weeks, row = np.unique(week, return_inverse=True)
    weekdays, column = np.unique(weekday, return_inverse=True)
    shares = np.outer(np.bincount(row, counts), np.bincount(column, counts)).ravel()
    cells = (np.repeat(weeks, len(weekdays)), np.tile(weekdays, len(weeks)))
    made = calendar.join(cells, -np.inf, np.inf)
    both, place = np.unique(np.concatenate([days, made]), return_inverse=True)
    gap = np.concatenate([counts / counts.sum(), -shares / shares.sum()])
    return float(np.abs(np.cumsum(np.bincount(place, gap, len(both)))).max())


def _settle(week: np.ndarray, known: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Return the nearest `known` week from `least` to `most`; any week there if none is known."""
    clipped = np.where(least <= most, np.clip(week, least, most), week)
    if not len(known):
        return clipped
    place = np.searchsorted((known[1:] + known[:-1]) / 2, week)
    bottom, top = np.searchsorted(known, least), np.searchsorted(known, most, "right") - 1
    inside = np.minimum(np.maximum(place, bottom), top)
    bounded = np.isfinite(least) | np.isfinite(most)
    nearest = known[np.where(bottom <= top, inside, place)]
    return np.where((bottom <= top) | ~bounded | (least > most), nearest, clipped)
