"""Columns as cells that are public, for private training: nothing here is learned from rows.

The fine cells come from the declared domain; which of them are joined, and how often each occurs,
comes from noisy counts (:mod:`synthgen.dp.moments`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from synthgen.core.documents import decode_scalar, encode_scalar
from synthgen.data.schema import Column
from synthgen.data.values import from_numbers, to_numbers
from synthgen.dp.coarsen import Coarse, PublicColumn
from synthgen.dp.grid import NumberGrid
from synthgen.dp.roundness import Roundness
from synthgen.encode.base import CellCondition
from synthgen.encode.canonical import canonical, move_into
from synthgen.encode.category import level_array
from synthgen.encode.layout import Head, StateBlock
from synthgen.encode.numeric import describe, range_ends
from synthgen.encode.wanted import Wanted
from synthgen.errors import ConditionError

_MEASURED: Final = ("numeric", "integer", "datetime", "timedelta")
_SECONDS: Final = {"D": 86_400.0, "h": 3_600.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}


class Cells(Protocol):
    """The fine cells of one column's values, without the one for missing values."""

    @property
    def size(self) -> int:
        """Number of cells."""

    @property
    def ordered(self) -> bool:
        """Whether neighbours are alike."""

    def encode(self, series: pd.Series) -> np.ndarray:
        """Return the cell of each value, -1 where missing or outside the domain."""

    def decode(self, cells: np.ndarray, rng: np.random.Generator, wanted: Wanted | None) -> Any:
        """Return values of the column's dtype; -1 gives missing."""

    def allowed(self, wanted: Wanted) -> np.ndarray:
        """Return the share of each cell's values that satisfies a condition, missing aside."""


@dataclass(frozen=True)
class NumberCells:
    """Cells of a range of numbers, dates or durations.

    Parameters
    ----------
    column : Column
        With `minimum` and `maximum`.
    grid : NumberGrid
    roundness : Roundness, optional
        How round values are; without it they are drawn evenly from the cells.
    """

    column: Column
    grid: NumberGrid
    roundness: Roundness | None = None

    ordered = True

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.grid.size

    def encode(self, series: pd.Series) -> np.ndarray:
        """Return the cell of each value; values outside the range count at its end."""
        return self.grid.encode(to_numbers(series, self.column))

    def decode(self, cells: np.ndarray, rng: np.random.Generator, wanted: Wanted | None) -> Any:
        """Return values drawn from each cell."""
        numbers = (self.roundness or self.grid).decode(cells, rng)
        if wanted is not None:
            numbers = move_into(numbers, canonical(self.column, wanted))
        return from_numbers(numbers, self.column)

    def allowed(self, wanted: Wanted) -> np.ndarray:
        """Return the share of each cell's width, or number of values, that is wanted."""
        asked = canonical(self.column, wanted)
        edges, unit = self.grid.edges, self.grid.unit
        if asked.values:
            share = np.zeros(self.size)
            cells = self.grid.encode(np.asarray(asked.values, dtype=np.float64))
            inside = (np.asarray(asked.values) >= edges[0]) & (asked.values <= edges[-1])
            count = np.maximum(np.rint(np.diff(edges) / unit), 1.0) if unit else np.diff(edges)
            np.add.at(share, cells[inside], 1.0)
            return np.minimum(share / np.maximum(count, 1.0), 1.0)
        low, high = range_ends(asked)
        if unit:  # multiples of the unit lie in the middle of the edges around them
            low, high = low - unit / 2, high + unit / 2
        overlap = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
        return np.clip(overlap / np.diff(edges), 0.0, 1.0)


