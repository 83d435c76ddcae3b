"""Poisson samples of rows: each row is in a batch with one probability, whatever the others do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthgen.core.params import check_integer, check_real
from synthgen.dp.noise import NoiseSource, bernoulli


class PoissonRows:
    """Batches of a random size, often none; the sampling that privacy is accounted for.

    Batches of a fixed size, or from a shuffled order, do not keep the same guarantee.

    Parameters
    ----------
    n_rows : int
    probability : float
        With which each row is in each batch.
    source : NoiseSource
        Nobody may know which rows took part.

    References
    ----------
    Annamalai et al., "To Shuffle or not to Shuffle", NDSS 2026, arXiv:2411.10614.

    Examples
    --------
    >>> from synthgen.dp.noise import SystemNoise
    >>> PoissonRows(5, 1.0, SystemNoise()).batch()
    array([0, 1, 2, 3, 4])
    """

    def __init__(self, n_rows: int, probability: float, source: NoiseSource) -> None:
        check_integer("n_rows", n_rows, minimum=0)
        check_real("probability", probability, low=0.0, high=1.0, closed="high")
        self.n_rows, self.probability, self._source = n_rows, probability, source

    def batch(self) -> NDArray[np.int64]:
        """Return the row numbers of the next batch, in order; there may be none."""
        return np.flatnonzero(bernoulli(self._source, self.n_rows, self.probability))
