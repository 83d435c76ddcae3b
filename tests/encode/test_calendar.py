"""Arithmetic of calendars, and which one is chosen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.encode.base import Resolution
from synthgen.encode.calendar import (
    Months,
    Weeks,
    calendar_from_state,
    choose_calendar,
    join_months,
    join_weeks,
    split_months,
    split_weeks,
)

FEW = Resolution(few=16, spike=0.05)
ALWAYS = (-np.inf, np.inf)


def days_of(*dates: str) -> np.ndarray:
    return np.array([np.datetime64(date, "D").astype(int) for date in dates], dtype=np.float64)


def workdays(weeks: int = 30, rows: int = 3) -> np.ndarray:
    """Mondays to Fridays from Monday 2020-01-06 on, each `rows` times."""
    days = days_of("2020-01-06") + np.arange(7 * weeks)
    return np.repeat(days[split_weeks(days)[1] < 5], rows)


def dates_of(days: np.ndarray) -> list[str]:
    return [str(np.datetime64(int(day), "D")) for day in days]


@given(st.lists(st.integers(-700_000, 2_900_000), min_size=1))
def test_days_are_weeks_and_weekdays(days: list[int]) -> None:
    """Also before 1970; the weekday is that of Python."""
    numbers = np.array(days, dtype=np.float64)
    week, weekday = split_weeks(numbers)
    np.testing.assert_array_equal(join_weeks(week, weekday), numbers)
    python = [np.datetime64(day, "D").astype(object).weekday() for day in days]
    assert weekday.tolist() == python


@given(st.lists(st.integers(-700_000, 2_900_000), min_size=1))
def test_days_are_months_and_days(days: list[int]) -> None:
    month, within = split_months(np.array(days, dtype=np.float64))
    python = [np.datetime64(day, "D").astype(object) for day in days]
    assert month.tolist() == [12 * day.year + day.month - 1 for day in python]
    assert within.tolist() == [day.day for day in python]
    for k, day in enumerate(days):
        assert join_months(month[k : k + 1], int(within[k])) == [day]


def test_a_month_is_as_long_as_it_is() -> None:
    months, _ = split_months(days_of("1899-01-09", "1900-02-01", "2000-02-01", "2024-02-29"))
    found = dates_of(join_months(months, 31))
    assert found == ["1899-01-31", "1900-02-28", "2000-02-29", "2024-02-29"]
    assert dates_of(join_months(months, 30))[:2] == ["1899-01-30", "1900-02-28"]


def test_missing_days_stay_missing() -> None:
    gap = np.array([np.nan])
    assert np.isnan(split_weeks(gap)).all()
    assert np.isnan(split_months(gap)).all()
    assert np.isnan(join_months(gap, 31)).all()
    weeks = Weeks(0, 100, (0, 1))
    assert np.isnan(weeks.join((gap, np.zeros(1)), *ALWAYS)).all()
    assert np.isnan(Months(1).join((gap,), *ALWAYS)).all()


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        (("2020-01-01", "2020-02-01", "2021-07-01"), 1),
        (("2020-01-31", "2020-02-29", "2021-04-30"), 31),
        (("2020-01-30", "2020-04-30", "2021-07-30"), 30),
        # The last day, rather than day 30, where both would do.
        (("2020-04-30", "2020-06-30", "2021-09-30"), 31),
        (("1969-11-15", "1969-12-15", "1970-01-15"), 15),
    ],
)
def test_one_day_of_every_month(dates: tuple[str, ...], day: int) -> None:
    days = np.append(np.repeat(days_of(*dates), 2), np.nan)
    calendar = choose_calendar(days, FEW)
    assert calendar == Months(day)
    (months,) = calendar.split(days)
    np.testing.assert_array_equal(calendar.join((months,), *ALWAYS), days)


@pytest.mark.parametrize(
    "days",
    [
        np.repeat(days_of("2020-01-01", "2020-02-01"), 9),  # two months
        np.repeat(days_of("2020-01-01", "2020-02-01", "2020-03-01"), [1, 1, 3]),  # five rows
        np.repeat(days_of("2020-01-01", "2020-02-01", "2020-03-02"), 3),  # one other day
        np.repeat(days_of("2020-01-31", "2020-02-29", "2020-03-30"), 3),
        workdays(weeks=3),  # a state for each day
        np.repeat(days_of("2020-01-01") + np.arange(50), 2),  # seven weeks
        np.array([np.nan] * 9),
        np.empty(0),
    ],
)
def test_other_days_stay_whole(days: np.ndarray) -> None:
    assert choose_calendar(days, FEW) is None


def test_weeks_with_weekdays_of_their_own_stay_whole() -> None:
    """Mondays to Wednesdays at first, then four crowded weeks of Thursdays to Sundays."""
    early = np.repeat(days_of("2020-01-06") + 7 * np.arange(20)[:, None] + np.arange(3), 2)
    late = np.repeat(days_of("2020-06-01") + 7 * np.arange(4)[:, None] + np.arange(3, 7), 9)
    assert choose_calendar(np.append(early, late), FEW) is None
    # The last week is cut off; it holds a fifteenth of the rows, or half of them.
    assert isinstance(choose_calendar(early, Resolution(few=16, spike=0.5)), Weeks)
    recent = 2_000 - np.floor(np.random.default_rng(0).exponential([[100], [10]], (2, 3_000)))
    assert isinstance(choose_calendar(recent[0], FEW), Weeks)
    assert choose_calendar(recent[1], Resolution(few=16, spike=0.5)) is None


def test_weeks_keep_weekdays() -> None:
    days = workdays()
    calendar = choose_calendar(days, FEW)
    assert isinstance(calendar, Weeks)
    assert (calendar.first, calendar.last) == (days[0], days[-1])
    assert calendar.weekdays == (0, 1, 2, 3, 4)
    assert not len(calendar.spikes)
    assert not len(calendar.only)
    np.testing.assert_array_equal(calendar.days, np.unique(days))
    np.testing.assert_array_equal(calendar.join(calendar.split(days), *ALWAYS), days)


def test_days_before_the_first_and_after_the_last_move_by_a_week() -> None:
    # From Wednesday to Tuesday.
    calendar = Weeks(*days_of("2020-01-08", "2020-03-10").astype(int), tuple(range(7)))
    week, weekday = split_weeks(days_of("2020-01-06", "2020-01-08", "2020-03-10", "2020-03-15"))
    found = dates_of(calendar.join((week, weekday), *ALWAYS))
    assert found == ["2020-01-13", "2020-01-08", "2020-03-10", "2020-03-08"]


def test_only_days_that_many_rows_share() -> None:
    """Where these are almost all, rows on others move to them."""
    days = workdays(rows=200)
    closed = days_of("2020-02-03")  # a Monday
    days = np.append(days[days != closed], closed)
    calendar = choose_calendar(days, FEW)
    assert isinstance(calendar, Weeks)
    assert len(calendar.only) == 149
    found = calendar.join(split_weeks(closed), *ALWAYS)
    assert dates_of(found)[0] in ("2020-01-27", "2020-02-10")
    np.testing.assert_array_equal(split_weeks(calendar.days)[1] < 5, True)
    # In a range without any day that rows share it stays where it is.
    np.testing.assert_array_equal(calendar.join(split_weeks(closed), closed, closed), closed)


def test_a_weekday_of_rare_days_is_not_bound_to_them() -> None:
    sunday = days_of("2020-02-02")
    calendar = choose_calendar(np.append(workdays(rows=200), sunday), FEW)
    assert isinstance(calendar, Weeks)
    assert calendar.weekdays == (0, 1, 2, 3, 4, 6)
    assert sunday[0] not in calendar.only
    assert (split_weeks(calendar.days)[1] == 6).sum() == 29
    np.testing.assert_array_equal(calendar.join(split_weeks(sunday), *ALWAYS), sunday)


def test_frequent_days_have_a_value_of_their_own() -> None:
    """A placeholder far away neither stretches the span nor gets neighbours."""
    placeholder = days_of("1900-01-01")
    days = np.concatenate([workdays(), np.repeat(placeholder, 100), [np.nan]])
    calendar = choose_calendar(days, FEW)
    assert isinstance(calendar, Weeks)
    assert calendar.spikes.tolist() == placeholder.tolist()
    assert calendar.first == workdays()[0]
    week, weekday = calendar.split(days)
    assert (week[days == placeholder] % 1 > 0).all()
    assert np.isnan(weekday[days == placeholder]).all()
    weekday = np.where(np.isnan(weekday), 3, weekday)
    np.testing.assert_array_equal(calendar.join((week, weekday), *ALWAYS), days)
    # Never made of a week and a weekday.
    week, weekday = split_weeks(placeholder)
    assert calendar.join((week, weekday), *ALWAYS) != placeholder


@given(st.integers(0, 250), st.integers(0, 80), st.integers(0, 2**32))
def test_days_move_into_a_range_by_whole_weeks(start: int, length: int, seed: int) -> None:
    calendar = choose_calendar(workdays(weeks=40), FEW)
    assert isinstance(calendar, Weeks)
    rng = np.random.default_rng(seed)
    drawn = rng.choice(calendar.days, 30)
    low = calendar.first + float(start)
    high = low + length
    moved = calendar.join(split_weeks(drawn), low, high)
    np.testing.assert_array_equal(split_weeks(moved)[1], split_weeks(drawn)[1])
    fits = np.isin(split_weeks(drawn)[1], split_weeks(calendar.days[
        (calendar.days >= low) & (calendar.days <= high)])[1])  # fmt: skip
    inside = (moved >= low) & (moved <= high)
    np.testing.assert_array_equal(inside, fits)
    stay = (drawn >= low) & (drawn <= high)
    np.testing.assert_array_equal(moved[stay], drawn[stay])
    assert np.isin(moved, calendar.days).all()


@given(st.integers(600, 700), st.integers(0, 500), st.sampled_from([1, 15, 29, 30, 31]))
def test_months_move_into_a_range(month: int, shift: int, day: int) -> None:
    calendar = Months(day)
    low = np.array([12_000.0 + shift])
    high = low + 45
    (found,) = calendar.join((np.array([month + 23_000.0]),), low, high)
    assert low <= found <= high
    _, within = split_months(np.array([found]))
    assert calendar.split(np.array([found]))[0] % 1 == 0
    assert within <= day


def test_another_day_of_the_month_lies_beside_it() -> None:
    (months,) = Months(1).split(days_of("2020-05-01", "2020-05-02", "2020-05-31"))
    assert months[0] % 1 == 0
    assert ((months[1:] > months[0]) & (months[1:] < months[0] + 0.5)).all()


@pytest.mark.parametrize(
    "calendar",
    [
        Months(15),
        Weeks(-50, 90, (0, 3), np.array([-9e3]), np.array([1.0, 4.0])),
        Weeks(0, 60, (6,)),
    ],
)
def test_calendars_come_back_from_their_state(calendar: Months | Weeks) -> None:
    again = calendar_from_state(*calendar.to_state())
    assert repr(again) == repr(calendar)
