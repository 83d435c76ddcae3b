"""What every column encoder offers, and the choices that they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from synthgen.encode.layout import Head, StateBlock
from synthgen.encode.wanted import Wanted


@dataclass(frozen=True)
class Resolution:
    """How finely columns are cut, chosen from the size of the table.

    Parameters
    ----------
    bins : int
        Quantile bins of a continuous column.
    few : int
        A numeric column with at most this many distinct values gets a state for each.
    spike : float
        A single value with more than this share of a continuous column becomes a state.
    atom : float
        A single value with more than this share becomes a bin of its own.
    levels : int
        Most states of a categorical column; rarer levels share one state.
    knots : int
        Most points that the quantile function of a continuous column is stored at.
    """

    bins: int = 32
    few: int = 128
    spike: float = 0.05
    atom: float = 0.02
    levels: int = 512
    knots: int = 10_000

    @classmethod
    def for_table(cls, n_rows: int, n_columns: int) -> Resolution:
        """Choose the resolution for a table of `n_rows` rows and `n_columns` columns.

        Few rows cannot support fine cells. Many columns share a budget of cells, since the cost of
        matching all pairs of cells grows with their square.
        """
        budget = max(4_000 // max(n_columns, 1), 8)
        if n_rows < 2_000:
            bins, few, atom = 16, 32, 0.05
        elif n_rows < 200_000:
            bins, few, atom = 32, 128, 0.02
        else:
            bins, few, atom = 48, 192, 0.01
        return cls(
            bins=max(min(bins, budget), 8),
            few=max(min(few, budget), 8),
            atom=atom,
            levels=max(min(512, 4 * budget), 32),
        )


@dataclass(frozen=True)
class CellCondition:
    """What a condition on one column asks of its blocks and heads.

    Parameters
    ----------
    states : tuple of numpy.ndarray or None
        For each block of the column the weight in [0, 1] of each state; None leaves it free.
    intervals : tuple of (float, float) or None
        For each head of the column the allowed normal scores; None leaves it free.
    """

    states: tuple[np.ndarray | None, ...]
    intervals: tuple[tuple[float, float] | None, ...]


class ColumnEncoder(Protocol):
    """Encodes one column (or a group of columns that are always drawn together).

    The gates of ``heads`` count within ``blocks``, and their column numbers are 0; the table
    encoder shifts both.
    """

    @property
    def names(self) -> tuple[Any, ...]:
        """Labels of the columns that it encodes."""

    @property
    def blocks(self) -> tuple[StateBlock, ...]:
        """The state blocks of the column."""

    @property
    def heads(self) -> tuple[Head, ...]:
        """The heads of the column."""

    def missing_states(self) -> list[tuple[int, int]]:
        """Return block and state (counted within the block) of each state that means missing."""

    def transform(
        self, frame: pd.DataFrame, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return codes of shape (n, blocks) and normal scores of shape (n, heads).

        Unknown values have the code -1. `rng` spreads equal values over the ranks they share.
        """

    def inverse(
        self,
        codes: np.ndarray,
        scores: np.ndarray,
        rows: np.ndarray,
        rng: np.random.Generator,
        wanted: Mapping[Any, Wanted],
    ) -> dict[Any, Any]:
        """Return the decoded columns by name.

        `rows` are the global numbers of the rows, `wanted` the conditions they were drawn under.
        """

    def condition(self, name: Any, wanted: Wanted) -> CellCondition:
        """Translate a condition on the column `name`."""

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays from which ``from_state`` rebuilds the encoder."""
