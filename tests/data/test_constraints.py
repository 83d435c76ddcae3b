import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.data.constraints import (
    Constraint,
    FixedCombinations,
    Inequality,
    Lookup,
    OneHot,
    Predicate,
    Range,
    Unique,
    constraint_from_json,
    validate_constraints,
)
from synthgen.data.schema import Schema
from synthgen.errors import ArtifactError, ConstraintError, DataWarning, InvalidParameterError


def rng():
    return np.random.default_rng(0)


FRAME = pd.DataFrame(
    {
        "a": [1.0, 5.0, np.nan, 3.0],
        "b": [2.0, 2.0, 2.0, 3.0],
        "start": pd.to_datetime(["2020-01-01", "2020-02-01", None, "2020-03-01"]),
        "end": pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-01", "2020-03-01"]),
        "text_day": ["2020-01-01", "2019-01-01", None, "2021-01-01"],
    },
    index=[3, 3, 1, 0],
)
CASES = {
    "range": (Range("a", 0, 3), [True, False, True, True]),
    "strict range": (Range("a", 0, 3, strict=True), [True, False, True, False]),
    "half range": (Range("a", low=2), [False, True, True, True]),
    "dates": (Range("start", "2020-01-15", pd.Timestamp("2020-02-15")), [False, True, True, False]),
    "text dates": (Range("text_day", "2020-01-01", format="%Y-%m-%d"), [True, False, True, True]),
    "inequality": (Inequality("a", "b"), [True, False, True, True]),
    "strict inequality": (Inequality("a", "b", strict=True), [True, False, True, False]),
    "ordered dates": (Inequality("start", "end"), [True, False, True, True]),
    "different dates": (
        Inequality("text_day", "end", formats=("%Y-%m-%d", None)),
        [True, True, True, False],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_order_rules(case):
    rule, expected = CASES[case]
    before = FRAME.copy()
    assert isinstance(rule, Constraint)
    assert rule.check(FRAME).tolist() == expected
    assert constraint_from_json(json.loads(json.dumps(rule.to_json()))) == rule
    repaired = rule.repair(FRAME, rng())
    assert rule.check(repaired).all()
    pd.testing.assert_frame_equal(FRAME, before)
    assert (repaired.dtypes == FRAME.dtypes).all()
    kept = np.array(expected)
    pd.testing.assert_frame_equal(repaired[kept], FRAME[kept])


def test_an_inequality_is_repaired_by_swapping():
    frame = pd.DataFrame({"a": [1, 9], "b": [2, 4]})
    assert Inequality("a", "b").repair(frame, rng()).to_numpy().tolist() == [[1, 2], [4, 9]]


def test_rules_that_nothing_obeys_cannot_be_repaired():
    assert Range("a", 100).repair(FRAME[["a"]].dropna(), rng()) is None
    equal = pd.DataFrame({"a": [1, 1], "b": [1, 1]})
    assert Inequality("a", "b", strict=True).repair(equal, rng()) is None
    assert FixedCombinations(("a", "b"), ()).repair(equal, rng()) is None


COMBINED = pd.DataFrame(
    {
        "city": pd.Categorical(["Bonn", "Rome", None, "Bonn"], categories=["Rome", "Bonn", "Oslo"]),
        "country": pd.array(["de", "it", None, "de"], dtype="string"),
        "code": pd.array([1, 2, None, 1], dtype="Int64"),
    }
)


def test_fixed_combinations():
    rule = FixedCombinations(("city", "country", "code")).fit(COMBINED)
    assert len(rule.combinations) == 3
    loaded = constraint_from_json(json.loads(json.dumps(rule.to_json())))
    assert loaded == rule
    wrong = COMBINED.assign(code=pd.array([1, 1, None, 9], dtype="Int64"))
    assert loaded.check(wrong).tolist() == [True, False, True, False]
    repaired = loaded.repair(wrong, rng())
    assert loaded.check(repaired).all()
    assert repaired["code"].tolist()[:2] == [1, 2]
    assert (repaired.dtypes == COMBINED.dtypes).all()
    unknown = COMBINED.assign(city=pd.Categorical(["Oslo"] * 4, dtype=COMBINED["city"].dtype))
    assert loaded.check(loaded.repair(unknown, rng())).all()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([1, 2, 3])), min_size=1))
def test_fixed_combinations_accept_what_they_saw_and_nothing_else(rows):
    frame = pd.DataFrame(rows, columns=["x", "y"])
    rule = FixedCombinations(("x", "y")).fit(frame)
    every = pd.DataFrame([(x, y) for x in "abcd" for y in (1, 2, 3)], columns=["x", "y"])
    expected = [row in set(rows) for row in every.itertuples(index=False, name=None)]
    assert rule.check(every).tolist() == expected
    assert rule.check(rule.repair(every, rng())).all()


