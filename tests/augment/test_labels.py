"""Labels of any type become codes and come back as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.augment.labels import read_labels
from synthgen.errors import InvalidDataError

_CODES = [0, 1, 1, 0]


@pytest.mark.parametrize(
    "y",
    [
        ["a", "b", "b", "a"],
        np.array(["a", "b", "b", "a"]),
        np.array([False, True, True, False]),
        pd.Series([3, 7, 7, 3], name="k", index=[9, 9, 9, 9]),
        pd.Series(["a", "b", "b", "a"], dtype="category"),
        pd.Series(["a", "b", "b", "a"], dtype="string"),
        pd.Series([False, True, True, False], dtype="boolean"),
        pd.Series([0, 1, 1, 0], dtype="Int8"),
        pd.DataFrame({"k": [0, 1, 1, 0]}),
        np.array([[0], [1], [1], [0]]),
        np.array([0.0, 1.0, 1.0, 0.0]),
    ],
)
def test_round_trip(y: Any) -> None:
    labels = read_labels(y, 4)
    assert labels.codes.tolist() == _CODES
    more = labels.extended(np.array([1, 0]))
    assert type(more) is type(y)
    assert read_labels(more, 6).codes.tolist() == [*_CODES, 1, 0]
    if isinstance(y, (pd.Series, np.ndarray)):
        assert more.dtype == y.dtype
    if isinstance(y, pd.Series):
        assert more.name == y.name
        assert more.index.tolist() == list(range(6))


def test_order_counts_and_rarest() -> None:
    labels = read_labels(["c", "a", "c", "b", "b"], 5)
    assert labels.classes == ("a", "b", "c")
    assert labels.counts.tolist() == [1, 2, 2]
    assert labels.rarest == 0


def test_labels_of_mixed_types() -> None:
    labels = read_labels(np.array([1, "a", 1], dtype=object), 3)
    assert sorted(map(str, labels.classes)) == ["1", "a"]
    assert labels.code(1) != labels.code("a")
    assert labels.values(labels.codes).tolist() == [1, "a", 1]


def test_true_is_not_the_word_for_it() -> None:
    labels = read_labels([True, False], 2)
    assert labels.code(True) == 1
    with pytest.raises(InvalidDataError, match="no class 'True'"):
        labels.code("True")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y"),
        ([0, 0, 0, 0], "at least 2 classes, got 1 class: 0"),
        ([0, None, 1, 1], "1 of 4 labels are missing"),
        ([0, 1], "y has 2"),
        ([0.1, 0.2, 0.3, 0.4], "continuous"),
        (np.zeros((4, 2)), "1d array"),
    ],
)
def test_refused(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_labels(y, 4)


def test_one_label_in_each_list() -> None:
    given = [["a"], ["b"], ["a"]]
    assert read_labels(given, 3).extended(np.array([1])) == [["a"], ["b"], ["a"], ["b"]]


def test_a_polars_frame_of_labels() -> None:
    pl = pytest.importorskip("polars")
    longer = read_labels(pl.DataFrame({"t": ["a", "b"]}), 2).extended(np.array([1]))
    assert longer.to_dict(as_series=False) == {"t": ["a", "b", "b"]}
