from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.data.constraints import FixedCombinations, Inequality, Predicate, Range, Unique
from synthgen.data.datasets import load_adult
from synthgen.data.schema import Column, Schema
from synthgen.errors import ConstraintError, InvalidDataError, SchemaMismatchError
from synthgen.evaluate.result import Result
from synthgen.evaluate.validity import validity

from .tables import related


def real_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [20, 31, 45, 52, 67, 33],
            "price": [1.25, 3.5, 10.75, 2.0, 8.33, 4.01],
            "pay": [1200, 300, 1000, 500, 700, 900],
            "sex": ["f", "m", "f", "m", None, "f"],
            "day": pd.to_datetime(["2020-01-01", "2020-03-05"] * 3),
            "member": [True, False] * 3,
        }
    )


def lines(result: Result) -> dict[tuple[Any, str], int]:
    """Number of invalid cells of each column and check that found any."""
    assert result.breakdown is not None
    found = result.breakdown[result.breakdown["invalid"] > 0]
    keys = zip(found["column"], found["check"], strict=True)
    return dict(zip(keys, found["invalid"], strict=True))


def test_real_rows_are_valid() -> None:
    real = real_table()
    result = validity(real, real.iloc[::-1])
    assert result.value == 1.0
    assert result.details["valid_rows"] == 1.0
    assert lines(result) == {}
    assert result.details["wrong_dtypes"] == {}


@pytest.mark.parametrize(
    ("column", "value", "check"),
    [
        ("age", 68, "range"),
        ("age", 19, "range"),
        ("price", 2.505, "precision"),
        ("pay", 450, "precision"),
        ("sex", "x", "category"),
        ("day", pd.Timestamp("2020-03-06"), "range"),
        ("day", pd.Timestamp("2020-02-01 10:00"), "precision"),
        ("day", pd.NaT, "missing"),
    ],
)
def test_each_defect_is_found_and_named(column: str, value: Any, check: str) -> None:
    real = real_table()
    fake = real.copy()
    fake.loc[3, column] = value
    result = validity(real, fake)
    assert lines(result) == {(column, check): 1}
    assert result.value == pytest.approx(1 - 1 / 36)
    assert result.details["valid_rows"] == pytest.approx(5 / 6)
    assert result.breakdown.iloc[0]["example"] == str(value)


def test_a_cell_with_two_defects_counts_once_and_the_worst_column_comes_first() -> None:
    real = real_table()
    fake = real.assign(pay=[5, 5, 5, 500, 500, 500], age=[20, 20, 20, 20, 20, 90])
    result = validity(real, fake)
    assert lines(result) == {("pay", "range"): 3, ("pay", "precision"): 3, ("age", "range"): 1}
    assert result.details["invalid_cells"] == 4
    assert result.details["invalid_rows"] == 4
    assert result.breakdown["share"].is_monotonic_decreasing
    assert result.breakdown.iloc[0]["column"] == "pay"


def test_a_wrong_dtype_is_named_but_makes_no_cell_invalid() -> None:
    real = real_table()
    result = validity(real, real.assign(age=real["age"].astype(float)))
    assert result.value == 1.0
    assert result.details["wrong_dtypes"] == {"age": "float64 instead of int64"}
    first = result.breakdown.iloc[0]
    assert (first["column"], first["check"], bool(first["counts"])) == ("age", "dtype", False)


def test_words_among_numbers_and_infinite_numbers_are_invalid() -> None:
    real = real_table()
    fake = real.assign(
        age=pd.Series(["many", 31, 45, "52", 33, 20], dtype=object),
        price=[np.inf, 1.25, 1.25, 2.0, 2.0, 2.0],
        day=["2020-01-01", "yesterday", "2020-01-01", "2020-01-01", "2020-01-01", "2020-01-01"],
    )
    result = validity(real, fake)
    assert lines(result) == {
        ("age", "type"): 1,
        ("price", "range"): 1,
        ("day", "type"): 1,
        ("age", "dtype"): 6,
        ("day", "dtype"): 6,
    }


