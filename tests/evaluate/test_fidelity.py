from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from synthgen.data.datasets import load_adult
from synthgen.errors import InvalidDataError, InvalidParameterError, SchemaMismatchError
from synthgen.evaluate import shape, trend
from synthgen.evaluate.pairs import correlations, cramers_v


def housing_like(n: int, seed: int) -> pd.DataFrame:
    """A frame like california_housing: skewed numbers, an exact sum, gaps, a category."""
    rng = np.random.default_rng(seed)
    income = rng.gamma(3.0, 1.3, n)
    rooms = np.exp(rng.normal(7.5, 0.7, n)).round()
    bedrooms = (rooms * rng.uniform(0.15, 0.25, n)).round()
    bedrooms[rng.random(n) < 0.1] = np.nan
    value = np.minimum(40_000 * income + rng.normal(0, 50_000, n), 500_001).round(-2)
    coast = np.where(value + rng.normal(0, 80_000, n) > 200_000, "NEAR OCEAN", "INLAND")
    coast = coast.astype(object)
    coast[rng.random(n) < 0.002] = "ISLAND"
    coast[rng.random(n) < 0.05] = None
    return pd.DataFrame(
        {
            "rooms": rooms,
            "bedrooms": bedrooms,
            "income": income,
            "value": value,
            "age": rng.integers(1, 53, n),
            "coast": coast,
            "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "flag": rng.random(n) < 0.3,
        }
    )


