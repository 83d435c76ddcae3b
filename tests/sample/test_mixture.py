"""Several values of a number as conditions: each with the other columns that go with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen import GaussianCopula, IndependentColumns
from synthgen.encode.wanted import Wanted
from synthgen.sample.mixture import alternatives

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    age = RNG.integers(18, 90, 1_500)
    return pd.DataFrame(
        {
            "age": age,
            "score": 10 * age + RNG.normal(scale=20, size=1_500),
            "gap": np.where(RNG.random(1_500) < 0.2, np.nan, RNG.normal(size=1_500)),
            "city": RNG.choice(["Bonn", "Rome", "Oslo"], 1_500),
        }
    )


@pytest.fixture(scope="module")
def copula(frame: pd.DataFrame) -> GaussianCopula:
    return GaussianCopula(random_state=0).fit(frame)


def test_each_value_has_the_rows_that_go_with_it(copula: GaussianCopula) -> None:
    alone = copula.sample(2_000, conditions={"age": 20}, random_state=0)["score"].median()
    both = copula.sample(4_000, conditions={"age": [20, 78]}, random_state=0)
    assert set(both["age"]) == {20, 78}
    medians = both.groupby("age")["score"].median()
    assert medians[20] == pytest.approx(alone, rel=0.1)
    assert medians[78] > 600
    # As often as they occur, and not one after the other.
    assert both["age"].eq(20).mean() == pytest.approx(0.5, abs=0.2)
    assert 0.3 < both["age"].eq(20).iloc[:200].mean() < 0.7


def test_missing_is_one_of_the_alternatives(copula: GaussianCopula, frame: pd.DataFrame) -> None:
    value = float(frame["gap"].dropna().iloc[0])
    found = copula.sample(500, conditions={"gap": [value, value + 1, None]}, random_state=0)["gap"]
    assert set(found.dropna()) == {value, value + 1}
    assert found.isna().any()


def test_few_rows_are_the_first_of_many(copula: GaussianCopula) -> None:
    conditions = {"age": [20, 50, 78], "city": ["Bonn", "Rome"]}
    many = copula.sample(300, conditions=conditions, random_state=1)
    few = copula.sample(20, conditions=conditions, random_state=1)
    pd.testing.assert_frame_equal(few, many.iloc[:20])
    assert set(many["city"]) == {"Bonn", "Rome"}


def test_what_has_states_of_its_own_is_not_divided(frame: pd.DataFrame) -> None:
    encoder = IndependentColumns().fit(frame).sampler_.encoder
    asked = {"city": Wanted(("Bonn", "Rome")), "age": Wanted((20, 30)), "gap": Wanted((), True)}
    ways = alternatives(encoder, asked)
    assert [way["city"] for way in ways] == [asked["city"]] * 2
    assert [way["age"].values for way in ways] == [(20,), (30,)]
    many = {"age": Wanted(tuple(range(20, 85))), "city": asked["city"]}
    assert alternatives(encoder, many) == [many]
