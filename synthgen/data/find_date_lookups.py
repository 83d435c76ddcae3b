"""Columns that follow from a part of a date: month, weekday, hour, also on the clocks of a zone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.followers import (
    Coded,
    CodedColumn,
    deciding,
    differs_within,
    most_keys,
)
from synthgen.data.lookup_rule import Lookup
from synthgen.data.values import to_numbers
from synthgen.data.wall_time import DATE_PARTS, DatePart, date_part, to_wall

#: Columns of dates that are looked at, and rows of them in the first look.
_MOST_DATES: Final = 8
_PROBE: Final = 2_000
#: Zones in which dates that are kept in UTC may be read off: one for each set of clocks.
_ZONES: Final = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "America/Phoenix", "America/Anchorage", "America/Halifax", "America/Mexico_City",
    "America/Bogota", "America/Sao_Paulo", "America/Argentina/Buenos_Aires", "Pacific/Honolulu",
    "Europe/London", "Europe/Paris", "Europe/Athens", "Europe/Istanbul", "Europe/Moscow",
    "Africa/Lagos", "Africa/Johannesburg", "Africa/Nairobi", "Asia/Dubai", "Asia/Karachi",
    "Asia/Kolkata", "Asia/Dhaka", "Asia/Bangkok", "Asia/Shanghai", "Asia/Tokyo",
    "Australia/Perth", "Australia/Brisbane", "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip


def find_date_lookups(
    df: pd.DataFrame, columns: Sequence[Column], coded: Sequence[CodedColumn]
) -> list[Lookup]:
    """Return the columns that follow from a part of a date in every row.

    Parameters
    ----------
    df : pandas.DataFrame
    columns : sequence of Column
        The first 8 of kind datetime are looked at. Dates without a zone, or in UTC, may be read off
        the clocks of another zone.
    coded : sequence of CodedColumn
        What may follow.
    """
    rules: list[Lookup] = []
    dates = [column for column in columns if column.kind == "datetime"][:_MOST_DATES]
    for key in dates:
        taken = {rule.column for rule in rules}
        rules += _of_date(df, key, [c for c in coded if c.column.name not in taken])
    return rules


def _of_date(df: pd.DataFrame, key: Column, coded: list[CodedColumn]) -> list[Lookup]:
    seconds = to_numbers(df[key.name], key)
    zones = _zones(key)
    looked_at = len(coded) * len(zones) * len(DATE_PARTS)
    found: list[Lookup] = []
    for zone in zones:
        left = [c for c in coded if c.column.name not in {rule.column for rule in found}]
        parts = _parts(seconds[:_PROBE], zone)
        hopeful = [c for c in left if any(_may_follow(part, c) for part in parts.values())]
        if not hopeful:
            continue
        parts = _parts(seconds, zone)
        fitting = [name for name in parts if parts[name].size <= most_keys(len(df))]
        for column in hopeful:
            for part in fitting:
                if deciding(parts[part], column, looked_at, most_open=0.0) is None:
                    continue
                name = column.column.name
                rule = Lookup(key.name, name, found=True, part=part, zone=zone, format=key.format)
                found.append(rule.fit(df))
                break
    return found


def _zones(key: Column) -> list[str | None]:
    """Return the zone of the dates, and others if they are kept in UTC or in none."""
    whole_days = key.resolution not in ("h", "min", "s", "ms", "us")
    if whole_days or key.time_zone not in (None, "UTC"):
        return [key.time_zone]
    return [key.time_zone, *_ZONES]


def _parts(seconds: np.ndarray, zone: str | None) -> dict[DatePart, Coded]:
    """Return the parts of dates that differ between rows, those with the fewest levels first."""
    wall = to_wall(seconds, zone)
    parts = {part: Coded.of(np.nan_to_num(date_part(wall, part), nan=-1.0)) for part in DATE_PARTS}
    return {part: parts[part] for part in sorted(parts, key=lambda name: parts[name].size)}


def _may_follow(part: Coded, column: CodedColumn) -> bool:
    """Whether a column is a function of a part in the first rows."""
    codes = column.codes[: len(part.codes)]
    return not differs_within(part.codes, part.size, codes).any()
