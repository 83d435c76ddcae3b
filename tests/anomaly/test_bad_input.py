"""Everything public, given what it cannot use: a typed error that says so, never another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from synthgen import GANSynthesizer, GaussianCopula, Schema
from synthgen.anomaly import GANOutlierDetector, anomaly_report, planted_anomalies
from synthgen.anomaly.models import fresh_model
from synthgen.errors import InvalidDataError, InvalidParameterError, SchemaMismatchError
from synthgen.models.image import ImageGANSynthesizer


def quick(**options: Any) -> GANOutlierDetector:
    synthesizer = options.pop("synthesizer", GANSynthesizer(max_steps=3, refine=False))
    return GANOutlierDetector(synthesizer=synthesizer, random_state=0, **options)


@pytest.mark.parametrize(
    "X",
    [
        None, pd.DataFrame(), pd.DataFrame({"a": []}), np.zeros((1, 2)), np.full((50, 1), np.nan),
        pd.DataFrame(np.zeros((50, 2)), columns=["a", "a"]), np.full((50, 2), np.inf), "abc", 5,
        ([k] for k in range(50)), [[1, 2], [3]], np.arange(50), np.zeros((0, 8, 8)),
    ],
)  # fmt: skip
def test_data_that_cannot_be_used(X: Any, table_detector: GANOutlierDetector) -> None:
    with pytest.raises(InvalidDataError):
        quick().fit(X)
    with pytest.raises(InvalidDataError):
        table_detector.score_samples(X)


@pytest.mark.parametrize("synthesizer", [3, "x", [1], GANSynthesizer, GaussianCopula()])
def test_what_is_no_synthesizer(synthesizer: Any, related: pd.DataFrame) -> None:
    with pytest.raises(InvalidParameterError, match="must be None or a GANSynthesizer"):
        quick(synthesizer=synthesizer).fit(related)


def test_tables_and_images_want_their_own(related: pd.DataFrame, pictures: np.ndarray) -> None:
    with pytest.raises(InvalidParameterError, match="for tables"):
        quick(synthesizer=ImageGANSynthesizer()).fit(related)
    with pytest.raises(InvalidParameterError, match="for images"):
        quick().fit(pictures)


def test_a_synthesizer_may_have_a_generator_of_numbers() -> None:
    for state in (np.random.default_rng(7), np.random.RandomState(7)):
        synthesizer = GANSynthesizer(random_state=state)
        first, again, second = (fresh_model(synthesizer, 0, k).random_state for k in (0, 0, 1))
        assert first == again
        assert second == first + 1
    assert fresh_model(GANSynthesizer(random_state=5), 0, 2).random_state == 7


@pytest.mark.parametrize(
    ("schema", "error"),
    [(3, InvalidParameterError), ("weight", SchemaMismatchError), ("new", SchemaMismatchError)],
)
def test_a_schema_of_something_else(schema: Any, error: type, related: pd.DataFrame) -> None:
    if schema == "weight":
        schema = Schema.infer(related.drop(columns="weight"))
    elif schema == "new":
        schema = Schema.infer(related.assign(new=range(len(related))))
    with pytest.raises(error):
        planted_anomalies(related, "local", 5, schema=schema)


@pytest.mark.parametrize("y", [None, "abc", 3, [[1, 2]] * 5 + [[3]] * 5, [0, 1, -1] * 2, ["a"] * 6])
def test_truth_that_is_none(y: Any, table_detector: GANOutlierDetector, related: Any) -> None:
    rows = related.head(len(y) if isinstance(y, list) else 6)
    with pytest.raises(InvalidDataError, match="y must have"):
        anomaly_report(table_detector, rows, y, n_resamples=2)


@pytest.mark.parametrize("detector", [None, 3, GANOutlierDetector, quick().to_pyod()])
def test_reports_are_about_detectors(detector: Any, related: pd.DataFrame) -> None:
    with pytest.raises(InvalidParameterError, match="must be a GANOutlierDetector"):
        anomaly_report(detector, related, np.arange(len(related)) % 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda X: anomaly_report(quick(), X, np.arange(len(X)) % 2),
        lambda X: quick().explain(X),
        lambda X: quick().to_pyod().predict(X),
        lambda X: quick().to_pyod().threshold_,
    ],
)
def test_not_fitted(call: Callable[[Any], Any], related: pd.DataFrame) -> None:
    with pytest.raises(NotFittedError):
        call(related)
