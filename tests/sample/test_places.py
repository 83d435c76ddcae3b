from __future__ import annotations

import numpy as np

from synthgen.sample.places import BlockPlace, HeadPlace, OpenRows
from tests.nn.layouts import random_table, small_layout


def test_ordered_states_survive_the_way_to_scores_and_back() -> None:
    layout = small_layout()
    opened = OpenRows(layout, random_table(layout, 500))
    before = opened.table.codes.copy()
    place = BlockPlace(1, np.array([0.4, 0.7, 0.9, 1.0]))
    rows = place.rows(opened)
    scores = place.scores(opened.table, rows, np.random.default_rng(0))
    assert abs(scores.mean()) < 0.15
    assert abs(scores.std() - 1.0) < 0.1
    place.put(opened, rows, scores)
    assert (opened.table.codes == before).all()


def test_a_state_behind_the_ordered_ones_has_no_score() -> None:
    layout = small_layout()
    opened = OpenRows(layout, random_table(layout, 500))
    place = BlockPlace(1, np.array([0.5, 0.8, 1.0]))
    assert (opened.table.codes[place.rows(opened), 1] < 3).all()
    assert len(place.rows(opened)) == (opened.table.codes[:, 1] < 3).sum()


def test_trees_see_what_was_put() -> None:
    layout = small_layout()
    opened = OpenRows(layout, random_table(layout, 50))
    rows = HeadPlace(0, gate=0).rows(opened)
    assert np.isnan(opened.matrix[:, 2]).sum() == 50 - len(rows)
    HeadPlace(0, gate=0).put(opened, rows, np.full(len(rows), 1.5))
    opened.put_states(1, np.array([3]), np.array([2]))
    assert (opened.matrix[rows, 2] == 1.5).all()
    assert (opened.table.values[rows, 0] == 1.5).all()
    assert opened.matrix[3, 1] == opened.table.codes[3, 1] == 2
