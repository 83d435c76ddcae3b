"""Whether numbers are rounded as finely, and as often, as the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.evaluate.result import Result
from synthgen.measure.columns import Roles, align, column_roles, cut
from synthgen.measure.records import record_table

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

#: A number is a multiple of the first of these steps that divides it, the coarsest first.
_STEPS: Final = {f"1e{power}": 10.0**power for power in range(6, -9, -1)}
#: Steps of dates and durations, in nanoseconds.
_TIME_STEPS: Final = {
    "day": 8.64e13, "hour": 3.6e12, "minute": 6e10, "second": 1e9, "millisecond": 1e6,
    "microsecond": 1e3,
}  # fmt: skip
_MAX_ROWS: Final = 50_000
_DOUBLE: Final = np.dtype(np.float64)


def granularity(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    max_rows: int = _MAX_ROWS,
    random_state: Any = 0,
) -> Result:
    """Compare how round numbers, dates and durations are.

    Every value falls into a class: the largest power of ten (or unit of time) that divides it, or
    zero, or none of them. The score of a column is one minus the total variation distance of the
    shares of these classes; the value is the mean over columns. Rounding that was lost (prices no
    longer end in .99, ages get decimals) and rounding that was added show here even where the
    distribution is hardly changed.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns.
    holdout : table, optional
        Not used.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    max_rows : int, default=50000
        Look at no more than this many random rows of each table.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows.

    Returns
    -------
    Result
        Value in [0, 1], 1 is best; None without numbers. One row per column in the breakdown, the
        worst first: the most frequent class of the real and of the synthetic table.

    Examples
    --------
    >>> real = pd.DataFrame({"price": [1.25, 2.5, 3.75, 4.0]})
    >>> granularity(real, real.round(0)).breakdown.iloc[0][["real_step", "synthetic_step"]].tolist()
    ['1e-2', '1e0']
    """
    del holdout
    first, second = align(real, synthetic)
    roles = column_roles(first, schema)
    rng = generator(root_seed(random_state), "score", 6)
    n_rows = check_integer("max_rows", max_rows, minimum=1)
    first, second = cut(first, n_rows, rng), cut(second, n_rows, rng)
    records = [
        record
        for name in roles.names("continuous")
        if (record := _compare(first, second, name, roles)) is not None
    ]
    names = ["column", "score", "real_step", "real_share", "synthetic_step", "synthetic_share"]
    breakdown = record_table(records, columns=names)
    breakdown = breakdown.sort_values("score", kind="stable", ignore_index=True)
    details: dict[str, Any] = {"columns": len(breakdown)}
    if breakdown.empty:
        details["not_applicable"] = "no column of numbers or dates has values in both tables"
    return Result(
        "granularity",
        float(breakdown["score"].mean()) if len(breakdown) else None,
        breakdown=breakdown,
        reference="total variation distance of the coarsest steps that divide the values",
        details=details,
    )


def _compare(
    first: pd.DataFrame, second: pd.DataFrame, name: Any, roles: Roles
) -> tuple[Any, ...] | None:
    steps = _TIME_STEPS if _is_time(first[name], name, roles) else _STEPS
    zone = _zone(first[name], name, roles)
    kind = _coarser([first[name].dtype, second[name].dtype])
    shares = []
    for frame in (first, second):
        values = roles.numbers(frame, name)
        values = values[~np.isnan(values)]
        if not len(values):
            return None
        if zone is not None:
            values = _as_written(values, zone)
        places = _classes(values, steps, kind)
        shares.append(np.bincount(places, minlength=len(steps) + 2) / len(values))
    labels = [*steps, "zero", "finer"]
    score = float(1 - np.abs(shares[0] - shares[1]).sum() / 2)
    real, made = (int(np.argmax(share)) for share in shares)
    return (name, score, labels[real], shares[0][real], labels[made], shares[1][made])


def _is_time(values: pd.Series[Any], name: Any, roles: Roles) -> bool:
    column = roles.columns.get(name)
    if column is not None:
        return column.kind in ("datetime", "timedelta")
    # Without a schema, what is neither number nor decimal was turned into nanoseconds.
    content = pd.api.types.infer_dtype(values, skipna=True)
    return content.startswith(("date", "time"))


def _coarser(dtypes: list[Any]) -> np.dtype[Any]:
    """Return the type of floats with the fewest digits, which both tables are judged by."""
    plain = [getattr(dtype, "numpy_dtype", dtype) for dtype in dtypes]
    floats = [dtype for dtype in plain if isinstance(dtype, np.dtype) and dtype.kind == "f"]
    return min([*floats, _DOUBLE], key=lambda dtype: dtype.itemsize)


def _zone(values: pd.Series[Any], name: Any, roles: Roles) -> Any:
    """Return the time zone in which the dates of a column are written; None without one."""
    column = roles.columns.get(name)
    if column is not None and column.time_zone is not None:
        return column.time_zone
    return getattr(values.dtype, "tz", None)


def _as_written(values: NDArray[np.float64], zone: Any) -> NDArray[np.float64]:
    """Turn nanoseconds since 1970 in UTC into what clocks showed: days begin at midnight there."""
    moments = pd.DatetimeIndex(values.astype(np.int64).astype("datetime64[ns]"), tz="UTC")
    local = moments.tz_convert(zone).tz_localize(None)
    return local.asi8.astype(np.float64)


def _classes(
    values: NDArray[np.float64], steps: dict[str, float], kind: np.dtype[Any]
) -> NDArray[np.int64]:
    """Return for each value the place of the coarsest step that divides it.

    Multiples that are the same number as floats of `kind` count as equal.
    """
    result = np.full(len(values), len(steps) + 1)
    open_ = values != 0
    result[~open_] = len(steps)
    for place, step in enumerate(steps.values()):
        rest = values[open_]
        multiple = np.round(rest / step) * step
        # A decimal text read as a float misses the exact multiple by a few units in the last place.
        fits = np.abs(multiple - rest) <= 4 * np.spacing(np.abs(rest))
        if kind != _DOUBLE:
            with np.errstate(over="ignore"):
                fits |= multiple.astype(kind) == rest.astype(kind)
        fits &= np.abs(rest) >= step / 2
        where = np.flatnonzero(open_)[fits]
        result[where] = place
        open_[where] = False
    return result
