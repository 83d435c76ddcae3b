from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from synthgen.data.schema import Schema
from synthgen.errors import InvalidParameterError, SchemaMismatchError
from synthgen.evaluate import utility
from synthgen.evaluate.result import Result
from synthgen.measure.columns import column_roles, matrices
from synthgen.measure.trees import fit_trees

from .tables import related, unrelated

ALL = ("trees", "linear", "forest")


def small(train: Any, fake: Any, holdout: Any, target: Any, **options: Any) -> Result:
    """Score with fewer trees, which is enough for small tables."""
    return utility(train, fake, holdout=holdout, target=target, **{"n_estimators": 30} | options)


def test_good_and_useless_synthetic_rows() -> None:
    train, holdout = related(1000, 1), related(600, 3)
    good = utility(train, related(1000, 2), holdout=holdout, target="label")
    useless = utility(train, unrelated(1000, 2), holdout=holdout, target="label")
    assert good.details["measure"] == "ROC AUC"
    assert good.value == pytest.approx(good.ceiling, abs=0.03)
    assert good.value > 0.85
    assert abs(useless.value - 0.5) < 0.1
    assert useless.ceiling == good.ceiling
    low, high = useless.details["difference_interval"]
    assert low < useless.value - useless.ceiling < high < 0


def test_trees_are_those_of_lightgbm_and_the_score_that_of_scikit_learn() -> None:
    train, fake, holdout = related(500, 1), related(500, 2), related(300, 3)
    roles = column_roles(train).without("label")
    encoded = matrices([train, fake, holdout], roles)
    scores = []
    for features, table in zip(encoded.arrays, (train, fake), strict=False):
        yes = (table["label"] == "yes").to_numpy(dtype=int)
        model = fit_trees(features, yes, objective="binary", categorical=encoded.categorical)
        scores.append(roc_auc_score(holdout["label"] == "yes", model.predict(encoded.arrays[2])))
    result = utility(train, fake, holdout=holdout, target="label")
    assert [result.ceiling, result.value] == pytest.approx(scores, abs=1e-3)


def test_real_against_itself_has_no_difference() -> None:
    train = related(400, 1)
    result = small(train, train, related(300, 3), "label", models=ALL)
    assert result.details["difference"] == 0
    assert result.details["difference_interval"] == (0, 0)
    assert result.interval[0] < result.value < result.interval[1]
    assert result.breakdown["importance_agreement"].tolist() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize(("target", "least", "useless"), [("label", 0.85, 0.6), ("x", 0.8, 0.1)])
def test_families(target: str, least: float, useless: float) -> None:
    train, holdout = related(1000, 1), related(600, 3)
    good = small(train, related(1000, 2), holdout, target, models=ALL)
    bad = small(train, unrelated(1000, 2), holdout, target, models=ALL)
    table = good.breakdown
    assert table["model"].tolist() == list(ALL)
    assert (table["real"] > least).all()
    assert (table["synthetic"] > least).all()
    assert (bad.breakdown["synthetic"] < useless).all()
    assert (bad.breakdown["difference_high"] < 0).all()
    assert good.value == pytest.approx(table["synthetic"].mean())
    assert good.ceiling == pytest.approx(table["real"].mean())
    for side in ("synthetic", "real", "difference"):
        assert (table[f"{side}_low"] <= table[side]).all()
        assert (table[side] <= table[f"{side}_high"]).all()
    alone = small(train, related(1000, 2), holdout, target, models=["trees"])
    assert alone.value == table.loc[0, "synthetic"]


def test_models_that_rely_on_other_columns_disagree() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(900, 4)), columns=list("abcd"))
    frame["y"] = 4 * frame["a"] + 2 * frame["b"] + frame["c"] + 0.1 * frame["d"]
    turned = frame.rename(columns=dict(zip("abcd", "dcba", strict=True)))
    train, holdout = frame[:600], frame[600:]
    same = utility(train, frame[300:], holdout=holdout, target="y", models=["linear"])
    other = utility(train, turned[:600], holdout=holdout, target="y", models=["linear"])
    assert same.details["importance_agreement"] == 1
    assert other.details["importance_agreement"] < 0.8
    importances = pd.DataFrame(same.details["importances"])
    assert importances.sort_values("real", ascending=False)["column"].tolist() == list("abcd")


