"""Names of pandas dtypes that can be written to JSON and turned back, on pandas 2.2 to 3.x.

pandas' own names are not enough: ``str(dtype)`` hides where strings are stored and whether a
category is ordered, and says ``object`` for columns of decimals, dates or times. The names here are
pandas' own, plus ``string[python]``, ``string[pyarrow]``, ``category[ordered]`` and, for objects of
one type, ``object[decimal]``, ``object[date]``, ``object[datetime]``, ``object[time]`` and
``object[timedelta]``.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.errors import InvalidDataError

#: What an object column may hold, by pandas' word for it; the rest is reported as mixed.
OBJECT_CONTENTS: Final = {
    "decimal": "object[decimal]",
    "date": "object[date]",
    "datetime": "object[datetime]",
    "datetime64": "object[datetime]",
    "time": "object[time]",
    "timedelta": "object[timedelta]",
    "timedelta64": "object[timedelta]",
}


def dtype_name(series: pd.Series) -> str:
    """Return the name under which the dtype of `series` is stored in a schema.

    Examples
    --------
    >>> dtype_name(pd.Series([1, None], dtype="Int64"))
    'Int64'
    >>> dtype_name(pd.Series(pd.Categorical(["a"], ordered=True)))
    'category[ordered]'
    """
    dtype: Any = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category[ordered]" if dtype.ordered else "category"
    if isinstance(dtype, pd.StringDtype):
        if dtype.na_value is not pd.NA:
            return "str"
        return f"string[{dtype.storage}]"
    if pd.api.types.is_object_dtype(dtype):
        return OBJECT_CONTENTS.get(pd.api.types.infer_dtype(series, skipna=True), "object")
    return str(dtype)


def dtype_from_name(name: str) -> Any:
    """Return the pandas dtype that :func:`dtype_name` has named.

    Raises
    ------
    InvalidDataError
        If the name is not that of a dtype.
    """
    if name.startswith("object"):
        return np.dtype(object)
    if name.startswith("category"):
        return pd.CategoricalDtype(ordered=name == "category[ordered]")
    if name == "str":
        return _default_string()
    try:
        return pd.api.types.pandas_dtype(name)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"{name!r} is not the name of a pandas dtype.") from error


def _default_string() -> Any:
    try:
        return pd.StringDtype(na_value=np.nan)
    except TypeError:  # pandas 2.2 knows this dtype by another name only
        return pd.StringDtype("pyarrow_numpy")


def text_dtype_name() -> str:
    """Return the name of the dtype that pandas itself gives to plain text.

    It is ``object`` up to pandas 2.3 and ``str`` from 3.0 on, unless ``future.infer_string`` says
    otherwise.
    """
    return dtype_name(pd.Series(["a"]))


def family(name: str) -> str:
    """Sort a dtype name into one of a few families.

    Returns
    -------
    str
        One of ``number``, ``boolean``, ``datetime``, ``timedelta``, ``time``, ``decimal``,
        ``category``, ``string`` (text proper) or ``object`` (contents unknown from the name).

    Examples
    --------
    >>> family("UInt8"), family("datetime64[ns, UTC]"), family("object[date]"), family("str")
    ('number', 'datetime', 'datetime', 'string')
    """
    if re.fullmatch(r"u?int\d+|float\d+|UInt\d+|Int\d+|Float\d+", name):
        return "number"
    if name in ("bool", "boolean"):
        return "boolean"
    if name.startswith(("datetime64", "period", "object[date")):
        return "datetime"
    if name.startswith(("timedelta64", "object[timedelta")):
        return "timedelta"
    if name == "object[time]":
        return "time"
    if name == "object[decimal]":
        return "decimal"
    if name.startswith("category"):
        return "category"
    if name.startswith("str"):
        return "string"
    return "object"


def is_integer_dtype(name: str) -> bool:
    """Whether the dtype can hold whole numbers only."""
    return re.fullmatch(r"u?int\d+|U?Int\d+", name) is not None


def can_hold_missing(name: str) -> bool:
    """Whether the dtype has a missing value."""
    return name != "bool" and re.fullmatch(r"u?int\d+", name) is None
