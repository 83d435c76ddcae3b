"""The constraint that one column is a sum of others."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.core.documents import encode_scalar
from synthgen.data.cells import ordered_numbers, put_cells
from synthgen.data.column import Column
from synthgen.data.dtypes import dtype_name
from synthgen.data.precision import find_decimals
from synthgen.data.values import from_numbers
from synthgen.errors import ConstraintError

#: Relative error of adding numbers of double precision, with room to spare.
_ROUNDING: Final = 1e-9
_MOST_DECIMALS: Final = 12


@dataclass(frozen=True)
class Sum:
    """One column is a weighted sum of others; rows where one of them is missing obey.

    The sum is added up anew in generated rows. Under a condition on the sum, or where it is given,
    the part that varies most makes up the difference.

    Parameters
    ----------
    total : hashable
        The column that is the sum.
    parts : tuple of hashable
        The columns that are added, at least one.
    weights : tuple of float, optional
        What each part is multiplied by; 1 by default. A difference has a weight of -1.
    constant : float, default=0
        What is added.
    tolerance : float, default=0
        Largest difference that counts as none, for sums that were rounded. Errors of floating point
        are allowed in any case.
    found : bool, default=False
        Whether it was read off rows, by :meth:`Schema.infer <synthgen.Schema.infer>`.

    Examples
    --------
    >>> rule = Sum("count", ("casual", "registered"))
    >>> frame = pd.DataFrame({"casual": [1, 2], "registered": [3, 4], "count": [4, 7]})
    >>> rule.check(frame).tolist()
    [True, False]
    >>> rule.repair(frame, np.random.default_rng(0))["count"].tolist()
    [4, 6]
    """

    total: Hashable
    parts: tuple[Hashable, ...]
    weights: tuple[float, ...] = ()
    constant: float = 0.0
    tolerance: float = 0.0
    found: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.parts, (tuple, list)) or not all(
            isinstance(name, Hashable) for name in self.parts
        ):
            raise ConstraintError(f"Sum needs a tuple of column labels, got {self.parts!r}.")
        parts = tuple(self.parts)
        try:
            weights = tuple(float(weight) for weight in self.weights) or (1.0,) * len(parts)
            limits = np.array([self.constant, self.tolerance], dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ConstraintError(
                f"The weights, the constant and the tolerance of a Sum are numbers: {error}."
            ) from error
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "weights", weights)
        if not parts or self.total in parts or len(set(parts)) < len(parts):
            raise ConstraintError(
                f"Sum needs one or more parts that differ from each other and from the total "
                f"{self.total!r}, got {parts!r}."
            )
        finite = np.isfinite([*weights, *limits]).all()
        if len(weights) != len(parts) or 0.0 in weights or not finite or self.tolerance < 0:
            raise ConstraintError(
                f"Sum needs one finite weight other than 0 for each of {parts!r}, a finite "
                f"constant and a tolerance of 0 or more, got {weights!r}, {self.constant!r} and "
                f"{self.tolerance!r}."
            )

    @property
    def columns(self) -> tuple[Hashable, ...]:
        """The total and its parts."""
        return (self.total, *self.parts)

    def check(self, df: pd.DataFrame) -> np.ndarray:
        """Return for each row whether it obeys, shape (n,)."""
        return self.holds(self.numbers(df))

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Return the same for rows of numbers, as :meth:`numbers` returns them."""
        terms = values[:, 1:] * self.weights
        difference = np.abs(values[:, 0] - terms.sum(axis=1) - self.constant)
        size = np.abs(values[:, 0]) + np.abs(terms).sum(axis=1) + abs(self.constant)
        wrong = difference > self.tolerance + _ROUNDING * size
        return np.asarray(~wrong)  # a comparison with NaN is False

    def numbers(self, df: pd.DataFrame) -> np.ndarray:
        """Return total and parts as numbers, shape (n, 1 + parts), NaN where missing."""
        columns = []
        for name in self.columns:
            values, kind = ordered_numbers(df, name, None)
            if kind != "numeric":
                raise ConstraintError(f"Sum is for numbers, and {name!r} holds {kind} values.")
            columns.append(values)
        return np.stack(columns, axis=1)

    def solve(self, values: np.ndarray, place: int) -> np.ndarray:
        """Return what the column at `place` of :attr:`columns` must be, given the others, (n,)."""
        signed = np.array([-1.0, *self.weights])
        others = np.arange(len(signed)) != place
        rest = values[:, others] @ signed[others] + self.constant
        return np.asarray(-rest / signed[place])

    def repair(self, df: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
        """Add up anew; a total of whole numbers stays whole."""
        del rng
        broken = ~self.check(df)
        if not broken.any():
            return df
        series = df[self.total]
        sums = self.solve(self.numbers(df), 0)[broken]
        whole = pd.api.types.is_integer_dtype(series.dtype)
        column = Column(
            self.total,
            "integer" if whole else "numeric",
            dtype_name(series),
            decimals=0 if whole else find_decimals(sums, highest=_MOST_DECIMALS),
        )
        df = df.copy()
        df[self.total] = put_cells(series, np.flatnonzero(broken), from_numbers(sums, column))
        return df

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {
            "type": "sum",
            "total": encode_scalar(self.total),
            "parts": [encode_scalar(name) for name in self.parts],
            "weights": list(self.weights),
            "constant": self.constant,
            "tolerance": self.tolerance,
            "found": self.found,
        }
