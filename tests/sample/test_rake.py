from __future__ import annotations

import numpy as np
import pytest

from synthgen.encode.layout import EncodedTable, Layout, StateBlock
from synthgen.sample.rake import fit_raking
from tests.nn.layouts import random_table, small_layout


def shares(layout: Layout, table: EncodedTable, weights: np.ndarray) -> np.ndarray:
    cells = layout.cells(table)
    cells = np.where(cells < 0, layout.n_cells, cells)
    total = np.zeros(layout.n_cells + 1)
    for column in cells.T:
        total += np.bincount(column, weights, minlength=len(total))
    return total[:-1] / weights.sum()


def test_marginals_become_right() -> None:
    layout = small_layout()
    real = random_table(layout, 4_000)
    wrong = EncodedTable(real.codes.copy(), real.values + np.float32(0.4))
    drop = np.random.default_rng(1).random(4_000) < np.where(real.codes[:, 1] == 0, 0.5, 0.0)
    wrong = wrong.take(~drop)
    flat = np.ones(len(wrong))
    target = shares(layout, real, np.ones(len(real)))
    before = np.abs(shares(layout, wrong, flat) - target).max()
    raking = fit_raking(layout, real, wrong, flat)
    after = np.abs(shares(layout, wrong, np.exp(raking.log_weights(wrong))) - target).max()
    assert before > 0.1
    assert after < 0.005


def test_weights_multiply_over_columns_and_keep_dependence() -> None:
    """Of two binary columns the odds ratio stays as generated; only marginals change."""
    block = StateBlock(0, np.array([0.5, 0.5]), np.empty((2, 0)))
    other = StateBlock(1, np.array([0.5, 0.5]), np.empty((2, 0)))
    layout = Layout((block, other))
    generated = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [400, 100, 100, 400], axis=0)
    real = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [300, 300, 300, 100], axis=0)
    tables = [EncodedTable(c.astype(np.int32), np.empty((1_000, 0))) for c in (real, generated)]
    raking = fit_raking(layout, *tables, np.ones(1_000))
    weights = np.exp(raking.log_weights(tables[1]))
    total = np.array([weights[(generated == cell).all(1)].sum() for cell in np.ndindex(2, 2)])
    total /= total.sum()
    assert total[0] + total[1] == pytest.approx(0.6, abs=0.002)
    assert total[0] + total[2] == pytest.approx(0.6, abs=0.002)
    assert total[0] * total[3] / (total[1] * total[2]) == pytest.approx(16.0, rel=1e-6)


def test_factors_are_bounded() -> None:
    """What was generated a hundred times too rarely is not weighted up a hundredfold."""
    layout = Layout((StateBlock(0, np.array([0.5, 0.5]), np.empty((2, 0))),))
    codes = np.zeros((1_000, 1), np.int32)
    codes[:5] = 1
    generated = EncodedTable(codes, np.empty((1_000, 0)))
    real = EncodedTable((np.arange(1_000) % 2)[:, None].astype(np.int32), np.empty((1_000, 0)))
    raking = fit_raking(layout, real, generated, np.ones(1_000))
    assert np.abs(raking.log_factors).max() <= np.log(4.0) + 1e-9
