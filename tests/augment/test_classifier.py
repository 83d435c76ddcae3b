"""A classifier that trains on real and generated rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from synthgen import GaussianCopula, IndependentColumns
from synthgen.augment import AugmentedClassifier
from synthgen.augment import mixing as mixing_module
from synthgen.augment.classifier import RATIOS
from synthgen.augment.labels import read_labels
from synthgen.augment.mixing import mix
from synthgen.augment.rows import read_rows
from synthgen.augment.source import fit_source
from synthgen.augment.teacher import Committee, Member
from synthgen.errors import InvalidDataError, InvalidParameterError


@pytest.fixture(autouse=True)
def quick_teachers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one logistic regression stand for the committee: forests take a second each."""

    def fit(rows: Any, codes: Any, weights: Any, n_classes: int, seed: int) -> Committee:
        class Flat:
            def transform(self, values: Any) -> Any:
                flat = np.asarray(values, dtype=float).reshape(len(values), -1)
                return flat / 255.0 if np.ndim(values) > 2 else flat

        model = LogisticRegression().fit(Flat().transform(rows), codes, sample_weight=weights)
        return Committee((Member(model, Flat()),), n_classes)

    monkeypatch.setattr(mixing_module, "fit_committee", fit)


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = (np.arange(200) % 8 == 0).astype(int)
    return rng.normal(size=(200, 2)) + 1.5 * y[:, None], y


def _model(**options: Any) -> AugmentedClassifier:
    defaults: dict[str, Any] = {"n_synthetic": 100, "random_state": 0}
    return AugmentedClassifier(LogisticRegression(), GaussianCopula(), **defaults | options)


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers what it was fitted to."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Recorder:
        self.X_, self.y_, self.weights_ = X, np.asarray(y), sample_weight
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X), dtype=int)


