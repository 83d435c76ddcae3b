from __future__ import annotations

import itertools

import numpy as np
import pytest

from synthgen.encode.layout import REST, EncodedTable, Layout, StateBlock
from synthgen.sample import fit_corrections as module
from synthgen.sample.fit_corrections import fit_corrections
from synthgen.sample.places import BlockPlace
from tests.nn.layouts import random_table, small_layout


def draw_independent(n: int, number: int) -> EncodedTable:
    """Draw as a generator would that knows the marginals only."""
    return random_table(small_layout(), n, seed=1_000 + number)


def related(n: int, seed: int) -> EncodedTable:
    """Return rows whose first head follows the second one, and whose block follows both."""
    table = random_table(small_layout(), n, seed)
    rng = np.random.default_rng(seed)
    is_open = table.codes[:, 0] == REST
    noise = rng.standard_normal(n)
    table.values[:, 0] = np.where(is_open, 0.8 * table.values[:, 1] + 0.6 * noise, 0.0)
    table.codes[:, 1] = np.searchsorted([-0.25, 0.5, 1.3], 0.9 * table.values[:, 1] + 0.4 * noise)
    return table


def dependence(table: EncodedTable) -> tuple[float, float]:
    """Return the correlations of the second head with the first one and with the block."""
    is_open = table.codes[:, 0] == REST
    first = np.corrcoef(table.values[is_open, 0], table.values[is_open, 1])[0, 1]
    return float(first), float(np.corrcoef(table.codes[:, 1], table.values[:, 1])[0, 1])


@pytest.mark.parametrize("n_holdout", [1_200, 300, 0])
def test_columns_come_to_depend_on_each_other_as_real_ones_do(n_holdout: int) -> None:
    layout = small_layout()
    report = fit_corrections(
        layout, related(3_000, seed=1), related(n_holdout, seed=2), draw_independent, seed=0
    )
    assert report.corrections is not None
    assert {fact["column"] for fact in report.facts} >= {0, 1}
    for fact in report.facts:
        assert fact["gain"] > 2 * fact["error"]
        assert fact["trees"] > 0
    fresh = draw_independent(20_000, 9)
    corrected = report.corrections.apply(fresh, np.random.default_rng(0))
    assert max(np.abs(dependence(fresh))) < 0.03
    for found, real in zip(dependence(corrected), dependence(related(20_000, 3)), strict=True):
        assert found > 0.6 * real
    is_open = corrected.codes[:, 0] == REST
    assert abs(corrected.values[is_open, 0].mean()) < 0.1
    assert abs(corrected.values[is_open, 0].std() - 1.0) < 0.1
    tables = (corrected, related(20_000, 3))
    shares = [np.bincount(table.codes[:, 1], minlength=4) / 20_000 for table in tables]
    assert np.abs(shares[0] - shares[1]).max() < 0.06


def test_a_right_generator_is_left_alone() -> None:
    layout = small_layout()
    report = fit_corrections(
        layout, related(3_000, 1), related(1_200, 2), lambda n, k: related(n, 500 + k), seed=0
    )
    assert report.corrections is None
    assert report.facts == []


def test_few_rows_are_left_alone() -> None:
    layout = small_layout()
    report = fit_corrections(
        layout, related(500, 1), related(100, 2), lambda n, k: pytest.fail("drew rows"), seed=0
    )
    assert report.corrections is None


def test_columns_can_be_left_out_and_one_put_last() -> None:
    layout = small_layout()
    data = (layout, related(3_000, 1), related(1_200, 2), draw_independent)
    without = fit_corrections(*data, skip=[1], seed=0)
    assert 1 not in {fact["column"] for fact in without.facts}
    last = fit_corrections(*data, last=0, seed=0)
    assert last.facts[-1]["column"] == 0


def test_when_it_is_late_only_the_last_column_is_corrected() -> None:
    data = (small_layout(), related(3_000, 1), related(1_200, 2), draw_independent)
    asked = iter([False, True, True])
    report = fit_corrections(*data, is_late=lambda seconds: next(asked, True), seed=0)
    assert [fact["column"] for fact in report.facts] == [0]
    assert report.passed_over
    assert set(report.passed_over) == {
        column for column, _ in module._places(data[0], set(), None)
    } - {0}
    late = fit_corrections(*data, last=0, is_late=lambda seconds: True, seed=0)
    assert [fact["column"] for fact in late.facts] == [0]
    assert 0 not in late.passed_over


