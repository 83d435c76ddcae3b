"""How round the numbers of a column are: amounts are often multiples of 5, 100 or 1,000.

Cells of a grid cannot show that, and single round values are too many and too rare to be found one
by one. What is released instead is one small table a column: size of the number by the largest
round step that divides it. Values within a cell are then drawn on such steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.dp.grid import NumberGrid
from synthgen.dp.ledger import Ledger
from synthgen.dp.mechanisms import gaussian_counts
from synthgen.errors import InvalidParameterError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Noisy counts of fewer standard deviations count as none.
_CLEAR: Final = 2.0
#: Most round steps of a column: from its unit to a million times that.
_MOST: Final = 13


def round_steps(unit: float, reach: float) -> Floats:
    """Return round steps from a unit upwards, each a divisor of the next.

    Examples
    --------
    >>> round_steps(1.0, 2_000.0).tolist()
    [1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0]
    """
    factors = np.array([base * 10**power for power in range(7) for base in (1, 5)])[:_MOST]
    steps = unit * factors.astype(np.float64)
    return np.asarray(steps[(steps <= max(reach, unit))])


@dataclass(frozen=True)
class Roundness:
    """How often numbers of each size are multiples of each step.

    Parameters
    ----------
    grid : NumberGrid
        Cells of the column, with a unit.
    steps : numpy.ndarray of shape (steps,)
        Ascending, each a divisor of the next.
    shares : numpy.ndarray of shape (sizes, steps)
        Share of the numbers of a size whose largest dividing step it is; rows sum to 1.
    """

    grid: NumberGrid
    steps: Floats
    shares: Floats

    def decode(self, cells: Codes, rng: np.random.Generator) -> Floats:
        """Draw a value from each cell, as round as the column's values are; -1 gives NaN."""
        low, high = self.grid.edges[cells], self.grid.edges[cells + 1]
        sizes = _sizes((low + high) / 2, self.grid.unit, len(self.shares))
        # The share of a step is spread evenly over its multiples of that size.
        there = _own_multiples(low[:, None], high[:, None], self.steps)
        bottom, top = _size_range(sizes, self.grid.unit)
        odds = (
            self.shares[sizes]
            * there
            / np.maximum(_own_multiples(bottom[:, None], top[:, None], self.steps), 1.0)
        )
        odds[:, 0] += 1e-12 * (odds.sum(axis=1) == 0)
        cumulated = np.cumsum(odds, axis=1)
        drawn = rng.random(len(cells)) * cumulated[:, -1]
        chosen = np.minimum((cumulated <= drawn[:, None]).sum(axis=1), len(self.steps) - 1)
        values = self._draw(low, high, chosen, rng)
        return np.asarray(np.where(cells < 0, np.nan, values))

    def _draw(self, low: Floats, high: Floats, chosen: Codes, rng: np.random.Generator) -> Floats:
        """Draw a multiple of the chosen step that no larger step divides."""
        step = self.steps[chosen]
        first = np.ceil(low / step - 1e-9)
        count = np.maximum(np.ceil(high / step - 1e-9) - first, 1.0)
        number = first + np.floor(rng.random(len(step)) * count)
        following = self.steps[np.minimum(chosen + 1, len(self.steps) - 1)]
        ratio = np.maximum(np.rint(following / step), 1.0)
        # Two neighbouring multiples are not both multiples of the next step.
        rounder = (ratio > 1) & (np.mod(number, ratio) == 0)
        other = np.where(number + 1 < first + count, number + 1, number - 1)
        number = np.where(rounder & (count > 1), other, number)
        return np.asarray(number * step)

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays, the grid aside."""
        return {}, {"steps": self.steps, "shares": self.shares}


def release_roundness(
    columns: Sequence[tuple[NumberGrid, Floats]], *, sigma: float, ledger: Ledger, note: str
) -> list[Roundness]:
    """Release how round the numbers of several columns are.

    A row is in one cell of one table a column: the sensitivity is the root of their number.

    Parameters
    ----------
    columns : sequence of (NumberGrid, numpy.ndarray of float64)
        Public grid with a unit, and the values; NaN is counted nowhere.
    sigma : float
        Standard deviation of the noise, in rows.
    ledger : Ledger
    note : str
    """
    if not columns:
        return []
    steps, counts = [], []
    for grid, values in columns:
        if grid.unit <= 0:
            raise InvalidParameterError("Only numbers with a granularity can be round.")
        reach = float(np.abs(grid.edges).max())
        steps.append(round_steps(grid.unit, reach))
        n_sizes = 1 + int(_sizes(np.array([reach]), grid.unit, 64)[0])
        counts.append(_count(grid, values, steps[-1], n_sizes))
    noisy = gaussian_counts(counts, tables=len(columns), sigma=sigma, ledger=ledger, note=note)
    found = []
    for (grid, _), own, table in zip(columns, steps, noisy, strict=True):
        clear = np.where(table > _CLEAR * sigma, table, 0.0)
        # Sizes about which nothing is known have numbers of any kind.
        clear[clear.sum(axis=1) == 0] = _chance(own)
        found.append(Roundness(grid, own, clear / clear.sum(axis=1, keepdims=True)))
    return found


def _count(grid: NumberGrid, values: Floats, steps: Floats, n_sizes: int) -> Codes:
    """Count numbers by size and largest dividing step."""
    present = np.clip(values[~np.isnan(values)], grid.edges[0], grid.edges[-1])
    units = np.rint(present / grid.unit)
    factors = np.rint(steps / grid.unit)
    kinds = (np.mod(units[:, None], factors) == 0).sum(axis=1) - 1
    sizes = _sizes(present, grid.unit, n_sizes)
    flat = np.bincount(sizes * len(steps) + kinds, minlength=n_sizes * len(steps))
    return flat.reshape(n_sizes, len(steps))


def _sizes(values: Floats, unit: float, n_sizes: int) -> Codes:
    """Return the decade of each number in units: 0 below ten, 1 below a hundred, and so on."""
    units = np.maximum(np.abs(values) / unit, 1.0)
    decades = np.floor(np.log10(units) + 1e-9).astype(np.int64)
    return np.asarray(np.minimum(decades, n_sizes - 1))


def _size_range(sizes: Codes, unit: float) -> tuple[Floats, Floats]:
    low = np.where(sizes == 0, 0.0, 10.0**sizes)
    return np.asarray(low * unit), np.asarray(10.0 ** (sizes + 1) * unit)


def _own_multiples(low: Floats, high: Floats, steps: Floats) -> Floats:
    """Count the multiples of each step in [low, high) that the next step does not divide."""
    multiples = np.ceil(high / steps - 1e-9) - np.ceil(low / steps - 1e-9)
    own = multiples.copy()
    own[:, :-1] -= multiples[:, 1:]
    return np.asarray(own)


def _chance(steps: Floats) -> Floats:
    """Return how often each step is the largest that divides an arbitrary number."""
    rates = steps[0] / steps
    return np.asarray(rates - np.append(rates[1:], 0.0))
