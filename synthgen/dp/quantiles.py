"""Ranges, quantiles and missing shares of numbers, when they are private.

The extreme values of a column belong to one or two people; what can be told is a range that holds
nearly all rows. Values outside it are clipped to it by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthgen.core.params import check_real
from synthgen.dp.ledger import Ledger
from synthgen.dp.mechanisms import chance_threshold, exponential_choice, gaussian_counts
from synthgen.dp.noise import uniform

Floats = NDArray[np.float64]

#: Powers of two that numbers are sorted into by size; smaller ones count as 0.
_LOWEST: Final = -20
_HIGHEST: Final = 64
_SIDE: Final = _HIGHEST - _LOWEST
#: With which probability noise alone makes a range too wide, and then perhaps absurdly so.
_CHANCE: Final = 1e-4


def magnitude_cells(values: Floats) -> NDArray[np.int64]:
    """Return the cell of each number on a public scale: sign and power of two.

    Cell ``_SIDE`` is zero; above it lie [2^p, 2^(p+1)) for rising p, below it the negatives.
    NaN has the cell -1.
    """
    values = np.asarray(values, dtype=np.float64)
    finite = np.nan_to_num(values, nan=0.0, posinf=2.0**_HIGHEST, neginf=-(2.0**_HIGHEST))
    # frexp gives a fraction in [1/2, 1), so that 2^p itself belongs to the cell above.
    _, exponents = np.frexp(finite)
    steps = np.clip(exponents - _LOWEST, 0, _SIDE).astype(np.int64)
    steps[finite == 0] = 0
    cells = _SIDE + np.where(finite < 0, -steps, steps)
    cells[np.isnan(values)] = -1
    return np.asarray(cells)


def private_bounds(
    columns: Sequence[Floats], *, sigma: float, ledger: Ledger, note: str
) -> list[tuple[float, float] | None]:
    """Return a range for each column that holds nearly all of its values.

    The ends are 0 or powers of two. A power of two in which fewer rows lie than about five times
    `sigma` is left out at the ends.

    Parameters
    ----------
    columns : sequence of numpy.ndarray of float64
        NaN is missing.
    sigma : float
        Standard deviation of the noise, in rows.
    ledger : Ledger
    note : str

    Returns
    -------
    list of (float, float) or None
        None where too few rows have a value.
    """
    if not columns:
        return []
    cells = [magnitude_cells(values) for values in columns]
    counts = [np.bincount(c[c >= 0], minlength=2 * _SIDE + 1) for c in cells]
    noisy = gaussian_counts(counts, tables=len(columns), sigma=sigma, ledger=ledger, note=note)
    threshold = chance_threshold(sigma, 2 * _SIDE + 1, _CHANCE)
    return [_ends(np.flatnonzero(part > threshold)) for part in noisy]


def _ends(cells: NDArray[np.int64]) -> tuple[float, float] | None:
    if not len(cells):
        return None
    return -_upper_end(_SIDE - int(cells[0])), _upper_end(int(cells[-1]) - _SIDE)


def _upper_end(step: int) -> float:
    """Return the end of a cell that is away from zero; for cells beyond zero the end towards it."""
    if step > 0:
        return float(2.0 ** (_LOWEST + step))
    if step == 0:
        return 0.0
    return -float(2.0 ** (_LOWEST - step - 1))


def private_quantile(
    values: Floats,
    share: float,
    *,
    bounds: tuple[float, float],
    epsilon: float,
    ledger: Ledger,
    note: str,
) -> float:
    """Return a number that about `share` of the values lie below.

    Each gap between neighbouring values is chosen with a probability proportional to its width
    times exp(-epsilon |rank - share n| / 2), and a number is drawn from it evenly.

    Parameters
    ----------
    values : numpy.ndarray of float64
        NaN is missing and counted nowhere.
    share : float
        In [0, 1].
    bounds : (float, float)
        A public range; values outside are clipped.
    epsilon : float
        The release keeps (epsilon, 0).
    ledger : Ledger
    note : str

    References
    ----------
    Smith, STOC 2011, doi:10.1145/1993636.1993743, algorithm 2.
    """
    share = check_real("share", share, low=0.0, high=1.0)
    low, high = bounds
    present = np.sort(np.clip(values[~np.isnan(values)], low, high))
    edges = np.concatenate([[low], present, [high]])
    widths = np.diff(edges)
    ranks = np.arange(len(widths), dtype=np.float64)
    # A gap of width 0 has probability 0; all gaps of width 0 only if the range is a point.
    if high <= low:
        return float(low)
    with np.errstate(divide="ignore"):
        scores = -np.abs(ranks - share * len(present)) + np.log(widths) * (2 / epsilon)
    # What the widths add is the same for the ranks of both neighbours: they are a prior.
    gap = exponential_choice(scores, sensitivity=1.0, epsilon=epsilon, ledger=ledger, note=note)
    within = float(uniform(ledger.source, 1)[0])
    number = edges[gap] + within * widths[gap]
    step = 2.0 ** np.floor(np.log2((high - low) * 2.0**-30))
    return float(np.clip(np.rint(number / step) * step, low, high))


def histogram_quantiles(counts: ArrayLike, edges: ArrayLike, shares: ArrayLike) -> Floats:
    """Return quantiles of a histogram that was released before; it costs nothing.

    Parameters
    ----------
    counts : array-like of shape (cells,)
        Not negative.
    edges : array-like of shape (cells + 1,)
    shares : array-like of float

    Examples
    --------
    >>> histogram_quantiles([10, 30], [0, 1, 3], [0.25, 0.625]).tolist()
    [1.0, 2.0]
    """
    mass = np.concatenate([[0.0], np.cumsum(np.asarray(counts, dtype=np.float64))])
    wanted = np.asarray(shares, dtype=np.float64) * mass[-1]
    return np.asarray(np.interp(wanted, mass, np.asarray(edges, dtype=np.float64)))


def private_gaps(
    masks: Sequence[NDArray[np.bool_]], *, sigma: float, ledger: Ledger, note: str
) -> list[float]:
    """Return how many cells of each column are missing, 0 where noise alone would explain it.

    Parameters
    ----------
    masks : sequence of numpy.ndarray of bool
        Which cells are missing.
    sigma : float
        Standard deviation of the noise, in rows.
    ledger : Ledger
    note : str

    Returns
    -------
    list of float
        Noisy counts.
    """
    if not masks:
        return []
    counts = [np.array([int(np.count_nonzero(mask))], dtype=np.int64) for mask in masks]
    noisy = gaussian_counts(counts, tables=len(masks), sigma=sigma, ledger=ledger, note=note)
    threshold = chance_threshold(sigma, 1, _CHANCE)
    return [float(part[0]) if part[0] > threshold else 0.0 for part in noisy]
