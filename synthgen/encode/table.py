"""A table as codes and scores: one encoder a column, and the layout that they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeGuard

import numpy as np
import pandas as pd

from synthgen.data.constraints import FixedCombinations, OneHot
from synthgen.data.schema import Column, Schema
from synthgen.data.surrogate_repeat import RepeatedIds
from synthgen.encode.base import ColumnEncoder, Resolution
from synthgen.encode.category import CategoryEncoder
from synthgen.encode.joint import JointEncoder
from synthgen.encode.layout import EncodedTable, Head, Layout, StateBlock
from synthgen.encode.public import PublicEncoder
from synthgen.encode.quantity import QuantityEncoder
from synthgen.encode.text import SurrogateEncoder
from synthgen.encode.wanted import Wanted
from synthgen.errors import ConditionError

_NUMBERS = ("numeric", "integer")
_QUANTITIES = ("numeric", "integer", "datetime", "timedelta")
_SURROGATES = ("text", "id", "pii", "constant")


@dataclass(frozen=True)
class TableCondition:
    """Conditions on several columns in terms of the layout.

    Parameters
    ----------
    states : dict of int to numpy.ndarray
        For each restricted block the weight in [0, 1] of each of its states.
    intervals : dict of int to (float, float)
        For each restricted head its allowed normal scores.
    """

    states: dict[int, np.ndarray]
    intervals: dict[int, tuple[float, float]]


@dataclass(frozen=True)
class TableEncoder:
    """Encodes whole frames.

    Parameters
    ----------
    schema : Schema
    encoders : tuple of ColumnEncoder
        In the order of their first columns.
    """

    schema: Schema
    encoders: tuple[ColumnEncoder, ...]

    @classmethod
    def fit(cls, frame: pd.DataFrame, schema: Schema, resolution: Resolution) -> TableEncoder:
        """Learn all columns of `frame`."""
        groups = _joint_groups(schema)
        encoders: list[ColumnEncoder] = []
        done: set[Any] = set()
        for column in schema.columns:
            if column.name in done:
                continue
            group = groups.get(column.name)
            if group is not None:
                encoders.append(JointEncoder.fit(frame, group, resolution))
                done.update(member.name for member in group)
            else:
                encoders.append(_fit_column(frame, column, resolution))
        return cls(schema, tuple(encoders))

    @cached_property
    def _starts(self) -> tuple[np.ndarray, np.ndarray]:
        blocks = np.cumsum([0, *(len(encoder.blocks) for encoder in self.encoders)])
        heads = np.cumsum([0, *(len(encoder.heads) for encoder in self.encoders)])
        return blocks, heads

    @cached_property
    def layout(self) -> Layout:
        """What the codes and scores mean."""
        blocks: list[StateBlock] = []
        heads: list[Head] = []
        for number, encoder in enumerate(self.encoders):
            start = len(blocks)
            blocks += [replace(block, column=number) for block in encoder.blocks]
            heads += [
                replace(head, column=number, gate=None if head.gate is None else head.gate + start)
                for head in encoder.heads
            ]
        return Layout(tuple(blocks), tuple(heads))

    @cached_property
    def owner(self) -> dict[Any, int]:
        """Number of the encoder of each column label."""
        return {name: k for k, encoder in enumerate(self.encoders) for name in encoder.names}

    @cached_property
    def ranges(self) -> dict[Any, tuple[float, float]]:
        """Smallest and largest number of each column of numbers in the training rows."""
        return {
            encoder.column.name: encoder.whole.range
            for encoder in self.encoders
            if isinstance(encoder, QuantityEncoder) and encoder.column.kind in _NUMBERS
        }

    def transform(
        self, frame: pd.DataFrame, rng: np.random.Generator | None = None
    ) -> EncodedTable:
        """Encode `frame`; values never seen have the code -1."""
        parts = [encoder.transform(frame, rng) for encoder in self.encoders]
        return EncodedTable(
            np.ascontiguousarray(np.concatenate([codes for codes, _ in parts], axis=1)),
            np.ascontiguousarray(np.concatenate([scores for _, scores in parts], axis=1)),
        )

    def inverse(
        self,
        table: EncodedTable,
        rows: np.ndarray,
        rng: np.random.Generator,
        wanted: Mapping[Any, Wanted] | None = None,
        *,
        numbered: bool = True,
    ) -> pd.DataFrame:
        """Decode rows.

        Parameters
        ----------
        table : EncodedTable
        rows : numpy.ndarray of int64, shape (n,)
            Global numbers of the rows, from which ids are made.
        rng : numpy.random.Generator
        wanted : mapping of label to Wanted, optional
            Conditions that the rows were drawn under.
        numbered : bool, default=True
            Whether ids are those of the row numbers. If not, they are all the same, until
            :meth:`renumber`: a short form has not ids for rows that do not stay.

        Returns
        -------
        pandas.DataFrame
            The schema's columns in order, in their original dtypes.
        """
        wanted = wanted or {}
        block_starts, head_starts = self._starts
        columns: dict[Any, Any] = {}
        for k, encoder in enumerate(self.encoders):
            codes = table.codes[:, block_starts[k] : block_starts[k + 1]]
            scores = table.values[:, head_starts[k] : head_starts[k + 1]]
            own = rows if numbered or not _is_id(encoder) else np.zeros_like(rows)
            columns |= encoder.inverse(codes, scores, own, rng, wanted)
        return _assemble(list(self.schema.names), columns)

    @cached_property
    def missing_states(self) -> np.ndarray:
        """States (counted over all blocks) that stand for a missing cell, int64."""
        places = []
        for encoder in self.encoders:
            blocks, _ = self.columns_of(encoder.names[0])
            for block, state in encoder.missing_states():
                places.append(int(self.layout.block_starts[blocks.start + block]) + state)
        return np.asarray(places, dtype=np.int64)

    def distinct_ids(self) -> set[Any]:
        """Return the labels of ids of which each row has one of its own."""
        return {
            encoder.column.name
            for encoder in self.encoders
            if _is_id(encoder) and not isinstance(encoder.surrogate, RepeatedIds)
        }

    def renumber(
        self, frame: pd.DataFrame, rows: np.ndarray, rng: np.random.Generator
    ) -> pd.DataFrame:
        """Make the ids of decoded rows anew, for rows that were filtered after decoding."""
        ids = [encoder for encoder in self.encoders if _is_id(encoder)]
        if not ids:
            return frame
        columns: dict[Any, Any] = {name: frame[name] for name in frame.columns}
        for encoder in ids:
            name = encoder.column.name
            columns[name] = encoder.renew(columns[name], rows, rng)
        return _assemble(list(columns), columns)

    def columns_of(self, name: Any) -> tuple[slice, slice]:
        """Return which blocks and which heads encode the column `name`."""
        k = self.owner[name]
        blocks, heads = self._starts
        return slice(blocks[k], blocks[k + 1]), slice(heads[k], heads[k + 1])

    def condition(self, wanted: Mapping[Any, Wanted]) -> TableCondition:
        """Translate conditions on columns.

        Raises
        ------
        ConditionError
            If a column is unknown, or a condition cannot be satisfied.
        """
        states: dict[int, np.ndarray] = {}
        intervals: dict[int, tuple[float, float]] = {}
        for name, asked in wanted.items():
            if name not in self.owner:
                known = ", ".join(repr(label) for label in self.schema.names)
                raise ConditionError(f"There is no column {name!r}; the columns are {known}.")
            block_range, head_range = self.columns_of(name)
            cells = self.encoders[self.owner[name]].condition(name, asked)
            for block, weights in zip(
                range(block_range.start, block_range.stop), cells.states, strict=True
            ):
                if weights is not None:
                    states[block] = states.get(block, np.ones_like(weights)) * weights
                    if not states[block].any():
                        raise ConditionError(
                            f"The conditions on {list(wanted)} never occur together."
                        )
            for head, interval in zip(
                range(head_range.start, head_range.stop), cells.intervals, strict=True
            ):
                if interval is not None:
                    intervals[head] = interval
        return TableCondition(states, intervals)

    def to_state(self) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
        """Return JSON facts and arrays of all encoders."""
        facts: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        for k, encoder in enumerate(self.encoders):
            fact, values = encoder.to_state()
            facts.append({"columns": [self.schema.names.index(name) for name in encoder.names]})
            facts[-1] |= {"type": _TYPES[type(encoder)], "state": fact}
            arrays |= {f"encoder.{k}.{key}": value for key, value in values.items()}
        return facts, arrays

    @classmethod
    def from_state(
        cls, schema: Schema, facts: list[dict[str, Any]], arrays: dict[str, np.ndarray]
    ) -> TableEncoder:
        """Rebuild an encoder from :meth:`to_state`."""
        encoders: list[ColumnEncoder] = []
        for k, fact in enumerate(facts):
            prefix = f"encoder.{k}."
            own = {
                key.removeprefix(prefix): value
                for key, value in arrays.items()
                if key.startswith(prefix)
            }
            columns = tuple(schema.columns[place] for place in fact["columns"])
            kind, state = fact["type"], fact["state"]
            if kind == "joint":
                encoders.append(JointEncoder.from_state(columns, state, own))
            elif kind == "category":
                encoders.append(CategoryEncoder.from_state(columns[0], state, own))
            elif kind == "quantity":
                encoders.append(QuantityEncoder.from_state(columns[0], state, own))
            elif kind == "public":
                encoders.append(PublicEncoder.from_state(columns[0], state, own))
            else:
                encoders.append(SurrogateEncoder.from_state(columns[0], state, own))
        return cls(schema, tuple(encoders))


_TYPES = {
    JointEncoder: "joint",
    CategoryEncoder: "category",
    QuantityEncoder: "quantity",
    PublicEncoder: "public",
    SurrogateEncoder: "surrogate",
}


def _is_id(encoder: ColumnEncoder) -> TypeGuard[SurrogateEncoder]:
    return isinstance(encoder, SurrogateEncoder) and encoder.column.kind == "id"


def _assemble(names: list[Any], columns: dict[Any, Any]) -> pd.DataFrame:
    """Return a frame of the columns; labels may be anything hashable."""
    frame = pd.DataFrame({k: _kept(columns[name]) for k, name in enumerate(names)}, copy=False)
    frame.columns = pd.Index(names, tupleize_cols=False)
    return frame


def _kept(values: Any) -> Any:
    # Without a dtype pandas 3 would turn arrays of objects into text.
    objects = pd.api.types.is_object_dtype(values.dtype)
    return pd.Series(values, dtype=object, copy=False) if objects else values


def _fit_column(frame: pd.DataFrame, column: Column, resolution: Resolution) -> ColumnEncoder:
    if column.kind in _SURROGATES:
        return SurrogateEncoder.fit(frame, column)
    if column.kind in _QUANTITIES:
        return QuantityEncoder.fit(frame, column, resolution)
    return CategoryEncoder.fit(frame, column, resolution)


def _joint_groups(schema: Schema) -> dict[Any, tuple[Column, ...]]:
    """Return for each column of a fixed combination all columns of its group.

    Groups that share a column are one group.
    """
    groups: list[set[Any]] = []
    for constraint in schema.constraints:
        if isinstance(constraint, (FixedCombinations, OneHot)):
            members = set(constraint.columns)
            for other in [group for group in groups if group & members]:
                members |= other
                groups.remove(other)
            groups.append(members)
    return {
        name: tuple(column for column in schema.columns if column.name in group)
        for group in groups
        for name in group
    }
