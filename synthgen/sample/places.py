"""Generated rows while they are corrected, and the places in them that hold a score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from synthgen.encode.layout import REST, EncodedTable, Layout
from synthgen.train.detection import features, gates_of

#: Ranks stay this far from 0 and 1, so that their normal scores are finite.
_EDGE: Final = 1e-6


@dataclass
class OpenRows:
    """Generated rows while they are corrected: the numbers, and what trees see of them.

    Parameters
    ----------
    layout : Layout
    table : EncodedTable
        Copied; its arrays change from step to step.
    fixed_blocks, fixed_heads : numpy.ndarray of bool, optional
        Cells that must stay as they are, of shape (n, blocks) and (n, heads); none by default.
    """

    layout: Layout
    table: EncodedTable
    fixed_blocks: np.ndarray | None = None
    fixed_heads: np.ndarray | None = None
    matrix: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.table = EncodedTable(self.table.codes.copy(), self.table.values.copy())
        self.matrix = features(self.table, gates_of(self.layout))

    def free(self, rows: np.ndarray, *, block: int = -1, head: int = -1) -> np.ndarray:
        """Return those of the rows whose cell of this block or head may change."""
        fixed, place = (self.fixed_heads, head) if block < 0 else (self.fixed_blocks, block)
        return rows if fixed is None else rows[~fixed[rows, place]]

    def put_states(self, block: int, rows: np.ndarray, states: np.ndarray) -> None:
        """Give rows other states of one block."""
        self.table.codes[rows, block] = states
        self.matrix[rows, block] = states

    def put_scores(self, head: int, rows: np.ndarray, scores: np.ndarray) -> None:
        """Give rows other scores of one head."""
        self.table.values[rows, head] = scores
        self.matrix[rows, self.table.codes.shape[1] + head] = scores


@dataclass(frozen=True)
class HeadPlace:
    """A head as a score.

    Parameters
    ----------
    head : int
    gate : int
        Block that gates it, -1 for none.
    """

    head: int
    gate: int = -1

    def feature(self, n_blocks: int) -> int:
        """Return the feature that the trees must not see."""
        return n_blocks + self.head

    def rows(self, opened: OpenRows) -> np.ndarray:
        """Return the rows that have a score which may change."""
        table = opened.table
        rows = np.arange(len(table))
        if self.gate >= 0:
            rows = rows[table.codes[:, self.gate] == REST]
        return opened.free(rows, head=self.head)

    def scores(self, table: EncodedTable, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the scores of these rows."""
        return np.asarray(table.values[rows, self.head], dtype=np.float64)

    def put(self, opened: OpenRows, rows: np.ndarray, scores: np.ndarray) -> None:
        """Write scores back."""
        opened.put_scores(self.head, rows, scores)


@dataclass(frozen=True)
class BlockPlace:
    """A block of ordered states as a score: a place at random within a state's share of ranks.

    Parameters
    ----------
    block : int
    tops : numpy.ndarray of shape (ordered states,)
        Rank at the upper end of each state; a state after them ("missing") has no score.
    """

    block: int
    tops: np.ndarray

    def feature(self, n_blocks: int) -> int:
        """Return the feature that the trees must not see."""
        return self.block

    def rows(self, opened: OpenRows) -> np.ndarray:
        """Return the rows that have a score which may change."""
        scored = np.flatnonzero(opened.table.codes[:, self.block] < len(self.tops))
        return opened.free(scored, block=self.block)

    def scores(self, table: EncodedTable, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the normal score of a random rank within each row's state."""
        states = table.codes[rows, self.block]
        bottoms = np.concatenate([[0.0], self.tops[:-1]])[states]
        ranks = bottoms + rng.random(len(rows)) * (self.tops[states] - bottoms)
        return np.asarray(ndtri(np.clip(ranks, _EDGE, 1.0 - _EDGE)))

    def put(self, opened: OpenRows, rows: np.ndarray, scores: np.ndarray) -> None:
        """Write back the states that the ranks of these scores belong to."""
        states = np.searchsorted(self.tops[:-1], ndtr(scores), "right")
        opened.put_states(self.block, rows, states.astype(opened.table.codes.dtype))
