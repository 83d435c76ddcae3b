"""Rubin's rules against figures computed by hand."""

from __future__ import annotations

import json
import math

import pytest

from synthgen.augment import pool
from synthgen.errors import InvalidDataError, InvalidParameterError


def test_by_hand() -> None:
    # within .25; between 1; total .25 + 4/3; share of the missing 4/3 / total; freedom 2 / share^2
    pooled = pool([1.0, 2.0, 3.0], [0.5, 0.5, 0.5])
    total = 0.25 + 4 / 3
    assert pooled.value == 2.0
    assert pooled.within == 0.25
    assert pooled.between == 1.0
    assert math.isclose(pooled.standard_error, math.sqrt(total))
    assert math.isclose(pooled.missing_information, 4 / 3 / total)
    assert math.isclose(pooled.degrees_of_freedom, 2 / (4 / 3 / total) ** 2)
    # t quantile .975 of 2.8203 degrees is 3.2976 (R: qt(.975, 2.8203125))
    half = (pooled.interval[1] - pooled.interval[0]) / 2
    assert math.isclose(half / math.sqrt(total), 3.30, abs_tol=0.01)


def test_without_disagreement_it_is_the_normal_interval() -> None:
    pooled = pool([1.0, 1.0], [0.5, 0.5])
    assert pooled.missing_information == 0.0
    assert math.isclose(pooled.interval[1], 1.0 + 1.959964 * 0.5, abs_tol=1e-5)
    assert json.loads(json.dumps(pooled.to_dict()))["degrees_of_freedom"] is None


def test_small_tables_get_wider_intervals() -> None:
    few = pool([1.0, 1.5, 2.0], [0.5] * 3, complete_degrees=9)
    many = pool([1.0, 1.5, 2.0], [0.5] * 3)
    assert few.degrees_of_freedom < min(9, many.degrees_of_freedom)
    assert few.interval[1] > many.interval[1]
    # Barnard and Rubin: observed = 10 / 12 * 9 * (1 - share), harmonic with the old ones
    observed = 10 / 12 * 9 * (1 - many.missing_information)
    expected = 1 / (1 / many.degrees_of_freedom + 1 / observed)
    assert math.isclose(few.degrees_of_freedom, expected)


def test_confidence() -> None:
    wide, narrow = (pool([1.0, 2.0], [1.0, 1.0], confidence=c).interval for c in (0.99, 0.5))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize(
    ("values", "errors"),
    [([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, math.nan], [1.0, 1.0]), ([1.0, 2.0], [1.0, -1.0])],
)
def test_refused(values: list[float], errors: list[float]) -> None:
    with pytest.raises(InvalidDataError):
        pool(values, errors)


def test_confidence_outside() -> None:
    with pytest.raises(InvalidParameterError):
        pool([1.0, 2.0], [1.0, 1.0], confidence=1.0)
