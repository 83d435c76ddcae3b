from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.encode.wanted import Between, Wanted, is_missing, parse_wanted
from synthgen.errors import ConditionError


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("a", Wanted(("a",))),
        (3, Wanted((3,))),
        (None, Wanted(missing=True)),
        (float("nan"), Wanted(missing=True)),
        (pd.NaT, Wanted(missing=True)),
        (["a", "b", "a"], Wanted(("a", "b"))),
        (("a", None), Wanted(("a",), missing=True)),
        ({3}, Wanted((3,))),
        ([np.nan], Wanted(missing=True)),
        (Between(1, None), Wanted(between=Between(1, None))),
        (pd.Timestamp("2020-01-01"), Wanted((pd.Timestamp("2020-01-01"),))),
    ],
)
def test_conditions_have_one_normal_form(condition: Any, expected: Wanted) -> None:
    assert parse_wanted("c", condition) == expected


@pytest.mark.parametrize("condition", [[], set(), Between(), {"a": 1}, np.arange(3), object])
def test_what_is_no_condition_is_refused(condition: Any) -> None:
    with pytest.raises(ConditionError, match="column 'c'"):
        parse_wanted("c", condition)


def test_single_values() -> None:
    assert Wanted(("a",)).single
    assert Wanted(missing=True).single
    assert not Wanted(("a",), missing=True).single
    assert not Wanted(between=Between(1, 1)).single


def test_missing_values() -> None:
    assert all(is_missing(value) for value in (None, np.nan, pd.NA, pd.NaT))
    assert not any(is_missing(value) for value in (0, "", "nan", False, [None]))
