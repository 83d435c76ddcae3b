from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate import c2st
from synthgen.evaluate.detection import one_hot
from synthgen.measure.columns import column_roles, matrices

from .tables import related, unrelated


@pytest.mark.parametrize("method", ["trees", "logistic"])
def test_same_distribution_scores_high(method: str) -> None:
    result = c2st(related(800, 1), related(800, 2), method=method)
    assert result.value is not None
    assert result.value > 0.9
    assert result.details["rows_per_class"] == 800


def test_trees_see_what_logistic_regression_cannot() -> None:
    real, fake = related(800, 1), unrelated(800, 2)
    assert c2st(real, fake).value < 0.3
    assert c2st(real, fake, method="logistic").value > 0.9


def test_value_follows_from_the_auc() -> None:
    trees = c2st(related(300, 1), unrelated(300, 2))
    assert trees.value == pytest.approx(2 * (1 - trees.details["auc"]))
    assert trees.details["auc"] == pytest.approx(np.mean(trees.details["auc_by_fold"]))
    assert len(trees.details["auc_by_fold"]) == 5
    assert trees.interval is not None
    assert trees.interval[0] < trees.value < trees.interval[1]
    logistic = c2st(related(300, 1), related(300, 2).assign(x=1.0), method="logistic")
    parts = [max(area, 0.5) * 2 - 1 for area in logistic.details["auc_by_fold"]]
    assert logistic.value == pytest.approx(1 - np.mean(parts))
    assert len(parts) == 3


@pytest.mark.parametrize(
    ("column", "fake_values"),
    [
        ("x", lambda frame: frame["x"].round(1)),
        ("group", lambda frame: frame["group"].replace("low", "never seen")),
        ("y", lambda frame: frame["y"].fillna(0.0)),
    ],
)
def test_a_planted_defect_is_found_and_named(column: str, fake_values: object) -> None:
    real, fake = related(1000, 1), related(1000, 2)
    fake[column] = fake_values(fake)  # type: ignore[operator]  # a lambda of the parameters
    result = c2st(real, fake)
    assert result.value < 0.9
    assert result.breakdown is not None
    assert result.breakdown["column"][0] == column
    drops = result.breakdown["auc_drop"]
    assert drops.is_monotonic_decreasing
    assert drops[0] > 2 * drops[1]


def test_the_larger_table_is_cut() -> None:
    assert c2st(related(200, 1), related(900, 2)).details["rows_per_class"] == 200
    assert c2st(related(900, 1), related(200, 2)).details["rows_per_class"] == 200
    assert c2st(related(900, 1), related(900, 2), max_rows=50).details["rows_per_class"] == 50


@pytest.mark.parametrize("method", ["trees", "logistic"])
def test_same_seed_same_bytes_whatever_the_threads(method: str) -> None:
    real, fake = related(300, 1), unrelated(500, 2)
    first = c2st(real, fake, method=method, random_state=3, n_estimators=20)
    again = c2st(real, fake, method=method, random_state=3, n_estimators=20, n_jobs=2)
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    other = c2st(real, fake, method=method, random_state=4, n_estimators=20)
    assert first.details["auc_by_fold"] != other.details["auc_by_fold"]


def test_global_random_state_is_left_alone() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002  (the state that must not move)
    c2st(related(100, 1), related(100, 2))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002  (as above)


def test_one_hot_is_standardised() -> None:
    frame = related(500, 1)
    features = one_hot(matrices([frame], column_roles(frame))).toarray()
    spread = features.std(axis=0)
    np.testing.assert_allclose(spread[spread > 0], 1.0)
    # x, y, three groups and missing, two labels and the unused place of a missing one.
    assert features.shape == (500, 2 + 4 + 3)


def test_logistic_agrees_with_sdmetrics() -> None:
    pytest.importorskip("sdmetrics")
    from sdmetrics.single_table import LogisticDetection

    real, fake = related(1500, 1).dropna(), related(1500, 2).dropna()
    fake["x"] += 0.5
    theirs = LogisticDetection.compute(real, fake)
    # Their folds are not seeded, so only nearly.
    assert c2st(real, fake, method="logistic").value == pytest.approx(theirs, abs=0.05)


def test_bad_input_is_refused() -> None:
    real = related(100, 1)
    with pytest.raises(InvalidDataError, match="5 folds need 5 rows in each table, got 1"):
        c2st(real, real.iloc[:1])
    with pytest.raises(InvalidParameterError, match="method"):
        c2st(real, real, method="svm")
    with pytest.raises(InvalidParameterError, match="n_splits"):
        c2st(real, real, n_splits=1)


def test_awkward_columns() -> None:
    real = related(100, 1).assign(
        constant=1, nothing=None, empty=np.nan, wide=[f"v{i % 60}" for i in range(100)]
    )
    fake = related(100, 2).assign(constant=1, nothing=None, empty=np.nan, wide="v1")
    for method in ("trees", "logistic"):
        value = c2st(real, fake, method=method).value
        assert value is not None
        assert value < 0.6
    same = pd.DataFrame({"c": ["a"] * 30})
    assert c2st(same, same).value == 1.0


@pytest.mark.parametrize("n", [60, 120, 400])
def test_trees_see_categories_in_small_tables(n: int) -> None:
    def made(seed: int, prefix: str) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        words = [prefix + str(k) for k in rng.integers(0, 4, n)]
        return pd.DataFrame({"x": rng.normal(size=n), "c": words})

    assert c2st(made(0, ""), made(1, "new "), random_state=0).value < 0.1
