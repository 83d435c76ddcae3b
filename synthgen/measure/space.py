"""Mixed rows as points of one Euclidean space, and distances between them in blocks.

* A number is divided by the width of the range that holds the middle 95 % of the real values (of
  the full range, if those are all equal), so that a few extreme values do not squeeze the others.
* A different category, or missing against present, counts as much as one such width.
* A missing number stands at the median of the real values; two missing ones are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.measure.columns import Matrices, Roles, matrices

#: A block holds at most about this many distances (8 bytes each).
_BLOCK_CELLS: Final = 4_000_000

_TAIL: Final = 0.025


@dataclass(frozen=True)
class Rows:
    """Rows of one table as points.

    Parameters
    ----------
    numbers : numpy.ndarray of shape (rows, continuous columns and their missing flags)
        Scaled numbers; a flag is 1 where the number is missing.
    codes : numpy.ndarray of int32 of shape (discrete columns, rows)
        Categories, 0 where missing.
    n_codes : list of int
        Number of codes of every discrete column.
    """

    numbers: NDArray[np.float64]
    codes: NDArray[np.int32]
    n_codes: list[int]

    def __len__(self) -> int:
        return len(self.numbers)


def place(frames: Sequence[pd.DataFrame], roles: Roles) -> list[Rows]:
    """Place several aligned tables in one space, scaled by the first table."""
    return place_matrices(matrices(frames, roles))


def place_matrices(encoded: Matrices, *, tail: float = _TAIL) -> list[Rows]:
    """Place encoded tables in one space, scaled by the first of them.

    Parameters
    ----------
    encoded : Matrices
    tail : float, default=.025
        Share of the values on each side that the width leaves out; 0 for the full range.
    """
    discrete = encoded.categorical
    continuous = [at for at, levels in enumerate(encoded.n_levels) if levels == 0]
    middle, width = _scale(encoded.arrays[0][:, continuous], tail)
    gaps = [np.isnan(array[:, continuous]) for array in encoded.arrays]
    flagged = np.any([own.any(axis=0) for own in gaps], axis=0)
    result = []
    for array, missing in zip(encoded.arrays, gaps, strict=True):
        scaled = np.where(missing, 0.0, (array[:, continuous] - middle) / width)
        numbers = np.concatenate([scaled, missing[:, flagged]], axis=1)
        codes = (np.nan_to_num(array[:, discrete], nan=-1.0) + 1).astype(np.int32)
        n_codes = [encoded.n_levels[at] + 1 for at in discrete]
        result.append(Rows(numbers, np.ascontiguousarray(codes.T), n_codes))
    return result


def _scale(
    table: NDArray[np.float64], tail: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return median and width of every column; 0 and 1 without values, width 1 for a constant."""
    middle, width = np.zeros(table.shape[1]), np.ones(table.shape[1])
    for at in range(table.shape[1]):
        present = table[~np.isnan(table[:, at]), at]
        if not len(present):
            continue
        low, middle[at], high = np.quantile(present, [tail, 0.5, 1 - tail])
        span = high - low if high > low else np.ptp(present)
        width[at] = span if span > 0 else 1.0
    return middle, width


def centre_distances(rows: Rows, centre_of: Rows) -> NDArray[np.float64]:
    """Return the distance of every row to the mean of another table's rows.

    A category is a one-hot vector of length ``sqrt(1/2)``: two different ones are 1 apart.

    Returns
    -------
    numpy.ndarray of shape (rows,)
    """
    squared = ((rows.numbers - centre_of.numbers.mean(axis=0)) ** 2).sum(axis=1)
    for own, other, n_codes in zip(rows.codes, centre_of.codes, rows.n_codes, strict=True):
        shares = np.bincount(other, minlength=n_codes) / len(centre_of)
        squared += ((1 + shares @ shares) / 2 - shares)[own]
    # Equal rows must stay equal, whatever the order in which their terms were added.
    distances: NDArray[np.float64] = np.round(np.sqrt(np.maximum(squared, 0.0)), 12)
    return distances


def distance_blocks(
    queries: Rows, *references: Rows
) -> Iterator[tuple[slice, list[NDArray[np.float64]]]]:
    """Yield squared distances from blocks of query rows to all rows of the references.

    Yields
    ------
    slice
        The query rows of the block.
    list of numpy.ndarray of shape (rows of the block, len(reference))
    """
    longest = max(len(reference) for reference in references)
    step = max(1, _BLOCK_CELLS // max(1, longest))
    for start in range(0, len(queries), step):
        block = slice(start, min(start + step, len(queries)))
        yield block, [_squared(queries, block, reference) for reference in references]


def _squared(queries: Rows, block: slice, reference: Rows) -> NDArray[np.float64]:
    from scipy.spatial.distance import cdist

    numbers = queries.numbers[block]
    shape = (len(numbers), len(reference))
    mismatches = np.zeros(shape, dtype=np.uint16)
    for own, other in zip(queries.codes[:, block], reference.codes, strict=True):
        mismatches += own[:, None] != other[None, :]
    result = mismatches.astype(np.float64)
    if numbers.shape[1]:
        result += cdist(numbers, reference.numbers, metric="sqeuclidean")
    return result
