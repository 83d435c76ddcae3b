"""Clocks of time zones, and parts of dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen.data.wall_time import DATE_PARTS, date_part, from_wall, to_wall


def test_clocks_of_a_time_zone() -> None:
    moments = pd.DatetimeIndex(["2020-01-01 12:00", "2020-07-01 12:00", "1960-01-01 12:00"])
    seconds = (moments - pd.Timestamp(0)).total_seconds().to_numpy()
    shown = to_wall(seconds, "Europe/Paris")
    assert ((shown - seconds) / 3_600).tolist() == [1, 2, 1]
    np.testing.assert_array_equal(from_wall(shown, "Europe/Paris"), seconds)
    assert to_wall(seconds, None) is seconds
    # Half past two came twice on 25 October 2020, and never on 29 March.
    twice, never = (pd.Timestamp(f"2020-{day} 02:30").timestamp() for day in ("10-25", "03-29"))
    utc = from_wall(np.array([twice, never]), "Europe/Paris")
    back = [pd.Timestamp(second, unit="s") for second in utc]
    assert back == [pd.Timestamp("2020-10-25 00:30"), pd.Timestamp("2020-03-29 01:00")]


def test_missing_moments_stay_missing() -> None:
    gap = np.array([np.nan])
    assert np.isnan(to_wall(gap, "Europe/Paris")).all()
    assert np.isnan(from_wall(gap, "Europe/Paris")).all()
    assert all(np.isnan(date_part(gap, part)).all() for part in DATE_PARTS)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("year", 2021),
        ("quarter", 1),
        ("month", 1),
        ("week", 53),
        ("day", 2),
        ("dayofyear", 2),
        ("weekday", 5),
        ("hour", 23),
        ("minute", 59),
    ],
)
def test_parts_of_a_date(part, value) -> None:
    seconds = np.array([pd.Timestamp("2021-01-02 23:59:58").timestamp()])
    assert date_part(seconds, part).tolist() == [value]
