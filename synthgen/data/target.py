"""Inputs that are not frames: arrays, and the target given beside a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.arrow import column_to_pandas, require_pyarrow
from synthgen.errors import InvalidDataError


def as_array(X: Any) -> np.ndarray:
    """Return something array-like as an array.

    Raises
    ------
    InvalidDataError
        If it is not a table of numbers or texts.
    """
    if hasattr(X, "nnz") and hasattr(X, "toarray"):
        raise InvalidDataError(
            "Sparse data was passed, but dense data is required. "
            "Use '.toarray()' to convert to a dense numpy array."
        )
    if isinstance(X, (str, bytes, dict, set)) or not (
        hasattr(X, "__array__") or isinstance(X, (list, tuple))
    ):
        raise InvalidDataError(
            f"Expected a table (pandas, polars, pyarrow or a 2-D array), got {type(X).__name__}."
        )
    try:
        return np.asarray(X)
    except ValueError as error:
        raise InvalidDataError(
            f"Expected 2D array: the rows have different lengths ({error})."
        ) from error


def target_series(y: Any, rows: int) -> pd.Series:
    """Return a target as a series of plain dtype, called ``"target"`` if it has no name.

    Raises
    ------
    InvalidDataError
        If it is not one column of `rows` values.
    """
    name = getattr(y, "name", None)
    package = type(y).__module__.partition(".")[0]
    if isinstance(y, pd.DataFrame) or (package == "polars" and hasattr(y, "columns")):
        if y.shape[1] != 1:
            raise InvalidDataError(f"y must be one column, got {y.shape[1]}.")
        name = y.columns[0]
        y = y[name]
    if package == "polars":
        y = column_to_pandas(name, require_pyarrow("polars").chunked_array([y.to_arrow()]))
    elif package == "pyarrow":
        y = column_to_pandas(name, y)
    if not isinstance(y, pd.Series):
        values = np.asarray(y)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1:
            raise InvalidDataError(f"y should be a 1d array, got an array of shape {values.shape}.")
        dtype = object if values.dtype.kind in "US" else None
        y = pd.Series(values, dtype=dtype)
    if len(y) != rows:
        raise InvalidDataError(
            "Found input variables with inconsistent numbers of samples: "
            f"X has {rows} rows, y has {len(y)}."
        )
    if isinstance(y.dtype, pd.ArrowDtype):
        y = column_to_pandas(name, require_pyarrow("Arrow columns").chunked_array(y.array))
    series: pd.Series = y.reset_index(drop=True).rename(
        "target" if name is None or name == "" else name
    )
    return series


def common_dtype(dtype: np.dtype, series: pd.Series) -> np.dtype:
    """Return the dtype of an array to which the target is appended."""
    other = series.dtype
    if isinstance(other, np.dtype) and other.kind in "biuf" and dtype.kind in "biuf":
        return np.result_type(dtype, other)
    return np.dtype(object)
