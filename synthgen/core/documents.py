"""JSON: documents that stay the same for the same content, and values that keep their type."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from synthgen.errors import ArtifactError


def dump_json(document: Any) -> str:
    """Write JSON that stays the same for the same content and refuses unknown types."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain_json(document: Any) -> Any:
    """Return a document as it will read back from JSON: lists for tuples, None for NaN.

    Examples
    --------
    >>> plain_json({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    if isinstance(document, dict):
        return {str(key): plain_json(value) for key, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [plain_json(value) for value in document]
    if isinstance(document, float) and not math.isfinite(document):
        return None
    return document


def encode_scalar(value: Any) -> Any:
    """Turn a hashable scalar (a column label or a category) into JSON that keeps its type.

    Strings, booleans, integers and None stand for themselves; everything else becomes a
    one-key object such as ``{"float": "nan"}``.

    Raises
    ------
    TypeError
        For a type without a faithful JSON form.

    Examples
    --------
    >>> encode_scalar("a"), encode_scalar((1, 2.5))
    ('a', {'tuple': [1, {'float': '2.5'}]})
    >>> decode_scalar(encode_scalar((1, 2.5)))
    (1, 2.5)
    """
    if isinstance(value, np.generic) and not isinstance(value, (np.datetime64, np.timedelta64)):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return {"float": repr(value) if math.isfinite(value) else str(value)}
    if isinstance(value, tuple):
        return {"tuple": [encode_scalar(item) for item in value]}
    return {type_name(value): _encode_special(value)}


def type_name(value: Any) -> str:
    """Return the tag under which :func:`encode_scalar` stores a value's type."""
    import pandas as pd

    if value is pd.NaT or value is pd.NA:
        return "missing"
    for name, kind in (
        ("timestamp", pd.Timestamp),
        ("timedelta", pd.Timedelta),
        ("interval", pd.Interval),
        ("period", pd.Period),
        ("datetime", dt.datetime),
        ("date", dt.date),
        ("time", dt.time),
        ("decimal", decimal.Decimal),
        ("bytes", bytes),
        ("complex", complex),
    ):
        if isinstance(value, kind):
            return name
    raise TypeError(f"No JSON form for a value of type {type(value).__name__}: {value!r}.")


def _encode_special(value: Any) -> Any:
    import pandas as pd

    if value is pd.NA or value is pd.NaT:
        return "NaT" if value is pd.NaT else "NA"
    if isinstance(value, pd.Timestamp):
        if value.tz is None:
            return [value.isoformat(), None]
        # In UTC, since an hour repeats when clocks go back.
        return [value.tz_convert("UTC").tz_localize(None).isoformat(), str(value.tz)]
    if isinstance(value, pd.Timedelta):
        return int(value.value)
    if isinstance(value, pd.Interval):
        return [encode_scalar(value.left), encode_scalar(value.right), value.closed]
    if isinstance(value, pd.Period):
        return [str(value), value.freqstr]
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def decode_scalar(document: Any) -> Any:
    """Reverse :func:`encode_scalar`.

    Raises
    ------
    ArtifactError
        If the document is not the form of any scalar.
    """
    if not isinstance(document, dict):
        return document
    import pandas as pd

    decoders: dict[str, Callable[[Any], Any]] = {
        "float": float,
        "tuple": lambda items: tuple(decode_scalar(item) for item in items),
        "missing": lambda name: pd.NaT if name == "NaT" else pd.NA,
        "timestamp": _decode_timestamp,
        "timedelta": lambda value: pd.Timedelta(value, unit="ns"),
        "interval": lambda v: pd.Interval(decode_scalar(v[0]), decode_scalar(v[1]), v[2]),
        "period": lambda pair: pd.Period(pair[0], freq=pair[1]),
        "datetime": dt.datetime.fromisoformat,
        "date": dt.date.fromisoformat,
        "time": dt.time.fromisoformat,
        "decimal": decimal.Decimal,
        "bytes": bytes.fromhex,
        "complex": complex,
    }
    try:
        ((name, value),) = document.items()
        return decoders[name](value)
    except (LookupError, ValueError, TypeError, ArithmeticError) as error:
        raise ArtifactError(f"Not the form of a stored value: {document!r}.") from error


def _decode_timestamp(pair: list[Any]) -> Any:
    import pandas as pd

    moment, zone = pair
    if zone is None:
        return pd.Timestamp(moment)
    return pd.Timestamp(moment, tz="UTC").tz_convert(zone)


def check_mapping(
    document: Any, required: Mapping[str, type | tuple[type, ...]], what: str
) -> None:
    """Check that a JSON document is an object with the `required` keys and types.

    Raises
    ------
    ArtifactError
        If it is not; the message names `what` and the key.
    """
    if not isinstance(document, dict):
        raise ArtifactError(f"{what} is not a JSON object.")
    for key, kind in required.items():
        if not isinstance(document.get(key), kind):
            raise ArtifactError(f"{what} has no valid {key!r}: {document.get(key)!r}.")
