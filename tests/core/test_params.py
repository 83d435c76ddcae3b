from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.errors import InvalidParameterError


@pytest.mark.parametrize("value", [0, 3, np.int64(7), np.uint8(1)])
def test_integers_become_plain(value: Any) -> None:
    checked = check_integer("n", value, minimum=0)
    assert checked == value
    assert type(checked) is int


@pytest.mark.parametrize("value", [-1, 2.0, True, None, "3", np.bool_(True), [1]])
def test_what_is_no_integer_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^n must be an integer >= 0, got"):
        check_integer("n", value, minimum=0)


def test_words_are_allowed_beside_integers() -> None:
    assert check_integer("n", "auto", words=["auto"]) == "auto"
    with pytest.raises(InvalidParameterError, match=r"an integer or 'auto', got 'many'\."):
        check_integer("n", "many", words=["auto"])


@pytest.mark.parametrize(
    ("closed", "inside", "outside"),
    [
        ("both", [0, 0.5, 1], [-0.1, 1.1]),
        ("low", [0, 0.5], [1]),
        ("high", [0.5, 1], [0]),
        ("neither", [0.5], [0, 1]),
    ],
)
def test_ends_of_an_interval(closed: str, inside: list[float], outside: list[float]) -> None:
    for value in inside:
        checked = check_real("p", value, low=0, high=1, closed=closed)
        assert checked == value
        assert type(checked) is float
    for value in outside:
        with pytest.raises(InvalidParameterError, match=r"^p must be a number in"):
            check_real("p", value, low=0, high=1, closed=closed)


@pytest.mark.parametrize("value", [float("nan"), True, None, "1", 1j])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match="p must be a number"):
        check_real("p", value)


def test_infinity_is_refused_where_an_end_is_open() -> None:
    with pytest.raises(InvalidParameterError):
        check_real("p", float("inf"), low=0, closed="neither")


def test_choices_tell_numbers_from_booleans() -> None:
    assert check_choice("refine", True, [True, False, "auto"]) is True
    assert check_choice("refine", "auto", [True, False, "auto"]) == "auto"
    with pytest.raises(InvalidParameterError, match="one of True, False, 'auto', got 1"):
        check_choice("refine", 1, [True, False, "auto"])
