"""Rows in blocks: block k of a seed is the same whoever makes it and however many are asked for."""

from __future__ import annotations

import itertools
import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd

from synthgen.core.parallel import map_ahead
from synthgen.core.random import generator, torch_generator
from synthgen.data.constraints import Constraint, FixedCombinations, OneHot, Unique
from synthgen.encode.calibrate import Calibration
from synthgen.encode.layout import EncodedTable, Layout
from synthgen.encode.table import TableCondition, TableEncoder
from synthgen.encode.wanted import Wanted
from synthgen.errors import ConstraintError
from synthgen.sample.conditional import ConditionPool, draw_from_pool
from synthgen.sample.correct import Corrections
from synthgen.sample.draw import RowSource
from synthgen.sample.obey import MOST_ATTEMPTS, obeys, repair, row_rules
from synthgen.sample.refine import Refiner
from synthgen.sample.settle import settle

logger = logging.getLogger(__name__)

#: Rows per block.
BLOCK: Final = 16_384
#: Rows drawn again where some break a constraint: this many times, and this many more, than needed.
_SPARE: Final = 1.2
_FEW_MORE: Final = 64
#: Blocks in a row with almost no new row before uniqueness is given up.
_MOST_STALE: Final = 20


class Demand(Protocol):
    """What rows must obey, prepared for the sampler that draws them."""

    @property
    def wanted(self) -> Mapping[Any, Wanted]:
        """Conditions by column."""


DemandT = TypeVar("DemandT", bound=Demand)


@dataclass(frozen=True)
class Request:
    """What the rows must obey.

    Parameters
    ----------
    wanted : dict of label to Wanted
        Conditions by column.
    condition : TableCondition
        The same in terms of the layout.
    pool : ConditionPool
        Latent vectors that speak for it.
    """

    wanted: Mapping[Any, Wanted]
    condition: TableCondition
    pool: ConditionPool


