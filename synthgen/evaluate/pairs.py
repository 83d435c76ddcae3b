"""Statistics of pairs of columns: correlations, two-way tables, Cramer's V."""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Two-way tables with at most this many cells are counted densely.
_DENSE_CELLS: Final = 4_000_000


def correlations(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's correlations of all columns, each over the rows where both are present.

    Parameters
    ----------
    table : numpy.ndarray of shape (rows, columns)
        NaN where missing.

    Returns
    -------
    numpy.ndarray of shape (columns, columns)
        NaN where undefined: a constant column, or fewer than two common rows. The diagonal is 1.
    """
    n_columns = table.shape[1]
    result = np.full((n_columns, n_columns), np.nan)
    gaps: NDArray[np.bool_] = np.asarray(np.isnan(table).any(axis=0))
    varies = np.array([_varies(table[:, place]) for place in range(n_columns)])
    full = np.flatnonzero(~gaps & varies)
    if len(full):
        scaled = table[:, full] - table[:, full].mean(axis=0)
        scaled /= np.linalg.norm(scaled, axis=0)
        result[np.ix_(full, full)] = np.clip(scaled.T @ scaled, -1, 1)
    for i, j in itertools.combinations(range(n_columns), 2):
        if (gaps[i] or gaps[j]) and varies[i] and varies[j]:
            result[i, j] = result[j, i] = _pairwise(table[:, i], table[:, j])
    np.fill_diagonal(result, 1.0)
    return result


def _varies(values: NDArray[np.float64]) -> bool:
    present = values[~np.isnan(values)]
    return len(present) > 1 and bool((present != present[0]).any())


def _pairwise(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    both = ~(np.isnan(first) | np.isnan(second))
    x, y = first[both], second[both]
    if not (_varies(x) and _varies(y)):
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    r = (x / np.linalg.norm(x)) @ (y / np.linalg.norm(y))
    return float(np.clip(r, -1, 1))


def contingency_similarity(
    real: NDArray[np.int64], synthetic: NDArray[np.int64], n_cells: int
) -> float:
    """Return one minus the total variation distance of two samples of cell numbers.

    Parameters
    ----------
    real, synthetic : numpy.ndarray of int of shape (rows,)
        Cell numbers below `n_cells`.
    n_cells : int
    """
    if n_cells > _DENSE_CELLS:
        cells, codes = np.unique(np.concatenate([real, synthetic]), return_inverse=True)
        real, synthetic, n_cells = codes[: len(real)], codes[len(real) :], len(cells)
    first = np.bincount(real, minlength=n_cells) / len(real)
    second = np.bincount(synthetic, minlength=n_cells) / len(synthetic)
    return float(1 - np.abs(first - second).sum() / 2)


def cramers_v(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Return Cramer's V of two discrete columns, NaN if one is constant.

    Only cells that occur are visited, so that two columns of 10,000 values each need no table of
    10^8 cells: chi2 = n (sum_ij n_ij^2 / (n_i n_j) - 1).

    References
    ----------
    Cramer (1946), Mathematical Methods of Statistics, chapter 21.
    """
    rows, first = np.unique(first, return_inverse=True)
    columns, second = np.unique(second, return_inverse=True)
    smaller = min(len(rows), len(columns)) - 1
    if smaller < 1:
        return float("nan")
    cells, counts = np.unique(first * len(columns) + second, return_counts=True)
    row_sums, column_sums = np.bincount(first), np.bincount(second)
    expected = row_sums[cells // len(columns)] * column_sums[cells % len(columns)].astype(float)
    phi2 = (counts.astype(float) ** 2 / expected).sum() - 1
    return float(np.sqrt(max(phi2, 0.0) / smaller))
