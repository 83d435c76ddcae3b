"""Rows in blocks: block k of a seed is the same whoever makes it and however many are asked for."""

from __future__ import annotations

import itertools
import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias

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
from synthgen.sample.mixture import DemandT, Mixture
from synthgen.sample.obey import MOST_ATTEMPTS, obeys, repair, row_rules
from synthgen.sample.refine import Refiner
from synthgen.sample.settle import settle

logger = logging.getLogger(__name__)

#: Rows per block.
BLOCK: Final = 16_384
#: Rows drawn again where some break a constraint: this many times, and this many more, than needed.
_SPARE: Final = 1.2
_FEW_MORE: Final = 64
#: Once nothing can be repaired, drawing goes on while this share of the rows obeys.
_LEAST_SHARE: Final = 2e-3
#: Blocks in a row with almost no new row before uniqueness is given up.
_MOST_STALE: Final = 20


#: One demand, or any of several.
Asked: TypeAlias = DemandT | Mixture[DemandT]


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

    @property
    def probability(self) -> float:
        """How probable it is under the generator."""
        return self.pool.probability


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
        blocks = self._blocks(numbers, seed, stop)
        for number, frame in zip(numbers, blocks, strict=True):
            first = number * BLOCK
            yield frame.iloc[max(start - first, 0) : stop - first]

    def frames(
        self, n_samples: int, seed: int, request: Asked[DemandT] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield frames that together have exactly `n_samples` rows.

        Raises
        ------
        ConstraintError
            If the constraints leave too little.
        """
        unique = self._uniqueness()
        if unique:
            yield from self._distinct(n_samples, seed, request, unique)
        else:
            numbers = range(math.ceil(n_samples / BLOCK))
            yield from self._blocks(numbers, seed, n_samples, request)

    def _uniqueness(self) -> list[Unique]:
        """Return the demands for uniqueness that are not met by ids that all differ."""
        ids = self.encoder.distinct_ids()
        found = [c for c in self.encoder.schema.constraints if isinstance(c, Unique)]
        return [constraint for constraint in found if not ids & set(constraint.columns)]

    def _distinct(
        self, n_samples: int, seed: int, request: Asked[DemandT] | None, unique: list[Unique]
    ) -> Iterator[pd.DataFrame]:
        """Yield rows of as many blocks as it takes, those without a repetition."""
        seen: list[set[int]] = [set() for _ in unique]
        done, stale = 0, 0
        asked = {name for constraint in unique for name in constraint.columns}
        keys = {column.name for column in self.encoder.schema.columns if column.kind == "id"}
        # Ids are given to rows that stay, unless they decide themselves which ones do.
        by_keys = bool(keys & asked)
        for block in self._blocks(itertools.count(), seed, None, request, numbered=by_keys):
            fresh = _drop_all_seen(block, unique, seen)
            stale = stale + 1 if len(fresh) < BLOCK // 1_000 else 0
            if stale > _MOST_STALE:
                names = [list(constraint.columns) for constraint in unique]
                raise ConstraintError(
                    f"Only {done} of {n_samples} rows differ in {names}, as the "
                    "constraint Unique demands. Ask for fewer rows or drop the constraint."
                )
            frame = fresh.iloc[: n_samples - done].reset_index(drop=True)
            if len(frame):
                rows = np.arange(done, done + len(frame), dtype=np.int64)
                rng = generator(seed, "surrogate", done)
                yield frame if by_keys else self.encoder.renumber(frame, rows, rng)
                done += len(frame)
            if done >= n_samples:
                return

    def _blocks(
        self,
        numbers: Iterable[int],
        seed: int,
        stop: int | None,
        request: Asked[DemandT] | None = None,
        *,
        numbered: bool = True,
    ) -> Iterator[pd.DataFrame]:
        """Yield blocks, the last one up to row number `stop`."""

        def make(number: int) -> pd.DataFrame:
            most = BLOCK if stop is None else min(stop - number * BLOCK, BLOCK)
            return self.block(seed, number, request, most, numbered=numbered)

        return map_ahead(make, numbers)

    def block(
        self,
        seed: int,
        number: int,
        request: Asked[DemandT] | None = None,
        most: int = BLOCK,
        *,
        numbered: bool = True,
    ) -> pd.DataFrame:
        """Return the first `most` rows of block `number`, which obey conditions and constraints.

        Their ids are those of their row numbers if they are to be `numbered`, and otherwise all
        the same: a short form has not ids for rows that nobody asked for.
        """
        rows = np.arange(number * BLOCK, (number + 1) * BLOCK, dtype=np.int64)
        checks = self._row_constraints()
        if checks:
            frame = self._obeying(seed, number, rows, request, most, checks)
        else:
            frame = self._attempt(seed, number, 0, rows, request).iloc[:most]
        if not numbered:
            return frame
        return self.encoder.renumber(frame, rows[:most], generator(seed, "surrogate", number))

    def _obeying(
        self,
        seed: int,
        number: int,
        rows: np.ndarray,
        request: Asked[DemandT] | None,
        most: int,
        checks: list[Constraint],
    ) -> pd.DataFrame:
        """Return the first `most` rows of a block that obey; their ids are all the same."""
        good: list[pd.DataFrame] = []
        bad = pd.DataFrame()
        count, drawn, attempt = 0, 0, 0
        while count < most:
            if attempt == MOST_ATTEMPTS:
                repaired = self._repaired(seed, number, request, pd.concat(good), bad)
                good.append(repaired)
                count += len(repaired)
            if attempt >= MOST_ATTEMPTS and drawn * _LEAST_SHARE > count:
                raise _too_strict(checks, count, drawn, request is not None)
            if count >= most:
                break
            size = _next_size(count, drawn)
            frame = self._attempt(seed, number, attempt, rows[:size], request)
            fine = obeys(frame, checks)
            good.append(frame[fine])
            bad = frame[~fine] if (~fine).any() else bad
            count, drawn, attempt = count + int(fine.sum()), drawn + size, attempt + 1
        return pd.concat(good, ignore_index=True).iloc[:most]

    def _repaired(
        self,
        seed: int,
        number: int,
        request: Asked[DemandT] | None,
        good: pd.DataFrame,
        bad: pd.DataFrame,
    ) -> pd.DataFrame:
        """Return rows for the rest of a block made from `bad` ones; none if that cannot be."""
        fixed: list[Any] = [] if request is None else list(request.wanted)
        # Combinations that a repair breaks are repaired as well.
        rules = row_rules(self.encoder.schema)
        rng = generator(seed, "sample", number, 1)
        return _repair(good, bad, rules, fixed, BLOCK - len(good), rng)

    def _row_constraints(self) -> list[Constraint]:
        # Combinations hold by construction, uniqueness is a matter of all blocks together.
        held = (FixedCombinations, OneHot, Unique)
        return [c for c in self.encoder.schema.constraints if not isinstance(c, held)]

    def _attempt(
        self, seed: int, number: int, attempt: int, rows: np.ndarray, request: Asked[DemandT] | None
    ) -> pd.DataFrame:
        """Return decoded rows whose ids are all the same yet."""
        table = self._drawn(len(rows), seed, (number, attempt), request)
        rng = generator(seed, "surrogate", number, attempt)
        wanted = None if request is None else request.wanted
        frame = self.encoder.inverse(table, rows, rng, wanted, numbered=False)
        return settle(frame, self.encoder, dict.fromkeys(wanted or (), _all_of(frame)))

    def _drawn(
        self, n: int, seed: int, index: tuple[int, ...], request: Asked[DemandT] | None
    ) -> EncodedTable:
        if not isinstance(request, Mixture):
            return self.encoded(n, seed, index, request)

        def draw(count: int, place: int, part: DemandT) -> EncodedTable:
            return self.encoded(count, seed, (*index, place), part)

        return request.draw(n, generator(seed, "conditions", *index), draw)


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
    """Return `n` rows made from `bad` rows, with cells of `good` ones; `fixed` columns stay.

    None if no row can be repaired.
    """
    repaired, fine = repair(pd.concat([good, bad], ignore_index=True), rules, fixed, rng)
    kept = repaired.iloc[len(good) :][fine[len(good) :]]
    if not len(kept):
        return kept
    logger.info("Repaired %d rows to satisfy the constraints.", n)
    return kept.iloc[rng.integers(len(kept), size=n)] if len(kept) < n else kept.iloc[:n]


def _too_strict(
    rules: list[Constraint], good: int, drawn: int, conditions: bool
) -> ConstraintError:
    names = ", ".join(type(rule).__name__ for rule in rules)
    return ConstraintError(
        f"Only {good:,} of {drawn:,} generated rows satisfy the constraints together ({names}), "
        "and the others cannot be repaired. Check them with Schema.suggest_constraints on the real "
        f"rows{', and against the conditions' if conditions else ''}."
    )


def _drop_all_seen(frame: pd.DataFrame, unique: list[Unique], seen: list[set[int]]) -> pd.DataFrame:
    fresh = frame
    for constraint, known in zip(unique, seen, strict=True):
        fresh = _drop_seen(fresh, constraint, known)
    return fresh


def _drop_seen(frame: pd.DataFrame, constraint: Unique, known: set[int]) -> pd.DataFrame:
    """Keep the first row of each combination that is not `known` yet, and remember it.

    Rows with a missing cell among them stay as well.
    """
    part = frame[list(constraint.columns)]
    keys = pd.util.hash_pandas_object(part, index=False).to_numpy()
    fresh = np.array([key not in known for key in keys.tolist()], dtype=bool)
    fresh &= ~pd.Series(keys).duplicated().to_numpy()
    known.update(keys[fresh].tolist())
    return frame[fresh | part.isna().any(axis=1).to_numpy()]
