from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from synthgen import Between, FixedCombinations, GANSynthesizer, Schema
from synthgen.encode.layout import EncodedTable
from synthgen.encode.table import TableCondition
from synthgen.encode.wanted import parse_wanted
from synthgen.errors import ConditionError
from synthgen.nn.cells import RowDistribution
from synthgen.sample.conditional import (
    ConditionPool,
    check_pool,
    draw_from_pool,
    effective_number,
    weigh_latents,
)
from synthgen.sample.sampler import Sampler
from synthgen.train.recipe import Recipe

Obeys = Callable[[pd.DataFrame], Any]

CONDITIONS: list[tuple[dict[str, Any], Obeys]] = [
    ({"sex": "Male"}, lambda f: f["sex"] == "Male"),
    ({"city": ["Oslo", "Rome"]}, lambda f: f["city"].isin(["Oslo", "Rome"])),
    ({"city": {"Bern"}, "member": True}, lambda f: (f["city"] == "Bern") & f["member"]),
    ({"income": None}, lambda f: f["income"].isna()),
    ({"income": Between(30_000, 45_000)}, lambda f: f["income"].between(30_000, 45_000)),
    ({"income": Between(50_000.5, None)}, lambda f: f["income"] >= 50_000.5),
    ({"age": Between(30, 40)}, lambda f: f["age"].between(30, 40)),
    (
        {"age": Between(None, 25), "sex": "Female"},
        lambda f: (f["age"] <= 25) & (f["sex"] != "Male"),
    ),
    (
        {"joined": Between("2020-03-01", "2020-09-30"), "city": "Paris"},
        lambda f: f["joined"].between("2020-03-01", "2020-09-30") & (f["city"] == "Paris"),
    ),
    (
        {"age": Between(60, 79), "income": Between(40_000, 70_000), "sex": ["Male", "Female"]},
        lambda f: f["age"].between(60, 79) & f["income"].between(40_000, 70_000),
    ),
]


@pytest.fixture(scope="module")
def free(gan: GANSynthesizer) -> pd.DataFrame:
    """Return 100,000 rows of the network, neither refined nor under conditions."""
    plain = Sampler(gan.sampler_.encoder, gan.sampler_.source)
    return pd.concat(plain.frames(100_000, seed=9), ignore_index=True)


@pytest.mark.parametrize(("asked", "obeys"), CONDITIONS)
def test_probabilities_agree_with_counting(
    asked: dict[str, Any], obeys: Obeys, gan: GANSynthesizer, free: pd.DataFrame
) -> None:
    wanted = {name: parse_wanted(name, value) for name, value in asked.items()}
    condition = gan.sampler_.encoder.condition(wanted)
    rng = torch.Generator().manual_seed(0)
    pool = weigh_latents(gan.sampler_.source, condition, rng)
    share = float(obeys(free).mean())
    noise = 5 * np.sqrt(share / len(free)) + 0.03 * share
    assert pool.probability == pytest.approx(share, abs=noise)
    assert pool.effective > 30


@pytest.mark.parametrize(("asked", "obeys"), CONDITIONS)
def test_all_rows_obey(asked: dict[str, Any], obeys: Obeys, gan: GANSynthesizer) -> None:
    sample = gan.sample(700, conditions=asked, random_state=1)
    assert len(sample) == 700
    assert np.asarray(obeys(sample), dtype=bool).all()


def test_other_columns_are_distributed_as_in_rows_that_obey(
    gan: GANSynthesizer, free: pd.DataFrame
) -> None:
    kept = free[free["age"].between(60, 79) & (free["sex"] == "Male")]
    plain = Sampler(gan.sampler_.encoder, gan.sampler_.source)
    model = GANSynthesizer()
    model.sampler_ = plain
    request = model._asked({"age": Between(60, 79), "sex": "Male"}, 0, "error")
    sample = pd.concat(plain.frames(20_000, 4, request), ignore_index=True)
    for name in ("income", "age"):
        assert sample[name].mean() == pytest.approx(kept[name].mean(), rel=0.02)
        assert sample[name].std() == pytest.approx(kept[name].std(), rel=0.05)
    shares = kept["city"].value_counts(normalize=True)
    found = sample["city"].value_counts(normalize=True)[shares.index]
    assert found.to_numpy() == pytest.approx(shares.to_numpy(), abs=0.015)


def test_the_same_seed_gives_the_same_rows_and_fewer_are_the_head(gan: GANSynthesizer) -> None:
    asked = {"city": "Rome"}
    many = gan.sample(17_000, conditions=asked, random_state=2)
    pd.testing.assert_frame_equal(gan.sample(90, conditions=asked, random_state=2), many.head(90))
    assert not gan.sample(90, conditions=asked, random_state=3).equals(many.head(90))


def with_network(gan: GANSynthesizer, row: RowDistribution) -> GANSynthesizer:
    """Return the model with a network that says the same of every row."""
    source = gan.sampler_.source

    class Fixed(torch.nn.Module):
        latent = 4
        heads = source.generator.heads
        cells = source.generator.cells

        def forward(self, z: torch.Tensor) -> RowDistribution:
            return RowDistribution(
                *(part.expand(len(z), -1).clone() for part in vars(row).values())
            )

    changed = GANSynthesizer()
    changed.__dict__.update(gan.__dict__)
    fixed: Any = Fixed()
    changed.sampler_ = Sampler(gan.sampler_.encoder, dataclasses.replace(source, generator=fixed))
    return changed