@dataclass(frozen=True)
class LevelCells:
    """A cell for each declared category.

    Parameters
    ----------
    column : Column
    values : tuple
        The categories, for an ordinal column from low to high.
    """

    column: Column
    values: tuple[Any, ...]

    @property
    def ordered(self) -> bool:
        """Whether neighbours are alike."""
        return self.column.kind == "ordinal"

    @property
    def size(self) -> int:
        """Number of categories."""
        return len(self.values)

    @cached_property
    def _index(self) -> pd.Index[Any]:
        index: pd.Index[Any] = pd.Index(list(self.values), dtype=object)
        return index

    @cached_property
    def _levels(self) -> Any:
        return level_array(self.values, self.column)

    def encode(self, series: pd.Series) -> np.ndarray:
        """Return the number of each category."""
        codes, found = pd.factorize(series)
        places = self._index.get_indexer(pd.Index(list(found), dtype=object))
        return np.append(places, -1)[codes].astype(np.int64)

    def decode(self, cells: np.ndarray, rng: np.random.Generator, wanted: Wanted | None) -> Any:
        """Return the categories."""
        del rng, wanted
        return self._levels.take(cells, allow_fill=True)

    def allowed(self, wanted: Wanted) -> np.ndarray:
        """Return 1 for each wanted category."""
        share = np.zeros(self.size)
        if wanted.between is not None:
            low, high = wanted.between.low, wanted.between.high
            if not self.ordered:
                raise ConditionError(
                    f"Column {self.column.name!r} is {self.column.kind}: a range needs values with "
                    "an order. Give a list of values instead."
                )
            places = [0, self.size - 1]
            for end, value in enumerate((low, high)):
                if value is not None:
                    places[end] = self._place(value)
            share[places[0] : places[1] + 1] = 1.0
        for value in wanted.values:
            share[self._place(value)] = 1.0
        return share

    def _place(self, value: Any) -> int:
        if value not in self._index:
            known = ", ".join(repr(level) for level in self.values[:8])
            raise ConditionError(
                f"Column {self.column.name!r} has no value {value!r}; it has {known}."
            )
        return self.values.index(value)


def public_cells(column: Column, grid: NumberGrid | None = None) -> Cells:
    """Return the fine cells of a declared column.

    Parameters
    ----------
    column : Column
        With `categories`, or with `minimum` and `maximum`.
    grid : NumberGrid, optional
        In the place of the one that the declared range gives.
    """
    if column.kind in _MEASURED:
        return NumberCells(column, public_grid(column) if grid is None else grid)
    levels = (False, True) if column.kind == "boolean" else column.categories or ()
    return LevelCells(column, tuple(levels))


def public_grid(column: Column, atoms: tuple[float, ...] = ()) -> NumberGrid:
    """Cut the declared range of a column, at its declared granularity."""
    low, high = column.minimum, column.maximum
    if low is None or high is None:
        raise ValueError(f"Column {column.name!r} has no declared range.")
    return NumberGrid.public(low, high, unit=granularity(column), atoms=atoms)


def granularity(column: Column) -> float:
    """Return what all values of a column are declared to be multiples of; 0 if nothing is."""
    if column.kind in ("datetime", "timedelta"):
        return _SECONDS.get(column.resolution or "", 0.0)
    if column.kind == "integer":
        return 10.0 ** -(column.decimals or 0)
    return 0.0 if column.decimals is None else 10.0**-column.decimals


def public_column(cells: Cells, column: Column) -> PublicColumn:
    """Describe the fine cells for a release; a nullable column has one more, for missing."""
    return PublicColumn(cells.size + column.nullable, cells.ordered, column.nullable)


def fine_codes(cells: Cells, column: Column, series: pd.Series) -> np.ndarray:
    """Return the fine cell of each row: missing values have the last one if declared, else -1."""
    codes = cells.encode(series)
    if column.nullable:
        codes = np.where(series.isna().to_numpy(), cells.size, codes)
    return codes


