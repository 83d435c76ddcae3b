from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen.evaluate.balls import agreement, curve, make_sides, neighbours
from synthgen.measure import space


def test_curve_and_area_by_hand() -> None:
    # Half of the queries inside the first of two radii, none beyond.
    levels, shares = curve(np.array([1.0, 2.0]), np.array([0.5, 9.0]))
    assert levels.tolist() == [0.0, 0.5, 0.5, 1.0]
    assert shares.tolist() == [0.5, 0.5, 0.5, 0.5]
    assert agreement(levels, shares) == pytest.approx(1 - 2 * 0.25)
    rng = np.random.default_rng(0)
    reference, queries = rng.normal(size=300), rng.normal(0.5, 1, size=200)
    levels, shares = curve(reference, queries)
    grid = (np.arange(20_000) + 0.5) / 20_000
    rank = np.searchsorted(np.sort(reference), queries) / 300
    inside = np.searchsorted(np.sort(rank), grid, side="left") / 200
    assert agreement(levels, shares) == pytest.approx(
        1 - 2 * np.abs(inside - grid).mean(), abs=1e-3
    )


def test_balls_by_hand_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    real = pd.DataFrame({"x": [0.0, 1.0, 3.0, 7.0]})
    fake = pd.DataFrame({"x": [0.6, 4.0, 0.5, 30.0]})
    sides = make_sides(real, fake, None, None, 100, 0)
    for cells in (4, 8, 1000):
        monkeypatch.setattr(space, "_BLOCK_CELLS", cells)
        found = neighbours(sides, 1)
        # Balls: [-1, 1], [0, 2], [1, 5], [3, 11].
        assert found.nearest.tolist() == [2, 0, 1, 1]
        assert found.covered.tolist() == [True] * 4
        assert found.density.tolist() == [2.0, 2.0, 2.0, 0.0]
    assert neighbours(sides, 4) is None


def test_wide_tables_are_cut_to_fewer_rows() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(1500, 1000)))
    assert make_sides(wide, wide, None, None, 5000, 0).details["rows"] == 1414
