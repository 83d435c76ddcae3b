from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from synthgen.errors import InvalidParameterError
from synthgen.evaluate.support import (
    alpha_precision,
    beta_recall,
    coverage,
    density,
    support,
)

from .tables import related, unrelated

NAMES = ["alpha_precision", "beta_recall", "density", "coverage"]


def values(*tables: pd.DataFrame, **options: object) -> dict[str, float]:
    results = support(*tables, **options)
    assert list(results) == NAMES
    return {name: result.value for name, result in results.items()}


def two_clusters(n: int, seed: int, share_left: float = 0.5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    left = rng.random(n) < share_left
    return pd.DataFrame(
        {
            "x": np.where(left, -5.0, 5.0) + rng.normal(size=n),
            "y": rng.normal(size=n),
            "side": np.where(left, "left", "right"),
        }
    )


def test_neighbourhoods_by_hand() -> None:
    real = pd.DataFrame({"x": [0.0, 1.0, 3.0, 7.0]})
    fake = pd.DataFrame({"x": [0.5, 0.6, 4.0, 30.0]})
    # Balls to the nearest neighbour: [-1, 1], [0, 2], [1, 5], [3, 11].
    assert density(real, fake, k=1).value == (2 + 2 + 2 + 0) / 4
    assert coverage(real, fake, k=1).value == 1.0
    assert coverage(real, fake.assign(x=[0.5, 0.6, 0.7, 30.0]), k=1).value == 0.5
    # The end of a ball belongs to it.
    assert coverage(real, fake.assign(x=[11.0, 20.0, 20.0, 20.0]), k=1).value == 0.25


def test_whole_numbers_at_equal_distance_are_ties() -> None:
    real = pd.DataFrame({"x": np.arange(8.0)})
    # Ends: 2 rows in the ball over 1 neighbour; inside: 3 rows over 2 neighbours.
    assert density(real, real, k=1).value == pytest.approx((2 * 2 + 6 * 3 / 2) / 8)


def test_extremes_of_alpha_precision() -> None:
    real = pd.DataFrame({"x": np.linspace(-1, 1, 200)})
    assert alpha_precision(real, real).value == pytest.approx(1.0)
    far = alpha_precision(real, real + 100)
    assert far.value == 0.0
    assert far.details["outside_of_all"] == 1.0
    # All in the centre: too typical.
    assert alpha_precision(real, real * 0).value == pytest.approx(0.0, abs=0.02)


def test_beta_recall_with_k_1_is_half() -> None:
    scored = beta_recall(two_clusters(3000, 1), two_clusters(3000, 2), k=1)
    assert scored.value == pytest.approx(0.5, abs=0.07)


def test_same_source_is_near_one() -> None:
    found = values(two_clusters(2000, 1), two_clusters(2000, 2))
    assert found["alpha_precision"] > 0.95
    assert found["beta_recall"] > 0.9
    assert found["density"] == pytest.approx(1, abs=0.05)
    assert found["coverage"] == pytest.approx(1 - 2**-5, abs=0.02)


def test_same_source_of_categories_is_near_one() -> None:
    rng = np.random.default_rng(0)
    first, second = (
        pd.DataFrame({name: rng.choice(["u", "v", "w"], 1500) for name in "abc"}) for _ in "12"
    )
    for value in values(first, second).values():
        assert value == pytest.approx(1, abs=0.06)


def test_a_dropped_cluster_lowers_recall_and_coverage_only() -> None:
    real = two_clusters(2000, 1)
    found = support(real, two_clusters(2000, 2, share_left=0.0))
    assert found["coverage"].value < 0.6
    assert found["beta_recall"].value < 0.6
    assert found["density"].value > 0.9
    assert found["alpha_precision"].value > 0.9
    worst = found["coverage"].breakdown.iloc[0]
    assert worst["coverage"] < 0.1
    levels = found["coverage"].breakdown.set_index("level")
    assert levels.loc["left", "coverage"] < 0.1
    assert levels.loc["left", "synthetic"] == 0.0


def test_outliers_lower_precision_and_density() -> None:
    real, fake = two_clusters(2000, 1), two_clusters(2000, 2)
    fake.loc[:799, "y"] += 50.0
    found, clean = values(real, fake), values(real, two_clusters(2000, 2))
    assert found["alpha_precision"] < clean["alpha_precision"] - 0.2
    assert found["density"] == pytest.approx(0.6, abs=0.05)


def test_real_rows_beat_independent_columns() -> None:
    train, holdout = related(2000, 1), related(2000, 2)
    ceiling = values(train, train, holdout=holdout)
    floor = values(train, unrelated(2000, 3), holdout=holdout)
    for name in ("beta_recall", "density", "coverage"):
        assert floor[name] < ceiling[name] - 0.1
    assert floor["alpha_precision"] < ceiling["alpha_precision"]


def test_with_a_holdout_copies_are_no_better_than_fresh_rows() -> None:
    train, holdout = related(1000, 1), related(1000, 2)
    assert coverage(train, train).value == 1.0
    copied = coverage(train, train, holdout=holdout)
    assert copied.value == pytest.approx(1 - 2**-5, abs=0.02)
    assert copied.details["real_side"] == "holdout"


def test_single_scores_equal_those_of_all() -> None:
    train, holdout, fake = related(500, 1), related(300, 2), related(400, 3)
    options = {"holdout": holdout, "max_rows": 200, "random_state": 3}
    found = support(train, fake, **options)
    for name, metric in zip(NAMES, (alpha_precision, beta_recall, density, coverage), strict=True):
        single = metric(train, fake, **options)
        assert json.dumps(single.to_dict()) == json.dumps(found[name].to_dict())
        assert single.details["rows"] == 200
    assert support(train, fake, holdout=holdout)["density"].details["rows"] == 300


def test_seeded() -> None:
    train, fake = related(400, 1), related(400, 2)
    first = values(train, fake, max_rows=100, random_state=1)
    assert first == values(train, fake, max_rows=100, random_state=1)
    assert first != values(train, fake, max_rows=100, random_state=2)


def test_too_few_rows_are_not_applicable() -> None:
    frame = related(40, 1)
    found = support(frame, frame.iloc[:1])
    assert [result.value for result in found.values()] == [None] * 4
    assert "6 rows are needed" in found["coverage"].details["not_applicable"]
    assert coverage(frame, frame.iloc[:5]).value is None
    assert coverage(frame, frame.iloc[:6]).value is not None


def test_constant_and_missing_columns() -> None:
    frame = pd.DataFrame({"a": [1.0] * 30, "b": [None] * 30, "c": [np.nan] * 30, "d": ["k"] * 30})
    found = values(frame, frame)
    assert found["alpha_precision"] == found["beta_recall"] == found["coverage"] == 1.0
    assert found["density"] == pytest.approx(30 / 29)
    other = values(frame, frame.assign(a=2.0))
    assert other["coverage"] == other["density"] == other["alpha_precision"] == 0.0


def test_awkward_tables() -> None:
    rng = np.random.default_rng(0)
    real = pd.DataFrame(
        {
            0: rng.normal(size=20_000),
            ("a", 1): [f"v{value}" for value in np.arange(20_000) % 10_000],
            "flag": pd.array(rng.choice([True, False, None], 20_000), dtype="boolean"),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 9, 20_000), "D"),
        }
    )
    for result in support(real, real.iloc[::-1], max_rows=500).values():
        assert np.isfinite(result.value)
        json.dumps(result.to_dict())


def test_wrong_use_is_refused() -> None:
    frame = related(20, 1)
    for options in ({"k": 0}, {"max_rows": 0}):
        with pytest.raises(InvalidParameterError, match=next(iter(options))):
            support(frame, frame, **options)