def test_ratio_is_the_weight_of_generated_rows(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    seen = clone(_model(ratio=0.5)).set_params(estimator=Recorder()).fit(X, y).estimator_
    real, made = seen.weights_[:200], seen.weights_[200:]
    assert (real == 1).all()
    assert made.sum() == pytest.approx(100, rel=0.01)
    # Each generated row occurs with both classes, and its weights sum to the same.
    assert 100 < len(made) <= 200
    assert np.array_equal(seen.X_[:200], X)


def test_hard_labels_are_balanced(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    model = _model(labels="hard", blend=()).set_params(estimator=Recorder()).fit(*blobs)
    assert np.bincount(model.estimator_.y_[200:]).tolist() == [50, 50]


def test_ratio_nought_is_the_estimator_itself(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    model = AugmentedClassifier(LogisticRegression(), "never touched", ratio=0.0).fit(X, y)
    expected = LogisticRegression().fit(X, y).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), expected)
    assert model.n_synthetic_ == 0
    assert model.synthesizer_ is None


def test_probabilities_are_averaged_with_those_of_real_rows(
    blobs: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = blobs
    alone = _model(blend=()).fit(X, y).predict_proba(X)[:, 1]
    real = LogisticRegression().fit(X, y).predict_proba(X)[:, 1]
    both = _model().fit(X, y).predict_proba(X)[:, 1]
    odds = [np.log(p / (1 - p)) for p in np.clip([alone, real, both], 1e-3, 1 - 1e-3)]
    inner = (real > 0.002) & (alone > 0.002)
    np.testing.assert_allclose(odds[2][inner], ((odds[0] + odds[1]) / 2)[inner], atol=1e-6)


def test_balance_keeps_the_prior(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    model = _model(balance=True, blend=("balanced",)).fit(X, y)
    assert abs(model.predict_proba(X)[:, 1].mean() - y.mean()) < 0.05
    assert model.estimator_.predict_proba(X)[:, 1].mean() > 0.2


def test_order_of_the_blend_does_not_matter(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    orders = [("real", "balanced"), ("balanced", "real")]
    shares = [_model(blend=order).fit(X, y).predict_proba(X) for order in orders]
    np.testing.assert_allclose(*shares)


def test_labels_of_any_type(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    words = pd.Series(np.array(["no", "yes"])[y], dtype="string")
    model = _model().fit(X, words)
    assert model.classes_.tolist() == ["no", "yes"]
    assert set(model.predict(X)) == {"no", "yes"}
    assert model.score(X, np.array(["no", "yes"])[y]) > 0.85


def test_same_seed_same_model(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    first, second = (_model().fit(X, y).predict_proba(X) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, _model(random_state=1).fit(X, y).predict_proba(X))


def test_grid_over_ratio_and_filter(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    grid = {"ratio": [0.0, 1.0], "filter": [None, 0.4]}
    search = GridSearchCV(_model(labels="hard"), grid, cv=2, scoring="average_precision")
    search.fit(*blobs)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_generator_of_a_fold_sees_that_fold_only(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    seen: list[int] = []

    class Spy(IndependentColumns):
        def fit(self, X: Any, y: Any = None) -> Spy:
            seen.append(len(X))
            return super().fit(X, y)

    model = _model(ratio="auto", cv=2).set_params(synthesizer=Spy()).fit(*blobs)
    assert seen[:2] == [100, 100]
    assert seen[2:] == ([200] if model.ratio_ else [])
    assert set(model.ratio_scores_) == set(RATIOS)


def test_auto_ratio_prefers_no_generator_if_it_gains_nothing() -> None:
    X = np.r_[np.zeros(40), np.ones(40)][:, None]
    model = _model(ratio="auto", cv=2).fit(X, X[:, 0].astype(int))
    assert model.ratio_ == 0.0  # every ratio is perfect


def test_without_weights_rows_are_drawn_once(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    model = AugmentedClassifier(
        KNeighborsClassifier(), GaussianCopula(), ratio=0.5, random_state=0
    ).fit(*blobs)
    assert model.n_synthetic_ == 100
    assert model.estimator_.n_samples_fit_ == 300
    assert model.predict_proba(blobs[0]).shape == (200, 2)


def test_without_probabilities(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    model = AugmentedClassifier(LinearSVC(), GaussianCopula(), random_state=0, n_synthetic=50)
    assert model.fit(*blobs).score(*blobs) > 0.85
    assert not hasattr(model, "predict_proba")


def test_rows_without_weight_are_left_out(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    weights = (np.arange(200) < 100).astype(float)
    first = _model().fit(X, y, sample_weight=weights).predict_proba(X)
    second = _model().fit(X[:100], y[:100]).predict_proba(X)
    np.testing.assert_allclose(first, second)


def test_images(noise: Any, shades: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = shades
    model = AugmentedClassifier(Recorder(), noise, n_synthetic=20, random_state=0).fit(X, y)
    assert model.estimator_.X_.shape[1:] == (8, 8)


def test_mixture_of_soft_labels(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    labels = read_labels(y, 200)
    source = fit_source(read_rows(X), labels, GaussianCopula(), 0)
    mixture = mix(_model(n_synthetic=30), X, labels, np.ones(200), source, 2.0, 0)
    assert mixture.n_synthetic == 30
    assert len(mixture.X) == len(mixture.codes) == len(mixture.weights)
    assert mixture.weights[200:].sum() == pytest.approx(400, rel=0.01)


@pytest.mark.parametrize(
    "options",
    [
        {"ratio": -1.0},
        {"ratio": "best"},
        {"labels": "fuzzy"},
        {"filter": 0.5},
        {"blend": ("fake",)},
        {"blend": "real"},
        {"n_synthetic": 0},
        {"cv": 1},
        {"estimator": 3},
        {"balance": 2},
    ],
)
def test_refused(options: dict[str, Any], blobs: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(InvalidParameterError):
        _model().set_params(**options).fit(*blobs)


def test_bad_data(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    with pytest.raises(InvalidDataError, match="1 class"):
        _model().fit(X, np.zeros(200))
    with pytest.raises(InvalidDataError, match="negative"):
        _model().fit(X, y, sample_weight=-np.ones(200))
    with pytest.raises(InvalidDataError, match="at least cv=3 rows"):
        _model(ratio="auto").fit(X, np.r_[np.zeros(199, int), 1])


def test_a_scorer_that_does_not_know_the_labels() -> None:
    """It is refused before any generator is fitted."""

    class Never:
        def fit(self, X: Any, y: Any = None) -> Any:
            raise AssertionError("a generator was fitted")

        def sample(self, n: int, **options: Any) -> Any:
            raise AssertionError

    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.array(["a", "b"] * 20)
    model = AugmentedClassifier(LogisticRegression(), Never(), ratio="auto", scoring="f1")
    with pytest.raises(InvalidParameterError, match=r"scoring='f1' cannot score.*f1_macro"):
        model.fit(X, y)
