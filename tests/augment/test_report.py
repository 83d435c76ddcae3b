"""All methods side by side."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from synthgen import IndependentColumns
from synthgen.augment import augmentation_report
from synthgen.augment.methods import METHODS, Fold, shifted
from synthgen.augment.scores import corrected_interval
from synthgen.errors import InvalidDataError, InvalidParameterError

_QUICK = [
    "none",
    "class_weights",
    "tuned_threshold",
    "random_over",
    "gan",
    "gan_filter",
    "gan_even",
    "tstr",
]


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = (np.arange(150) % 6 == 0).astype(int)
    return rng.normal(size=(150, 3)) + y[:, None], y


def _report(X: Any, y: Any, estimator: Any = None, **options: Any) -> Any:
    defaults: dict[str, Any] = {"synthesizer": IndependentColumns(), "n_repeats": 1, "n_splits": 2}
    model = LogisticRegression() if estimator is None else estimator
    return augmentation_report(X, y, model, **defaults | options)


def test_table_intervals_and_json(blobs: tuple[np.ndarray, np.ndarray], tmp_path: Any) -> None:
    report = _report(*blobs, methods=_QUICK)
    assert report.table().index.tolist() == _QUICK
    assert report.facts["classes"] == {"0": 125, "1": 25}
    row = report.scores.query("method == 'gan' and score == 'pr_auc'").iloc[0]
    folds = report.folds.set_index(["method", "fold"])["pr_auc"]
    gaps = (folds["gan"] - folds["none"]).to_numpy()
    assert row["difference"] == pytest.approx(gaps.mean())
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(
        corrected_interval(gaps, 1.0)
    )
    report.to_json(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["advice"] == report.advice
    assert report.advice in str(report)


def test_even_rows_of_all_classes() -> None:
    """Generated rows are marked: where only the rare class has any, the mark is taken for it."""

    class Marking:
        """Makes rows of noise whose last feature gives them away."""

        def fit(self, frame: pd.DataFrame) -> Any:
            self.columns_ = frame.columns
            return self

        def sample(self, n: int, *, conditions: Any, random_state: Any) -> pd.DataFrame:
            rng = np.random.default_rng(random_state)
            made = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "mark", "c"])
            made["mark"] = 1.0
            made["c"] = next(iter(conditions.values()))
            return made.set_axis(self.columns_, axis=1)

    rng = np.random.default_rng(0)
    y = (np.arange(400) % 10 == 0).astype(int)
    X = pd.DataFrame({"a": rng.normal(size=400) + y, "mark": rng.random(400) < 0.2}, dtype=float)
    codes, seen = y.astype(np.int64), {}
    for name in ("gan", "gan_even"):
        marked = X.assign(mark=1.0)
        fold = Fold(X, codes, marked, LogisticRegression(), Marking(), 2, 0.5, 1.0, 0)
        seen[name] = METHODS[name](fold).codes.mean()
    assert seen["gan"] > 0.7
    assert 0.2 < seen["gan_even"] < 0.6


def test_same_seed_same_scores(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = (_report(*blobs, methods=["none", "gan"]) for _ in range(2))
    pd.testing.assert_frame_equal(first.scores, second.scores)


def test_tuned_threshold_moves_decisions_only(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    table = _report(*blobs, methods=["none", "tuned_threshold"]).table()
    assert table.loc["tuned_threshold", "pr_auc"] == pytest.approx(table.loc["none", "pr_auc"])
    gain = table["balanced_accuracy"]
    assert gain["tuned_threshold"] > gain["none"]


def test_soft_labels_and_their_control(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    report = _report(*blobs, methods=["none", "averaged_real", "gan_soft"])
    assert len(report.table()) == 3


def test_smote_on_mixed_rows_with_gaps(churn: tuple[pd.DataFrame, pd.Series]) -> None:
    pytest.importorskip("imblearn")
    X, y = churn[0].drop(columns="since"), churn[1]
    trees = make_pipeline(FunctionTransformer(pd.get_dummies), DecisionTreeClassifier())
    report = _report(X, y, trees, methods=["none", "smote"])
    assert "smote" in report.table().index
    dated = _report(churn[0][["since"]], y, _Constant(), methods=["none", "smote"])
    assert "dates" in dated.notes["smote"]


class _Constant(DecisionTreeClassifier):
    """Predicts from nothing."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> _Constant:
        return super().fit(np.zeros((len(X), 1)), y)

    def predict(self, X: Any) -> Any:
        return super().predict(np.zeros((len(X), 1)))

    def predict_proba(self, X: Any) -> Any:
        return super().predict_proba(np.zeros((len(X), 1)))


def test_without_imbalanced_learn(
    blobs: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imblearn.over_sampling", None)
    report = _report(*blobs, methods=["none", "smote"])
    assert "not installed" in report.notes["smote"]
    assert "smote: not applicable" in str(report)


def test_images(noise: Any, shades: tuple[np.ndarray, np.ndarray]) -> None:
    flat = make_pipeline(FunctionTransformer(_flat), LogisticRegression())
    report = _report(*shades, flat, synthesizer=noise, methods=["none", "classic_images", "gan"])
    assert report.table()["pr_auc"].tolist() == [1.0, 1.0, 1.0]
    assert "classic_images" not in report.notes


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / 255.0


def test_no_probabilities_no_brier(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    report = _report(*blobs, LinearSVC(), methods=["none", "averaged_real"])
    assert "brier" not in report.table().columns
    assert "probabilities" in report.notes["averaged_real"]


def test_several_classes() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(90) % 9 // 4  # 0, 1, 2 with 40, 40 and 10 rows
    report = _report(rng.normal(size=(90, 2)) + y[:, None], y, methods=["none", "tuned_threshold"])
    assert "two classes" in report.notes["tuned_threshold"]
    assert report.facts["rarest"] == "2"


def test_refused(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    with pytest.raises(InvalidParameterError, match="methods"):
        _report(X, y, methods=["magic"])
    with pytest.raises(InvalidDataError, match="fewer than n_splits"):
        _report(X, np.r_[np.zeros(149, int), 1])
    assert set(_QUICK) < set(METHODS)


def test_shifts_keep_shape_and_values() -> None:
    images = np.random.default_rng(0).integers(0, 255, (30, 24, 24, 3)).astype(np.uint8)
    moved = shifted(images, np.random.default_rng(1))
    assert moved.shape == images.shape
    assert moved.dtype == np.uint8
    back = [np.array_equal(moved[k, 4:20, 4:20], images[k, 4:20, 4:20]) for k in range(30)]
    assert not all(back)
    inner = {tuple(pixel) for pixel in moved[0].reshape(-1, 3)}
    assert inner <= {tuple(pixel) for pixel in images[0].reshape(-1, 3)}


def test_a_method_that_cannot_work_is_noted(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    """With one constant prediction no threshold can be tuned; the rest of the table stays."""
    X = np.zeros((60, 2))
    y = (np.arange(60) < 8).astype(int)
    report = _report(X, y, DecisionTreeClassifier(), methods=["none", "tuned_threshold"])
    assert report.table().index.tolist() == ["none"]
    assert "no threshold can be tuned" in report.notes["tuned_threshold"]


def test_no_method_at_all(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(InvalidParameterError, match=r"None of the methods.*gan_even: the"):
        _report(*blobs, KNeighborsClassifier(), methods=["class_weights", "gan_even"])
    with pytest.raises(InvalidParameterError, match="methods must be"):
        _report(*blobs, methods=[["none"]])
