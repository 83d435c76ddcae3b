from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest

from synthgen.errors import InvalidParameterError, SchemaMismatchError
from synthgen.evaluate.marginals import _column_sets, _set_of_rank, marginals

from .tables import related, unrelated


def xor(n: int, odd: bool) -> pd.DataFrame:
    """Three fair coins; all pairs are independent, the third is decided by the other two."""
    a, b = np.arange(n) % 2, np.arange(n) // 2 % 2
    c = (a + b + odd) % 2
    return pd.DataFrame({"a": a, "b": b, "c": c}).astype(str)


def test_only_three_way_tables_see_a_three_way_relation() -> None:
    real, fake = xor(80, odd=False), xor(80, odd=True)
    assert marginals(real, fake, order=1).value == 1.0
    assert marginals(real, fake, order=2).value == 1.0
    assert marginals(real, fake, order=3).value == 0.0
    assert marginals(real, real, order=3).value == 1.0


def test_known_answer_by_hand() -> None:
    real = pd.DataFrame({"c": ["a", "a", "b", None], "x": [1.0, 1.0, 2.0, 2.0]})
    fake = pd.DataFrame({"c": ["a", "b", "b", "z"], "x": [1.0, 1.0, 2.0, np.nan]})
    # c: a .5/.25, b .25/.5, missing .25/0, other 0/.25: TV .5. x: 1 same, 2 .5/.25, missing .25.
    result = marginals(real, fake, order=1)
    assert result.value == (0.5 + 0.75) / 2
    assert result.breakdown["column_1"].tolist() == ["c", "x"]
    assert result.breakdown["score"].tolist() == [0.5, 0.75]
    # The tables of (c, x) share a-1 (.25) and b-2 (.25).
    pair = marginals(real, fake, order=2)
    assert pair.value == 0.5
    worst = pair.breakdown.iloc[0]
    shares = {"c: a, x: 1": (0.5, 0.25), "c: missing, x: 2": (0.25, 0), "c: b, x: 1": (0, 0.25)}
    assert (worst["real"], worst["synthetic"]) == shares[worst["cell"]]


def test_real_rows_beat_independent_columns() -> None:
    train, holdout = related(3000, 1), related(3000, 2)
    for order in (2, 3):
        scored = marginals(train, unrelated(3000, 3), holdout=holdout, order=order)
        assert scored.ceiling > 0.9
        assert scored.value < scored.ceiling - 0.1
        fresh = marginals(train, related(3000, 4), holdout=holdout, order=order)
        assert fresh.value == pytest.approx(fresh.ceiling, abs=0.02)
    assert marginals(train, unrelated(3000, 3), order=1).value > 0.95


def test_worst_sets_come_first_and_name_the_planted_column() -> None:
    train, fake = related(2000, 1), related(2000, 2)
    fake["label"] = "yes"
    result = marginals(train, fake, order=2)
    assert result.breakdown["score"].is_monotonic_increasing
    assert "label" in result.breakdown.loc[0, ["column_1", "column_2"]].tolist()
    assert len(result.breakdown) == 6
    same = marginals(train, train, order=1).breakdown.set_index("column_1")
    assert same.loc["group", "cell"] == "group: middle"


def test_compared_at_equal_sizes_with_a_holdout() -> None:
    train, holdout, fake = related(900, 1), related(200, 2), related(500, 3)
    assert marginals(train, fake, holdout=holdout).details["synthetic_rows"] == 200
    assert marginals(train, fake).details["synthetic_rows"] == 500
    assert marginals(train, fake, max_rows=100).details["real_rows"] == 100


def test_ranks_of_sets() -> None:
    for order in (1, 2, 3):
        expected = list(itertools.combinations(range(7), order))
        assert [_set_of_rank(rank, 7, order) for rank in range(math.comb(7, order))] == expected
    chosen = _column_sets(2000, 3, 50, np.random.default_rng(0))
    assert len(set(chosen)) == 50
    assert all(0 <= a < b < c < 2000 for a, b, c in chosen)


def test_random_sets_of_a_wide_table() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(200, 60)))
    result = marginals(wide, wide + 0.1, max_tables=40)
    assert result.details["tables"] == math.comb(60, 3)
    assert result.details["compared_tables"] == len(result.breakdown) == 40


def test_seeded() -> None:
    train, fake = related(400, 1), related(400, 2)

    def scored(seed: int) -> str:
        result = marginals(train, fake, max_rows=100, max_tables=2, random_state=seed)
        return json.dumps(result.to_dict())

    assert scored(1) == scored(1)
    assert scored(1) != scored(2)


def test_too_few_columns_are_not_applicable() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    result = marginals(frame, frame)
    assert result.value is None
    assert "needs 3" in result.details["not_applicable"]


def test_awkward_tables() -> None:
    rng = np.random.default_rng(0)
    real = pd.DataFrame(
        {
            0: rng.normal(size=10_000),
            ("a", 1): np.arange(10_000).astype(str),
            "many": [f"v{value}" for value in np.arange(10_000) % 9_990],
            "constant": ["k"] * 10_000,
            "empty": [None] * 10_000,
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 9, 10_000), "D"),
        }
    )
    result = marginals(real, real.iloc[::-1])
    assert result.value == 1.0
    assert result.details["folded_values"] == {"many": 9_970}
    assert "('a', 1)" in result.details["left_out"]
    json.dumps(result.to_dict())
    one = marginals(real.iloc[:1], real.iloc[1:2], order=1)
    assert 0 <= one.value <= 1
    empty = pd.DataFrame({"a": [np.nan] * 3, "b": [None] * 3})
    assert marginals(empty, empty, order=2).value == 1.0


def test_wrong_use_is_refused() -> None:
    frame = related(20, 1)
    for options in ({"order": 4}, {"n_bins": 1}, {"max_levels": 0}, {"max_tables": 0}):
        with pytest.raises(InvalidParameterError, match=next(iter(options))):
            marginals(frame, frame, **options)
    with pytest.raises(SchemaMismatchError):
        marginals(frame, frame.drop(columns="x"))