@pytest.mark.parametrize("dtype", ["int64", "bool", "float64", "boolean", "Int8"])
def test_one_hot(dtype):
    frame = pd.DataFrame(
        {"a": [1, 1, 0, 0], "b": [0, 1, 0, 1], "c": [0, 0, 0, 0], "other": [5, 5, 5, 5]}
    ).astype(dict.fromkeys("abc", dtype))
    rule = OneHot(("a", "b", "c"))
    assert rule.check(frame).tolist() == [True, False, False, True]
    assert constraint_from_json(rule.to_json()) == rule
    repaired = rule.repair(frame, rng())
    assert rule.check(repaired).all()
    assert (repaired.dtypes == frame.dtypes).all()
    assert int(repaired["c"].iloc[1]) == 0
    pd.testing.assert_frame_equal(repaired.iloc[[0, 3]], frame.iloc[[0, 3]])


def test_unique():
    frame = pd.DataFrame({"a": [1, 1, None, None], "b": [1, 1, 2, 2]})
    rule = Unique(("a", "b"))
    assert rule.check(frame).tolist() == [True, False, True, True]
    assert rule.repair(frame, rng()) is None
    assert rule.repair(frame.iloc[[0]], rng()).equals(frame.iloc[[0]])
    assert constraint_from_json(rule.to_json()) == rule


def test_predicate():
    rule = Predicate(lambda df: df["a"] + df["b"] > 3, "sum")
    assert rule.check(FRAME).tolist() == [False, True, False, True]
    assert rule.repair(FRAME, rng()) is None
    with pytest.raises(ConstraintError, match="one boolean per row"):
        Predicate(lambda df: df["a"], "numbers").check(FRAME)
    with pytest.raises(ConstraintError, match="one boolean per row"):
        Predicate(lambda df: True, "one").check(FRAME)


def test_malformed_rules_are_refused():
    with pytest.raises(ConstraintError, match="two or more"):
        FixedCombinations(("a",))
    with pytest.raises(ConstraintError, match="two or more"):
        OneHot(("a",))
    with pytest.raises(ConstraintError, match="at least one"):
        Unique(())
    with pytest.raises(ConstraintError, match="call fit"):
        FixedCombinations(("a", "b")).check(FRAME)
    with pytest.raises(ConstraintError, match="lacks the columns"):
        Range("z", 0).check(FRAME)
    with pytest.raises(ConstraintError, match="no order"):
        Range("text_day", 0).check(FRAME)
    with pytest.raises(ConstraintError, match="cannot be compared"):
        Inequality("a", "start").check(FRAME)
    with pytest.raises(ConstraintError, match="range of 'start'"):
        Range("start", "soon").check(FRAME)
    for rule in (Unique, OneHot, FixedCombinations):
        with pytest.raises(ConstraintError, match="takes a list of columns"):
            rule("age")
    with pytest.raises(ConstraintError, match="'share' failed: ZeroDivisionError"):
        Predicate(lambda df: 1 / 0, "share").check(FRAME)
    with pytest.raises(InvalidParameterError, match="got 'x'"):
        Schema.infer(FRAME).with_constraints("x")
    for document in ({}, {"type": "magic"}, {"type": "range"}, {"type": "one_hot", "columns": []}):
        with pytest.raises(ArtifactError):
            constraint_from_json(document)


def test_validation_fits_and_warns():
    schema = Schema.infer(FRAME)
    fitted = validate_constraints(
        [FixedCombinations(("a", "b")), Range("text_day", "2000-01-01")], schema, FRAME
    )
    assert len(fitted[0].combinations) == 4
    assert fitted[1].format == "%Y-%m-%d"
    with pytest.warns(DataWarning, match=r"1 of 4 real rows break the constraint Inequality"):
        validate_constraints([Inequality("a", "b")], schema, FRAME)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([Range("z", 0)], "unknown columns"),
        ([Range("a", 5, 1)], "contradict"),
        ([Range("a", low=5), Range("a", high=4)], "contradict"),
        ([Range("a", 1, 1, strict=True)], "contradict"),
        ([Inequality("a", "b", strict=True), Inequality("b", "a")], "at the same time"),
        (["a < b"], "Not a constraint"),
    ],
)
def test_contradictions_are_refused(rules, message):
    with pytest.raises(ConstraintError, match=message):
        validate_constraints(rules, Schema.infer(FRAME), FRAME)


def test_suggestions():
    random = rng()
    size = 400
    city = random.integers(0, 6, size)
    hot = random.integers(0, 3, size)
    low = random.normal(0, 5, size)
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, size), unit="D")
    frame = pd.DataFrame(
        {
            "key": [f"K-{k:04d}" for k in range(size)],
            "city": np.array(["Bonn", "Köln", "Rome", "Oslo", "Pisa", "Ulm"])[city],
            "country": np.array(["de", "de", "it", "no", "it", "de"])[city],
            "low": low,
            "high": low + random.exponential(1, size),
            "start": start,
            "end": start + pd.to_timedelta(random.integers(0, 30, size), unit="D"),
            "apple": (hot == 0).astype(int),
            "pear": (hot == 1).astype(int),
            "plum": (hot == 2).astype(int),
            "count": random.poisson(3, size),
        }
    )
    schema = Schema.infer(frame)
    found = schema.suggest_constraints(frame)
    assert set(found) == {
        OneHot(("apple", "pear", "plum")),
        Range("count", low=0),
        Inequality("low", "high"),
        Inequality("start", "end"),
        Lookup("city", "country").fit(frame),
        Unique(("key",)),
    }
    assert all(rule.check(frame).all() for rule in found)
    assert schema.suggest_constraints(frame.head(50)) == ()
