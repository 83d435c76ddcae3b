"""Checks of what users hand in: objects that need methods, callables, and other people's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.base import is_regressor
from sklearn.exceptions import NotFittedError

from synthgen.errors import InvalidDataError, InvalidParameterError, SynthgenError


def check_methods(name: str, value: Any, *methods: str) -> None:
    """Check that `value` is an object, not a class, with these methods.

    Raises
    ------
    InvalidParameterError
        If it is not; the message names the methods that it lacks.

    Examples
    --------
    >>> check_methods("synthesizer", 3, "sample")
    Traceback (most recent call last):
    ...
    synthgen.errors.InvalidParameterError: synthesizer must have the methods sample, got 3: it has \
no method sample.
    """
    lacking = [method for method in methods if not callable(getattr(value, method, None))]
    if lacking or isinstance(value, type):
        why = "it has " + " and ".join(f"no method {method}" for method in lacking)
        if isinstance(value, type):
            why = f"it is a class, so make an object first: {value.__name__}(...)"
        raise InvalidParameterError(
            f"{name} must have the methods {' and '.join(methods)}, got {value!r}: {why}."
        )


def check_classifier(estimator: Any) -> None:
    """Check that `estimator` has scikit-learn's interface and does not say it is a regressor.

    Raises
    ------
    InvalidParameterError
        If it cannot be used as a classifier.
    """
    check_methods("estimator", estimator, "fit", "predict", "get_params")
    if is_regressor(estimator):
        raise InvalidParameterError(f"estimator must be a classifier, got {estimator!r}.")


def check_callable(name: str, value: Any, *, optional: bool = False) -> Any:
    """Check that `value` can be called, or is None if it is optional.

    Raises
    ------
    InvalidParameterError
        If it is not.
    """
    if not callable(value) and not (optional and value is None):
        expected = "None or a callable" if optional else "a callable"
        raise InvalidParameterError(f"{name} must be {expected}, got {value!r}.")
    return value


@contextmanager
def estimator_at_work(estimator: Any) -> Iterator[None]:
    """Say whose words they are if the user's estimator refuses the rows that it gets as they are.

    Raises
    ------
    InvalidDataError
        In place of the ``TypeError`` or ``ValueError`` of the estimator.
    """
    try:
        yield
    except (SynthgenError, NotFittedError):
        raise
    except (TypeError, ValueError) as error:
        raise InvalidDataError(
            f"{type(estimator).__name__} refuses these rows: {error}\nIt gets them as they are: "
            "give a pipeline that encodes categories, dates and gaps, or leave such columns out."
        ) from error