@dataclass(frozen=True)
class PublicEncoder:
    """Encoder of one column whose cells are public and whose shares are noisy.

    Parameters
    ----------
    column : Column
    cells : NumberCells or LevelCells
    coarse : Coarse
        How fine cells are joined to states.
    shares : numpy.ndarray of shape (states,)
        Noisy share of each state.
    """

    column: Column
    cells: Cells
    coarse: Coarse
    shares: np.ndarray

    @property
    def names(self) -> tuple[Any, ...]:
        """The column's label."""
        return (self.column.name,)

    @property
    def blocks(self) -> tuple[StateBlock, ...]:
        """One block; ordered states have their middle rank as feature."""
        shares = np.maximum(self.shares, 0.0) + 1e-9
        shares = shares / shares.sum()
        features = np.empty((len(shares), 0))
        if self.cells.ordered:
            rank = np.cumsum(shares) - shares / 2
            features = ((rank - rank.mean()) / (rank.std() or 1.0))[:, None]
        return (StateBlock(0, shares, features),)

    @property
    def heads(self) -> tuple[Head, ...]:
        """None: values within a state are drawn from the noisy histogram."""
        return ()

    def missing_states(self) -> list[tuple[int, int]]:
        """Return the state that means missing, if it has one of its own."""
        if not self.column.nullable:
            return []
        state = int(self.coarse.groups[-1])
        return [(0, state)] if (self.coarse.groups == state).sum() == 1 else []

    def transform(
        self, frame: pd.DataFrame, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return codes of shape (n, 1) and no scores."""
        del rng
        fine = fine_codes(self.cells, self.column, frame[self.column.name])
        codes = self.coarse.encode(fine).astype(np.int32)
        return codes[:, None], np.empty((len(frame), 0), np.float32)

    def inverse(
        self,
        codes: np.ndarray,
        scores: np.ndarray,
        rows: np.ndarray,
        rng: np.random.Generator,
        wanted: Mapping[Any, Wanted],
    ) -> dict[Any, Any]:
        """Return the column in its dtype."""
        del scores, rows
        asked = wanted.get(self.column.name)
        coarse = self.coarse if asked is None else self._restricted(asked)
        fine = coarse.decode(codes[:, 0].astype(np.int64), rng)
        fine = np.where(fine >= self.cells.size, -1, fine)
        return {self.column.name: self.cells.decode(fine, rng, asked)}

    def condition(self, name: Any, wanted: Wanted) -> CellCondition:
        """Translate a condition on the column.

        Raises
        ------
        ConditionError
            If no public cell satisfies it.
        """
        if wanted.missing and not self.column.nullable:
            raise ConditionError(f"Column {name!r} was declared to have no missing cells.")
        allowed = self._allowed(wanted)
        weights = np.bincount(
            self.coarse.groups, weights=allowed * self.coarse.within, minlength=self.coarse.size
        )
        if not weights.any():
            raise ConditionError(f"No value of column {name!r} is {describe(wanted)}.")
        return CellCondition((np.minimum(weights, 1.0),), ())

    def _allowed(self, wanted: Wanted) -> np.ndarray:
        """Return the share of every fine cell that satisfies a condition."""
        free = wanted.values or wanted.between is not None
        allowed = self.cells.allowed(wanted) if free else np.zeros(self.cells.size)
        return np.append(allowed, float(wanted.missing)) if self.column.nullable else allowed

    def _restricted(self, wanted: Wanted) -> Coarse:
        """Return the joined cells with the draw restricted to what is wanted."""
        within = self.coarse.within * self._allowed(wanted)
        sums = np.bincount(self.coarse.groups, weights=within, minlength=self.coarse.size)
        usable = sums[self.coarse.groups] > 0
        scaled = within / np.where(usable, sums[self.coarse.groups], 1.0)
        return Coarse(self.coarse.groups, np.where(usable, scaled, self.coarse.within))

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays; nothing in them is exact."""
        facts: dict[str, Any] = {}
        arrays = {"groups": self.coarse.groups, "within": self.coarse.within, "shares": self.shares}
        if isinstance(self.cells, NumberCells):
            facts["grid"], grid = self.cells.grid.to_state()
            arrays |= {f"grid.{name}": value for name, value in grid.items()}
            if self.cells.roundness is not None:
                _, own = self.cells.roundness.to_state()
                arrays |= {f"round.{name}": value for name, value in own.items()}
        elif isinstance(self.cells, LevelCells):
            facts["values"] = [encode_scalar(value) for value in self.cells.values]
        return facts, arrays

    @classmethod
    def from_state(
        cls, column: Column, facts: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> PublicEncoder:
        """Rebuild an encoder from :meth:`to_state`."""
        cells: Cells
        if "grid" in facts:
            parts = {k.removeprefix("grid."): v for k, v in arrays.items() if k.startswith("grid.")}
            grid = NumberGrid.from_state(facts["grid"], parts)
            steps = arrays.get("round.steps")
            own = None if steps is None else Roundness(grid, steps, arrays["round.shares"])
            cells = NumberCells(column, grid, own)
        else:
            cells = LevelCells(column, tuple(decode_scalar(value) for value in facts["values"]))
        coarse = Coarse(arrays["groups"], arrays["within"])
        return cls(column, cells, coarse, arrays["shares"])
