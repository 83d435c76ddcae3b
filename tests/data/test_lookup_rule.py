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
    with pytest.raises(ConstraintError, match=r"pandas\.DataFrame, got NoneType"):
        Lookup("city", "country").fit(None)
    with pytest.raises(ConstraintError, match="lacks the columns"):
        RULE.check(REAL[["city"]])


def test_the_table_is_learned_from_the_rows_of_fit():
    schema = Schema.infer(REAL)
    (rule,) = validate_constraints([Lookup("city", "country")], schema, REAL)
    assert rule == RULE
    assert not rule.found


PRICES = pd.DataFrame(
    {"kind": ["tea", "tea", "ale", None], "size": [1, 2, 2, 1], "price": [2.0, 3.0, 5.0, 4.0]}
)


def test_two_keys():
    rule = Lookup("kind", "price", also=["size"]).fit(PRICES)
    assert dict(rule.table) == {("tea", 1): 2.0, ("tea", 2): 3.0, ("ale", 2): 5.0, (None, 1): 4.0}
    assert rule.columns == ("kind", "size", "price")
    rows = pd.DataFrame(
        {"kind": ["ale", "ale", None, "tea"], "size": [2, 1, 1, 1], "price": [5.0, 9.0, 1.0, 7.0]}
    )
    assert rule.check(rows).tolist() == [True, True, False, False]
    assert rule.repair(rows, rng())["price"].tolist() == [5.0, 9.0, 4.0, 2.0]
    assert constraint_from_json(rule.to_json()) == rule


def test_part_of_a_date():
    days = pd.to_datetime(["2024-02-29 23:30", "2024-03-31 12:00", None])
    frame = pd.DataFrame({"t": days, "month": ["Feb", "Mar", "-"]})
    rule = Lookup("t", "month", part="month").fit(frame)
    assert dict(rule.table) == {2: "Feb", 3: "Mar", None: "-"}
    assert rule.check(frame).all()
    assert rule.check(frame.assign(month="Mar")).tolist() == [False, True, False]
    assert rule.repair(frame.assign(month="Mar"), rng()).equals(frame)
    assert constraint_from_json(rule.to_json()) == rule


def test_parts_that_count_are_known_where_no_row_had_them():
    days = pd.to_datetime(["2024-02-29", "2024-03-31"])
    rule = Lookup("t", "m", part="month").fit(pd.DataFrame({"t": days, "m": [1, 2]}))
    assert dict(rule.table) == {month: month - 1 for month in range(1, 13)}


def test_a_part_on_the_clocks_of_a_zone():
    utc = pd.to_datetime(["2024-01-01 23:30", "2024-07-01 23:30"]).tz_localize("UTC")
    frame = pd.DataFrame({"t": utc, "hour": [0, 1]})
    assert Lookup("t", "hour", part="hour", zone="Europe/Paris").fit(frame).check(frame).all()
    local = frame.assign(t=frame["t"].dt.tz_convert("Europe/Paris"))
    rule = Lookup("t", "hour", part="hour").fit(local)
    assert dict(rule.table) == {hour: hour for hour in range(24)}
    (bound,) = Schema.infer(local).with_constraints(rule).constraints
    assert bound.zone == "Europe/Paris"


def test_parts_of_dates_in_text_take_their_format_from_the_schema():
    frame = pd.DataFrame({"t": [f"{day:02d}.06.2024" for day in range(1, 31)]})
    frame["weekday"] = [(day + 4) % 7 for day in range(1, 31)]
    schema = Schema.infer(frame).with_constraints(Lookup("t", "weekday", part="weekday"))
    (rule,) = validate_constraints(schema.constraints, schema, frame)
    assert rule.check(frame).all()
    assert not rule.check(frame.assign(weekday=frame["weekday"].to_numpy()[::-1])).all()


def test_malformed_keys_and_parts():
    for also in ("xy", None, 3, (["c"],)):
        with pytest.raises(ConstraintError, match="list of columns"):
            Lookup("a", "b", also=also)
    with pytest.raises(ConstraintError, match="time zone is known by the name 3"):
        Lookup("a", "b", part="hour", zone=3)
    with pytest.raises(ConstraintError, match="differ from each other"):
        Lookup("a", "b", also=("b",))
    with pytest.raises(ConstraintError, match="part must be one of"):
        Lookup("a", "b", part="moon")
    with pytest.raises(ConstraintError, match="single key"):
        Lookup("a", "b", also=("c",), part="month")
    with pytest.raises(ConstraintError, match="tuples of 2 values"):
        Lookup("a", "b", (("x", 1),), also=("c",))
    with pytest.raises(ConstraintError, match="Europe/Nowhere"):
        Lookup("a", "b", part="hour", zone="Europe/Nowhere")
    with pytest.raises(ConstraintError, match="Only dates have a month"):
        Lookup("size", "price", part="month").fit(PRICES)
