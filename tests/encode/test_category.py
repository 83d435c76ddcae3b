from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.encode.base import Resolution
from synthgen.encode.category import CategoryEncoder, LevelStates
from synthgen.encode.wanted import Between, Wanted
from synthgen.errors import ConditionError
from tests.encode.columns import RESOLUTION, assert_alike, column_of, decoded


def fitted(values: Any, kind: str = "categorical", **changes: Any) -> tuple[pd.DataFrame, Any]:
    frame, column = column_of(values, kind, **changes)
    return frame, CategoryEncoder.fit(frame, column, RESOLUTION)


def test_levels_are_ordered_by_frequency_and_missing_is_last() -> None:
    frame, encoder = fitted(["a", "b", "b", None, "b", "a", "c", "b"])
    assert encoder.to_state()[0]["values"] == ["b", "a", "c"]
    (block,) = encoder.blocks
    assert block.frequencies.tolist() == [4 / 8, 2 / 8, 1 / 8, 1 / 8]
    codes, scores = encoder.transform(frame)
    assert codes[:, 0].tolist() == [1, 0, 0, 3, 0, 1, 2, 0]
    assert scores.shape == (8, 0)
    assert encoder.missing_states() == [(0, 3)]


def test_unknown_values_and_unforeseen_gaps_have_no_state() -> None:
    _, encoder = fitted(["a", "b"] * 5)
    codes, _ = encoder.transform(pd.DataFrame({"c": ["b", "z", None]}))
    assert codes[:, 0].tolist() == [1, -1, -1]


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["a", "b", None, "a"] * 5),
        pd.Series(["a", "b", None, "a"] * 5, dtype="string"),
        pd.Series(["a", "b", None, "a"] * 5, dtype="category"),
        pd.Series(["a", "b", "c", "a"] * 5, dtype=pd.CategoricalDtype(["c", "b", "a", "z"])),
        pd.Series([True, False, True, None] * 5, dtype="boolean"),
        pd.Series([True, False, True, True] * 5),
        pd.Series([1, 2, 2, None] * 5, dtype="Int64"),
        pd.Series([1, 2, 2, 3] * 5),
        pd.Series([1.5, 2.5, np.nan, 2.5] * 5),
    ],
    ids=lambda series: str(series.dtype),
)
def test_values_and_dtypes_round_trip(values: pd.Series) -> None:
    frame, encoder = fitted(values)
    back = decoded(encoder, *encoder.transform(frame))
    assert_alike(back, values)


@given(st.lists(st.one_of(st.none(), st.sampled_from("abcdefg")), min_size=2, max_size=40))
def test_categories_round_trip(values: list[str | None]) -> None:
    if not any(values):
        return
    frame, encoder = fitted(pd.Series(values, dtype=object))
    back = decoded(encoder, *encoder.transform(frame))
    assert [None if pd.isna(value) else value for value in back] == values


def test_ordinal_levels_keep_their_order_and_have_a_rank() -> None:
    values = pd.Categorical(["mid", "low", "high", "low"] * 5, ["low", "mid", "high"], ordered=True)
    frame, encoder = fitted(pd.Series(values), "ordinal")
    assert encoder.to_state()[0]["values"] == ["low", "mid", "high"]
    (block,) = encoder.blocks
    assert block.features.shape == (3, 1)
    assert (np.diff(block.features[:, 0]) > 0).all()
    assert decoded(encoder, *encoder.transform(frame)).tolist() == list(values)


class TestTail:
    """Six levels, of which the two most frequent have states of their own."""

    mapping = LevelStates(np.array([50, 30, 8, 6, 4, 2]), 2, 10)

    def test_states(self) -> None:
        assert self.mapping.tail
        assert self.mapping.frequencies == pytest.approx(np.array([50, 30, 20, 10]) / 110)
        levels = np.array([0, 1, 2, 5, -1, -2])
        assert self.mapping.states(levels).tolist() == [0, 1, 2, 2, 3, -1]

    def test_the_tail_is_drawn_by_frequency(self) -> None:
        rng = np.random.default_rng(0)
        levels = self.mapping.levels(np.full(20_000, 2), rng)
        shares = np.bincount(levels, minlength=6) / 20_000
        assert shares == pytest.approx([0, 0, 0.4, 0.3, 0.2, 0.1], abs=0.02)

    def test_only_allowed_levels_are_drawn(self) -> None:
        allowed = np.array([False, False, False, True, False, True])
        rng = np.random.default_rng(0)
        levels = self.mapping.levels(np.full(1_000, 2), rng, allowed)
        assert set(levels) == {3, 5}

    def test_other_states_are_themselves(self) -> None:
        rng = np.random.default_rng(0)
        assert self.mapping.levels(np.array([0, 1, 3]), rng).tolist() == [0, 1, -1]

    def test_weights_are_shares_of_the_states(self) -> None:
        allowed = np.array([True, False, False, True, False, True])
        assert self.mapping.weights(allowed, True) == pytest.approx([1, 0, 0.4, 1])
        assert self.mapping.weights(allowed, False)[-1] == 0


