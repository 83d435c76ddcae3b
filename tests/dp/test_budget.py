"""Tests of what users ask for: parameters, refusals, plans, bought facts."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from synthgen.data.schema import Schema
from synthgen.dp.accounting import guarantee
from synthgen.dp.budget import DPMarginals
from synthgen.dp.errors import PrivacyError, PrivacyWarning
from synthgen.dp.gaussian import gaussian_mu
from synthgen.dp.parameters import PrivacyParameters
from synthgen.dp.plan import plan_gradients, plan_histograms, plan_marginals
from synthgen.dp.purchase import buy_facts, undeclared
from synthgen.dp.sgd_budget import DPSGD
from synthgen.errors import InvalidParameterError


@pytest.mark.parametrize("privacy", [DPMarginals(2.0, max_pairs=7), DPSGD(5.0, 1e-5, steps=9)])
def test_parameters_are_only_kept(privacy: PrivacyParameters) -> None:
    before = privacy.get_params()
    again = clone(privacy)
    assert again.get_params() == before
    assert again is not privacy
    privacy.check(30_000)
    privacy.open_ledger(30_000)
    assert privacy.get_params() == before
    assert type(privacy)().get_params()["delta"] is None


@pytest.mark.parametrize(
    ("facts", "n_rows", "message"),
    [
        ({"epsilon": math.inf}, 1_000, "privacy=None"),
        ({"epsilon": 60.0}, 1_000, "allow_weak=True"),
        ({"unit": "person"}, 1_000, "aggregate"),
        ({}, 499, "at least 500 rows"),
    ],
)
@pytest.mark.parametrize("kind", [DPMarginals, DPSGD])
def test_guarantees_that_are_refused(
    kind: type[Any], facts: dict[str, Any], n_rows: int, message: str
) -> None:
    with pytest.raises(PrivacyError, match=message):
        kind(**facts).check(n_rows)


@pytest.mark.parametrize(
    "privacy",
    [
        DPMarginals(0.0),
        DPMarginals(-1.0),
        DPMarginals(math.nan),
        DPMarginals(1.0, 0.0),
        DPMarginals(1.0, 1.0),
        DPMarginals(adjacency="cousins"),
        DPMarginals(infer="guess"),
        DPMarginals(one_way_share=0.9),
        DPMarginals(max_pairs=0),
        DPMarginals(max_bins=1),
        DPSGD(max_grad_norm=0.0),
        DPSGD(batch_size=0),
        DPSGD(steps=0),
        DPSGD(clipping="ew"),
        DPSGD(critic_steps=0),
        DPSGD(infer="guess"),
        DPSGD(one_way_share=0.95),
        DPSGD(max_bins=1),
        DPSGD(sampling_rate=0.0),
        DPSGD(sampling_rate=1.5),
    ],
)
def test_parameters_that_make_no_sense(privacy: PrivacyParameters) -> None:
    with pytest.raises(InvalidParameterError):
        privacy.check(1_000)


@pytest.mark.parametrize(
    ("privacy", "message"),
    [
        (DPMarginals(20.0), "weak"),
        (DPMarginals(60.0, allow_weak=True), "weak"),
        (DPMarginals(1.0, delta=0.01), "random row"),
        (DPMarginals(1.0, noise_seed=0), "tests only"),
    ],
)
def test_weak_guarantees_are_named(privacy: PrivacyParameters, message: str) -> None:
    with pytest.warns(PrivacyWarning, match=message):
        privacy.check(1_000)


def test_replacement_does_not_go_with_samples() -> None:
    with pytest.raises(PrivacyError, match="zero_out"):
        DPSGD(adjacency="replace_one").check(1_000)


def test_a_private_number_of_rows_needs_a_public_rate() -> None:
    with pytest.raises(PrivacyError, match="sampling_rate"):
        DPSGD(adjacency="add_remove").check(1_000)
    privacy = DPSGD(adjacency="add_remove", sampling_rate=0.02)
    privacy.check(1_000)
    assert privacy.sampling(1_000) == privacy.sampling(9_000) == 0.02


def test_default_delta() -> None:
    assert DPMarginals(1.0).resolved_delta(1_000) == 1e-6
    assert DPMarginals(1.0).resolved_delta(10**7) == 1e-8
    assert DPMarginals(1.0, adjacency="add_remove").resolved_delta(10**7) == 1e-6
    assert DPMarginals(1.0, delta=1e-5).resolved_delta(1_000) == 1e-5


def test_shares_of_a_plan() -> None:
    plan = plan_marginals(DPMarginals(1.0), 30_000, 15)
    assert plan.shares == pytest.approx(
        {"schema": 0, "atoms": 0, "one_way": 0.2, "scores": 0, "pairs": 0.8}
    )
    bought = plan_marginals(DPMarginals(1.0, infer="spend"), 30_000, 40, n_fine=3)
    assert sum(bought.shares.values()) == pytest.approx(1.0)
    assert all(share > 0 for share in bought.shares.values())
    assert bought.failure == pytest.approx(1e-7)
    assert bought.mu == gaussian_mu(1.0, 9e-7)
    assert bought.n_pairs == 400
    ledger = DPMarginals(1.0).open_ledger(30_000)
    with pytest.raises(PrivacyError, match="without a share for 'scores'"):
        plan.sigma("scores", 105, ledger)


@pytest.mark.parametrize("infer", ["refuse", "spend"])
def test_reservation_is_the_whole_budget(infer: str) -> None:
    plan = plan_marginals(DPMarginals(1.0, infer=infer), 30_000, 15)
    assert guarantee(plan.reservation(), 1e-6).epsilon == pytest.approx(1.0, rel=1e-6)


def test_plan_of_gradients() -> None:
    pytest.importorskip("dp_accounting")
    privacy = DPSGD(3.0, 1e-6, 0.5, batch_size=1024, steps=2_000)
    event = plan_gradients(privacy, 32_561)
    assert event.sampling == pytest.approx(1024 / 32_561)
    assert (event.count, event.sensitivity) == (2_000, 0.5)
    assert event.scale / event.sensitivity == pytest.approx(2.3197, rel=1e-3)
    ledger = privacy.open_ledger(32_561)
    ledger.charge(event)
    assert 2.99 < ledger.spent().epsilon <= 3.0


def test_histograms_and_gradients_share_one_budget() -> None:
    pytest.importorskip("dp_accounting")
    privacy = DPSGD(3.0, 1e-6, infer="spend", steps=50)
    plan = plan_histograms(privacy, 32_561, 15, n_fine=2)
    event = plan_gradients(privacy, 32_561, plan.reservation())
    spent = guarantee([*plan.reservation(), event], 1e-6)
    assert 2.99 < spent.epsilon <= 3.0
    assert event.scale > plan_gradients(privacy, 32_561).scale


def test_gradients_are_accounted_for_as_by_others() -> None:
    dp_accounting = pytest.importorskip("dp_accounting")
    accountants = pytest.importorskip("opacus.accountants")
    event = plan_gradients(DPSGD(3.0, 1e-6, batch_size=512, steps=300), 20_000)
    noise, q = event.scale / event.sensitivity, event.sampling
    loss = dp_accounting.pld.PLDAccountant(
        dp_accounting.NeighboringRelation.ADD_OR_REMOVE_ONE, value_discretization_interval=1e-4
    )
    loss.compose(
        dp_accounting.PoissonSampledDpEvent(q, dp_accounting.GaussianDpEvent(noise)), event.count
    )
    ours = guarantee([event], 1e-6)
    assert loss.get_epsilon(1e-6) == pytest.approx(ours.epsilon, rel=1e-4)
    for kind, options in ((accountants.RDPAccountant, {}), (accountants.PRVAccountant, {})):
        other = kind()
        other.history = [(noise, q, event.count)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = other.get_epsilon(1e-6, **options)
        # Renyi divergences are an upper bound; the other one has an error of its own.
        assert ours.epsilon - 0.02 <= found <= ours.check * 1.02


@pytest.fixture
def people_frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 4_000
    frame = pd.DataFrame(
        {
            "city": rng.choice(["Oslo", "Rome", "Bern"], n),
            "age": rng.integers(18, 90, n),
            "pay": np.round(rng.lognormal(8, 0.5, n), 2),
            "well": rng.random(n) < 0.5,
        }
    )
    frame.loc[0, "city"] = "Atlantis"
    frame.loc[1, "pay"] = 1e11
    frame.loc[:799, "age"] = np.nan
    return frame


def test_facts_are_bought(people_frame: pd.DataFrame) -> None:
    kinds = {"city": "categorical", "age": "integer", "pay": "numeric", "well": "boolean"}
    schema = Schema.infer(people_frame)
    for name, kind in kinds.items():
        cleared = {"categories": None} if kind == "categorical" else {}
        if kind in ("integer", "numeric"):
            cleared = {"minimum": None, "maximum": None}
        schema = schema.with_column(name, kind=kind, nullable=False, **cleared)
    levels, ranges = undeclared(schema)
    assert (levels, ranges) == (["city"], ["age", "pay"])
    privacy = DPMarginals(3.0, delta=1e-6, infer="spend", noise_seed=0)
    plan, ledger = plan_marginals(privacy, 4_000, 4), privacy.open_ledger(4_000)
    facts = buy_facts(
        people_frame, schema, levels=levels, ranges=ranges, gaps=list(kinds), plan=plan,
        ledger=ledger,
    )  # fmt: skip
    for name, changes in facts.items():
        schema = schema.with_column(name, **changes)
    assert sorted(schema["city"].categories or ()) == ["Bern", "Oslo", "Rome"]
    assert (schema["age"].minimum, schema["age"].maximum) == (16.0, 128.0)
    assert (schema["pay"].maximum or 0) <= 2**15
    assert [schema[name].nullable for name in kinds] == [False, True, False, False]
    spent = sum(event.ratio**2 for event in ledger.events)
    assert spent == pytest.approx(0.1 * plan.mu**2)
    assert any("bought: categories" in sentence for sentence in ledger.assumptions)
    assert undeclared(schema) == ([], [])


def test_columns_about_which_nothing_can_be_told(people_frame: pd.DataFrame) -> None:
    people_frame["name"] = [f"person {k}" for k in range(len(people_frame))]
    schema = Schema.infer(people_frame[["city"]])
    schema = Schema((schema["city"], schema["city"].__class__("name", "categorical", "str")))
    # Each of 4,000 values of one row is told with a probability of 1e-7, hence the seed.
    privacy = DPMarginals(1.0, infer="spend", noise_seed=0)
    plan, ledger = plan_marginals(privacy, 4_000, 2), privacy.open_ledger(4_000)
    with pytest.raises(PrivacyError, match=r"No category of column 'name'.*Declare it"):
        buy_facts(
            people_frame, schema, levels=["name"], ranges=[], gaps=[], plan=plan, ledger=ledger
        )


def test_nothing_to_buy(people_frame: pd.DataFrame) -> None:
    privacy = DPMarginals(1.0)
    plan, ledger = plan_marginals(privacy, 4_000, 4), privacy.open_ledger(4_000)
    schema = Schema.infer(people_frame)
    assert not buy_facts(
        people_frame, schema, levels=[], ranges=[], gaps=[], plan=plan, ledger=ledger
    )
    assert ledger.events == []
