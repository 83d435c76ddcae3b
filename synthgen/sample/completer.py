"""Completing, imputing and scoring given rows, whatever explains them."""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from synthgen.core.random import generator
from synthgen.data.cells import put_cells
from synthgen.data.column import Column
from synthgen.data.constraints import Constraint, Unique
from synthgen.encode.canonical import as_held
from synthgen.encode.joint import JointEncoder
from synthgen.encode.layout import EncodedTable
from synthgen.encode.table import TableEncoder
from synthgen.errors import ConditionError, ConstraintError, DataWarning
from synthgen.sample.obey import redraw, repair, row_rules
from synthgen.sample.settle import settle


@dataclass(frozen=True)
class KnownCells:
    """Encoded rows, and which of their cells are given rather than to be drawn.

    Parameters
    ----------
    table : EncodedTable
    blocks : numpy.ndarray of bool, shape (rows, blocks)
    heads : numpy.ndarray of bool, shape (rows, heads)
    """

    table: EncodedTable
    blocks: np.ndarray
    heads: np.ndarray

    def part(self, rows: slice | np.ndarray) -> KnownCells:
        """Return the given rows."""
        return KnownCells(self.table.take(rows), self.blocks[rows], self.heads[rows])


class RowCompleter(ABC):
    """Completes and scores given rows, whatever explains them."""

    #: A row whose given cells are less probable than this is too rare to complete.
    least_probability: ClassVar[float] = 1e-7

    @property
    @abstractmethod
    def encoder(self) -> TableEncoder:
        """Encoder of the rows."""

    @abstractmethod
    def _draw(
        self, known: KnownCells, seed: int, *, never_missing: bool = False
    ) -> tuple[EncodedTable, np.ndarray]:
        """Draw the unknown cells; return full rows and the log probability of what is known."""

    @abstractmethod
    def _log_likelihood(self, known: KnownCells, seed: int) -> np.ndarray:
        """Return the log-likelihood of each row's known cells."""

    def complete(self, conditions: pd.DataFrame, seed: int, on_rare: str) -> pd.DataFrame:
        """Return one full row for each row of `conditions`; missing cells there mean missing.

        Raises
        ------
        ConditionError
            If a column or value is unknown, or rows are too rare under the model.
        ConstraintError
            If rows cannot be completed within the schema's constraints.
        """
        encoder = self.encoder
        unknown = [name for name in conditions.columns if name not in encoder.owner]
        if unknown:
            known = ", ".join(repr(name) for name in encoder.schema.names)
            raise ConditionError(f"There is no column {unknown[0]!r}; the columns are {known}.")
        for name in conditions.columns:
            if not encoder.schema[name].modelled:
                raise ConditionError(
                    f"Column {name!r} has the kind {encoder.schema[name].kind!r}: its content is "
                    "made up, so it cannot be a condition."
                )
        held = [as_held(conditions[name], encoder.schema[name]) for name in conditions.columns]
        conditions = framed(held, conditions.columns)
        mask = pd.DataFrame(True, index=conditions.index, columns=conditions.columns)
        known_cells = self._encode(conditions, mask, seed)
        self._check_seen(conditions, known_cells)
        table, chances = self._draw(known_cells, seed)
        rare = np.flatnonzero(chances < math.log(self.least_probability))
        if len(rare) and on_rare == "error":
            raise ConditionError(
                f"{len(rare)} of {len(conditions)} conditions are too rare under the model, the "
                f"first in row {int(rare[0])} with an estimated probability of "
                f"{math.exp(chances[rare[0]]):.2g}. Relax them, or pass on_rare='approximate'."
            )
        frame = self._completed(table, conditions, np.arange(len(table)), seed)
        return self._obeying(frame, conditions, known_cells, seed)

    def _obeying(
        self, frame: pd.DataFrame, conditions: pd.DataFrame, known_cells: KnownCells, seed: int
    ) -> pd.DataFrame:
        """Return completed rows that obey the constraints, where they can by themselves."""
        schema = self.encoder.schema
        rules = row_rules(schema)
        if rules:
            frame = self._within(rules, frame, conditions, known_cells, seed)
        for rule in schema.constraints:
            if isinstance(rule, Unique) and not rule.check(frame).all():
                warnings.warn(
                    f"{int((~rule.check(frame)).sum())} of {len(frame)} rows repeat others in "
                    f"{list(rule.columns)}, though the constraint Unique forbids it: rows under a "
                    "frame of conditions are completed one by one.",
                    DataWarning,
                    stacklevel=6,
                )
        return frame

    def _within(
        self,
        rules: list[Constraint],
        frame: pd.DataFrame,
        conditions: pd.DataFrame,
        known_cells: KnownCells,
        seed: int,
    ) -> pd.DataFrame:
        """Draw rows that break a rule again, and repair those that still do."""

        def draw(places: np.ndarray, attempt: int) -> pd.DataFrame:
            fresh = _fresh_seed(seed, attempt)
            again, _ = self._draw(known_cells.part(places), fresh)
            return self._completed(again, conditions.iloc[places], places, fresh)

        frame = redraw(frame, rules, draw, np.ones((len(frame), len(rules)), dtype=bool))
        frame, good = repair(frame, rules, conditions.columns, generator(seed, "conditions", 4))
        if not good.all():
            raise ConstraintError(
                f"{int((~good).sum())} of {len(good)} conditions cannot be completed within the "
                f"constraints, the first in row {int(np.argmin(good))}. Relax one or the other."
            )
        return frame

    def _completed(
        self, table: EncodedTable, conditions: pd.DataFrame, places: np.ndarray, seed: int
    ) -> pd.DataFrame:
        """Decode rows and put the given cells in as they were given."""
        frame = self._decode(table, places, seed)
        for encoder in self.encoder.encoders:
            if isinstance(encoder, JointEncoder):
                frame = self._agreeing(frame, encoder, table, conditions, seed)
        for name in conditions.columns:
            frame[name] = _overwrite(frame[name], conditions[name], np.ones(len(frame), bool))
        given = dict.fromkeys(conditions.columns, np.ones(len(frame), bool))
        return settle(frame, self.encoder, given)

    def _agreeing(
        self,
        frame: pd.DataFrame,
        encoder: JointEncoder,
        table: EncodedTable,
        conditions: pd.DataFrame,
        seed: int,
    ) -> pd.DataFrame:
        """Give rows with a rare combination of cells one that agrees with those that are given."""
        given = np.array([name in conditions.columns for name in encoder.names])
        if given.all() or not given.any():
            return frame
        blocks, _ = self.encoder.columns_of(encoder.names[0])
        known = np.broadcast_to(given, (len(frame), len(given)))
        rng = generator(seed, "conditions", 5, blocks.start)
        rows, cells = encoder.decoded(table.codes[:, blocks.start], conditions, known, rng)
        frame = frame.copy(deep=False)
        for name, values in cells.items():
            frame[name] = put_cells(frame[name], rows, pd.Series(values, dtype=values.dtype))
        return frame

    def impute(self, frame: pd.DataFrame, seed: int) -> pd.DataFrame:
        """Return `frame` with missing cells drawn given the row's other cells.

        Rows obey the constraints unless their other cells leave no way to.
        """
        names = frame.columns
        frame = framed([_typed(frame[name], self.encoder.schema[name]) for name in names], names)
        gaps = frame.isna()
        known = self._encode(frame, ~gaps, seed)
        everything = np.arange(len(frame))
        filled = self._filled(frame, known, everything, seed)
        rules = row_rules(self.encoder.schema)
        if not rules:
            return filled

        def draw(places: np.ndarray, attempt: int) -> pd.DataFrame:
            return self._filled(frame, known, places, _fresh_seed(seed, attempt))

        # A rule about cells that are all given holds or not, whatever is drawn.
        concerned = [gaps[list(rule.columns or gaps.columns)].any(axis=1) for rule in rules]
        return redraw(filled, rules, draw, np.stack(concerned, axis=1))

    def _filled(
        self, whole: pd.DataFrame, known: KnownCells, places: np.ndarray, seed: int
    ) -> pd.DataFrame:
        """Return some rows of a frame with their gaps filled."""
        frame = whole.iloc[places].reset_index(drop=True)
        gaps = frame.isna()
        # Missing is a state like any other, but not one to fill a gap with.
        table, _ = self._draw(known.part(places), seed, never_missing=True)
        drawn = self._decode(table, places, seed)
        filled = {
            name: _overwrite(frame[name], drawn[name], gaps[name].to_numpy() & drawn[name].notna())
            if gaps[name].any()
            else frame[name]
            for name in frame.columns
        }
        result = framed([filled[name] for name in frame.columns], frame.columns)
        given = {name: ~gaps[name].to_numpy() for name in frame.columns}
        return settle(result, self.encoder, given)

    def score(self, frame: pd.DataFrame, seed: int) -> np.ndarray:
        """Return the log-likelihood of each row, in nats."""
        mask = pd.DataFrame(True, index=frame.index, columns=frame.columns)
        known = self._encode(frame, mask, seed)
        scores = self._log_likelihood(known, seed)
        unseen = (known.table.codes < 0).sum(1)
        return np.asarray(np.maximum(scores, -700.0) + unseen * math.log(1e-12))

    def _encode(self, frame: pd.DataFrame, mask: pd.DataFrame, seed: int) -> KnownCells:
        """Encode the columns of `frame`; cells outside `mask` and absent columns are unknown.

        Of columns that are drawn together some may be known: these choose a combination.
        """
        encoder = self.encoder
        layout = encoder.layout
        n = len(frame)
        codes = np.zeros((n, len(layout.blocks)), dtype=np.int32)
        values = np.zeros((n, len(layout.heads)), dtype=np.float32)
        known_blocks = np.zeros(codes.shape, dtype=bool)
        known_heads = np.zeros(values.shape, dtype=bool)
        for column_encoder in encoder.encoders:
            names = column_encoder.names
            given = np.stack([_mask_of(mask, name, n) for name in names], axis=1)
            if not given.any():
                continue
            blocks, heads = encoder.columns_of(names[0])
            known = np.asarray(given.any(axis=1))
            if isinstance(column_encoder, JointEncoder) and not given.all():
                rng = generator(seed, "conditions", 2, blocks.start)
                codes[known, blocks.start] = column_encoder.agreeing(
                    frame.loc[known], given[known], rng
                )
            else:
                codes[:, blocks], values[:, heads] = column_encoder.transform(frame)
            known_blocks[:, blocks] = known[:, None] & (codes[:, blocks] >= 0)
            known_heads[:, heads] = known[:, None]
        return KnownCells(EncodedTable(codes, values), known_blocks, known_heads)

    def _check_seen(self, frame: pd.DataFrame, known: KnownCells) -> None:
        for name in frame.columns:
            blocks, _ = self.encoder.columns_of(name)
            unseen = np.flatnonzero((known.table.codes[:, blocks] < 0).any(axis=1))
            if len(unseen):
                value = frame[name].tolist()[int(unseen[0])]
                raise ConditionError(
                    f"Column {name!r} has no value {value!r} (row {int(unseen[0])} of conditions)."
                )

    def _decode(self, table: EncodedTable, places: np.ndarray, seed: int) -> pd.DataFrame:
        rows = places.astype(np.int64)
        return self.encoder.inverse(table, rows, generator(seed, "surrogate", 0))


