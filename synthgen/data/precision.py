"""How finely numbers, dates and numbers in text are written."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

_COARSEST: Final = -6
_PROBE: Final = 2_000
_UNITS_US: Final = {
    "D": 86_400_000_000, "h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000, "ms": 1_000,
    "us": 1,
}  # fmt: skip


def find_decimals(values: np.ndarray, *, highest: int, single: bool = False) -> int | None:
    """Return how many digits after the decimal point all values need.

    Parameters
    ----------
    values : numpy.ndarray of float64
        Finite.
    highest : int
        Largest number of digits that is tried.
    single : bool
        Whether the values have only single precision.

    Returns
    -------
    int or None
        Negative for multiples of 10, 100, ...; None if `highest` digits are not enough.

    Examples
    --------
    >>> find_decimals(np.array([1.25, 3.5]), highest=10)
    2
    >>> find_decimals(np.array([1200.0, 300.0]), highest=0)
    -2
    """
    if not values.any():
        return 0
    step = max(1, len(values) // _PROBE)
    low = _COARSEST
    for part in (values[::step], values):
        while low <= highest and not _fits(part, low, single):
            low += 1
        if low > highest:
            return None
    return low


def common_step(values: np.ndarray, *, highest: int = 6) -> float:
    """Return the largest decimal step of which all differences of values are multiples.

    Parameters
    ----------
    values : numpy.ndarray of float64
        Finite.
    highest : int
        Largest number of digits after the decimal point that is tried.

    Returns
    -------
    float
        0.0 if there is none, or fewer than two distinct values.

    Examples
    --------
    >>> common_step(np.array([3.0, 9.0, 12.0])), common_step(np.array([0.1, 1 / 3]))
    (3.0, 0.0)
    >>> common_step(np.array([0.25, 1.0, 1.75]))
    0.75
    """
    decimals = find_decimals(values, highest=highest) if len(values) else None
    if decimals is None or np.ptp(values) * 10.0**decimals > 2.0**52:
        return 0.0
    units = np.round((values - values.min()) * 10.0**decimals).astype(np.int64)
    return float(np.gcd.reduce(units)) / 10.0**decimals


def _fits(values: np.ndarray, decimals: int, single: bool) -> bool:
    rounded = np.round(values, decimals)
    if single:
        return bool((rounded.astype(np.float32) == values.astype(np.float32)).all())
    # Decimal text read as a float is hit exactly; sums of such numbers miss by a few units.
    return bool((np.abs(rounded - values) <= 4.0 * np.spacing(np.abs(values))).all())


def find_resolution(values: np.ndarray, time_zone: str | None) -> str:
    """Return the coarsest unit that all dates (in UTC) or time spans are multiples of.

    Examples
    --------
    >>> find_resolution(np.array(["2020-01-01T10:00", "2020-01-02T11:30"], "datetime64[s]"), None)
    'min'
    """
    if time_zone is not None:
        local = pd.DatetimeIndex(values).tz_localize("UTC").tz_convert(time_zone)
        values = local.tz_localize(None).to_numpy()
    kind = "datetime64[us]" if values.dtype.kind == "M" else "timedelta64[us]"
    micros = values.astype(kind).astype(np.int64)
    step = max(1, len(micros) // _PROBE)
    units = iter(_UNITS_US.items())
    unit, size = next(units)
    for part in (micros[::step], micros):
        while (part % size).any():
            unit, size = next(units)
    return unit
