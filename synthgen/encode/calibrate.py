"""Marginal calibration: map generated scores so that each head's distribution is exactly right.

What a generator gets wrong about a column's marginal distribution can be measured without any real
row, since encoded values are standard normal by construction. The correction is monotone, so ranks
and their association with other columns stay. Exact sums among columns do not survive it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from synthgen.encode.layout import REST, EncodedTable, Layout

_POINTS = 512


@dataclass(frozen=True)
class Calibration:
    """A monotone map for each head.

    Parameters
    ----------
    generated : numpy.ndarray of shape (heads, points)
        Quantiles of generated scores, ascending.
    real : numpy.ndarray of shape (heads, points)
        Quantiles of the real scores at the same ranks.
    gates : tuple of int
        Block that gates each head, -1 for none.
    """

    generated: np.ndarray
    real: np.ndarray
    gates: tuple[int, ...]

    @classmethod
    def fit(cls, layout: Layout, real: EncodedTable, generated: EncodedTable) -> Calibration:
        """Learn the maps from rows drawn the way rows will be drawn."""
        ranks = (np.arange(_POINTS) + 0.5) / _POINTS
        shape = (len(layout.heads), _POINTS)
        quantiles = np.tile(ndtri(ranks), (shape[0], 1)), np.tile(ndtri(ranks), (shape[0], 1))
        for k, head in enumerate(layout.heads):
            for table, target in zip((generated, real), quantiles, strict=True):
                values = table.values[:, k]
                if head.gate is not None:
                    values = values[table.codes[:, head.gate] == REST]
                if len(values):
                    target[k] = np.quantile(values, ranks)
        gates = tuple(-1 if head.gate is None else head.gate for head in layout.heads)
        return cls(*quantiles, gates)

    def apply(self, table: EncodedTable) -> EncodedTable:
        """Return the rows with calibrated scores."""
        values = table.values.copy()
        for k, gate in enumerate(self.gates):
            open_gate = slice(None) if gate < 0 else table.codes[:, gate] == REST
            values[open_gate, k] = monotone_map(
                values[open_gate, k], self.generated[k], self.real[k]
            )
        return EncodedTable(table.codes, values)


def monotone_map(scores: np.ndarray, generated: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Interpolate between quantiles; beyond the outermost ones, shift, so that tails stay tails.

    Parameters
    ----------
    scores : numpy.ndarray of shape (n,)
    generated, real : numpy.ndarray of shape (points,)
        Quantiles before and after, ascending.
    """
    beyond = scores - np.clip(scores, generated[0], generated[-1])
    return np.asarray(np.interp(scores, generated, real) + beyond)
