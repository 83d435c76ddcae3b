"""Columns that are always drawn together: fixed combinations and one-hot groups.

The combinations seen in training are the levels of one block, so no other combination can appear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from synthgen.core.documents import decode_scalar, encode_scalar
from synthgen.data.schema import Column
from synthgen.encode.base import CellCondition, Resolution
from synthgen.encode.category import LevelStates, level_array
from synthgen.encode.layout import Head, StateBlock
from synthgen.encode.numeric import describe
from synthgen.encode.wanted import Between, Wanted, is_missing
from synthgen.errors import ConditionError


@dataclass(frozen=True)
class JointEncoder:
    """Encoder of several columns as one.

    Parameters
    ----------
    columns : tuple of Column
    values : tuple of tuple
        The combinations, those with a state of their own first; a missing cell is None.
    mapping : LevelStates
        Their counts and states.
    """

    columns: tuple[Column, ...]
    values: tuple[tuple[Any, ...], ...]
    mapping: LevelStates

    @classmethod
    def fit(
        cls, frame: pd.DataFrame, columns: tuple[Column, ...], resolution: Resolution
    ) -> JointEncoder:
        """Learn the combinations of `columns` in `frame` and their shares."""
        codes, found = pd.factorize(_as_tuples(frame, columns))
        counts = np.bincount(codes, minlength=len(found))
        order = np.argsort(-counts, kind="stable")
        own = len(found) if len(found) <= resolution.levels else resolution.levels - 1
        values = tuple(tuple(found[k]) for k in order)
        return cls(columns, values, LevelStates(counts[order], own, 0))

    @property
    def names(self) -> tuple[Any, ...]:
        """The columns' labels."""
        return tuple(column.name for column in self.columns)

    @property
    def blocks(self) -> tuple[StateBlock, ...]:
        """One block."""
        shares = self.mapping.frequencies
        return (StateBlock(0, shares, np.empty((len(shares), 0))),)

    @property
    def heads(self) -> tuple[Head, ...]:
        """None."""
        return ()

    @cached_property
    def _places(self) -> dict[tuple[Any, ...], int]:
        return {value: place for place, value in enumerate(self.values)}

    @cached_property
    def _levels(self) -> dict[Any, Any]:
        return {
            column.name: level_array([value[k] for value in self.values], column)
            for k, column in enumerate(self.columns)
        }

    def missing_states(self) -> list[tuple[int, int]]:
        """Return the states that mean missing."""
        return []

    def transform(
        self, frame: pd.DataFrame, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return codes of shape (n, 1) and no scores."""
        codes, found = pd.factorize(_as_tuples(frame, self.columns))
        places = np.array([self._places.get(tuple(value), -2) for value in found], dtype=np.int64)
        states = self.mapping.states(places[codes])
        return states[:, None], np.empty((len(frame), 0), np.float32)

    def inverse(
        self,
        codes: np.ndarray,
        scores: np.ndarray,
        rows: np.ndarray,
        rng: np.random.Generator,
        wanted: Mapping[Any, Wanted],
    ) -> dict[Any, Any]:
        """Return the columns in their original dtypes."""
        allowed = np.ones(len(self.values), dtype=bool)
        for name in set(self.names) & set(wanted):
            allowed &= self._allowed(name, wanted[name])
        levels = self.mapping.levels(codes[:, 0], rng, allowed)
        return {name: array.take(levels, allow_fill=True) for name, array in self._levels.items()}

    def condition(self, name: Any, wanted: Wanted) -> CellCondition:
        """Translate a condition on one of the columns.

        Raises
        ------
        ConditionError
            If no combination satisfies it.
        """
        allowed = self._allowed(name, wanted)
        if not allowed.any():
            raise ConditionError(f"Column {name!r} is never {describe(wanted)} in the data.")
        return CellCondition((self.mapping.weights(allowed, False),), ())

    def _allowed(self, name: Any, wanted: Wanted) -> np.ndarray:
        place = self.names.index(name)
        column = self.columns[place]
        rank = _ranking(column)
        try:
            ranked = _ranked(wanted, rank)
            return np.array(
                [_satisfies(value[place], ranked, rank) for value in self.values], dtype=bool
            )
        except (TypeError, ValueError, KeyError):
            raise ConditionError(
                f"Column {name!r} is {column.kind}; its values cannot be compared with "
                f"{describe(wanted)}."
            ) from None

    def agreeing(
        self, frame: pd.DataFrame, known: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Choose for each row a state that agrees with its known cells, by frequency.

        Parameters
        ----------
        frame, known, rng
            As in :meth:`agreeing_levels`.

        Returns
        -------
        numpy.ndarray of int32, shape (n,)
            -1 where nothing agrees.
        """
        return self.mapping.states(self.agreeing_levels(frame, known, rng))

    def decoded(
        self, codes: np.ndarray, frame: pd.DataFrame, known: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[Any, Any]]:
        """Decode rows in the state of all rare combinations to one that agrees with known cells.

        Parameters
        ----------
        codes : numpy.ndarray of int, shape (n,)
            States.
        frame, known, rng
            As in :meth:`agreeing_levels`.

        Returns
        -------
        rows : numpy.ndarray of int64
            Those for which one was found.
        columns : dict of label to array
            Their cells.
        """
        rare = self.mapping.counts.copy()
        rare[: self.mapping.own] = 0
        levels = self.agreeing_levels(frame, known, rng, rare)
        rows = np.flatnonzero((codes == self.mapping.own) & (levels >= 0))
        return rows, {name: array.take(levels[rows]) for name, array in self._levels.items()}

    def agreeing_levels(
        self,
        frame: pd.DataFrame,
        known: np.ndarray,
        rng: np.random.Generator,
        counts: np.ndarray | None = None,
    ) -> np.ndarray:
        """Choose for each row a combination that agrees with its known cells, by frequency.

        Parameters
        ----------
        frame : pandas.DataFrame
            Rows with at least those columns of the group of which some cell is known.
        known : numpy.ndarray of bool, shape (n, columns)
            Which cells of the group are known.
        rng : numpy.random.Generator
        counts : numpy.ndarray of shape (combinations,), optional
            How often each occurs; 0 leaves one out. By default as in training.

        Returns
        -------
        numpy.ndarray of int64, shape (n,)
            Numbers of combinations, -2 where nothing agrees.
        """
        counts = self.mapping.counts if counts is None else counts
        cells = np.full(known.shape, -1, dtype=np.int64)
        levels = np.empty((len(self.values), len(self.columns)), dtype=np.int64)
        for k, column in enumerate(self.columns):
            place: dict[Any, int] = {}
            for row, value in enumerate(self.values):
                levels[row, k] = place.setdefault(value[k], len(place))
            if known[:, k].any():
                (found,) = zip(*_as_tuples(frame, [column]), strict=True)
                codes = np.array([place.get(value, -2) for value in found], dtype=np.int64)
                cells[known[:, k], k] = codes[known[:, k]]
        chosen = np.full(len(cells), -2, dtype=np.int64)
        patterns, member = np.unique(cells, axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            fits = np.flatnonzero(
                ((levels == pattern) | (pattern == -1)).all(axis=1) & (counts > 0)
            )
            rows = np.flatnonzero(member.ravel() == number)
            if len(fits):
                chosen[rows] = rng.choice(fits, size=len(rows), p=counts[fits] / counts[fits].sum())
        return chosen

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays."""
        facts = {"values": [encode_scalar(value) for value in self.values], "own": self.mapping.own}
        return facts, {"counts": self.mapping.counts}

    @classmethod
    def from_state(
        cls, columns: tuple[Column, ...], facts: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> JointEncoder:
        """Rebuild an encoder from :meth:`to_state`."""
        values = tuple(decode_scalar(value) for value in facts["values"])
        return cls(columns, values, LevelStates(arrays["counts"], facts["own"], 0))


def _as_tuples(frame: pd.DataFrame, columns: Iterable[Column]) -> pd.Series:
    parts = []
    for column in columns:
        series = frame[column.name]
        cells = series.astype(object)
        parts.append(cells.where(series.notna(), None).tolist())
    return pd.Series(list(zip(*parts, strict=True)), dtype=object)


def _ranking(column: Column) -> Callable[[Any], Any]:
    """Return what turns the values of a column into values that compare as the column's do."""
    if column.kind == "ordinal" and column.categories is not None:
        return {level: k for k, level in enumerate(column.categories)}.__getitem__
    if column.kind == "datetime" and column.format is None:
        return lambda value: _moment(value, column.time_zone)
    return pd.Timedelta if column.kind == "timedelta" else lambda value: value


def _moment(value: Any, time_zone: str | None) -> pd.Timestamp:
    moment = pd.Timestamp(value)
    return moment.tz_localize(time_zone) if time_zone and moment.tz is None else moment


def _ranked(wanted: Wanted, rank: Callable[[Any], Any]) -> Wanted:
    between = wanted.between
    if between is None:
        return wanted
    low = None if between.low is None else rank(between.low)
    high = None if between.high is None else rank(between.high)
    return Wanted(between=Between(low, high))


def _satisfies(cell: Any, wanted: Wanted, rank: Callable[[Any], Any]) -> bool:
    if is_missing(cell):
        return wanted.missing
    if wanted.between is not None:
        low, high = wanted.between.low, wanted.between.high
        place = rank(cell)
        return bool((low is None or place >= low) and (high is None or place <= high))
    return cell in wanted.values or any(_same(cell, value, rank) for value in wanted.values)


def _same(cell: Any, value: Any, rank: Callable[[Any], Any]) -> bool:
    """Return whether a value means the same as a cell though it is written differently."""
    try:
        return bool(rank(cell) == rank(value))
    except (TypeError, ValueError, KeyError):
        return False
