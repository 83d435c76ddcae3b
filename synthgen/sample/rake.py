"""Raking: weights that make the share of every cell of every column exactly right.

Iterative proportional fitting (Deming and Stephan, Annals of Mathematical Statistics 11, 1940,
doi:10.1214/aoms/1177731829) over the columns of a large sample: of all ways to reweight rows to
given marginals, the one closest to the original weights.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from synthgen.encode.layout import EncodedTable, Layout

_SWEEPS: Final = 12
_BALANCING: Final = 2
#: A cell's weight changes by at most this factor: what was never generated cannot be weighted up.
_MOST: Final = 4.0


@dataclass(frozen=True)
class Raking:
    """A factor for each cell of the layout; a row's weight is the product over its cells.

    Parameters
    ----------
    layout : Layout
    shares : numpy.ndarray of float64, shape (cells + 1,)
        Shares of real rows in the cells. The last entry is for heads that do not apply. Columns
        whose shares are all 0 are left as they are.
    log_factors : numpy.ndarray of float64, shape (cells + 1,)
        The last one is 0.
    """

    layout: Layout
    shares: np.ndarray
    log_factors: np.ndarray

    def log_weights(self, table: EncodedTable) -> np.ndarray:
        """Return the logarithm of each row's factor, (n,)."""
        return np.asarray(self.log_factors[self.layout.cells(table)].sum(axis=1))

    def balanced(self, table: EncodedTable, log_weights: np.ndarray, cap: float) -> np.ndarray:
        """Return log weights under which this very sample has nearly the right marginals.

        The factors are right for endless rows; a few thousand differ from that by chance. Two
        sweeps over them take most of the chance out.
        """
        cells = _places(self.layout, table)
        # A row more or less is no reason to change a weight.
        ridge = 4.0 / len(table)
        _, weights = _rake(cells, log_weights, self.shares, ridge, cap, _BALANCING)
        return weights


def fit_raking(
    layout: Layout,
    real: EncodedTable,
    generated: EncodedTable,
    weights: np.ndarray,
    cap: float = np.inf,
    hidden: Collection[int] = (),
) -> Raking:
    """Find factors that give generated rows the marginals of the real ones.

    Parameters
    ----------
    layout : Layout
    real : EncodedTable
    generated : EncodedTable
        Many generated rows.
    weights : numpy.ndarray of shape (n,)
        Their weights so far.
    cap : float
        Final weights are cut to this multiple of their mean; marginals are right after the cut.
    hidden : collection of int
        Encoded columns whose marginals do not matter.

    Returns
    -------
    Raking
    """
    size = layout.n_cells + 1
    shares = np.bincount(_places(layout, real).ravel(), minlength=size) / len(real)
    shares[:-1][np.isin(layout.cell_columns, list(hidden))] = 0.0
    return rake_to(layout, shares, len(real), generated, weights, cap)


def rake_to(
    layout: Layout,
    shares: np.ndarray,
    n_rows: float,
    generated: EncodedTable,
    weights: np.ndarray,
    cap: float = np.inf,
) -> Raking:
    """Find factors that give generated rows the given shares of cells.

    Parameters
    ----------
    layout : Layout
    shares : numpy.ndarray of float64, shape (cells + 1,)
        The last entry is for heads that do not apply.
    n_rows : float
        Number of rows that the shares come from.
    generated, weights, cap
        As in :func:`fit_raking`.
    """
    # Half a row on either side keeps rare cells from swinging.
    ridge = 0.5 / min(n_rows, len(generated))
    logs = np.log(weights / weights.sum())
    factors, _ = _rake(_places(layout, generated), logs, shares, ridge, cap, _SWEEPS)
    return Raking(layout, shares, factors)


def _rake(
    cells: np.ndarray,
    log_weights: np.ndarray,
    shares: np.ndarray,
    ridge: float,
    cap: float,
    sweeps: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the columns' shares in turn; return the log factors and the weights they make."""
    size = len(shares)
    log_factors = np.zeros(size)
    log_weights = log_weights.copy()
    limit = np.log(_MOST)
    judged = [places for places in cells.T if shares[places].any()]
    for _ in range(sweeps):
        for places in judged:
            current = np.exp(log_weights)
            current = np.minimum(current, cap * current.mean())
            found = np.bincount(places, current, minlength=size)
            used = np.flatnonzero(found[:-1])
            step = np.log((shares[used] + ridge) / (found[used] / current.sum() + ridge))
            before = log_factors[used]
            log_factors[used] = np.clip(before + step, -limit, limit)
            change = np.zeros(size)
            change[used] = log_factors[used] - before
            log_weights += change[places]
    return log_factors, log_weights


def _places(layout: Layout, table: EncodedTable) -> np.ndarray:
    """Return the cells of each row, with the last place for heads that do not apply."""
    cells = layout.cells(table)
    return np.where(cells < 0, layout.n_cells, cells)
