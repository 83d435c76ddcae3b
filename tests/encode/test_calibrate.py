from __future__ import annotations

import numpy as np
import pytest

from synthgen.encode.calibrate import Calibration
from synthgen.encode.layout import FAR, REST, EncodedTable, Head, Layout, StateBlock

EDGES = np.array([-FAR, 0.0, FAR])
LAYOUT = Layout(
    (StateBlock(0, np.array([0.7, 0.3]), np.empty((2, 0))),),
    (
        Head(0, EDGES, np.zeros(2, bool), np.zeros(3), gate=0),
        Head(1, EDGES, np.zeros(2, bool), np.zeros(3)),
    ),
)


def rows(n: int, shift: float, scale: float, seed: int) -> EncodedTable:
    rng = np.random.default_rng(seed)
    codes = (rng.random((n, 1)) < 0.3).astype(np.int32)
    scores = (shift + scale * rng.standard_normal((n, 2))).astype(np.float32)
    scores[codes[:, 0] != REST, 0] = 0.0
    return EncodedTable(codes, scores)


def test_shifted_scores_are_moved_back() -> None:
    real, generated = rows(20_000, 0.0, 1.0, 0), rows(20_000, 0.5, 1.7, 1)
    fresh = rows(20_000, 0.5, 1.7, 2)
    moved = Calibration.fit(LAYOUT, real, generated).apply(fresh)
    gates = moved.codes[:, 0] == REST
    for scores in (moved.values[gates, 0], moved.values[:, 1]):
        assert scores.mean() == pytest.approx(0.0, abs=0.03)
        assert scores.std() == pytest.approx(1.0, abs=0.03)


def test_ranks_codes_and_closed_gates_stay() -> None:
    real, generated = rows(5_000, 0.0, 1.0, 0), rows(5_000, 0.5, 1.7, 1)
    before = generated.values.copy()
    moved = Calibration.fit(LAYOUT, real, generated).apply(generated)
    np.testing.assert_array_equal(generated.values, before)
    np.testing.assert_array_equal(moved.codes, generated.codes)
    assert (moved.values[generated.codes[:, 0] != REST, 0] == 0).all()
    order = np.argsort(generated.values[:, 1])
    assert (np.diff(moved.values[order, 1]) >= 0).all()


def test_right_scores_stay_where_they_are() -> None:
    real = rows(20_000, 0.0, 1.0, 0)
    moved = Calibration.fit(LAYOUT, real, real).apply(real)
    np.testing.assert_allclose(moved.values, real.values, atol=1e-4)


def test_extreme_scores_stay_extreme() -> None:
    """Beyond the outermost quantiles the map goes on, or the largest values were never drawn."""
    real, generated = rows(5_000, 0.0, 1.0, 0), rows(5_000, 0.5, 1.0, 1)
    scores = np.array([[0.0, -6.0], [0.0, -5.0], [0.0, 5.0], [0.0, 6.0]], np.float32)
    fresh = EncodedTable(np.ones((4, 1), np.int32), scores)
    moved = Calibration.fit(LAYOUT, real, generated).apply(fresh).values[:, 1]
    assert (np.diff(moved) > 0.9).all()
    assert moved == pytest.approx(scores[:, 1] - 0.5, abs=0.4)


def test_a_head_without_rows_is_left_alone() -> None:
    closed = EncodedTable(np.ones((10, 1), np.int32), np.zeros((10, 2), np.float32))
    calibration = Calibration.fit(LAYOUT, closed, closed)
    np.testing.assert_array_equal(calibration.generated[0], calibration.real[0])


def test_no_heads_no_harm() -> None:
    layout = Layout(LAYOUT.blocks)
    table = EncodedTable(np.zeros((5, 1), np.int32), np.empty((5, 0), np.float32))
    moved = Calibration.fit(layout, table, table).apply(table)
    np.testing.assert_array_equal(moved.codes, table.codes)
    assert moved.values.shape == (5, 0)
