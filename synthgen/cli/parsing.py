"""Option values that are more than a word: numbers of rows, and conditions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from synthgen.errors import ConditionError, InvalidParameterError

if TYPE_CHECKING:
    from synthgen.data.schema import Column, Schema

_RANGE: Final = re.compile(r"^(?P<low>.*?)\.\.(?P<high>.*)$")
_RANGED: Final = frozenset({"numeric", "integer", "datetime", "timedelta"})
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def parse_count(name: str, text: str) -> int:
    """Read a number of rows, in any usual notation.

    Raises
    ------
    InvalidParameterError
        If it is not a whole number of at least 0.

    Examples
    --------
    >>> parse_count("-n", "1e6"), parse_count("-n", "2_500")
    (1000000, 2500)
    """
    try:
        return _whole(int(text))
    except ValueError:
        pass
    try:
        number = float(text)
        if number != int(number):
            raise ValueError(text)
        return _whole(int(number))
    except (ValueError, OverflowError):
        raise InvalidParameterError(
            f"{name} must be a whole number of rows such as 5000 or 1e6, got '{text}'."
        ) from None


def _whole(number: int) -> int:
    if number < 0:
        raise ValueError(number)
    return number


def parse_conditions(items: Sequence[str], schema: Schema) -> dict[Any, Any] | None:
    """Turn ``column=value`` items into the `conditions` of ``sample``.

    ``column=low..high`` is a range with both ends included (either may be left out) for numbers,
    dates and durations; ``column=`` asks for missing cells; several items on one column ask for any
    of their values.

    Parameters
    ----------
    items : sequence of str
        What the user gave.
    schema : Schema
        The schema of the fitted model, which says what type a value has.

    Returns
    -------
    dict or None
        None if there are no items.

    Raises
    ------
    ConditionError
        If an item has no ``=``, names an unknown column, or mixes a range with other values.
    """
    labels = {str(name): name for name in schema.names}
    wanted: dict[Any, list[Any]] = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals:
            raise ConditionError(f"A condition is written column=value, got '{item}'.")
        if name not in labels:
            known = ", ".join(labels)
            raise ConditionError(f"There is no column '{name}' to condition on; known: {known}.")
        column = schema[labels[name]]
        wanted.setdefault(column.name, []).append(_parse_value(text, column))
    return {name: _any_of(name, values) for name, values in wanted.items()} or None


def _any_of(name: Any, values: list[Any]) -> Any:
    from synthgen import Between

    if len(values) == 1:
        return values[0]
    if any(isinstance(value, Between) for value in values):
        raise ConditionError(
            f"A range on column '{name}' cannot be combined with another condition on it."
        )
    return values


def _parse_value(text: str, column: Column) -> Any:
    from synthgen import Between

    if not text:
        return None
    match = _RANGE.match(text) if column.kind in _RANGED else None
    if match is None:
        return _parse_scalar(text, column)
    low, high = (
        _parse_scalar(end, column) if end else None for end in (match["low"], match["high"])
    )
    return Between(low, high)


def _parse_scalar(text: str, column: Column) -> Any:
    dtype = column.dtype.lower()
    if column.kind == "boolean" or dtype.startswith("bool"):
        if text.lower() not in _TRUTH:
            raise ConditionError(f"Column '{column.name}' is true or false, got '{text}'.")
        return _TRUTH[text.lower()]
    if column.kind == "timedelta":
        return _parse_duration(text, column)
    numeric = column.kind in ("numeric", "integer")
    if numeric or dtype.startswith(("int", "uint", "float")):
        return _parse_number(text, column)
    return text


def _parse_number(text: str, column: Column) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        raise ConditionError(f"Column '{column.name}' holds numbers, got '{text}'.") from None
    return int(number) if number.is_integer() else number


def _parse_duration(text: str, column: Column) -> Any:
    import pandas as pd

    try:
        return pd.Timedelta(text)
    except ValueError:
        raise ConditionError(
            f"Column '{column.name}' holds durations such as '2h' or '3 days', got '{text}'."
        ) from None
