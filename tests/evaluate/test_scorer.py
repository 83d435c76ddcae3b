"""Scorers in scikit-learn's model selection."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from synthgen import GaussianCopula, IndependentColumns, Schema, datasets
from synthgen.data.frame import read_frame
from synthgen.errors import InvalidParameterError
from synthgen.evaluate import make_synthesizer_scorer, shape, trend
from synthgen.evaluate.scorer import SynthesizerScorer

from .tables import related

REAL, HELD = related(200, 1), related(100, 2)


class Mixture(BaseEstimator):
    """Gives training rows back; a share of them has every column shuffled."""

    def __init__(self, noise: float = 0.0) -> None:
        self.noise = noise

    def fit(self, X: Any, y: Any = None) -> Mixture:
        self.rows_ = read_frame(X, y)[0]
        return self

    def sample(self, n_samples: int = 1, *, random_state: int = 0) -> pd.DataFrame:
        rng = np.random.default_rng(random_state)
        rows = self.rows_.iloc[rng.integers(len(self.rows_), size=n_samples)]
        rows = rows.reset_index(drop=True)
        spoilt = np.flatnonzero(rng.random(n_samples) < self.noise)
        for name in rows:
            rows.loc[spoilt, name] = rows.loc[rng.permutation(spoilt), name].to_numpy()
        return rows


@pytest.mark.parametrize(
    "metric", ["c2st", "shape", "trend", "marginals", "mutual_information", "density", "coverage"]
)
def test_grid_search_finds_the_least_noise(metric: str) -> None:
    table = related(600, 5)
    search = GridSearchCV(
        Mixture(),
        {"noise": [1.0, 0.0, 0.5]},
        scoring=make_synthesizer_scorer(metric),
        cv=KFold(2),
        error_score="raise",
    )
    search.fit(table)
    scores = dict(zip([1.0, 0.0, 0.5], search.cv_results_["mean_test_score"], strict=True))
    if metric == "shape":  # blind to relations
        assert max(scores.values()) - min(scores.values()) < 0.05
    else:
        assert search.best_params_ == {"noise": 0.0}
        assert scores[0.0] > scores[0.5] > scores[1.0]


def test_grid_search_over_a_synthesizer() -> None:
    table = related(400, 5)[["x", "label"]]
    table["x"] = (1_000 * table["x"]).round().astype(int)
    loose = Schema.infer(table).with_column("x", kind="id")
    search = GridSearchCV(
        GaussianCopula(random_state=0),
        {"schema": [loose, None]},
        scoring=make_synthesizer_scorer("utility", target="label", n_estimators=20, schema=None),
        cv=KFold(2),
        error_score="raise",
    )
    search.fit(table)
    # Without x, which is regenerated as an id, the label is harder to predict.
    assert search.best_params_ == {"schema": None}
    assert isinstance(search.best_estimator_, GaussianCopula)
    assert len(search.best_estimator_.sample(5, random_state=0)) == 5


def test_cross_validation_prefers_relations() -> None:
    table = related(600, 5)
    scoring = make_synthesizer_scorer("mutual_information")
    copula, floor = (
        cross_val_score(model, table, cv=KFold(2), scoring=scoring, error_score="raise").mean()
        for model in (GaussianCopula(), IndependentColumns())
    )
    assert copula > floor + 0.1


def test_target_passed_separately() -> None:
    table = related(400, 5)
    X, y = table.drop(columns="label"), table["label"]
    scoring = make_synthesizer_scorer("utility", target="label", n_estimators=20)
    apart = cross_val_score(GaussianCopula(), X, y, cv=2, scoring=scoring, error_score="raise")
    assert (apart > 0.7).all()
    assert scoring(GaussianCopula(random_state=0).fit(X, y), X, y) == pytest.approx(
        scoring(GaussianCopula(random_state=0).fit(table), table)
    )
    # An array of labels gets a name.
    iris = datasets.load_frame("iris").sample(frac=1, random_state=0)
    arrays = iris.drop(columns="target").to_numpy(), iris["target"].to_numpy()
    scoring = make_synthesizer_scorer("shape")
    scores = cross_val_score(GaussianCopula(), *arrays, cv=2, scoring=scoring, error_score="raise")
    assert (scores > 0.7).all()


def test_calls_the_metric() -> None:
    model = Mixture().fit(REAL)
    made = model.sample(40, random_state=7)
    scorer = make_synthesizer_scorer("shape", n_samples=40, random_state=7)
    assert scorer(model, HELD) == shape(HELD, made).value
    strict = make_synthesizer_scorer("trend", n_samples=40, random_state=7,
                                     correlation_threshold=0.5)  # fmt: skip
    assert strict(model, HELD) == trend(HELD, made, correlation_threshold=0.5).value
    # As many rows as there are to compare with.
    same = make_synthesizer_scorer("shape", random_state=7)
    assert same(model, HELD) == shape(HELD, model.sample(len(HELD), random_state=7)).value


def test_same_seed_same_score() -> None:
    model = Mixture(0.5).fit(REAL)
    scorers = [make_synthesizer_scorer("c2st", random_state=seed) for seed in (3, 3, 4)]
    first, again, other = (scorer(model, HELD) for scorer in scorers)
    assert first == again
    assert first != other


def test_not_applicable_is_nan() -> None:
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0] * 20, "y": [0.5] * 60})
    value = make_synthesizer_scorer("mutual_information")(Mixture().fit(table), table)
    assert math.isnan(value)


def test_utility_needs_a_target() -> None:
    with pytest.raises(InvalidParameterError, match="target"):
        make_synthesizer_scorer("utility")


def test_wrong_use() -> None:
    with pytest.raises(InvalidParameterError, match=r"metric must be one of .*'c2st'.* got 'mse'"):
        make_synthesizer_scorer("mse")
    with pytest.raises(InvalidParameterError, match="'shape' has no option 'speed'"):
        make_synthesizer_scorer("shape", speed=1)
    with pytest.raises(InvalidParameterError, match="n_samples must be an integer >= 1"):
        make_synthesizer_scorer("shape", n_samples=0)


def test_repr_and_equality() -> None:
    scorer = make_synthesizer_scorer("trend", n_samples=5, max_rows=100)
    assert scorer == SynthesizerScorer("trend", 5, 0, {"max_rows": 100})
    assert "trend" in repr(scorer)
