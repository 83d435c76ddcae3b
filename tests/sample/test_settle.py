import numpy as np
import pandas as pd
import pytest

from synthgen import GANSynthesizer, GaussianCopula, Schema, Sum, load


def trips(n=800, seed=0):
    rng = np.random.default_rng(seed)
    casual = rng.poisson(20, n)
    registered = rng.poisson(60, n) + casual // 2
    return pd.DataFrame(
        {
            "season": rng.choice(["cold", "warm"], n),
            "casual": casual,
            "registered": registered,
            "count": casual + registered,
        }
    )


@pytest.fixture(scope="module")
def model():
    return GaussianCopula(random_state=0).fit(trips())


def adds_up(frame):
    return (frame["count"] == frame["casual"] + frame["registered"]).all()


def test_sums_are_found_and_kept(model):
    assert [rule.total for rule in model.schema_.constraints] == ["count"]
    rows = model.sample(3_000, random_state=1)
    assert adds_up(rows)
    assert rows.dtypes.equals(trips().dtypes)


def test_ranges_are_kept(model):
    rows, real = model.sample(3_000, random_state=1), trips()
    for name in ("casual", "registered", "count"):
        assert real[name].min() <= rows[name].min() <= rows[name].max() <= real[name].max()


def test_a_condition_on_the_total_holds_and_a_part_gives_way(model):
    rows = model.sample(200, conditions={"count": 90}, random_state=1)
    assert (rows["count"] == 90).all()
    assert adds_up(rows)
    assert rows["casual"].nunique() > 3


def test_conditions_on_a_total_and_a_part(model):
    rows = model.sample(50, conditions={"count": 90, "casual": 20}, random_state=1)
    assert (rows["registered"] == 70).all()


def test_conditions_by_row(model):
    wanted = trips(seed=5)[["count", "season"]].head(40)
    rows = model.sample(conditions=wanted, random_state=1)
    assert (rows["count"].to_numpy() == wanted["count"].to_numpy()).all()
    assert adds_up(rows)


@pytest.mark.parametrize("hidden", ["count", "casual", "registered"])
def test_one_gap_is_filled_exactly(model, hidden):
    real = trips(seed=6).head(60)
    gaps = real.astype({hidden: float})
    gaps[hidden] = np.nan
    filled = model.impute(gaps, random_state=0)
    inside = real[hidden].between(trips()[hidden].min(), trips()[hidden].max())
    assert inside.sum() > 50
    assert (filled[hidden] == real[hidden])[inside].all()


def test_two_gaps_add_up(model):
    real = trips(seed=6).head(60)
    gaps = real.astype({"casual": float, "registered": float})
    gaps[["casual", "registered"]] = np.nan
    filled = model.impute(gaps, random_state=0)
    assert (filled["count"] == real["count"]).all()
    assert adds_up(filled)


def test_a_sum_of_a_sum(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"net": np.round(rng.lognormal(4, 1, 500), 2)})
    frame["tax"] = np.round(0.19 * frame["net"], 2)
    frame["fee"] = rng.integers(0, 9, 500)
    frame["gross"] = frame["net"] + frame["tax"] + frame["fee"]
    model = GANSynthesizer(max_steps=5, random_state=0).fit(frame)
    rows = model.sample(500, random_state=0)
    assert len(model.schema_.constraints) == 2
    for rule in model.schema_.constraints:
        assert rule.check(rows).all()
    model.save(tmp_path / "model")
    assert (
        load(tmp_path / "model")
        .sample(100, random_state=3)
        .equals(model.sample(100, random_state=3))
    )


def test_sums_can_be_left_to_chance():
    free = Schema.infer(trips()).with_constraints()
    rows = GaussianCopula(schema=free, random_state=0).fit(trips()).sample(500, random_state=0)
    assert not adds_up(rows)


def test_gaps_stay_gaps():
    frame = trips().astype({"count": float})
    frame.loc[::6, "count"] = np.nan
    rows = GaussianCopula(random_state=0).fit(frame).sample(2_000, random_state=0)
    assert 0.1 < rows["count"].isna().mean() < 0.25
    assert adds_up(rows.dropna())


def test_a_rule_of_the_user_is_kept_as_well():
    schema = Schema.infer(trips()).with_constraints(Sum("count", ("casual", "registered")))
    rows = GaussianCopula(schema=schema, random_state=0).fit(trips()).sample(500, random_state=0)
    assert adds_up(rows)


@pytest.fixture(scope="module")
def places():
    rng = np.random.default_rng(0)
    city = rng.integers(0, 12, 900)
    return pd.DataFrame(
        {
            "city": np.char.add("city ", city.astype(str)),
            "region": np.array(["north", "south", "west"])[city % 3],
            "height": np.round(100.0 + 3 * city, 1)[np.arange(900)],
            "visits": rng.poisson(20 + city),
        }
    )


@pytest.fixture(scope="module")
def guide(places):
    return GaussianCopula(random_state=0).fit(places)


def agree(model, rows):
    return all(rule.check(rows).all() for rule in model.schema_.constraints)


def test_lookups_are_found_and_kept(places, guide):
    assert [rule.column for rule in guide.schema_.constraints] == ["region", "height"]
    rows = guide.sample(2_000, random_state=1)
    assert agree(guide, rows)
    assert rows.dtypes.equals(places.dtypes)
    free = GaussianCopula(schema=guide.schema_.with_constraints(), random_state=0).fit(places)
    assert not agree(guide, free.sample(2_000, random_state=1))


def test_a_condition_on_what_follows_is_met_by_other_keys(guide):
    rows = guide.sample(100, conditions={"region": "west"}, random_state=1)
    assert (rows["region"] == "west").all()
    assert agree(guide, rows)
    assert rows["city"].nunique() > 2


def test_a_condition_on_the_key(guide):
    rows = guide.sample(100, conditions={"city": "city 4"}, random_state=1)
    assert set(zip(rows["region"], rows["height"], strict=True)) == {("south", 112.0)}


def test_what_follows_is_filled_exactly(places, guide):
    gaps = places.head(80).copy()
    gaps["region"], gaps["height"] = None, np.nan
    filled = guide.impute(gaps, random_state=0)
    assert filled[["region", "height"]].equals(places[["region", "height"]].head(80))


def test_a_missing_key_fits_what_is_known(places, guide):
    gaps = places.head(80).copy()
    gaps["city"] = None
    filled = guide.impute(gaps, random_state=0)
    assert filled["city"].equals(places["city"].head(80))
