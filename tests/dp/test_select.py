"""Tests of partition selection: how often a value that one row holds is told."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthgen.dp.accounting import delta_at
from synthgen.dp.gaussian import gaussian_delta
from synthgen.dp.ledger import Ledger
from synthgen.dp.noise import SystemNoise
from synthgen.dp.select import (
    frequent_cells,
    keep_probabilities,
    keep_values,
    select_values,
    selection_threshold,
)


def ledger(delta: float = 0.2, **facts: object) -> Ledger:
    defaults = {"n_rows": 1_000, "noise": SystemNoise()}
    return Ledger(50.0, delta, **defaults | facts)  # type: ignore[arg-type]


def test_a_value_of_one_row_is_told_as_often_as_charged() -> None:
    trials, failure = 40_000, 0.05
    counts = np.ones(trials, dtype=np.int64)
    book = ledger()
    (told,) = select_values(
        [(range(trials), counts)], sigma=5.0, failure=failure, ledger=book, note="x"
    )
    spread = math.sqrt(failure / trials)
    assert failure - 8 * spread < len(told.values) / trials < failure + 6.2 * spread
    assert book.events[0].delta == failure


def test_frequent_values_are_told_with_their_counts() -> None:
    values = ["rare", "often", "most", "once"]
    counts = np.array([30, 400, 900, 1])
    book = ledger(1e-6)
    first, second = select_values(
        [(values, counts), (values[::-1], counts[::-1])],
        sigma=10.0,
        failure=1e-8,
        ledger=book,
        note="x",
    )
    assert first.values == second.values == ("most", "often")
    assert first.counts == pytest.approx([900, 400], abs=70)
    assert book.events[0].sensitivity == pytest.approx(math.sqrt(2))


def test_the_order_of_rows_is_not_told() -> None:
    values = list(range(200))
    counts = np.full(200, 100)
    book = ledger(0.2)
    (told,) = select_values([(values, counts)], sigma=1.0, failure=1e-3, ledger=book, note="x")
    assert len(told.values) == 200
    assert list(told.values) != values
    assert (np.diff(told.counts) <= 0).all()


def test_failure_is_shared_by_columns_and_sides() -> None:
    column = (["a"], np.array([100]))
    thresholds = {}
    for adjacency in ("zero_out", "replace_one"):
        book = ledger(1e-3, adjacency=adjacency)
        told = select_values([column] * 4, sigma=4.0, failure=1e-4, ledger=book, note="x")
        thresholds[adjacency] = told[0].threshold
    assert thresholds["zero_out"] == pytest.approx(selection_threshold(4.0, 1e-4 / 4))
    assert thresholds["replace_one"] == pytest.approx(selection_threshold(4.0, 1e-4 / 8))


@pytest.mark.parametrize(("epsilon", "delta"), [(0.1, 1e-3), (1.0, 1e-2), (1.0, 1e-6), (5.0, 0.1)])
def test_optimal_rule_is_private_and_cannot_be_better(epsilon: float, delta: float) -> None:
    keep = keep_probabilities(epsilon, delta, 400)
    more, fewer = keep[1:], keep[:-1]
    factor = math.exp(epsilon)
    slack = 1e-12
    assert (more <= factor * fewer + delta + slack).all()
    assert (1 - fewer <= factor * (1 - more) + delta + slack).all()
    assert keep[0] == 0.0
    assert keep[1] == pytest.approx(delta)
    # One of the two limits, or certainty, is met with equality at every count.
    room = np.minimum(factor * fewer + delta - more, 1 - more - (1 - fewer - delta) / factor)
    assert (np.minimum(room, 1 - more) < 1e-9).all()


def test_optimal_rule_keeps_values_as_often_as_it_says() -> None:
    trials = 20_000
    keep = keep_probabilities(1.0, 0.05, 3)
    for count in (1, 2, 3):
        book = ledger(0.2)
        told = keep_values(
            range(trials), np.full(trials, count), epsilon=1.0, failure=0.05, ledger=book, note="x"
        )
        spread = math.sqrt(keep[count] * (1 - keep[count]) / trials)
        assert abs(len(told) / trials - keep[count]) < 6.2 * spread
        assert list(told) == sorted(told, key=repr)


def test_optimal_rule_keeps_all_that_is_frequent() -> None:
    values = [f"v{k}" for k in range(500)]
    told = keep_values(
        values, np.full(500, 10_000), epsilon=0.5, failure=1e-6, ledger=ledger(1e-5), note="x"
    )
    assert set(told) == set(values)


def test_optimal_rule_with_other_values_in_a_row() -> None:
    book = ledger(0.2, adjacency="replace_one")
    keep_values(["a"], np.array([5]), epsilon=1.0, failure=0.05, ledger=book, note="x")
    assert book.events[0].ratio == pytest.approx(1.0)
    assert book.events[0].delta == pytest.approx(0.05)


def test_round_numbers_are_found_on_a_declared_grid() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(1.0, 20_000)
    counts[[1_000, 5_000, 10_000]] += 500
    found = [
        frequent_cells([counts], sigma=40.0, ledger=ledger(), note="atoms")[0] for _ in range(20)
    ]
    assert all({1_000, 5_000, 10_000} <= set(cells.tolist()) for cells in found)
    # Something else in one of twenty, on average.
    assert sum(len(cells) - 3 for cells in found) <= 12


def test_nothing_is_charged_for_no_columns() -> None:
    book = ledger()
    assert select_values([], sigma=1.0, failure=0.1, ledger=book, note="x") == []
    assert frequent_cells([], sigma=1.0, ledger=book, note="x") == []
    assert book.events == []


def test_failure_adds_to_the_delta_of_the_noise() -> None:
    book = ledger(0.2)
    select_values([(["a"], np.array([9]))], sigma=2.0, failure=1e-3, ledger=book, note="x")
    assert delta_at(book.events, 1.0) == pytest.approx(gaussian_delta(0.5, 1.0) + 1e-3)
