from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.encode.layout import REST, EncodedTable, Layout, StateBlock
from synthgen.errors import ArtifactError
from synthgen.sample.correct import (
    Corrections,
    ScoreCorrection,
    StateCorrection,
    coupled,
    probabilities,
)
from synthgen.sample.places import BlockPlace, HeadPlace
from tests.nn.layouts import random_table, small_layout

#: A map of scores to themselves.
SAME = np.array([-6.0, 6.0])


def trees_for(layout: Layout, feature: int, change: float) -> str:
    """Return trees that say `change` where a feature is above zero, and its negative elsewhere."""
    rng = np.random.default_rng(0)
    width = len(layout.blocks) + len(layout.heads)
    rows = np.zeros((400, width))
    rows[:, feature] = rng.standard_normal(400)
    labels = np.where(rows[:, feature] > 0, change, -change)
    parameters = {
        "objective": "regression", "num_leaves": 2, "learning_rate": 1.0, "verbosity": -1,
        "boost_from_average": False, "min_data_in_leaf": 1,
    }  # fmt: skip
    return lgb.train(parameters, lgb.Dataset(rows, labels), 1).model_to_string()


@given(
    before=st.lists(st.floats(0.01, 1.0), min_size=2, max_size=6),
    seed=st.integers(0, 50),
    data=st.data(),
)
def test_coupling_gives_the_right_shares_and_moves_as_few_as_it_can(
    before: list[float], seed: int, data: st.DataObject
) -> None:
    size = len(before)
    after = data.draw(st.lists(st.floats(0.01, 1.0), min_size=size, max_size=size))
    p, q = np.array(before) / sum(before), np.array(after) / sum(after)
    n = 20_000
    rng = np.random.default_rng(seed)
    states = rng.choice(size, n, p=p)
    asked: list[int] = []

    def before_of(rows: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return np.tile(np.log(p), (len(rows), 1))

    redrawn = coupled(states, before_of, np.tile(np.log(q / p), (n, 1)), rng)
    assert np.abs(np.bincount(redrawn, minlength=size) / n - q).max() < 0.025
    # The share that moves is the total variation distance, the least there can be.
    assert abs((redrawn != states).mean() - 0.5 * np.abs(p - q).sum()) < 0.025
    # Old log odds are needed only where what is added may move a state.
    most = 1 - (p * (q / p) / (q / p).max()).sum()
    assert sum(asked) / n < most + 0.025


def test_of_two_states_the_second_has_the_log_odds() -> None:
    states = np.zeros(40_000, dtype=np.int64)
    added = np.full(len(states), np.log(3.0))
    redrawn = coupled(states, lambda rows: np.zeros(len(rows)), added, np.random.default_rng(0))
    # One half becomes one quarter: half of the rows in the first state leave it.
    assert abs(redrawn.mean() - 0.5) < 0.02
    back = coupled(redrawn, lambda rows: np.zeros(len(rows)), -added, np.random.default_rng(1))
    assert not back[redrawn == 0].any()


def test_nothing_added_moves_nothing_and_asks_for_nothing() -> None:
    def before(rows: np.ndarray) -> np.ndarray:
        raise AssertionError

    states = np.arange(4) % 3
    assert (coupled(states, before, np.zeros((4, 3)), np.random.default_rng(0)) == states).all()


def test_log_odds_of_two_states_and_of_many_become_probabilities() -> None:
    two = probabilities(np.array([0.0, np.log(3.0)]))
    assert np.allclose(two, [[0.5, 0.5], [0.25, 0.75]])
    many = probabilities(np.log([[1.0, 2.0, 5.0]]) + 700.0)
    assert np.allclose(many, [[0.125, 0.25, 0.625]])


def test_a_shift_reaches_open_heads_only_and_leaves_the_input_alone() -> None:
    layout = small_layout()
    table = random_table(layout, 300)
    values = table.values.copy()
    step = ScoreCorrection(HeadPlace(0, gate=0), trees_for(layout, 3, 0.5), 1.0, None, SAME, SAME)
    corrected = Corrections(layout, (step,)).apply(table, np.random.default_rng(0))
    assert (table.values == values).all()
    closed = table.codes[:, 0] != REST
    assert (corrected.values[closed, 0] == 0.0).all()
    expected = values[~closed, 0] + np.where(values[~closed, 1] > 0, 0.5, -0.5)
    assert np.allclose(corrected.values[~closed, 0], expected, atol=0.05)
    assert (corrected.values[:, 1] == values[:, 1]).all()


def test_a_spread_is_brought_to_that_of_real_rows() -> None:
    layout = small_layout()
    table = random_table(layout, 300)
    mean = np.where(table.codes[:, 0] > 0, 2.0, -2.0)
    trees = (trees_for(layout, 0, 0.0), trees_for(layout, 0, 2.0))
    step = ScoreCorrection(HeadPlace(1), trees[0], 0.5, trees[1], SAME, SAME)
    corrected = Corrections(layout, (step,)).apply(table, np.random.default_rng(0))
    assert np.allclose(corrected.values[:, 1], mean + 0.5 * (table.values[:, 1] - mean), atol=0.05)


def test_later_steps_see_what_earlier_ones_did() -> None:
    layout = small_layout()
    table = random_table(layout, 300)
    push = ScoreCorrection(HeadPlace(1), trees_for(layout, 1, 0.0), 1.0, None, SAME, SAME + 20.0)
    follow = ScoreCorrection(HeadPlace(0, gate=0), trees_for(layout, 3, 0.5), 1.0, None, SAME, SAME)
    corrected = Corrections(layout, (push, follow)).apply(table, np.random.default_rng(0))
    is_open = table.codes[:, 0] == REST
    assert np.allclose(corrected.values[is_open, 0] - table.values[is_open, 0], 0.5, atol=0.05)


@pytest.mark.parametrize("whole_rows", [True, False])
def test_fixed_cells_stay(whole_rows: bool) -> None:
    layout = small_layout()
    table = random_table(layout, 400)
    four = [0.0, 1.0, 2.0, 3.0]
    steps = (
        ScoreCorrection(HeadPlace(1), trees_for(layout, 1, 1.0), 1.0, None, SAME, SAME + 3.0),
        ScoreCorrection(BlockPlace(1, np.array([0.4, 0.7, 0.9, 1.0])), trees_for(layout, 3, 1.0),
                        1.0, None, SAME, SAME + 3.0),
    )  # fmt: skip
    some = np.arange(400) % 2 == 0
    blocks = np.array([[False, True]]) if whole_rows else np.stack([~some, some], 1)
    heads = np.array([[False, True]]) if whole_rows else np.stack([~some, some], 1)
    corrected = Corrections(layout, steps).apply(table, np.random.default_rng(0), blocks, heads)
    free = np.zeros(400, bool) if whole_rows else ~some
    assert (corrected.codes[~free] == table.codes[~free]).all()
    assert (corrected.values[~free] == table.values[~free]).all()
    if not whole_rows:
        assert (corrected.values[free, 1] > table.values[free, 1]).all()
        assert set(np.unique(corrected.codes[free, 1])) <= set(four)
        assert (corrected.codes[free, 1] != table.codes[free, 1]).mean() > 0.3


def test_a_redrawn_state_follows_the_other_column() -> None:
    layout = Layout((StateBlock(0, np.array([0.5, 0.5]), np.empty((2, 0))),) * 2)
    rng = np.random.default_rng(1)
    table = EncodedTable(rng.integers(0, 2, (4_000, 2)).astype(np.int32), np.empty((4_000, 0)))
    # Log odds of the first column: 0 whatever the second one is; then +-2 by the second one.
    step = StateCorrection(0, 2, trees_for(layout, 1, 0.0), trees_for(layout, 1, 2.0))
    corrected = Corrections(layout, (step,)).apply(table, rng)
    ones = corrected.codes[table.codes[:, 1] == 1, 0].mean()
    assert ones == pytest.approx(1 / (1 + np.exp(-2.0)), abs=0.03)
    assert (corrected.codes[:, 1] == table.codes[:, 1]).all()


def test_all_kinds_of_steps_are_saved_and_read() -> None:
    layout = small_layout()
    steps = (
        ScoreCorrection(HeadPlace(0, gate=0), trees_for(layout, 3, 0.5), 0.5,
                        trees_for(layout, 3, 2.0), SAME, SAME + 1.0),
        ScoreCorrection(BlockPlace(1, np.array([0.4, 0.7, 0.9, 1.0])), trees_for(layout, 3, 1.0),
                        1.0, None, SAME, SAME),
        StateCorrection(1, 4, *[four_states(layout, seed) for seed in (1, 2)]),
    )  # fmt: skip
    corrections = Corrections(layout, steps)
    again = Corrections.from_state(layout, *corrections.to_state())
    table = random_table(layout, 300)
    one, two = (c.apply(table, np.random.default_rng(7)) for c in (corrections, again))
    assert (one.codes == two.codes).all()
    assert (one.values == two.values).all()
    assert (one.codes != table.codes).any()
    assert (one.values != table.values).any()


def four_states(layout: Layout, seed: int) -> str:
    """Return trees that were fitted to chance labels."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((300, len(layout.blocks) + len(layout.heads)))
    parameters = {"objective": "multiclass", "num_class": 4, "verbosity": -1, "num_leaves": 4}
    return lgb.train(parameters, lgb.Dataset(rows, rng.integers(0, 4, 300)), 2).model_to_string()


def test_broken_trees_are_refused() -> None:
    layout = small_layout()
    step = ScoreCorrection(HeadPlace(1), "no trees", 1.0, None, SAME, SAME)
    with pytest.raises(ArtifactError, match="cannot be read"):
        Corrections(layout, (step,)).apply(random_table(layout, 10), np.random.default_rng(0))
