"""Checks of parameters: each names the parameter, what was expected and what was found."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

from synthgen.errors import InvalidParameterError


def _fail(name: str, expected: str, value: object) -> InvalidParameterError:
    return InvalidParameterError(f"{name} must be {expected}, got {value!r}.")


def check_integer(
    name: str, value: Any, *, minimum: int | None = None, words: Iterable[str] = ()
) -> Any:
    """Check that `value` is an integer of at least `minimum`, or one of `words`.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : object
        What the user gave. Booleans are refused.
    minimum : int, optional
        Smallest allowed value (inclusive).
    words : iterable of str
        Strings (for instance ``"auto"``) or None that are allowed as well.

    Returns
    -------
    int or str
        The value, as a plain ``int`` if it is a number.

    Raises
    ------
    InvalidParameterError
        If the value is anything else.

    Examples
    --------
    >>> check_integer("n_samples", 3, minimum=0)
    3
    >>> check_integer("n_samples", -1, minimum=0)
    Traceback (most recent call last):
    ...
    synthgen.errors.InvalidParameterError: n_samples must be an integer >= 0, got -1.
    """
    words = tuple(words)
    if isinstance(value, str) and value in words:
        return value
    expected = "an integer" + ("" if minimum is None else f" >= {minimum}")
    expected += "".join(f" or {word!r}" for word in words)
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise _fail(name, expected, value)
    if minimum is not None and value < minimum:
        raise _fail(name, expected, value)
    return int(value)


def check_real(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    closed: str = "both",
) -> float:
    """Check that `value` is a finite number in the interval from `low` to `high`.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : object
        What the user gave. Booleans and NaN are refused.
    low, high : float
        Ends of the interval.
    closed : {"both", "low", "high", "neither"}
        Which ends belong to the interval.

    Returns
    -------
    float

    Raises
    ------
    InvalidParameterError
        If the value is not a number or lies outside.
    """
    left = "[" if closed in ("both", "low") else "("
    right = "]" if closed in ("both", "high") else ")"
    expected = f"a number in {left}{low:g}, {high:g}{right}"
    if not isinstance(value, Real) or isinstance(value, bool) or math.isnan(value):
        raise _fail(name, expected, value)
    number = float(value)
    above = number >= low if left == "[" else number > low
    below = number <= high if right == "]" else number < high
    if not (above and below):
        raise _fail(name, expected, value)
    return number


def check_choice(name: str, value: Any, choices: Iterable[Any]) -> Any:
    """Check that `value` is one of `choices`.

    Raises
    ------
    InvalidParameterError
        If it is not; the message lists the choices.
    """
    choices = list(choices)
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return value
    listed = ", ".join(repr(choice) for choice in choices)
    raise _fail(name, f"one of {listed}", value)
