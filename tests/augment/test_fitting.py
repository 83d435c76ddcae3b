"""Weights reach estimators that take them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from synthgen.augment.fitting import balanced_weights, fit_weighted, weight_parameter


def test_names() -> None:
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    assert weight_parameter(LogisticRegression()) == "sample_weight"
    assert weight_parameter(pipe) == "logisticregression__sample_weight"
    assert weight_parameter(make_pipeline(pipe)) == "pipeline__logisticregression__sample_weight"
    assert weight_parameter(GridSearchCV(LogisticRegression(), {})) == "sample_weight"
    assert weight_parameter(KNeighborsClassifier()) is None


def test_weights_change_the_fit() -> None:
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 1, 0, 1])
    plain = fit_weighted(LogisticRegression(), X, y, np.full(4, 7.0))
    assert plain.coef_ == LogisticRegression().fit(X, y).coef_
    tilted = fit_weighted(LogisticRegression(), X, y, np.array([1.0, 9.0, 1.0, 9.0]))
    assert tilted.predict([[1.0]]) == 1
    fit_weighted(KNeighborsClassifier(1), X, y, np.array([1.0, 9.0, 1.0, 9.0]))


def test_balance() -> None:
    weights = balanced_weights(np.array([0, 0, 0, 2]), np.array([1.0, 1.0, 2.0, 4.0]))
    assert weights.tolist() == pytest.approx([1.0, 1.0, 2.0, 4.0])
    weights = balanced_weights(np.array([0, 0, 0, 1]), np.ones(4))
    assert weights.sum() == pytest.approx(4.0)
    assert weights[3] == pytest.approx(2.0)


def test_what_wraps_a_learner_without_weights_takes_none() -> None:
    assert weight_parameter(CalibratedClassifierCV(KNeighborsClassifier())) is None
    assert weight_parameter(CalibratedClassifierCV(LogisticRegression())) == "sample_weight"
    assert weight_parameter(CalibratedClassifierCV()) == "sample_weight"
    assert weight_parameter(GridSearchCV(KNeighborsClassifier(), {})) is None
    inner = make_pipeline(StandardScaler(), LogisticRegression())
    assert weight_parameter(CalibratedClassifierCV(inner)) is None
