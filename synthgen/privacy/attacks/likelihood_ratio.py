"""Membership by likelihood ratio: does a row explain the synthetic rows around it (Gen-LRA)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.measure.columns import cut_rows
from synthgen.privacy.attacks.arena import Arena
from synthgen.privacy.attacks.density import log_density, scott

_SIZES: Final = (1, 5, 20)


@dataclass(frozen=True)
class LikelihoodRatio:
    """Score a row by what it adds to the likelihood of its nearest synthetic rows.

    The density of reference rows, by kernels in at most ten principal components, is compared with
    the same density after the row was added to them.

    Parameters
    ----------
    max_rows : int, default=4000
        Reference rows that carry a kernel.

    References
    ----------
    Ward, Lin, Wang & Cheng (2025), Synth-MIA, arXiv:2509.18014, which describes Gen-LRA.
    """

    max_rows: int = 4_000

    name: ClassVar[str] = "likelihood_ratio"
    threat_model: ClassVar[str] = "synthetic rows and other real rows"

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return the gain of log-likelihood over the nearest 1, 5 and 20 synthetic rows."""
        space = arena.projection
        real = space.reference
        real = real[cut_rows(np.arange(len(real)), self.max_rows, arena.rng(3))]
        width = scott(len(real), real.shape[1])
        near = arena.near_synthetic.rows[:, : max(_SIZES)]
        used, places = np.unique(near, return_inverse=True)
        before = log_density(space.synthetic[used], real, width)[places.reshape(near.shape)]
        gains = gain(space.synthetic[near], space.targets, before, width, len(real))
        return {f"{size} rows": gains[:, :size].sum(axis=1) for size in _SIZES}


def gain(
    near: NDArray[np.float64],
    targets: NDArray[np.float64],
    before: NDArray[np.float64],
    bandwidth: float,
    n_rows: int,
) -> NDArray[np.float64]:
    """Return the gain of log-density at each neighbour when the target joins `n_rows` kernels.

    Parameters
    ----------
    near : numpy.ndarray of shape (targets, k, d)
    targets : numpy.ndarray of shape (targets, d)
    before : numpy.ndarray of shape (targets, k)
        Log-density at the neighbours without the target.
    bandwidth : float
    n_rows : int
    """
    dimensions = targets.shape[1]
    squared = ((near - targets[:, None]) ** 2).sum(axis=2) / bandwidth**2
    kernel = -0.5 * squared - dimensions * np.log(bandwidth * np.sqrt(2 * np.pi))
    after = np.logaddexp(before + np.log(n_rows), kernel) - np.log(n_rows + 1)
    result: NDArray[np.float64] = after - before
    return result
