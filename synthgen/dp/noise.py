"""Random numbers that nobody can predict or repeat, and the noise made of them.

Every number comes from the operating system's cryptographic generator, through :func:`os.urandom`;
nothing is seeded, and neither numpy's nor torch's generators are involved. One 64-bit word makes
one draw by inversion of the distribution function.

Noise for counts is rounded to a grid of a power of two that is at most 1. Counts are whole numbers,
hence on the grid, so a released value is *exactly* the rounded sum of the count and the noise: a
function of the ideal Gaussian release, whose possible values do not depend on the data. That closes
the attacks on the low-order bits of noisy floats (Mironov, CCS 2012; Haney et al.,
arXiv:2207.13793). The float64 inversion moves the probability of a value by a relative amount of
about 1e-11, and the 64 bits of a draw by an absolute one of less than 1e-14 in all. Both matter
only for the cells that the row in question is counted in, since the others have the same noise in
either table: for 1,000 cells less than 1e-7 of epsilon and 1e-11 of delta.

Not covered: the time that a draw takes (it depends a little on how extreme the draw is), memory
that other processes can read, and gradients, whose rounding happens after a float64 sum.
"""

from __future__ import annotations

import math
import os
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

#: Grid steps per standard deviation, at least.
_FINENESS: Final = 1024
#: Words drawn at a time, so that large noise needs little memory beside itself.
_CHUNK: Final = 1 << 20


class NoiseSource(Protocol):
    """Where random words come from."""

    @property
    def is_private(self) -> bool:
        """Whether nobody can repeat the words."""

    def words(self, n: int) -> NDArray[np.uint64]:
        """Return `n` independent words, each of 64 even random bits."""


class SystemNoise:
    """Words from the operating system, the only source that makes a release private."""

    is_private: bool = True

    def words(self, n: int) -> NDArray[np.uint64]:
        """Return `n` words that were never given to anybody else."""
        return np.frombuffer(os.urandom(8 * n), dtype=np.uint64)


class TestNoise:
    """Words from a seed: for tests only, because whoever knows the seed can subtract the noise.

    Parameters
    ----------
    seed : int
    """

    #: Tells pytest that this is no test case.
    __test__ = False
    is_private: bool = False

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._bits = np.random.PCG64(seed)

    def words(self, n: int) -> NDArray[np.uint64]:
        """Return the next `n` words."""
        return np.asarray(self._bits.random_raw(n), dtype=np.uint64)


def noise_source(seed: int | None) -> NoiseSource:
    """Return the system's source, or a repeatable one for tests if there is a seed."""
    return SystemNoise() if seed is None else TestNoise(seed)


def uniform(source: NoiseSource, n: int) -> Floats:
    """Return `n` uniform numbers in the open interval (0, 1)."""
    # With one bit more, the largest number would round to 1.
    return (np.asarray(source.words(n) >> np.uint64(12), dtype=np.float64) + 0.5) * 2.0**-52


def gaussian(source: NoiseSource, shape: int | tuple[int, ...], sigma: float) -> Floats:
    """Return Gaussian noise of mean 0.

    Parameters
    ----------
    source : NoiseSource
    shape : int or tuple of int
    sigma : float
        Standard deviation.
    """
    noise = np.empty(shape)
    flat = noise.reshape(-1)
    for start in range(0, len(flat), _CHUNK):
        part = flat[start : start + _CHUNK]
        words = source.words(len(part))
        # 63 bits choose the tail probability in (0, 1/2), the last one the side.
        tails = (np.asarray(words >> np.uint64(1), dtype=np.float64) + 0.5) * 2.0**-64
        sides = np.where(words & np.uint64(1), sigma, -sigma)
        np.multiply(ndtri(tails), sides, out=part)
    return noise


def grid_step(sigma: float, *, most: float = 1.0) -> float:
    """Return the grid for noise of a standard deviation: a power of two, at most `most`.

    Examples
    --------
    >>> grid_step(48.4), grid_step(1e9), grid_step(0.5)
    (0.03125, 1.0, 0.00048828125)
    """
    return float(2.0 ** math.floor(math.log2(min(sigma / _FINENESS, most) * (1 + 1e-12))))


def grid_gaussian(source: NoiseSource, shape: int | tuple[int, ...], sigma: float) -> Floats:
    """Return Gaussian noise rounded to multiples of :func:`grid_step`, for whole numbers."""
    return round_to_grid(gaussian(source, shape, sigma), grid_step(sigma))


def round_to_grid(values: Floats, step: float) -> Floats:
    """Return `values` rounded to multiples of `step`, a power of two."""
    return np.asarray(np.rint(values / step) * step, dtype=np.float64)


def two_sided_geometric(source: NoiseSource, n: int, epsilon: float) -> NDArray[np.int64]:
    """Return `n` whole numbers with P(k) proportional to exp(-epsilon |k|): discrete Laplace noise.

    References
    ----------
    Ghosh, Roughgarden, Sundararajan, SIAM J. Comput. 2012, doi:10.1137/09076828X.
    """
    draws = np.floor(-np.log(uniform(source, 2 * n)) / epsilon).astype(np.int64)
    return np.asarray(draws[:n] - draws[n:])


def gumbel(source: NoiseSource, n: int) -> Floats:
    """Return `n` standard Gumbel draws, with which a maximum is an exponential mechanism."""
    return np.asarray(-np.log(-np.log(uniform(source, n))))


def bernoulli(source: NoiseSource, n: int, probability: float) -> NDArray[np.bool_]:
    """Return `n` independent coins, each true with a probability, exact to 2**-64.

    A Poisson batch of rows is the true ones.
    """
    if probability >= 1.0:
        return np.ones(n, dtype=bool)
    limit = np.uint64(int(probability * 2.0**64))
    return np.asarray(source.words(n) < limit)
