"""Time zones by names that pandas can read again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pandas as pd


def zone_name(zone: dt.tzinfo) -> str:
    """Return a name of a time zone: that of the IANA database, or its distance from UTC.

    What a zone calls itself cannot always be read again: ``pytz.FixedOffset(330)``, or "BRT" for
    three hours before UTC. A zone of which nothing is found becomes UTC.

    Examples
    --------
    >>> zone_name(dt.timezone(dt.timedelta(hours=-3), "BRT"))
    'UTC-03:00'
    """
    for name in _names(zone):
        if _reads_as(name, zone):
            return name
    return "UTC"


def is_zone(name: object) -> bool:
    """Return whether pandas knows a time zone by this name."""
    if not isinstance(name, str):
        return False
    try:
        pd.Timestamp(0, tz=name)
    except (LookupError, ValueError, TypeError, AttributeError, OSError):
        return False
    return True


def with_named_zones(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the same moments, in time zones that are known by name."""
    changed: dict[int, pd.Series] = {}
    for place, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, pd.DatetimeTZDtype):
            name = zone_name(dtype.tz)
            if name != str(dtype.tz):
                changed[place] = frame.iloc[:, place].dt.tz_convert(name)
    if not changed:
        return frame
    columns = {k: changed.get(k, frame.iloc[:, k]) for k in range(frame.shape[1])}
    named = pd.DataFrame(columns)
    named.columns = frame.columns
    return named


def _names(zone: Any) -> Iterator[str]:
    yield str(zone)
    for attribute in ("key", "zone", "_filename"):
        name = getattr(zone, attribute, None)
        if isinstance(name, str):
            yield name.rpartition("zoneinfo/")[2]
    offset = zone.utcoffset(None)
    if offset is not None:
        yield str(dt.timezone(offset))


def _reads_as(name: str, zone: Any) -> bool:
    """Whether pandas reads a name as a zone that has the same clocks, in winter and in summer."""
    try:
        found: Any = pd.Timestamp(0, tz=name).tzinfo
        moments = [pd.Timestamp(f"2020-{month:02d}-15", tz="UTC") for month in (1, 4, 7, 10)]
        return all(
            moment.tz_convert(found).utcoffset()
            == moment.to_pydatetime().astimezone(zone).utcoffset()
            for moment in moments
        )
    except (LookupError, ValueError, TypeError, AttributeError, OSError):
        return False
