from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate.copies import copy_share, membership, nearest_share, repeats
from synthgen.measure import distances as distances_module
from synthgen.measure.columns import column_roles
from synthgen.measure.distances import nearest, points, row_keys

from .tables import related


def test_copies_are_counted_with_gaps() -> None:
    train = pd.DataFrame({"x": [1.0, np.nan, 3.0], "c": ["a", None, "c"]})
    fake = pd.DataFrame({"x": [np.nan, 1.0, 3.0, 3.0, 1.0], "c": [None, "a", None, "a", "a"]})
    result = copy_share(train, fake, holdout=train.iloc[:1])
    assert result.value == 3 / 5
    assert result.ceiling == 1.0
    assert result.details["copies"] == 3
    doubled = repeats(pd.concat([train] * 2), fake, holdout=train)
    assert (doubled.value, doubled.direction) == (pytest.approx(1 / 5), "lower")
    assert copy_share(train, fake).ceiling is None


def test_copies_ignore_keys() -> None:
    train = related(50, 1)
    leaked = train.assign(key=[f"new{i}" for i in range(50)])
    result = copy_share(train.assign(key=[f"k{i}" for i in range(50)]), leaked)
    assert result.value == 1.0
    assert "key" in result.details["left_out"]


def test_row_keys_tell_rows_apart() -> None:
    frame = pd.DataFrame({"a": [1, 1, 2, 2, 1], "b": ["x", "y", "x", "y", "x"]})
    (keys,) = row_keys([frame], column_roles(frame))
    assert len(set(keys)) == 4
    assert keys[0] == keys[4]


def brute_force(first: pd.DataFrame, second: pd.DataFrame, low: float, width: float) -> list[float]:
    """L1 on scaled x and one-hot c, written out."""
    result = []
    for x, c in first.itertuples(index=False):
        costs = []
        for other_x, other_c in second.itertuples(index=False):
            scaled = [0.5 if np.isnan(v) else (v - low) / width for v in (x, other_x)]
            cost = abs(scaled[0] - scaled[1]) + 2 * (np.isnan(x) != np.isnan(other_x))
            costs.append(cost + 2 * (c != other_c))
        result.append(min(costs))
    return result


def test_nearest_equals_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = related(60, 1)[["x", "label"]]
    frame.loc[::7, "x"] = np.nan
    queries, reference = frame.iloc[:25], frame.iloc[25:].reset_index(drop=True)
    placed = points([reference, queries], column_roles(frame))
    low, width = reference["x"].min(), reference["x"].max() - reference["x"].min()
    expected = brute_force(queries, reference, low, width)
    np.testing.assert_allclose(nearest(placed[1], placed[0]), expected)
    monkeypatch.setattr(distances_module, "_BLOCK_CELLS", 100)
    np.testing.assert_allclose(nearest(placed[1], placed[0]), expected)


def test_distances_without_numbers_or_without_spread() -> None:
    frame = pd.DataFrame({"c": ["a", "b", None], "one": [5.0] * 3, "none": [np.nan] * 3})
    other = pd.DataFrame({"c": ["a", "z", None], "one": [6.0] * 3, "none": [np.nan] * 3})
    roles = column_roles(frame)
    placed = points([frame, other], roles)
    np.testing.assert_allclose(nearest(placed[1], placed[0]), [1.0, 3.0, 1.0])
    words = frame[["c"]]
    placed = points([words, words], column_roles(words))
    assert nearest(placed[0], placed[1]).tolist() == [0.0] * 3


def test_membership_finds_a_leak_and_clears_fresh_rows() -> None:
    train, holdout = related(500, 1), related(500, 2)
    assert membership(train, train, holdout=holdout).value > 0.99
    fresh = membership(train, related(500, 3), holdout=holdout)
    assert abs(fresh.value - 0.5) < 0.06
    assert fresh.direction == "lower"


def test_nearest_share_finds_a_leak_and_clears_fresh_rows() -> None:
    train, holdout = related(500, 1), related(500, 2)
    assert nearest_share(train, train, holdout=holdout).value > 0.99
    assert nearest_share(train, holdout, holdout=holdout).value < 0.01
    fresh = nearest_share(train, related(500, 3), holdout=holdout)
    assert fresh.interval[0] < 0.5 < fresh.interval[1]
    tie = pd.DataFrame({"c": ["a", "b"]})
    assert nearest_share(tie, tie, holdout=tie).value == 0.5


def test_sizes_are_cut_and_balanced() -> None:
    train, holdout, fake = related(400, 1), related(100, 2), related(300, 3)
    attacked = membership(train, fake, holdout=holdout, max_rows=80, max_reference=200)
    assert attacked.details["rows_per_class"] == 80
    assert attacked.details["synthetic_rows"] == 200
    share = nearest_share(train, fake, holdout=holdout, max_rows=50)
    assert (share.details["synthetic_rows"], share.details["reference_rows"]) == (50, 100)


def test_seeded() -> None:
    tables = related(300, 1), related(300, 2)
    holdout = related(300, 3)
    for metric in (membership, nearest_share):
        results = [
            metric(*tables, holdout=holdout, max_rows=50, random_state=seed) for seed in (1, 1, 2)
        ]
        first, again, other = (json.dumps(result.to_dict()) for result in results)
        assert first == again != other


def test_bad_input_is_refused() -> None:
    frame = related(20, 1)
    with pytest.raises(InvalidParameterError, match="max_rows"):
        membership(frame, frame, holdout=frame, max_rows=0)
    with pytest.raises(InvalidDataError, match="at least one row"):
        nearest_share(frame, frame.iloc[:0], holdout=frame)


def test_repeats_of_a_table_stacked_on_itself() -> None:
    rng = np.random.default_rng(0)
    real, made = (pd.DataFrame({"x": rng.normal(size=n)}) for n in (200, 2_000))
    found = repeats(real, pd.concat([made, made]))
    assert found.details["rows"] == 200
    assert found.value < 0.1
    assert found.details["share_of_all"] == 0.5


def test_the_interval_of_the_nearest_share_knows_that_references_are_few() -> None:
    rng = np.random.default_rng(0)
    tables = [pd.DataFrame({"x": rng.normal(size=n), "y": rng.normal(size=n)}) for n in (50, 2_000)]
    found = nearest_share(tables[0], tables[1], holdout=tables[0] + 0.1)
    assert found.interval[1] - found.interval[0] > 0.25
