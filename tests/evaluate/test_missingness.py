from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from synthgen.data.schema import Column, Schema
from synthgen.errors import InvalidParameterError, SchemaMismatchError
from synthgen.evaluate.missingness import missingness

from .tables import related, unrelated


def gappy(n: int, seed: int) -> pd.DataFrame:
    """Two columns that are missing together, one on its own, one never."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n, 4)), columns=["a", "b", "c", "d"])
    table.loc[rng.random(n) < 0.2, ["a", "b"]] = np.nan
    table.loc[rng.random(n) < 0.1, "c"] = np.nan
    return table


def shuffled(table: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return table.apply(lambda column: column.to_numpy()[rng.permutation(len(table))])


def test_known_values() -> None:
    gap = np.nan
    real = pd.DataFrame({"a": [1, 1, gap, gap], "b": [1, 1, gap, gap], "c": [1.0] * 4})
    fake = pd.DataFrame({"a": [1, 1, 1, gap], "b": [1, 1, gap, 1], "c": [1.0] * 4})
    result = missingness(real, fake)
    # Patterns: real 1/2 none, 1/2 both; fake 1/2 none, 1/4 b, 1/4 a.
    assert result.value == 0.5
    assert result.breakdown.to_dict("list") == {
        "column": ["a", "b"],
        "real": [0.5, 0.5],
        "synthetic": [0.25, 0.25],
        "difference": [-0.25, -0.25],
    }
    details = result.details
    assert (details["patterns_real"], details["patterns_synthetic"]) == (2, 3)
    assert (details["patterns_common"], details["rows_of_new_pattern"]) == (1, 0.5)
    assert details["largest_difference"] == 0.25
    assert details["complete_columns"] == 1


def test_fresh_rows_pass_and_independent_gaps_do_not() -> None:
    real = gappy(2000, 1)
    fresh, broken = missingness(real, gappy(2000, 2)), missingness(real, shuffled(real))
    assert fresh.value > 0.95 > 0.85 > broken.value
    # The shares per column are untouched by the shuffling: only the association tells.
    assert broken.details["largest_difference"] == 0.0
    assert broken.details["association_pair"] == ["a", "b"]
    assert broken.details["association_difference"] > 0.9
    assert fresh.details["association_difference"] < 0.1


def test_association_equals_numpy() -> None:
    real, fake = gappy(500, 1), shuffled(gappy(400, 2))
    details = missingness(real, fake).details
    pair = details["association_pair"]
    for frame, key in ((real, "association_real"), (fake, "association_synthetic")):
        expected = np.corrcoef(frame[pair].isna().to_numpy(dtype=float).T)[0, 1]
        assert details[key] == pytest.approx(expected, abs=1e-12)


def test_association_with_a_column_that_lost_its_gaps() -> None:
    real = gappy(500, 1)
    details = missingness(real, real.fillna({"a": 0.0})).details
    assert details["association_synthetic"] == 0.0
    assert details["association_difference"] == pytest.approx(1.0)


def test_columns_with_few_gaps_have_no_association() -> None:
    real = gappy(500, 1).fillna(0.0)
    real.loc[:5, ["a", "b"]] = np.nan
    assert missingness(real, real).details["association_difference"] is None


def test_holdout_gives_the_ceiling() -> None:
    real, fresh = gappy(1000, 1), gappy(1000, 2)
    result = missingness(real, shuffled(real), holdout=fresh)
    assert result.ceiling == missingness(real, fresh).value
    assert result.ceiling > result.value
    shares = result.breakdown.set_index("column")["holdout"]
    assert shares["c"] == fresh["c"].isna().mean()


def test_worst_column_first() -> None:
    real = gappy(500, 1)
    fake = real.assign(c=np.nan, d=np.where(np.arange(500) < 50, np.nan, 1.0))
    assert list(missingness(real, fake).breakdown["column"]) == ["c", "d", "a", "b"]


def test_nothing_missing_is_said() -> None:
    whole = pd.DataFrame({"a": [1], "b": ["x"]})
    result = missingness(whole, whole)
    assert result.value is None
    assert "no value is missing" in result.details["not_applicable"]
    assert len(result.breakdown) == 0
    assert missingness(whole, pd.DataFrame({"a": [None], "b": ["x"]})).value == 0.0


def test_awkward_tables() -> None:
    empty = pd.DataFrame(
        {"a": [None] * 3, 2: [np.nan] * 3, ("t", 1): pd.array([1, None, 3], "Int64")}
    )
    assert missingness(empty, empty).value == 1.0
    wide = pd.DataFrame(np.where(np.eye(80, dtype=bool), np.nan, 1.0))
    assert missingness(wide, wide.iloc[:40]).value == pytest.approx(0.5)
    names = pd.DataFrame({"c": [f"v{i}" for i in range(10_000)] + [None]})
    assert missingness(names, names).value == 1.0


def test_containers_and_kinds_of_missing_values_do_not_matter() -> None:
    polars = pytest.importorskip("polars")
    real = pd.DataFrame({"a": [1.0, np.nan], "b": ["x", None]})
    fake = polars.DataFrame({"a": [1.0, None], "b": ["x", None]})
    assert missingness(real, fake).value == 1.0


def test_seeded_and_cut() -> None:
    real, fake = related(500, 1), unrelated(500, 2)
    first = missingness(real, fake, max_rows=100, random_state=1)
    again = missingness(real, fake, max_rows=100, random_state=1)
    other = missingness(real, fake, max_rows=100, random_state=2)
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    assert first.to_dict() != other.to_dict()
    assert first.details["real_rows"] == 100


def test_bad_input_is_refused() -> None:
    real = gappy(20, 1)
    with pytest.raises(InvalidParameterError, match="max_rows"):
        missingness(real, real, max_rows=0)
    with pytest.raises(SchemaMismatchError, match="'d'"):
        missingness(real, real.drop(columns="d"))
    with pytest.raises(SchemaMismatchError, match="'b'"):
        missingness(real, real, schema=Schema((Column("a", "numeric", "float64"),)))
