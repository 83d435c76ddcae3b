from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from synthgen.encode.layout import EncodedTable
from synthgen.sample.refine import fit_refiner, rows_drawn, systematic
from tests.nn.layouts import linked_table, random_table, small_layout


@given(
    weights=st.lists(st.floats(0.01, 1.0), min_size=2, max_size=40),
    n=st.integers(1, 30),
    seed=st.integers(0, 99),
)
def test_systematic_sampling_keeps_expected_counts(weights: list[float], n: int, seed: int) -> None:
    """Each place is chosen its expected number of times, rounded up or down."""
    w = np.array(weights)
    chosen = systematic(w, n, np.random.default_rng(seed))
    assert len(chosen) == n
    assert (np.diff(chosen) >= 0).all()
    counts = np.bincount(chosen, minlength=len(w))
    expected = n * w / w.sum()
    assert (counts >= np.floor(expected - 1e-9)).all()
    assert (counts <= np.ceil(expected + 1e-9)).all()


def test_places_without_weight_are_never_chosen() -> None:
    weights = np.array([0.0, 1.0, 0.0, 2.0, 0.0])
    for seed in range(20):
        chosen = systematic(weights, 6, np.random.default_rng(seed))
        assert set(chosen.tolist()) == {1, 3}


def draw_independent(n: int, number: int) -> EncodedTable:
    """Draw as a generator would that knows the marginals only."""
    return random_table(small_layout(), n, seed=1_000 + number)


def related(n: int, seed: int) -> EncodedTable:
    """Return rows whose second block and second head both follow a hidden number, roughly."""
    table = random_table(small_layout(), n, seed)
    hidden, first, second = np.random.default_rng(seed).standard_normal((3, n))
    table.values[:, 1] = 0.7 * hidden + np.sqrt(0.51) * first
    place = ndtr(0.7 * hidden + np.sqrt(0.51) * second)
    table.codes[:, 1] = np.searchsorted([0.4, 0.7, 0.9], place)
    return table


def correlation(table: EncodedTable) -> float:
    return float(np.corrcoef(table.codes[:, 1], table.values[:, 1])[0, 1])


def test_rows_of_a_wrong_generator_move_towards_the_real_ones() -> None:
    layout = small_layout()
    train, holdout = related(4_000, seed=1), related(1_000, seed=2)
    report = fit_refiner(layout, train, holdout, draw_independent, seed=0)
    refiner = report.refiner
    assert refiner is not None
    assert report.facts["trees"] > 1
    assert report.facts["detection_after"] < report.facts["detection_before"] - 0.03
    fresh = draw_independent(12_000, 9)
    weights = refiner.weights(fresh)
    assert ((weights > 0) & (weights <= refiner.pool)).all()
    kept = fresh.take(refiner.keep(fresh, 4_000, np.random.default_rng(0)))
    assert len(kept) == 4_000
    assert abs(correlation(fresh)) < 0.05
    assert correlation(train) > 0.35
    assert correlation(kept) > 0.5 * correlation(train)


def test_hidden_columns_are_neither_judged_nor_raked() -> None:
    """What is worked out later may be generated as it likes: no weight is spent on it."""
    layout = small_layout()
    hidden = [layout.blocks[1].column]
    real = random_table(layout, 5_000, seed=1)
    train, holdout = real.take(slice(0, 4_000)), real.take(slice(4_000, None))

    def draw(n: int, number: int) -> EncodedTable:
        table = draw_independent(n, number)
        table.codes[:, 1] = 3 - table.codes[:, 1]
        return table

    seen = fit_refiner(layout, train, holdout, draw, seed=0)
    assert seen.facts["trees"] > 1
    report = fit_refiner(layout, train, holdout, draw, seed=0, hidden=hidden)
    assert report.refiner is not None
    assert report.facts["trees"] <= 1
    fresh = draw(5_000, 8)
    cells = np.flatnonzero(layout.cell_columns == hidden[0])
    assert (report.refiner.raking.log_factors[cells] == 0.0).all()
    kept = report.refiner.keep(fresh, 2_000, np.random.default_rng(0))
    assert len(np.unique(kept)) == 2_000


def test_fewer_rows_are_drawn_when_it_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.sample.refine._LATE", (1_000, 8_000))
    asked: list[int] = []

    def draw(n: int, number: int) -> EncodedTable:
        asked.append(n)
        return draw_independent(n, number)

    tables = related(4_000, seed=1), related(1_000, seed=2)
    for late in (False, True):
        fit_refiner(small_layout(), *tables, draw, seed=0, late=late)
    # For weights and marginals, to learn from, and to stop by.
    assert asked == [40_000, 16_000, 4_000, 8_000, 4_000, 4_000]
    drawn = [rows_drawn(4_000, 1_000, late=late) for late in (False, True)]
    assert drawn == [sum(asked[:3]), sum(asked[3:])]


def test_a_right_generator_is_left_alone() -> None:
    layout = small_layout()
    report = fit_refiner(
        layout,
        random_table(layout, 2_000, seed=1),
        random_table(layout, 500, seed=2),
        draw_independent,
        seed=0,
    )
    facts = report.facts
    assert facts["effective"] > 0.9
    assert facts["trees"] <= 5 or facts["detection_after"] < 0.53


def test_few_rows_have_no_critic_unless_asked_for() -> None:
    layout, table = small_layout(), linked_table(300)
    report = fit_refiner(layout, table, table.take(slice(0, 0)), draw_independent, seed=0)
    assert report.facts["reason"] == "too few rows for a critic"
    assert report.refiner is not None
    assert report.refiner.model is None
    insisted = fit_refiner(
        layout, table, table.take(slice(0, 0)), draw_independent, seed=0, insist=True
    )
    assert "detection_before" in insisted.facts or "critic" in insisted.facts["reason"]


def test_the_same_seed_gives_the_same_refiner() -> None:
    layout = small_layout()
    reports = [
        fit_refiner(
            layout, linked_table(1_500, seed=1), linked_table(500, seed=2), draw_independent, seed=3
        )
        for _ in range(2)
    ]
    first, second = (report.refiner for report in reports)
    assert first is not None
    assert second is not None
    assert first.model == second.model
    np.testing.assert_array_equal(first.raking.log_factors, second.raking.log_factors)
