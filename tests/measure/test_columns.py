from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest

from synthgen import evaluate
from synthgen.data.schema import Column, Schema
from synthgen.errors import InvalidDataError, SchemaMismatchError
from synthgen.measure.columns import align, column_roles, cut, joint_codes, matrices, numbers


def test_roles_by_dtype() -> None:
    frame = pd.DataFrame(
        {
            "integer": [1, 2],
            "nullable": pd.array([1, None], dtype="Int64"),
            "decimal": [decimal.Decimal("1.5"), None],
            "date": [dt.date(2020, 1, 1), None],
            "stamp": pd.to_datetime(["2020-01-01", None]),
            "span": pd.to_timedelta(["1 h", None]),
            "flag": [True, False],
            "flag_with_gap": [True, None],
            "word": ["a", None],
            "level": pd.Categorical([1, 2]),
            "nothing": [None, None],
        }
    )
    roles = column_roles(frame).roles
    continuous = {name for name, role in roles.items() if role == "continuous"}
    assert continuous == {"integer", "nullable", "decimal", "date", "stamp", "span"}
    assert set(roles) == set(frame.columns)


def test_roles_by_schema() -> None:
    frame = pd.DataFrame({"key": [5, 6], "day": ["01/02/20", "03/02/20"], "code": [1, 2]})
    schema = Schema(
        (
            Column("key", "id", "int64"),
            Column("day", "datetime", "object", format="%d/%m/%y"),
            Column("code", "categorical", "int64"),
        )
    )
    roles = column_roles(frame, schema)
    assert roles.roles == {"day": "continuous", "code": "discrete"}
    assert "kind id" in roles.left_out["key"]
    parsed = roles.numbers(frame, "day")
    assert parsed[1] - parsed[0] == 2 * 86_400e9
    assert np.isnan(roles.numbers(frame.assign(day=None), "day")).all()
    with pytest.raises(SchemaMismatchError, match="'more'"):
        column_roles(frame.assign(more=1), schema)
    with pytest.raises(InvalidDataError, match="No column can be compared"):
        column_roles(frame[["key"]], schema)


def test_numbers() -> None:
    assert numbers(pd.Series([decimal.Decimal("1.5"), None]))[0] == 1.5
    assert np.isnan(numbers(pd.Series(pd.array([1, None], dtype="Int64")))[1])
    second = numbers(pd.Series(np.array(["1970-01-01T00:00:01"], dtype="datetime64[s]")))
    assert second.tolist() == [1e9]
    assert numbers(pd.Series([dt.date(1970, 1, 2), None]))[0] == 86_400e9
    with pytest.raises(InvalidDataError, match="infinite"):
        numbers(pd.Series([np.inf]))


def test_codes_are_joint_and_missing_is_minus_one() -> None:
    first = pd.Series(["b", None, "a"])
    second = pd.Series(pd.Categorical(["a", "c", None]))
    (one, two), n_levels = joint_codes([first, second])
    assert one.tolist() == [0, -1, 1]
    assert two.tolist() == [1, 2, -1]
    assert n_levels == 3


def test_matrices_keep_missing_and_mark_categories() -> None:
    frame = pd.DataFrame({"x": [1.0, np.nan], "c": ["u", None], "none": [None, None]})
    encoded = matrices([frame, frame], column_roles(frame))
    assert encoded.categorical == [1, 2]
    np.testing.assert_array_equal(encoded.arrays[1], [[1.0, 0.0, np.nan], [np.nan] * 3])


def test_align_reorders_and_resets() -> None:
    real = pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=[7, 8])
    _, other = align(real, real[["b", "a"]].iloc[:1])
    assert list(other.columns) == ["a", "b"]
    assert list(other.index) == [0]


def test_align_takes_other_containers() -> None:
    polars = pytest.importorskip("polars")
    real = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    first, second = align(polars.DataFrame({"a": [1, 2], "b": ["x", "y"]}), real)
    assert first["a"].tolist() == second["a"].tolist()


def test_cut_keeps_order() -> None:
    frame = pd.DataFrame({"x": range(100)})
    part = cut(frame, 10, np.random.default_rng(0))
    assert len(part) == 10
    assert part["x"].is_monotonic_increasing
    assert cut(frame, 100, np.random.default_rng(0)) is frame


@pytest.mark.parametrize("real", [True, False])
def test_the_same_values_as_words_and_as_numbers(real: bool) -> None:
    numbers = pd.DataFrame({"x": np.arange(60.0), "g": np.arange(60) % 3, "b": [True, False] * 30})
    words = numbers.assign(g=numbers["g"].astype(str), b=numbers["b"].astype(str))
    first, second = (numbers, words) if real else (words, numbers)
    assert evaluate.copy_share(first, second).value == 1.0
    assert evaluate.shape(first, second).value == pytest.approx(1.0)


def test_dates_are_not_compared_with_numbers() -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=30))
    tables = {
        "numbers": pd.DataFrame({"g": np.arange(30)}),
        "durations": pd.DataFrame({"g": days - days[0]}),
        "dates without": pd.DataFrame({"g": days}),
        "dates with a": pd.DataFrame({"g": days.dt.tz_localize("US/Pacific")}),
    }
    for one, real in tables.items():
        for two, other in tables.items():
            if one == two:
                assert evaluate.shape(real, other).value == 1.0
                continue
            with pytest.raises(SchemaMismatchError, match=f"holds {one}.*real table and {two}"):
                evaluate.shape(real, other)


def test_columns_of_arrow() -> None:
    pa = pytest.importorskip("pyarrow")
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=k) for k in range(60)]
    plain = pd.DataFrame({"d": pd.to_datetime(days), "s": pd.to_timedelta(range(60), unit="min")})
    plain["x"] = np.arange(60.0)
    arrow = pd.DataFrame(
        {
            "d": pd.Series(days, dtype=pd.ArrowDtype(pa.date32())),
            "s": pd.Series(plain["s"]).astype(pd.ArrowDtype(pa.duration("us"))),
            "x": pd.Series(plain["x"]).astype(pd.ArrowDtype(pa.float64())),
        }
    )
    (found,) = align(arrow)
    roles = column_roles(found)
    assert roles.names("continuous") == ["d", "s", "x"]
    for name in plain:
        np.testing.assert_array_equal(roles.numbers(found, name), numbers(plain[name]))
    assert evaluate.shape(arrow, arrow.iloc[::-1]).value == 1.0