def test_what_is_to_come_is_taken_to_cost_what_it_did_so_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(module.time, "perf_counter", lambda: float(next(ticks)))
    data = (small_layout(), related(3_000, 1), related(1_200, 2), draw_independent)
    needed: list[float] = []

    def is_late(seconds: float) -> bool:
        needed.append(seconds)
        return False

    # As many rows as are generated for learning, whose drawing takes one tick, and correcting them
    # another; a column that is corrected takes three.
    report = fit_corrections(*data, later_rows=12_500, is_late=is_late, seed=0)
    assert [fact["column"] for fact in report.facts][:2] == [0, 1]
    assert needed[:3] == pytest.approx([1.0, 3.0 + 2.0, 3.0 + 3.0])
    assert report.row_seconds == pytest.approx((1.0 + len(report.facts)) / 12_500)
    # The column put last is never passed over, so its time is kept for it.
    needed.clear()
    ticks = itertools.count()
    fit_corrections(*data, last=2, later_rows=12_500, is_late=is_late, seed=0)
    assert needed[:2] == pytest.approx([1.0, 6.0 + 2.0])


def test_the_same_seed_gives_the_same_trees() -> None:
    data = (small_layout(), related(2_000, 1), related(1_000, 2), draw_independent)
    one, two = (fit_corrections(*data, seed=3).corrections for _ in range(2))
    assert one is not None
    assert two is not None
    assert one.to_state()[2] == two.to_state()[2]


def test_a_step_that_makes_rows_easier_to_tell_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where values have two centres, a shift of the mean puts rows between them."""
    layout = small_layout()
    told = iter([0.6, 0.7, 0.6, 0.7, 0.7])
    monkeypatch.setattr(module, "_told_apart", lambda *_: next(told))
    report = fit_corrections(layout, related(3_000, 1), related(1_200, 2), draw_independent, seed=0)
    assert [fact["detection"] for fact in report.facts] == [0.6]


def test_states_that_open_heads_and_unordered_wide_blocks_are_left_out() -> None:
    plain = np.empty((12, 0))
    ranks = np.arange(24.0).reshape(12, 2)
    even = np.full(12, 1 / 12)
    heavy = np.array([0.6, *np.full(11, 0.4 / 11)])
    blocks = (
        StateBlock(0, np.array([0.7, 0.3]), np.empty((2, 0))),  # gates the head
        StateBlock(1, even, plain),  # no order
        StateBlock(2, even, ranks),
        StateBlock(3, heavy, ranks),  # one state has most rows
        StateBlock(4, np.array([1.0]), np.empty((1, 0))),  # no choice
        StateBlock(5, np.array([0.5, 0.5]), np.empty((2, 0))),
    )
    base = small_layout()
    layout = Layout(blocks, (base.heads[0],))
    missing = {int(layout.block_starts[2]) + 11}
    places = module._places(layout, missing, last=2)
    assert [column for column, _ in places] == [0, 5, 2]
    ordered = places[-1][1]
    assert isinstance(ordered, BlockPlace)
    assert len(ordered.tops) == 11
    assert ordered.tops[-1] == 1.0


def by_parity(n: int, seed: int) -> EncodedTable:
    """Return rows whose second block says, in nine of ten, whether the first state is odd."""
    table = random_table(many_states(), n, seed)
    table.codes[:, 1] = table.codes[:, 0] % 2
    flipped = np.random.default_rng(seed).random(n) < 0.1
    table.codes[flipped, 1] ^= 1
    return table


def many_states() -> Layout:
    """Return an unordered block of forty states and one of two."""
    sizes = enumerate((40, 2))
    return Layout(
        tuple(StateBlock(k, np.full(size, 1 / size), np.empty((size, 0))) for k, size in sizes), ()
    )


@pytest.mark.parametrize(("n", "as_sets"), [(10_000, True), (5_000, False)])
def test_with_many_rows_states_without_an_order_are_split_into_sets(n: int, as_sets: bool) -> None:
    layout = many_states()
    report = fit_corrections(
        layout,
        by_parity(n - 1_000, 1),
        by_parity(1_000, 2),
        lambda count, number: random_table(layout, count, 1_000 + number),
        seed=0,
    )
    assert report.corrections is not None
    assert [fact["column"] for fact in report.facts] == [1]
    (change,) = [t for name, t in report.corrections.to_state()[2].items() if "change" in name]
    assert ("\ncat_threshold=" in change) == as_sets
    fresh = random_table(layout, 20_000, 9)
    corrected = report.corrections.apply(fresh, np.random.default_rng(0))
    assert (corrected.codes[:, 1] == corrected.codes[:, 0] % 2).mean() > 0.88
