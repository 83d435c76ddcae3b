from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import dateutil.tz
import pandas as pd
import pytest

from synthgen import IndependentColumns
from synthgen.data.zones import zone_name


class Unknown(dt.tzinfo):
    """A zone of somebody's own."""

    def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta | None:
        return None if moment is None else dt.timedelta(hours=1 if moment.month < 7 else 2)

    def tzname(self, moment: dt.datetime | None) -> str:
        return "here"

    def dst(self, moment: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(0)


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (dt.UTC, "UTC"),
        (dt.timezone(dt.timedelta(hours=-3), "BRT"), "UTC-03:00"),
        (dt.timezone(dt.timedelta(hours=5, minutes=30)), "UTC+05:30"),
        (zoneinfo.ZoneInfo("Europe/Paris"), "Europe/Paris"),
        (dateutil.tz.tzutc(), "UTC"),
        (Unknown(), "UTC"),
    ],
    ids=str,
)
def test_names_can_be_read_again(zone: Any, name: str) -> None:
    assert zone_name(zone) == name
    assert str(pd.Timestamp(0, tz=name).tzinfo) == name


def test_zones_of_pytz() -> None:
    pytz = pytest.importorskip("pytz")
    assert zone_name(pytz.FixedOffset(330)) == "UTC+05:30"
    assert zone_name(pytz.timezone("Asia/Tokyo")) == "Asia/Tokyo"


@pytest.mark.parametrize("objects", [False, True])
def test_dates_in_zones_that_go_by_another_name(objects: bool) -> None:
    zone = dt.timezone(dt.timedelta(hours=-3), "BRT")
    moments = pd.Series(pd.date_range("2020", periods=200, freq="7h", tz=zone))
    if objects:
        moments = pd.Series([moment.to_pydatetime() for moment in moments], dtype=object)
    frame = pd.DataFrame({"t": moments, "x": range(200)})
    found = IndependentColumns(random_state=0).fit(frame).sample(50, random_state=0)["t"]
    assert all(moment.utcoffset() == dt.timedelta(hours=-3) for moment in found)
    assert found.min() >= moments.min()