def test_the_schema_decides_where_it_speaks() -> None:
    real = pd.DataFrame({"age": [20, 30, 45], "c": ["a", "b", "a"], "day": ["01/02/20"] * 3})
    schema = Schema(
        (
            Column("age", "integer", "int64", nullable=True, minimum=0, maximum=120),
            Column("c", "categorical", "object", categories=("a", "b", "z")),
            Column("day", "datetime", "object", format="%d/%m/%y"),
        )
    )
    fake = pd.DataFrame(
        {"age": [119, None, 121], "c": ["z", "a", "y"], "day": ["01/02/20", "2020-02-01", None]}
    )
    found = lines(validity(real, fake, schema=schema))
    assert found == {
        ("age", "range"): 1,
        ("c", "category"): 1,
        ("day", "type"): 1,
        ("day", "missing"): 1,
        ("age", "dtype"): 3,
    }
    with pytest.raises(SchemaMismatchError, match="'more'"):
        validity(real.assign(more=1), fake.assign(more=1), schema=schema)


def test_repeated_keys_are_invalid_from_the_second_on() -> None:
    real = pd.DataFrame({"key": [f"K{i:04d}" for i in range(50)], "x": range(50)})
    fake = real.assign(key=["K9000", "K9000", "K9000", *real["key"][3:]])
    result = validity(real, fake)
    assert lines(result) == {("key", "repeated"): 2}
    # A column that repeats in the real table is no key, whatever it is called.
    schema = Schema((Column("key", "id", "object"), Column("x", "integer", "int64")))
    assert lines(validity(fake, fake, schema=schema)) == {}


def test_constraints() -> None:
    real = pd.DataFrame(
        {
            "low": [1, 2, 3],
            "high": [2, 3, 9],
            "city": ["Bonn", "Rome", "Bonn"],
            "c": ["d", "i", "d"],
        }
    )
    schema = Schema.infer(real).with_constraints(
        Inequality("low", "high"),
        FixedCombinations(("city", "c")),
        Range("low", 1, 2),
        Unique(("low", "high")),
        Predicate(lambda df: df["high"] < 9, "small"),
    )
    fake = pd.DataFrame(
        {"low": [3, 1, 1], "high": [2, 9, 9], "city": ["Bonn"] * 3, "c": ["d", "i", "d"]}
    )
    result = validity(real, fake, schema=schema)
    assert lines(result) == {
        ("low, high", "constraint: Inequality"): 1,
        ("city, c", "constraint: FixedCombinations"): 1,
        ("low", "constraint: Range"): 1,
        ("low, high", "constraint: Unique"): 1,
        ("", "constraint: Predicate small"): 2,
    }
    # Row 0: low and high; row 1: city and c (and the predicate); row 2: low and high.
    assert result.details["invalid_cells"] == 6
    assert result.details["valid_rows"] == 0.0
    words = fake.assign(low=["a", "b", "c"])
    assert lines(validity(real, words, schema=schema))["low", "constraint: Range"] == 3
    text = Schema.infer(real).with_constraints(Range("city", 1, 2))
    with pytest.raises(ConstraintError, match="have no order"):
        validity(real, fake, schema=text)


def test_holdout_gives_the_ceiling() -> None:
    real = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "c": list("abab")})
    fresh = pd.DataFrame({"x": [0.0, 2.0], "c": list("ab")})
    result = validity(real, real, holdout=fresh)
    assert (result.value, result.ceiling) == (1.0, 0.75)
    shares = result.breakdown.set_index(["column", "check"])["holdout_share"]
    assert shares["x", "range"] == 0.5
    assert shares.sum() == 0.5


@pytest.mark.parametrize(
    "dtypes",
    [
        {"age": "Int64", "price": "Float64", "sex": "string", "member": "boolean"},
        {"age": "int64[pyarrow]", "sex": "string[pyarrow]", "day": "timestamp[ns][pyarrow]"},
        {"price": "float32", "sex": "category", "member": "object"},
    ],
)
def test_other_dtypes_check_alike(dtypes: dict[str, str]) -> None:
    if any("pyarrow" in dtype for dtype in dtypes.values()):
        pytest.importorskip("pyarrow")
    real, fake = real_table(), real_table()
    fake.loc[2, ["age", "sex"]] = [99, "x"]
    fake.loc[3, "price"] = 1.255
    expected = {("age", "range"): 1, ("sex", "category"): 1, ("price", "precision"): 1}
    assert lines(validity(real, fake)) == expected
    assert lines(validity(real.astype(dtypes), fake.astype(dtypes))) == expected
    other = lines(validity(real, fake.astype(dtypes)))
    assert {key: n for key, n in other.items() if key[1] != "dtype"} == expected


