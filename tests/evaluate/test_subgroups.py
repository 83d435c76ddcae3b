from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.data.datasets import load_adult
from synthgen.errors import InvalidParameterError
from synthgen.evaluate import grouped as grouped_module
from synthgen.evaluate import shape
from synthgen.evaluate.subgroups import subgroup_fidelity

from .tables import related, unrelated


def test_known_values() -> None:
    real = pd.DataFrame(
        {
            "g": ["a"] * 4 + ["b"] * 4,
            "x": [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0],
            "c": list("uuvvuuuu"),
        }
    )
    fake = pd.DataFrame(
        {"g": ["a"] * 2 + ["b"] * 4, "x": [1.0, 4.0, 4.0, 4.0, 4.0, 4.0], "c": list("uvuuuw")}
    )
    # Many times over, so that chance explains nothing.
    real, fake = (pd.concat([frame] * 50) for frame in (real, fake))
    result = subgroup_fidelity(real, fake, by="g")
    # a: KS 1/4, TV 0. b: KS 3/4, TV 1/4.
    scores = result.breakdown.set_index("level")["score"]
    assert scores["a"] == pytest.approx((0.75 + 1) / 2)
    assert scores["b"] == pytest.approx((0.25 + 0.75) / 2)
    assert result.value == scores["b"]
    first = result.breakdown.iloc[0]
    assert (first["level"], first["worst_column"]) == ("b", "x")
    assert first["worst_column_score"] == pytest.approx(0.25)
    assert (first["real_share"], first["synthetic_share"]) == (0.5, pytest.approx(2 / 3))
    assert result.details["worst_group"] == ["g", "b"]


def test_scores_equal_shape_of_the_filtered_tables() -> None:
    real, fake = related(600, 1).dropna(), unrelated(500, 2).dropna()
    result = subgroup_fidelity(real, fake, min_rows=20)
    assert len(result.breakdown) == 5
    for row in result.breakdown.itertuples():
        parts = [f[f[row.column] == row.level].drop(columns=row.column) for f in (real, fake)]
        # shape gives levels that the real rows lack a millionth of a count.
        assert row.score == pytest.approx(shape(*parts).value, abs=1e-6)
        assert (row.real_rows, row.synthetic_rows) == tuple(map(len, parts))


def test_missing_values_are_a_group_and_a_state() -> None:
    real = pd.DataFrame({"g": ["a", None] * 20, "x": [1.0, np.nan] * 20})
    fake = pd.DataFrame({"g": ["a", None] * 20, "x": [np.nan, 1.0] * 20})
    result = subgroup_fidelity(real, fake, min_rows=10)
    assert set(result.breakdown["level"]) == {"a", None}
    assert result.breakdown["score"].tolist() == [0.0, 0.0]
    assert subgroup_fidelity(real, real, min_rows=10).value == 1.0


def test_blocks_of_levels_score_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = related(600, 1), unrelated(500, 2)
    expected = subgroup_fidelity(real, fake, min_rows=20)
    monkeypatch.setattr(grouped_module, "_CELLS", 4)
    pd.testing.assert_frame_equal(
        subgroup_fidelity(real, fake, min_rows=20).breakdown, expected.breakdown
    )


def test_an_absent_group_scores_zero_and_comes_first() -> None:
    real = related(1000, 1)
    fake = related(1000, 2)
    fake = fake[fake["group"] != "low"]
    result = subgroup_fidelity(real, fake, min_rows=100)
    first = result.breakdown.iloc[0]
    assert (first["column"], first["level"], first["synthetic_rows"]) == ("group", "low", 0)
    assert result.value == first["score"] == 0.0
    assert first["worst_column"] is None
    assert result.details["absent_groups"] == 1