@dataclass(frozen=True)
class RowBlocks(ABC, Generic[DemandT]):
    """The endless table of each seed, whatever draws its encoded rows.

    Parameters
    ----------
    encoder : TableEncoder
    """

    encoder: TableEncoder

    @abstractmethod
    def encoded(
        self, n: int, seed: int, index: tuple[int, ...], request: DemandT | None = None
    ) -> EncodedTable:
        """Draw `n` encoded rows; `index` says which part of the seed's stream they are."""

    def rows(self, seed: int, start: int, stop: int) -> Iterator[pd.DataFrame]:
        """Yield the rows from number `start` up to `stop`."""
        numbers = range(start // BLOCK, math.ceil(stop / BLOCK))
        for number, frame in zip(numbers, self._blocks(numbers, seed), strict=True):
            first = number * BLOCK
            yield frame.iloc[max(start - first, 0) : stop - first]

    def frames(
        self, n_samples: int, seed: int, request: DemandT | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield frames that together have exactly `n_samples` rows.

        Raises
        ------
        ConstraintError
            If the constraints leave too little.
        """
        unique = [c for c in self.encoder.schema.constraints if isinstance(c, Unique)]
        seen: list[set[int]] = [set() for _ in unique]
        left, stale = n_samples, 0
        # Without uniqueness it is known how many blocks it takes.
        numbers = itertools.count() if unique else range(math.ceil(n_samples / BLOCK))
        for block in self._blocks(numbers, seed, request):
            fresh = _drop_all_seen(block, unique, seen)
            stale = stale + 1 if len(fresh) < BLOCK // 1_000 else 0
            if stale > _MOST_STALE:
                names = [list(constraint.columns) for constraint in unique]
                raise ConstraintError(
                    f"Only {n_samples - left} of {n_samples} rows differ in {names}, as the "
                    "constraint Unique demands. Ask for fewer rows or drop the constraint."
                )
            frame = fresh.iloc[:left]
            left -= len(frame)
            if len(frame):
                yield frame.reset_index(drop=True)
            if left <= 0:
                return

    def _blocks(
        self, numbers: Iterable[int], seed: int, request: DemandT | None = None
    ) -> Iterator[pd.DataFrame]:
        return map_ahead(lambda number: self.block(seed, number, request), numbers)

    def block(self, seed: int, number: int, request: DemandT | None = None) -> pd.DataFrame:
        """Return block `number`, a frame of ``BLOCK`` rows that obey conditions and constraints."""
        rows = np.arange(number * BLOCK, (number + 1) * BLOCK, dtype=np.int64)
        checks = self._row_constraints()
        if not checks:
            return self._attempt(seed, number, 0, rows, request)
        good: list[pd.DataFrame] = []
        bad = pd.DataFrame()
        count, drawn = 0, 0
        for attempt in range(MOST_ATTEMPTS):
            size = _next_size(count, drawn)
            frame = self._attempt(seed, number, attempt, rows[:size], request)
            fine = obeys(frame, checks)
            good.append(frame[fine])
            bad = frame[~fine] if (~fine).any() else bad
            count, drawn = count + int(fine.sum()), drawn + size
            if count >= BLOCK:
                break
        else:
            rng = generator(seed, "sample", number, 1)
            fixed = [] if request is None else list(request.wanted)
            # Combinations that a repair breaks are repaired as well.
            rules = row_rules(self.encoder.schema)
            good.append(_repair(pd.concat(good), bad, rules, fixed, BLOCK - count, rng))
        frame = pd.concat(good, ignore_index=True).iloc[:BLOCK]
        return self.encoder.renumber(frame, rows, generator(seed, "surrogate", number))

    def _row_constraints(self) -> list[Constraint]:
        # Combinations hold by construction, uniqueness is a matter of all blocks together.
        held = (FixedCombinations, OneHot, Unique)
        return [c for c in self.encoder.schema.constraints if not isinstance(c, held)]

    def _attempt(
        self, seed: int, number: int, attempt: int, rows: np.ndarray, request: DemandT | None
    ) -> pd.DataFrame:
        table = self.encoded(len(rows), seed, (number, attempt), request)
        rng = generator(seed, "surrogate", number, attempt)
        wanted = None if request is None else request.wanted
        frame = self.encoder.inverse(table, rows, rng, wanted)
        return settle(frame, self.encoder, dict.fromkeys(wanted or (), _all_of(frame)))


@dataclass(frozen=True)
class Sampler(RowBlocks[Request]):
    """Everything needed to turn random numbers into rows of a trained generator.

    Parameters
    ----------
    encoder : TableEncoder
    source : RowSource
    refiner : Refiner or None
    calibration : Calibration or None
    corrections : Corrections or None
        Applied before the refiner chooses.
    """

    source: RowSource
    refiner: Refiner | None = None
    calibration: Calibration | None = None
    corrections: Corrections | None = None

    def encoded(
        self, n: int, seed: int, index: tuple[int, ...], request: Request | None = None
    ) -> EncodedTable:
        """Draw `n` encoded rows, refined and calibrated."""
        rng = torch_generator(seed, "sample", *index)
        count = n if self.refiner is None else math.ceil(n * self.refiner.pool)
        if request is None:
            table = self.source.draw(count, rng)
        else:
            table = draw_from_pool(self.source, request.pool, request.condition, count, rng)
        rng_corrections = generator(seed, "refine", *index, 1)
        table = self.corrected(table, rng_corrections, *_fixed_by(request, self.encoder.layout))
        if self.refiner is not None:
            choose = self.refiner.keep if request is None else self.refiner.choose
            table = table.take(choose(table, n, generator(seed, "refine", *index)))
        return table if self.calibration is None else self.calibration.apply(table)

    def corrected(
        self,
        table: EncodedTable,
        rng: np.random.Generator,
        fixed_blocks: np.ndarray | None = None,
        fixed_heads: np.ndarray | None = None,
    ) -> EncodedTable:
        """Return the rows corrected, where there are corrections; fixed cells stay as they are."""
        if self.corrections is None:
            return table
        return self.corrections.apply(table, rng, fixed_blocks, fixed_heads)


def _next_size(good: int, drawn: int) -> int:
    """Return how many rows to draw next: as many as the rows so far say are enough, and a few."""
    if not good:
        return BLOCK
    return min(BLOCK, math.ceil((BLOCK - good) * drawn / good * _SPARE) + _FEW_MORE)


def _fixed_by(
    request: Request | None, layout: Layout
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return which blocks and heads a request restricts, (1, blocks) and (1, heads)."""
    if request is None:
        return None, None
    condition = request.condition
    return (
        np.isin(np.arange(len(layout.blocks)), list(condition.states))[None],
        np.isin(np.arange(len(layout.heads)), list(condition.intervals))[None],
    )


def _all_of(frame: pd.DataFrame) -> np.ndarray:
    return np.ones(len(frame), dtype=bool)


def _repair(
    good: pd.DataFrame,
    bad: pd.DataFrame,
    rules: list[Constraint],
    fixed: list[Any],
    n: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return `n` rows made from `bad` rows, with cells of `good` ones; `fixed` columns stay."""
    repaired, fine = repair(pd.concat([good, bad], ignore_index=True), rules, fixed, rng)
    kept = repaired.iloc[len(good) :][fine[len(good) :]]
    if not len(kept):
        names = ", ".join(type(rule).__name__ for rule in rules)
        raise ConstraintError(
            f"Almost no generated row satisfies the constraints together ({names}), and they "
            "cannot be repaired. Check them with Schema.suggest_constraints on the real rows"
            f"{', and against the conditions' if fixed else ''}."
        )
    logger.info("Repaired %d rows to satisfy the constraints.", n)
    return kept.iloc[rng.integers(len(kept), size=n)] if len(kept) < n else kept.iloc[:n]


def _drop_all_seen(frame: pd.DataFrame, unique: list[Unique], seen: list[set[int]]) -> pd.DataFrame:
    fresh = frame
    for constraint, known in zip(unique, seen, strict=True):
        fresh = _drop_seen(fresh, constraint, known)
    return fresh


def _drop_seen(frame: pd.DataFrame, constraint: Unique, known: set[int]) -> pd.DataFrame:
    """Keep the first row of each combination that is not `known` yet, and remember it."""
    keys = pd.util.hash_pandas_object(frame[list(constraint.columns)], index=False).to_numpy()
    fresh = np.array([key not in known for key in keys.tolist()], dtype=bool)
    fresh &= ~pd.Series(keys).duplicated().to_numpy()
    known.update(keys[fresh].tolist())
    return frame[fresh]
