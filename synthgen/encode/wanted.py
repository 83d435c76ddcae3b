"""Conditions on a column, as users write them and in one normal form."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from synthgen.errors import ConditionError


@dataclass(frozen=True)
class Between:
    """A range of values, both ends included, for use in ``conditions``.

    Parameters
    ----------
    low, high : number, datetime or str, optional
        Ends of the range; None leaves an end open. Dates may be given as text.

    Examples
    --------
    >>> Between(30, 40)
    Between(low=30, high=40)
    """

    low: Any = None
    high: Any = None


@dataclass(frozen=True)
class Wanted:
    """A condition in normal form: any of some values, or a range, or missing.

    Parameters
    ----------
    values : tuple
        Allowed values other than missing.
    missing : bool
        Whether a missing cell is allowed.
    between : Between or None
        Allowed range.
    """

    values: tuple[Any, ...] = ()
    missing: bool = False
    between: Between | None = None

    @property
    def single(self) -> bool:
        """Whether exactly one value satisfies the condition."""
        return self.between is None and len(self.values) + self.missing == 1


def in_words(wanted: Mapping[Any, Wanted]) -> str:
    """Return conditions as they were written.

    Examples
    --------
    >>> in_words({"age": Wanted((20,)), "sex": Wanted(("Female", "Male"), True)})
    "{'age': 20, 'sex': ['Female', 'Male', None]}"
    """
    written = {}
    for name, asked in wanted.items():
        values = [*asked.values, *([None] if asked.missing else [])]
        written[name] = asked.between or (values[0] if len(values) == 1 else values)
    return repr(written)


def is_missing(value: Any) -> bool:
    """Return whether a scalar stands for a missing cell."""
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def parse_wanted(name: Any, condition: Any) -> Wanted:
    """Bring a condition into normal form.

    Parameters
    ----------
    name : hashable
        Column label, for messages.
    condition : scalar, Between, or list, tuple or set of scalars
        None and NaN mean a missing cell.

    Raises
    ------
    ConditionError
        If the condition is empty or not understood.

    Examples
    --------
    >>> parse_wanted("sex", ["Female", None])
    Wanted(values=('Female',), missing=True, between=None)
    """
    if isinstance(condition, Between):
        if condition.low is None and condition.high is None:
            raise ConditionError(f"The range for column {name!r} has no end; give low or high.")
        return Wanted(between=condition)
    if isinstance(condition, (list, tuple, set, frozenset)):
        if not condition:
            raise ConditionError(f"The list of values for column {name!r} is empty.")
        strange = [value for value in condition if not isinstance(value, Hashable)]
        if strange:
            raise ConditionError(
                f"The list of values for column {name!r} holds {strange[0]!r}, which is no value."
            )
        values = tuple(dict.fromkeys(value for value in condition if not is_missing(value)))
        return Wanted(values=values, missing=any(is_missing(value) for value in condition))
    if is_missing(condition):
        return Wanted(missing=True)
    if not pd.api.types.is_scalar(condition):
        raise ConditionError(
            f"The condition on column {name!r} must be a value, a list of values or "
            f"Between(low, high), got {type(condition).__name__}."
        )
    return Wanted(values=(condition,))
