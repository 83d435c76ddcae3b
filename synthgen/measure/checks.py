"""Checks of what reports and audits are given: each says what was expected and what was found."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from synthgen.data.schema import Schema
from synthgen.errors import InvalidParameterError

#: What is looked for in a synthesizer; one with none of these is none.
_OWN: Final = ("sample", "ledger_", "schema_", "history_", "grids_")


def check_schema(value: Any) -> Schema | None:
    """Check that a schema is one, or None.

    Raises
    ------
    InvalidParameterError
        If it is anything else.
    """
    if value is not None and not isinstance(value, Schema):
        raise InvalidParameterError(f"schema must be a Schema or None, got {_kind(value)}.")
    return value


def check_text(name: str, value: Any) -> str:
    """Check that a value is a text with something in it.

    Raises
    ------
    InvalidParameterError
        If it is not.
    """
    if not isinstance(value, str) or not value.strip():
        raise InvalidParameterError(f"{name} must be a text, got {value!r}.")
    return value


def check_names(name: str, value: Any, *, what: str = "names") -> tuple[Hashable, ...]:
    """Return a list of names without repetition.

    Raises
    ------
    InvalidParameterError
        If it is no list, or one text, whose letters would pass for names.

    Examples
    --------
    >>> check_names("secrets", ["a", "b", "a"])
    ('a', 'b')
    """
    listed = isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))
    names = list(value) if listed else []
    if not listed or not all(isinstance(each, Hashable) for each in names):
        raise InvalidParameterError(f"{name} must be a list of {what}, got {value!r}.")
    return tuple(dict.fromkeys(names))


def check_texts(name: str, value: Any) -> dict[Any, Any]:
    """Return a mapping as a dictionary; None is an empty one.

    Raises
    ------
    InvalidParameterError
        If it is anything else.
    """
    if value is not None and not isinstance(value, Mapping):
        raise InvalidParameterError(
            f"{name} must be a mapping of text to text or None, got {value!r}."
        )
    return dict(value or {})


def check_callable(name: str, value: Any, what: str) -> Callable[..., Any]:
    """Check that a value can be called.

    Raises
    ------
    InvalidParameterError
        If it cannot; `what` says what is expected.
    """
    if not callable(value):
        raise InvalidParameterError(f"{name} must be {what}, got {value!r}.")
    checked: Callable[..., Any] = value
    return checked


def check_numbers(values: Any, n: int, expected: str) -> NDArray[np.float64]:
    """Return what a callable of the user's gave as an array of `n` numbers.

    Parameters
    ----------
    values : object
    n : int
    expected : str
        What it must give, with its name, for the message.

    Raises
    ------
    InvalidParameterError
        If it is anything else, or holds NaN.
    """
    try:
        found = np.asarray(values)
        if found.dtype.kind == "c":
            raise TypeError
        found = found.astype(np.float64)
    except (TypeError, ValueError) as reason:
        raise InvalidParameterError(
            f"{expected}, got a {type(values).__name__} that holds none."
        ) from reason
    if found.shape != (n,):
        raise InvalidParameterError(f"{expected}, got shape {found.shape}.")
    if np.isnan(found).any():
        raise InvalidParameterError(f"{expected}, got NaN.")
    return found


def check_synthesizer(value: Any) -> Any:
    """Check that a value is a fitted synthesizer, of this package or of another, or None.

    Raises
    ------
    InvalidParameterError
        If it is none, or a class.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    if value is None:
        return None
    if isinstance(value, type) or not any(hasattr(value, own) for own in _OWN):
        raise InvalidParameterError(
            f"synthesizer must be a fitted one or None, got {_kind(value)}."
        )
    if isinstance(value, BaseEstimator):
        check_is_fitted(value)
    return value


def _kind(value: Any) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}; make one and fit it"
    return type(value).__name__
