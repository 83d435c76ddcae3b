from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen import GaussianCopula, Schema
from synthgen.data.numbertext import AmountFormat, find_number_text, read_numbers, write_numbers

VALUES = np.exp(np.random.default_rng(0).normal(6, 2, 400)).round(2)


@pytest.mark.parametrize(
    ("form", "example", "number"),
    [
        ("$%,.2f", "-$1,234.50", -1234.5),
        ("%.3f%", "12.345%", 12.345),
        ("%,2f", "1234,56", 1234.56),
        ("%.,2f €", "1.234,56 €", 1234.56),
        ("%,.0f", "1,234,567", 1234567),
        ("%.0f%", "7%", 7),
        ("USD %,.2f", "USD 1,234.50", 1234.5),
        ("£%.2f", "£-3.10", -3.1),
        ("%.2f", "3.10", 3.1),
        ("%.1f kg", "-83.6 kg", -83.6),
    ],
)
def test_known_forms(form: str, example: str, number: float) -> None:
    assert read_numbers(np.array([example, None, "x"], dtype=object), form)[0] == number
    assert np.isnan(read_numbers(np.array([None, "x"], dtype=object), form)).all()
    texts = np.unique(np.array(write_numbers(VALUES, form), dtype=object))
    assert find_number_text(texts) == form
    assert write_numbers(read_numbers(texts, form), form) == texts.tolist()


@pytest.mark.parametrize(
    "code", ["A{}", "{} kg", "{}th", "v{}.0.1", "{}-{}", "{} 000", "+{}", "#{}", "ABD {}"]
)
def test_codes_are_no_numbers(code: str) -> None:
    texts = np.array([code.format(k, k) for k in range(1, 200)], dtype=object)
    assert find_number_text(texts) is None


@given(
    st.integers(-(10**9), 10**9),
    st.sampled_from(
        ["$%,.2f", "%.,3f kr", "%,0f%", "%.1f%", "€ %,.0f", "%,4f", "(%,.2f)", "%.1f kg"]
    ),
)
def test_round_trip(number: int, form: str) -> None:
    amounts = AmountFormat.parse(form)
    assert amounts is not None
    assert str(amounts) == form
    value = number / 10**amounts.digits
    assert amounts.read(np.array([amounts.write(value)], dtype=object))[0] == value


def test_prices_are_learned_as_numbers() -> None:
    income = np.random.default_rng(0).normal(5_000, 900, 600)
    price = [f"${value:,.2f}" for value in income / 3]
    frame = pd.DataFrame({"income": income.round(), "price": price})
    column = Schema.infer(frame)["price"]
    assert (column.kind, column.format, column.decimals) == ("numeric", "$%,.2f", 2)
    found = GaussianCopula(random_state=0).fit(frame).sample(500, random_state=0)
    assert found["price"].str.fullmatch(r"\$\d(,\d{3})*\.\d\d|\$\d{3}\.\d\d").all()
    numbers = found["price"].str.replace("[$,]", "", regex=True).astype(float)
    assert np.corrcoef(numbers, found["income"])[0, 1] > 0.95


@pytest.mark.parametrize("mark", ["", "$"])
def test_brackets_mark_negative_amounts(mark: str) -> None:
    values = np.random.default_rng(0).normal(0, 5_000, 200).round(2)
    texts = [f"{mark}{abs(v):,.2f}" if v >= 0 else f"({mark}{abs(v):,.2f})" for v in values]
    form = find_number_text(np.array(texts, dtype=object))
    assert form == f"({mark}%,.2f)"
    np.testing.assert_array_equal(read_numbers(np.array(texts, dtype=object), form), values)
    assert write_numbers(values, form) == texts
    odd = np.array(["(1.00", "1.00)", "-1.00", "((1.00))", None], dtype=object)
    assert np.isnan(read_numbers(odd, form)).all()


def test_units_after_decimals() -> None:
    texts = np.array([f"{k / 10:.1f} kg" for k in range(1, 90)], dtype=object)
    assert find_number_text(texts) == "%.1f kg"
    mixed = np.array([f"{k / 10:.1f} {'kg' if k % 2 else 'lb'}" for k in range(90)], dtype=object)
    assert find_number_text(mixed) is None


def test_brackets_around_everything_are_no_amounts() -> None:
    assert find_number_text(np.array([f"({k}.5)" for k in range(90)], dtype=object)) is None
