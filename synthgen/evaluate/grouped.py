"""Distances of one column between two tables, in every group of rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Mean Kolmogorov distance of two samples, in units of sqrt(1/n + 1/m): sqrt(pi / 2) * log(2).
MEAN_KS: Final = 0.8687311606361592

#: At most this many cells of group x level are counted at once (8 bytes each).
_CELLS: Final = 4_000_000

_Codes = NDArray[np.int64]
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Merged:
    """The values of one continuous column in two tables, sorted together.

    Parameters
    ----------
    order : numpy.ndarray of shape (rows of both tables,)
        Positions in the concatenation of both tables, by value, missing ones first.
    ends : numpy.ndarray of int of shape (rows of both tables,)
        Number of the distinct value at each place of the order.
    """

    order: NDArray[np.intp]
    ends: _Codes


def merge(first: _Floats, second: _Floats) -> Merged:
    """Sort two samples together; missing values are one value below all others."""
    values = np.concatenate([first, second])
    values[np.isnan(values)] = -np.inf
    order = np.argsort(values, kind="stable")
    placed = values[order]
    return Merged(order, np.cumsum(np.append(False, placed[1:] != placed[:-1])))


def ks_within(merged: Merged, groups: Sequence[_Codes], sizes: Sequence[_Floats]) -> _Floats:
    """Return the Kolmogorov-Smirnov distance in every group.

    Rows are sorted by group and value at once; a running sum of +1/n (first table) and -1/m
    (second) is the difference of both distribution functions, which counts where a value ends.

    Parameters
    ----------
    merged : Merged
        The column in both tables.
    groups : two numpy.ndarray of int
        Group of each row, -1 for none; every group has rows of the first table.
    sizes : two numpy.ndarray of shape (groups,)
        Rows of each group in each table, at least 1.

    Returns
    -------
    numpy.ndarray of shape (groups,)
    """
    n_groups, n_first = len(sizes[0]), len(groups[0])
    group = np.concatenate(groups)[merged.order]
    kept = np.flatnonzero(group >= 0)
    # A stable sort of small integers is linear.
    narrow = np.int16 if n_groups < np.iinfo(np.int16).max else np.int64
    place = kept[np.argsort(group[kept].astype(narrow), kind="stable")]
    group, value = group[place], merged.ends[place]
    weight = np.where(merged.order[place] < n_first, 1 / sizes[0][group], -1 / sizes[1][group])
    running = np.cumsum(weight)
    last = np.append((value[1:] != value[:-1]) | (group[1:] != group[:-1]), True)
    # At the end of a group the sum has come back to zero, so that the next one starts afresh.
    starts = np.searchsorted(group[last], np.arange(n_groups))
    distance = np.maximum.reduceat(np.abs(running[last]), starts)
    return _clean(distance)


def tv_within(
    codes: Sequence[_Codes],
    n_levels: int,
    groups: Sequence[_Codes],
    sizes: Sequence[_Floats],
    chance: _Floats,
) -> tuple[_Floats, _Floats]:
    """Return the total variation distance in every group, and its mean by chance.

    The difference of two shares p of samples of n and m rows is about normal with variance
    p (1 - p) (1/n + 1/m), and its mean size at most 2 p.

    Parameters
    ----------
    codes : two numpy.ndarray of int
        Level of each row, below `n_levels`.
    n_levels : int
    groups, sizes
        As for :func:`ks_within`.
    chance : numpy.ndarray of shape (groups,)
        1/n + 1/m of each group.
    """
    n_groups, step = len(sizes[0]), max(1, _CELLS // max(1, n_levels))
    distance, expected = np.zeros(n_groups), np.zeros(n_groups)
    for start in range(0, n_groups, step):
        block = slice(start, min(start + step, n_groups))
        real, other = (
            _shares(*pair, n_levels, block) for pair in zip(codes, groups, sizes, strict=True)
        )
        distance[block] = np.abs(real - other).sum(axis=1) / 2
        spread = np.sqrt(2 / np.pi * np.clip(real * (1 - real), 0, 1) * chance[block, None])
        expected[block] = np.minimum(spread, 2 * real).sum(axis=1) / 2
    return _clean(distance), np.minimum(expected, 1.0)


def _shares(
    codes: _Codes, groups: _Codes, sizes: _Floats, n_levels: int, block: slice
) -> NDArray[np.float64]:
    """Return the shares of all levels in the groups of a block, shape (groups, levels)."""
    kept = (groups >= block.start) & (groups < block.stop)
    cells = (groups[kept] - block.start) * n_levels + codes[kept]
    n_groups = block.stop - block.start
    counts = np.bincount(cells, minlength=n_groups * n_levels).reshape(n_groups, n_levels)
    return np.asarray(counts / sizes[block, None])


def _clean(distance: _Floats) -> _Floats:
    """Remove the rounding errors of sums of shares, so that equal tables have distance 0."""
    return np.asarray(np.clip(np.round(distance, 12), 0.0, 1.0))