def test_fresh_rows_beat_independent_columns() -> None:
    real, fresh = related(2000, 1), related(2000, 2)
    frames = fresh, unrelated(2000, 3)
    good, bad = (subgroup_fidelity(real, frame, min_rows=300) for frame in frames)
    assert good.value > 0.9 > 0.7 > bad.value
    assert good.breakdown["gap"].abs().max() < 0.04
    assert bad.breakdown["gap"].iloc[0] > 0.25


def test_a_broken_group_is_found_behind_many_good_ones() -> None:
    rng = np.random.default_rng(0)

    def table(n: int) -> pd.DataFrame:
        x = rng.normal(size=(n, 3))
        return pd.DataFrame(x, columns=list("xyz")).assign(g=rng.integers(0, 12, n).astype(str))

    real, fake, holdout = table(6000), table(6000), table(6000)
    fake.loc[fake["g"] == "7", "y"] += 0.7
    for result in (
        subgroup_fidelity(real, fake),
        subgroup_fidelity(real, fake, holdout=holdout),
    ):
        first = result.breakdown.iloc[0]
        assert (first["level"], first["worst_column"]) == ("7", "y")
        assert first["gap"] > 0.05 > result.breakdown["gap"].iloc[1]


def test_chance_is_about_what_fresh_rows_get() -> None:
    rng = np.random.default_rng(0)
    excess = []
    for _ in range(60):
        frames = [
            pd.DataFrame(
                {
                    "g": rng.integers(0, 4, n).astype(str),
                    "x": rng.normal(size=n),
                    "c": rng.choice(list("abcdef"), n),
                }
            )
            for n in (1000, 500)
        ]
        excess.append(subgroup_fidelity(*frames).breakdown["gap"].mean())
    assert abs(np.mean(excess)) < 0.01


def test_holdout_scores_are_those_of_the_holdout_in_place_of_synthetic_rows() -> None:
    real, fake, holdout = related(1000, 1), unrelated(1000, 2), related(700, 3)
    result = subgroup_fidelity(real, fake, holdout=holdout)
    alone = subgroup_fidelity(real, holdout)
    assert result.ceiling == alone.value
    keys = ["column", "level"]
    both = result.breakdown.merge(alone.breakdown, on=keys, suffixes=("", "_alone"))
    assert len(both) == len(alone.breakdown)
    np.testing.assert_allclose(both["holdout_score"], both["score_alone"])
    gap = both["expected"] - both["score"] - both["gap_alone"]
    np.testing.assert_allclose(both["gap"], gap)
    lacking = subgroup_fidelity(real, fake, holdout=holdout[holdout["label"] == "yes"])
    row = lacking.breakdown.set_index(keys).loc[("label", "no")]
    assert row["holdout_rows"] == 0
    assert np.isnan(row["holdout_score"])
    assert lacking.ceiling > 0


def test_numbers_are_cut_at_their_quartiles() -> None:
    real = pd.DataFrame({"x": [*range(8), None], "day": pd.date_range("2020", periods=9), 3: "k"})
    result = subgroup_fidelity(real, real, by=["x", "day"], min_rows=1)
    own = result.breakdown[result.breakdown["column"] == "x"]
    assert dict(zip(own["level"], own["real_rows"], strict=True)) == {
        "0.0 to 1.0": 2, "2.0 to 3.0": 2, "4.0 to 5.0": 2, "6.0 to 7.0": 2, None: 1,
    }  # fmt: skip
    days = result.breakdown[result.breakdown["column"] == "day"]
    assert days["real_rows"].sum() == 9
    assert "2020-01-01 00:00:00 to 2020-01-02 00:00:00" in set(days["level"])


def test_by_takes_tuples_as_labels() -> None:
    real = related(300, 1).rename(columns={"group": ("a", 1), "label": 5})
    one = subgroup_fidelity(real, real, by=("a", 1), min_rows=20)
    assert {*one.breakdown["column"]} == {("a", 1)}
    both = subgroup_fidelity(real, real, by=(("a", 1), 5), min_rows=10)
    assert {*both.breakdown["column"]} == {("a", 1), 5}
    assert len(subgroup_fidelity(real, real, by=5).breakdown) == 2
    json.dumps(both.to_dict())


