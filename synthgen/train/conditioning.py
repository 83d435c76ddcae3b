"""Condition vectors for recipes that train with them.

``label`` shows generator and critic the state of one column. ``sampling`` shows the state of a
randomly chosen column, states being drawn by the logarithm of their frequency so that rare ones are
seen more often (Xu et al., arXiv:1907.00503). When rows are generated, states are drawn by their
true frequency.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from synthgen.encode.layout import EncodedTable, Layout


@dataclass(frozen=True)
class Draw:
    """Condition vectors of a batch.

    Parameters
    ----------
    vector : Tensor of shape (batch, states of eligible blocks)
    states : Tensor of int64, shape (batch,)
        The states asked for, counted over all blocks of the layout.
    """

    vector: Tensor
    states: Tensor


class Conditioning:
    """Draws condition vectors and rows that match them.

    Parameters
    ----------
    layout : Layout
    blocks : list of int
        Blocks that may be conditioned on.
    table : EncodedTable, optional
        The training rows; needed to draw matching rows, not to generate.
    """

    def __init__(
        self, layout: Layout, blocks: list[int], table: EncodedTable | None = None
    ) -> None:
        self.blocks = blocks
        self._frequencies = [layout.blocks[block].frequencies for block in blocks]
        sizes = [len(shares) for shares in self._frequencies]
        self._starts = np.cumsum([0, *sizes])
        self._cell_starts = layout.block_starts[blocks]
        self.width = int(self._starts[-1])
        self._rows: list[list[np.ndarray]] = []
        if table is not None:
            for block, size in zip(blocks, sizes, strict=True):
                order = np.argsort(table.codes[:, block], kind="stable")
                stops = np.searchsorted(table.codes[order, block], np.arange(size + 1))
                self._rows.append([order[a:b] for a, b in pairwise(stops)])

    def draw(self, n: int, rng: np.random.Generator, *, balanced: bool) -> tuple[Draw, np.ndarray]:
        """Draw `n` conditions.

        Parameters
        ----------
        n : int
        rng : numpy.random.Generator
        balanced : bool
            Draw states by log-frequency, and a matching row for each; otherwise by frequency.

        Returns
        -------
        Draw
        rows : numpy.ndarray of int64, shape (n,)
            A training row in the state asked for; zeros if not `balanced`.
        """
        which = rng.integers(len(self.blocks), size=n)
        states = np.empty(n, dtype=np.int64)
        rows = np.zeros(n, dtype=np.int64)
        for k, shares in enumerate(self._frequencies):
            mine = np.flatnonzero(which == k)
            weights = shares
            if balanced:
                # A rare state can have all its rows in the validation split.
                drawable = np.array([len(rows_of) > 0 for rows_of in self._rows[k]])
                weights = np.log1p(shares * 1e6) * drawable
            states[mine] = rng.choice(len(shares), size=len(mine), p=weights / weights.sum())
            if balanced:
                pools = self._rows[k]
                rows[mine] = [pools[s][rng.integers(len(pools[s]))] for s in states[mine]]
        places = torch.as_tensor(self._starts[which] + states)
        vector = torch.zeros(n, self.width).scatter_(1, places[:, None], 1.0)
        return Draw(vector, torch.as_tensor(self._cell_starts[which] + states)), rows
