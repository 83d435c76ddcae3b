"""Draws encoded rows from latent normal scores, freely or within conditions.

Conditions cut the latent scores to boxes. They are drawn one after the other, each from its normal
distribution given those before it and cut to its interval, and weighted by the probability of that
interval (the GHK simulator); rows are then chosen by weight. Every row obeys, however rare.

References
----------
Geweke, "Efficient simulation from the multivariate normal and Student-t distributions subject to
linear constraints", 1991. Hajivassiliou, McFadden & Ruud, J. Econometrics 72, 1996.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri_exp

from synthgen.encode.layout import REST, EncodedTable, Layout
from synthgen.encode.table import TableCondition
from synthgen.sample.completer import KnownCells
from synthgen.train.copula import state_thresholds

#: Draws under a condition for each row that is kept, and the least number of them.
_EXCESS: Final = 4
_LEAST_DRAWS: Final = 4_096
_PASS: Final = 8_192
#: Draws for each given row, to complete it and to score it.
_PARTICLES: Final = 64
_MOST_PARTICLES: Final = 256
#: Most numbers in one array of draws for given rows.
_MOST_NUMBERS: Final = 4_000_000


@dataclass(frozen=True)
class CopulaSource:
    """A normal distribution of latent scores, with the thresholds that make rows of them.

    Parameters
    ----------
    layout : Layout
    correlation : numpy.ndarray of shape (blocks + heads, blocks + heads), optional
        Of the latent scores; None stands for independence.
    """

    layout: Layout
    correlation: np.ndarray | None = None

    @property
    def width(self) -> int:
        """Number of latent scores of a row."""
        return len(self.layout.blocks) + len(self.layout.heads)

    @cached_property
    def thresholds(self) -> tuple[np.ndarray, ...]:
        """Normal scores between the states of each block."""
        return tuple(state_thresholds(block.frequencies) for block in self.layout.blocks)

    @cached_property
    def _factor(self) -> np.ndarray | None:
        return None if self.correlation is None else np.linalg.cholesky(self.correlation)

    def factor_of(self, order: np.ndarray) -> np.ndarray:
        """Return the Cholesky factor of the correlations in the given order."""
        if self.correlation is None:
            return np.eye(len(order))
        return np.linalg.cholesky(self.correlation[np.ix_(order, order)])

    def draw(self, n: int, rng: np.random.Generator) -> EncodedTable:
        """Draw `n` rows."""
        noise = rng.standard_normal((n, self.width))
        return self.encode(noise if self._factor is None else noise @ self._factor.T)

    def encode(self, latent: np.ndarray) -> EncodedTable:
        """Turn latent scores of shape (n, width) into rows."""
        n_blocks = len(self.layout.blocks)
        codes = np.empty((len(latent), n_blocks), dtype=np.int32)
        for k, cuts in enumerate(self.thresholds):
            codes[:, k] = np.searchsorted(cuts[1:-1], latent[:, k], "right")
        values = latent[:, n_blocks:].astype(np.float32)
        return EncodedTable(codes, _shut(self.layout, codes, values))

    def complete(
        self, known: KnownCells, closed: np.ndarray, rng: np.random.Generator
    ) -> tuple[EncodedTable, np.ndarray]:
        """Draw the cells of rows that are not known.

        Parameters
        ----------
        known : KnownCells
        closed : numpy.ndarray of int64
            States, counted over all blocks, that must not be drawn; each the last of its block.
        rng : numpy.random.Generator

        Returns
        -------
        table : EncodedTable
        chances : numpy.ndarray of shape (rows,)
            Log probability of the known cells; heads count as densities relative to the normal.
        """
        boxes = self._boxes(known, closed)
        latent = np.empty((len(known.table), self.width))
        chances = np.empty(len(latent))
        for rows, order, count in boxes.groups():
            factor = self.factor_of(order)
            part = boxes.take(rows, order[:count])
            noise, logs = _walk_boxes(factor, part, _PARTICLES, rng)
            chances[rows] = logsumexp(logs, axis=1) - np.log(logs.shape[1])
            chosen = _choose_each(logs, rng)
            kept = noise[np.arange(len(rows)), chosen]
            rest = rng.standard_normal((len(rows), self.width - count))
            latent[np.ix_(rows, order)] = np.concatenate([kept, rest], axis=1) @ factor.T
        drawn = self.encode(latent)
        codes = np.where(known.blocks, known.table.codes, drawn.codes)
        values = np.where(known.heads, known.table.values, drawn.values)
        return EncodedTable(codes, _shut(self.layout, codes, values)), chances

    def log_likelihood(self, known: KnownCells, rng: np.random.Generator) -> np.ndarray:
        """Return the log probability of the known cells of each row, see :meth:`complete`."""
        boxes = self._boxes(known, np.empty(0, np.int64))
        chances = np.empty(len(known.table))
        for rows, order, count in boxes.groups():
            part = boxes.take(rows, order[:count])
            _, logs = _walk_boxes(self.factor_of(order[:count]), part, _MOST_PARTICLES, rng)
            chances[rows] = logsumexp(logs, axis=1) - np.log(logs.shape[1])
        return chances

    def _boxes(self, known: KnownCells, closed: np.ndarray) -> _Boxes:
        n_blocks = len(self.layout.blocks)
        low = np.full((len(known.table), self.width), -np.inf)
        high = np.full(low.shape, np.inf)
        active = np.zeros(low.shape, dtype=bool)
        starts = self.layout.block_starts
        for k, cuts in enumerate(self.thresholds):
            given, codes = known.blocks[:, k], known.table.codes[:, k]
            low[given, k], high[given, k] = cuts[codes[given]], cuts[codes[given] + 1]
            active[given, k] = True
            for state in closed[(closed >= starts[k]) & (closed < starts[k + 1])] - starts[k]:
                if np.isfinite(cuts[state]):
                    high[~given, k] = cuts[state]
                    active[~given, k] = True
        for k, head in enumerate(self.layout.heads):
            given = known.heads[:, k].copy()
            if head.gate is not None:
                given &= known.blocks[:, head.gate] & (known.table.codes[:, head.gate] == REST)
            column = n_blocks + k
            low[given, column] = high[given, column] = known.table.values[given, k]
            active[:, column] = given
        return _Boxes(low, high, active)

    def restrict(self, condition: TableCondition) -> RestrictedSource:
        """Return a source of rows that obey `condition`."""
        return RestrictedSource(self, condition)


@dataclass(frozen=True)
class RestrictedSource:
    """Draws rows within a condition that is the same for all rows.

    Parameters
    ----------
    source : CopulaSource
    condition : TableCondition
    """

    source: CopulaSource
    condition: TableCondition

    @cached_property
    def _asked(self) -> np.ndarray:
        """Latent scores that the condition is about, the narrowest first, gates before heads."""
        n_blocks, heads = len(self.source.layout.blocks), self.source.layout.heads
        widths = {
            block: float(self.source.layout.blocks[block].frequencies @ weights)
            for block, weights in self.condition.states.items()
        }
        for number, (low, high) in self.condition.intervals.items():
            gate = heads[number].gate
            width = float(ndtr(high) - ndtr(low))
            if gate is not None:
                # Its place is right after the gate; the smaller of two widths, both times.
                widths[gate] = min(widths.get(gate, 1.0), width)
                width = widths[gate]
            widths[n_blocks + number] = width
        return np.array(sorted(widths, key=lambda k: (widths[k], k)), dtype=np.int64)

    @cached_property
    def _order(self) -> np.ndarray:
        free = np.setdiff1d(np.arange(self.source.width), self._asked)
        return np.concatenate([self._asked, free]).astype(np.int64)

    @cached_property
    def _factor(self) -> np.ndarray:
        return self.source.factor_of(self._order)

    def draw(self, n: int, rng: np.random.Generator) -> EncodedTable:
        """Draw `n` rows."""
        noise, logs = self._walk(max(_EXCESS * n, _LEAST_DRAWS), rng)
        weights = np.cumsum(np.exp(logs - logs.max()))
        points = (np.arange(n) + rng.random()) / n * weights[-1]
        chosen = np.minimum(np.searchsorted(weights, points), len(weights) - 1)
        kept = noise[rng.permutation(chosen)]
        rest = rng.standard_normal((n, self.source.width - len(self._asked)))
        latent = np.empty((n, self.source.width))
        latent[:, self._order] = np.concatenate([kept, rest], axis=1) @ self._factor.T
        return self._within(latent)

    def log_probability(self, rng: np.random.Generator) -> float:
        """Estimate the log probability of the condition."""
        _, logs = self._walk(_LEAST_DRAWS, rng)
        return float(logsumexp(logs) - np.log(len(logs)))

    def _walk(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw the standardised scores that are asked for, (n, asked), and their log weights."""
        parts = [self._walk_part(min(_PASS, n - start), rng) for start in range(0, n, _PASS)]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    def _walk_part(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        n_blocks = len(self.source.layout.blocks)
        noise = np.empty((n, len(self._asked)))
        logs = np.zeros(n)
        open_gates: dict[int, np.ndarray] = {}
        for step, score in enumerate(self._asked):
            mean = noise[:, :step] @ self._factor[step, :step]
            spread = self._factor[step, step]
            if score < n_blocks:
                low, high, chance, codes = self._draw_state(int(score), mean, spread, rng)
                noise[:, step], _ = _cut_normal(low, high, mean, spread, rng)
                open_gates[int(score)] = codes == REST
            else:
                ends = self.condition.intervals[int(score) - n_blocks]
                gate = self.source.layout.heads[int(score) - n_blocks].gate
                applies = np.ones(n, bool) if gate is None else open_gates[gate]
                low = np.where(applies, ends[0], -np.inf)
                high = np.where(applies, ends[1], np.inf)
                noise[:, step], chance = _cut_normal(low, high, mean, spread, rng)
            logs += chance
        return noise, logs

    def _draw_state(
        self, block: int, mean: np.ndarray, spread: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Draw an allowed state for each row; return its thresholds, log weight and the state."""
        cuts = self.source.thresholds[block]
        weights = self.condition.states.get(block, np.ones(len(cuts) - 1))
        allowed = np.flatnonzero(weights)
        low = (cuts[allowed] - mean[:, None]) / spread
        high = (cuts[allowed + 1] - mean[:, None]) / spread
        logs = _log_mass(low, high) + np.log(weights[allowed])
        total = logsumexp(logs, axis=1)
        running = np.cumsum(np.exp(logs - total[:, None]), axis=1)
        place = (running < rng.random((len(mean), 1)) * running[:, -1:]).sum(axis=1)
        codes = allowed[np.minimum(place, len(allowed) - 1)]
        return cuts[codes], cuts[codes + 1], total, codes

    def _within(self, latent: np.ndarray) -> EncodedTable:
        """Turn scores into rows, on the right side of thresholds that rounding may have crossed."""
        n_blocks = len(self.source.layout.blocks)
        table = self.source.encode(latent)
        for number, (low, high) in self.condition.intervals.items():
            gate = self.source.layout.heads[number].gate
            applies = slice(None) if gate is None else table.codes[:, gate] == REST
            table.values[applies, number] = np.clip(latent[applies, n_blocks + number], low, high)
        return table


@dataclass(frozen=True)
class _Boxes:
    """Intervals of latent scores for each row; where both ends agree the score is that value.

    Parameters
    ----------
    low, high : numpy.ndarray of shape (rows, width)
    active : numpy.ndarray of bool, shape (rows, width)
        Scores that are restricted at all.
    """

    low: np.ndarray
    high: np.ndarray
    active: np.ndarray

    def take(self, rows: np.ndarray, columns: np.ndarray) -> _Boxes:
        """Return some rows and columns."""
        place = np.ix_(rows, columns)
        return _Boxes(self.low[place], self.high[place], self.active[place])

    def groups(self) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
        """Yield rows restricted in the same scores, all scores in order, and how many are."""
        if not len(self.active):
            return
        patterns, member = np.unique(self.active, axis=0, return_inverse=True)
        width = max(self.active.shape[1], 1)
        step = max(_MOST_NUMBERS // (_MOST_PARTICLES * width), 1)
        for number, pattern in enumerate(patterns):
            rows = np.flatnonzero(member.ravel() == number)
            mass = ndtr(self.high[rows]).mean(axis=0) - ndtr(self.low[rows]).mean(axis=0)
            # Known values (no width) first, then from narrow to wide, then what is free.
            order = np.lexsort((mass, ~pattern))
            for start in range(0, len(rows), step):
                yield rows[start : start + step], order, int(pattern.sum())


def _walk_boxes(
    factor: np.ndarray, boxes: _Boxes, particles: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw standardised scores within boxes.

    Returns
    -------
    noise : numpy.ndarray of shape (rows, particles, restricted)
    logs : numpy.ndarray of shape (rows, particles)
        Log weights.
    """
    n, count = boxes.low.shape
    exact = boxes.low == boxes.high
    if exact.all():
        particles = 1
    noise = np.empty((n, particles, count))
    logs = np.zeros((n, particles))
    for step in range(count):
        mean = noise[:, :, :step] @ factor[step, :step]
        spread = factor[step, step]
        low, high = boxes.low[:, step, None], boxes.high[:, step, None]
        if exact[:, step].all():
            noise[:, :, step] = (low - mean) / spread
            # The density relative to the standard normal.
            logs += 0.5 * low**2 - 0.5 * noise[:, :, step] ** 2 - np.log(spread)
        else:
            noise[:, :, step], chance = _cut_normal(low, high, mean, spread, rng)
            logs += chance
    return noise, logs


def _log_mass(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the log probability that a standard normal lies between, exact in the tails too."""
    flip = low > 0
    low, high = np.where(flip, -high, low), np.where(flip, -low, high)
    upper = log_ndtr(high)
    with np.errstate(divide="ignore"):
        mass: np.ndarray = upper + np.log1p(-np.exp(np.minimum(log_ndtr(low) - upper, 0.0)))
    return np.asarray(np.maximum(mass, -1e6))


def _cut_normal(
    low: np.ndarray, high: np.ndarray, mean: np.ndarray, spread: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw from normal distributions cut to intervals.

    Returns
    -------
    noise : numpy.ndarray
        The draws less their mean, divided by the spread.
    chance : numpy.ndarray
        Log probability of each interval.
    """
    low, high = (low - mean) / spread, (high - mean) / spread
    chance = _log_mass(low, high)
    flip = low > 0
    left, right = np.where(flip, -high, low), np.where(flip, -low, high)
    position = np.clip(rng.random(mean.shape), 1e-12, 1 - 1e-12)
    logs = np.logaddexp(log_ndtr(left) + np.log1p(-position), log_ndtr(right) + np.log(position))
    noise = np.clip(ndtri_exp(logs), left, right)
    return np.where(flip, -noise, noise), chance


def _choose_each(logs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Choose one particle of each row in proportion to its weight."""
    running = np.cumsum(np.exp(logs - logs.max(axis=1, keepdims=True)), axis=1)
    points = rng.random((len(logs), 1)) * running[:, -1:]
    return np.asarray(np.minimum((running < points).sum(axis=1), logs.shape[1] - 1))


def _shut(layout: Layout, codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Set the values of heads behind closed gates to 0, in place."""
    for k, head in enumerate(layout.heads):
        if head.gate is not None:
            values[codes[:, head.gate] != REST, k] = 0.0
    return values
