"""Exact counts of cells and of pairs of cells; nothing here may leave without noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synthgen.errors import InvalidDataError

Codes = NDArray[np.int64]


def check_codes(codes: Codes, sizes: Sequence[int]) -> None:
    """Check that encoded rows lie in public cells.

    Raises
    ------
    InvalidDataError
        If not. The message tells no value, since it may be private.
    """
    if codes.ndim != 2 or codes.shape[1] != len(sizes):
        raise InvalidDataError(
            f"Encoded rows must have one column for each of {len(sizes)} lists of cells, got shape "
            f"{codes.shape}."
        )
    if not np.issubdtype(codes.dtype, np.integer):
        raise InvalidDataError(f"Encoded rows must be whole numbers, got {codes.dtype}.")
    inside = (codes >= -1) & (codes < np.asarray(sizes))
    if not inside.all():
        raise InvalidDataError("Encoded rows lie outside the public cells of their columns.")


def count_cells(codes: Codes, size: int) -> Codes:
    """Count the rows in each cell; rows with code -1 are counted nowhere."""
    return np.bincount(codes[codes >= 0], minlength=size)


def count_pairs(first: Codes, second: Codes, sizes: tuple[int, int]) -> Codes:
    """Count the rows in each pair of cells; rows with a code of -1 are counted nowhere.

    Returns
    -------
    numpy.ndarray of int64, shape `sizes`
    """
    both = first * sizes[1] + second
    if (first < 0).any() or (second < 0).any():
        both = both[(first >= 0) & (second >= 0)]
    return np.bincount(both, minlength=sizes[0] * sizes[1]).reshape(sizes)


def all_pairs(n_columns: int) -> list[tuple[int, int]]:
    """Return all pairs of columns, the lower number first."""
    return [(i, j) for i in range(n_columns) for j in range(i + 1, n_columns)]
