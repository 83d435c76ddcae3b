import numpy as np
import pandas as pd
import pytest

from synthgen import GaussianCopula, Inequality, Schema
from synthgen.data.find_orders import find_orders


def found(frame, **options):
    return [rule.columns for rule in find_orders(frame, Schema.infer(frame).columns, **options)]


def stays(n=600, seed=0):
    rng = np.random.default_rng(seed)
    arrival = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")
    coldest = rng.normal(5, 8, n)
    return pd.DataFrame(
        {
            "booked": arrival - pd.to_timedelta(rng.integers(0, 90, n), unit="D"),
            "arrival": arrival,
            "departure": arrival + pd.to_timedelta(rng.integers(1, 9, n), unit="D"),
            "coldest": coldest,
            "warmest": coldest + rng.exponential(3, n),
            "guests": rng.integers(1, 5, n),
        }
    )


def test_dates_and_akin_numbers():
    assert found(stays()) == [
        ("booked", "arrival"),
        ("arrival", "departure"),
        ("coldest", "warmest"),
    ]


def test_all_rows_have_to_obey():
    frame = stays()
    frame.loc[311, "warmest"] = frame.loc[311, "coldest"] - 0.1
    assert ("coldest", "warmest") not in found(frame)


def test_missing_cells_are_in_order():
    frame = stays()
    frame.loc[::3, "departure"] = pd.NaT
    assert ("arrival", "departure") in found(frame)


def test_quantities_of_different_kinds():
    rng = np.random.default_rng(0)
    size = rng.uniform(1, 3, 500)
    frame = pd.DataFrame({"size": size, "price": size + rng.uniform(0, 4, 500)})
    assert found(frame) == []
    assert found(frame, least_tie=0.3) == [("size", "price")]


def test_ranges_that_do_not_overlap_say_nothing():
    rng = np.random.default_rng(0)
    low = rng.normal(0, 1, 400)
    assert found(pd.DataFrame({"low": low, "high": low + 100 + rng.random(400)})) == []


def test_no_order_of_what_adds_up():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.poisson(20, 400), "b": rng.poisson(3, 400)})
    frame["sum"] = frame["a"] + frame["b"]
    assert {type(rule).__name__ for rule in Schema.infer(frame).constraints} == {"Sum"}
    assert ("a", "sum") in found(frame)


@pytest.mark.parametrize("condition", [{}, {"guests": 2}])
def test_generated_rows_are_in_order(condition):
    model = GaussianCopula(random_state=0).fit(stays())
    free = GaussianCopula(schema=model.schema_.with_constraints(), random_state=0).fit(stays())
    rules = [rule for rule in model.schema_.constraints if isinstance(rule, Inequality)]
    assert len(rules) == 3
    broken = free.sample(3_000, conditions=condition, random_state=1)
    assert not all(rule.check(broken).all() for rule in rules)
    rows = model.sample(3_000, conditions=condition, random_state=1)
    assert all(rule.check(rows).all() for rule in rules)


def test_samples_are_heads_of_larger_ones():
    model = GaussianCopula(random_state=0).fit(stays())
    long = model.sample(20_000, random_state=1)
    assert long.head(50).equals(model.sample(50, random_state=1))
    assert long.shape == (20_000, 6)
    assert not long.duplicated().any()


def test_what_was_found_is_not_declared_public():
    schema = Schema.infer(stays())
    assert schema.as_public().constraints == ()
    declared = Inequality("arrival", "departure")
    assert schema.with_constraints(declared).as_public().constraints == (declared,)
    assert Schema.from_json(schema.to_json()).as_public().constraints == ()
