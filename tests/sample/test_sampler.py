from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen import (
    Between,
    FixedCombinations,
    GANSynthesizer,
    Inequality,
    OneHot,
    Predicate,
    Range,
    Schema,
    Unique,
)
from synthgen.errors import ConstraintError, DataWarning
from synthgen.sample.sampler import BLOCK
from synthgen.train.recipe import Recipe


@pytest.fixture(scope="module")
def stays() -> pd.DataFrame:
    """Return 400 rows that obey rules of every type."""
    rng = np.random.default_rng(0)
    n = 400
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D")
    city = rng.choice(["Paris", "Lyon", "Oslo"], n)
    fare = rng.integers(0, 3, n)
    return pd.DataFrame(
        {
            "id": [f"S-{k:05d}" for k in range(n)],
            "start": start,
            "end": start + pd.to_timedelta(rng.integers(0, 60, n), "D"),
            "city": city,
            "country": np.where(city == "Oslo", "N", "F"),
            "a": (fare == 0).astype(int),
            "b": (fare == 1).astype(int),
            "c": (fare == 2).astype(int),
            "price": np.round(rng.gamma(2, 50, n), 2),
            "room": rng.integers(100, 900, n),
        }
    )


RULES: list[Any] = [
    Range("price", 5, 400),
    Inequality("start", "end"),
    FixedCombinations(("city", "country")),
    OneHot(("a", "b", "c")),
    Predicate(lambda frame: frame["room"] % 10 != 3, "no room 3"),
]


def fitted(frame: pd.DataFrame, tiny: Recipe, *rules: Any) -> GANSynthesizer:
    schema = Schema.infer(frame).with_constraints(*rules)
    options: dict[str, Any] = {"max_steps": 20, "refine": False, "random_state": 0}
    return GANSynthesizer(schema=schema, preset=tiny, **options).fit(frame)


@pytest.fixture(scope="module")
def ruled(stays: pd.DataFrame, tiny: Recipe) -> GANSynthesizer:
    with pytest.warns(DataWarning, match="real rows break the constraint"):
        return fitted(stays, tiny, *RULES)


def test_every_row_obeys_all_rules(ruled: GANSynthesizer, stays: pd.DataFrame) -> None:
    sample = ruled.sample(BLOCK + 500, random_state=0)
    assert len(sample) == BLOCK + 500
    for rule in ruled.schema_.constraints:
        assert rule.check(sample).all(), rule
    assert (sample["start"] <= sample["end"]).all()
    assert sample[["a", "b", "c"]].sum(axis=1).eq(1).all()
    assert sample.dtypes.equals(stays.dtypes)


def test_rules_hold_beside_conditions(ruled: GANSynthesizer) -> None:
    asked = {"city": "Oslo", "price": Between(20, 60), "start": Between("2020-06-01", None)}
    sample = ruled.sample(300, conditions=asked, random_state=0)
    for rule in ruled.schema_.constraints:
        assert rule.check(sample).all(), rule
    assert (sample["city"] == "Oslo").all()
    assert sample["price"].between(20, 60).all()
    assert (sample["start"] >= "2020-06-01").all()


def test_ids_are_unique_across_blocks_even_if_rows_are_filtered(ruled: GANSynthesizer) -> None:
    sample = ruled.sample(2 * BLOCK + 10, random_state=0)
    assert sample["id"].is_unique
    assert sample["id"].str.fullmatch(r"S-\d{5,}").all()


@pytest.mark.parametrize("n", [0, 1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_exactly_the_rows_asked_for_and_fewer_are_the_head(n: int, gan: GANSynthesizer) -> None:
    sample = gan.sample(n, random_state=4)
    assert len(sample) == n
    assert sample.index.equals(pd.RangeIndex(n))
    whole = gan.sample(2 * BLOCK + 3, random_state=4)
    pd.testing.assert_frame_equal(sample, whole.head(n))
    assert sample.dtypes.equals(whole.dtypes)


def test_pieces_add_up(gan: GANSynthesizer) -> None:
    pieces = list(gan.sample_iter(2 * BLOCK + 3, random_state=4))
    assert [len(piece) for piece in pieces] == [BLOCK, BLOCK, 3]
    expected = gan.sample(2 * BLOCK + 3, random_state=4)
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), expected)


def test_rules_keep_the_head(ruled: GANSynthesizer) -> None:
    expected = ruled.sample(BLOCK + 5, random_state=1).head(50)
    pd.testing.assert_frame_equal(ruled.sample(50, random_state=1), expected)


def test_no_combination_comes_twice(people: pd.DataFrame, tiny: Recipe) -> None:
    frame = people[["age", "city", "sex"]].drop_duplicates()
    model = fitted(frame, tiny, Unique(("age", "city", "sex")))
    sample = model.sample(400, random_state=0)
    assert len(sample) == 400
    assert not sample.duplicated().any()
    pd.testing.assert_frame_equal(model.sample(60, random_state=0), sample.head(60))
    with pytest.raises(ConstraintError, match=r"Only \d+ of 5000 rows differ in"):
        model.sample(5_000, random_state=0)


def test_files_cannot_keep_rows_unique(people: pd.DataFrame, tiny: Recipe, tmp_path: Any) -> None:
    frame = people[["age", "city", "sex"]].drop_duplicates()
    model = fitted(frame, tiny, Unique(("age", "city", "sex")))
    with pytest.raises(ConstraintError, match="cannot keep rows unique"):
        model.sample_to(tmp_path, 10)


def test_a_rule_that_no_row_obeys(people: pd.DataFrame, tiny: Recipe) -> None:
    with pytest.warns(DataWarning, match="300 of 300 real rows"):
        model = fitted(people, tiny, Predicate(lambda frame: frame["age"] < 0, "unborn"))
    with pytest.raises(ConstraintError, match=r"Only 0 of .* generated rows .*\(Predicate\)"):
        model.sample(10)


def test_a_rule_that_few_rows_obey_is_repaired_by_what_they_have(
    people: pd.DataFrame, tiny: Recipe
) -> None:
    with pytest.warns(DataWarning, match="Range"):
        model = fitted(people, tiny, Range("age", 78, None))
    sample = model.sample(2_000, random_state=0)
    assert len(sample) == 2_000
    assert (sample["age"] >= 78).all()


def test_a_repair_never_undoes_a_condition(people: pd.DataFrame, tiny: Recipe) -> None:
    with pytest.warns(DataWarning, match="Range"):
        model = fitted(people, tiny, Range("age", 70, None))
    with pytest.raises(ConstraintError, match="against the conditions"):
        model.sample(10, conditions={"age": Between(20, 30)})
    sample = model.sample(500, conditions={"age": Between(65, 75)}, random_state=0)
    assert sample["age"].between(70, 75).all()
