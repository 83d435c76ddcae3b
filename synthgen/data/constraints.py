"""Rules that rows obey: each can check rows, and most can repair rows that break them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from synthgen.core.documents import check_mapping, decode_scalar
from synthgen.data.cells import canonical_limit, ordered_numbers
from synthgen.data.column import Column
from synthgen.data.group_rules import FixedCombinations, OneHot, Predicate, Unique
from synthgen.data.lookup_rule import Lookup
from synthgen.data.order_rules import Inequality, Range
from synthgen.data.sum_rule import Sum
from synthgen.errors import ArtifactError, ConstraintError, DataWarning

__all__ = [
    "Constraint",
    "FixedCombinations",
    "Inequality",
    "Lookup",
    "OneHot",
    "Predicate",
    "Range",
    "Sum",
    "Unique",
    "bind_constraint",
    "constraint_from_json",
    "drop_impossible",
    "validate_constraints",
]


@runtime_checkable
class Constraint(Protocol):
    """What every constraint can do."""

    @property
    def columns(self) -> tuple[Hashable, ...]:
        """Labels of the columns that the constraint looks at."""

    def check(self, df: pd.DataFrame) -> np.ndarray:
        """Return for each row whether it obeys the constraint, shape (n,)."""

    def repair(self, df: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
        """Return a frame whose rows all obey, or None if that cannot be arranged."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document, see :func:`constraint_from_json`."""


def constraint_from_json(document: dict[str, Any]) -> Constraint:
    """Read a document written by a constraint's ``to_json``.

    Raises
    ------
    ArtifactError
        If it is not one.
    """
    check_mapping(document, {"type": str}, "A constraint")
    readers: dict[str, Callable[[dict[str, Any]], Constraint]] = {
        "range": lambda d: Range(
            decode_scalar(d["column"]),
            decode_scalar(d["low"]),
            decode_scalar(d["high"]),
            bool(d["strict"]),
            d["format"],
        ),
        "inequality": lambda d: Inequality(
            decode_scalar(d["low"]),
            decode_scalar(d["high"]),
            bool(d["strict"]),
            (d["formats"][0], d["formats"][1]),
            d.get("found", False),
        ),
        "fixed_combinations": lambda d: FixedCombinations(
            _labels(d),
            None
            if d["combinations"] is None
            else tuple(tuple(decode_scalar(v) for v in row) for row in d["combinations"]),
        ),
        "one_hot": lambda d: OneHot(_labels(d)),
        "lookup": lambda d: Lookup(
            decode_scalar(d["key"]),
            decode_scalar(d["column"]),
            None
            if d["table"] is None
            else tuple((decode_scalar(key), decode_scalar(value)) for key, value in d["table"]),
            d["found"],
            tuple(decode_scalar(name) for name in d.get("also", ())),
            d.get("part"),
            d.get("zone"),
            d.get("format"),
        ),
        "sum": lambda d: Sum(
            decode_scalar(d["total"]),
            tuple(decode_scalar(name) for name in d["parts"]),
            tuple(d["weights"]),
            d["constant"],
            d["tolerance"],
            d["found"],
        ),
        "unique": lambda d: Unique(_labels(d)),
        "predicate": lambda d: Predicate(None, d["name"]),
    }
    try:
        return readers[document["type"]](document)
    except (KeyError, TypeError, IndexError, ConstraintError) as error:
        raise ArtifactError(f"Not a stored constraint: {document!r}.") from error


def bind_constraint(constraint: Constraint, columns: Mapping[Hashable, Column]) -> Constraint:
    """Fill in the formats of dates that are stored as text, and time zones."""
    if isinstance(constraint, Range):
        return replace(constraint, format=columns[constraint.column].format)
    if isinstance(constraint, Inequality):
        low, high = columns[constraint.low], columns[constraint.high]
        return replace(constraint, formats=(low.format, high.format))
    if isinstance(constraint, Lookup) and constraint.part is not None:
        key = columns[constraint.key]
        return replace(constraint, format=key.format, zone=constraint.zone or key.time_zone)
    return constraint


