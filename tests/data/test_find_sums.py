import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen import Schema, datasets
from synthgen.data.find_sums import find_sums


def found(frame):
    return find_sums(frame, Schema.infer(frame).columns)


def invoices(n=600, seed=0):
    rng = np.random.default_rng(seed)
    net = np.round(rng.lognormal(4, 1, n), 2)
    tax = np.round(0.19 * net, 2)
    shipping = rng.integers(0, 30, n) * 0.5
    return pd.DataFrame(
        {"net": net, "tax": tax, "shipping": shipping, "gross": net + tax + shipping}
    )


def test_exact_and_rounded_sums():
    gross, tax = found(invoices())
    assert (gross.total, sorted(gross.parts)) == ("gross", ["net", "shipping", "tax"])
    assert (gross.weights, gross.constant, gross.tolerance) == ((1.0, 1.0, 1.0), 0.0, 0.0)
    assert (tax.total, tax.parts, tax.weights, tax.tolerance) == ("tax", ("net",), (0.19,), 0.005)


def test_all_rows_have_to_obey():
    frame = invoices()
    frame.loc[17, "gross"] += 0.01
    assert "gross" not in {rule.total for rule in found(frame)}


def test_conversions_of_units():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"c": np.round(rng.normal(15, 8, 500), 1)})
    frame["f"] = np.round(1.8 * frame["c"] + 32, 1)
    frame["born"] = rng.integers(1930, 2005, 500)
    frame["age"] = 2024 - frame["born"]
    rules = {rule.total: rule for rule in found(frame)}
    assert set(rules) == {"age", "f"}
    assert (rules["f"].parts, rules["f"].weights, rules["f"].constant) == (("c",), (1.8,), 32.0)
    assert (rules["age"].parts, rules["age"].weights, rules["age"].constant) == (
        ("born",),
        (-1.0,),
        2024.0,
    )


def test_times_of_day_as_numbers():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"hour": rng.integers(0, 24, 400), "minute": rng.integers(0, 60, 400)})
    frame["time"] = 100 * frame["hour"] + frame["minute"]
    (rule,) = found(frame)
    assert (rule.total, dict(zip(rule.parts, rule.weights, strict=True))) == (
        "time",
        {"hour": 100.0, "minute": 1.0},
    )


def test_rows_with_gaps_are_left_out():
    frame = invoices()
    frame.loc[::9, "gross"] = np.nan
    assert {rule.total for rule in found(frame)} == {"gross", "tax"}
    frame.loc[::2, "gross"] = np.nan
    assert {rule.total for rule in found(frame)} == {"tax"}


@settings(max_examples=25, deadline=None)
@given(
    weights=st.lists(st.sampled_from([-2.0, -1.0, 0.5, 1.0, 3.0]), min_size=1, max_size=5),
    constant=st.sampled_from([0.0, 1.0, -250.0]),
    seed=st.integers(0, 10_000),
)
def test_any_sum_is_found(weights, constant, seed):
    rng = np.random.default_rng(seed)
    parts = rng.integers(-1_000, 1_000, (400, len(weights))).astype(float)
    frame = pd.DataFrame(parts, columns=[f"p{k}" for k in range(len(weights))])
    frame["t"] = parts @ weights + constant
    (rule,) = found(frame)
    assert set(rule.columns) == set(frame.columns)
    assert rule.tolerance == 0.0
    assert rule.check(frame).all()


@pytest.mark.parametrize("n", [150, 3_000])
def test_nothing_is_found_in_unrelated_columns(n):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.integers(0, 50, (n, 8)), columns=list("abcdefgh"))
    frame["noisy"] = frame["a"] + frame["b"] + rng.integers(0, 2, n)
    assert found(frame) == ()


def test_too_few_rows_flags_and_texts():
    assert found(invoices(100)) == ()
    frame = invoices()[["net", "tax"]].astype(str)
    frame["flag"] = np.arange(len(frame)) % 2
    frame["other"] = 1 - frame["flag"]
    assert found(frame) == ()


def test_infinite_and_constant_columns():
    frame = invoices()
    frame["same"] = 7
    frame["wild"] = np.where(np.arange(len(frame)) == 3, np.inf, 1.0)
    assert len(find_sums(frame, Schema.infer(invoices()).columns)) == 2


@pytest.mark.parametrize("scale", [1e-12, 1e12, 1e200, 1e-200])
def test_numbers_of_any_size(scale):
    frame = invoices()
    frame["far"] = scale * np.random.default_rng(5).normal(size=len(frame))
    assert {"gross", "tax"} == {rule.total for rule in found(frame)}


def test_small_parts_of_small_totals_beside_large_numbers():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(rng.normal(size=(400, 2)) * 1e-12, columns=["a", "b"])
    frame["c"] = frame["a"] + frame["b"]
    frame["large"] = rng.normal(size=400) * 1e12
    assert [rule.columns for rule in found(frame)] == [("c", *found(frame)[0].parts)]
    assert set(found(frame)[0].parts) == {"a", "b"}


def test_a_column_that_is_constant_where_others_are_known():
    frame = invoices()
    known = np.arange(len(frame)) % 6 > 0
    frame["odd"] = np.where(known, 1.0, np.arange(len(frame)))
    frame["shipping"] = frame["shipping"].where(known)
    assert "tax" in {rule.total for rule in found(frame)}


def test_adult_has_none():
    assert found(datasets.load_adult("train")) == ()
