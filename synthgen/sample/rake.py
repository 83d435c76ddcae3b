"""Raking: weights that make the share of every cell of every column exactly right.

Iterative proportional fitting (Deming and Stephan, Annals of Mathematical Statistics 11, 1940,
doi:10.1214/aoms/1177731829) over the columns of a large sample: of all ways to reweight rows to
given marginals, the one closest to the original weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from synthgen.encode.layout import EncodedTable, Layout

_SWEEPS: Final = 12
#: A cell's weight changes by at most this factor: what was never generated cannot be weighted up.
_MOST: Final = 4.0


@dataclass(frozen=True)
class Raking:
    """A factor for each cell of the layout; a row's weight is the product over its cells.

    Parameters
    ----------
    layout : Layout
    log_factors : numpy.ndarray of float64, shape (cells + 1,)
        The last one, 0, is for heads that do not apply.
    """

    layout: Layout
    log_factors: np.ndarray

    def log_weights(self, table: EncodedTable) -> np.ndarray:
        """Return the logarithm of each row's factor, (n,)."""
        return np.asarray(self.log_factors[self.layout.cells(table)].sum(axis=1))


def fit_raking(
    layout: Layout,
    real: EncodedTable,
    generated: EncodedTable,
    weights: np.ndarray,
    cap: float = np.inf,
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

    Returns
    -------
    Raking
    """
    size = layout.n_cells + 1
    targets = _shares(layout.cells(real), size)
    cells = layout.cells(generated)
    cells = np.where(cells < 0, layout.n_cells, cells)
    log_factors = np.zeros(size)
    log_weights = np.log(weights / weights.sum())
    # Half a row on either side keeps rare cells from swinging.
    ridge = 0.5 / min(len(real), len(generated))
    limit = np.log(_MOST)
    for _ in range(_SWEEPS):
        for column in range(cells.shape[1]):
            current = np.exp(log_weights)
            current = np.minimum(current, cap * current.mean())
            places = cells[:, column]
            shares = np.bincount(places, current, minlength=size)
            used = np.unique(places[places < layout.n_cells])
            step = np.log((targets[used] + ridge) / (shares[used] / current.sum() + ridge))
            before = log_factors[used]
            log_factors[used] = np.clip(before + step, -limit, limit)
            change = np.zeros(size)
            change[used] = log_factors[used] - before
            log_weights += change[places]
    return Raking(layout, log_factors)


def _shares(cells: np.ndarray, size: int) -> np.ndarray:
    """Return the share of rows in each cell."""
    places = np.where(cells < 0, size - 1, cells).ravel()
    return np.bincount(places, minlength=size) / len(cells)
