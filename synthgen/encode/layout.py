"""The contract between encoders and networks: which numbers mean what.

An encoded row consists of one integer per *state block* (a category, a spike, "missing", ...) and
one real number per *head* (a normal score, see :mod:`synthgen.encode.numeric`). A network describes
a row by a probability for each state and a mean and a spread for each head. The bins of a head are
extra cells with a probability each, so that every column has a discrete view as well::

    cells   | block 0 | block 1 | ... | bins of head 0 | bins of head 1 | ... |
            0                 n_states                                   n_cells
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

#: Code of the state "the value is in the head" of a block that gates a head.
REST: Final = 0

#: Finite stand-in for the outermost bin edges, far outside any normal score.
FAR: Final = 1e3


@dataclass(frozen=True)
class StateBlock:
    """One categorical choice.

    Parameters
    ----------
    column : int
        Number of the encoded column that it belongs to.
    frequencies : numpy.ndarray of shape (states,)
        Shares of the states in the training rows; they sum to 1.
    features : numpy.ndarray of shape (states, k)
        What the states mean as numbers (rank and value), one column per critic input; k may be 0.
    """

    column: int
    frequencies: np.ndarray
    features: np.ndarray

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.frequencies)


@dataclass(frozen=True)
class Head:
    """One continuous choice, a normal distribution in the space of normal scores.

    Parameters
    ----------
    column : int
        Number of the encoded column that it belongs to.
    edges : numpy.ndarray of shape (bins + 1,)
        Bin edges as normal scores, the outer ones at -FAR and FAR.
    atoms : numpy.ndarray of bool, shape (bins,)
        Bins that hold a single value.
    curve : numpy.ndarray of shape (bins + 1,)
        The value (squashed and standardised) at each edge, for the critic.
    gate : int or None
        State block whose state ``REST`` says that this head applies; None if it always does.
    """

    column: int
    edges: np.ndarray
    atoms: np.ndarray
    curve: np.ndarray
    gate: int | None = None

    @property
    def bins(self) -> int:
        """Number of bins."""
        return len(self.edges) - 1


@dataclass(frozen=True)
class EncodedTable:
    """Rows as numbers.

    Parameters
    ----------
    codes : numpy.ndarray of int32, shape (n, state blocks)
        The state of each block.
    values : numpy.ndarray of float32, shape (n, heads)
        Normal scores; 0 where the head's gate is not at ``REST``.
    """

    codes: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: np.ndarray | slice) -> EncodedTable:
        """Return the given rows."""
        return EncodedTable(self.codes[rows], self.values[rows])

    @staticmethod
    def collect(n: int, parts: Iterable[EncodedTable]) -> EncodedTable:
        """Stack parts that together have `n` rows, without keeping any of them.

        Small results that outlive the large buffers of each part would fragment the memory.
        """
        codes = values = None
        start = 0
        for part in parts:
            if codes is None or values is None:
                codes = np.empty((n, part.codes.shape[1]), dtype=part.codes.dtype)
                values = np.empty((n, part.values.shape[1]), dtype=part.values.dtype)
            codes[start : start + len(part)] = part.codes
            values[start : start + len(part)] = part.values
            start += len(part)
        if codes is None or values is None or start != n:
            raise ValueError(f"the parts have {start} rows, not {n}")
        return EncodedTable(codes, values)

    @staticmethod
    def concatenate(parts: list[EncodedTable]) -> EncodedTable:
        """Stack tables of the same layout."""
        return EncodedTable(
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.values for part in parts]),
        )


@dataclass(frozen=True)
class Layout:
    """All blocks and heads of a table, in order.

    Parameters
    ----------
    blocks : tuple of StateBlock
    heads : tuple of Head
    """

    blocks: tuple[StateBlock, ...]
    heads: tuple[Head, ...] = field(default=())

    @cached_property
    def block_starts(self) -> np.ndarray:
        """First cell of each block, the number of states as last entry, shape (blocks + 1,)."""
        return np.cumsum([0, *(block.size for block in self.blocks)])

    @cached_property
    def head_starts(self) -> np.ndarray:
        """First cell of each head's bins, with the number of cells as last entry."""
        return self.n_states + np.cumsum([0, *(head.bins for head in self.heads)])

    @property
    def n_states(self) -> int:
        """Number of states of all blocks together."""
        return int(self.block_starts[-1])

    @property
    def n_cells(self) -> int:
        """Number of states and bins together."""
        return int(self.head_starts[-1])

    @cached_property
    def cell_columns(self) -> np.ndarray:
        """Encoded column of each cell, shape (cells,)."""
        columns = [block.column for block in self.blocks] + [head.column for head in self.heads]
        sizes = [block.size for block in self.blocks] + [head.bins for head in self.heads]
        return np.repeat(np.asarray(columns, dtype=np.int64), sizes)

    def bin_codes(self, table: EncodedTable) -> np.ndarray:
        """Return the bin of each head for each row, -1 where the gate is closed.

        Returns
        -------
        numpy.ndarray of int64, shape (n, heads)
        """
        codes = np.empty((len(table), len(self.heads)), dtype=np.int64)
        for number, head in enumerate(self.heads):
            codes[:, number] = np.searchsorted(head.edges[1:-1], table.values[:, number], "right")
            if head.gate is not None:
                codes[table.codes[:, head.gate] != REST, number] = -1
        return codes

    def cells(self, table: EncodedTable) -> np.ndarray:
        """Return the cells that each row occupies, -1 where a head does not apply.

        Returns
        -------
        numpy.ndarray of int64, shape (n, blocks + heads)
        """
        states = table.codes + self.block_starts[:-1]
        bins = self.bin_codes(table)
        bins = np.where(bins < 0, -1, bins + self.head_starts[:-1])
        return np.concatenate([states.astype(np.int64), bins], axis=1)

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the layout as JSON facts and arrays, for saving."""
        arrays: dict[str, np.ndarray] = {}
        for i, block in enumerate(self.blocks):
            arrays[f"block.{i}.frequencies"] = block.frequencies
            arrays[f"block.{i}.features"] = block.features
        for i, head in enumerate(self.heads):
            arrays[f"head.{i}.edges"] = head.edges
            arrays[f"head.{i}.atoms"] = head.atoms
            arrays[f"head.{i}.curve"] = head.curve
        facts = {
            "blocks": [block.column for block in self.blocks],
            "heads": [[head.column, head.gate] for head in self.heads],
        }
        return facts, arrays

    @classmethod
    def from_arrays(cls, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> Layout:
        """Reverse :meth:`to_arrays`."""
        blocks = tuple(
            StateBlock(column, arrays[f"block.{i}.frequencies"], arrays[f"block.{i}.features"])
            for i, column in enumerate(facts["blocks"])
        )
        heads = tuple(
            Head(
                column,
                arrays[f"head.{i}.edges"],
                arrays[f"head.{i}.atoms"],
                arrays[f"head.{i}.curve"],
                gate,
            )
            for i, (column, gate) in enumerate(facts["heads"])
        )
        return cls(blocks, heads)
