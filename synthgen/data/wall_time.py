"""What clocks and calendars on the wall show: local time, and parts of dates.

Moments are seconds since 1970, float64, NaN where missing.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

DatePart = Literal[
    "year", "quarter", "month", "week", "day", "dayofyear", "weekday", "hour", "minute"
]
#: Parts of a date, by the names pandas has for them: weeks are those of ISO 8601, Monday is 0.
DATE_PARTS: Final[tuple[DatePart, ...]] = get_args(DatePart)
#: Least and largest of those parts that come round again.
PART_RANGES: Final[dict[DatePart, tuple[int, int]]] = {
    "quarter": (1, 4),
    "month": (1, 12),
    "week": (1, 53),
    "day": (1, 31),
    "dayofyear": (1, 366),
    "weekday": (0, 6),
    "hour": (0, 23),
    "minute": (0, 59),
}


def to_wall(seconds: np.ndarray, zone: str | None) -> np.ndarray:
    """Turn seconds since 1970 in UTC into what clocks in a time zone show."""
    if zone is None:
        return seconds
    shown = _index(seconds).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return _seconds(shown)


def from_wall(seconds: np.ndarray, zone: str | None) -> np.ndarray:
    """Undo :func:`to_wall`: of an hour that comes twice the first, an hour left out moves on."""
    if zone is None:
        return seconds
    early = np.ones(len(seconds), dtype=bool)
    local = _index(seconds).tz_localize(zone, ambiguous=early, nonexistent="shift_forward")
    return _seconds(local.tz_convert("UTC").tz_localize(None))


def date_part(wall: np.ndarray, part: DatePart) -> np.ndarray:
    """Return a part of dates, (n,), NaN where missing.

    Examples
    --------
    >>> noon = np.array([43_200.0, np.nan])  # Thursday, 1 January 1970
    >>> date_part(noon, "weekday").tolist(), date_part(noon, "hour").tolist()
    ([3.0, nan], [12.0, nan])
    """
    index = _index(wall)
    found = index.isocalendar()["week"] if part == "week" else getattr(index, part)
    return np.asarray(pd.Series(found).to_numpy(dtype=np.float64, na_value=np.nan))


def _index(seconds: np.ndarray) -> pd.DatetimeIndex:
    missing = np.isnan(seconds)
    micros = np.rint(np.where(missing, 0.0, seconds) * 1e6).astype(np.int64)
    moments = micros.astype("datetime64[us]")
    moments[missing] = np.datetime64("NaT", "us")
    return pd.DatetimeIndex(moments)


def _seconds(index: pd.DatetimeIndex) -> np.ndarray:
    moments = index.to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 1e6)