def validate_constraints(
    constraints: Iterable[Constraint], columns: Iterable[Column], df: pd.DataFrame
) -> tuple[Constraint, ...]:
    """Check constraints against the schema and the real data, and learn what they need from these.

    Parameters
    ----------
    constraints : iterable of Constraint
    columns : Schema or iterable of Column
    df : pandas.DataFrame
        The real data.

    Returns
    -------
    tuple of Constraint
        The constraints, fitted.

    Raises
    ------
    ConstraintError
        If a constraint is malformed, names unknown columns or contradicts another one.

    Warns
    -----
    DataWarning
        If real rows break a constraint.
    """
    by_name = {column.name: column for column in columns}
    fitted = []
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            raise ConstraintError(f"Not a constraint: {constraint!r}.")
        unknown = [name for name in constraint.columns if name not in by_name]
        if unknown:
            raise ConstraintError(
                f"{type(constraint).__name__} names unknown columns {unknown!r}; "
                f"there are {list(by_name)!r}."
            )
        rule = bind_constraint(constraint, by_name)
        if (isinstance(rule, FixedCombinations) and rule.combinations is None) or (
            isinstance(rule, Lookup) and rule.table is None
        ):
            rule = rule.fit(df)
        fitted.append(rule)
    _check_contradictions(fitted, df)
    for rule in fitted:
        _warn_if_broken(rule, df)
    return tuple(fitted)


def drop_impossible(df: pd.DataFrame, constraints: Iterable[Constraint]) -> pd.DataFrame:
    """Return the rows of a table without those that a model could only learn to break rules by.

    Combinations are drawn as a whole, so that a forbidden one that was learned would be drawn. What
    breaks other rules is learned from: it is drawn again or repaired where it breaks them.

    Raises
    ------
    ConstraintError
        If fewer than two rows are left.
    """
    obeys = np.ones(len(df), dtype=bool)
    for rule in constraints:
        if isinstance(rule, (FixedCombinations, OneHot)):
            obeys &= rule.check(df)
    if obeys.all():
        return df
    if obeys.sum() < 2:
        raise ConstraintError(
            f"{int(obeys.sum())} of {len(df):,} real rows obey all constraints on combinations "
            "(FixedCombinations, OneHot), so there is nothing to learn from. Drop one of them."
        )
    return df[obeys].reset_index(drop=True)


def _check_contradictions(constraints: list[Constraint], df: pd.DataFrame) -> None:
    bounds: dict[Hashable, list[tuple[float, float, bool]]] = {}
    order: set[tuple[Hashable, Hashable, bool]] = set()
    for rule in constraints:
        if isinstance(rule, Range):
            _, kind = ordered_numbers(df.iloc[:1], rule.column, rule.format)
            low, high = (
                canonical_limit(bound, kind, rule.column) for bound in (rule.low, rule.high)
            )
            bounds.setdefault(rule.column, []).append(
                (-np.inf if low is None else low, np.inf if high is None else high, rule.strict)
            )
        elif isinstance(rule, Inequality):
            order.add((rule.low, rule.high, rule.strict))
    for name, limits in bounds.items():
        low, high = max(limit[0] for limit in limits), min(limit[1] for limit in limits)
        if low > high or (low == high and any(limit[2] for limit in limits)):
            raise ConstraintError(
                f"The ranges of {name!r} contradict each other: nothing lies between {low:g} and "
                f"{high:g}."
            )
    for low_name, high_name, strict in order:
        opposite = {s for a, b, s in order if (a, b) == (high_name, low_name)}
        if opposite and (strict or True in opposite):
            raise ConstraintError(
                f"{low_name!r} cannot be below {high_name!r} and above it at the same time."
            )


def _warn_if_broken(rule: Constraint, df: pd.DataFrame) -> None:
    broken = int((~rule.check(df)).sum())
    if broken:
        label = rule.name if isinstance(rule, Predicate) else repr(list(rule.columns))
        warnings.warn(
            f"{broken:,} of {len(df):,} real rows break the constraint {type(rule).__name__} "
            f"{label}; synthetic rows will obey it nevertheless.",
            DataWarning,
            stacklevel=3,
        )


def _labels(document: dict[str, Any]) -> tuple[Hashable, ...]:
    return tuple(decode_scalar(name) for name in document["columns"])
