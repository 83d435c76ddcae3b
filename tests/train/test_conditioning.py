from __future__ import annotations

import numpy as np
import pytest

from synthgen.encode.layout import EncodedTable
from synthgen.train.conditioning import Conditioning
from tests.nn.layouts import linked_table, small_layout


@pytest.fixture
def conditioning() -> Conditioning:
    return Conditioning(small_layout(), [0, 1], linked_table(500))


def test_drawn_rows_are_in_the_state_asked_for(conditioning: Conditioning) -> None:
    draw, rows = conditioning.draw(400, np.random.default_rng(0), balanced=True)
    assert draw.vector.shape == (400, 7)
    assert (draw.vector.sum(1) == 1).all()
    assert draw.vector.argmax(1).tolist() == draw.states.tolist()
    codes = linked_table(500).codes
    for state, row in zip(draw.states.tolist(), rows.tolist(), strict=True):
        block, code = (0, state) if state < 3 else (1, state - 3)
        assert codes[row, block] == code


def test_rare_states_are_shown_more_often_in_training(conditioning: Conditioning) -> None:
    rng = np.random.default_rng(0)
    shares = []
    for balanced in (True, False):
        draw, _ = conditioning.draw(20_000, rng, balanced=balanced)
        shares.append(np.bincount(draw.states.numpy(), minlength=7) / 10_000)
    frequencies = [0.7, 0.2, 0.1, 0.4, 0.3, 0.2, 0.1]
    assert shares[1] == pytest.approx(frequencies, abs=0.03)
    logs = np.log1p(np.array(frequencies) * 1e6)
    expected = np.concatenate([logs[:3] / logs[:3].sum(), logs[3:] / logs[3:].sum()])
    assert shares[0] == pytest.approx(expected, abs=0.03)


def test_one_block_of_several() -> None:
    conditioning = Conditioning(small_layout(), [1])
    draw, rows = conditioning.draw(50, np.random.default_rng(0), balanced=False)
    assert conditioning.width == 4
    assert draw.states.min() >= 3
    assert (rows == 0).all()


def test_states_without_a_training_row_are_not_drawn() -> None:
    layout, table = small_layout(), linked_table(200, seed=0)
    codes = table.codes.copy()
    codes[:, 0] = 1
    only = Conditioning(layout, [0], EncodedTable(codes, table.values))
    _, rows = only.draw(50, np.random.default_rng(0), balanced=True)
    assert (codes[rows, 0] == 1).all()