def with_gaps(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    result = frame.copy()
    for name in ("income", "seen", "rooms"):
        result.loc[rng.random(len(frame)) < 0.2, name] = None
    return result


def sdtypes(frame: pd.DataFrame) -> dict[str, dict[str, dict[str, str]]]:
    def kind(name: str) -> str:
        dtype = frame[name].dtype
        if dtype.kind == "M":
            return "datetime"
        return "numerical" if dtype.kind in "iuf" else "categorical"

    return {"columns": {name: {"sdtype": kind(name)} for name in frame.columns}}


def sdmetrics_scores(
    real: pd.DataFrame, synthetic: pd.DataFrame, thresholds: tuple[float, float] = (0.0, 0.0)
) -> tuple[float, float, pd.DataFrame]:
    pytest.importorskip("sdmetrics")
    from sdmetrics.reports.single_table._properties import ColumnPairTrends, ColumnShapes

    metadata = sdtypes(real)
    trends = ColumnPairTrends()
    trends.real_correlation_threshold, trends.real_association_threshold = thresholds
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, about constant input and pandas
        shapes_score = ColumnShapes().get_score(real, synthetic, metadata)
        trends_score = trends.get_score(real, synthetic, metadata)
    return shapes_score, trends_score, trends.details


def pairs(kind: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    if kind == "plain":
        return housing_like(3000, 1).dropna(), housing_like(2000, 2).dropna()
    if kind == "gaps":
        return with_gaps(housing_like(3000, 1), 3), with_gaps(housing_like(2000, 2), 4)
    if kind == "unseen":
        fake = housing_like(60, 2)
        fake.loc[:9, "coast"] = [f"new {k}" for k in range(10)]
        return housing_like(50, 1), fake
    if kind == "constant":
        return housing_like(500, 1).assign(age=7), housing_like(400, 2).assign(income=1.0)
    return adult_subset()


def adult_subset() -> tuple[pd.DataFrame, pd.DataFrame]:
    adult = load_adult("train")
    real, fake = adult.iloc[:4000], adult.iloc[4000:7000].reset_index(drop=True)
    rng = np.random.default_rng(0)
    return real, fake.assign(occupation=rng.permutation(fake["occupation"]))


KINDS = ["plain", "gaps", "unseen", "constant", "adult"]


@pytest.mark.parametrize("kind", KINDS)
def test_equals_sdmetrics(kind: str) -> None:
    real, fake = pairs(kind)
    shape_score, trend_score, details = sdmetrics_scores(real, fake)
    assert shape(real, fake).value == pytest.approx(shape_score, abs=1e-9)
    result = trend(real, fake)
    assert result.value == pytest.approx(trend_score, abs=1e-9)
    assert result.breakdown is not None
    assert list(result.breakdown["column_1"]) == list(details["Column 1"])
    np.testing.assert_allclose(
        result.breakdown["score"], details["Score"].astype(float), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("thresholds", [(0.4, 0.3), (0.5, 0.3), (0.1, 0.05)])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_sdmetrics_with_thresholds(kind: str, thresholds: tuple[float, float]) -> None:
    real, fake = pairs(kind)
    _, expected, details = sdmetrics_scores(real, fake, thresholds)
    result = trend(
        real, fake, correlation_threshold=thresholds[0], association_threshold=thresholds[1]
    )
    counted = details["Meets Threshold?"].fillna(False).astype(bool) & details["Score"].notna()
    assert result.details["counted"] == counted.sum() > 0
    assert result.value == pytest.approx(expected, abs=1e-9)


def test_missing_dates_and_other_units_and_zones_compare() -> None:
    real, fake = pairs("gaps")
    expected = trend(real, fake).value
    coarse = fake.assign(seen=fake["seen"].astype("datetime64[s]"))
    assert trend(real, coarse).value == pytest.approx(expected, abs=1e-12)
    zoned = [frame.assign(seen=frame["seen"].dt.tz_localize("UTC")) for frame in (real, fake)]
    assert shape(*zoned).value == pytest.approx(shape(real, fake).value, abs=1e-12)


@pytest.mark.parametrize(
    "dtypes",
    [
        {"age": "Int64", "flag": "boolean", "coast": "string", "income": "Float64"},
        {"age": "int64[pyarrow]", "flag": "bool[pyarrow]", "coast": "string[pyarrow]"},
        {"coast": "category", "flag": "object"},
    ],
)
def test_other_dtypes_score_alike(dtypes: dict[str, str]) -> None:
    real, fake = pairs("gaps")
    other = fake.astype(dtypes)
    assert shape(real, other).value == pytest.approx(shape(real, fake).value, abs=1e-12)
    assert trend(real, other).value == pytest.approx(trend(real, fake).value, abs=1e-12)
    # The real table decides the roles, so it is the one whose dtypes matter most.
    assert shape(real.astype(dtypes), fake).value == pytest.approx(shape(real, fake).value)


def test_column_order_does_not_matter() -> None:
    real, fake = pairs("gaps")
    assert trend(real, fake[fake.columns[::-1]]).value == trend(real, fake).value


def test_known_values() -> None:
    real = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.0, 3.0, 4.0], "c": list("aabb")})
    fake = real.assign(y=[4.0, 3.0, 2.0, 1.0])
    breakdown = trend(real, fake).breakdown
    assert breakdown is not None
    # x-y: from 1 to -1; x-c: nothing changed; y-c: the four cells are all different.
    assert breakdown["score"].tolist() == pytest.approx([0.0, 1.0, 0.0])
    assert shape(real, fake).value == 1.0


def test_shuffled_columns_keep_shape_and_lose_trend() -> None:
    real = housing_like(2000, 1)
    rng = np.random.default_rng(0)
    fake = real.assign(value=rng.permutation(real["value"]))
    assert shape(real, fake).value == pytest.approx(1.0)
    result = trend(real, fake)
    assert result.value is not None
    assert result.value < 0.98
    worst = result.breakdown.sort_values("score").iloc[:4]
    assert ((worst["column_1"] == "value") | (worst["column_2"] == "value")).all()


def test_max_rows_is_seeded() -> None:
    real, fake = pairs("gaps")
    first = trend(real, fake, max_rows=200, random_state=1)
    assert first.value == trend(real, fake, max_rows=200, random_state=1).value
    assert first.value != trend(real, fake, max_rows=200, random_state=2).value
    assert first.details["real_rows"] == 200
    assert trend(real, fake, max_rows=10**6).value == trend(real, fake).value