def test_zones_spans_and_decimals_of_single_precision() -> None:
    days = pd.Series(pd.date_range("2020-03-25", periods=8, tz="Europe/Berlin"))
    real = pd.DataFrame({"day": days, "span": pd.to_timedelta(range(8), "h")})
    fake = real.copy()
    assert validity(real, fake).value == 1.0
    fake.loc[7, "day"] -= pd.Timedelta("30min")
    fake.loc[2, "span"] += pd.Timedelta("1s")
    assert lines(validity(real, fake)) == {("day", "precision"): 1, ("span", "precision"): 1}


def test_values_of_another_kind_never_raise() -> None:
    spans = pd.DataFrame({"v": pd.to_timedelta([1, 2, 3], "h")})
    for other in (["1 h", "x", None], [pd.Timestamp(0)] * 3, [b"a"] * 3, [1.5, 2.5, 3.5]):
        found = lines(validity(spans, pd.DataFrame({"v": pd.Series(other, dtype=object)})))
        assert found["v", "dtype"] == 3
        assert found["v", "type"] >= 1
    # Infinite real numbers tell that there is no bound, and nothing about decimals.
    infinite = pd.DataFrame({"v": [np.inf, 1.5, 2.5, 3.0, 0.5, 1.0]})
    fake = infinite.assign(v=[99.5, 0.25, 0.0, 1.0, 1.0, np.inf])
    assert lines(validity(infinite, fake)) == {("v", "range"): 2, ("v", "precision"): 1}


def test_awkward_tables() -> None:
    real = pd.DataFrame({"none": [None, None, None], "one": [7, 7, 7], 3: [1.5, 2.5, None]})
    assert validity(real, real).value == 1.0
    fake = pd.DataFrame({"none": [None, 5.0], "one": [7, 8], 3: [2.0, None]})
    found = lines(validity(real, fake))
    assert {key for key in found if key[1] != "dtype"} == {
        ("none", "category"),
        ("one", "category"),
    }
    single = pd.DataFrame({("a", 1): [1.0]})
    assert validity(single, single).value == 1.0
    mixed = pd.DataFrame({"m": [1, "a", 2.5, None]})
    assert validity(mixed, mixed).value == 1.0
    nested = pd.DataFrame({"x": [[1], [2]]})
    with pytest.raises(InvalidDataError, match="'x'"):
        validity(nested, nested)


def test_nothing_to_check_is_said() -> None:
    text = pd.DataFrame({"note": ["some words", None]})
    schema = Schema((Column("note", "text", "object", nullable=True),))
    result = validity(text, text, schema=schema)
    assert result.value is None
    assert "no check" in result.details["not_applicable"]


def test_many_categories() -> None:
    real = pd.DataFrame({"c": [f"v{i}" for i in range(10_000)] * 2})
    schema = Schema((Column("c", "categorical", "object"),))
    fake = pd.DataFrame({"c": [f"v{i}" for i in range(1, 10_001)]})
    assert lines(validity(real, fake, schema=schema)) == {("c", "category"): 1}


def test_seeded_and_cut() -> None:
    real, fake = related(300, 1), related(300, 2)
    first = validity(real, fake, max_rows=100, random_state=1)
    again = validity(real, fake, max_rows=100, random_state=1)
    assert first.details["rows"] == 100
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    whole = [validity(real, fake, random_state=seed).to_dict() for seed in (1, 2)]
    assert whole[0] == whole[1]


def test_adult_test_rows_are_nearly_valid() -> None:
    train, test = load_adult("train"), load_adult("test")
    value = validity(train, test).value
    assert value is not None
    assert 0.9999 < value < 1
