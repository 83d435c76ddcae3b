"""What a table must look like before anything is learned from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.errors import InvalidDataError

#: Contents of object columns (pandas' words) that can be worked with.
_UNIFORM: Final = frozenset(
    {
        "string", "integer", "floating", "mixed-integer-float", "boolean", "decimal", "date",
        "datetime", "datetime64", "time", "timedelta", "timedelta64", "bytes", "empty", "period",
        "interval", "categorical",
    }
)  # fmt: skip
_NESTED: Final = (list, dict, set, tuple, np.ndarray, pd.Series, pd.DataFrame)


def check_shape(shape: tuple[int, ...]) -> None:
    """Check that there is at least one row and one column (in scikit-learn's words).

    Raises
    ------
    InvalidDataError
        If there is not.
    """
    rows, columns = shape
    if columns == 0:
        raise InvalidDataError(
            f"Found array with 0 feature(s) (shape={tuple(shape)}) while a minimum of 1 is "
            "required."
        )
    if rows == 0:
        raise InvalidDataError(
            f"Found array with 0 sample(s) (shape={tuple(shape)}) while a minimum of 1 is "
            "required: the table has columns but no rows."
        )


def check_labels(labels: Sequence[Hashable]) -> None:
    """Check that no column label occurs twice.

    Raises
    ------
    InvalidDataError
        If one does; the message lists them.
    """
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise InvalidDataError(
            f"The column names must be unique, these occur more than once: {_listed(twice)}. "
            "Rename or drop the duplicates."
        )


def check_columns(frame: pd.DataFrame) -> None:
    """Check the contents of every column.

    Raises
    ------
    InvalidDataError
        For sparse, complex, infinite, nested or mixed-type columns; the message names them.
    """
    for name, series in frame.items():
        if isinstance(series.dtype, pd.SparseDtype):
            raise InvalidDataError(
                f"Column {name!r} is sparse, but dense data is required. "
                "Convert it with df.sparse.to_dense()."
            )
        if series.dtype.kind == "c":
            raise InvalidDataError(
                f"Complex data not supported: column {name!r} holds complex numbers. "
                "Split it into its real and imaginary parts."
            )
        if series.dtype == object:
            check_objects(name, series)
    _check_finite(frame)


def check_objects(name: Hashable, series: pd.Series) -> None:
    """Check that an object column holds values of one type beside missing ones.

    Raises
    ------
    InvalidDataError
        If it is nested, mixed or holds something that is not data.
    """
    content = pd.api.types.infer_dtype(series, skipna=True)
    if content in _UNIFORM:
        return
    if content == "complex":
        raise InvalidDataError(f"Complex data not supported: column {name!r}.")
    present = [value for value in series.to_numpy() if not _is_missing(value)]
    # A missing date among texts is a missing text.
    if pd.api.types.infer_dtype(pd.Series(present, dtype=object)) in _UNIFORM:
        return
    types = Counter(type(value).__name__ for value in present)
    if any(isinstance(value, _NESTED) for value in present):
        raise InvalidDataError(
            f"Column {name!r} holds nested values ({_listed(types)}); "
            "expand it into ordinary columns first."
        )
    if len(types) == 1:
        raise InvalidDataError(
            f"Column {name!r} holds objects of type {_listed(types)}, which have no meaning in a "
            f"table; convert it, for instance with df[{name!r}].astype(str)."
        )
    counts = ", ".join(f"{count} {word}" for word, count in types.most_common(4))
    raise InvalidDataError(
        f"Column {name!r} mixes values of different types ({counts}). Convert it to one type, "
        f"for instance with df[{name!r}].astype(str), or split it."
    )


def _check_finite(frame: pd.DataFrame) -> None:
    infinite: dict[Hashable, int] = {}
    for name, series in frame.items():
        count = _count_infinite(series)
        if count:
            infinite[name] = count
    if infinite:
        listed = ", ".join(f"{name!r}: {count}" for name, count in infinite.items())
        raise InvalidDataError(
            f"Input X contains infinity (infinite cells by column: {listed}). "
            "Put in their place missing values or by a large finite number."
        )


def _count_infinite(series: pd.Series) -> int:
    if series.dtype.kind == "f":
        return int(np.isinf(series.to_numpy(dtype=np.float64, na_value=np.nan)).sum())
    if series.dtype != object:
        return 0
    content = pd.api.types.infer_dtype(series, skipna=True)
    if content not in ("floating", "mixed-integer-float", "decimal"):
        return 0
    present = series[series.notna()]
    return int(np.isinf(present.to_numpy().astype(np.float64)).sum())


def _is_missing(value: Any) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _listed(values: Any, limit: int = 10) -> str:
    values = list(values)
    text = ", ".join(repr(v) if not isinstance(v, str) else f"'{v}'" for v in values[:limit])
    return text + (f" and {len(values) - limit} more" if len(values) > limit else "")