def narrow(gan: GANSynthesizer) -> GANSynthesizer:
    """Return the model with all its numbers within a hair of the median."""
    source = gan.sampler_.source
    cells = source.generator.cells
    logits = torch.zeros(1, cells.n_states, device=source.device)
    heads = torch.zeros(1, cells.n_heads, device=source.device)
    return with_network(gan, RowDistribution(logits, heads, heads + 1e-3))


IMPOSSIBLE = {"age": Between(75, 79), "income": Between(None, 25_000)}


def test_rare_conditions_are_refused_with_the_estimate(gan: GANSynthesizer) -> None:
    with pytest.raises(ConditionError, match=r"too rare .* estimated probability is 0"):
        narrow(gan).sample(5, conditions=IMPOSSIBLE)
    words = "on_rare='approximate'"
    with pytest.raises(ConditionError, match=words):
        narrow(gan).sample(5, conditions=IMPOSSIBLE)


def test_approximate_rows_obey_however_rare(gan: GANSynthesizer) -> None:
    sample = narrow(gan).sample(300, conditions=IMPOSSIBLE, on_rare="approximate", random_state=0)
    assert len(sample) == 300
    assert sample["age"].between(75, 79).all()
    assert (sample["income"] <= 25_000).all()


def test_flattening_brings_enough_latent_vectors_together() -> None:
    logs = torch.linspace(0, -300, 1_000, dtype=torch.float64)
    pool = ConditionPool(torch.zeros(1_000, 2), logs, 1e-9, effective_number(logs))
    assert pool.effective < 30
    with pytest.raises(ConditionError, match=r"'x' is too rare.* 1e-09"):
        check_pool(pool, "'x'", "error")
    flat = check_pool(pool, "'x'", "approximate")
    assert flat.effective == pytest.approx(30, rel=0.02)
    enough = dataclasses.replace(pool, effective=30.0)
    assert check_pool(enough, "'x'", "error") is enough


@pytest.mark.parametrize(
    ("logs", "expected"),
    [([0.0, 0.0, 0.0], 3.0), ([0.0, -1e9], 1.0), ([5.0, 5.0, -np.inf], 2.0), ([-np.inf], 0.0)],
)
def test_effective_numbers(logs: list[float], expected: float) -> None:
    number = effective_number(torch.tensor(logs, dtype=torch.float64))
    assert number == pytest.approx(expected)


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1 - 2.0**-24])
def test_a_closed_state_is_never_drawn(
    uniform: float, gan: GANSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when rounding carries a number over the end of its block."""
    encoder = gan.sampler_.encoder
    blocks, _ = encoder.columns_of("city")
    states = np.zeros(encoder.layout.blocks[blocks.start].size)
    states[1] = 1.0
    condition = TableCondition({blocks.start: states}, {})
    pool = weigh_latents(gan.sampler_.source, condition, torch.Generator().manual_seed(0))
    monkeypatch.setattr(
        "synthgen.sample.conditional.torch.rand",
        lambda *shape, **options: torch.full(
            tuple(shape), uniform, dtype=options.get("dtype", torch.float32)
        ),
    )
    rng = torch.Generator().manual_seed(1)
    table: EncodedTable = draw_from_pool(gan.sampler_.source, pool, condition, 2_000, rng)
    assert (table.codes[:, blocks.start] == 1).all()


def test_calibrated_rows_obey_and_do_not_pile_up(people: pd.DataFrame, tiny: Recipe) -> None:
    model = GANSynthesizer(preset=tiny, refine=True, calibrate=True, random_state=0).fit(people)
    low, high = 35_000, 40_000
    sample = model.sample(1_000, conditions={"income": Between(low, high)}, random_state=0)
    assert sample["income"].between(low, high).all()
    assert sample["income"].isin([low, high]).mean() < 0.2


def test_tails_and_joint_columns(tiny: Recipe) -> None:
    """Categories that share a state, and columns that are drawn together."""
    rng = np.random.default_rng(0)
    codes = np.minimum(rng.geometric(0.02, 3_000), 400)
    frame = pd.DataFrame(
        {
            "code": [f"c{k}" for k in codes],
            "city": rng.choice(["Paris", "Lyon", "Oslo", "Bergen"], 3_000),
            "x": rng.normal(size=3_000),
        }
    )
    frame["country"] = frame["city"].map({"Paris": "F", "Lyon": "F", "Oslo": "N", "Bergen": "N"})
    schema = (
        Schema.infer(frame)
        .with_column("code", kind="categorical")
        .with_constraints(FixedCombinations(("city", "country")))
    )
    model = GANSynthesizer(schema=schema, preset=tiny, max_steps=20, refine=False, random_state=0)
    model.fit(frame)
    rare = frame["code"].value_counts().index[-1]
    for asked in (
        {"code": rare},
        {"code": [rare, "c1"], "country": "N"},
        {"city": "Oslo"},
        {"country": ["F"], "x": Between(0, 1)},
    ):
        sample = model.sample(400, conditions=asked, random_state=0)
        for name, value in asked.items():
            if isinstance(value, Between):
                assert sample[name].between(value.low, value.high).all()
            else:
                assert sample[name].isin([value] if isinstance(value, str) else value).all()
        pairs = set(zip(sample["city"], sample["country"], strict=True))
        assert pairs <= set(zip(frame["city"], frame["country"], strict=True))
    assert sample["city"].nunique() == 2
    with pytest.raises(ConditionError, match="never occur together"):
        model.sample(3, conditions={"city": "Oslo", "country": "F"})
