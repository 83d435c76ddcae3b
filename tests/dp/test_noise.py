"""Tests of noise: its distribution, its grid, and that nothing can repeat it."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from scipy import stats

from synthgen.dp.noise import (
    SystemNoise,
    TestNoise,
    bernoulli,
    gaussian,
    grid_gaussian,
    grid_step,
    gumbel,
    noise_source,
    two_sided_geometric,
    uniform,
)

SYSTEM = SystemNoise()
#: A right sampler fails a test less than once in a billion runs.
ALARM = 1e-9


class Words:
    """A source of given words."""

    is_private = False

    def __init__(self, word: int) -> None:
        self.word = word

    def words(self, n: int) -> np.ndarray:
        return np.full(n, self.word, dtype=np.uint64)


def looks_like(sample: np.ndarray, distribution: str, *args: float) -> bool:
    return bool(stats.kstest(sample, distribution, args=args).pvalue > ALARM)


@pytest.mark.parametrize("source", [SYSTEM, TestNoise(1)])
def test_gaussian_is_normal(source: SystemNoise) -> None:
    sample = gaussian(source, (200, 1_000), 3.0).ravel()
    assert looks_like(sample, "norm", 0.0, 3.0)
    assert not looks_like(sample, "norm", 0.0, 3.2)
    assert not looks_like(sample, "norm", 0.15, 3.0)


def test_gaussian_draws_are_independent() -> None:
    sample = gaussian(SYSTEM, 200_000, 1.0)
    for lag in (1, 2, 7):
        assert abs(np.mean(sample[lag:] * sample[:-lag])) < 6.2 / np.sqrt(len(sample))
    assert abs(np.mean(sample[1:] ** 2 * sample[:-1] ** 2) - 1) < 6.2 * 3 / np.sqrt(len(sample))


def test_gaussian_tails() -> None:
    sample = np.abs(gaussian(SYSTEM, 1_000_000, 1.0))
    assert 4.0 < sample.max() < 9.3
    assert abs((sample > 3).mean() - 2.69980e-3) < 6.2 * np.sqrt(2.7e-3 / len(sample))


@pytest.mark.parametrize("word", [0, 1, 2**64 - 2, 2**64 - 1])
def test_extreme_words_give_finite_noise(word: int) -> None:
    noise = gaussian(Words(word), 3, 2.0)
    assert np.isfinite(noise).all()
    assert np.abs(noise).max() < 2.0 * 9.3
    assert np.isfinite(gumbel(Words(word), 3)).all()
    assert ((uniform(Words(word), 3) > 0) & (uniform(Words(word), 3) < 1)).all()


@pytest.mark.parametrize("sigma", [0.3, 48.4, 5_000.0])
def test_noise_for_counts_lies_on_a_grid(sigma: float) -> None:
    step = grid_step(sigma)
    noise = grid_gaussian(SYSTEM, 100_000, sigma)
    released = 123_456 + noise
    assert step <= min(sigma / 1024, 1)
    assert np.log2(step) == int(np.log2(step))
    assert (released / step == np.rint(released / step)).all()
    assert looks_like(noise + step * (uniform(SYSTEM, len(noise)) - 0.5), "norm", 0.0, sigma)


def test_nothing_repeats_system_noise() -> None:
    draws = []
    for _ in range(2):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            draws.append(gaussian(SYSTEM, 100, 1.0))
    assert (draws[0] != draws[1]).all()


def test_drawing_leaves_global_generators_alone() -> None:
    before = torch.random.get_rng_state()
    gaussian(SYSTEM, 100, 1.0)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_seed_repeats_and_is_not_private() -> None:
    first, second = (gaussian(TestNoise(3), 100, 1.0) for _ in range(2))
    assert (first == second).all()
    assert not TestNoise(3).is_private
    assert noise_source(None).is_private
    assert not noise_source(3).is_private


def test_a_million_draws_are_quick() -> None:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        grid_gaussian(SYSTEM, 1_000_000, 40.0)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.5


def test_geometric_noise_has_its_probabilities() -> None:
    n, epsilon = 200_000, 0.7
    sample = two_sided_geometric(SYSTEM, n, epsilon)
    alpha = np.exp(-epsilon)
    values = np.arange(-8, 9)
    expected = (1 - alpha) / (1 + alpha) * alpha ** np.abs(values)
    found = np.array([(sample == value).mean() for value in values])
    assert (np.abs(found - expected) < 6.5 * np.sqrt(expected / n)).all()


def test_gumbel_is_gumbel() -> None:
    assert looks_like(gumbel(SYSTEM, 100_000), "gumbel_r")


def test_coins() -> None:
    n, rate = 500_000, 0.0314
    coins = bernoulli(SYSTEM, n, rate)
    assert abs(coins.mean() - rate) < 6.2 * np.sqrt(rate * (1 - rate) / n)
    assert bernoulli(SYSTEM, 10, 1.0).all()
    assert not bernoulli(SYSTEM, 10, 0.0).any()
    batches = bernoulli(SYSTEM, 400_000, 0.1).reshape(2_000, 200)
    # The size of a Poisson batch varies as a binomial's; a shuffled one would not at all.
    assert 0.8 < batches.sum(1).var() / (200 * 0.1 * 0.9) < 1.2
    both = (batches[:, 0] & batches[:, 1]).mean()
    assert abs(both - 0.01) < 6.2 * np.sqrt(0.01 / 2_000)
