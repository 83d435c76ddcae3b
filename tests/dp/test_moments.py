"""Tests of the private release of a table: sensitivity, noise, what an attacker can see."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthgen.dp import moments
from synthgen.dp.budget import DPMarginals
from synthgen.dp.coarsen import PublicColumn
from synthgen.dp.ledger import Ledger
from synthgen.dp.mechanisms import project_simplex
from synthgen.dp.moments import (
    PairTables,
    join_cells,
    release_histograms,
    release_moments,
    release_pairs,
)
from synthgen.dp.noise import SystemNoise, TestNoise
from synthgen.dp.pairs import choose_pairs, pair_scores, score_sensitivity
from synthgen.dp.plan import MarginalPlan, plan_marginals
from synthgen.dp.quantiles import magnitude_cells
from synthgen.dp.tables import all_pairs, count_cells, count_pairs
from synthgen.errors import InvalidDataError

COLUMNS = [
    PublicColumn(40, ordered=True),
    PublicColumn(6, ordered=False),
    PublicColumn(2, ordered=False),
    PublicColumn(13, ordered=True, missing=True),
    PublicColumn(9, ordered=False, missing=True),
    PublicColumn(5, ordered=True),
]
SIZES = [column.size for column in COLUMNS]


def rows(n: int, seed: int = 0) -> np.ndarray:
    """Return encoded rows in which all columns follow one hidden number."""
    rng = np.random.default_rng(seed)
    hidden = rng.random(n)
    columns = [
        np.clip((hidden + rng.normal(0, 0.15, n)) % 1 * size, 0, size - 1).astype(np.int64)
        for size in SIZES
    ]
    return np.stack(columns, axis=1)


def plan_for(epsilon: float, n: int, **facts: Any) -> tuple[MarginalPlan, Ledger]:
    privacy = DPMarginals(epsilon, delta=1e-6, **facts)
    return plan_marginals(privacy, n, len(COLUMNS)), privacy.open_ledger(n)


class Recorder:
    """Stands in for the noisy counts: keeps the exact ones, and adds noise or none."""

    def __init__(self, original: Callable[..., Any] | None = None) -> None:
        self.original = original
        self.calls: list[dict[str, Any]] = []

    def __call__(self, counts: list[np.ndarray], **facts: Any) -> list[np.ndarray]:
        exact = [array.astype(np.float64) for array in counts]
        noisy = exact if self.original is None else self.original(counts, **facts)
        self.calls.append({"exact": exact, "noisy": noisy, **facts})
        return noisy


def neighbours(codes: np.ndarray, adjacency: str, rng: np.random.Generator) -> np.ndarray:
    row = rng.integers(len(codes))
    changed = codes.copy()
    if adjacency == "add_remove":
        return np.delete(codes, row, axis=0)
    if adjacency == "zero_out":
        changed[row] = -1
    else:
        changed[row] = [rng.integers(-1, size) for size in SIZES]
    return changed


def moved(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    """Return the Euclidean distance of two lists of counts."""
    return math.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(first, second, strict=True)))


@pytest.mark.parametrize("adjacency", ["zero_out", "add_remove", "replace_one"])
def test_no_row_moves_more_than_is_charged(adjacency: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    recorder = Recorder()
    monkeypatch.setattr(moments, "gaussian_counts", recorder)
    n_rows = None if adjacency == "add_remove" else 60
    ledger = Ledger(1e3, 1e-6, adjacency=adjacency, n_rows=n_rows, noise=TestNoise(0))
    largest = [0.0, 0.0]
    for trial in range(60):
        codes = rows(60, seed=trial)
        histograms = release_histograms(codes, COLUMNS, sigma=1.0, ledger=ledger)
        coarse = join_cells(COLUMNS, histograms, noise=2.0, most=8)
        pairs = all_pairs(len(COLUMNS))[:: 1 + trial % 2]
        for table in (codes, neighbours(codes, adjacency, rng)):
            release_histograms(table, COLUMNS, sigma=1.0, ledger=ledger)
            release_pairs(table, histograms, coarse, pairs, 1.0, ledger)
        one, two = recorder.calls[-4:-2], recorder.calls[-2:]
        for step, (first, second) in enumerate(zip(one, two, strict=True)):
            distance = moved(first["exact"], second["exact"])
            assert distance <= ledger.sensitivity(first["tables"]) + 1e-9
            largest[step] = max(largest[step], distance / ledger.sensitivity(first["tables"]))
    # The worst row comes close, so that a smaller charge would have been noticed.
    assert min(largest) > 0.95


@pytest.mark.parametrize("adjacency", ["zero_out", "replace_one"])
def test_no_row_moves_scores_more_than_is_charged(adjacency: str) -> None:
    rng = np.random.default_rng(2)
    shares = [np.full(size, 1 / size) for size in SIZES]
    ledger = Ledger(1e6, 1e-6, adjacency=adjacency, n_rows=60, noise=TestNoise(0))
    largest = 0.0
    for trial in range(40):
        codes = rows(60, seed=trial)
        scores = []
        for table in (codes, neighbours(codes, adjacency, rng)):
            found = pair_scores(list(table.T), shares, n_rows=60.0, sigma=0.01, ledger=ledger)
            scores.append(np.array(list(found.values())))
            ledger.events.clear()
        largest = max(largest, float(np.linalg.norm(scores[0] - scores[1])))
    limit = score_sensitivity(len(scores[0]), adjacency)
    assert 0.5 * limit < largest <= limit + 0.5


def test_cells_of_magnitude_count_a_row_once() -> None:
    values = np.array([3.0, -7.0, np.nan, 0.0])
    cells = magnitude_cells(values)
    assert np.bincount(cells[cells >= 0]).sum() == 3


def measured_mu(recorder: Recorder, canary: list[int], trials: int) -> float:
    """Return how far the best test statistic of an attacker moves, in standard deviations.

    The attacker sees all noisy numbers and knows all other rows. The logarithm of the likelihood
    ratio is the sum over the canary's cells of (noisy - count of the others) / sigma^2.
    """
    statistics = []
    codes = rows(200)
    plan, ledger = plan_for(3.0, 500)
    for present in (True, False):
        world = []
        codes[0] = canary if present else -1
        for _ in range(trials):
            recorder.calls.clear()
            ledger.events.clear()
            release = release_moments(codes, COLUMNS, plan, ledger, 32)
            total = 0.0
            for call, cells in zip(recorder.calls, _cells(canary, release), strict=True):
                for noisy, exact, cell in zip(call["noisy"], call["exact"], cells, strict=True):
                    others = exact[cell] - present
                    total += (noisy[cell] - others) / call["sigma"] ** 2
            world.append(total)
        statistics.append(np.array(world))
    spread = math.sqrt((statistics[0].var() + statistics[1].var()) / 2)
    return float(statistics[0].mean() - statistics[1].mean()) / spread


def _cells(canary: list[int], release: moments.Release) -> list[list[Any]]:
    joined = [int(part.groups[code]) for part, code in zip(release.coarse, canary, strict=True)]
    return [
        [(code,) for code in canary],
        [(joined[i], joined[j]) for i, j in release.tables.pairs],
    ]


def test_attacker_learns_what_the_budget_says(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(moments.gaussian_counts)
    monkeypatch.setattr(moments, "gaussian_counts", recorder)
    plan, _ = plan_for(3.0, 500)
    trials = 400
    found = measured_mu(recorder, [39, 5, 1, 12, 8, 4], trials)
    # The standard error of a difference of means is sqrt(2 / trials).
    assert abs(found - plan.mu) < 5.5 * math.sqrt(2 / trials)
    assert plan.mu == pytest.approx(0.6477, abs=1e-3)


def test_too_little_noise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(moments.gaussian_counts)
    monkeypatch.setattr(moments, "gaussian_counts", recorder)
    # The root of the number of tables is forgotten: a plausible mistake.
    monkeypatch.setattr(Ledger, "sensitivity", lambda self, tables: 1.0)
    trials = 250
    found = measured_mu(recorder, [39, 5, 1, 12, 8, 4], trials)
    assert found > 0.6477 + 5.5 * math.sqrt(2 / trials)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 10.0])
def test_a_release_spends_the_budget_and_no_more(epsilon: float) -> None:
    plan, ledger = plan_for(epsilon, 3_000)
    release_moments(rows(3_000), COLUMNS, plan, ledger, 32)
    assert [event.note for event in ledger.events] == [
        "histograms of 6 columns",
        "tables of 15 pairs of columns",
    ]
    assert ledger.spent().epsilon == pytest.approx(epsilon, rel=1e-6)
    assert ledger.spent().method == "exact"


def test_noise_of_fifteen_columns() -> None:
    plan = plan_marginals(DPMarginals(1.0), 32_561, 15)
    ledger = DPMarginals(1.0).open_ledger(32_561)
    assert plan.sigma("one_way", 15, ledger) == pytest.approx(36.6, abs=0.05)
    assert plan.sigma("pairs", 105, ledger) == pytest.approx(48.4, abs=0.05)


def test_released_tables_are_near_the_truth() -> None:
    codes = rows(20_000)
    plan, ledger = plan_for(3.0, 20_000)
    release = release_moments(codes, COLUMNS, plan, ledger, 32)
    for column, counts in enumerate(release.histograms.counts):
        truth = count_cells(codes[:, column], SIZES[column])
        assert counts.sum() == pytest.approx(20_000)
        assert np.abs(counts - truth).max() < 6 * release.histograms.sigma
    joined = np.stack([part.encode(codes[:, k]) for k, part in enumerate(release.coarse)], axis=1)
    tables = release.tables
    truth = np.zeros((tables.starts[-1], tables.starts[-1]))
    for (i, j), table in zip(tables.pairs, tables.tables, strict=True):
        exact = count_pairs(joined[:, i], joined[:, j], table.shape) / 20_000
        miss = np.abs(project_simplex(table, 1.0) - exact).sum() / 2
        assert miss < 0.08
        truth[tables.starts[i] : tables.starts[i + 1], tables.starts[j] : tables.starts[j + 1]] = (
            exact
        )
    # The exact table misses by the noise alone; independent columns by much more.
    ridge = tables.sigma**2 / 20_000
    shares = [
        ridge / (np.outer(tables.singles[i], tables.singles[j]) + ridge).ravel()
        for i, j in tables.pairs
    ]
    assert tables.misfit(truth) == pytest.approx(np.concatenate(shares).mean(), rel=0.2)
    independent = np.outer(np.concatenate(tables.singles), np.concatenate(tables.singles))
    assert tables.misfit(independent) > 3


def test_moments_and_weights() -> None:
    plan, ledger = plan_for(1.0, 5_000)
    tables = release_moments(rows(5_000), COLUMNS, plan, ledger, 32).tables
    targets = tables.moments()
    width = int(tables.starts[-1])
    assert targets["pairs"].shape == targets["pair_weights"].shape == (width, width)
    assert (targets["pairs"] == targets["pairs"].T).all()
    assert (targets["pair_weights"] == targets["pair_weights"].T).all()
    assert (np.diagonal(targets["pairs"]) == targets["singles"]).all()
    block = slice(tables.starts[1], tables.starts[2])
    assert (targets["pair_weights"][block, block] == 0).all()
    i, j = tables.starts[0], tables.starts[1]
    expected = targets["singles"][i] * targets["singles"][j]
    assert targets["pair_weights"][i, j] == pytest.approx(
        1 / (expected + tables.sigma**2 / 5_000) / 36
    )
    assert (targets["single_weights"] > 0).all()


def test_state_of_tables_round_trips() -> None:
    plan, ledger = plan_for(1.0, 1_000)
    tables = release_moments(rows(1_000), COLUMNS, plan, ledger, 32).tables
    again = PairTables.from_state(*tables.to_state())
    for name, value in tables.moments().items():
        assert (again.moments()[name] == value).all()


def test_private_number_of_rows_comes_from_noise() -> None:
    codes = rows(4_000)
    privacy = DPMarginals(3.0, delta=1e-6, adjacency="add_remove")
    plan, ledger = plan_marginals(privacy, 4_000, len(COLUMNS)), privacy.open_ledger(4_000)
    assert ledger.n_rows is None
    release = release_moments(codes, COLUMNS, plan, ledger, 32)
    assert release.histograms.n_rows != 4_000
    assert release.histograms.n_rows == pytest.approx(4_000, abs=150)


def test_values_that_are_counted_nowhere() -> None:
    codes = np.full((600, len(COLUMNS)), -1)
    plan, ledger = plan_for(1.0, 600)
    release = release_moments(codes, COLUMNS, plan, ledger, 32)
    assert all(np.isfinite(table).all() for table in release.tables.tables)
    assert all(np.isfinite(value).all() for value in release.tables.moments().values())


def test_single_column() -> None:
    privacy = DPMarginals(1.0)
    plan, ledger = plan_marginals(privacy, 1_000, 1), privacy.open_ledger(1_000)
    release = release_moments(rows(1_000)[:, :1], COLUMNS[:1], plan, ledger, 32)
    assert release.tables.pairs == ()
    assert release.tables.misfit(np.zeros((40, 40))) == 0.0
    assert ledger.spent().epsilon == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("wrong", [np.full((5, 6), 99), np.full((5, 6), -2), np.zeros((5, 3), int)])
def test_codes_outside_the_public_cells(wrong: np.ndarray) -> None:
    plan, ledger = plan_for(1.0, 5)
    with pytest.raises(InvalidDataError, match=r"cells of their columns|each of 6"):
        release_moments(wrong, COLUMNS, plan, ledger, 32)
    assert ledger.events == []


def test_wide_tables_measure_the_pairs_that_matter() -> None:
    rng = np.random.default_rng(0)
    n, width = 20_000, 16
    codes = rng.integers(0, 4, (n, width))
    linked = [(0, 9), (3, 12), (5, 6)]
    for i, j in linked:
        codes[:, j] = np.where(rng.random(n) < 0.8, codes[:, i], codes[:, j])
    columns = [PublicColumn(4, ordered=False)] * width
    privacy = DPMarginals(3.0, max_pairs=40)
    plan, ledger = plan_marginals(privacy, n, width), privacy.open_ledger(n)
    tables = release_moments(codes, columns, plan, ledger, 32).tables
    assert set(linked) <= set(tables.pairs)
    assert 2 * width <= len(tables.pairs) <= 40
    assert {column for pair in tables.pairs for column in pair} == set(range(width))
    assert ledger.spent().epsilon == pytest.approx(3.0, rel=1e-6)
    every = plan_marginals(DPMarginals(3.0), n, width)
    assert tables.sigma < every.sigma("pairs", 120, ledger)


def test_choice_of_pairs_covers_all_columns() -> None:
    scores = dict.fromkeys(all_pairs(8), 0.0) | {(0, 1): 90.0, (0, 2): 80.0, (1, 2): 70.0}
    chosen = choose_pairs(scores, sigma=1.0, n_columns=8, most=28)
    assert {(0, 1), (0, 2), (1, 2)} <= set(chosen)
    assert {column for pair in chosen for column in pair} == set(range(8))
    assert len(choose_pairs(scores, sigma=1.0, n_columns=8, most=2)) == 2


def test_two_releases_differ() -> None:
    found = []
    for _ in range(2):
        plan, ledger = plan_for(1.0, 1_000)
        found.append(release_moments(rows(1_000), COLUMNS, plan, ledger, 32).histograms.counts[0])
    assert (found[0] != found[1]).any()
    assert isinstance(ledger.source, SystemNoise)