def test_regression() -> None:
    train, holdout = related(1000, 1), related(500, 3)
    result = small(train, related(1000, 2), holdout, "x")
    assert result.details["measure"] == "R2"
    assert result.value > 0.8
    # y has gaps: its rows without a value are left out, and counted.
    dropped = small(train, related(1000, 2), holdout, "y").details["rows_without_usable_target"]
    assert dropped[2] == holdout["y"].isna().sum() > 0


def test_multiclass() -> None:
    train, holdout = related(1000, 1), related(500, 3)
    result = small(train, related(1000, 2), holdout, "group", models=ALL)
    assert result.details["measure"] == "macro one-vs-rest ROC AUC"
    assert result.value > 0.95
    assert small(train, unrelated(1000, 2), holdout, "group", models=ALL).value < 0.8


@pytest.mark.parametrize(("distinct", "measure"), [(2, "ROC AUC"), (3, "macro"), (40, "R2")])
def test_task_of_a_numeric_target(distinct: int, measure: str) -> None:
    rng = np.random.default_rng(0)
    frame = related(400, 1).assign(target=rng.integers(0, distinct, 400))
    assert small(frame, frame, frame, "target").details["measure"].startswith(measure)
    forced = small(frame, frame, frame, "target", task="regression")
    assert forced.details["measure"] == "R2"


def test_synthetic_classes_of_its_own_and_missing_classes() -> None:
    train, holdout = related(400, 1), related(300, 3)
    fake = related(400, 2)
    fake.loc[:99, "label"] = "perhaps"
    result = small(train, fake, holdout, "label", models=ALL)
    assert result.details["rows_without_usable_target"] == [0, 100, 0]
    single = small(train, fake.assign(label="yes"), holdout, "label", models=ALL)
    assert single.value == 0.5
    assert single.details["classes_without_synthetic_rows"] == ["no"]
    assert "single value" in single.details["notes"][0]
    no_middle = fake[fake["group"] != "middle"]
    lacking = small(train, no_middle, holdout, "group", models=ALL)
    assert (lacking.breakdown["synthetic"].between(0.5, 0.999)).all()
    assert lacking.details["classes_without_synthetic_rows"] == ["middle"]
    constant = small(train, fake.assign(x=2.0), holdout, "x", models=ALL)
    assert constant.value < 0


@pytest.mark.parametrize(("target", "guess"), [("label", 0.5), ("group", 0.5), ("y", 0.0)])
def test_synthetic_rows_without_a_target(target: str, guess: float) -> None:
    train, holdout = related(300, 1), related(200, 3)
    fake = train.assign(**{target: None if target != "y" else np.nan})
    result = small(train, fake, holdout, target, models=["trees", "linear"])
    assert result.value == pytest.approx(guess)
    assert result.ceiling > guess + 0.2
    assert "no synthetic row" in result.details["notes"][0]
    assert result.breakdown["importance_agreement"].isna().all()
    assert json.dumps(result.to_dict(), allow_nan=False)


def test_nothing_to_predict_is_not_applicable() -> None:
    frame = related(80, 1)

    def reason(train: pd.DataFrame, holdout: pd.DataFrame, target: str = "label") -> str:
        result = small(train, train, holdout, target)
        assert result.value is None
        return str(result.details["not_applicable"])

    yes = frame[frame["label"] == "yes"]
    assert "holdout table has a single value" in reason(frame, yes)
    assert "real table has a single value" in reason(yes, frame)
    assert "holdout table has a value" in reason(frame, frame.assign(label=None))
    assert "no row of the real table" in reason(frame.assign(label=None), frame)
    assert "no column beside" in reason(frame[["x"]], frame[["x"]], "x")
    assert small(frame[:1], frame[:1], frame[:1], "label").value is None
    fixed = frame.assign(label="yes")
    result = small(fixed, fixed, fixed, "label", schema=Schema.infer(fixed))
    assert "at most one value" in result.details["not_applicable"]


