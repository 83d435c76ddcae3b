"""Tests of DPSGD for tables, from the parameters to the saved model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen import Column, GANSynthesizer, Schema, load
from synthgen.dp import accounting
from synthgen.dp.sgd_budget import DPSGD
from synthgen.errors import InvalidParameterError, TrainingWarning
from synthgen.models.refusals import GRADIENT_REFUSALS
from synthgen.privacy import BudgetExceededError, PrivacyError, PrivacyWarning, SharedLedger
from synthgen.train.recipe import Recipe
from synthgen.train.terms import TermSpec

ROWS = 2_000


def people(n: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    group = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    age = np.clip(rng.normal(40, 10, n) + 12 * (group == "b"), 18, 90).round().astype(int)
    frame = pd.DataFrame({"group": group, "age": age, "score": (rng.random(n) * age).round(1)})
    frame.loc[rng.random(n) < 0.2, "score"] = np.nan
    return frame


def public_schema() -> Schema:
    return Schema(
        (
            Column("group", "categorical", "object", categories=("a", "b", "c", "d")),
            Column("age", "integer", "int64", minimum=0, maximum=120),
            Column("score", "numeric", "float64", True, minimum=0, maximum=120, decimals=1),
        )
    )


def private(epsilon: float = 5.0, **options: Any) -> GANSynthesizer:
    known = DPSGD().get_params()
    budget = {"steps": 8, "batch_size": 64} | {
        name: options.pop(name) for name in list(options) if name in known
    }
    batch = {name: options.pop(name) for name in ("own_batch",) if name in options}
    parameters = {"schema": public_schema(), "random_state": 0} | options
    if "own_batch" in batch:
        parameters["batch_size"] = batch["own_batch"]
    return GANSynthesizer(privacy=DPSGD(epsilon, **budget), **parameters)


@pytest.fixture(scope="module", autouse=True)
def _quick_accounting() -> Iterator[None]:
    """Account by Renyi divergences: a bound that takes milliseconds where the other takes seconds.

    Tests of budgets compare the two.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounting, "has_loss_distributions", lambda: False)
        yield


@pytest.fixture(scope="module")
def fitted() -> GANSynthesizer:
    return private(steps=60, critic_steps=2).fit(people())


def test_a_private_model_keeps_its_promise(fitted: GANSynthesizer) -> None:
    assert fitted.is_private_
    assert 4.9 < fitted.epsilon_ <= 5.0 * (1 + 1e-6)
    assert fitted.delta_ == 1e-6
    gradients = fitted.ledger_.events[-1]
    assert (gradients.note, gradients.count) == ("clipped gradients of the critic", 60)
    assert gradients.sampling == 64 / ROWS
    assert gradients.sensitivity == 1.0
    assert fitted.n_steps_ == 60
    assert fitted.stopped_by_ == "steps"
    assert any("Poisson" in sentence for sentence in fitted.ledger_.assumptions)
    # The histograms come first, and all is in one ledger.
    notes = [event.note for event in fitted.ledger_.events]
    assert any("histograms" in note for note in notes[:-1])


def test_rows_are_like_the_table(fitted: GANSynthesizer) -> None:
    real, rows = people(), fitted.sample(ROWS, random_state=0)
    assert (rows.dtypes == real.dtypes).all()
    assert rows["age"].between(0, 120).all()
    assert set(rows["group"]) <= set("abcd")
    assert abs((rows["group"] == "a").mean() - 0.6) < 0.08
    assert abs(rows["score"].isna().mean() - 0.2) < 0.08
    assert (fitted.sample(20, conditions={"group": "b"}, random_state=0)["group"] == "b").all()


def test_saving_keeps_rows_ledger_and_request(fitted: GANSynthesizer, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    again = load(tmp_path / "model")
    pd.testing.assert_frame_equal(
        again.sample(300, random_state=1), fitted.sample(300, random_state=1)
    )
    assert again.ledger_.to_json() == fitted.ledger_.to_json()
    assert again.is_private_
    assert isinstance(again.privacy, DPSGD)
    assert again.privacy.get_params() == fitted.privacy.get_params()


def test_nothing_real_is_in_the_model(tmp_path: Path) -> None:
    frame = people()
    frame.loc[7, "group"] = "CANARY-4711"
    frame["mail"] = [f"person{k}@canary.example" for k in range(ROWS)]
    schema = Schema((*public_schema().columns, Column("mail", "pii", "object", pii="email")))
    model = private(schema=schema).fit(frame)
    model.save(tmp_path / "model")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "model").iterdir())
    held = repr(vars(model)).encode()
    for trace in (b"CANARY", b"canary.example"):
        assert trace not in stored
        assert trace not in held
    assert not hasattr(model.sampler_.source, "critic")
    # Nothing that hangs on the model is as long as the table.
    assert not any(
        len(np.atleast_1d(part)) >= ROWS for part in model.sampler_.encoder.to_state()[1].values()
    )


