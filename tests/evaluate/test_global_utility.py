from __future__ import annotations

import json
import time

import numpy as np
import pandas as pd
import pytest

from synthgen import GaussianCopula
from synthgen.data.datasets import load_adult
from synthgen.errors import InvalidParameterError, SchemaMismatchError
from synthgen.evaluate import baseline_frames
from synthgen.evaluate.global_utility import global_utility

from .tables import related, unrelated


def test_order_on_adult() -> None:
    whole = load_adult("train").iloc[:6_000]
    train, fresh = whole[:3_000], whole[3_000:]
    holdout = load_adult("test").iloc[:3_000]
    copula = GaussianCopula(random_state=0).fit(train).sample(3_000, random_state=0)
    floor = baseline_frames(train, holdout, 0).independent
    real, fitted, independent = (
        global_utility(train, rows, holdout=holdout).value for rows in (fresh, copula, floor)
    )
    assert real > 0.9
    assert real - 0.2 > fitted > 0.2
    assert independent < 0.05


def test_breakdown_names_the_broken_column() -> None:
    train, holdout = related(900, 1), related(600, 3)
    fake = related(900, 2)
    broken = fake.assign(group=fake["group"].sample(frac=1, random_state=0).to_numpy())
    result = global_utility(train, broken, holdout=holdout)
    table = result.breakdown
    assert table.loc[0, "column"] == "group"
    assert table.loc[0, "relative"] < 0.2
    assert table["relative"].is_monotonic_increasing
    assert result.value == pytest.approx(table["relative"].mean())
    assert result.interval[0] < result.value < result.interval[1]
    relative = (table["synthetic"] / table["real"]).clip(0, 1)
    np.testing.assert_allclose(table["relative"], relative)
    assert dict(zip(table["column"], table["measure"], strict=True)) == {
        "x": "R2 of ranks",
        "y": "R2 of ranks",
        "group": "Brier skill",
        "label": "Brier skill",
    }


def test_known_answers() -> None:
    x = np.arange(1_000.0)
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.permutation(x), "noise": rng.normal(size=1_000)})
    table["copy"] = np.exp(table["x"] / 100)  # ranks do not mind the scale
    table["above"] = table["x"] >= 500
    result = global_utility(table, table, holdout=table.sample(frac=0.5, random_state=0))
    assert result.value == 1
    scores = result.breakdown.set_index("column")
    assert (scores.loc[["x", "copy", "above"], "real"] > 0.99).all()
    # Half of the classes are of each kind: the mean squares of the shares are 1/2 per row.
    useless = table.assign(above=True)
    wrong = global_utility(table, useless, holdout=table).breakdown.set_index("column")
    assert wrong.loc["above", "synthetic"] == pytest.approx(-1)
    assert wrong.loc["above", "relative"] == 0


def test_columns_that_nothing_predicts_do_not_count() -> None:
    rng = np.random.default_rng(0)
    table = related(800, 1).assign(noise=rng.normal(size=800), fixed=1.0, gone=np.nan)
    result = global_utility(table[:500], table[:500], holdout=table[500:])
    assert result.value == 1
    assert result.details["columns_counted"] == 4
    reasons = result.details["not_counted"]
    assert reasons["fixed"] == "constant in the real table"
    assert reasons["gone"] == "constant in the real table"
    assert reasons["noise"] == "real rows explain less than 5% of it"
    tail = result.breakdown.tail(3)
    assert not tail["counted"].any()
    assert tail["relative"].isna().all()
    assert json.dumps(result.to_dict(), allow_nan=False)


def test_missing_values_are_a_level_and_empty_synthetic_columns_score_zero() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=900)
    table = pd.DataFrame({"x": x, "c": pd.Series(np.where(x > 0, "a", None), dtype=object)})
    train, holdout = table[:600], table[600:]
    whole = global_utility(train, train, holdout=holdout).breakdown.set_index("column")
    assert whole.loc["c", "real"] > 0.9
    empty = global_utility(train, train.assign(x=np.nan, c=None), holdout=holdout)
    assert empty.value == 0
    assert empty.breakdown.set_index("column").loc["x", "synthetic"] == pytest.approx(0, abs=1e-12)


def test_nothing_to_predict_is_not_applicable() -> None:
    frame = related(100, 1)
    fixed = frame.assign(x=1.0, y=1.0, group="a", label="b")
    for table in (frame[["x"]], frame[:1], fixed):
        result = global_utility(table, table, holdout=table)
        assert result.value is None
        assert "no column can be predicted" in result.details["not_applicable"]
        assert json.dumps(result.to_dict(), allow_nan=False)
    rng = np.random.default_rng(0)
    noise, fresh = (pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc")) for _ in "ab")
    assert global_utility(noise, noise, holdout=fresh).value is None


def test_ten_thousand_categories_and_any_labels() -> None:
    rng = np.random.default_rng(0)

    def table(n: int) -> pd.DataFrame:
        codes = rng.integers(0, 10_000, n)
        many = pd.Series(codes).map("c{}".format)
        day = pd.Timestamp("2024-01-01") + pd.to_timedelta(codes, "h")
        return pd.DataFrame({0: codes, ("many", 1): many, None: day, "big": codes >= 5_000})

    start = time.perf_counter()
    result = global_utility(table(6_000), table(6_000), holdout=table(3_000))
    assert time.perf_counter() - start < 30
    assert result.breakdown.set_index("column").loc["big", "relative"] > 0.99
    assert result.value > 0.95


def test_only_some_columns_of_a_wide_table() -> None:
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(600, 1))
    table = pd.DataFrame(factor + 0.5 * rng.normal(size=(600, 130)))
    result = global_utility(
        table[:400], table[:400], holdout=table[400:], max_columns=3, n_estimators=20
    )
    assert len(result.breakdown) == 3
    assert (result.breakdown["real"] > 0.5).all()
    assert result.details["columns"] == 130


def test_rows_are_cut_and_the_seed_decides() -> None:
    tables = related(500, 1), related(400, 2)
    holdout = related(300, 3)
    first = global_utility(*tables, holdout=holdout, max_rows=200, random_state=5)
    assert first.details["rows"] == [200, 200, 200]
    for n_jobs in (1, 2):
        again = global_utility(
            *tables, holdout=holdout, max_rows=200, random_state=5, n_jobs=n_jobs
        )
        assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    other = global_utility(*tables, holdout=holdout, max_rows=200, random_state=6)
    assert other.value != first.value
    assert global_utility(*tables, holdout=holdout).details["rows"] == [400, 400, 300]


def test_independent_columns_score_zero() -> None:
    result = global_utility(related(900, 1), unrelated(900, 2), holdout=related(600, 3))
    assert result.value < 0.05


def test_bad_input_is_refused() -> None:
    frame = related(60, 1)
    with pytest.raises(SchemaMismatchError, match="Missing"):
        global_utility(frame, frame[["x"]], holdout=frame)
    for option in ("max_rows", "max_columns", "n_estimators", "n_jobs"):
        with pytest.raises(InvalidParameterError, match=option):
            global_utility(frame, frame, holdout=frame, **{option: 0})
