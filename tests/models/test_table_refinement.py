from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgen import GANSynthesizer, Lookup, load
from synthgen.core.clock import Clock
from synthgen.models.table_refinement import looked_up, summed_up


def people(n: int, seed: int) -> pd.DataFrame:
    """Return rows in which everything goes by age, with gaps and a code beside a name."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 90, n)
    income = np.exp(0.03 * age + 0.3 * rng.standard_normal(n)).round(3)
    retired = np.where(rng.random(n) < 1 / (1 + np.exp(-(age - 62) / 3)), "yes", "no")
    city = rng.choice(["Bonn", "Jena", "Kiel", "Trier"], n, p=[0.4, 0.3, 0.2, 0.1])
    code = pd.Series(city).map({"Bonn": 10, "Jena": 20, "Kiel": 30, "Trier": 40}).to_numpy()
    home = pd.Series(np.where(age > 50, "owned", "rented"), dtype=object)
    home[rng.random(n) < 0.1] = None
    return pd.DataFrame(
        {"age": age, "income": income, "city": city, "code": code, "home": home, "retired": retired}
    )


@pytest.fixture(scope="module")
def models() -> tuple[GANSynthesizer, GANSynthesizer]:
    """Return a model with and one without refinement, of the same few steps."""
    table = people(3_000, seed=0)
    settings = {"max_steps": 80, "max_minutes": 10.0, "random_state": 0}
    return (
        GANSynthesizer(**settings).fit(table),
        GANSynthesizer(refine=False, **settings).fit(table),
    )


def surprise(rows: pd.DataFrame) -> float:
    """Return how much later or earlier than real ones the generated people retire, on average."""
    chance = 1 / (1 + np.exp(-(rows["age"] - 62) / 3))
    return float(((rows["retired"] == "yes") - chance).abs().mean())


def test_what_is_looked_up_is_not_weighed(models: tuple[GANSynthesizer, GANSynthesizer]) -> None:
    sampler = models[0].sampler_
    rules = [rule for rule in models[0].schema_.constraints if isinstance(rule, Lookup)]
    assert len(rules) == 1
    column = sampler.encoder.owner[rules[0].column]
    assert looked_up(sampler.encoder) == [column]
    assert summed_up(sampler.encoder) == []
    assert sampler.refiner is not None
    raking = sampler.refiner.raking
    own = raking.layout.cell_columns == column
    assert own.any()
    assert (raking.shares[:-1][own] == 0.0).all()
    assert (raking.log_factors[:-1][own] == 0.0).all()
    others = np.unique(raking.layout.cell_columns[~own])
    assert all(raking.shares[:-1][raking.layout.cell_columns == k].sum() > 0.5 for k in others)


def test_corrected_rows_follow_the_real_relations(
    models: tuple[GANSynthesizer, GANSynthesizer],
) -> None:
    refined, plain = models
    corrected = {name for step in refined.refinement_["corrections"] for name in step["column"]}
    assert corrected >= {"age", "income"}
    assert plain.refinement_ == {"used": False, "reason": "switched off"}
    real = people(3_000, seed=1)
    rows, without = (m.sample(3_000, random_state=1) for m in models)
    assert surprise(without) > surprise(real) + 0.05
    assert surprise(rows) < surprise(real) + 0.04
    ages, real_ages = (np.quantile(t["age"], [0.1, 0.5, 0.9]) for t in (rows, real))
    assert np.abs(ages - real_ages).max() <= 4


def test_what_a_rule_decides_is_not_corrected(
    models: tuple[GANSynthesizer, GANSynthesizer],
) -> None:
    refined, _ = models
    rules = refined.schema_.constraints
    assert any(set(rule.columns) == {"city", "code"} for rule in rules)
    corrected = {name for step in refined.refinement_["corrections"] for name in step["column"]}
    assert not corrected & {"city", "code"}
    rows = refined.sample(2_000, random_state=0)
    assert rows.groupby("city")["code"].nunique().max() == 1


def test_conditions_hold_after_corrections(models: tuple[GANSynthesizer, GANSynthesizer]) -> None:
    refined, _ = models
    rows = refined.sample(300, conditions={"retired": "yes", "age": (70, 80)}, random_state=0)
    assert (rows["retired"] == "yes").all()
    assert rows["age"].between(70, 80).all()
    given = pd.DataFrame({"retired": ["no"] * 50, "home": ["owned"] * 50})
    rows = refined.sample(conditions=given, random_state=0)
    assert (rows["retired"] == "no").all()
    assert (rows["home"] == "owned").all()


def test_filled_cells_are_never_missing_and_known_cells_stay(
    models: tuple[GANSynthesizer, GANSynthesizer],
) -> None:
    refined, _ = models
    table = people(300, seed=2)
    gaps = table.copy()
    gaps.loc[::2, "home"] = None
    gaps.loc[1::3, "income"] = np.nan
    filled = refined.impute(gaps, random_state=0)
    assert not filled.isna().any().any()
    known = gaps.notna()
    for name in table.columns:
        assert (filled.loc[known[name], name] == gaps.loc[known[name], name]).all()


def test_corrections_are_saved_with_the_model(
    models: tuple[GANSynthesizer, GANSynthesizer], tmp_path: Path
) -> None:
    refined, _ = models
    refined.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.refinement_ == refined.refinement_
    pd.testing.assert_frame_equal(
        again.sample(500, random_state=3), refined.sample(500, random_state=3)
    )


def test_weights_alone() -> None:
    model = GANSynthesizer(max_steps=40, max_minutes=10.0, random_state=0, refine="weights")
    model.fit(people(2_000, seed=0))
    assert model.refinement_["corrections"] == []
    assert model.refinement_["used"]


def test_the_target_is_corrected_last() -> None:
    table = people(2_000, seed=0)
    model = GANSynthesizer(max_steps=40, max_minutes=10.0, random_state=0)
    model.fit(table.drop(columns="age"), table["age"])
    steps = model.refinement_["corrections"]
    assert steps[-1]["column"] == ["age"]


def test_a_refinement_that_is_late_corrects_the_target_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Clock, "left", lambda self, share=1.0: 0.0)
    table = people(3_000, seed=0)
    rows = table.drop(columns="retired"), table["retired"]
    model = GANSynthesizer(max_steps=80, max_minutes=10.0, random_state=0).fit(*rows)
    left = model.refinement_["no_time_for"]
    assert set(left) >= {"age", "income", "home"}
    assert "retired" not in left
    steps = model.refinement_["corrections"]
    assert {name for step in steps for name in step["column"]} <= {"retired"}
    assert len(model.sample(10, random_state=0)) == 10
