import numpy as np
import pandas as pd

from synthgen import Lookup, Range, Schema, datasets
from synthgen.data.find_lookups import find_lookups


def found(frame):
    return [(r.key, r.column) for r in find_lookups(frame, Schema.infer(frame).columns)]


def shops(n=1_000, seed=0):
    rng = np.random.default_rng(seed)
    city = rng.integers(0, 40, n)
    region = np.array(["north", "east", "south", "west"])[np.arange(40) % 4]
    price = np.round(rng.normal(20, 3, 40), 2)
    return pd.DataFrame(
        {
            "city": np.char.add("city ", city.astype(str)),
            "region": region[city],
            "rent": price[city],
            "sales": rng.poisson(300, n),
        }
    )


def test_what_follows_from_what():
    assert found(shops()) == [("city", "region"), ("city", "rent")]


def test_all_rows_have_to_obey():
    frame = shops()
    frame.loc[990, "region"] = "north" if frame.loc[990, "region"] != "north" else "east"
    assert found(frame) == [("city", "rent")]


def test_chains_hang_on_the_finest_key():
    frame = shops()
    frame["country"] = frame["region"].isin(["north", "east"])
    assert found(frame) == [("city", "region"), ("city", "rent"), ("city", "country")]


def test_two_names_of_the_same_thing():
    codes = np.random.default_rng(0).integers(0, 9, 300)
    frame = pd.DataFrame({"name": np.char.add("kind ", codes.astype(str)), "code": codes})
    assert found(frame) == [("name", "code")]


def test_gaps_are_levels():
    frame = shops()
    frame.loc[frame["region"] == "west", "region"] = None
    assert ("city", "region") in found(frame)


def test_accidents_are_not_found():
    # A single odd row whose key has no other row: the column follows from the key by chance.
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        key = np.concatenate([np.arange(40), rng.integers(0, 30, 180)])
        rare = np.zeros(220, dtype=int)
        rare[rng.choice(220)] = 1
        frame = pd.DataFrame({"key": key, "rare": rare})
        follows = len(frame.drop_duplicates()) == 40
        hits += follows
        assert not (follows and found(frame))
    assert hits > 0


def test_too_few_rows_and_too_many_keys():
    assert found(shops(90)) == []
    frame = pd.DataFrame({"key": np.arange(300) // 2, "value": np.arange(300) // 10})
    assert found(frame) == []


def test_sums_are_no_keys():
    schema = Schema.infer(shops().assign(twice=lambda f: 2 * f["sales"]))
    assert {type(rule).__name__ for rule in schema.constraints} == {"Lookup", "Sum"}
    assert not any("twice" in rule.columns for rule in schema.constraints if type(rule) is Lookup)


def test_adult():
    assert found(datasets.load_adult("train")) == [("education", "education-num")]


def test_what_was_found_is_not_declared_public():
    schema = Schema.infer(shops())
    declared = Range("sales", low=0)
    assert schema.as_public().constraints == ()
    both = schema.with_constraints(*schema.constraints, declared)
    assert both.as_public().constraints == (declared,)
