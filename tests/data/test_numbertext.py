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
    st.sampled_from(["$%,.2f", "%.,3f kr", "%,0f%", "%.1f%", "€ %,.0f", "%,4f"]),
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
