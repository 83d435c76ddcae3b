"""Over-sampling by a generator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from synthgen import GaussianCopula, IndependentColumns, Schema
from synthgen.augment import SyntheticResampler
from synthgen.errors import ConditionError, DataWarning, InvalidDataError, InvalidParameterError


def test_real_rows_first_and_classes_balanced(churn: tuple[pd.DataFrame, pd.Series]) -> None:
    X, y = churn
    resampler = SyntheticResampler(GaussianCopula(), random_state=0)
    more, labels = resampler.fit_resample(X, y)
    pd.testing.assert_frame_equal(more.iloc[:240], X)
    pd.testing.assert_series_equal(labels.iloc[:240], y)
    assert labels.value_counts().tolist() == [216, 216]
    assert more.dtypes.equals(X.dtypes)
    assert resampler.sampling_strategy_ == {True: 192}
    assert resampler.is_synthetic_.sum() == 192
    assert labels[resampler.is_synthetic_].all()
    # The class has its own mean, which the generator learned with the others.
    assert more["usage"][resampler.is_synthetic_].mean() < -0.7


def test_same_seed_same_rows(churn: tuple[pd.DataFrame, pd.Series]) -> None:
    resampler = SyntheticResampler(GaussianCopula(), random_state=3)
    first, _ = resampler.fit_resample(*churn)
    second, _ = clone(resampler).fit_resample(*churn)
    other, _ = clone(resampler).set_params(random_state=4).fit_resample(*churn)
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(other)


def test_index_and_order_do_not_matter_for_sizes(churn: tuple[pd.DataFrame, pd.Series]) -> None:
    X, y = churn
    shuffled = X.sample(frac=1, random_state=0).set_index(pd.Index([1] * len(X)))
    more, labels = SyntheticResampler(IndependentColumns(), random_state=0).fit_resample(
        shuffled, y.to_numpy()
    )
    assert more.index.is_unique
    assert labels.sum() == 216


def test_class_of_one_row() -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = np.r_[np.zeros(30, int), np.ones(9, int), 2]
    _, labels = SyntheticResampler(GaussianCopula(), random_state=0).fit_resample(X, y)
    assert np.bincount(labels).tolist() == [30, 30, 30]


def test_filter_keeps_the_confident(churn: tuple[pd.DataFrame, pd.Series]) -> None:
    X, y = churn
    plain = SyntheticResampler(IndependentColumns(), random_state=0)
    strict = SyntheticResampler(IndependentColumns(), filter=0.6, random_state=0)
    loose_rows, _ = plain.fit_resample(X[["usage"]], y)
    strict_rows, _ = strict.fit_resample(X[["usage"]], y)
    assert 0 < strict.kept_[True] < 0.9
    assert len(strict_rows) == len(loose_rows)
    assert strict_rows["usage"][240:].mean() < loose_rows["usage"][240:].mean() - 0.3


def test_filter_that_nothing_passes_warns() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.arange(60) % 6 == 0
    resampler = SyntheticResampler(
        IndependentColumns(), filter=0.99, judge=LogisticRegression(), random_state=0
    )
    with pytest.warns(DataWarning, match="pass the filter"):
        _, labels = resampler.fit_resample(X, y)
    assert labels.sum() == 50


def test_images(noise: Any, shades: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = shades
    more, labels = SyntheticResampler(noise, random_state=0).fit_resample(X, y)
    assert more.dtype == np.uint8
    assert np.bincount(labels).tolist() == [35, 35]
    assert more[40:].min() >= 100


def test_sample_of_one_class(churn: tuple[pd.DataFrame, pd.Series]) -> None:
    resampler = SyntheticResampler(GaussianCopula(), random_state=0)
    with pytest.raises(NotFittedError):
        resampler.sample(3, True)
    rows = resampler.fit(*churn).sample(3, True, random_state=0)
    assert rows.columns.tolist() == churn[0].columns.tolist()
    with pytest.raises(InvalidDataError, match="no class 'x'"):
        resampler.sample(3, "x")


def test_schema_without_the_target_is_completed(churn: tuple[pd.DataFrame, pd.Series]) -> None:
    X, y = churn
    schema = Schema.infer(X)
    resampler = SyntheticResampler(GaussianCopula(schema=schema), random_state=0)
    assert resampler.fit(X, y).synthesizer_.schema_.names[-1] == "churned"
    assert resampler.get_params()["synthesizer__schema"] is schema


def test_schema_with_the_target(churn: tuple[pd.DataFrame, pd.Series]) -> None:
    X, y = churn
    schema = Schema.infer(X.assign(churned=y))
    _, labels = SyntheticResampler(GaussianCopula(schema=schema), random_state=0).fit_resample(X, y)
    assert labels.sum() == 216


def test_any_object_of_the_contract() -> None:
    class Repeats:
        def fit(self, frame: pd.DataFrame) -> Repeats:
            self.frame_ = frame
            return self

        def sample(self, n: int, *, conditions: Any = None, random_state: Any = None) -> Any:
            ((name, value),) = conditions.items()
            part = self.frame_[self.frame_[name] == value]
            return part.sample(n, replace=True, random_state=random_state % 2**32)

    X, y = pd.DataFrame({"target": range(10)}), [0] * 8 + [1] * 2
    more, labels = SyntheticResampler(Repeats(), random_state=0).fit_resample(X, y)
    assert set(more["target"][10:]) <= {8, 9}
    assert labels == [*y, *[1] * 6]


def test_generators_that_break_the_contract_are_found() -> None:
    class Disobedient:
        def __init__(self, rows: int, strange: bool) -> None:
            self.rows, self.strange = rows, strange

        def fit(self, frame: pd.DataFrame) -> Disobedient:
            self.frame_ = frame
            return self

        def sample(self, n: int, *, conditions: Any = None, random_state: Any = None) -> Any:
            if self.strange:
                raise ConditionError("There is no such value.")
            return self.frame_.iloc[np.zeros(n + self.rows, dtype=int)]

    X, y = pd.DataFrame({"x": range(10)}), [0] * 8 + [1] * 2
    with pytest.raises(InvalidDataError, match="asked for 6 rows and returned 7"):
        SyntheticResampler(Disobedient(1, False)).fit_resample(X, y)
    with pytest.raises(InvalidDataError, match="of another class"):
        SyntheticResampler(Disobedient(0, False)).fit_resample(X, y)
    with pytest.raises(ConditionError, match="cannot make rows of the class"):
        SyntheticResampler(Disobedient(0, True)).fit_resample(X, y)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"filter": 1.0}, InvalidParameterError),
        ({"filter": "yes"}, InvalidParameterError),
        ({"synthesizer": 3}, InvalidParameterError),
        ({"random_state": -1}, InvalidParameterError),
    ],
)
def test_refused(options: dict[str, Any], error: type[Exception]) -> None:
    resampler = SyntheticResampler(IndependentColumns()).set_params(**options)
    with pytest.raises(error):
        resampler.fit_resample(np.zeros((10, 1)), [0, 1] * 5)


def test_in_a_pipeline_of_imbalanced_learn(churn: tuple[pd.DataFrame, pd.Series]) -> None:
    pipeline = pytest.importorskip("imblearn.pipeline")
    steps = [
        ("more", SyntheticResampler(GaussianCopula(), sampling_strategy=0.5, random_state=0)),
        ("clf", LogisticRegression()),
    ]
    X, y = churn[0][["calls"]], churn[1]
    model = pipeline.Pipeline(steps).fit(X, y)
    assert model.predict_proba(X)[:, 1].mean() > 0.2  # a third of the rows trained on
    assert model.predict(X).shape == (240,)


def test_a_lazy_frame_of_polars() -> None:
    pl = pytest.importorskip("polars")
    X = pl.LazyFrame({"a": [1.0, 2.0, 3.0, 4.0] * 5})
    resampler = SyntheticResampler(IndependentColumns(), random_state=0)
    more, y = resampler.fit_resample(X, [0, 0, 0, 1] * 5)
    assert more.shape == (30, 1)
    assert sum(y) == 15
