"""Scores by hand and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, precision_recall_curve

from synthgen.augment.scores import Predictions, corrected_interval, recall_at, score


def _said(positive: list[float]) -> Predictions:
    shares = np.column_stack([1 - np.array(positive), positive])
    return Predictions(np.argmax(shares, axis=1), shares, shares)


def test_by_hand() -> None:
    truth = np.array([0, 0, 1, 1])
    found = score(truth, _said([0.1, 0.6, 0.7, 0.2]), rare=1, precision=0.6)
    assert found["balanced_accuracy"] == 0.5
    assert found["macro_f1"] == 0.5
    assert math.isclose(found["pr_auc"] or 0, (1 + 2 / 3) / 2)
    assert found["recall_at_precision"] == 1.0
    assert math.isclose(found["brier"] or 0, (0.01 + 0.36 + 0.09 + 0.64) / 4)


def test_brier_of_two_classes_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth, shares = rng.integers(0, 2, 50), rng.random(50)
    found = score(truth, _said(shares.tolist()), 1, 0.5)
    assert math.isclose(found["brier"] or 0, brier_score_loss(truth, shares))


@pytest.mark.parametrize("precision", [0.2, 0.5, 0.9])
def test_recall_is_that_of_the_curve(precision: float) -> None:
    rng = np.random.default_rng(1)
    truth, scores = rng.random(200) < 0.2, rng.random(200).round(1)  # many ties
    precisions, recalls, _ = precision_recall_curve(truth, scores)
    assert recall_at(truth, scores, precision) == recalls[precisions >= precision].max()


def test_without_probabilities_there_is_no_brier() -> None:
    said = Predictions(np.array([0, 1]), np.array([[1.0, -1.0], [-1.0, 1.0]]), None)
    assert score(np.array([0, 1]), said, 1, 0.5)["brier"] is None


def test_several_classes_are_averaged() -> None:
    said = Predictions(np.array([0, 1, 2]), np.eye(3), np.eye(3))
    found = score(np.array([0, 1, 2]), said, 2, 0.5)
    assert found == {
        "pr_auc": 1.0,
        "balanced_accuracy": 1.0,
        "macro_f1": 1.0,
        "recall_at_precision": 1.0,
        "brier": 0.0,
    }


def test_interval_by_hand() -> None:
    values = np.array([1.0, 2.0, 3.0])
    low, high = corrected_interval(values, 0.25) or (0.0, 0.0)
    half = 4.302653 * math.sqrt(1 / 3 + 0.25)  # t of 2 degrees; variance 1
    assert math.isclose(low, 2 - half, abs_tol=1e-5)
    assert math.isclose(high, 2 + half, abs_tol=1e-5)
    assert corrected_interval(values[:1], 0.25) is None
