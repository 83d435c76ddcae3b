"""Columns of numbers that are exact sums of others: net, tax and gross; start, length and end.

The columns are looked at as vectors, one component per row. In ascending order of their spread, one
that is a linear combination of those before it is a candidate for an exact sum. Among the rest, one
that the others predict but for an error as large as its own rounding is a candidate for a rounded
sum ("tax = .19 net"). Weights follow from least squares, are made as round as can be, and must then
hold in every single row.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.precision import find_decimals
from synthgen.data.sum_rule import Sum
from synthgen.data.values import to_numbers

_ENOUGH_ROWS: Final = 100
#: Rows per column that a combination must hold in, lest it be an accident.
_ROWS_PER_COLUMN: Final = 5
_PROBE: Final = 5_000
_MOST_COLUMNS: Final = 200
_MOST_PARTS: Final = 8
#: Columns with fewer values are flags and codes, whose sums are rules of another kind.
_LEAST_VALUES: Final = 5
_MOST_MISSING: Final = 0.2
#: Between these, squares of differences neither overflow nor vanish.
_SPREADS: Final = (1e-100, 1e100)
#: What is left of a standardised column that is an exact sum, at most.
_REMAINDER: Final = 1e-7
#: Parts that contribute less than this share of the total's spread are none.
_NO_PART: Final = 5e-3
#: Standard deviation of the error of a rounded sum, in units of the last digit: 1 / sqrt(12).
_ROUNDING: Final = (0.22, 0.32)
#: Significant digits of weights and constants that are tried.
_DIGITS: Final = (1, 2, 3, 4, 6, 9, 17)
_MOST_DECIMALS: Final = 12


def find_sums(df: pd.DataFrame, columns: Sequence[Column]) -> tuple[Sum, ...]:
    """Return the columns that are weighted sums of others in every row.

    Parameters
    ----------
    df : pandas.DataFrame
        At least 100 rows, and 5 per column of numbers, or nothing is found.
    columns : sequence of Column
        Those of kind numeric and integer are looked at, the first 200 of them; not numbers in text,
        columns with fewer than 5 values, or with more than a fifth missing.

    Returns
    -------
    tuple of Sum
        Of columns that add up exactly, the one that varies most is the total.

    References
    ----------
    Golub & Van Loan, "Matrix Computations", 4th edition, 2013, section 5.2.9: Gram-Schmidt with
    reorthogonalization.

    Examples
    --------
    >>> from synthgen import Schema
    >>> rng = np.random.default_rng(0)
    >>> df = pd.DataFrame({"net": rng.integers(100, 999, 200), "tax": rng.integers(0, 99, 200)})
    >>> df["gross"] = df["net"] + df["tax"]
    >>> [(rule.total, rule.parts) for rule in find_sums(df, Schema.infer(df).columns)]
    [('gross', ('net', 'tax'))]
    """
    names, values = _candidates(df, columns)
    complete = ~np.isnan(values).any(axis=1)
    if len(names) < 2 or complete.sum() < _ENOUGH_ROWS + _ROWS_PER_COLUMN * len(names):
        return ()
    search = _Search(names, values[complete])
    search.exact()
    search.rounded()
    return tuple(search.found)


def _candidates(df: pd.DataFrame, columns: Sequence[Column]) -> tuple[list[Hashable], np.ndarray]:
    """Return labels and values, (n, k), of the columns that may add up."""
    names: list[Hashable] = []
    values = []
    for column in columns:
        if column.kind not in ("numeric", "integer") or column.format is not None:
            continue
        numbers = to_numbers(df[column.name], column)
        present = numbers[~np.isnan(numbers)]
        if len(present) < (1.0 - _MOST_MISSING) * len(numbers) or not np.isfinite(present).all():
            continue
        spread = np.abs(present - present[:1]).max(initial=0.0)
        if not _SPREADS[0] < spread < _SPREADS[1]:
            continue
        if len(np.unique(present[:_PROBE])) >= _LEAST_VALUES:
            names.append(column.name)
            values.append(numbers)
        if len(names) == _MOST_COLUMNS:
            break
    return names, np.stack(values, axis=1) if values else np.empty((len(df), 0))


class _Search:
    """The columns that are not sums of others yet, and the sums found so far."""

    def __init__(self, names: list[Hashable], values: np.ndarray) -> None:
        self.names, self.values = names, values
        self.found: list[Sum] = []
        self._probe = values[:: max(1, len(values) // _PROBE)]
        self._probe = self._probe - self._probe.mean(axis=0)
        self._lengths = np.linalg.norm(self._probe, axis=0)
        #: Places of the columns that are no sums; a column may be constant where others are known.
        order = np.argsort(self._lengths, kind="stable").tolist()
        self._free = [place for place in order if self._lengths[place] > 0.0]

    def exact(self) -> None:
        """Look for sums without any difference."""
        free: list[int] = []
        basis = np.empty((len(self._probe), 0))
        for place in self._free:
            rest = self._probe[:, place] / self._lengths[place]
            for _ in range(2):  # twice, since projections on nearly parallel vectors lose digits
                rest = rest - basis @ (basis.T @ rest)
            left = float(np.linalg.norm(rest))
            if left < _REMAINDER and self._try(place, free, 0.0):
                continue
            free.append(place)
            if left > 0.0:
                basis = np.column_stack([basis, rest / left])
        self._free = free

    def rounded(self) -> None:
        """Look for sums that were rounded, those that fit best first."""
        units = [self._unit(place) for place in range(len(self.names))]
        tried: set[int] = set()
        while len(self._free) > 1:
            scaled = self._probe[:, self._free] / self._lengths[self._free]
            # The diagonal of the inverse says what the other columns leave of each.
            inverse = np.linalg.pinv(scaled.T @ scaled, rcond=1e-14, hermitian=True)
            left = 1.0 / np.sqrt(np.maximum(inverse.diagonal(), 1.0))
            errors = {
                place: float(rest * self._lengths[place] / np.sqrt(len(self._probe)) / units[place])
                for place, rest in zip(self._free, left, strict=True)
                if units[place] and place not in tried
            }
            fitting = [k for k, e in errors.items() if _ROUNDING[0] <= e <= _ROUNDING[1]]
            if not fitting:
                return
            place = min(fitting, key=lambda k: abs(errors[k] - np.sqrt(1 / 12)))
            tried.add(place)
            others = [k for k in self._free if k != place]
            if self._try(place, others, 0.5 * units[place]):
                self._free = others

    def _unit(self, place: int) -> float:
        """Return what the numbers of a column are multiples of, 0 if of nothing."""
        decimals = find_decimals(self.values[:, place], highest=_MOST_DECIMALS)
        return 0.0 if decimals is None else 10.0**-decimals

    def _try(self, total: int, others: list[int], tolerance: float) -> bool:
        """Keep the sum of some of the others that makes `total`, if there is one."""
        weights = self._weights(total, others)
        size = np.abs(weights) * self._lengths[others] / self._lengths[total]
        # The largest first: of columns that nearly add up, the fewer parts, the better.
        parts = [others[k] for k in np.argsort(-size, kind="stable") if size[k] > _NO_PART]
        if not 0 < len(parts) <= _MOST_PARTS:
            return False
        found = None
        while parts and (rule := self._rule(total, parts, tolerance)) is not None:
            found = rule
            parts.pop()
        if found is not None:
            self.found.append(found)
        return found is not None

    def _rule(self, total: int, parts: list[int], tolerance: float) -> Sum | None:
        rows = self.values[:, [total, *parts]]
        names = [self.names[k] for k in (total, *parts)]
        return _roundest(names, rows, self._weights(total, parts), tolerance)

    def _weights(self, place: int, others: list[int]) -> np.ndarray:
        # Of columns of unit length, so that small numbers beside large ones are not taken for zero.
        scaled = self._probe[:, [place, *others]] / self._lengths[[place, *others]]
        found, *_ = np.linalg.lstsq(scaled[:, 1:], scaled[:, 0], rcond=None)
        return np.asarray(found * self._lengths[place] / self._lengths[others])


def _roundest(
    names: list[Hashable], rows: np.ndarray, weights: np.ndarray, tolerance: float
) -> Sum | None:
    """Return the sum with the roundest weights that holds in all rows, if any does."""
    for digits in _DIGITS:
        rounded = np.array([_to_digits(weight, digits) for weight in weights])
        difference = float(np.median(rows[:, 0] - rows[:, 1:] @ rounded))
        constants = [_to_digits(difference, most) for most in _DIGITS]
        # A difference within the rounding of the total is none.
        for constant in [0.0, *constants] if abs(difference) <= tolerance else constants:
            rule = Sum(
                names[0],
                tuple(names[1:]),
                tuple(rounded.tolist()),
                constant,
                tolerance,
                found=True,
            )
            if rule.holds(rows).all():
                return rule
    return None


def _to_digits(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