def test_rare_categories_share_a_state() -> None:
    values = [f"v{k}" for k in range(200)] + ["v0"] * 100
    frame, encoder = fitted(values)
    (block,) = encoder.blocks
    assert block.size == RESOLUTION.levels
    assert block.frequencies.sum() == pytest.approx(1)
    codes, _ = encoder.transform(frame)
    assert codes.max() == RESOLUTION.levels - 1
    wanted = {"c": Wanted(("v190", "v191"))}
    (weights,) = encoder.condition("c", wanted["c"]).states
    assert weights is not None
    assert np.count_nonzero(weights) == 1
    tail = np.full((50, 1), RESOLUTION.levels - 1, np.int32)
    assert set(decoded(encoder, tail, np.empty((50, 0)), wanted)) == {"v190", "v191"}


def test_a_hundred_thousand_categories_are_never_dense() -> None:
    """A dense array of 200,000 rows by 100,000 categories would take 20 GB even in bytes."""
    values = np.random.default_rng(0).integers(0, 100_000, 200_000)
    frame, column = column_of(pd.Series(values).astype(str), "categorical")
    tracemalloc.start()
    encoder = CategoryEncoder.fit(frame, column, Resolution())
    codes, scores = encoder.transform(frame)
    decoded(encoder, codes, scores)
    encoder.condition("c", Wanted((str(values[0]),)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert encoder.blocks[0].size == 512
    assert peak < 300e6


def test_conditions() -> None:
    _, encoder = fitted(["a", "b", "b", None] * 5)
    (weights,) = encoder.condition("c", Wanted(("a",), missing=True)).states
    assert weights is not None
    assert weights.tolist() == [0, 1, 1]
    (weights,) = encoder.condition("c", Wanted(between=Between("b", None))).states
    assert weights is not None
    assert weights.tolist() == [1, 0, 0]


def test_ordinal_ranges_follow_the_order_of_the_categories() -> None:
    values = pd.Categorical(["mid", "low", "high"] * 5, ["low", "mid", "high"], ordered=True)
    _, encoder = fitted(pd.Series(values), "ordinal")
    (weights,) = encoder.condition("c", Wanted(between=Between("mid", None))).states
    assert weights is not None
    assert weights.tolist() == [0, 1, 1]
    with pytest.raises(ConditionError, match="'c' has no value 'huge'"):
        encoder.condition("c", Wanted(between=Between(None, "huge")))


def test_conditions_that_cannot_be() -> None:
    _, encoder = fitted(["a", "b", "b", "a"] * 5)
    with pytest.raises(ConditionError, match="'c' has no value 'z'; it has 'a', 'b'"):
        encoder.condition("c", Wanted(("z",)))
    with pytest.raises(ConditionError, match="'c' had no missing cells"):
        encoder.condition("c", Wanted(missing=True))
    with pytest.raises(ConditionError, match="a range needs values with an order"):
        encoder.condition("c", Wanted(between=Between(1, 2)))
    with pytest.raises(ConditionError, match="No value of column 'c' is between x and y"):
        encoder.condition("c", Wanted(between=Between("x", "y")))


def test_conditions_on_booleans() -> None:
    _, encoder = fitted(pd.Series([True, False, True, True] * 5), "boolean")
    (weights,) = encoder.condition("c", Wanted((False,))).states
    assert weights is not None
    assert weights.tolist() == [0, 1]


@pytest.mark.parametrize(
    "values", [["a", None, "b"] * 5, [True, False] * 5, [1.5, 2.5, np.nan] * 5]
)
def test_an_encoder_comes_back_from_its_state(values: list[Any]) -> None:
    frame, encoder = fitted(pd.Series(values))
    again = CategoryEncoder.from_state(encoder.column, *encoder.to_state())
    codes, scores = again.transform(frame)
    np.testing.assert_array_equal(codes, encoder.transform(frame)[0])
    assert_alike(decoded(again, codes, scores), frame["c"])