def test_rare_classes_are_one() -> None:
    rng = np.random.default_rng(0)
    labels = rng.zipf(1.3, 1500).clip(max=1000)
    frame = pd.DataFrame({"x": np.log(labels) + rng.normal(0, 0.1, 1500), "y": labels.astype(str)})
    train, holdout = frame[:1000], frame[1000:]
    result = small(train, train, holdout, "y", models=ALL, n_estimators=5, n_bootstrap=10)
    assert result.details["classes"] == 30
    assert result.details["classes_made_one"] == frame["y"].nunique() - 29
    assert result.breakdown["real"].min() > 0.8


def test_tables_are_cut() -> None:
    result = small(related(900, 1), related(200, 2), related(300, 3), "label")
    assert result.details["training_rows"] == [200, 200]
    result = small(related(900, 1), related(200, 2), related(300, 3), "label", max_rows=120)
    assert result.details["training_rows"] == [120, 120]
    assert result.details["holdout_rows"] == 120


def test_same_seed_same_bytes() -> None:
    tables = related(300, 1), related(400, 2), related(200, 3)
    first = small(*tables, "label", models=ALL, random_state=5)
    for n_jobs in (1, 2):
        again = small(*tables, "label", models=ALL, random_state=5, n_jobs=n_jobs)
        assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    assert first.interval != small(*tables, "label", models=ALL, random_state=6).interval


def test_any_labels_and_dtypes() -> None:
    def awkward(n: int, seed: int) -> pd.DataFrame:
        frame = related(n, seed)
        day = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["x"].round(2), "D")
        return pd.DataFrame(
            {
                0: frame["label"].astype("category"),
                ("a", 1): day,
                "gone": np.full(n, np.nan),
                None: frame["y"].astype("Float64"),
                "only": "same",
                "flag": (frame["x"] > 0).astype("boolean"),
            }
        )

    tables = awkward(200, 1), awkward(200, 2), awkward(150, 3)
    result = small(*tables, 0, models=ALL)
    assert (result.breakdown["synthetic"] > 0.8).all()
    assert json.dumps(result.to_dict(), allow_nan=False)


def test_ten_thousand_categories() -> None:
    rng = np.random.default_rng(0)

    def table(n: int) -> pd.DataFrame:
        x = rng.normal(size=n)
        codes = rng.integers(0, 10_000, n)
        many = pd.Series(codes).map("c{}".format)
        return pd.DataFrame({"x": x, "many": many, "y": np.where(x + codes / 1e4 > 0.5, "a", "b")})

    start = time.perf_counter()
    result = small(table(8_000), table(8_000), table(3_000), "y", models=ALL, n_bootstrap=10)
    assert (result.breakdown["synthetic"] > 0.8).all()
    assert time.perf_counter() - start < 30


def test_bad_input_is_refused() -> None:
    frame = related(60, 1)
    with pytest.raises(InvalidParameterError, match="'none' cannot be predicted"):
        small(frame, frame, frame, "none")
    with pytest.raises(InvalidParameterError, match="needs numbers in 'label'"):
        small(frame, frame, frame, "label", task="regression")
    with pytest.raises(InvalidParameterError, match="models must be one of"):
        small(frame, frame, frame, "label", models=["trees", "oracle"])
    for models in ([], ["trees", "trees"]):
        with pytest.raises(InvalidParameterError, match="at least one family"):
            small(frame, frame, frame, "label", models=models)
    with pytest.raises(SchemaMismatchError, match="Missing"):
        small(frame, frame[["x"]], frame, "x")
    key = pd.Series([f"k{i}" for i in range(60)])
    with pytest.raises(InvalidParameterError, match="all different"):
        small(*[frame.assign(key=key)] * 3, "key")
