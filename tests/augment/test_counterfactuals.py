"""Rows as they might be if some columns had other values."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from synthgen import GaussianCopula
from synthgen.augment import counterfactuals
from synthgen.errors import ConditionError


@pytest.fixture(scope="module")
def fitted() -> tuple[GaussianCopula, pd.DataFrame]:
    sizes = ["S", "M", "L"] * 40
    frame = pd.DataFrame(
        {"size": sizes, "price": [1.0, 2.0, 3.0] * 40, "day": [k % 40 for k in range(120)]}
    )
    return GaussianCopula(random_state=0).fit(frame), frame


def test_changed_kept_and_drawn(fitted: tuple[GaussianCopula, pd.DataFrame]) -> None:
    synth, frame = fitted
    rows = counterfactuals(
        synth, frame.iloc[[0, 3]], {"size": "L"}, keep=["day"], n_samples=3, random_state=0
    )
    assert rows["size"].tolist() == ["L"] * 6
    assert rows["day"].tolist() == [0, 0, 0, 3, 3, 3]
    assert rows["price"].mean() > 2.2  # large ones cost more
    again = counterfactuals(
        synth, frame.iloc[[0, 3]], {"size": "L"}, keep=["day"], n_samples=3, random_state=0
    )
    pd.testing.assert_frame_equal(rows, again)


def test_number_changed(fitted: tuple[GaussianCopula, pd.DataFrame]) -> None:
    rows = counterfactuals(fitted[0], fitted[1].head(2), {"price": 1.0}, random_state=0)
    assert rows["price"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "keep", "message"),
    [
        ({}, [], "changes must map"),
        ({"size": "L"}, ["size"], "both changed and kept"),
        ({"size": "L"}, ["colour"], "no column 'colour'"),
        ({"colour": "red"}, [], "colour"),
        ({"size": "XXL"}, [], "XXL"),
        ({"size": ["S", "M"]}, [], "one value"),
    ],
)
def test_refused(
    fitted: tuple[GaussianCopula, pd.DataFrame], changes: Any, keep: Any, message: str
) -> None:
    with pytest.raises(ConditionError, match=message):
        counterfactuals(fitted[0], fitted[1].head(2), changes, keep=keep, random_state=0)


def test_words_for_numbers_are_refused(fitted: tuple[GaussianCopula, pd.DataFrame]) -> None:
    synth, frame = fitted
    label = frame.select_dtypes("number").columns[0]
    with pytest.raises(ConditionError, match=f"{label!r}.*'high'"):
        counterfactuals(synth, frame.head(2), {label: "high"})
    with pytest.raises(ConditionError, match="is none"):
        counterfactuals(synth, frame.head(2), {label: 1}, keep=[["y"]])
