"""Plain values to pandas arrays of a dtype that is given by its name."""

from __future__ import annotations

import decimal
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.dtypes import can_hold_missing, dtype_from_name, is_integer_dtype


def cast_levels(levels: list[Any], dtype: str) -> Any:
    """Return levels as a pandas array of a dtype, to be decoded by ``take``.

    Parameters
    ----------
    levels : list
        Distinct values, none missing.
    dtype : str
        Name of the dtype. For categories all `levels` are declared, in their order.

    Returns
    -------
    pandas.api.extensions.ExtensionArray
        ``array.take(codes, allow_fill=True)`` decodes, -1 being missing (of a dtype that has a
        missing value).

    Examples
    --------
    >>> cast_levels(["a", "b"], "category").take(np.array([1, -1]), allow_fill=True).tolist()
    ['b', nan]
    """
    if dtype.startswith("category"):
        categories = pd.Index(levels, tupleize_cols=False)
        ordered = dtype == "category[ordered]"
        return pd.Categorical.from_codes(
            np.arange(len(levels)), categories=categories, ordered=ordered
        )
    if dtype.startswith("object"):
        values = np.empty(len(levels), dtype=object)
        values[:] = levels
        return pd.arrays.NumpyExtensionArray(values)
    target = dtype_from_name(dtype)
    if isinstance(target, np.dtype) and target.kind in "biuf":
        return pd.arrays.NumpyExtensionArray(np.asarray(levels, dtype=target))
    return pd.array(levels, dtype=target)


def cast_numbers(values: np.ndarray, dtype: str) -> Any:
    """Cast floats to a numeric dtype, inside its range; NaN becomes its missing value."""
    target = dtype_from_name(dtype)
    missing = np.isnan(values)
    if not can_hold_missing(dtype) and missing.any():
        return values
    if is_integer_dtype(dtype):
        numpy_dtype = np.dtype(dtype.lower())
        whole = _saturated(np.where(missing, 0.0, np.rint(values)), numpy_dtype)
        if isinstance(target, np.dtype):
            return whole
        return pd.arrays.IntegerArray(whole, missing)
    if isinstance(target, np.dtype):
        return values.astype(target)
    return pd.arrays.FloatingArray(values.astype(target.numpy_dtype), missing)


def _saturated(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Cast whole floats to integers; those beyond the range become its ends."""
    info = np.iinfo(dtype)
    low, high = float(info.min), float(info.max)
    inside = np.clip(values, low, high)
    whole = np.where(inside >= high, 0.0, inside).astype(dtype)
    whole[inside >= high] = info.max  # float(2**63 - 1) itself would overflow
    return whole


def cast_values(values: Any, dtype: str, *, ordered_levels: tuple[Any, ...] = ()) -> pd.Series:
    """Return freely chosen values, none missing, as a series of a dtype.

    Parameters
    ----------
    values : array-like, shape (n,)
        Of a type that the dtype can hold.
    dtype : str
        Name of the dtype. For categories the levels are `ordered_levels` or else the values.
    """
    objects = np.asarray(values)
    if dtype.startswith("category"):
        levels = list(ordered_levels) or None
        return pd.Series(
            pd.Categorical(objects, categories=levels, ordered=dtype == "category[ordered]")
        )
    if dtype == "object[decimal]":
        objects = np.array([decimal.Decimal(str(value)) for value in objects], dtype=object)
    if dtype.startswith("object"):
        return pd.Series(objects.astype(object), dtype=object)
    target = dtype_from_name(dtype)
    if isinstance(target, np.dtype) and target.kind in "iufb":
        return pd.Series(objects.astype(target))
    return pd.Series(pd.array(objects, dtype=target))
