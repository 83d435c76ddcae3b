import warnings

import numpy as np
import pandas as pd
import pytest

from synthgen import (
    Between,
    Column,
    DPMarginals,
    GANSynthesizer,
    OneHot,
    Schema,
    load,
)
from synthgen.errors import ConditionError, InvalidParameterError
from synthgen.models.refusals import REFUSALS
from synthgen.privacy import BudgetExceededError, PrivacyError, SharedLedger

ROWS = 3_000


def people(n: int = ROWS, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    age = np.clip(rng.normal(40, 10, n) + 12 * (group == "b"), 18, 90).round()
    pay = np.where(rng.random(n) < 0.4, 0, rng.integers(1, 60, n) * 1_000)
    frame = pd.DataFrame({"group": group, "age": age.astype(int), "pay": pay})
    frame["score"] = (rng.random(n) * age).round(1)
    frame.loc[rng.random(n) < 0.2, "score"] = np.nan
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 366, n), unit="D")
    frame["day"] = days.astype("datetime64[ns]")  # as declared; pandas 3 would choose [us]
    return frame


def public_schema() -> Schema:
    return Schema(
        (
            Column("group", "categorical", "object", categories=("a", "b", "c", "d")),
            Column("age", "integer", "int64", minimum=0, maximum=120),
            Column("pay", "integer", "int64", minimum=0, maximum=100_000),
            Column("score", "numeric", "float64", True, minimum=0, maximum=120, decimals=1),
            Column(
                "day",
                "datetime",
                "datetime64[ns]",
                minimum=pd.Timestamp("2023-01-01").timestamp(),
                maximum=pd.Timestamp("2025-12-31").timestamp(),
                resolution="D",
            ),
        )
    )


def private(epsilon: float = 5.0, **options: object) -> GANSynthesizer:
    budget = {k: options.pop(k) for k in ("infer", "ledger", "noise_seed") if k in options}
    parameters = {"schema": public_schema(), "max_steps": 250, "random_state": 0} | options
    return GANSynthesizer(privacy=DPMarginals(epsilon, **budget), **parameters)


@pytest.fixture(scope="module")
def fitted() -> GANSynthesizer:
    return private().fit(people())


def test_a_private_model_keeps_its_promise_and_the_table(fitted: GANSynthesizer) -> None:
    assert fitted.is_private_
    assert 4.9 < fitted.epsilon_ <= 5.0 * (1 + 1e-6)
    assert fitted.delta_ == 1e-6
    assert [event.mechanism for event in fitted.ledger_.events] == ["gaussian"] * 4
    assert any("public" in sentence for sentence in fitted.ledger_.assumptions)
    real, rows = people(), fitted.sample(ROWS, random_state=0)
    assert (rows.dtypes == real.dtypes).all()
    assert rows["age"].between(0, 120).all()
    assert set(rows["group"]) <= set("abcd")
    assert (rows["day"].dt.normalize() == rows["day"]).all()
    shares = [frame["group"].value_counts(normalize=True) for frame in (real, rows)]
    assert abs(shares[0]["a"] - shares[1]["a"]) < 0.05
    assert abs(real["score"].isna().mean() - rows["score"].isna().mean()) < 0.05
    assert abs((real["pay"] == 0).mean() - (rows["pay"] == 0).mean()) < 0.05
    gap = [frame.groupby("group")["age"].mean() for frame in (real, rows)]
    assert abs((gap[0]["b"] - gap[0]["a"]) - (gap[1]["b"] - gap[1]["a"])) < 5


def test_round_numbers_stay_round(fitted: GANSynthesizer) -> None:
    pay = fitted.sample(ROWS, random_state=0)["pay"]
    assert (pay % 1_000 == 0).mean() > 0.8


def test_conditions_gaps_and_likelihood_work(fitted: GANSynthesizer) -> None:
    rows = fitted.sample(
        200, conditions={"age": Between(30, 40), "group": ["a", "c"]}, random_state=0
    )
    assert rows["age"].between(30, 40).all()
    assert set(rows["group"]) <= {"a", "c"}
    assert fitted.sample(50, conditions={"score": None}, random_state=0)["score"].isna().all()
    wanted = fitted.sample(50, conditions={"pay": [5_000, 7_000]}, random_state=0)["pay"]
    assert set(wanted) <= {5_000, 7_000}
    gaps = people(20, seed=1)
    gaps["group"] = gaps["group"].where(gaps.index > 9)
    filled = fitted.impute(gaps, random_state=0)
    assert filled["group"].notna().all()
    assert filled["age"].tolist() == gaps["age"].tolist()
    assert np.isfinite(fitted.score_samples(people(20))).all()
    with pytest.raises(ConditionError, match="no value 'z'"):
        fitted.sample(5, conditions={"group": "z"})
    with pytest.raises(ConditionError, match="no missing cells"):
        fitted.sample(5, conditions={"age": None})


def test_saving_keeps_rows_and_ledger(fitted: GANSynthesizer, tmp_path: object) -> None:
    fitted.save(tmp_path / "model")
    again = load(tmp_path / "model")
    pd.testing.assert_frame_equal(
        again.sample(500, random_state=1), fitted.sample(500, random_state=1)
    )
    assert again.is_private_
    assert again.epsilon_ == pytest.approx(fitted.epsilon_)
    assert again.ledger_.to_json() == fitted.ledger_.to_json()
    assert again.get_params()["privacy"].epsilon == 5.0
    with pytest.raises(PrivacyError, match="releases nothing more"):
        again.ledger_.charge(fitted.ledger_.events[0])


