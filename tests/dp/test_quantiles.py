"""Tests of private ranges, quantiles and missing shares, and of the mechanisms below them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from synthgen.dp.ledger import Ledger
from synthgen.dp.mechanisms import (
    chance_threshold,
    exponential_choice,
    gaussian_counts,
    geometric_count,
    project_simplex,
)
from synthgen.dp.noise import SystemNoise, TestNoise
from synthgen.dp.quantiles import (
    histogram_quantiles,
    magnitude_cells,
    private_bounds,
    private_gaps,
    private_quantile,
)
from synthgen.errors import InvalidParameterError


def ledger(epsilon: float = 1e3, seed: int | None = None) -> Ledger:
    noise = SystemNoise() if seed is None else TestNoise(seed)
    return Ledger(epsilon, 1e-6, n_rows=1_000, noise=noise)


def test_cells_of_magnitude() -> None:
    values = np.array([0.0, 1.0, 1.5, 2.0, -1.0, -2.0, np.nan, 1e-30, np.inf, -np.inf])
    cells = magnitude_cells(values)
    zero, one, _, two, minus_one, minus_two, gap, tiny, most, least = cells.tolist()
    assert cells[1] == cells[2]
    assert (two - one, minus_one - minus_two) == (1, 1)
    assert one - zero == zero - minus_one
    assert (gap, tiny) == (-1, zero)
    assert (least, most) == (0, 2 * zero)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (17, 90, (16.0, 128.0)),
        (-5, 90, (-8.0, 128.0)),
        (-300, -40, (-512.0, -32.0)),
        (0, 0, (0.0, 0.0)),
        (0.01, 0.9, (2**-7, 1.0)),
    ],
)
def test_range_of_the_bulk(low: float, high: float, expected: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    values = np.linspace(low, high, 4_000)
    values = np.concatenate([values, np.repeat([low, high], 200), rng.choice([1e9, np.nan], 3)])
    (found,) = private_bounds([values], sigma=3.0, ledger=ledger(seed=1), note="x")
    assert found == expected


def test_one_extreme_value_does_not_widen_the_range() -> None:
    values = np.append(np.linspace(1, 3.9, 2_000), [1e12])
    wider = 0
    for _ in range(200):
        (found,) = private_bounds([values], sigma=20.0, ledger=ledger(), note="x")
        wider += found != (1.0, 4.0)
    # Noise alone widens a range in one of twenty.
    assert wider <= 32


def test_no_range_for_few_rows() -> None:
    found = private_bounds(
        [np.array([1.0, 2.0]), np.full(500, np.nan)], sigma=30.0, ledger=ledger(seed=0), note="x"
    )
    assert found == [None, None]


def test_ranges_cost_one_histogram_a_column() -> None:
    book = ledger()
    private_bounds([np.ones(10)] * 4, sigma=8.0, ledger=book, note="ranges")
    assert [(e.note, e.ratio) for e in book.events] == [("ranges", 2.0 / 8.0)]


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_quantiles_are_near(share: float) -> None:
    values = np.random.default_rng(0).normal(size=5_000)
    book = ledger()
    found = private_quantile(
        values, share, bounds=(-1e3, 1e3), epsilon=1.0, ledger=book, note="quantile"
    )
    ranks = np.searchsorted(np.sort(values), found)
    assert abs(ranks - share * 5_000) < 60
    assert book.events[0].ratio == pytest.approx(1.0)


def test_quantiles_of_awkward_values() -> None:
    bounds = (0.0, 10.0)
    arguments: dict[str, Any] = {"bounds": bounds, "epsilon": 1.0, "note": "x"}
    for values in (np.empty(0), np.full(5, np.nan), np.full(100, 7.0), np.array([1e300, -1e300])):
        found = private_quantile(values, 0.5, ledger=ledger(), **arguments)
        assert 0 <= found <= 10
    point = private_quantile(
        np.ones(9), 0.5, bounds=(2.0, 2.0), epsilon=1.0, ledger=ledger(), note="x"
    )
    assert point == 2.0


def test_quantile_keeps_its_epsilon() -> None:
    """The odds of any region between neighbours stay within exp(epsilon)."""
    values = np.array([1.0, 2.0, 3.0, 4.0, 9.0])
    epsilon, trials = 1.0, 1_500
    found = []
    for table in (values, values[:-1]):
        draws = [
            private_quantile(
                table, 0.9, bounds=(0.0, 10.0), epsilon=epsilon, ledger=ledger(), note="x"
            )
            for _ in range(trials)
        ]
        found.append(np.histogram(draws, bins=[0, 2, 4, 6, 10])[0] / trials)
    spread = 6 / np.sqrt(found[1] * trials)
    ratio = np.abs(np.log(found[0] / found[1]))
    assert (ratio < epsilon + spread).all()
    assert ratio.max() > 0.1


def test_quantiles_of_a_histogram() -> None:
    counts, edges = np.array([1.0, 0.0, 3.0]), np.array([0.0, 1.0, 2.0, 5.0])
    assert histogram_quantiles(counts, edges, [0, 0.125, 0.625, 1]).tolist() == [0, 0.5, 3.5, 5]


def test_missing_values() -> None:
    masks = [np.arange(2_000) < 400, np.zeros(2_000, bool), np.arange(2_000) < 1]
    book = ledger(seed=3)
    many, none, one = private_gaps(masks, sigma=10.0, ledger=book, note="gaps")
    assert many == pytest.approx(400, abs=60)
    assert (none, one) == (0.0, 0.0)


def test_choice_has_its_probabilities() -> None:
    scores, epsilon, trials = np.array([0.0, 1.0, 3.0]), 1.0, 3_000
    weights = np.exp(epsilon * scores / 2)
    book = ledger(seed=0)
    book = Ledger(1e5, 1e-6, n_rows=1, noise=TestNoise(0))
    drawn = [
        exponential_choice(scores, sensitivity=1.0, epsilon=epsilon, ledger=fresh(book), note="x")
        for _ in range(trials)
    ]
    found = np.bincount(drawn, minlength=3) / trials
    expected = weights / weights.sum()
    assert (np.abs(found - expected) < 6.2 * np.sqrt(expected / trials)).all()


def fresh(book: Ledger) -> Ledger:
    """Forget what was charged, so that many trials take no long sums."""
    book.events.clear()
    return book


def test_single_counts() -> None:
    book = ledger(seed=0)
    found = geometric_count(1_000, epsilon=2.0, ledger=book, note="rows")
    assert isinstance(found, int)
    assert abs(found - 1_000) < 20
    assert book.events[0].mechanism == "pure"
    assert book.events[0].ratio == 2.0


def test_counts_must_be_whole() -> None:
    with pytest.raises(InvalidParameterError, match="whole"):
        gaussian_counts([np.array([0.5])], tables=1, sigma=9.0, ledger=ledger(), note="x")


def test_projection_on_the_simplex() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        noisy = rng.normal(3, 10, (4, 5))
        found = project_simplex(noisy, 50.0)
        assert found.shape == noisy.shape
        assert found.sum() == pytest.approx(50.0)
        assert (found >= 0).all()
        # The nearest point: all cells that stay positive are moved by the same amount.
        moved = (noisy - found)[found > 0]
        assert np.ptp(moved) < 1e-9
        assert (noisy[found == 0] <= moved[0] + 1e-9).all()
    assert project_simplex(np.array([3.0]), 0.0).tolist() == [0.0]


def test_threshold_of_chance() -> None:
    threshold = chance_threshold(2.0, 50, 0.1)
    trials = np.random.default_rng(0).normal(0, 2.0, (20_000, 50)).max(axis=1)
    assert (trials > threshold).mean() == pytest.approx(0.1, abs=0.01)
    assert math.isfinite(chance_threshold(1.0, 10**6, 1e-9))
    assert chance_threshold(1.0, 0, 0.1) == 0.0
