"""Learn corrections: which columns need one, and how much of one.

Columns are taken in turn, and what trees find different between real and generated rows
(:mod:`synthgen.sample.conditional_trees`) is the correction of a column. Real rows that the trees
have not seen say whether it is worth a step; after a step, the next column is learned from rows
that have gone through it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, Final

import lightgbm as lgb
import numpy as np

from synthgen.encode.layout import EncodedTable, Layout
from synthgen.sample.conditional_trees import (
    Sides,
    Task,
    boost,
    boost_on_unseen,
    fit_generated,
    seen_by_trees,
    spreads_about_means,
)
from synthgen.sample.correct import (
    Correction,
    Corrections,
    ScoreCorrection,
    StateCorrection,
)
from synthgen.sample.places import BlockPlace, HeadPlace, OpenRows
from synthgen.sample.refine import Draw
from synthgen.sample.trees import raw_scores
from synthgen.train.detection import detection_auc, features_of, gates_of, unordered_features

logger = logging.getLogger(__name__)

#: Fewest and most real rows to learn from.
LEAST_ROWS: Final = 1_000
MOST_ROWS: Final = 60_000
#: Generated rows for each real row, and the fewest.
_FAKE_PER_REAL: Final = 2
_LEAST_FAKE: Final = 10_000
#: With fewer held-out rows than this, all real rows take turns at being held out.
_ENOUGH_HELD_OUT: Final = 1_000
_FOLDS: Final = 3
#: A step must gain this many nats a row on unseen real rows, so many for each tree that sampling
#: has to evaluate for it, and so many standard errors.
_LEAST_GAIN: Final = 0.01
_GAIN_PER_TREE: Final = 2e-4
_STANDARD_ERRORS: Final = 2.0
#: And trees may tell rows apart only so much better after it: a shift of the mean is wrong where
#: values have several centres, which costs several times as much. Chance alone makes .005.
_MOST_WORSE: Final = 0.02
#: Blocks with more states are corrected as scores if their states are ordered, unless one state
#: has more than this share, and else not at all.
_MOST_STATES: Final = 8
_MOST_IN_ONE: Final = 0.5
_POINTS: Final = 512


@dataclass(frozen=True)
class CorrectionReport:
    """What fitting corrections found.

    Parameters
    ----------
    corrections : Corrections or None
    facts : list of dict
        For each step: the encoded column, the gain in nats a row on unseen real rows, its standard
        error, and how many trees sampling evaluates for a row, on average.
    passed_over : list of int
        Encoded columns that there was no time for.
    row_seconds : float
        What it takes to draw a generated row and correct it, on average.
    """

    corrections: Corrections | None
    facts: list[dict[str, Any]]
    passed_over: list[int] = field(default_factory=list)
    row_seconds: float = 0.0


def fit_corrections(
    layout: Layout,
    train: EncodedTable,
    holdout: EncodedTable,
    draw: Draw,
    *,
    missing: Collection[int] = (),
    skip: Collection[int] = (),
    last: int | None = None,
    later_rows: int = 0,
    is_late: Callable[[float], bool] = lambda _: False,
    seed: int,
) -> CorrectionReport:
    """Learn one sweep of corrections.

    Parameters
    ----------
    layout : Layout
    train, holdout : EncodedTable
        Real rows; the generator did not learn from those of `holdout`.
    draw : callable
        Draws generated rows.
    missing : collection of int
        States (counted over all blocks) that mean missing.
    skip : collection of int
        Encoded columns to leave alone, and not to go by: they are worked out from others later.
    last : int, optional
        Encoded column to correct last, when the others are as good as they get.
    later_rows : int
        Rows that will be drawn, and corrected, once corrections are learned.
    is_late : callable
        Asked before each column whether fewer seconds are left than one more column and those rows
        will take, going by the columns before it; if so, all but the last one are passed over.
    seed : int

    Returns
    -------
    CorrectionReport
    """
    if len(train) + len(holdout) < LEAST_ROWS:
        return CorrectionReport(None, [])
    hidden = features_of(layout, skip)
    start = time.perf_counter()
    sides = _sides(layout, train.take(slice(0, MOST_ROWS)), holdout, draw, hidden, seed)
    row_seconds = (time.perf_counter() - start) / sides.n_generated
    slowest = 0.0
    rng = np.random.default_rng(seed)
    # The least so far: small losses must not add up.
    told = _told_apart(sides, sides.generated, seed)
    steps: list[Correction] = []
    facts: list[dict[str, Any]] = []
    passed_over: list[int] = []
    for column, place in _places(layout, set(missing), last):
        if column in skip:
            continue
        # The last column, which is never passed over, will take its time as well.
        columns = slowest if last is None else 2 * slowest
        if column != last and is_late(columns + row_seconds * later_rows):
            passed_over.append(column)
            continue
        start = time.perf_counter()
        step = _take_step(column, place, sides, told, rng, seed)
        slowest = max(slowest, time.perf_counter() - start)
        if step is not None:
            told, sides = min(told, step.told), step.sides
            row_seconds += step.seconds / sides.n_generated
            steps.append(step.correction)
            facts.append(step.fact)
    corrections = Corrections(layout, tuple(steps)) if steps else None
    return CorrectionReport(corrections, facts, passed_over, row_seconds)


@dataclass(frozen=True)
class _Step:
    """A correction that is worth it, the sides after it, and what applying it took."""

    correction: Correction
    fact: dict[str, Any]
    sides: Sides
    told: float
    seconds: float


def _take_step(
    column: int,
    place: HeadPlace | BlockPlace | int,
    sides: Sides,
    told: float,
    rng: np.random.Generator,
    seed: int,
) -> _Step | None:
    """Learn a correction and apply it; None if it gains too little or does harm."""
    found = _learn(place, sides, rng, seed)
    if found is None:
        return None
    correction, fact = found
    start = time.perf_counter()
    corrected = [OpenRows(sides.real.layout, side.table) for side in (sides.generated, sides.spare)]
    for side in corrected:
        correction.apply(side, rng)
    seconds = time.perf_counter() - start
    now = _told_apart(sides, corrected[0], seed)
    if now > told + _MOST_WORSE:
        logger.debug("Column %d: rows are easier to tell after its correction.", column)
        return None
    fact = {"column": column, **fact, "detection": round(now, 4)}
    sides = replace(sides, generated=corrected[0], spare=corrected[1])
    return _Step(correction, fact, sides, now, seconds)


def _told_apart(sides: Sides, generated: OpenRows, seed: int) -> float:
    """Return the AUC of trees that tell real from generated rows."""
    gates = gates_of(generated.layout)
    return detection_auc(sides.real.table, generated.table, gates, seed, hidden=sides.hidden)


def _sides(
    layout: Layout,
    train: EncodedTable,
    holdout: EncodedTable,
    draw: Draw,
    hidden: list[int],
    seed: int,
) -> Sides:
    real = EncodedTable.concatenate([train, holdout])
    rows = np.arange(len(real))
    whole = len(holdout) < _ENOUGH_HELD_OUT
    if whole:
        fold = np.random.default_rng(seed).permutation(len(real)) % _FOLDS
        folds = [(rows[fold != k], rows[fold == k]) for k in range(_FOLDS)]
    else:
        folds = [(rows[: len(train)], rows[len(train) :])]
    count = max(_FAKE_PER_REAL * len(train), _LEAST_FAKE)
    generated, spare = (draw(n, k) for n, k in ((count, 4), (count // 4, 5)))
    opened = [OpenRows(layout, table) for table in (real, generated, spare)]
    unordered = unordered_features(layout, len(real))
    return Sides(opened[0], opened[1], opened[2], folds, hidden, whole, unordered)


def _places(
    layout: Layout, missing: set[int], last: int | None
) -> list[tuple[int, HeadPlace | BlockPlace | int]]:
    """Return what can be corrected, in order: its encoded column, and a place or a block."""
    gates = {head.gate for head in layout.heads}
    found: list[tuple[int, HeadPlace | BlockPlace | int]] = []
    for number, block in enumerate(layout.blocks):
        if number in gates or block.size < 2:
            continue  # A state that opens a head would need a score as well.
        ordered = block.features.shape[1] > 0
        if block.size <= _MOST_STATES:
            found.append((block.column, number))
            continue
        start = int(layout.block_starts[number])
        present = block.size - sum(start + k in missing for k in range(block.size))
        shares = block.frequencies[:present]
        if ordered and shares.max() <= _MOST_IN_ONE * shares.sum():
            tops = np.cumsum(shares) / shares.sum()
            found.append((block.column, BlockPlace(number, np.append(tops[:-1], 1.0))))
    for number, head in enumerate(layout.heads):
        gate = -1 if head.gate is None else head.gate
        found.append((head.column, HeadPlace(number, gate)))
    return sorted(found, key=lambda entry: (entry[0] == last, entry[0]))


def _learn(
    place: HeadPlace | BlockPlace | int, sides: Sides, rng: np.random.Generator, seed: int
) -> tuple[Correction, dict[str, Any]] | None:
    """Learn one step; None if it would not gain enough."""
    task = _task(place, sides, rng)
    if min(len(rows) for rows, _ in (task.real, task.generated, task.spare)) < LEAST_ROWS // 2:
        return None
    before = fit_generated(task, sides, seed)
    matrix, labels = seen_by_trees(sides.real, task.hidden, task.real)
    start = raw_scores(before, matrix)
    unseen = boost_on_unseen(task, sides, matrix, labels, start, seed)
    if unseen.rounds == 0:
        return None
    spreads = spreads_about_means(task, sides, before, unseen)
    narrows = spreads[1] != spreads[0]
    gains = task.losses(unseen.labels, unseen.start, spreads[0]) - task.losses(
        unseen.labels, unseen.after, spreads[1]
    )
    error = float(gains.std() / np.sqrt(len(gains)))
    asked = 1.0 - unseen.surely_kept().mean() if task.states else float(narrows)
    evaluated = unseen.rounds * task.trees_per_round + asked * before.num_trees()
    least = max(_LEAST_GAIN, _GAIN_PER_TREE * evaluated, _STANDARD_ERRORS * error)
    if gains.mean() < least:
        return None
    learned = np.ones(len(labels), dtype=bool)
    if not sides.whole:
        learned = np.isin(task.real[0], sides.folds[0][0])
    rows = (matrix[learned], labels[learned], start[learned])
    change = boost(task, *rows, unseen.rounds, seed)
    fact = {"gain": round(float(gains.mean()), 4), "error": round(error, 4)}
    fact["trees"] = round(float(evaluated), 1)
    if isinstance(place, int):
        trees = (before.model_to_string(), change.model_to_string())
        return StateCorrection(place, task.states, *trees), fact
    spread = spreads[1] / spreads[0]
    return _score_step(place, task, sides, labels, before, change, spread), fact


def _score_step(
    place: HeadPlace | BlockPlace,
    task: Task,
    sides: Sides,
    labels: np.ndarray,
    before: lgb.Booster,
    change: lgb.Booster,
    spread: float,
) -> ScoreCorrection:
    seen, scores = seen_by_trees(sides.generated, task.hidden, task.generated)
    mean = raw_scores(before, seen)
    shifted = mean + spread * (scores - mean) + raw_scores(change, seen)
    ranks = (np.arange(_POINTS) + 0.5) / _POINTS
    curves = (np.quantile(shifted, ranks), np.quantile(labels, ranks))
    generated = None if spread == 1.0 else before.model_to_string()
    return ScoreCorrection(place, change.model_to_string(), spread, generated, *curves)


def _task(place: HeadPlace | BlockPlace | int, sides: Sides, rng: np.random.Generator) -> Task:
    opened = (sides.real, sides.generated, sides.spare)
    if isinstance(place, int):
        number, states = place, sides.real.layout.blocks[place].size
        sets = [(np.arange(len(side.table)), side.table.codes[:, place]) for side in opened]
    else:
        number, states = place.feature(sides.real.table.codes.shape[1]), 0
        sets = []
        for side in opened:
            rows = place.rows(side)
            sets.append((rows, place.scores(side.table, rows, rng)))
    real, generated, spare = sets
    hidden = [number, *sides.hidden]
    return Task(hidden, states, real, generated, spare, sides.unordered)
