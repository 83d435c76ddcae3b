"""Noisy counts and private choices; each charges the ledger first and draws afterwards."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthgen.dp.events import Event
from synthgen.dp.ledger import Ledger
from synthgen.dp.noise import grid_gaussian, gumbel, two_sided_geometric
from synthgen.errors import InvalidParameterError

Floats = NDArray[np.float64]


def gaussian_counts(
    counts: Sequence[NDArray[np.int64]], *, tables: int, sigma: float, ledger: Ledger, note: str
) -> list[Floats]:
    """Release whole-number counts with Gaussian noise.

    Parameters
    ----------
    counts : sequence of numpy.ndarray of int64
        A row may be counted once in each of `tables` tables; how they are split into arrays, and
        how many cells they have, does not matter.
    tables : int
        In how many cells a row is counted at most.
    sigma : float
        Standard deviation of the noise, in rows.
    ledger : Ledger
    note : str
        What it is for.

    Returns
    -------
    list of numpy.ndarray of float64
        Multiples of the noise's grid, negative ones among them.

    Raises
    ------
    BudgetExceededError
        If it costs too much; then nothing is drawn.
    """
    for array in counts:
        if not np.issubdtype(array.dtype, np.integer):
            raise InvalidParameterError(f"Counts must be whole numbers, got {array.dtype}.")
    event = Event("gaussian", note, sensitivity=ledger.sensitivity(tables), scale=float(sigma))
    ledger.charge(event)
    return [array + grid_gaussian(ledger.source, array.shape, sigma) for array in counts]


def geometric_count(count: int, *, epsilon: float, ledger: Ledger, note: str) -> int:
    """Release one count with two-sided geometric noise; it keeps (epsilon, 0)."""
    ledger.charge(Event("pure", note, sensitivity=1.0, scale=1.0 / epsilon))
    return int(count) + int(two_sided_geometric(ledger.source, 1, epsilon)[0])


def exponential_choice(
    scores: ArrayLike, *, sensitivity: float, epsilon: float, ledger: Ledger, note: str
) -> int:
    """Choose an item with a high score: P(i) is proportional to exp(epsilon s_i / 2 sensitivity).

    Parameters
    ----------
    scores : array-like of float, shape (items,)
    sensitivity : float
        Largest change of any one score between neighbours.
    epsilon : float
        The choice keeps (epsilon, 0).
    ledger : Ledger
    note : str

    Returns
    -------
    int
        Number of the item.

    References
    ----------
    McSherry and Talwar, FOCS 2007, doi:10.1109/FOCS.2007.66.
    """
    utilities = np.asarray(scores, dtype=np.float64) * (epsilon / (2 * sensitivity))
    ledger.charge(Event("pure", note, sensitivity=sensitivity, scale=sensitivity / epsilon))
    return int(np.argmax(utilities + gumbel(ledger.source, len(utilities))))


def project_simplex(noisy: Floats, total: float) -> Floats:
    """Return the nearest counts (in Euclidean norm) that are not negative and sum to `total`.

    It looks at noisy counts only, so it costs nothing.

    References
    ----------
    Wang and Carreira-Perpinan, arXiv:1309.1541.

    Examples
    --------
    >>> project_simplex(np.array([7.0, 3.0, -2.0]), 10.0)
    array([7., 3., 0.])
    """
    flat = np.asarray(noisy, dtype=np.float64).reshape(-1)
    if total <= 0:
        return np.zeros_like(np.asarray(noisy, dtype=np.float64))
    ordered = np.sort(flat)[::-1]
    excess = np.cumsum(ordered) - total
    kept = np.flatnonzero(ordered * np.arange(1, len(flat) + 1) > excess)[-1]
    shift = excess[kept] / (kept + 1)
    return np.asarray(np.maximum(flat - shift, 0.0).reshape(np.shape(noisy)))


def chance_threshold(sigma: float, cells: int, chance: float) -> float:
    """Return what noise alone exceeds in any of `cells` cells with probability at most `chance`."""
    from scipy.special import ndtri

    if cells < 1:
        return 0.0
    return float(-sigma * ndtri(-math.expm1(math.log1p(-chance) / cells)))
