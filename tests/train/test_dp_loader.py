"""Tests of Poisson sampling."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from synthgen.dp.noise import SystemNoise, TestNoise
from synthgen.errors import InvalidParameterError
from synthgen.train.dp_loader import PoissonRows


def batches(n: int, q: float, count: int, seed: int = 0) -> np.ndarray:
    """Return which row is in which batch, (count, n)."""
    rows = PoissonRows(n, q, TestNoise(seed))
    found = np.zeros((count, n), dtype=bool)
    for k in range(count):
        found[k, rows.batch()] = True
    return found


def test_rows_are_in_batches_with_one_probability_independently() -> None:
    n, q, count = 400, 0.03, 3_000
    found = batches(n, q, count)
    per_row = found.sum(0)
    assert stats.chisquare(per_row, np.full(n, per_row.mean())).pvalue > 1e-3
    assert abs(per_row.mean() / count - q) < 4 * np.sqrt(q / (count * n))
    sizes = found.sum(1)
    # Binomial sizes: neither fixed, nor more spread than independent rows give.
    assert sizes.var() == pytest.approx(n * q * (1 - q), rel=0.12)
    together = (found[:, 0::2] & found[:, 1::2]).mean()
    assert together == pytest.approx(q * q, rel=0.25)
    following = (found[:-1] & found[1:]).mean()
    assert following == pytest.approx(q * q, rel=0.15)


def test_empty_and_full_batches() -> None:
    assert any(not row.any() for row in batches(20, 0.01, 50))
    assert batches(5, 1.0, 2).all()
    assert len(PoissonRows(0, 0.5, SystemNoise()).batch()) == 0


def test_nobody_can_repeat_the_batches() -> None:
    first, second = (PoissonRows(500, 0.5, SystemNoise()).batch() for _ in range(2))
    assert first.tolist() != second.tolist()
    assert (np.diff(first) > 0).all()


@pytest.mark.parametrize(("n", "q"), [(-1, 0.5), (5, 0.0), (5, 1.5)])
def test_bad_parameters(n: int, q: float) -> None:
    with pytest.raises(InvalidParameterError):
        PoissonRows(n, q, SystemNoise())
