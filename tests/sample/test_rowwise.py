from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen import FixedCombinations, GANSynthesizer, Inequality, Range, Schema
from synthgen.errors import ConditionError, ConstraintError, DataWarning
from synthgen.train.recipe import Recipe


def test_one_row_for_each_condition_in_order(gan: GANSynthesizer, people: pd.DataFrame) -> None:
    given = people[["city", "age", "income"]].head(60)
    sample = gan.sample(conditions=given, random_state=0)
    assert list(sample.columns) == list(people.columns)
    pd.testing.assert_frame_equal(sample[given.columns], given)
    assert sample.dtypes.equals(people.dtypes)
    assert sample[["sex", "member", "joined"]].notna().all().all()
    pd.testing.assert_frame_equal(gan.sample(conditions=given, random_state=0), sample)
    assert len(gan.sample(60, conditions=given)) == 60


def test_conditions_inform_the_other_columns(gan: GANSynthesizer) -> None:
    # Enough rows for the standard error of the difference to be below 600.
    ages = pd.DataFrame({"age": [20] * 2_000 + [78] * 2_000})
    incomes = gan.sample(conditions=ages, random_state=0)["income"]
    assert incomes[2_000:].mean() > incomes[:2_000].mean() + 2_000


def test_rare_rows_are_refused_or_approximated(
    gan: GANSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthgen.sample.completer.RowCompleter.least_probability", 0.02)
    given = pd.DataFrame({"city": ["Paris", "Bern"], "sex": "Male", "member": True})
    with pytest.raises(ConditionError, match=r"1 of 2 conditions .* row 1 .*probability of 0.0"):
        gan.sample(conditions=given)
    sample = gan.sample(conditions=given, on_rare="approximate")
    pd.testing.assert_frame_equal(sample[given.columns], given)


def test_gaps_are_filled_and_the_rest_stays(gan: GANSynthesizer, people: pd.DataFrame) -> None:
    lost = np.random.default_rng(0).random(people.shape) < 0.3
    holes = people.astype({"member": "boolean", "age": "Int64"}).mask(lost)
    holes["age"] = holes["age"].astype("float64")
    holes["member"] = holes["member"].astype(object)
    filled = gan.impute(holes, random_state=0)
    assert filled.notna().all().all()
    assert list(filled.columns) == list(people.columns)
    for name in people.columns:
        there = holes[name].notna()
        assert (filled[name][there] == holes[name][there]).all(), name
    assert set(filled["city"]) <= set(people["city"])
    pd.testing.assert_frame_equal(gan.impute(holes, random_state=0), filled)
    assert gan.impute(people.dropna()).equals(people.dropna())


def test_real_rows_are_likelier_than_shuffled_ones(tiny: Recipe) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=800)
    frame = pd.DataFrame(
        {"x": x, "y": x + 0.3 * rng.normal(size=800), "sign": np.where(x > 0, "up", "down")}
    )
    recipe = tiny.replace(steps=300)
    model = GANSynthesizer(preset=recipe, refine=False, random_state=0).fit(frame)
    fresh = frame.assign(y=frame["y"].to_numpy()[rng.permutation(800)])
    real, shuffled = model.score_samples(frame), model.score_samples(fresh)
    assert real.shape == (800,)
    assert real.mean() > shuffled.mean() + 1.0
    np.testing.assert_array_equal(model.score_samples(frame), real)


def test_likelihoods_of_independent_categories_are_their_logarithms(tiny: Recipe) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.choice(["u", "v"], 2_000, p=[0.8, 0.2])})
    frame["b"] = rng.choice(["p", "q", None], 2_000, p=[0.5, 0.25, 0.25])
    recipe = tiny.replace(steps=200)
    model = GANSynthesizer(preset=recipe, refine=False, random_state=0).fit(frame)
    rows = pd.DataFrame({"a": ["u", "v", "new"], "b": ["p", None, "q"]})
    scores = model.score_samples(rows)
    assert scores[:2] == pytest.approx([np.log(0.4), np.log(0.05)], abs=0.25)
    assert scores[2] == pytest.approx(np.log(1e-12) + np.log(0.25), abs=0.3)