def _fresh_seed(seed: int, attempt: int) -> int:
    return int(generator(seed, "conditions", 3, attempt).integers(2**63))


def framed(columns: list[pd.Series], labels: pd.Index) -> pd.DataFrame:
    """Return a frame of columns whose labels may be anything."""
    frame = pd.DataFrame(dict(enumerate(columns)))
    frame.columns = labels
    return frame


def _typed(series: pd.Series, column: Column) -> pd.Series:
    """Give a column in which everything is missing, or categories are, room for what fills it."""
    if series.isna().all():
        return series.astype(object)
    if isinstance(series.dtype, pd.CategoricalDtype) and column.categories is not None:
        absent = [level for level in column.categories if level not in series.cat.categories]
        wider: pd.Series[Any] = series.cat.add_categories(absent)
        return wider
    return series


def _mask_of(mask: pd.DataFrame, name: Any, n: int) -> np.ndarray:
    """Return which cells of a column are known, none if the column is absent."""
    return np.asarray(mask[name], dtype=bool) if name in mask.columns else np.zeros(n, dtype=bool)


def _overwrite(base: pd.Series, other: pd.Series, where: np.ndarray | pd.Series) -> pd.Series:
    """Return `base` with the cells in `where` taken from `other`, in the dtype of `base`."""
    mask = np.asarray(where, dtype=bool)
    if mask.all():
        return other.astype(base.dtype).set_axis(base.index)
    return base.mask(pd.Series(mask, index=base.index), other.set_axis(base.index))
