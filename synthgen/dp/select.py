"""Which values of a column may be told, when the list of values is itself private.

A value that one person alone holds must stay unknown but for a tiny probability, whatever happens
to others. Two ways: noisy counts above a threshold, which compose exactly with all other Gaussian
releases and give the counts too, and the optimal rule for keeping values without counts.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from synthgen.core.params import check_real
from synthgen.dp.events import Event
from synthgen.dp.ledger import Ledger
from synthgen.dp.mechanisms import chance_threshold, gaussian_counts
from synthgen.dp.noise import grid_gaussian, grid_step, uniform

Floats = NDArray[np.float64]

#: With which probability noise alone makes any value of a public list look frequent.
_CHANCE: Final = 0.05


@dataclass(frozen=True)
class Chosen:
    """The values of one column that were told.

    Parameters
    ----------
    values : tuple of hashable
        The most frequent first, by noisy count.
    counts : numpy.ndarray of float64
        Their noisy counts.
    threshold : float
        What a noisy count had to exceed.
    """

    values: tuple[Hashable, ...]
    counts: Floats
    threshold: float


def selection_threshold(sigma: float, failure: float) -> float:
    """Return what a noisy count must exceed, so that a value held by one row rarely does.

    The threshold is 1 + sigma z with P(N(0, 1) > z) = failure, one grid step added for rounding.
    """
    check_real("failure", failure, low=0.0, high=0.5, closed="neither")
    return 1.0 + grid_step(sigma) - sigma * float(ndtri(failure))


def select_values(
    columns: Sequence[tuple[Sequence[Hashable], NDArray[np.int64]]],
    *,
    sigma: float,
    failure: float,
    ledger: Ledger,
    note: str,
) -> list[Chosen]:
    """Tell the values of several columns that are frequent enough, with noisy counts.

    Parameters
    ----------
    columns : sequence of (values, counts)
        The values that occur in each column, in any order, and how many rows have them.
    sigma : float
        Standard deviation of the noise, in rows.
    failure : float
        Probability, charged to delta, that a value held by one row only is told in any column.
    ledger : Ledger
    note : str

    Returns
    -------
    list of Chosen
        One for each column.

    References
    ----------
    Korolova et al., WWW 2009, doi:10.1145/1526709.1526733; with Gaussian noise as in Gopi et al.,
    arXiv:2002.09745. A row that is in one neighbour only adds one value a column to what may fail;
    a row with other values adds one on either side.
    """
    if not columns:
        return []
    sides = 2 if ledger.adjacency == "replace_one" else 1
    threshold = selection_threshold(sigma, failure / (sides * len(columns)))
    event = Event(
        "gaussian",
        note,
        sensitivity=ledger.sensitivity(len(columns)),
        scale=float(sigma),
        delta=float(failure),
    )
    ledger.charge(event)
    told = []
    for values, counts in columns:
        noisy = np.asarray(counts) + grid_gaussian(ledger.source, len(values), sigma)
        told.append(_above(values, noisy, threshold))
    return told


def frequent_cells(
    columns: Sequence[NDArray[np.int64]], *, sigma: float, ledger: Ledger, note: str
) -> list[NDArray[np.int64]]:
    """Return the cells of public grids that more rows share than noise explains.

    Meant for round numbers: the grid is the declared granularity of a column. Since every cell of
    the grid gets noise, also the empty ones, nothing can fail and no delta is charged.

    Parameters
    ----------
    columns : sequence of numpy.ndarray of int64
        Counts of all cells of each column's grid.
    sigma : float
        Standard deviation of the noise, in rows.
    ledger : Ledger
    note : str

    Returns
    -------
    list of numpy.ndarray of int64
        Numbers of the cells, ascending. One that no row is in is among them with a probability of
        a twentieth a column.
    """
    if not columns:
        return []
    noisy = gaussian_counts(columns, tables=len(columns), sigma=sigma, ledger=ledger, note=note)
    return [
        np.flatnonzero(counts > chance_threshold(sigma, len(counts), _CHANCE)) for counts in noisy
    ]


def keep_probabilities(epsilon: float, delta: float, most: int) -> Floats:
    """Return with which probability the optimal rule keeps a value that 0, 1, ... rows have.

    No rule that is (epsilon, delta)-private, for rows with one value each, keeps any value with a
    higher probability.

    Parameters
    ----------
    epsilon, delta : float
    most : int
        Largest number of rows asked for.

    Returns
    -------
    numpy.ndarray of shape (most + 1,)

    References
    ----------
    Desfontaines, Voss, Gipson, Mandayam, PoPETs 2022, arXiv:2006.03684, theorem 1.

    Examples
    --------
    >>> keep_probabilities(1.0, 0.01, 3).round(4).tolist()
    [0.0, 0.01, 0.0372, 0.1111]
    """
    probabilities = np.ones(most + 1)
    value = 0.0
    for count in range(most + 1):
        probabilities[count] = value
        if value >= 1.0:
            break
        value = min(
            math.exp(epsilon) * value + delta,
            1.0 - math.exp(-epsilon) * (1.0 - value - delta),
            1.0,
        )
    return probabilities


def keep_values(
    values: Sequence[Hashable],
    counts: NDArray[np.int64],
    *,
    epsilon: float,
    failure: float,
    ledger: Ledger,
    note: str,
) -> tuple[Hashable, ...]:
    """Tell the values of one column by the optimal rule, without counts, in alphabetic order.

    Keeps (epsilon, failure); with few rows a value it is kinder than :func:`select_values`.
    """
    if ledger.adjacency == "replace_one":
        # A row that changes its value is one that leaves and one that comes.
        epsilon, failure = epsilon / 2, failure / (1 + math.exp(epsilon / 2))
        event = Event("pure", note, 1.0, 1 / (2 * epsilon), delta=failure * (1 + math.exp(epsilon)))
    else:
        event = Event("pure", note, 1.0, 1 / epsilon, delta=failure)
    ledger.charge(event)
    # Beyond this many rows the rule keeps every value.
    most = math.ceil(2 * math.log1p((math.exp(epsilon) - 1) / (2 * failure)) / epsilon) + 3
    table = keep_probabilities(epsilon, failure, most)
    kept = uniform(ledger.source, len(values)) < table[np.minimum(counts, most)]
    return tuple(sorted((values[k] for k in np.flatnonzero(kept).tolist()), key=_order))


def _above(values: Sequence[Hashable], noisy: Floats, threshold: float) -> Chosen:
    """Keep what exceeds the threshold, in an order that tells nothing else."""
    above: list[int] = np.flatnonzero(noisy > threshold).tolist()
    kept = sorted(above, key=lambda k: (-noisy[k], _order(values[k])))
    return Chosen(tuple(values[k] for k in kept), noisy[kept], threshold)


def _order(value: Hashable) -> tuple[str, str]:
    return type(value).__name__, repr(value)
