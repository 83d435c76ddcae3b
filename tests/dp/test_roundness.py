"""Tests of round numbers: what is released, and what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from synthgen.dp.grid import NumberGrid
from synthgen.dp.ledger import Ledger
from synthgen.dp.noise import TestNoise
from synthgen.dp.roundness import release_roundness, round_steps
from synthgen.errors import InvalidParameterError

RNG = np.random.default_rng(0)


def ledger() -> Ledger:
    return Ledger(1e3, 1e-6, n_rows=20_000, noise=TestNoise(0))


def amounts(n: int = 20_000) -> np.ndarray:
    """Return amounts of which most are multiples of a thousand, and some of a hundred."""
    raw = RNG.lognormal(9, 1, n)
    step = RNG.choice([1, 100, 1_000], n, p=[0.1, 0.3, 0.6])
    return np.clip(np.rint(raw / step) * step, 0, 500_000)


def multiples(values: np.ndarray, step: float) -> float:
    return float((np.mod(values, step) == 0).mean())


def test_steps_divide_each_other() -> None:
    steps = round_steps(0.01, 1e9)
    assert steps[0] == pytest.approx(0.01)
    assert len(steps) == 13
    ratios = steps[1:] / steps[:-1]
    assert ratios == pytest.approx(np.rint(ratios))
    assert round_steps(1.0, 0.5).tolist() == [1.0]


def test_drawn_numbers_are_as_round_as_real_ones() -> None:
    values = amounts()
    grid = NumberGrid.public(0, 500_000, unit=1)
    (found,) = release_roundness([(grid, values)], sigma=30.0, ledger=ledger(), note="x")
    cells = grid.encode(values)
    drawn = found.decode(cells, np.random.default_rng(1))
    plain = grid.decode(cells, np.random.default_rng(1))
    assert (grid.encode(drawn) == cells).all()
    for step in (100, 1_000):
        real = multiples(values, step)
        assert abs(multiples(drawn, step) - real) < 0.12
        assert multiples(plain, step) < 0.25 * real
    assert multiples(drawn, 1) == 1.0


def test_numbers_that_are_not_round_stay_so() -> None:
    values = RNG.integers(0, 500_000, 20_000).astype(float)
    grid = NumberGrid.public(0, 500_000, unit=1)
    (found,) = release_roundness([(grid, values)], sigma=30.0, ledger=ledger(), note="x")
    drawn = found.decode(grid.encode(values), np.random.default_rng(1))
    assert multiples(drawn, 10) == pytest.approx(0.1, abs=0.03)
    assert found.shares.sum(axis=1) == pytest.approx(1.0)


def test_awkward_values() -> None:
    grid = NumberGrid.public(-1_000, 1_000, unit=0.5)
    values = np.array([np.nan, -1e9, 1e9, 0.0, 0.5, -0.5])
    (found,) = release_roundness([(grid, values)], sigma=5.0, ledger=ledger(), note="x")
    cells = np.append(np.arange(grid.size), -1)
    drawn = found.decode(cells, np.random.default_rng(0))
    assert np.isnan(drawn[-1])
    assert (grid.encode(drawn[:-1]) == cells[:-1]).all()
    assert np.mod(drawn[:-1], 0.5) == pytest.approx(0.0)


def test_a_row_is_counted_once_a_column(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def record(counts: list[np.ndarray], **facts: object) -> list[np.ndarray]:
        seen.append((counts, facts))
        return [count.astype(float) for count in counts]

    monkeypatch.setattr("synthgen.dp.roundness.gaussian_counts", record)
    values = amounts(500)
    grid = NumberGrid.public(0, 500_000, unit=1)
    for table in (values, np.append(values[:-1], np.nan)):
        release_roundness([(grid, table)] * 3, sigma=1.0, ledger=ledger(), note="x")
    (first, facts), (second, _) = seen
    assert facts["tables"] == 3
    moved = sum(np.abs(a - b).sum() for a, b in zip(first, second, strict=True))
    assert moved == 3
    assert first[0].sum() == 500


def test_without_a_granularity() -> None:
    book = ledger()
    with pytest.raises(InvalidParameterError, match="granularity"):
        release_roundness([(NumberGrid.public(0, 1), np.ones(3))], sigma=1.0, ledger=book, note="x")
    assert release_roundness([], sigma=1.0, ledger=book, note="x") == []
    assert book.events == []