def test_nothing_real_is_in_the_model(tmp_path: object) -> None:
    frame = people()
    frame.loc[7, "group"] = "CANARY-4711"
    frame.loc[8, "pay"] = 98_765
    frame["mail"] = [f"person{k}@canary.example" for k in range(ROWS)]
    schema = Schema(
        (*public_schema().columns, Column("mail", "pii", "object", pii="email")),
    )
    model = private(schema=schema).fit(frame)
    model.save(tmp_path / "model")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "model").iterdir())
    held = repr(vars(model)).encode()
    for trace in (b"CANARY", b"canary.example"):
        assert trace not in stored
        assert trace not in held
    rows = model.sample(2_000, random_state=0)
    assert not rows["mail"].isin(frame["mail"]).any()
    arrays = [model.sampler_.encoder.encoders[k].shares for k in range(5)]
    # No noisy share is a whole number of rows.
    counts = np.concatenate(arrays) * ROWS
    assert (np.abs(counts - np.round(counts)) > 1e-9).mean() > 0.9


def test_noise_does_not_follow_the_seed() -> None:
    models = [private(max_steps=1).fit(people()) for _ in range(2)]
    shares = [model.sampler_.encoder.encoders[0].shares for model in models]
    assert (shares[0] != shares[1]).any()


def test_seeded_noise_is_not_private() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model = private(max_steps=1, noise_seed=3).fit(people())
    assert any("not private at all" in str(entry.message) for entry in seen)
    assert not model.is_private_
    assert model.epsilon_ == float("inf")


REFUSED = {
    "preset": "wgan-gp",
    "refine": True,
    "calibrate": True,
    "validation_fraction": 0.1,
    "warm_start": True,
    "checkpoint_dir": "somewhere",
}


def test_the_table_of_refusals_is_complete() -> None:
    assert {name for name, _, _ in REFUSALS} == set(REFUSED)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_private_is_refused_by_name(name: str) -> None:
    with pytest.raises(PrivacyError, match=f"{name}=.*use"):
        private(**{name: REFUSED[name]}).fit(people())


def test_refinement_by_weights_is_refused_as_well() -> None:
    with pytest.raises(PrivacyError, match=r"refine=.*use"):
        private(refine="weights").fit(people())


def test_schemas_from_data_are_refused() -> None:
    frame = people()
    with pytest.raises(PrivacyError, match="needs a public schema"):
        private(schema=None).fit(frame)
    inferred = Schema.infer(frame).observed(frame)
    with pytest.raises(PrivacyError, match="inferred from the data"):
        private(schema=inferred).fit(frame)
    assert private(schema=inferred.as_public(), max_steps=1).fit(frame).is_private_
    open_ = public_schema().with_column("age", minimum=None)
    with pytest.raises(PrivacyError, match=r"\['age'\].*infer='spend'"):
        private(schema=open_).fit(frame)
    text = public_schema().with_column("group", kind="text")
    with pytest.raises(PrivacyError, match="without a look"):
        private(schema=text).fit(frame)


def test_learned_constraints_are_refused() -> None:
    schema = Schema(
        (
            Column("x", "boolean", "bool"),
            Column("y", "boolean", "bool"),
        ),
        (OneHot(("x", "y")),),
    )
    x = np.random.default_rng(0).random(ROWS) < 0.5
    with pytest.raises(PrivacyError, match="OneHot learns"):
        private(schema=schema).fit(pd.DataFrame({"x": x, "y": ~x}))


def test_a_domain_can_be_bought() -> None:
    frame = people()
    kinds = Schema(
        (
            Column("group", "categorical", "object"),
            Column("age", "integer", "int64"),
            *public_schema().columns[2:],
        )
    )
    model = private(schema=kinds, infer="spend", max_steps=50).fit(frame)
    assert set(model.schema_["group"].categories) <= {"a", "b", "c"}
    assert model.schema_["age"].maximum in (64.0, 128.0)
    notes = " ".join(event.note for event in model.ledger_.events)
    assert "categories of 1 columns" in notes
    assert "ranges of 1 columns" in notes
    assert model.epsilon_ <= 5.0 * (1 + 1e-6)
    assert set(model.sample(300, random_state=0)["group"]) <= {"a", "b", "c"}


def test_a_shared_ledger_limits_several_fits(tmp_path: object) -> None:
    path = tmp_path / "ledger.json"
    SharedLedger.create(path, epsilon=3.5, delta=1e-5, adjacency="zero_out", data="people")
    private(3.0, max_steps=1, ledger=path).fit(people())
    spent = SharedLedger(path).spent().epsilon
    with pytest.raises(BudgetExceededError, match=r"limit is 3\.5"):
        private(3.0, max_steps=1, ledger=path).fit(people())
    assert SharedLedger(path).spent().epsilon == spent


def test_bad_requests() -> None:
    with pytest.raises(PrivacyError, match="at least 500 rows"):
        private().fit(people(200))
    with pytest.raises(PrivacyError, match="epsilon is infinite"):
        private(float("inf")).fit(people())
    with pytest.raises(InvalidParameterError, match="privacy must be"):
        GANSynthesizer(schema=public_schema(), privacy=1.0).fit(people())


def test_fit_does_not_change_the_parameters() -> None:
    budget = DPMarginals(2.0)
    before = budget.get_params()
    model = GANSynthesizer(schema=public_schema(), privacy=budget, max_steps=1).fit(people())
    assert model.privacy is budget
    assert budget.get_params() == before
    plain = GANSynthesizer(max_steps=1, random_state=0, refine=False).fit(people())
    assert not plain.is_private_
    assert (plain.epsilon_, plain.delta_) == (float("inf"), 1.0)
