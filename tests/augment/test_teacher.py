"""A committee of classifiers labels generated rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from synthgen.augment.features import FrameNumbers
from synthgen.augment.teacher import Member, Pixels, blend, fit_committee


def test_blend_is_the_mean_of_log_odds() -> None:
    first, second = np.array([[0.1, 0.9]]), np.array([[0.5, 0.5]])
    odds = blend([first, second])
    assert odds[0, 1] / odds[0, 0] == pytest.approx(3.0)  # sqrt(9 * 1)
    assert blend([first]) is first


def test_no_member_has_a_veto() -> None:
    both = blend([np.array([[1.0, 0.0]]), np.array([[0.01, 0.99]])])
    assert both[0, 1] > 0.05


def test_balanced_member_is_corrected_for_the_prior() -> None:
    X, y = np.arange(10.0)[:, None], np.array([0] * 8 + [1] * 2)
    model = LogisticRegression(class_weight="balanced").fit(X, y)
    plain = Member(model).probabilities(X, 2)
    fixed = Member(model, prior=np.array([0.8, 0.2])).probabilities(X, 2)
    odds = plain[:, 1] / plain[:, 0]
    np.testing.assert_allclose(fixed[:, 1] / fixed[:, 0], odds / 4)
    np.testing.assert_allclose(fixed.sum(axis=1), 1)


def test_class_that_a_model_has_not_seen_gets_nothing() -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 2])
    assert Member(model).probabilities(np.array([[0.5]]), 3)[0, 1] == 0


def test_committee_knows_what_it_was_taught(churn: tuple[pd.DataFrame, pd.Series]) -> None:
    X, y = churn
    committee = fit_committee(X, y.to_numpy().astype(int), np.ones(len(y)), 2, 0)
    shares = committee.label(X)
    assert shares[y, 1].mean() > 3 * shares[~y, 1].mean()
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_pixels() -> None:
    images = np.array([[[0, 100], [200, 50]]], dtype=np.uint8)
    assert Pixels().fit(images).transform(images).tolist() == [[0, 0.5, 1.0, 0.25]]


def test_features_for_trees_and_lines() -> None:
    frame = pd.DataFrame(
        {
            "x": [1.0, 2.0, np.nan, 3.0],
            "c": ["b", "a", "b", None],
            "d": pd.to_datetime(["1970-01-02", None, "1970-01-01", "1970-01-01"]),
            "z": pd.Series(pd.to_datetime(["1970-01-02"] * 4)).dt.tz_localize("UTC"),
            "t": pd.to_timedelta([1, 2, 3, 4], "s"),
            "p": pd.period_range("1970-01", periods=4, freq="M"),
            "n": pd.array([1, None, 2, 3], dtype="Int64"),
        }
    )
    narrow = FrameNumbers().fit_transform(frame)
    assert narrow[:, 1].tolist()[:3] == [0, 1, 0]
    assert np.isnan(narrow[3, 1])
    assert narrow[0, 2] == 86_400
    assert np.isnan(narrow[1, 2])
    assert narrow[:, 3].tolist() == [86_400] * 4
    assert narrow[:, 4].tolist() == [1, 2, 3, 4]
    assert narrow[0, 5] == 0
    wide = FrameNumbers(one_hot=True).fit(frame)
    assert np.isfinite(wide.transform(frame)).all()
    stranger = frame.assign(c="new")
    assert wide.transform(stranger).shape == wide.transform(frame).shape
    assert FrameNumbers().fit(frame).transform(stranger)[0, 1] == -1
