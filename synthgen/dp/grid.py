"""Public cells for numbers: from a declared range and granularity, never from data.

A histogram costs the same however many cells it has, so the grid is fine; where cells are too
small for the noise, they are joined afterwards (:mod:`synthgen.dp.coarsen`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.errors import ArtifactError, InvalidParameterError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

#: A column with at most this many possible values has a cell for each.
FEW: Final = 256
#: Otherwise half of about this many cells have equal widths, and half equal ratios of their ends.
_CELLS: Final = 128
#: Smallest number that ratios start from, as a share of the range, without a granularity.
_START: Final = 1e-6


@dataclass(frozen=True)
class NumberGrid:
    """Cells [edge, next edge) of one column.

    Parameters
    ----------
    edges : numpy.ndarray of float64, shape (cells + 1,)
        Ascending.
    unit : float
        All values are multiples of it; 0 if it is not known.
    """

    edges: Floats
    unit: float

    @classmethod
    def public(
        cls, low: float, high: float, *, unit: float = 0.0, atoms: Sequence[float] = ()
    ) -> NumberGrid:
        """Cut a declared range.

        Parameters
        ----------
        low, high : float
            Smallest and largest value (inclusive).
        unit : float
            Declared granularity, such as 1 or 0.01 or 1000; 0 if there is none.
        atoms : sequence of float
            Values that get a cell of their own; declared, or bought before.

        Raises
        ------
        InvalidParameterError
            If there is no such range.

        Examples
        --------
        >>> NumberGrid.public(1, 5, unit=1).edges.tolist()
        [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
        """
        if not (np.isfinite(low) and np.isfinite(high) and low <= high and unit >= 0):
            raise InvalidParameterError(f"Not a range with a granularity: {low}, {high}, {unit}.")
        if unit > 0:
            first, last = round(low / unit), round(high / unit)
            if last - first < FEW:
                edges = np.arange(first, last + 2, dtype=np.float64) - 0.5
                return cls(np.asarray(edges * unit), float(unit))
            inner = np.rint(_inner_edges(float(low), float(high), unit) / unit - 0.5) + 0.5
            own = np.rint(np.asarray(atoms, dtype=np.float64) / unit)
            steps = np.concatenate([[first - 0.5, last + 0.5], inner, own - 0.5, own + 0.5])
            steps = np.unique(steps[(steps >= first - 0.5) & (steps <= last + 0.5)])
            return cls(steps.astype(np.float64) * float(unit), float(unit))
        top = np.nextafter(high, np.inf)
        own = np.asarray(atoms, dtype=np.float64)
        edges = np.concatenate(
            [[low, top], _inner_edges(low, high, 0.0), own, np.nextafter(own, np.inf)]
        )
        return cls(np.unique(edges[(edges >= low) & (edges <= top)]), 0.0)

    @property
    def size(self) -> int:
        """Number of cells."""
        return len(self.edges) - 1

    def encode(self, values: Floats) -> Codes:
        """Return the cell of each value, -1 for NaN; values outside go to the nearest cell."""
        cells = np.searchsorted(self.edges[1:-1], values, side="right").astype(np.int64)
        cells[np.isnan(values)] = -1
        return cells

    def decode(self, cells: Codes, rng: np.random.Generator) -> Floats:
        """Draw a value from each cell evenly, on the granularity; -1 gives NaN."""
        low, high = self.edges[cells], self.edges[cells + 1]
        within = rng.random(len(cells))
        if self.unit > 0:
            first = np.rint(low / self.unit + 0.5)
            count = np.rint((high - low) / self.unit)
            values = (first + np.floor(within * count)) * self.unit
        else:
            values = np.minimum(low + within * (high - low), np.nextafter(high, -np.inf))
        return np.asarray(np.where(cells < 0, np.nan, values))

    def unit_counts(self, values: Floats) -> tuple[Codes, float]:
        """Return how many rows have each possible value, and the smallest possible value.

        For :func:`~synthgen.dp.select.frequent_cells`; the array has a place for every multiple of
        the unit in the range, also where no row is.
        """
        if self.unit <= 0:
            raise InvalidParameterError("A column without a granularity has no list of values.")
        first = round(self.edges[0] / self.unit + 0.5)
        last = round(self.edges[-1] / self.unit - 0.5)
        present = values[~np.isnan(values)]
        steps = np.clip(np.rint(present / self.unit), first, last).astype(np.int64)
        return np.bincount(steps - first, minlength=last - first + 1), first * self.unit

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays."""
        return {"unit": self.unit}, {"edges": self.edges}

    @classmethod
    def from_state(cls, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> NumberGrid:
        """Rebuild a grid from :meth:`to_state`."""
        edges = np.asarray(arrays.get("edges", ()), dtype=np.float64)
        if len(edges) < 2 or not (np.diff(edges) > 0).all():
            raise ArtifactError("The edges of a number grid are missing or out of order.")
        return cls(edges, float(facts["unit"]))


def _inner_edges(low: float, high: float, unit: float) -> Floats:
    """Return edges of equal widths, and of equal ratios on either side of zero."""
    even = np.linspace(low, high, _CELLS // 2 + 1)
    reach = max(abs(low), abs(high))
    start = max(unit, reach * _START)
    ratios = np.geomspace(start, reach, _CELLS // 2) if reach > start else np.empty(0)
    near_zero = [0.0, start * 0.5]
    return np.concatenate([even, near_zero, ratios, -ratios])
