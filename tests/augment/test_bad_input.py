"""Everything public, given what it cannot use: a typed error that says so, never another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from synthgen import GaussianCopula, IndependentColumns
from synthgen.augment import (
    Albumentations,
    AugmentedClassifier,
    MixedDataset,
    SyntheticDataset,
    SyntheticImputer,
    SyntheticMix,
    SyntheticResampler,
    as_albumentations,
    augmentation_report,
    counterfactuals,
    pool,
)
from synthgen.errors import (
    InvalidDataError,
    InvalidParameterError,
    SchemaMismatchError,
    SynthgenError,
)

TABLE = pd.DataFrame({"a": np.linspace(0.0, 1.0, 40), "c": np.arange(40) % 7})
Y = np.arange(40) % 4 == 0
MIXED = TABLE.assign(b=list("xyzx") * 10)
FITTED = IndependentColumns(random_state=0).fit(MIXED)
IMAGE = np.zeros((8, 8), np.uint8)


class Grey:
    """A generator of images of one colour."""

    def sample(self, n: int, y: Any = None, random_state: Any = None) -> np.ndarray:
        return np.full((n, 8, 8), 100, np.uint8)


def _classifier(X: Any, y: Any, **options: Any) -> Any:
    defaults: dict[str, Any] = {"labels": "hard", "n_synthetic": 20, "random_state": 0}
    estimator = options.pop("estimator", DecisionTreeClassifier(max_depth=2))
    synthesizer = options.pop("synthesizer", IndependentColumns())
    return AugmentedClassifier(estimator, synthesizer, **defaults | options).fit(X, y)


def _resampled(X: Any, y: Any, **options: Any) -> Any:
    return SyntheticResampler(IndependentColumns(), random_state=0, **options).fit_resample(X, y)


def _report(X: Any, y: Any, estimator: Any = None, **options: Any) -> Any:
    options = {"methods": ["none"], "n_splits": 2, "n_repeats": 1} | options
    return augmentation_report(X, y, estimator or DecisionTreeClassifier(), **options)


def _imputer(X: Any, synthesizer: Any = None, **options: Any) -> SyntheticImputer:
    return SyntheticImputer(synthesizer or IndependentColumns(), random_state=0, **options).fit(X)


def _rows(synthesizer: Any = FITTED, **options: Any) -> SyntheticDataset:
    return SyntheticDataset(synthesizer, 5, random_state=0, **options)


BAD_TABLES: dict[str, Any] = {
    "none": None,
    "empty": pd.DataFrame(),
    "no rows": TABLE.head(0),
    "one row": TABLE.head(1),
    "duplicate names": TABLE.set_axis(["a", "a"], axis=1),
    "infinity": TABLE.assign(a=np.inf),
    "generator": ([k, k] for k in range(40)),
    "ragged": [[1, 2], [3]],
    "words": "table",
    "one axis": np.arange(40),
    "no images": np.zeros((0, 8, 8)),
}


@pytest.mark.parametrize("X", BAD_TABLES.values(), ids=BAD_TABLES)
@pytest.mark.parametrize("use", [_resampled, _classifier, _report])
def test_tables_that_cannot_be_used(use: Callable[..., Any], X: Any) -> None:
    rows = len(X) if hasattr(X, "__len__") else 40
    with pytest.raises(InvalidDataError):
        use(X, Y[:rows])


@pytest.mark.parametrize("X", [X for k, X in BAD_TABLES.items() if k != "one row"])
def test_tables_without_cells_to_fill(X: Any) -> None:
    with pytest.raises(InvalidDataError):
        _imputer(X)
    with pytest.raises(SynthgenError):
        counterfactuals(FITTED, X, {"b": "x"}, keep=["a"])


@pytest.mark.parametrize(
    "y",
    [
        None, Y[:-1], [1] * 40, np.where(Y, np.nan, 1.0), np.linspace(0, 1, 40), "abc", 3, [],
        np.zeros((40, 2)), (k % 2 for k in range(40)), [[1, 2]] * 20 + [[3]] * 20,
        np.r_[np.inf, np.zeros(39)],
    ],
)  # fmt: skip
@pytest.mark.parametrize("use", [_resampled, _classifier, _report])
def test_labels_that_cannot_be_used(use: Callable[..., Any], y: Any) -> None:
    with pytest.raises(InvalidDataError):
        use(TABLE, y)


@pytest.mark.parametrize("labels", ["soft", "hard"])
@pytest.mark.parametrize("column", [np.nan, None, 1])
def test_columns_that_say_nothing_do_no_harm(labels: str, column: Any) -> None:
    X = TABLE.assign(empty=column)
    more, _ = _resampled(X, Y, filter=0.1)
    assert list(more.columns) == list(X.columns)
    model = _classifier(X.drop(columns="c").astype({"empty": float}), Y, labels=labels)
    assert model.predict(X.drop(columns="c").astype({"empty": float})).shape == (40,)


def test_a_thousand_categories() -> None:
    X = pd.DataFrame({"k": [f"v{place % 1000}" for place in range(2000)], "a": range(2000)})
    more, labels = _resampled(X, np.arange(2000) % 4 == 0)
    assert len(more) == len(labels) == 3000


@pytest.mark.parametrize(
    "options",
    [
        {"blend": None}, {"blend": {}}, {"cv": "x"}, {"cv": []}, {"cv": [3]}, {"scoring": -1},
        {"scoring": "x"}, {"scoring": ["accuracy"]}, {"estimator": LogisticRegression},
        {"estimator": None},
        {"estimator": LinearRegression()}, {"synthesizer": IndependentColumns},
        {"random_state": "x"},
        {"ratio": None}, {"filter": np.nan}, {"n_synthetic": 1.5},
    ],
)  # fmt: skip
def test_parameters_of_the_classifier(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError):
        _classifier(TABLE, Y, **options)


@pytest.mark.parametrize("weights", ["x", [], {}, [1.0], np.full(40, np.nan), np.zeros(40)])
def test_weights_that_are_none(weights: Any) -> None:
    with pytest.raises(InvalidDataError):
        AugmentedClassifier(DecisionTreeClassifier(), IndependentColumns()).fit(TABLE, Y, weights)


def test_a_weight_may_be_a_boolean() -> None:
    model = AugmentedClassifier(LogisticRegression(), ratio=0.0)
    kept = np.arange(40) < 30
    expected = LogisticRegression().fit(TABLE[:30], Y[:30]).predict_proba(TABLE)
    np.testing.assert_allclose(model.fit(TABLE, Y, kept).predict_proba(TABLE), expected)


def test_whose_words_they_are_if_the_estimator_refuses_rows() -> None:
    with pytest.raises(InvalidDataError, match="DecisionTreeClassifier refuses these rows"):
        _classifier(MIXED, Y)
    with pytest.raises(InvalidDataError, match="give a pipeline"):
        _report(MIXED, Y)
    with pytest.raises(InvalidDataError, match="refuses these rows"):
        _classifier(TABLE, Y).predict(TABLE.assign(a="word"))


@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.parametrize(
    "X",
    [
        TABLE[["a"]], TABLE.assign(more=1), TABLE.rename(columns={"a": "q"}), TABLE[["c", "a"]],
        np.zeros((3, 3)),
    ],
)  # fmt: skip
def test_other_columns_than_in_fit(X: Any) -> None:
    with pytest.raises(SchemaMismatchError):
        _classifier(TABLE, Y).predict(X)
    with pytest.raises(SchemaMismatchError):
        _imputer(TABLE).transform(X)


def test_images_and_tables_are_not_taken_for_each_other(shades: Any, noise: Any) -> None:
    with pytest.raises(InvalidDataError):
        _classifier(TABLE, Y).predict(np.zeros((3, 8, 8)))

    class Flat(LogisticRegression):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            return super().fit(X.reshape(len(X), -1) / 255, y)

        def predict(self, X: Any) -> Any:
            return super().predict(X.reshape(len(X), -1) / 255)

        def predict_proba(self, X: Any) -> Any:
            return super().predict_proba(X.reshape(len(X), -1) / 255)

    model = _classifier(*shades, estimator=Flat(), synthesizer=noise)
    assert model.predict(shades[0]).shape == (40,)
    for X in (TABLE, None, np.zeros((3, 9, 9))):
        with pytest.raises(SchemaMismatchError, match="fitted to images"):
            model.predict(X)


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names:UserWarning")
def test_columns_without_names_go_by_their_places() -> None:
    gaps = TABLE.astype(float).mask(TABLE > 4)
    filled = _imputer(gaps).transform(gaps)
    np.testing.assert_array_equal(_imputer(gaps).transform(gaps.to_numpy()), filled)
    named = _imputer(gaps.to_numpy()).transform(gaps)
    assert list(named.columns) == list(gaps.columns)
    with pytest.raises(SchemaMismatchError, match="must be those of fit"):
        _imputer(gaps.set_axis([3, 4], axis=1)).transform(gaps.set_axis([5, 6], axis=1))


@pytest.mark.parametrize("synthesizer", [-1, "x", [1], {1: 2}, IndependentColumns])
def test_what_is_no_synthesizer(synthesizer: Any) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: _imputer(TABLE, synthesizer),
        lambda: counterfactuals(synthesizer, TABLE, {"a": 1}),
        lambda: _rows(synthesizer),
        lambda: SyntheticMix(synthesizer),
        lambda: _classifier(TABLE, Y, synthesizer=synthesizer),
        lambda: SyntheticResampler(synthesizer).fit(TABLE, Y),
    ]
    for call in calls:
        with pytest.raises(InvalidParameterError, match="synthesizer must have the methods"):
            call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: _resampled(TABLE, Y, filter=0.1, judge=3), "judge must have"),
        (lambda: _report(TABLE, Y, 3), "estimator must have"),
        (lambda: _report(TABLE, Y, methods=3), "methods must be a list"),
        (lambda: _report(TABLE, Y, methods="none"), "methods must be a list"),
        (lambda: _report(TABLE, Y, methods=[]), "methods must be a list"),
        (lambda: counterfactuals(FITTED, MIXED, {"b": "x"}, keep=None), "keep must be a list"),
        (lambda: counterfactuals(FITTED, MIXED, {"b": "x"}, keep="a"), "keep must be a list"),
        (lambda: counterfactuals(FITTED, MIXED, None), "changes must map"),
        (lambda: _imputer(TABLE).pooled(TABLE, 3), "estimate must be a callable"),
        (lambda: _imputer(TABLE).pooled(TABLE, lambda _: 1.0, m=2), "return two numbers"),
        (lambda: pool("ab", [1, 1]), "sequences of numbers"),
        (lambda: pool([1, 2], {}), "sequences of numbers"),
        (lambda: pool([1, 2], [1, 1], complete_degrees=np.nan), "complete_degrees must be"),
        (lambda: pool([1, 2], [1, 1], complete_degrees=-1), "complete_degrees must be"),
        (lambda: _rows(conditions="x"), "conditions must be a dict"),
        (lambda: _rows(classes=3), "classes must be a list"),
        (lambda: _rows(label=[]), "label must be the name"),
        (lambda: _rows(encode=3), "encode must be None or a callable"),
        (lambda: MixedDataset(None, _rows()), "real must have"),
        (lambda: MixedDataset([1], [2]), "synthetic must be a SyntheticDataset"),  # type: ignore[arg-type]  # on purpose
        (lambda: MixedDataset([1], _rows(), transform="x"), "transform must be None or"),  # type: ignore[arg-type]  # on purpose
        (lambda: SyntheticMix(Grey(), p=1.0)(image=None), "takes an image"),  # type: ignore[arg-type]  # on purpose
        (lambda: SyntheticMix(Grey(), p=0.0)(image=IMAGE, label=[]), "one label"),
        (lambda: Albumentations(None), "pipeline must be a callable"),
        (lambda: Albumentations(lambda image: image)(IMAGE), "key 'image'"),
        (lambda: Albumentations(lambda image: {"image": image})(None), "at least two axes"),
        (lambda: as_albumentations(None), "mix must be a SyntheticMix"),  # type: ignore[arg-type]  # on purpose
        (lambda: SyntheticResampler(FITTED).fit(TABLE, Y).sample(2, np.arange(2)), "no class"),
    ],
)
def test_refused_in_words(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(SynthgenError, match=words):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: counterfactuals(GaussianCopula(), TABLE, {"a": 1}),
        lambda: SyntheticDataset(GaussianCopula(), 3)[0],
        lambda: SyntheticImputer().transform(TABLE),
        lambda: AugmentedClassifier(DecisionTreeClassifier()).predict(TABLE),
        lambda: SyntheticResampler().sample(1, 1),
    ],
)
def test_not_fitted(call: Callable[[], Any]) -> None:
    with pytest.raises(NotFittedError):
        call()


@pytest.mark.parametrize("place", ["x", 1.5, None])
def test_items_are_counted(place: Any) -> None:
    for rows in (_rows(), MixedDataset([1], _rows())):
        with pytest.raises(TypeError):
            rows[place]
        with pytest.raises(IndexError):
            rows[99]