def test_the_largest_groups_are_kept() -> None:
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"g": rng.geometric(0.3, 1000).astype(str), "x": rng.normal(size=1000)})
    result = subgroup_fidelity(real, real, min_rows=5, max_groups=3)
    assert set(result.breakdown["level"]) == {"1", "2", "3"}
    total = (real["g"].value_counts() >= 5).sum()
    assert result.details["groups_not_compared"] == total - 3


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (pd.DataFrame({"c": ["a", "b"] * 200}), "second column"),
        (pd.DataFrame({"x": [1.0, 2.0], "y": [1.0, 2.0]}), "no group"),
        (pd.DataFrame({"c": ["a"] * 200, "x": range(200)}), "no group"),
        (pd.DataFrame({"c": [None] * 200, "x": [np.nan] * 200}), "no group"),
        (pd.DataFrame({"c": ["a"], "x": [1]}), "no group"),
    ],
)
def test_not_applicable_is_said(frame: pd.DataFrame, reason: str) -> None:
    result = subgroup_fidelity(frame, frame)
    assert result.value is None
    assert reason in result.details["not_applicable"]


def test_all_missing_and_constant_columns_within_groups() -> None:
    real = related(400, 1).assign(none=np.nan, one=1, nothing=None)
    result = subgroup_fidelity(real, real.assign(none=2.0))
    assert result.breakdown["worst_column"].eq("none").all()
    assert subgroup_fidelity(real, real).value == 1.0


def test_many_categories() -> None:
    rng = np.random.default_rng(0)
    names = np.array([f"v{i}" for i in range(10_000)])
    frames = [
        pd.DataFrame({"a": rng.choice(names, 30_000), "b": rng.choice(list("xyz"), 30_000)})
        for _ in range(2)
    ]
    result = subgroup_fidelity(*frames)
    assert result.details["groups"] == 3
    unique = frames[0].assign(a=range(30_000)).astype({"a": str})
    assert subgroup_fidelity(unique, unique).value is None
    almost = frames[0].assign(a=np.arange(30_000) // 2 * (np.arange(30_000) > 99)).astype(str)
    assert "a" not in subgroup_fidelity(almost, almost, min_rows=1).details["left_out"]
    almost["a"] = (np.arange(30_000) // 1.9).astype(int).astype(str)
    assert (
        "hardly repeat"
        in subgroup_fidelity(almost.assign(x=1.0), almost.assign(x=1.0)).details["left_out"]["a"]
    )


def test_seeded_and_cut() -> None:
    real, fake = related(2000, 1), related(2000, 2)
    options: dict[str, Any] = {"max_rows": 1000, "min_rows": 50}
    first = subgroup_fidelity(real, fake, random_state=1, **options)
    again = subgroup_fidelity(real, fake, random_state=1, **options)
    other = subgroup_fidelity(real, fake, random_state=2, **options)
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    assert first.value != other.value
    assert first.details["real_rows"] == 1000


def test_bad_options_are_refused() -> None:
    real = related(30, 1).assign(key=[f"k{i}" for i in range(30)])
    for option in ("min_rows", "max_groups", "max_rows"):
        with pytest.raises(InvalidParameterError, match=option):
            subgroup_fidelity(real, real, **{option: 0})
    with pytest.raises(InvalidParameterError, match="'more' cannot make groups"):
        subgroup_fidelity(real, real, by=["group", "more"])
    with pytest.raises(InvalidParameterError, match="'key' cannot make groups"):
        subgroup_fidelity(real, real, by="key")


def test_adult_test_rows_are_fair() -> None:
    train, test = load_adult("train"), load_adult("test")
    result = subgroup_fidelity(train, test)
    assert result.value > 0.85
    assert result.details["largest_gap"] < 0.02
    assert result.details["groups"] > 50
