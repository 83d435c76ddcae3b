"""Constraints on the order of values: ranges and inequalities.

A repaired cell always takes a value that a valid row has, so types, formats and precision stay.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from synthgen.core.documents import encode_scalar
from synthgen.data.cells import canonical_limit, copy_cells, ordered_numbers
from synthgen.errors import ConstraintError


@dataclass(frozen=True)
class Range:
    """A column lies between two bounds; missing cells obey.

    Parameters
    ----------
    column : hashable
        A column of numbers, dates or time spans.
    low, high : number, date or str, optional
        Bounds; dates may be given as text.
    strict : bool, default=False
        Whether the bounds themselves are excluded.
    format : str, optional
        Format of dates stored as text; filled in by the schema.

    Examples
    --------
    >>> Range("age", 0, 120).check(pd.DataFrame({"age": [5, 130, None]})).tolist()
    [True, False, True]
    """

    column: Hashable
    low: Any = None
    high: Any = None
    strict: bool = False
    format: str | None = None

    @property
    def columns(self) -> tuple[Hashable, ...]:
        """The one column."""
        return (self.column,)

    def check(self, df: pd.DataFrame) -> np.ndarray:
        """Return for each row whether it obeys, shape (n,)."""
        values, kind = ordered_numbers(df, self.column, self.format)
        low, high = (canonical_limit(bound, kind, self.column) for bound in (self.low, self.high))
        keep = np.ones(len(values), dtype=bool)
        if low is not None:
            keep &= values > low if self.strict else values >= low
        if high is not None:
            keep &= values < high if self.strict else values <= high
        return np.asarray(keep | np.isnan(values))

    def repair(self, df: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
        """Give offending cells the value of a random valid row; None if there is none."""
        keep = self.check(df)
        present = df[self.column].notna().to_numpy()
        return copy_cells(df, self.columns, ~keep, keep & present, rng)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {
            "type": "range",
            "column": encode_scalar(self.column),
            "low": encode_scalar(self.low),
            "high": encode_scalar(self.high),
            "strict": self.strict,
            "format": self.format,
        }


@dataclass(frozen=True)
class Inequality:
    """One column is never above another; rows where either is missing obey.

    Parameters
    ----------
    low, high : hashable
        Labels of two columns of numbers, or two of dates.
    strict : bool, default=False
        Whether equal values are excluded.
    formats : tuple of (str or None), optional
        Formats of dates stored as text; filled in by the schema.
    found : bool, default=False
        Whether it was read off rows, by :meth:`Schema.infer <synthgen.Schema.infer>`.

    Examples
    --------
    >>> Inequality("a", "b").check(pd.DataFrame({"a": [1, 3], "b": [2, 2]})).tolist()
    [True, False]
    """

    low: Hashable
    high: Hashable
    strict: bool = False
    formats: tuple[str | None, str | None] = (None, None)
    found: bool = field(default=False, compare=False)

    @property
    def columns(self) -> tuple[Hashable, ...]:
        """The two columns."""
        return (self.low, self.high)

    def check(self, df: pd.DataFrame) -> np.ndarray:
        """Return for each row whether it obeys, shape (n,)."""
        low, low_kind = ordered_numbers(df, self.low, self.formats[0])
        high, high_kind = ordered_numbers(df, self.high, self.formats[1])
        if low_kind != high_kind:
            raise ConstraintError(
                f"{self.low!r} ({low_kind}) and {self.high!r} ({high_kind}) cannot be compared."
            )
        keep = low < high if self.strict else low <= high
        return np.asarray(keep | np.isnan(low) | np.isnan(high))

    def repair(self, df: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
        """Swap the two cells of offending rows, or take both from a random valid row."""
        keep = self.check(df)
        if keep.all():
            return df
        same = df[self.low].dtype == df[self.high].dtype and self.formats[0] == self.formats[1]
        if same and not isinstance(df[self.low].dtype, pd.CategoricalDtype):
            low, high = df[self.low], df[self.high]
            df = df.copy()
            df[self.low], df[self.high] = low.where(keep, high), high.where(keep, low)
            keep = self.check(df)
        present = df[list(self.columns)].notna().all(axis=1).to_numpy()
        return copy_cells(df, self.columns, ~keep, keep & present, rng)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {
            "type": "inequality",
            "low": encode_scalar(self.low),
            "high": encode_scalar(self.high),
            "strict": self.strict,
            "formats": list(self.formats),
            "found": self.found,
        }