def test_noise_does_not_follow_the_seed() -> None:
    models = [private().fit(people()) for _ in range(2)]
    shares = [model.sampler_.encoder.encoders[0].shares for model in models]
    assert (shares[0] != shares[1]).any()
    weights = [next(model.sampler_.source.generator.parameters()) for model in models]
    assert (weights[0] != weights[1]).any()


def test_seeded_noise_repeats_and_is_not_private() -> None:
    rows = []
    for _ in range(2):
        with pytest.warns(PrivacyWarning, match="not private at all"):
            model = private(noise_seed=3).fit(people())
        assert not model.is_private_
        rows.append(model.sample(50, random_state=0))
    pd.testing.assert_frame_equal(rows[0], rows[1])


REFUSED: dict[str, Any] = {
    "refine": True,
    "calibrate": True,
    "validation_fraction": 0.1,
    "warm_start": True,
    "checkpoint_dir": "somewhere",
    "max_steps": 10,
    "batch_size": 10,
}


def test_the_table_of_refusals_is_complete() -> None:
    assert {name for name, _, _ in GRADIENT_REFUSALS} == set(REFUSED)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_private_is_refused_by_name(name: str) -> None:
    options = {"own_batch" if name == "batch_size" else name: REFUSED[name]}
    with pytest.raises(PrivacyError, match=f"{name}=.*use"):
        private(**options).fit(people())


@pytest.mark.parametrize(
    "preset",
    [
        "wgan-gp",
        "ctgan",
        "mixture",
        Recipe(name="mine", objective="hinge", pack=2),
        Recipe(name="mine", objective="hinge", terms=(TermSpec("zero_centred_penalty"),)),
    ],
)
def test_recipes_that_read_rows_are_refused(preset: Any) -> None:
    with pytest.raises(PrivacyError, match=r"cannot be trained by DPSGD.*use"):
        private(preset=preset).fit(people())


def test_other_games_can_be_private() -> None:
    assert private(preset="wgan", steps=3).fit(people()).recipe_.name == "wgan"


def test_bad_requests() -> None:
    with pytest.raises(PrivacyError, match="at least 500 rows"):
        private().fit(people(200))
    with pytest.raises(PrivacyError, match="epsilon is infinite"):
        private(float("inf")).fit(people())
    with pytest.raises(PrivacyError, match="needs a public schema"):
        private(schema=None).fit(people())
    with pytest.raises(PrivacyError, match=r"DPSGD\(infer='spend'\)"):
        private(schema=public_schema().with_column("age", minimum=None)).fit(people())
    with pytest.raises(PrivacyError, match="sampling_rate"):
        private(adjacency="add_remove").fit(people())
    with pytest.raises(InvalidParameterError, match="preset must be"):
        private(preset="nothing").fit(people())


def test_the_number_of_rows_can_be_private() -> None:
    model = private(adjacency="add_remove", sampling_rate=0.05).fit(people())
    assert model.ledger_.n_rows is None
    assert model.ledger_.events[-1].sampling == 0.05
    assert any("probability" in sentence for sentence in model.ledger_.assumptions)


def test_a_domain_can_be_bought() -> None:
    kinds = Schema(
        (
            Column("group", "categorical", "object"),
            Column("age", "integer", "int64"),
            public_schema()["score"],
        )
    )
    model = private(schema=kinds, infer="spend").fit(people())
    assert set(model.schema_["group"].categories) <= {"a", "b", "c"}
    notes = " ".join(event.note for event in model.ledger_.events)
    assert "categories of 1 columns" in notes
    assert model.epsilon_ <= 5.0 * (1 + 1e-6)


def test_a_shared_ledger_limits_several_fits(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    SharedLedger.create(path, epsilon=3.01, delta=1e-6, adjacency="zero_out", data="people")
    model = private(3.0, ledger=path).fit(people())
    # What was reserved beforehand is what was spent.
    assert SharedLedger(path).spent().epsilon == pytest.approx(model.epsilon_, rel=1e-6)
    before = SharedLedger(path).spent().epsilon
    with pytest.raises(BudgetExceededError, match=r"limit is 3\.01"):
        private(3.0, ledger=path).fit(people())
    assert SharedLedger(path).spent().epsilon == before


def test_updates_that_time_cut_off_are_charged() -> None:
    with pytest.warns(TrainingWarning, match="all charged"):
        model = private(steps=50_000, batch_size=8, max_minutes=0.01).fit(people())
    assert model.stopped_by_ == "time"
    assert model.ledger_.events[-1].count == 50_000


def test_fit_does_not_change_the_parameters() -> None:
    budget = DPSGD(2.0, steps=2, batch_size=32)
    before = budget.get_params()
    model = GANSynthesizer(schema=public_schema(), privacy=budget).fit(people())
    assert model.privacy is budget
    assert budget.get_params() == before
