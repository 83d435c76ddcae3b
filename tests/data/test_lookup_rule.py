import numpy as np
import pandas as pd
import pytest

from synthgen import Lookup, Schema
from synthgen.data.constraints import Constraint, constraint_from_json, validate_constraints
from synthgen.errors import ConstraintError

REAL = pd.DataFrame(
    {"city": ["Bonn", "Rome", "Ulm", None, "Bonn"], "country": ["de", "it", "de", None, "de"]}
)
RULE = Lookup("city", "country").fit(REAL)


def rng():
    return np.random.default_rng(0)


def test_known_answers():
    rows = pd.DataFrame(
        {"city": ["Bonn", "Bonn", None, None, "Oslo"], "country": ["de", "it", None, "de", "it"]}
    )
    assert isinstance(RULE, Constraint)
    assert dict(RULE.table) == {"Bonn": "de", "Rome": "it", "Ulm": "de", None: None}
    assert RULE.check(rows).tolist() == [True, False, True, False, True]


def test_the_most_frequent_value_belongs_to_a_key():
    frame = pd.DataFrame({"k": ["a", "a", "a", "b"], "v": [1, 2, 2, 3]})
    assert dict(Lookup("k", "v").fit(frame).table) == {"a": 2, "b": 3}


def test_repair_looks_up_and_leaves_unknown_keys():
    rows = pd.DataFrame({"city": ["Bonn", "Oslo"], "country": ["it", "it"]}, index=[7, 7])
    repaired = RULE.repair(rows, rng())
    assert repaired["country"].tolist() == ["de", "it"]
    assert repaired.index.equals(rows.index)
    assert rows["country"].tolist() == ["it", "it"]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2, 1], "int64"),
        ([1, 2, 1], "Int8"),
        ([0.5, 2.5, 0.5], "float32"),
        ([True, False, True], "bool"),
        ([True, False, True], "boolean"),
        (["x", "y", "x"], "object"),
        (["x", "y", "x"], "string[python]"),
        (["x", "y", "x"], pd.CategoricalDtype(["y", "x", "never"], ordered=True)),
        (["2020-01-01", "2021-01-01", "2020-01-01"], "datetime64[ns]"),
    ],
)
def test_repair_keeps_any_dtype(values, dtype):
    frame = pd.DataFrame({"k": ["a", "b", "a"], "v": pd.Series(values, dtype=dtype)})
    rule = Lookup("k", "v").fit(frame)
    wrong = frame.assign(v=frame["v"].iloc[[1, 0, 1]].to_numpy()).astype({"v": frame["v"].dtype})
    assert not rule.check(wrong).any()
    assert rule.repair(wrong, rng()).equals(frame)


def test_keys_of_any_dtype():
    for keys in (
        [1, 2, 1],
        [1.5, np.nan, 1.5],
        [True, False, True],
        pd.Categorical(["a", "b", "a"]),
    ):
        frame = pd.DataFrame({"k": keys, "v": ["x", "y", "x"]})
        rule = Lookup("k", "v").fit(frame)
        assert rule.check(frame).all()
        assert rule.check(frame.assign(v=["y", "x", "x"])).tolist() == [False, False, True]


def test_json_round_trip_keeps_where_it_comes_from():
    rule = constraint_from_json(Lookup("a", 3, ((1, "x"), (None, 2.5)), found=True).to_json())
    assert rule == Lookup("a", 3, ((1, "x"), (None, 2.5)))
    assert rule.found


def test_malformed():
    with pytest.raises(ConstraintError, match="two columns"):
        Lookup("a", "a")
    with pytest.raises(ConstraintError, match="a key twice"):
        Lookup("a", "b", ((1, 2), (1, 3)))
    with pytest.raises(ConstraintError, match="pairs of a key and a value"):
        Lookup("a", "b", "xyz")
    with pytest.raises(ConstraintError, match="pairs of a key and a value"):
        Lookup("a", "b", (([1], 2),))
    with pytest.raises(ConstraintError, match="no table yet"):
        Lookup("city", "country").check(REAL)
    with pytest.raises(ConstraintError, match="lacks the columns"):
        RULE.check(REAL[["city"]])


def test_the_table_is_learned_from_the_rows_of_fit():
    schema = Schema.infer(REAL)
    (rule,) = validate_constraints([Lookup("city", "country")], schema, REAL)
    assert rule == RULE
    assert not rule.found
