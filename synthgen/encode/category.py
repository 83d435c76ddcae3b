"""Categories as states; the long tail shares one state and is drawn back by frequency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from synthgen.core.documents import decode_scalar, encode_scalar
from synthgen.data.schema import Column
from synthgen.data.values import cast_levels
from synthgen.encode.base import CellCondition, Resolution
from synthgen.encode.layout import Head, StateBlock
from synthgen.encode.numeric import describe
from synthgen.encode.wanted import Wanted, is_missing
from synthgen.errors import ConditionError


@dataclass(frozen=True)
class LevelStates:
    """How levels (numbered from 0) map to states, whatever the levels are.

    Parameters
    ----------
    counts : numpy.ndarray of shape (levels,)
        Rows of each level in training. Levels with a state of their own come first.
    own : int
        Number of levels with a state of their own; the others share the next state.
    n_missing : int
        Rows without a value; if any, "missing" is the last state.
    """

    counts: np.ndarray
    own: int
    n_missing: int

    @property
    def tail(self) -> bool:
        """Whether some levels share a state."""
        return self.own < len(self.counts)

    @property
    def frequencies(self) -> np.ndarray:
        """Share of each state."""
        parts = [self.counts[: self.own]]
        if self.tail:
            parts.append(self.counts[self.own :].sum(keepdims=True))
        if self.n_missing:
            parts.append(np.array([self.n_missing]))
        shares = np.concatenate(parts).astype(np.float64)
        return np.asarray(shares / shares.sum())

    def states(self, levels: np.ndarray) -> np.ndarray:
        """Turn levels (-1 missing, -2 unknown) into states (-1 for what has none)."""
        states = np.minimum(levels, self.own)
        missing = self.own + self.tail if self.n_missing else -1
        return np.where(levels == -1, missing, np.maximum(states, -1)).astype(np.int32)

    def levels(
        self, states: np.ndarray, rng: np.random.Generator, allowed: np.ndarray | None = None
    ) -> np.ndarray:
        """Turn states into levels, -1 for missing; tail levels are drawn by frequency.

        Parameters
        ----------
        states : numpy.ndarray of int, shape (n,)
        rng : numpy.random.Generator
        allowed : numpy.ndarray of bool, shape (levels,), optional
            Restricts the draw from the tail.
        """
        levels = states.astype(np.int64)
        if self.n_missing:
            levels[states == self.own + self.tail] = -1
        if self.tail:
            rows = np.flatnonzero(states == self.own)
            weights = self.counts[self.own :].astype(np.float64)
            if allowed is not None and allowed[self.own :].any():
                weights = weights * allowed[self.own :]
            cumulative = np.cumsum(weights)
            drawn = np.searchsorted(cumulative, rng.random(len(rows)) * cumulative[-1], "right")
            levels[rows] = self.own + drawn
        return levels

    def weights(self, allowed: np.ndarray, missing: bool) -> np.ndarray:
        """Return the share of each state that is `allowed` (a mask over levels)."""
        weights = allowed[: self.own].astype(np.float64)
        if self.tail:
            tail = self.counts[self.own :].astype(np.float64)
            weights = np.append(weights, (tail * allowed[self.own :]).sum() / tail.sum())
        return np.append(weights, float(missing)) if self.n_missing else weights


@dataclass(frozen=True)
class CategoryEncoder:
    """Encoder of a boolean, categorical or ordinal column.

    Parameters
    ----------
    column : Column
    values : tuple
        The levels, those with a state of their own first.
    mapping : LevelStates
        Their counts and states.
    """

    column: Column
    values: tuple[Any, ...]
    mapping: LevelStates

    @classmethod
    def fit(cls, frame: pd.DataFrame, column: Column, resolution: Resolution) -> CategoryEncoder:
        """Learn the levels of one column of `frame` and their shares."""
        codes, found = pd.factorize(frame[column.name])
        values = list(found.tolist() if hasattr(found, "tolist") else found)
        counts = np.bincount(codes[codes >= 0], minlength=len(values))
        if column.kind == "ordinal" and column.categories is not None:
            place = {value: k for k, value in enumerate(column.categories)}
            order = np.array([place.get(value, len(place)) for value in values]).argsort()
            if len(values) > resolution.levels:
                order = np.argsort(-counts, kind="stable")
        else:
            order = np.argsort(-counts, kind="stable")
        own = len(values) if len(values) <= resolution.levels else resolution.levels - 1
        mapping = LevelStates(counts[order], own, int((codes < 0).sum()))
        return cls(column, tuple(values[k] for k in order), mapping)

    @property
    def names(self) -> tuple[Any, ...]:
        """The column's label."""
        return (self.column.name,)

    @property
    def blocks(self) -> tuple[StateBlock, ...]:
        """One block."""
        shares = self.mapping.frequencies
        features = np.empty((len(shares), 0))
        if self.column.kind == "ordinal" and not self.mapping.tail:
            own = shares[: self.mapping.own]
            rank = np.cumsum(own) - own / 2
            rank = (rank - rank.mean()) / (rank.std() or 1.0)
            features = np.append(rank, np.zeros(len(shares) - len(rank)))[:, None]
        return (StateBlock(0, shares, features),)

    @property
    def heads(self) -> tuple[Head, ...]:
        """None: a category has no continuous part."""
        return ()

    @cached_property
    def _index(self) -> pd.Index[Any]:
        index: pd.Index[Any] = pd.Index(list(self.values))
        return index

    @cached_property
    def _levels(self) -> Any:
        return level_array(self.values, self.column)

    def missing_states(self) -> list[tuple[int, int]]:
        """Return the states that mean missing."""
        return [(0, self.mapping.own + self.mapping.tail)] if self.mapping.n_missing else []

    def transform(
        self, frame: pd.DataFrame, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return codes of shape (n, 1) and no scores."""
        series = frame[self.column.name]
        codes, found = pd.factorize(series)
        places = self._index.get_indexer(pd.Index(list(found))) if len(found) else np.empty(0, int)
        places = np.append(np.where(places < 0, -2, places), -1)
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
        """Return the column in its original dtype."""
        asked = wanted.get(self.column.name)
        allowed = None if asked is None else self._allowed(asked)
        levels = self.mapping.levels(codes[:, 0], rng, allowed)
        return {self.column.name: self._levels.take(levels, allow_fill=True)}

    def _allowed(self, wanted: Wanted) -> np.ndarray:
        if wanted.between is not None:
            low, high = wanted.between.low, wanted.between.high
            order = self.column.categories
            if self.column.kind == "ordinal" and order is not None:
                return _ordinal_range(self.column.name, self.values, order, low, high)
            return np.array(
                [(low is None or v >= low) and (high is None or v <= high) for v in self.values]
            )
        allowed = np.zeros(len(self.values), dtype=bool)
        if wanted.values:
            places = self._index.get_indexer(pd.Index(list(wanted.values)))
            allowed[places[places >= 0]] = True
        return allowed

    def condition(self, name: Any, wanted: Wanted) -> CellCondition:
        """Translate a condition on categories.

        Raises
        ------
        ConditionError
            If a value was never seen, or a range is asked of values without an order.
        """
        unseen = [value for value in wanted.values if value not in self._index]
        if unseen:
            known = ", ".join(repr(value) for value in self.values[:8])
            more = ", ..." if len(self.values) > 8 else ""
            raise ConditionError(
                f"Column {name!r} has no value {unseen[0]!r}; it has {known}{more}."
            )
        if wanted.missing and not self.mapping.n_missing:
            raise ConditionError(f"Column {name!r} had no missing cells, so none can be generated.")
        try:
            allowed = self._allowed(wanted)
        except TypeError:
            raise ConditionError(
                f"Column {name!r} is {self.column.kind}: a range needs values with an order. "
                "Give a list of values instead."
            ) from None
        weights = self.mapping.weights(allowed, wanted.missing)
        if not weights.any():
            raise ConditionError(f"No value of column {name!r} is {describe(wanted)}.")
        return CellCondition((weights,), ())

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays."""
        facts = {
            "values": [encode_scalar(value) for value in self.values],
            "own": self.mapping.own,
            "n_missing": self.mapping.n_missing,
        }
        return facts, {"counts": self.mapping.counts}

    @classmethod
    def from_state(
        cls, column: Column, facts: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> CategoryEncoder:
        """Rebuild an encoder from :meth:`to_state`."""
        mapping = LevelStates(arrays["counts"], facts["own"], facts["n_missing"])
        return cls(column, tuple(decode_scalar(value) for value in facts["values"]), mapping)


def level_array(values: Sequence[Any], column: Column) -> Any:
    """Return values in the dtype of a column, to be decoded by ``take``.

    Parameters
    ----------
    values : sequence
        They may repeat; None is missing.
    column : Column
        Its declared categories are kept, those that never occur included.
    """
    if not column.dtype.startswith("category"):
        return cast_levels(list(values), column.dtype)
    present = [value for value in values if not is_missing(value)]
    levels = list(dict.fromkeys([*(column.categories or ()), *present]))
    place = {value: k for k, value in enumerate(levels)}
    return pd.Categorical.from_codes(
        [-1 if is_missing(value) else place[value] for value in values],
        categories=pd.Index(levels, tupleize_cols=False),
        ordered=column.dtype == "category[ordered]",
    )


def _ordinal_range(
    name: Any, values: tuple[Any, ...], order: tuple[Any, ...], low: Any, high: Any
) -> np.ndarray:
    place = {value: k for k, value in enumerate(order)}
    for end in (low, high):
        if end is not None and end not in place:
            raise ConditionError(f"Column {name!r} has no value {end!r}; it has {order}.")
    bottom = 0 if low is None else place[low]
    top = len(order) if high is None else place[high]
    return np.array([bottom <= place.get(value, -1) <= top for value in values])