def test_all_missing_column_is_marked_not_scored() -> None:
    real, fake = pairs("plain")
    gone = fake.assign(income=np.nan)
    result = shape(real, gone)
    assert result.breakdown is not None
    row = result.breakdown.set_index("column").loc["income"]
    assert np.isnan(row["score"])
    assert "not applicable" in row["note"]
    others = result.breakdown[result.breakdown["column"] != "income"]["score"]
    assert result.value == pytest.approx(others.mean())


def test_not_applicable_is_said() -> None:
    real = pd.DataFrame({"x": [1.0, 1.0], "y": [1.0, 2.0]})
    result = trend(real, real)
    assert result.value is None
    assert "correlation" in result.details["not_applicable"]
    with pytest.raises(InvalidDataError, match="no column has values"):
        shape(pd.DataFrame({"x": [np.nan, np.nan]}), pd.DataFrame({"x": [1.0]}))


def test_bad_tables_are_refused() -> None:
    real = housing_like(50, 1)
    with pytest.raises(SchemaMismatchError, match=r"Missing.*'value'"):
        shape(real, real.drop(columns="value"))
    with pytest.raises(SchemaMismatchError, match=r"not in the real table: \['more'\]"):
        shape(real, real.assign(more=1))
    with pytest.raises(InvalidDataError, match=r"shape \(0, 8\)"):
        shape(real, real.iloc[:0])
    with pytest.raises(InvalidDataError, match="duplicate column names"):
        shape(pd.concat([real, real], axis=1), real)
    with pytest.raises(InvalidDataError, match="1 infinite"):
        shape(real, real.assign(income=[np.inf] + [1.0] * 49))
    with pytest.raises(InvalidDataError, match="'income' has numbers or dates"):
        shape(real, real.assign(income="much"))
    with pytest.raises(InvalidDataError, match="nested"):
        shape(pd.DataFrame({"x": [[1], [2]]}), pd.DataFrame({"x": [[1], [2]]}))
    with pytest.raises(InvalidDataError, match="at least two columns"):
        trend(real[["age"]], real[["age"]])
    with pytest.raises(InvalidParameterError, match="correlation_threshold"):
        trend(real, real, correlation_threshold=2)
    with pytest.raises(InvalidParameterError, match="max_rows"):
        trend(real, real, max_rows=0)


def test_all_different_strings_are_left_out_and_named() -> None:
    real = housing_like(50, 1).assign(code=[f"k{i}" for i in range(50)])
    result = shape(real, real)
    assert list(result.details["left_out"]) == ["code"]
    assert result.breakdown is not None
    assert "code" not in set(result.breakdown["column"])


def test_correlations_of_complete_rows_only() -> None:
    table = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [np.nan, -90.0], [4.0, np.nan]])
    assert correlations(table)[0, 1] == pytest.approx(1.0)
    assert np.isnan(correlations(np.array([[1.0, 2.0], [1.0, 3.0]]))[0, 1])


def test_cramers_v_equals_scipy() -> None:
    from scipy.stats.contingency import association, crosstab

    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 500)
    second = (first + rng.integers(0, 3, 500)) % 5
    expected = association(crosstab(first, second).count, method="cramer")
    assert cramers_v(first, second) == pytest.approx(expected, abs=1e-12)
    assert np.isnan(cramers_v(first, np.zeros(500, dtype=int)))


def test_wide_categories_need_no_dense_table() -> None:
    values = [f"v{i}" for i in range(5000)] * 2
    real = pd.DataFrame({"a": values, "b": values[::-1]})
    fake = real.assign(b=values)
    assert trend(real, real).value == pytest.approx(1.0)
    assert trend(real, fake).value == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    "values",
    [
        [pd.Timestamp("2021-05-05")] * 50,
        [10**17] * 50,
        list(pd.Timestamp("2021-05-05") + pd.to_timedelta(np.arange(50), "ns")),
    ],
)
def test_trend_of_values_that_have_no_bins(values: list[object]) -> None:
    table = pd.DataFrame({"d": values, "c": ["a", "b"] * 25})
    assert trend(table, table).value == pytest.approx(1.0)
