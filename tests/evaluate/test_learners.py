from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from synthgen.evaluate.importance import (
    importance_rows,
    permutation_importance,
    rank_agreement,
)
from synthgen.evaluate.learners import FAMILIES, Goal, fit_learner
from synthgen.evaluate.tasks import r2


def numbers(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 3))


def standard(features: np.ndarray) -> np.ndarray:
    return (features - features.mean(axis=0)) / features.std(axis=0)


def test_ridge_is_that_of_scikit_learn() -> None:
    # More rows than one block.
    features = numbers(9_000) * [1, 10, 1e5] + [0, 5, 1e6]
    target = features @ [3.0, 0.1, 1e-5] + np.random.default_rng(1).normal(size=9_000)
    predict = fit_learner("linear", features, target, Goal("regression", [0, 0, 0]))
    expected = Ridge(alpha=1.0).fit(standard(features), target).predict(standard(features))
    expected = np.clip(expected, target.min(), target.max())
    np.testing.assert_allclose(predict(features), expected, rtol=1e-8, atol=1e-8)


def test_logistic_is_that_of_scikit_learn() -> None:
    features = numbers(400)
    target = (features[:, 0] + numbers(400, 1)[:, 0] > 0).astype(int)
    predict = fit_learner("linear", features, target, Goal("binary", [0, 0, 0], 2))
    model = LogisticRegression().fit(standard(features), target)
    expected = model.predict_proba(standard(features))[:, 1]
    np.testing.assert_allclose(predict(features), expected, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_levels_and_gaps_that_training_rows_lack(family: str) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 400).astype(float)
    features = np.column_stack([codes, rng.normal(size=400)])
    target = np.array([0.0, 5.0, 10.0])[codes.astype(int)]
    predict = fit_learner(family, features, target, Goal("regression", [5, 0]))
    guesses = predict(np.array([[0, 0], [2, 0], [4, 0], [np.nan, 0], [0, np.nan], [0, 1e300]]))
    assert guesses[:2] == pytest.approx([0, 10], abs=0.6)
    assert ((guesses >= -0.1) & (guesses <= 10.1)).all()
    assert guesses[4] < 2.5
    assert guesses[5] < 2.5


@pytest.mark.parametrize("family", FAMILIES)
def test_gaps_can_tell(family: str) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(600, 2))
    target = (rng.random(600) < 0.5).astype(int)
    features[target == 1, 0] = np.nan
    predict = fit_learner(family, features, target, Goal("binary", [0, 0], 2))
    low, high = predict(np.array([[0.0, 0.0], [np.nan, 0.0]]))
    assert low < 0.2
    assert high > 0.8


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("present", [[0, 1, 2, 3], [1, 3], [2]])
def test_classes_without_training_rows(family: str, present: list[int]) -> None:
    features = numbers(300)
    places = np.digitize(features[:, 0], np.quantile(features[:, 0], [0.25, 0.5, 0.75]))
    target = np.array(present)[places % len(present)]
    predict = fit_learner(family, features, target, Goal("multiclass", [0] * 3, 4, 20))
    shares = predict(features)
    assert shares.shape == (300, 4)
    if len(present) == 1:
        assert np.ptp(shares) == 0
        return
    absent = [label for label in range(4) if label not in present]
    assert (shares[:, absent] < 0.05).all()
    assert (shares.argmax(axis=1) == target).mean() > (0.8 if len(present) == 4 else 0.45)


@pytest.mark.parametrize("family", FAMILIES)
def test_huge_constant_and_empty_columns(family: str) -> None:
    x = numbers(200)[:, 0]
    features = np.column_stack([x * 1e300, np.full(200, np.nan), np.full(200, 0.1)])
    predict = fit_learner(family, features, x, Goal("regression", [0, 1, 0]))
    assert r2(x, predict(features)) > 0.9


@pytest.mark.parametrize("family", FAMILIES)
def test_threads_do_not_matter(family: str) -> None:
    features = numbers(500)
    target = features[:, 0] * features[:, 1]
    goals = [Goal("regression", [0] * 3, n_estimators=20, n_jobs=n_jobs) for n_jobs in (1, 2)]
    runs = [fit_learner(family, features, target, goal) for goal in goals]
    assert (runs[0](features) == runs[1](features)).all()


def test_rare_levels_share_a_column_of_a_linear_model() -> None:
    rng = np.random.default_rng(0)
    codes = np.concatenate([np.arange(5_000), rng.integers(0, 3, 5_000)]).astype(float)
    target = (codes < 3).astype(int)
    predict = fit_learner("linear", codes[:, None], target, Goal("binary", [6_000], 2))
    shares = predict(np.array([[0.0], [1.0], [4_999.0], [5_500.0]]))
    assert (shares[:2] > 0.8).all()
    # A level of the training rows that is folded, and one that they lack, are the same to it.
    assert shares[2] == shares[3] < 0.2


def test_permutation_importance() -> None:
    features = numbers(400)
    truth = 2 * features[:, 0] + features[:, 1]
    models = [lambda rows: 2 * rows[:, 0] + rows[:, 1], lambda rows: rows[:, 2]]
    rng = np.random.default_rng(0)
    falls = permutation_importance(models, features, truth, r2, rng)
    # Permuting a column of variance v adds 2 v w^2 to the squared error.
    assert falls[0] == pytest.approx([8 / 5, 2 / 5, 0], abs=0.2)
    assert falls[1, :2].tolist() == [0, 0]


def test_importance_rows_are_bounded_and_show_rare_classes() -> None:
    rng = np.random.default_rng(0)
    truth = (np.arange(50_000) % 100 == 0).astype(int)
    rows = importance_rows(truth, 10, 2, rng)
    assert len(rows) == 1_500
    assert truth[rows].sum() == 500
    assert len(importance_rows(rng.normal(size=5_000), 10, 1, rng)) == 2_000
    assert len(importance_rows(rng.normal(size=5_000), 5_000, 1, rng)) == 200


def test_rank_agreement() -> None:
    first = np.array([1.0, 2.0, 3.0, 4.0])
    assert rank_agreement(first, np.array([0.1, 0.2, 5.0, 0.3])) == pytest.approx(0.8)
    assert rank_agreement(first, -first) == -1
    assert rank_agreement(first, np.ones(4)) is None
    assert rank_agreement(first[:2], first[:2]) is None
