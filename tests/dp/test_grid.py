"""Tests of public grids and of joining their cells."""

from __future__ import annotations

import numpy as np
import pytest

from synthgen.dp.coarsen import Coarse, PublicColumn, coarsen, pair_bins
from synthgen.dp.grid import FEW, NumberGrid
from synthgen.errors import ArtifactError, InvalidParameterError


def test_few_values_have_a_cell_each() -> None:
    grid = NumberGrid.public(17, 90, unit=1)
    assert grid.size == 74
    values = np.arange(17.0, 91.0)
    assert grid.encode(values).tolist() == list(range(74))
    assert (grid.decode(np.arange(74), np.random.default_rng(0)) == values).all()


@pytest.mark.parametrize(
    ("low", "high", "unit"),
    [(0, 99_999, 1), (0, 1.5e6, 1), (-5_000, 70_000, 100), (0, 1, 0), (-3.5, 1e9, 0), (0, 9, 0.01)],
)
def test_values_come_back_to_their_cell(low: float, high: float, unit: float) -> None:
    grid = NumberGrid.public(low, high, unit=unit)
    rng = np.random.default_rng(0)
    assert grid.size < 2 * FEW or unit == 0.01
    values = rng.uniform(low, high, 5_000)
    values = np.append(values, [low, high, np.nan, 10 * high + 1, low - 7])
    if unit:
        values = np.rint(values / unit) * unit
    cells = grid.encode(values)
    assert cells[-3:].tolist() == [-1, grid.size - 1, 0]
    decoded = grid.decode(cells, rng)
    assert (grid.encode(decoded)[cells >= 0] == cells[cells >= 0]).all()
    assert np.isnan(decoded[-3])
    kept = decoded[~np.isnan(decoded)]
    assert kept.min() >= low - 1e-9
    assert kept.max() <= high + 1e-9
    if unit:
        assert np.abs(kept / unit - np.rint(kept / unit)).max() < 1e-6


def test_cells_near_zero_are_narrow_and_even_ones_are_not_too_wide() -> None:
    grid = NumberGrid.public(0, 99_999, unit=1)
    widths = np.diff(grid.edges)
    assert widths[:3].max() <= 1.0
    assert widths.max() <= 100_000 / 64 + 2


def test_atoms_have_a_cell_of_their_own() -> None:
    for unit in (1.0, 0.0):
        grid = NumberGrid.public(0, 1e6, unit=unit, atoms=[50_000.0, 123_456.0])
        for atom in (50_000.0, 123_456.0):
            cell = grid.encode(np.array([atom]))
            others = grid.encode(np.array([atom - 1, atom + 1]))
            assert (others != cell).all()
            assert grid.decode(np.repeat(cell, 9), np.random.default_rng(0)).tolist() == [atom] * 9


def test_counts_of_possible_values() -> None:
    grid = NumberGrid.public(-200, 100_000, unit=100)
    counts, first = grid.unit_counts(np.array([-200.0, 5_000.0, 5_000.0, np.nan, 1e9]))
    assert (len(counts), first, counts.sum()) == (1_003, -200.0, 4)
    assert np.flatnonzero(counts).tolist() == [0, 52, 1_002]
    with pytest.raises(InvalidParameterError, match="granularity"):
        NumberGrid.public(0, 1).unit_counts(np.array([0.5]))


def test_grids_do_not_depend_on_data_and_round_trip() -> None:
    grid = NumberGrid.public(0, 5_000, unit=1, atoms=[1_000])
    again = NumberGrid.from_state(*grid.to_state())
    assert (again.edges == grid.edges).all()
    assert again.unit == grid.unit
    with pytest.raises(ArtifactError):
        NumberGrid.from_state({"unit": 1.0}, {"edges": np.array([2.0, 1.0])})


@pytest.mark.parametrize(("low", "high", "unit"), [(2, 1, 0), (0, np.inf, 0), (0, 1, -1)])
def test_impossible_grids(low: float, high: float, unit: float) -> None:
    with pytest.raises(InvalidParameterError):
        NumberGrid.public(low, high, unit=unit)


def join(column: PublicColumn, counts: list[float], sigma: float, bins: int = 4) -> Coarse:
    array = np.array(counts, dtype=np.float64)
    return coarsen(column, array, n_rows=array.sum(), sigma=sigma, rare=max(sigma, 5.0), bins=bins)


def test_ordered_cells_are_joined_in_order() -> None:
    part = join(PublicColumn(8, ordered=True), [10, 10, 10, 10, 300, 10, 10, 40], sigma=1.0)
    # 300 is an atom (a quarter of 400 is 100); the rest is cut into runs of 25.
    assert part.groups.tolist() == [0, 0, 1, 1, 2, 1, 3, 4] or part.groups[4] not in np.delete(
        part.groups, 4
    )
    assert (np.diff(np.delete(part.groups, 4)) >= 0).all()
    sizes = np.bincount(part.groups, weights=[10, 10, 10, 10, 300, 10, 10, 40])
    assert sizes.min() >= 10


def test_noise_joins_more() -> None:
    counts = np.random.default_rng(0).poisson(50, 100).astype(float).tolist()
    column = PublicColumn(100, ordered=True)
    fine, rough = join(column, counts, 1.0, bins=25), join(column, counts, 200.0, bins=25)
    assert fine.size == 25
    assert rough.size == round(sum(counts) / 800)


def test_rare_categories_share_a_cell() -> None:
    part = join(PublicColumn(6, ordered=False), [500, 3, 90, 2, 60, 1], sigma=10.0)
    assert part.groups.tolist() == [0, 3, 1, 3, 2, 3]
    assert part.within == pytest.approx([1, 0.5, 1, 1 / 3, 1, 1 / 6])


def test_missing_cells() -> None:
    column = PublicColumn(4, ordered=True, missing=True)
    many = join(column, [50, 50, 50, 50], sigma=5.0)
    assert many.groups[-1] not in many.groups[:-1]
    few = join(column, [50, 50, 50, 2], sigma=5.0)
    assert few.groups[-1] == few.groups[-2]


def test_no_counts_at_all() -> None:
    for ordered in (True, False):
        part = join(PublicColumn(5, ordered=ordered), [0.0] * 5, sigma=5.0)
        sums = np.bincount(part.groups, weights=part.within)
        assert sums == pytest.approx(1.0)


def test_fine_cells_are_drawn_by_their_counts() -> None:
    part = Coarse(np.array([1, 0, 1, 2]), np.array([0.25, 1.0, 0.75, 1.0]))
    cells = np.repeat([0, 1, 2], 4_000)
    drawn = part.decode(cells, np.random.default_rng(0))
    assert (part.groups[drawn] == cells).all()
    assert (drawn[4_000:8_000] == 2).mean() == pytest.approx(0.75, abs=0.04)
    assert part.encode(np.array([-1, 0, 3])).tolist() == [-1, 1, 2]


def test_number_of_bins() -> None:
    assert pair_bins(32_561, 48.4, 32) == 22  # .85 of the root of rows over noise
    assert pair_bins(32_561, 1.0, 32) == 32
    assert pair_bins(500, 1e6, 32) == 3
    assert pair_bins(500, 1e6, 2) == 2
