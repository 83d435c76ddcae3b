import decimal

import numpy as np
import pandas as pd
import pytest

from synthgen import Sum
from synthgen.data.constraints import Constraint, constraint_from_json
from synthgen.errors import ConstraintError

FRAME = pd.DataFrame(
    {"net": [1.0, 2.0, np.nan, 3.0], "tax": [0.1, 0.2, 0.3, 0.3], "gross": [1.1, 2.5, 9.0, 3.3]},
    index=[5, 5, 1, 0],
)


def test_known_answers():
    rule = Sum("gross", ("net", "tax"))
    assert isinstance(rule, Constraint)
    assert rule.columns == ("gross", "net", "tax")
    assert rule.check(FRAME).tolist() == [True, False, True, True]


def test_weights_constant_and_tolerance():
    frame = pd.DataFrame({"c": [0.0, 10.0, 20.0], "f": [32.0, 50.04, 68.2]})
    exact = Sum("f", ("c",), (1.8,), 32.0)
    assert exact.check(frame).tolist() == [True, False, False]
    assert Sum("f", ("c",), (1.8,), 32.0, 0.05).check(frame).tolist() == [True, True, False]


def test_errors_of_floating_point_count_as_none():
    frame = pd.DataFrame({"a": [0.1], "b": [0.2], "t": [0.3]})
    assert frame["a"][0] + frame["b"][0] != frame["t"][0]
    assert Sum("t", ("a", "b")).check(frame).all()


def test_each_column_can_be_solved_for():
    rule = Sum("t", ("a", "b"), (2.0, -1.0), 5.0)
    row = np.array([[9.0, 3.0, 2.0]])
    assert [rule.solve(row, place).tolist() for place in range(3)] == [[9.0], [3.0], [2.0]]


def test_repair_changes_broken_totals_alone():
    repaired = Sum("gross", ("net", "tax")).repair(FRAME, np.random.default_rng(0))
    assert repaired["gross"].tolist() == [1.1, 2.2, 9.0, 3.3]
    assert repaired.index.equals(FRAME.index)
    assert FRAME["gross"].tolist()[1] == 2.5


@pytest.mark.parametrize("dtype", ["int64", "Int16", "float32", "Float64"])
def test_repair_keeps_the_dtype(dtype):
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4], "t": [4, 0]}).astype({"t": dtype})
    repaired = Sum("t", ("a", "b")).repair(frame, np.random.default_rng(0))
    assert str(repaired["t"].dtype) == dtype
    assert repaired["t"].tolist() == [4, 6]


def test_repair_of_decimals():
    cents = [decimal.Decimal("1.50"), decimal.Decimal("9.99")]
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [0.5, 0.25], "t": cents})
    repaired = Sum("t", ("a", "b")).repair(frame, np.random.default_rng(0))
    assert [float(value) for value in repaired["t"]] == [1.5, 2.25]
    assert all(isinstance(value, decimal.Decimal) for value in repaired["t"])


def test_json_round_trip():
    rule = Sum("t", ("a", 3), (1.8, -1.0), 32.0, 0.05)
    assert constraint_from_json(rule.to_json()) == rule


@pytest.mark.parametrize(
    "arguments",
    [
        {"parts": ()},
        {"parts": ("t",)},
        {"parts": ("a", "a")},
        {"parts": ("a", "b"), "weights": (1.0,)},
        {"parts": ("a",), "weights": (0.0,)},
        {"parts": ("a",), "weights": (np.nan,)},
        {"parts": ("a",), "constant": np.inf},
        {"parts": ("a",), "tolerance": -1.0},
    ],
)
def test_malformed(arguments):
    with pytest.raises(ConstraintError, match="Sum needs"):
        Sum("t", **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"parts": "ab"},
        {"parts": None},
        {"parts": (["a"],)},
        {"parts": ("a",), "weights": ("x",)},
        {"parts": ("a",), "constant": None},
    ],
)
def test_arguments_of_the_wrong_type(arguments):
    with pytest.raises(ConstraintError, match=r"Sum needs|are numbers"):
        Sum("t", **arguments)


def test_columns_that_are_no_numbers():
    frame = pd.DataFrame({"a": ["x", "y"], "t": [1, 2], "d": pd.to_datetime(["2020-01-01"] * 2)})
    with pytest.raises(ConstraintError, match="no order"):
        Sum("t", ("a",)).check(frame)
    with pytest.raises(ConstraintError, match="datetime"):
        Sum("t", ("d",)).check(frame)
    with pytest.raises(ConstraintError, match="lacks the columns"):
        Sum("t", ("b",)).check(frame)
