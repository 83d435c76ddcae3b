"""Gaps filled by a synthesizer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from synthgen import GaussianCopula, IndependentColumns
from synthgen.augment import SyntheticImputer
from synthgen.errors import InvalidParameterError, SchemaMismatchError


@pytest.fixture(scope="module")
def gaps() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 300
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x,
            # Not exactly: what follows from other columns is filled in without a draw.
            "double": 2 * x + 0.1 * rng.normal(size=n),
            "whole": pd.array((3 * x).round(), dtype="Int64"),
            "sign": np.where(x > 0, "plus", "minus").astype(object),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, n), "D"),
        }
    )
    for place, label in enumerate(frame.columns):
        frame.loc[place * 20 : place * 20 + 19, label] = None
    return frame


@pytest.fixture(scope="module")
def imputer(gaps: pd.DataFrame) -> SyntheticImputer:
    return SyntheticImputer(GaussianCopula(), random_state=0).fit(gaps)


def test_draw_fills_gaps_and_nothing_else(gaps: pd.DataFrame, imputer: SyntheticImputer) -> None:
    filled = imputer.transform(gaps)
    assert not filled.isna().any().any()
    assert filled.dtypes.equals(gaps.dtypes)
    kept = gaps.notna()
    assert (filled.astype(object).where(kept, 0) == gaps.astype(object).where(kept, 0)).all().all()
    pd.testing.assert_frame_equal(filled, imputer.transform(gaps))


def test_best_is_nearer_and_narrower(gaps: pd.DataFrame, imputer: SyntheticImputer) -> None:
    best = SyntheticImputer(GaussianCopula(), strategy="best", n_draws=9, random_state=0)
    guessed = best.fit(gaps).transform(gaps)
    drawn = imputer.transform(gaps)
    rows = slice(20, 39)
    truth = 2 * gaps["x"]
    assert not guessed.isna().any().any()
    assert guessed.dtypes.equals(gaps.dtypes)
    errors = [(table["double"] - truth).loc[rows].abs().mean() for table in (guessed, drawn)]
    assert errors[0] < errors[1]


def test_best_of_independent_columns_is_mean_and_mode() -> None:
    frame = pd.DataFrame({"x": [0.5, 1.5, 2.5, 3.5] * 25, "c": ["a"] * 70 + ["b"] * 30})
    frame.loc[0, "x"] = np.nan
    frame.loc[1, "c"] = None
    imputer = SyntheticImputer(IndependentColumns(), strategy="best", n_draws=60, random_state=0)
    filled = imputer.fit_transform(frame)
    assert abs(filled.loc[0, "x"] - 2.0) < 0.4
    assert filled.loc[1, "c"] == "a"


def test_several_tables_differ_in_gaps_only(gaps: pd.DataFrame, imputer: SyntheticImputer) -> None:
    tables = imputer.transform_multiple(gaps, 3)
    assert len(tables) == 3
    assert not tables[0]["double"].equals(tables[1]["double"])
    assert tables[0]["double"].iloc[100:].equals(tables[1]["double"].iloc[100:])


def test_pooled_interval_is_wider_than_that_of_one_table(
    gaps: pd.DataFrame, imputer: SyntheticImputer
) -> None:
    def mean(table: pd.DataFrame) -> tuple[float, float]:
        return table["day"].dt.day_of_year.mean(), table["day"].dt.day_of_year.sem()

    pooled = imputer.pooled(gaps, mean, m=5)
    assert 0 < pooled.missing_information < 0.5
    assert pooled.standard_error > mean(imputer.transform(gaps))[1]
    assert pooled.interval[0] < pooled.value < pooled.interval[1]


def test_array_in_array_out_in_a_pipeline() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    X[rng.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X[:, 0]) > 0
    model = make_pipeline(SyntheticImputer(GaussianCopula(), random_state=0), LogisticRegression())
    assert model.fit(X, y).score(X, y) > 0.8


def test_refused(gaps: pd.DataFrame, imputer: SyntheticImputer) -> None:
    class NoImpute:
        def get_params(self, deep: bool = True) -> dict[str, object]:
            return {}

    with pytest.raises(InvalidParameterError, match="method impute"):
        SyntheticImputer(NoImpute()).fit(gaps)
    with pytest.raises(InvalidParameterError, match="strategy"):
        SyntheticImputer(GaussianCopula(), strategy="mean").fit(gaps)
    with pytest.raises((SchemaMismatchError, ValueError)):
        imputer.transform(gaps[["x"]])


@pytest.mark.parametrize(
    "dtype", ["M8[s]", "M8[ms]", "M8[us]", "M8[ns]", "datetime64[us, Europe/Rome]"]
)
def test_best_dates_lie_among_the_others(dtype: str) -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=60))
    dates = (days.dt.tz_localize("Europe/Rome") if "Rome" in dtype else days).astype(dtype)
    frame = pd.DataFrame({"a": np.arange(60.0), "t": dates})
    frame.loc[::3, "t"] = None
    imputer = SyntheticImputer(IndependentColumns(), strategy="best", n_draws=5, random_state=0)
    filled = imputer.fit_transform(frame)["t"]
    assert filled.dtype == frame["t"].dtype
    assert filled.between(dates.min(), dates.max()).all()
    assert (filled[1::3] == dates[1::3]).all()


def test_the_index_stays() -> None:
    frame = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0)}, index=np.arange(40)[::-1])
    frame.iloc[::4, 0] = np.nan
    imputer = SyntheticImputer(GaussianCopula(), random_state=0)
    filled = imputer.fit_transform(frame)
    assert filled.index.equals(frame.index)
    # Assigned back, cells find their own rows.
    assert filled["b"].equals(frame["b"])
    assert all(table.index.equals(frame.index) for table in imputer.transform_multiple(frame, 2))
    assert imputer.synthesizer_.impute(frame).index.equals(frame.index)


def test_parameters_set_after_fit_are_checked() -> None:
    frame = pd.DataFrame({"a": [0.5, 1.5] * 20})
    imputer = SyntheticImputer(IndependentColumns()).fit(frame)
    with pytest.raises(InvalidParameterError, match="strategy"):
        imputer.set_params(strategy="worst").transform(frame)
    with pytest.raises(InvalidParameterError, match="n_draws"):
        imputer.set_params(strategy="best", n_draws=0).transform(frame)


def test_best_of_numbers_that_are_mostly_whole() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(300) < 0.9, rng.integers(0, 5, 300), rng.random(300) * 5)
    frame = pd.DataFrame({"x": values, "y": rng.normal(size=300)})
    frame.loc[0, "x"] = np.nan
    found = [
        SyntheticImputer(IndependentColumns(), strategy="best", n_draws=5, random_state=seed)
        .fit(frame)
        .transform(frame)["x"]
        .iloc[0]
        for seed in range(8)
    ]
    assert any(value != round(value) for value in found)
    whole = frame.assign(x=frame["x"].round())
    imputer = SyntheticImputer(IndependentColumns(), strategy="best", n_draws=5, random_state=0)
    assert float(imputer.fit(whole).transform(whole)["x"].iloc[0]).is_integer()
