"""Numbers of rows to generate, by imbalanced-learn's rules."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.augment.labels import read_labels
from synthgen.augment.strategy import resolve_strategy
from synthgen.errors import InvalidParameterError

_THREE = read_labels(["a"] * 6 + ["b"] * 4 + ["c"] * 1, 11)
_TWO = read_labels([0] * 8 + [1] * 2, 10)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("auto", {1: 2, 2: 5}),
        ("not majority", {1: 2, 2: 5}),
        ("not minority", {0: 0, 1: 2}),
        ("minority", {2: 5}),
        ("all", {0: 0, 1: 2, 2: 5}),
        ({"c": 3, "a": 6}, {0: 0, 2: 2}),
        (lambda y: {"b": len(y)}, {1: 7}),
    ],
)
def test_known_answers(strategy: Any, expected: dict[int, int]) -> None:
    assert resolve_strategy(strategy, _THREE) == expected


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("most", "one of 'auto'"),
        (0.5, "for two classes"),
        ({"a": 2}, "cannot shrink"),
        ({"z": 9}, "no class 'z'"),
        ({"a": 7.5}, "integer"),
        (lambda y: 3, "must return a dict"),
        (None, "sampling_strategy must be"),
        (True, "sampling_strategy must be"),
    ],
)
def test_refused(strategy: Any, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        resolve_strategy(strategy, _THREE)


def test_ratio_that_shrinks_names_the_least() -> None:
    with pytest.raises(InvalidParameterError, match=r"above 0\.25"):
        resolve_strategy(0.2, _TWO)
    with pytest.raises(InvalidParameterError, match=r"\(0, 1\]"):
        resolve_strategy(1.5, _TWO)
    assert resolve_strategy(0.25, _TWO) == {1: 0}


@given(
    st.lists(st.integers(1, 30), min_size=2, max_size=5),
    st.sampled_from(["auto", "minority", "not minority", "all"]),
)
def test_same_numbers_as_imbalanced_learn(counts: list[int], word: str) -> None:
    utils = pytest.importorskip("imblearn.utils")
    y = np.repeat(np.arange(len(counts)), counts)
    ours = resolve_strategy(word, read_labels(y, len(y)))
    theirs = utils.check_sampling_strategy(word, y, "over-sampling")
    if len(set(counts)) == len(counts):  # which of equally large classes is meant is open
        assert {k: v for k, v in ours.items() if v} == {int(k): v for k, v in theirs.items() if v}
    assert Counter(ours.values()) == Counter(theirs.values())
