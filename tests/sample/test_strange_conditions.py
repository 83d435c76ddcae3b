"""Conditions that a column cannot meet, and dates as people write them."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen import Between, IndependentColumns
from synthgen.errors import ConditionError


@pytest.fixture(scope="module")
def model() -> IndependentColumns:
    rng = np.random.default_rng(0)
    days = pd.Series(pd.date_range("2020-01-01", periods=200)).sample(frac=1, random_state=0)
    noon = pd.Series(days.to_numpy() + np.timedelta64(10, "h"))
    frame = pd.DataFrame(
        {
            "i": rng.integers(0, 100, 200),
            "z": rng.normal(size=200).round(2),
            "d": days.to_numpy(),
            "t": days.dt.strftime("%d/%m/%Y").to_numpy(),
            "b": noon.dt.tz_localize("Europe/Berlin"),
        }
    )
    return IndependentColumns(random_state=0).fit(frame)


def test_text_dates_are_read_as_the_column_writes_them(model: IndependentColumns) -> None:
    found = model.sample(20, conditions={"t": "05/03/2020"}, random_state=0)
    assert set(found["t"]) == {"05/03/2020"}
    assert set(model.sample(5, conditions={"t": "2020-03-05"}, random_state=0)["t"]) == {
        "05/03/2020"
    }
    between = model.sample(50, conditions={"t": Between("05/03/2020", "07/03/2020")})
    assert set(between["t"]) <= {"05/03/2020", "06/03/2020", "07/03/2020"}


@pytest.mark.parametrize(
    "conditions",
    [
        {"i": 50.5},
        {"i": [50.5, 60.5]},
        {"i": 2**53 + 1},
        {"i": 10**400},
        {"i": Between(0, 10**400)},
        {"i": Between(np.nan, 3)},
        {"z": 1.234},
        {"d": "2020-03-05 10:30"},
        {"t": "31/31/2020"},
        {"d": Between("2020-01-01", pd.NaT)},
        {"z": [[1.0]]},
    ],
)
def test_what_no_row_can_hold_is_refused(
    model: IndependentColumns, conditions: dict[str, Any]
) -> None:
    with pytest.raises(ConditionError):
        model.sample(3, conditions=conditions)


@pytest.mark.parametrize("column", ["i", "z"])
def test_gaps_in_frames_of_conditions(model: IndependentColumns, column: str) -> None:
    with pytest.raises(ConditionError, match="has no missing values, and row 1"):
        model.sample(conditions=pd.DataFrame({column: [1.0, np.nan]}))


def test_broken_whole_numbers_in_frames(model: IndependentColumns) -> None:
    with pytest.raises(ConditionError, match=r"3\.2, as row 1 .*: it holds whole numbers"):
        model.sample(conditions=pd.DataFrame({"i": [50.0, 3.2]}))


@pytest.mark.parametrize(
    ("column", "value", "grid"),
    [
        ("i", 3.2, "whole numbers"),
        ("z", 0.123, "multiples of 0.01"),
        ("d", pd.Timestamp("2020-03-05 06:00"), "multiples of 86400 seconds"),
    ],
)
def test_one_rule_for_single_values_and_for_frames(
    model: IndependentColumns, column: str, value: Any, grid: str
) -> None:
    for conditions in ({column: value}, pd.DataFrame({column: [value]})):
        with pytest.raises(ConditionError, match=f"{column!r} cannot be .*: .*{grid}"):
            model.sample(1, conditions=conditions)


def test_ends_far_away_and_hours_that_do_not_exist(model: IndependentColumns) -> None:
    far = Between("2020-01-01", dt.datetime(9999, 12, 31))
    assert len(model.sample(5, conditions={"d": far})) == 5
    skipped = Between("2020-03-29 02:30", None)
    assert len(model.sample(5, conditions={"b": skipped})) == 5


def test_given_cells_are_written_as_their_column_writes_them() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "t": pd.date_range("2020-01-01", periods=200).strftime("%d/%m/%Y"),
            "text": [f"{value:.2f}" for value in rng.normal(50, 9, 200)],
            "price": [f"${value:,.2f}" for value in rng.normal(1_200, 200, 200)],
            "exact": [decimal.Decimal(f"{value:.1f}") for value in rng.normal(50, 9, 200)],
        }
    )
    model = IndependentColumns(random_state=0).fit(frame)
    for name, given, written in (
        ("t", pd.Timestamp("2020-03-05"), "05/03/2020"),
        ("t", "2020-03-05", "05/03/2020"),
        ("text", 50.5, "50.50"),
        ("price", "$1,250.00", "$1,250.00"),
        ("price", 1250, "$1,250.00"),
        ("exact", 42.5, decimal.Decimal("42.5")),
    ):
        found = model.sample(conditions=pd.DataFrame({name: [given]}), random_state=0)[name].iloc[0]
        assert found == written
        assert type(found) is type(written)
        assert model.sample(1, conditions={name: given}, random_state=0)[name].iloc[0] == written
