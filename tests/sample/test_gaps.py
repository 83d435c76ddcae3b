"""Gaps in frames of other types than the training table: nothing of a column, fewer categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen import FixedCombinations, IndependentColumns, Schema

N = 300


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": rng.normal(size=N),
            "city": rng.choice(["Bonn", "Rome"], N),
            "day": pd.date_range("2020", periods=N),
            "level": pd.Categorical(rng.choice(list("abc"), N)),
            "count": rng.integers(0, 9, N),
            "flag": rng.random(N) < 0.5,
        }
    )


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame) -> IndependentColumns:
    return IndependentColumns(random_state=0).fit(frame)


@pytest.mark.parametrize("name", ["x", "city", "day", "level", "count", "flag"])
@pytest.mark.parametrize("nothing", [np.nan, None, pd.NaT])
def test_a_column_without_any_value(
    model: IndependentColumns, frame: pd.DataFrame, name: str, nothing: Any
) -> None:
    holes = frame.head(20).copy()
    holes[name] = nothing
    filled = model.impute(holes, random_state=0)
    assert filled[name].dtype == frame[name].dtype
    assert filled[name].notna().all()
    assert filled[name].isin(frame[name]).mean() > 0.9 or name == "x"
    others = frame.columns.drop(name)
    pd.testing.assert_frame_equal(filled[others], holes[others])


def test_fewer_categories_than_in_training(model: IndependentColumns, frame: pd.DataFrame) -> None:
    holes = frame.head(60).copy()
    holes["level"] = holes["level"].where(holes["level"] != "b").cat.remove_unused_categories()
    filled = model.impute(holes, random_state=0)["level"]
    assert filled.notna().all()
    assert set(filled) == {"a", "b", "c"}
    kept = holes["level"].notna()
    assert (filled[kept].astype(str) == holes["level"][kept].astype(str)).all()


def test_rare_combinations_are_completed_within_what_is_given() -> None:
    rng = np.random.default_rng(0)
    pairs = [(f"{k:05d}", f"city {k // 5}") for k in range(2_000)]
    chosen = rng.integers(0, 2_000, 6_000)
    frame = pd.DataFrame([pairs[k] for k in chosen], columns=["zip", "city"])
    frame["x"] = rng.normal(size=len(frame))
    schema = Schema.infer(frame).with_column("zip", kind="categorical")
    schema = schema.with_constraints(FixedCombinations(("zip", "city")))
    model = IndependentColumns(schema=schema, random_state=0).fit(frame)
    cities = frame[["city"]].drop_duplicates().head(300).reset_index(drop=True)
    found = model.sample(conditions=cities, random_state=0)
    assert (found["city"] == cities["city"]).all()
    assert set(zip(found["zip"], found["city"], strict=True)) <= set(pairs)
