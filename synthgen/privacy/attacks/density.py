"""Densities of mixed rows: principal components and Gaussian kernels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synthgen.measure.columns import cut_rows
from synthgen.measure.space import Rows
from synthgen.privacy.attacks.neighbours import take, vectors

#: Kernels in more dimensions say little.
MAX_DIMENSIONS: Final = 10

#: Rows of each side that the components are learned from.
_LEARN_ROWS: Final = 10_000

_BLOCK_CELLS: Final = 4_000_000


@dataclass(frozen=True)
class Projection:
    """Rows in principal components of unit variance.

    Parameters
    ----------
    synthetic, reference, targets : numpy.ndarray of shape (rows, components)
    """

    synthetic: NDArray[np.float64]
    reference: NDArray[np.float64]
    targets: NDArray[np.float64]


def project(
    synthetic: Rows, reference: Rows, targets: Rows, rng: np.random.Generator
) -> Projection:
    """Learn components from equally many reference and synthetic rows; targets play no part."""
    size = min(_LEARN_ROWS, len(synthetic), len(reference))
    learned = np.concatenate(
        [
            vectors(take(rows, cut_rows(np.arange(len(rows)), size, rng)), slice(None))
            for rows in (synthetic, reference)
        ]
    ).astype(np.float64)
    middle = learned.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(learned - middle, rowvar=False).reshape(2 * [len(middle)]))
    order = np.argsort(values)[::-1][:MAX_DIMENSIONS]
    order = order[values[order] > 1e-10 * max(values.max(), 1e-300)]
    axes = axes[:, order] / np.sqrt(values[order])
    # The sign of an axis is arbitrary, and no distance depends on it.
    parts = [_rotate(rows, middle, axes) for rows in (synthetic, reference, targets)]
    return Projection(*parts)


def _rotate(
    rows: Rows, middle: NDArray[np.float64], axes: NDArray[np.float64]
) -> NDArray[np.float64]:
    step = max(1, _BLOCK_CELLS // len(middle))
    blocks = [
        (vectors(rows, slice(start, start + step)) - middle) @ axes
        for start in range(0, len(rows), step)
    ]
    return np.concatenate(blocks)


def scott(n: int, dimensions: int) -> float:
    """Return Scott's bandwidth of `n` rows of unit variance."""
    return float(n ** (-1 / (dimensions + 4)))


def log_density(
    points: NDArray[np.float64], data: NDArray[np.float64], bandwidth: float
) -> NDArray[np.float64]:
    """Return the log-density of points under Gaussian kernels on the data.

    Parameters
    ----------
    points : numpy.ndarray of shape (n, d)
    data : numpy.ndarray of shape (m, d)
    bandwidth : float
        Standard deviation of a kernel in every direction.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Nats.
    """
    dimensions = data.shape[1]
    constant = -math.log(len(data)) - dimensions * math.log(bandwidth * math.sqrt(2 * math.pi))
    scaled = data / bandwidth
    lengths = (scaled**2).sum(axis=1)
    result = np.empty(len(points))
    step = max(1, _BLOCK_CELLS // len(data))
    for start in range(0, len(points), step):
        own = points[start : start + step] / bandwidth
        exponents = own @ scaled.T
        exponents *= 2
        exponents -= lengths
        exponents -= (own**2).sum(axis=1)[:, None]
        exponents *= 0.5
        top = exponents.max(axis=1)
        exponents -= top[:, None]
        np.exp(exponents, out=exponents)
        result[start : start + step] = top + np.log(exponents.sum(axis=1)) + constant
    return result
