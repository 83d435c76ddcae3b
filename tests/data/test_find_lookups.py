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


def visits(n=2_000, seed=0):
    """Visits in the middle of the day, so that no zone moves them to another one."""
    rng = np.random.default_rng(seed)
    seconds = rng.integers(0, 700, n) * 86_400 + rng.integers(0, 24, n) * 3_600
    moment = pd.Timestamp("2021-01-01") + pd.to_timedelta(seconds, unit="s")
    return pd.DataFrame({"moment": moment, "guests": rng.poisson(30, n)})


def found_parts(frame):
    rules = find_lookups(frame, Schema.infer(frame).columns)
    return [(rule.key, rule.column, rule.part, rule.zone) for rule in rules]


def test_parts_of_dates():
    frame = visits()
    moment = frame["moment"].dt
    frame["year"], frame["month name"] = moment.year, moment.month_name()
    frame["weekend"], frame["season"] = moment.weekday >= 5, moment.quarter
    assert found_parts(frame) == [
        ("moment", "year", "year", None),
        ("moment", "month name", "month", None),
        ("moment", "weekend", "weekday", None),
        ("moment", "season", "quarter", None),
    ]


def test_parts_of_dates_on_the_clocks_of_a_zone():
    frame = visits()
    local = frame["moment"].dt.tz_localize("UTC").dt.tz_convert("America/New_York").dt
    frame["hour"], frame["day"] = local.hour, local.day
    expected = [
        ("moment", "hour", "hour", "America/New_York"),
        ("moment", "day", "day", "America/New_York"),
    ]
    assert found_parts(frame) == expected
    text = frame.assign(moment=frame["moment"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert found_parts(text) == expected
    aware = frame.assign(
        moment=frame["moment"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    )
    assert found_parts(aware) == expected


def test_dates_that_decide_nothing():
    frame = visits()
    frame["month"] = np.random.default_rng(1).permutation(frame["moment"].dt.month)
    assert found_parts(frame) == []


def routes(n=3_000, seed=0):
    rng = np.random.default_rng(seed)
    start, end = rng.integers(0, 6, n), rng.integers(0, 30, n)
    distance = rng.integers(100, 5_000, (6, 30))
    return pd.DataFrame(
        {
            "start": np.char.add("from ", start.astype(str)),
            "end": np.char.add("to ", end.astype(str)),
            "km": distance[start, end],
            "travellers": rng.poisson(200, n),
        }
    )


def test_what_two_columns_decide():
    (rule,) = find_lookups(routes(), Schema.infer(routes()).columns)
    assert (rule.keys, rule.column, len(rule.table)) == (("start", "end"), "km", 180)
    assert rule.check(routes(seed=0)).all()


def test_a_key_with_several_values_is_left_open():
    frame = routes()
    one = frame.index[(frame["start"] == frame["start"][7]) & (frame["end"] == frame["end"][7])]
    frame.loc[one[0], "km"] += 1
    (rule,) = find_lookups(frame, Schema.infer(frame).columns)
    assert len(rule.table) == 179
    assert (frame["start"][7], frame["end"][7]) not in dict(rule.table)
    assert rule.check(frame).all()


def test_too_many_keys_with_several_values():
    frame = routes()
    frame.loc[::30, "km"] += 1
    assert find_lookups(frame, Schema.infer(frame).columns) == ()


def test_two_columns_do_not_decide_by_accident():
    # Nearly all rows have a pair of keys of their own, or the rest one and the same value.
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.integers(0, 90, 3_000) for name in "abcde"})
    frame["rare"] = 0
    frame.loc[rng.choice(3_000, 12, replace=False), "rare"] = 1
    assert find_lookups(frame, Schema.infer(frame).columns) == ()


def test_a_number_follows_from_two_categories_and_not_the_other_way_round():
    frame = routes()
    frame["km"] = frame.groupby(["start", "end"]).ngroup()  # so that each pair of three decides
    single = {(rule.keys, rule.column) for rule in find_lookups(frame, Schema.infer(frame).columns)}
    assert single == {(("km",), "start"), (("km",), "end")}
    frame["km"] = frame["start"].str[-1:].astype(int) + frame["end"].str[3:].astype(int)
    (rule,) = find_lookups(frame, Schema.infer(frame).columns)
    assert (rule.keys, rule.column) == (("start", "end"), "km")