def test_joint_columns_agree_with_what_is_known(tiny: Recipe) -> None:
    cities = ["Paris", "Lyon", "Oslo", "Bergen"]
    frame = pd.DataFrame({"city": cities * 50, "x": np.arange(200.0) % 17})
    frame["country"] = frame["city"].map({"Paris": "F", "Lyon": "F", "Oslo": "N", "Bergen": "N"})
    schema = Schema.infer(frame).with_constraints(FixedCombinations(("city", "country")))
    model = GANSynthesizer(schema=schema, preset=tiny, max_steps=10, refine=False, random_state=0)
    model.fit(frame)
    sample = model.sample(conditions=frame[["country"]].head(100), random_state=0)
    assert sample["country"].tolist() == frame["country"].head(100).tolist()
    allowed = set(zip(frame["city"], frame["country"], strict=True))
    assert set(zip(sample["city"], sample["country"], strict=True)) == allowed
    holes = frame.assign(city=frame["city"].where(np.arange(200) % 2 == 0, None))
    filled = model.impute(holes, random_state=0)
    assert set(zip(filled["city"], filled["country"], strict=True)) == allowed


def test_completed_rows_satisfy_constraints(people: pd.DataFrame, tiny: Recipe) -> None:
    frame = people.assign(left=people["joined"] + pd.to_timedelta(people["age"], "D"))
    rules = (Inequality("joined", "left"), Range("age", 25, None))
    schema = Schema.infer(frame).with_constraints(*rules)
    model = GANSynthesizer(schema=schema, preset=tiny, max_steps=20, refine=False, random_state=0)
    with pytest.warns(DataWarning, match="Range"):
        model.fit(frame)
    given = frame[["joined", "city"]]
    sample = model.sample(conditions=given, random_state=0)
    pd.testing.assert_frame_equal(sample[given.columns], given)
    assert (sample["joined"] <= sample["left"]).all()
    assert (sample["age"] >= 25).all()
    holes = frame.assign(left=frame["left"].where(np.arange(len(frame)) % 2 == 0))
    filled = model.impute(holes, random_state=0)
    assert (filled["joined"] <= filled["left"]).all()
    with pytest.raises(ConstraintError, match=r"1 of 2 conditions cannot be completed.* row 1"):
        model.sample(conditions=pd.DataFrame({"age": [30, 20]}))


def test_hard_rows_get_candidates_of_their_own(
    people: pd.DataFrame, tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthgen.sample.proposal._STEPS", 20)
    monkeypatch.setattr("synthgen.sample.rowwise._FEW", np.inf)  # no pool is good enough
    models = [GANSynthesizer(preset=tiny, random_state=0).fit(people) for _ in range(2)]
    holes = people.assign(income=people["income"].where(np.arange(len(people)) % 2 == 0))
    # The first model trains its network for a call before, the second within the call.
    models[0].impute(holes, random_state=1)
    network = models[0]._rowwise().proposal
    first, second = (model.impute(holes, random_state=0) for model in models)
    pd.testing.assert_frame_equal(first, second)
    assert models[0]._rowwise().proposal is network
    assert first["income"].notna().all()
    assert (first["income"][::2] == people["income"][::2])[people["income"][::2].notna()].all()
    assert not models[0].fit(people)._rowwise().__dict__.get("proposal")


def test_few_or_easy_rows_train_nothing(
    people: pd.DataFrame, tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = GANSynthesizer(preset=tiny, random_state=0).fit(people)
    holes = people.assign(income=np.nan)
    monkeypatch.setattr("synthgen.sample.rowwise._FEW", 0.0)
    model.impute(holes, random_state=0)
    monkeypatch.setattr("synthgen.sample.rowwise._FEW", np.inf)
    model.impute(holes.head(199), random_state=0)
    assert "proposal" not in vars(model._rowwise())
