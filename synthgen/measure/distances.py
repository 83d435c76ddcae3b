"""Nearest neighbours among mixed rows: blocked, exact, without an N x N matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.measure.columns import Roles, matrices

#: A block holds at most about this many distances (8 bytes each).
_BLOCK_CELLS: Final = 8_000_000

#: L1 distance of two different one-hot vectors.
_MISMATCH: Final = 2.0


@dataclass(frozen=True)
class Points:
    """Rows in the space of distances.

    Parameters
    ----------
    scaled : numpy.ndarray of shape (rows, continuous columns)
        Numbers divided by the range in the first table; 0.5 where missing.
    codes : numpy.ndarray of int of shape (columns, rows)
        Categories, then one row per continuous column with missing values that says where.
    """

    scaled: NDArray[np.float64]
    codes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scaled)


def points(frames: Sequence[pd.DataFrame], roles: Roles) -> list[Points]:
    """Place several aligned tables in one space, scaled by the first table's ranges."""
    encoded = matrices(frames, roles)
    continuous = [place for place, levels in enumerate(encoded.n_levels) if levels == 0]
    discrete = encoded.categorical
    first = encoded.arrays[0][:, continuous]
    present = ~np.isnan(first)
    low = np.where(present, first, np.inf).min(axis=0, initial=np.inf)
    high = np.where(present, first, -np.inf).max(axis=0, initial=-np.inf)
    usable = high > low
    low = np.where(usable | (high == low), low, 0.0)
    width = np.where(usable, high - low, 1.0)
    has_gaps = np.zeros(len(continuous), dtype=bool)
    for array in encoded.arrays:
        has_gaps |= np.isnan(array[:, continuous]).any(axis=0)
    result = []
    for array in encoded.arrays:
        values = array[:, continuous]
        missing = np.isnan(values)
        scaled = np.where(missing, 0.5, (values - low) / width)
        labels = np.nan_to_num(array[:, discrete], nan=-1.0).astype(np.int64)
        codes = np.concatenate([labels, missing[:, has_gaps].astype(np.int64)], axis=1)
        result.append(Points(scaled, np.ascontiguousarray(codes.T)))
    return result


def nearest(queries: Points, reference: Points) -> NDArray[np.float64]:
    """Return the L1 distance from every query row to its nearest reference row.

    The distance is the sum of the absolute differences of the scaled numbers and of the one-hot
    vectors of the categories (2 per different category).

    Returns
    -------
    numpy.ndarray of shape (len(queries),)
    """
    from scipy.spatial.distance import cdist

    rows = max(1, _BLOCK_CELLS // max(1, len(reference)))
    result = np.empty(len(queries))
    for start in range(0, len(queries), rows):
        block = slice(start, start + rows)
        scaled = queries.scaled[block]
        mismatches = np.zeros((len(scaled), len(reference)), dtype=np.uint16)
        for own, other in zip(queries.codes[:, block], reference.codes, strict=True):
            mismatches += own[:, None] != other[None, :]
        distances = _MISMATCH * mismatches
        if scaled.shape[1]:
            distances += cdist(scaled, reference.scaled, metric="cityblock")
        result[block] = distances.min(axis=1)
    return result


def row_keys(frames: Sequence[pd.DataFrame], roles: Roles) -> list[NDArray[np.int64]]:
    """Give numbers to the distinct rows over several aligned tables; equal rows get equal numbers.

    Missing equals missing. Only the used columns count.
    """
    encoded = matrices(frames, roles)
    table = np.concatenate(encoded.arrays)
    keys = np.zeros(len(table), dtype=np.int64)
    for place in range(table.shape[1]):
        # Both factors are below the number of rows, so that the product fits into 64 bits.
        codes, levels = pd.factorize(table[:, place])
        keys, _ = pd.factorize(keys * (len(levels) + 1) + codes + 1)
    return np.split(keys.astype(np.int64), np.cumsum([len(frame) for frame in frames])[:-1])
