"""Blocks of rows: ids of short forms, rules that few rows obey, uniqueness with gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen import (
    FixedCombinations,
    IndependentColumns,
    Lookup,
    OneHot,
    Predicate,
    Schema,
    Sum,
    Unique,
)
from synthgen.errors import ConstraintError, DataWarning, InvalidDataError
from synthgen.sample.sampler import BLOCK

#: Real rows break most of the rules here.
pytestmark = pytest.mark.filterwarnings("ignore::synthgen.errors.DataWarning")

RNG = np.random.default_rng(0)
N = 500
BASE = pd.DataFrame({"x": RNG.normal(size=N)})


def fitted(frame: pd.DataFrame, *rules: Any) -> IndependentColumns:
    schema = Schema.infer(frame).with_constraints(*rules)
    return IndependentColumns(schema=schema, random_state=0).fit(frame)


def test_a_short_form_has_ids_for_the_rows_that_are_asked_for() -> None:
    model = fitted(BASE.assign(pid=[f"P{k:03d}" for k in range(1, N + 1)]))
    assert model.sample(10, random_state=0)["pid"].tolist() == [f"P{k}" for k in range(501, 511)]
    many = model.sample(N, random_state=0)["pid"]
    assert many.iloc[-1] == "P1000"
    assert many.is_unique


def test_a_small_type_has_ids_for_the_rows_that_are_asked_for() -> None:
    frame = BASE.iloc[:100].assign(id=np.arange(1, 101, dtype="int8"))
    model = fitted(frame)
    assert model.sample(10, random_state=0)["id"].tolist() == list(range(101, 111))
    with pytest.raises(InvalidDataError, match="not enough numbers of dtype int8"):
        model.sample(100)
    ruled = fitted(frame, Predicate(lambda rows: rows["x"] > 0, "positive"))
    found = ruled.sample(20, random_state=0)
    assert found["id"].tolist() == list(range(101, 121))
    assert (found["x"] > 0).all()


@pytest.mark.parametrize("rule", [None, Predicate(lambda rows: rows["x"] > 1, "large")])
def test_few_rows_are_the_first_of_many(rule: Predicate | None) -> None:
    frame = BASE.assign(k=[f"P{k}" for k in range(N)])
    model = fitted(frame, *([] if rule is None else [rule]))
    many = model.sample(BLOCK + 50, random_state=3)
    pd.testing.assert_frame_equal(model.sample(70, random_state=3), many.iloc[:70])
    assert many["k"].is_unique


def test_a_rule_that_few_rows_obey_and_nothing_can_repair() -> None:
    model = fitted(BASE, Predicate(lambda rows: rows["x"] > 1.645, "large"))
    found = model.sample(BLOCK + 10, random_state=0)
    assert len(found) == BLOCK + 10
    assert (found["x"] > 1.645).all()


def test_what_follows_from_a_key_can_be_asked_for() -> None:
    cities = np.array([f"c{k}" for k in range(200)])
    keys = RNG.choice(cities, 2_000)
    frame = pd.DataFrame({"city": keys, "x": RNG.normal(size=2_000)})
    frame["country"] = [f"k{int(key[1:]) % 40}" for key in keys]
    model = fitted(frame, Lookup("city", "country"))
    found = model.sample(300, conditions={"country": "k3"}, random_state=0)
    assert set(found["city"]) <= {"c3", "c43", "c83", "c123", "c163"}


def test_what_follows_from_a_date_and_from_two_columns_does_so_in_generated_rows(tmp_path) -> None:
    n = 2_000
    moment = pd.Timestamp("2021-01-01") + pd.to_timedelta(RNG.integers(0, 17_000, n), unit="h")
    frame = pd.DataFrame({"moment": moment, "from": RNG.choice(list("abc"), n)})
    frame["month"] = frame["moment"].dt.month
    frame["to"] = RNG.choice(list("defgh"), n)
    frame["km"] = [ord(a) + ord(b) for a, b in zip(frame["from"], frame["to"], strict=True)]
    model = IndependentColumns(random_state=0).fit(frame)
    assert len(model.schema_.constraints) == 2
    model.save(tmp_path / "model")
    for one in (model, IndependentColumns.load(tmp_path / "model")):
        found = one.sample(300, random_state=0)
        assert (found["month"] == found["moment"].dt.month).all()
        pairs = zip(found["from"], found["to"], strict=True)
        assert found["km"].tolist() == [ord(a) + ord(b) for a, b in pairs]
        wanted = one.sample(50, conditions={"month": 5, "km": 198}, random_state=0)
        assert (wanted["moment"].dt.month == 5).all()
        assert set(zip(wanted["from"], wanted["to"], strict=True)) == {("a", "e"), ("b", "d")}


def test_rows_with_gaps_are_no_repetitions() -> None:
    code = pd.Series(RNG.permutation(100_000)[:N].astype(float))
    code[RNG.random(N) < 0.5] = np.nan
    model = fitted(BASE.assign(code=code, pid=[f"P{k:03d}" for k in range(N)]), Unique(("code",)))
    found = model.sample(200, random_state=0)
    assert found["code"].isna().mean() == pytest.approx(0.5, abs=0.12)
    assert not found["code"].dropna().duplicated().any()
    assert found["pid"].tolist() == [f"P{k}" for k in range(500, 700)]


def test_ids_are_unique_without_looking() -> None:
    model = fitted(BASE.assign(pid=[f"P{k:03d}" for k in range(N)]), Unique(("pid",)))
    assert model.sample(2 * BLOCK, random_state=0)["pid"].is_unique


def test_too_few_distinct_rows_say_how_many() -> None:
    model = fitted(BASE.assign(k=RNG.integers(0, 60, N)), Unique(("k",)))
    assert sorted(model.sample(60, random_state=0)["k"]) == list(range(60))
    with pytest.raises(ConstraintError, match="Only 60 of 61 rows differ"):
        model.sample(61)


def test_rows_under_a_frame_of_conditions_may_repeat_and_say_so() -> None:
    frame = BASE.assign(g=RNG.choice(["a", "b"], N), k=RNG.integers(0, 60, N))
    model = fitted(frame, Unique(("k",)))
    with pytest.warns(DataWarning, match=r"of 40 rows repeat others in \['k'\]"):
        model.sample(conditions=pd.DataFrame({"g": ["a"] * 40}), random_state=0)


def test_a_part_of_a_sum_that_never_changes() -> None:
    frame = pd.DataFrame({"a": RNG.integers(0, 1000, N), "fee": 5})
    frame["total"] = frame["a"] + frame["fee"]
    found = fitted(frame, Sum("total", ("a", "fee"))).sample(100, random_state=0)
    assert (found["a"] + found["fee"] == found["total"]).all()


def test_combinations_that_real_rows_break() -> None:
    k = RNG.integers(0, 4, N)
    frame = BASE.assign(**{name: (k == place) * 1 for place, name in enumerate("abc")})
    found = fitted(frame, OneHot(("a", "b", "c"))).sample(1_000, random_state=0)
    assert (found[["a", "b", "c"]].sum(axis=1) == 1).all()
    city = RNG.choice(["Bonn", "Rome"], N)
    places = BASE.assign(city=city, land=np.where(city == "Bonn", "de", "it"))
    places.loc[:20, "land"] = "xx"
    rule = FixedCombinations(("city", "land"), (("Bonn", "de"), ("Rome", "it")))
    found = fitted(places, rule).sample(1_000, random_state=0)
    assert set(found["land"]) == {"de", "it"}
    with pytest.raises(ConstraintError, match="0 of 500 real rows obey"):
        fitted(places.assign(land="xx"), rule)


def test_keys_of_several_rows_can_be_part_of_what_is_unique() -> None:
    orders = np.repeat(np.arange(10_000, 10_200), 3)
    frame = pd.DataFrame({"order_id": orders, "line": np.tile([1, 2, 3], 200)})
    frame["x"] = RNG.normal(size=len(frame))
    schema = Schema.infer(frame).with_column("order_id", kind="id")
    schema = schema.with_constraints(Unique(("order_id", "line")))
    model = IndependentColumns(schema=schema, random_state=0).fit(frame)
    found = model.sample(400, random_state=0)
    assert not found.duplicated(["order_id", "line"]).any()
    assert found["order_id"].duplicated().any()
    assert found["line"].duplicated().any()
