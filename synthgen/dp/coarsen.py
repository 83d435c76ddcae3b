"""Joining cells of a noisy histogram until each holds more than noise; it costs nothing.

Resolution that the noise of pair tables cannot support only adds noise. Everything here looks at
noisy counts and at public numbers, so it is post-processing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

#: An ordered column has at least this many bins.
_FEWEST: Final = 3
#: A bin holds at least this many standard deviations of a pair cell's noise.
_BIN: Final = 4.0
#: Bins by the root of rows over noise: more tell what noise hides, fewer blur what it does not.
_RESOLUTION: Final = 0.85


@dataclass(frozen=True)
class PublicColumn:
    """The public cells of one column.

    Parameters
    ----------
    size : int
        Number of cells, the one for missing values included.
    ordered : bool
        Whether neighbouring cells may be joined; otherwise rare ones are.
    missing : bool
        Whether the last cell stands for a missing value.
    """

    size: int
    ordered: bool
    missing: bool = False


@dataclass(frozen=True)
class Coarse:
    """How the fine cells of one column are joined for pair tables.

    Parameters
    ----------
    groups : numpy.ndarray of int64, shape (fine cells,)
        The coarse cell of each fine one.
    within : numpy.ndarray of float64, shape (fine cells,)
        Probability of a fine cell, given its coarse one.
    """

    groups: Codes
    within: Floats

    @property
    def size(self) -> int:
        """Number of coarse cells."""
        return int(self.groups.max()) + 1

    def encode(self, codes: Codes) -> Codes:
        """Return the coarse cells of fine ones; -1 stays."""
        return np.where(codes < 0, -1, self.groups[codes])

    def decode(self, cells: Codes, rng: np.random.Generator) -> Codes:
        """Draw a fine cell for each coarse one, by its probability."""
        order = np.argsort(self.groups, kind="stable")
        # Cumulated over all cells in group order, group g spans (g, g + 1].
        cumulated = np.cumsum(self.within[order])
        drawn = np.searchsorted(cumulated, cells + rng.random(len(cells)), side="right")
        ends = np.searchsorted(self.groups[order], cells, side="right") - 1
        starts = np.searchsorted(self.groups[order], cells, side="left")
        return np.asarray(order[np.clip(drawn, starts, ends)])


def pair_bins(n_rows: float, sigma: float, most: int) -> int:
    """Return into how many bins an ordered column is cut, between 3 and `most`.

    In proportion to sqrt(n / sigma): a cell of two such columns then holds as many times its noise
    whatever the budget.
    """
    bins = _RESOLUTION * math.sqrt(max(n_rows, 1.0) / sigma)
    return int(np.clip(bins, min(_FEWEST, most), most))


def coarsen(
    column: PublicColumn, counts: Floats, *, n_rows: float, sigma: float, rare: float, bins: int
) -> Coarse:
    """Join the cells of one column.

    Parameters
    ----------
    column : PublicColumn
    counts : numpy.ndarray of float64
        Noisy counts, not negative, that sum to about `n_rows`.
    n_rows : float
    sigma : float
        Noise of a cell of the pair tables, in rows.
    rare : float
        Categories of fewer rows share one cell.
    bins : int
        Resolution of ordered columns: a cell that holds a bin's worth stays alone, the others are
        joined in order.
    """
    values = column.size - column.missing
    if column.ordered:
        groups = _runs(counts[:values], max(n_rows, 1.0) / bins, bins, _BIN * sigma)
    else:
        groups = _without_rare(counts[:values], rare)
    if column.missing:
        # Too few gaps for a cell of their own are drawn back from the cell of the last values.
        alone = counts[-1] >= rare or values == 0
        last = int(groups.max(initial=-1))
        groups = np.append(groups, last + 1 if alone else last)
    return Coarse(groups, _shares_within(groups, counts))


def _runs(counts: Floats, atom: float, bins: int, least: float) -> Codes:
    """Keep heavy cells alone and cut the others in order into runs of equal mass."""
    heavy = counts >= atom
    rest = np.where(heavy, 0.0, counts)
    target = max(float(rest.sum()) / bins, least)
    runs = np.floor((np.cumsum(rest) - rest / 2) / target).astype(np.int64)
    runs = np.minimum(runs, max(round(float(rest.sum()) / target), 1) - 1)
    # Heavy cells get numbers of their own, in order between the runs.
    keys = np.where(heavy, np.arange(len(counts)) + 0.5, -1.0)
    labels = np.where(heavy, keys, -1.0 - runs)
    _, first, groups = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[groups].astype(np.int64))


def _without_rare(counts: Floats, rare: float) -> Codes:
    """Keep frequent cells alone; all others share the last one."""
    alone = counts >= rare
    if not alone.any():
        # Not even the largest cell is above the noise: it is kept, so that there are two.
        alone[np.argmax(counts)] = True
    groups = np.cumsum(alone) - 1
    return np.asarray(np.where(alone, groups, alone.sum()).astype(np.int64))


def _shares_within(groups: Codes, counts: Floats) -> Floats:
    sums = np.bincount(groups, weights=counts)
    sizes = np.bincount(groups)
    even = 1.0 / sizes[groups]
    return np.where(sums[groups] > 0, counts / np.where(sums > 0, sums, 1.0)[groups], even)
