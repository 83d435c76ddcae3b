"""Moments of real rows: how often two cells of a table occur together."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

from synthgen.encode.layout import EncodedTable, Layout

#: Above this many cells, rarely used or neighbouring ones are matched together.
MOST_CELLS: Final = 1_500
#: Moments of a larger table are estimated from this many rows.
MOST_ROWS: Final = 500_000
_CHUNK: Final = 8_192
#: Pairs counted at once, and cells a column from which on counting is faster than multiplying.
_PAIRS: Final = 1 << 20
_CHEAP: Final = 16


def moment_targets(
    layout: Layout, table: EncodedTable, *, low_precision: bool, device: torch.device
) -> dict[str, Tensor]:
    """Return what :class:`~synthgen.train.terms.MomentMatching` compares with.

    Parameters
    ----------
    layout : Layout
    table : EncodedTable
        The training rows, in random order if there are more than ``MOST_ROWS``.
    low_precision : bool
        Whether products run in bfloat16.
    device : torch.device

    Returns
    -------
    dict of str to Tensor
        ``singles`` (k,) and ``pairs`` (k, k): shares of rows in a cell and in two cells;
        ``single_weights`` and ``pair_weights``: their weights in the loss, zero for two cells of
        one column; ``fold`` (cells, k), only if cells are matched together; ``product_type``: an
        empty tensor whose type products run in.
    """
    table = table.take(slice(0, MOST_ROWS))
    place = fold_cells(layout, MOST_CELLS)
    width = int(place.max()) + 1
    cells = layout.cells(table)
    cells = np.where(cells < 0, width, place[cells])
    counted = device.type == "cpu" and _CHEAP * cells.shape[1] < width
    pairs = _counted(cells, width) if counted else _multiplied(cells, width, device)
    pairs /= len(cells)
    singles = pairs.diagonal().clone()
    columns = np.empty(width, dtype=np.int64)
    columns[place] = layout.cell_columns
    number = torch.as_tensor(columns, device=device)
    different = (number[:, None] != number[None, :]).float()
    n_columns = len(np.unique(columns))
    ridge = 2.0 / len(cells)
    targets = {
        "pairs": pairs,
        "singles": singles,
        "pair_weights": different / (pairs + ridge) / n_columns**2,
        "single_weights": 1.0 / (singles + ridge) / n_columns,
        "product_type": torch.empty(0, dtype=torch.bfloat16 if low_precision else torch.float32),
    }
    if width < layout.n_cells:
        fold = torch.zeros(layout.n_cells, width, device=device)
        fold[torch.arange(layout.n_cells), torch.as_tensor(place)] = 1.0
        targets["fold"] = fold.to(targets["product_type"].dtype)
    return targets


def _counted(cells: np.ndarray, width: int) -> Tensor:
    """Count how often two cells occur together, (width, width), pair of columns by pair."""
    side = width + 1
    first, second = np.triu_indices(cells.shape[1])
    step = max(_PAIRS // len(first), 1)
    total = np.zeros(side * side, dtype=np.int64)
    for start in range(0, len(cells), step):
        chunk = cells[start : start + step]
        together = chunk[:, first] * side + chunk[:, second]
        total += np.bincount(together.ravel(), minlength=side * side)
    counts = total.reshape(side, side)
    counts = counts + counts.T - np.diag(counts.diagonal())
    return torch.as_tensor(counts[:width, :width].astype(np.float32))


def _multiplied(cells: np.ndarray, width: int, device: torch.device) -> Tensor:
    """Count as :func:`_counted` does, by products of matrices: better for many columns."""
    pairs = torch.zeros(width, width, device=device)
    for start in range(0, len(cells), _CHUNK):
        chunk = torch.as_tensor(cells[start : start + _CHUNK], device=device)
        hot = torch.zeros(len(chunk), width + 1, device=device).scatter_(1, chunk, 1.0)[:, :width]
        pairs += hot.T @ hot
    return pairs


def fold_cells(layout: Layout, most: int) -> np.ndarray:
    """Assign each cell to one of about `most` groups; cells of two columns never share one.

    Bins and ordered states are joined with their neighbours so that groups hold equal shares;
    of unordered states the frequent ones stay alone and the others are dealt out in turn.

    Returns
    -------
    numpy.ndarray of int64, shape (cells,)
    """
    shares = [block.frequencies for block in layout.blocks]
    shares += [np.full(head.bins, 1.0 / head.bins) for head in layout.heads]
    ordered = [block.features.shape[1] > 0 for block in layout.blocks] + [True] * len(layout.heads)
    sizes = [len(share) for share in shares]
    if sum(sizes) <= most:
        return np.arange(layout.n_cells)
    cap = _largest_cap(sizes, most)
    places, start = [], 0
    for share, in_order in zip(shares, ordered, strict=True):
        place = np.arange(len(share))
        if len(share) > cap:
            place = _join_neighbours(share, cap) if in_order else _deal_out(len(share), cap)
        places.append(place + start)
        start += int(place.max()) + 1
    return np.concatenate(places)


def _join_neighbours(shares: np.ndarray, groups: int) -> np.ndarray:
    """Cut ordered cells into at most `groups` runs of about equal share."""
    middle = np.cumsum(shares) - shares / 2
    place = np.minimum((middle * groups).astype(np.int64), groups - 1)
    return np.unique(place, return_inverse=True)[1]


def _deal_out(size: int, groups: int) -> np.ndarray:
    """Keep the first cells alone and deal the others out to the last eighth of the groups."""
    own = groups - max(groups // 8, 1)
    place = np.arange(size)
    place[own:] = own + np.arange(size - own) % (groups - own)
    return place


def _largest_cap(sizes: list[int], most: int) -> int:
    """Return the largest size (at least 4) to which blocks can be cut so that all fit."""
    cap = max(sizes)
    while cap > 4 and sum(min(size, cap) for size in sizes) > most:
        cap -= 1
    return cap
