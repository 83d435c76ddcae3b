"""Correction: move what a generator says of one column, given the others, to what real rows say.

Each step takes one column j and applies to every generated row a random map of x_j that turns
p_generated(x_j | the other columns) into an estimate of p_real(x_j | the other columns), changing
as little as it can:

- a score (a head, or a block of many ordered states) is shifted by the difference of the two
  conditional means, its spread about the mean brought to that of real rows, and its marginal
  distribution restored by a monotone map;
- a state is kept with probability min(1, p_real / p_generated) and otherwise drawn from what real
  rows have in excess: the maximal coupling (Thorisson, "Coupling, Stationarity, and Regeneration",
  Springer 2000, section 1.4).

With the exact conditionals such a step is one of a Gibbs sampler of the real distribution, which
never moves rows away from it in the Kullback-Leibler sense (Cover and Thomas, "Elements of
Information Theory", 2nd ed., section 4.4). How steps are learned is in
:mod:`synthgen.sample.fit_corrections`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lightgbm as lgb
import numpy as np

from synthgen.encode.calibrate import monotone_map
from synthgen.encode.layout import EncodedTable, Layout
from synthgen.sample.places import BlockPlace, HeadPlace, OpenRows
from synthgen.sample.trees import raw_scores, read_trees


@dataclass(frozen=True)
class ScoreCorrection:
    """Shift a score by what the other columns say, and restore its marginal distribution.

    Parameters
    ----------
    place : HeadPlace or BlockPlace
    change : str
        Boosted trees in LightGBM's text format: the conditional mean of real rows less that of
        generated rows.
    spread : float
        Spread of real rows about their conditional mean over that of generated rows.
    generated : str or None
        Boosted trees: the conditional mean of generated rows. None where `spread` is 1.
    shifted, real : numpy.ndarray of shape (points,)
        Quantiles of shifted and of real scores at the same ranks.
    """

    place: HeadPlace | BlockPlace
    change: str
    spread: float
    generated: str | None
    shifted: np.ndarray
    real: np.ndarray

    @cached_property
    def _change(self) -> lgb.Booster:
        return read_trees(self.change)

    @cached_property
    def _generated(self) -> lgb.Booster | None:
        return None if self.generated is None else read_trees(self.generated)

    def apply(self, opened: OpenRows, rng: np.random.Generator) -> None:
        """Correct all rows that have a score which may change."""
        rows = self.place.rows(opened)
        if not len(rows):
            return
        seen = opened.matrix[rows]
        scores = self.place.scores(opened.table, rows, rng)
        if self._generated is not None:
            mean = raw_scores(self._generated, seen)
            scores = mean + self.spread * (scores - mean)
        scores += raw_scores(self._change, seen)
        self.place.put(opened, rows, monotone_map(scores, self.shifted, self.real))


@dataclass(frozen=True)
class StateCorrection:
    """Redraw as few states as it takes to have real rows' conditional probabilities.

    Parameters
    ----------
    block : int
    states : int
        Number of states.
    generated : str
        Boosted trees: log odds of the states among generated rows, given the other columns.
    change : str
        Boosted trees: what real rows add to these log odds.
    """

    block: int
    states: int
    generated: str
    change: str

    @cached_property
    def _trees(self) -> tuple[lgb.Booster, lgb.Booster]:
        return read_trees(self.generated), read_trees(self.change)

    def apply(self, opened: OpenRows, rng: np.random.Generator) -> None:
        """Keep or redraw the state of every row where it may change."""
        rows = opened.free(np.arange(len(opened.table)), block=self.block)
        if not len(rows):
            return
        generated, change = self._trees
        seen = opened.matrix[rows]
        added = raw_scores(change, seen)
        old = opened.table.codes[rows, self.block]

        def before(some: np.ndarray) -> np.ndarray:
            return raw_scores(generated, seen[some])

        states = coupled(old, before, added, rng)
        opened.put_states(self.block, rows, states.astype(old.dtype))


Correction = ScoreCorrection | StateCorrection


@dataclass(frozen=True)
class Corrections:
    """One sweep over the columns that need it.

    Parameters
    ----------
    layout : Layout
    steps : tuple of ScoreCorrection or StateCorrection
        In the order in which they were learned and are applied.
    """

    layout: Layout
    steps: tuple[Correction, ...]

    def apply(
        self,
        table: EncodedTable,
        rng: np.random.Generator,
        fixed_blocks: np.ndarray | None = None,
        fixed_heads: np.ndarray | None = None,
    ) -> EncodedTable:
        """Return corrected rows.

        Parameters
        ----------
        table : EncodedTable
        rng : numpy.random.Generator
        fixed_blocks, fixed_heads : numpy.ndarray of bool, optional
            Cells that stay as they are; their shapes, or those of one row, are (n, blocks) and
            (n, heads).
        """
        fixed = [
            None if mask is None else np.broadcast_to(mask, cells.shape)
            for mask, cells in ((fixed_blocks, table.codes), (fixed_heads, table.values))
        ]
        opened = OpenRows(self.layout, table, *fixed)
        for step in self.steps:
            step.apply(opened, rng)
        return opened.table

    def to_state(self) -> tuple[list[dict[str, Any]], dict[str, np.ndarray], dict[str, str]]:
        """Return facts, arrays and texts, for saving."""
        facts: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        texts: dict[str, str] = {}
        for number, step in enumerate(self.steps):
            if isinstance(step, StateCorrection):
                facts.append({"block": step.block, "states": step.states})
                texts[f"correction.{number}.generated.txt"] = step.generated
                texts[f"correction.{number}.change.txt"] = step.change
                continue
            place = step.place
            if isinstance(place, HeadPlace):
                facts.append({"head": place.head, "gate": place.gate, "spread": step.spread})
            else:
                facts.append({"ordered": place.block, "spread": step.spread})
                arrays[f"correction.{number}.tops"] = place.tops
            texts[f"correction.{number}.change.txt"] = step.change
            if step.generated is not None:
                texts[f"correction.{number}.generated.txt"] = step.generated
            arrays[f"correction.{number}.shifted"] = step.shifted
            arrays[f"correction.{number}.real"] = step.real
        return facts, arrays, texts

    @classmethod
    def from_state(
        cls,
        layout: Layout,
        facts: list[dict[str, Any]],
        arrays: dict[str, np.ndarray],
        texts: dict[str, str],
    ) -> Corrections:
        """Reverse :meth:`to_state`."""
        steps: list[Correction] = []
        for number, fact in enumerate(facts):
            change = texts[f"correction.{number}.change.txt"]
            generated = texts.get(f"correction.{number}.generated.txt")
            if "block" in fact:
                if generated is None:
                    raise ValueError(f"correction {number} lacks its trees of generated rows")
                steps.append(StateCorrection(fact["block"], fact["states"], generated, change))
                continue
            curves = (arrays[f"correction.{number}.shifted"], arrays[f"correction.{number}.real"])
            if "head" in fact:
                place: HeadPlace | BlockPlace = HeadPlace(fact["head"], fact["gate"])
            else:
                place = BlockPlace(fact["ordered"], arrays[f"correction.{number}.tops"])
            steps.append(ScoreCorrection(place, change, fact["spread"], generated, *curves))
        return cls(layout, tuple(steps))


def by_state(log_odds: np.ndarray) -> np.ndarray:
    """Turn log odds of the second of two states, (n,), or of all states, into (n, states)."""
    if log_odds.ndim == 1:
        return np.stack([np.zeros_like(log_odds), log_odds], axis=1)
    return log_odds


def probabilities(log_odds: np.ndarray) -> np.ndarray:
    """Turn log odds of the second of two states, (n,), or of all states, into (n, states)."""
    log_odds = by_state(log_odds)
    shares = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def surely_kept(states: np.ndarray, added: np.ndarray) -> np.ndarray:
    """Return the least probability (n,) with which each state is kept, whatever the old log odds.

    A state is kept with probability e^a / sum_k p_k e^(a_k), where p are old probabilities and a
    is added to the log odds; the sum is at most the largest e^(a_k).
    """
    added = by_state(added)
    return np.asarray(np.exp(added[np.arange(len(states)), states] - added.max(axis=1)))


def coupled(
    states: np.ndarray,
    before: Callable[[np.ndarray], np.ndarray],
    added: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Redraw states so that their log odds are what they were and what is added, most the same.

    Parameters
    ----------
    states : numpy.ndarray of int, shape (n,)
        Drawn from the old log odds.
    before : callable
        Gives the old log odds of rows, whose numbers it takes, as in :func:`probabilities`. It is
        asked for few: most rows keep their state whatever they are.
    added : numpy.ndarray of shape (n,) or (n, states)
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of int, shape (n,)
    """
    chances = rng.random(len(states))
    open_rows = np.flatnonzero(chances > surely_kept(states, added))
    redrawn = np.array(states)
    if not len(open_rows):
        return redrawn
    log_odds = before(open_rows)
    old, new = probabilities(log_odds), probabilities(log_odds + added[open_rows])
    own = np.arange(len(open_rows)), states[open_rows]
    moved = chances[open_rows] * old[own] > new[own]
    excess = np.maximum(new[moved] - old[moved], 0.0).cumsum(axis=1)
    points = rng.random(len(excess)) * excess[:, -1]
    drawn = (excess <= points[:, None]).sum(axis=1)
    redrawn[open_rows[moved]] = np.minimum(drawn, old.shape[1] - 1)
    return redrawn
