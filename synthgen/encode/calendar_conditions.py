"""Conditions on days that are encoded as months, or as weeks and weekdays.

The days of a range are no product of weeks and weekdays. A condition asks for the weeks that the
range touches, and for each weekday with the share of these weeks in which it lies in the range;
decoding moves the rows that are still outside by whole weeks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from synthgen.encode.base import CellCondition
from synthgen.encode.calendar import Calendar, Months, Weeks, join_months, split_weeks
from synthgen.encode.numeric import NumericEncoder, describe, range_ends
from synthgen.encode.wanted import Between, Wanted
from synthgen.errors import ConditionError

_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def calendar_cells(
    name: Any,
    calendar: Calendar,
    parts: tuple[NumericEncoder, ...],
    days: Wanted,
    asked: Wanted,
) -> CellCondition:
    """Translate a condition on days.

    Parameters
    ----------
    name : hashable
        Column label, for messages.
    calendar : Months or Weeks
    parts : tuple of NumericEncoder
        Those of the calendar first.
    days : Wanted
        The condition in day numbers.
    asked : Wanted
        The condition as it was written, for messages.

    Raises
    ------
    ConditionError
        If no day can satisfy it.
    """
    if days.missing and not days.values:
        missing = parts[0].condition(name, Wanted(missing=True))
        return _joined(missing, *(_free(part) for part in parts[1 : len(calendar.names)]))
    try:
        if isinstance(calendar, Months):
            return _months(name, calendar, parts[0], days)
        return _weeks(name, calendar, parts[0], parts[1], days)
    except ConditionError as error:
        if days.missing and not parts[0].missing:
            raise
        raise ConditionError(
            f"No value of column {name!r} satisfies the condition {describe(asked)}; its dates "
            f"{_summary(calendar, parts[0])}."
        ) from error


def _months(name: Any, calendar: Months, part: NumericEncoder, days: Wanted) -> CellCondition:
    between = days.between
    if between is not None:
        least, most = (float(end) for end in calendar.between(*map(np.asarray, range_ends(days))))
        if least > most:
            raise ConditionError(f"Column {name!r} has no day in the range.")
        between = Between(least, most)
    (months,) = calendar.split(np.asarray(days.values, dtype=np.float64))
    return part.condition(name, Wanted(tuple(months.tolist()), days.missing, between))


def _weeks(
    name: Any, calendar: Weeks, part: NumericEncoder, weekday: NumericEncoder, days: Wanted
) -> CellCondition:
    spikes, ordinary = _possible(calendar, days)
    week, weekdays = split_weeks(ordinary)
    touched = np.unique(week)
    own = calendar.own(spikes)
    if days.between is not None and part.has_head and len(touched):
        first = part.condition(name, Wanted(between=Between(touched[0], touched[-1])))
    else:
        values = np.concatenate([touched, own]).tolist()
        if not values:
            raise ConditionError(f"Column {name!r} has no such day.")
        first = part.condition(name, Wanted(tuple(values), days.missing))
    if days.missing or not len(touched):
        return _joined(first, _free(weekday))
    share = np.bincount(weekdays.astype(np.int64), minlength=7) / len(touched)
    weights = share[weekday.levels.astype(np.int64)]
    usual = float(weekday.frequencies @ weights)
    first = _with_spikes(first, part, own, usual)
    return _joined(first, CellCondition((weights,), ()))


def _possible(calendar: Weeks, days: Wanted) -> tuple[np.ndarray, np.ndarray]:
    """Return the spikes and the ordinary days that satisfy a condition."""
    if days.between is None:
        values = np.unique(np.asarray(days.values, dtype=np.float64))
        own = np.isin(values, calendar.spikes)
        return values[own], np.intersect1d(values[~own], calendar.everyday)
    low, high = range_ends(days)
    spikes, ordinary, everyday = (
        known[(known >= low) & (known <= high)]
        for known in (calendar.spikes, calendar.days, calendar.everyday)
    )
    return spikes, ordinary if len(ordinary) or len(spikes) else everyday


def _with_spikes(
    first: CellCondition, part: NumericEncoder, own: np.ndarray, usual: float
) -> CellCondition:
    """Close all spikes but the given, which the weights of weekdays are not about."""
    levels = np.flatnonzero(part.levels % 1)
    if not len(levels) or first.states[0] is None:
        return first
    places = levels + (1 if part.has_head else 0)
    states = first.states[0] * (usual if len(own) else 1.0)
    states[places] = np.isin(part.levels[levels], own)
    return CellCondition((states,), first.intervals)


def _free(part: NumericEncoder) -> CellCondition:
    return CellCondition((None,) * len(part.blocks), (None,) * len(part.heads))


def _joined(*parts: CellCondition) -> CellCondition:
    return CellCondition(
        tuple(states for part in parts for states in part.states),
        tuple(interval for part in parts for interval in part.intervals),
    )


def _summary(calendar: Calendar, part: NumericEncoder) -> str:
    if isinstance(calendar, Weeks):
        ends = [min([calendar.first, *calendar.spikes]), max([calendar.last, *calendar.spikes])]
        which = ""
        if len(calendar.weekdays) < 7:
            which = " on " + ", ".join(_NAMES[k] for k in calendar.weekdays)
    else:
        months = np.concatenate([part.levels, part.knots])
        ends = join_months(np.array([months.min(), months.max()]), calendar.day).tolist()
        which = (
            " on the last day of a month"
            if calendar.day == 31
            else (f" on day {calendar.day} of a month")
        )
    first, last = (np.datetime64(int(day), "D") for day in ends)
    return f"lie{which} between {first} and {last}"
