"""Conditions on days that are months, or weeks and weekdays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from synthgen.encode.base import CellCondition, Resolution
from synthgen.encode.calendar import Months, Weeks
from synthgen.encode.quantity import QuantityEncoder
from synthgen.encode.wanted import Between, Wanted
from synthgen.errors import ConditionError
from tests.encode.columns import column_of

#: Weeks get a state each with the first, a head with the second.
STATES, HEAD = Resolution(few=60, spike=0.05), Resolution(few=16, spike=0.05)
#: The first of 40 weeks.
MONDAY = pd.Timestamp("2020-01-06")


def workdays(rows: int = 4) -> pd.Series:
    days = pd.bdate_range(MONDAY, periods=200)
    return pd.Series(days.repeat(rows))


def fitted(values: pd.Series, resolution: Resolution = STATES) -> QuantityEncoder:
    frame, column = column_of(values, "datetime", resolution="D")
    return QuantityEncoder.fit(frame, column, resolution)


def states(cells: CellCondition, block: int) -> np.ndarray:
    found = cells.states[block]
    assert found is not None
    return found


def test_a_range_asks_for_its_weeks_and_the_share_of_each_weekday() -> None:
    """From Wednesday of week 2 to Tuesday of week 4: three weeks, two of each weekday."""
    encoder = fitted(workdays())
    between = Between(MONDAY + pd.Timedelta(days=16), MONDAY + pd.Timedelta(days=29))
    cells = encoder.condition("c", Wanted(between=between))
    assert np.flatnonzero(states(cells, 0)).tolist() == [2, 3, 4]
    np.testing.assert_allclose(states(cells, 1), [2 / 3] * 5)


def test_a_range_within_a_week_asks_for_its_weekdays() -> None:
    encoder = fitted(workdays())
    between = Between("2020-01-16", "2020-01-19")  # Thursday to Sunday
    cells = encoder.condition("c", Wanted(between=between))
    assert np.flatnonzero(states(cells, 0)).tolist() == [1]
    assert states(cells, 1).tolist() == [0, 0, 0, 1, 1]


def test_weeks_of_a_head() -> None:
    encoder = fitted(workdays(), HEAD)
    assert encoder.whole.has_head
    between = Between("2020-03-02", "2020-03-29")  # four whole weeks of 40, from the eighth on
    cells = encoder.condition("c", Wanted(between=between))
    (interval,) = cells.intervals
    assert interval is not None
    np.testing.assert_allclose(ndtr(interval), [8 / 40, 12 / 40], atol=1e-9)
    assert states(cells, 0).tolist() == [1] * 5


def test_open_ends() -> None:
    encoder = fitted(workdays())
    cells = encoder.condition("c", Wanted(between=Between("2020-10-01", None)))
    assert np.flatnonzero(states(cells, 0)).tolist() == [38, 39]
    cells = encoder.condition("c", Wanted(between=Between(None, "2020-01-07")))
    assert states(cells, 1).tolist() == [1, 1, 0, 0, 0]


def test_exact_days() -> None:
    encoder = fitted(workdays())
    cells = encoder.condition("c", Wanted((pd.Timestamp("2020-01-15"),)))
    assert np.flatnonzero(states(cells, 0)).tolist() == [1]
    assert states(cells, 1).tolist() == [0, 0, 1, 0, 0]
    # Two Wednesdays and a Friday of two weeks.
    several = tuple(map(pd.Timestamp, ("2020-01-15", "2020-01-22", "2020-01-24")))
    cells = encoder.condition("c", Wanted(several))
    assert np.flatnonzero(states(cells, 0)).tolist() == [1, 2]
    assert states(cells, 1).tolist() == [0, 0, 1, 0, 0.5]


def test_missing_leaves_weekdays_free() -> None:
    values = workdays()
    values[::9] = pd.NaT
    encoder = fitted(values)
    cells = encoder.condition("c", Wanted(missing=True))
    assert np.flatnonzero(states(cells, 0)).tolist() == [40]
    assert cells.states[1] is None
    cells = encoder.condition("c", Wanted((pd.Timestamp("2020-01-15"),), missing=True))
    assert np.flatnonzero(states(cells, 0)).tolist() == [1, 40]
    assert cells.states[1] is None


@pytest.mark.parametrize("resolution", [STATES, HEAD])
def test_frequent_days_in_and_out_of_a_range(resolution: Resolution) -> None:
    placeholder, busy = pd.Timestamp("1900-01-01"), pd.Timestamp("2020-03-04")
    values = pd.concat([workdays(), pd.Series([placeholder, busy]).repeat(200)], ignore_index=True)
    encoder = fitted(values, resolution)
    assert isinstance(encoder.calendar, Weeks)
    assert len(encoder.calendar.spikes) == 2
    own = np.flatnonzero(encoder.whole.levels % 1) + encoder.whole.has_head

    def asked(wanted: Wanted) -> tuple[CellCondition, np.ndarray]:
        cells = encoder.condition("c", wanted)
        return cells, states(cells, 0)[own]

    # Only the second lies in the range; its weekday says nothing, so that it is not held down.
    cells, weights = asked(Wanted(between=Between("2020-03-02", "2020-03-05")))
    assert weights.tolist() == [0, 1]
    assert states(cells, 1).tolist() == [1, 1, 0, 1, 0]  # Wednesday is the frequent day
    others = np.delete(states(cells, 0), own)
    usual = encoder.parts[1].frequencies @ states(cells, 1)
    np.testing.assert_allclose(others[others > 0], usual)
    # A week that the range shares with it, but not its day.
    _, weights = asked(Wanted(between=Between("2020-03-05", "2020-03-20")))
    assert weights.tolist() == [0, 0]
    cells, weights = asked(Wanted((placeholder,)))
    assert weights.tolist() == [1, 0]
    assert states(cells, 0).sum() == 1
    assert cells.states[1] is None


def test_days_of_months() -> None:
    values = pd.Series(pd.date_range("2019-01-31", periods=24, freq="ME")).repeat(4)
    encoder = fitted(values)
    assert encoder.calendar == Months(31)
    cells = encoder.condition("c", Wanted(between=Between("2019-02-28", "2019-05-30")))
    assert np.flatnonzero(states(cells, 0)).tolist() == [1, 2, 3]
    cells = encoder.condition("c", Wanted((pd.Timestamp("2020-02-29"),)))
    assert np.flatnonzero(states(cells, 0)).tolist() == [13]


MONTH_ENDS = pd.Series(pd.date_range("2019-01-31", periods=24, freq="ME")).repeat(4)
FIRSTS = pd.Series(pd.date_range("2019-01-01", periods=40, freq="MS")).repeat(4)


@pytest.mark.parametrize("resolution", [STATES, HEAD])
@pytest.mark.parametrize(
    ("values", "wanted", "message"),
    [
        (
            workdays(),
            Wanted(between=Between("2020-01-11", "2020-01-12")),
            "lie on Mondays, Tu.*days",
        ),
        (workdays(), Wanted((pd.Timestamp("2020-01-12"),)), "between 2020-01-06 and 2020-10-09"),
        (workdays(), Wanted(between=Between("2021-01-01", None)), "No value of column 'c'"),
        (workdays(), Wanted((pd.Timestamp("2019-12-30"),)), "No value of column 'c'"),
        (workdays(), Wanted(missing=True), "had no missing cells"),
        (workdays(), Wanted((MONDAY,), missing=True), "had no missing cells"),
        (MONTH_ENDS, Wanted(between=Between("2019-02-01", "2019-02-27")), "last day of a month"),
        (MONTH_ENDS, Wanted(between=Between("2031-01-01", None)), "2019-01-31 and 2020-12-31"),
        (FIRSTS, Wanted(between=Between("2019-02-02", "2019-02-27")), "lie on day 1 of a month"),
    ],
)
def test_days_that_cannot_be(
    values: pd.Series, wanted: Wanted, message: str, resolution: Resolution
) -> None:
    with pytest.raises(ConditionError, match=message):
        fitted(values, resolution).condition("c", wanted)
