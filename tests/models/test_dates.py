"""Dates with a weekly or monthly rhythm, through whole models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgen import Between, GANSynthesizer, GaussianCopula, IndependentColumns, Schema
from synthgen.encode.calendar import Months, Weeks
from synthgen.errors import ConditionError
from synthgen.models.base import BaseSynthesizer
from synthgen.privacy import DPMarginals
from synthgen.train.recipe import Recipe


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    """Orders of Mondays to Fridays at noon or at six, billed at the end of the month."""
    rng = np.random.default_rng(0)
    n = 900
    weekday = rng.choice(5, n, p=[0.3, 0.2, 0.2, 0.25, 0.05])
    day = pd.Timestamp("2019-01-07") + pd.to_timedelta(rng.integers(0, 104, n) * 7 + weekday, "D")
    when = day + pd.to_timedelta(rng.choice([12, 18], n), "h")
    return pd.DataFrame(
        {
            "when": pd.Series(when).mask(rng.random(n) < 0.1),
            "billed": day + pd.offsets.MonthEnd(0),
            "shipped": (day + pd.Timedelta(days=7)).strftime("%d.%m.%Y"),
            "amount": np.round(rng.gamma(3, 20, n) * (1 + (weekday == 4)), 2),
        }
    )


@pytest.fixture(scope="module", params=["independent", "copula", "gan"])
def model(request: pytest.FixtureRequest, orders: pd.DataFrame, tiny: Recipe) -> BaseSynthesizer:
    if request.param == "gan":
        return GANSynthesizer(preset=tiny, max_steps=60, random_state=0).fit(orders)
    kinds = {"independent": IndependentColumns, "copula": GaussianCopula}
    return kinds[request.param](random_state=0).fit(orders)


def workday(days: pd.Series) -> bool:
    return bool((days.dropna().dt.weekday < 5).all())


def test_rhythms_stay(model: BaseSynthesizer, orders: pd.DataFrame) -> None:
    encoders = {encoder.names[0]: encoder for encoder in model.sampler_.encoder.encoders}
    assert isinstance(encoders["when"].calendar, Weeks)
    assert isinstance(encoders["shipped"].calendar, Weeks)
    assert encoders["billed"].calendar == Months(31)
    made = model.sample(2_000, random_state=0)
    assert made.dtypes.equals(orders.dtypes)
    assert workday(made["when"])
    assert set(made["when"].dropna().dt.hour) == {12, 18}
    assert workday(pd.to_datetime(made["shipped"], format="%d.%m.%Y"))
    assert made["billed"].dt.is_month_end.all()
    assert made["billed"].between(orders["billed"].min(), orders["billed"].max()).all()
    shares = made["when"].dt.weekday.value_counts(normalize=True).sort_index()
    np.testing.assert_allclose(shares, [0.3, 0.2, 0.2, 0.25, 0.05], atol=0.08)


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("when", Between("2019-03-06", "2019-09-18 12:00")),
        ("when", Between("2019-03-07 13:00", "2019-03-11 12:00")),
        ("when", Between(None, "2019-02-01")),
        ("billed", Between("2019-02-10", "2019-05-30")),
    ],
)
def test_ranges_are_obeyed(model: BaseSynthesizer, name: str, condition: Between) -> None:
    made = model.sample(300, conditions={name: condition}, random_state=0, on_rare="approximate")
    low, high = (pd.Timestamp(end) for end in (condition.low or "1900", condition.high))
    assert len(made) == 300
    assert made[name].between(low, high).all()
    assert workday(made["when"])
    assert made["billed"].dt.is_month_end.all()


def test_exact_dates_and_rows_are_obeyed(model: BaseSynthesizer, orders: pd.DataFrame) -> None:
    day = pd.Timestamp("2019-03-06 18:00")
    made = model.sample(50, conditions={"when": day}, random_state=0, on_rare="approximate")
    assert made["when"].eq(day).all()
    made = model.sample(50, conditions={"when": [day, None]}, random_state=0, on_rare="approximate")
    assert (made["when"].isna() | made["when"].eq(day)).all()
    rows = orders[["when", "billed"]].iloc[:40]
    made = model.sample(40, conditions=rows, random_state=0, on_rare="approximate")
    pd.testing.assert_frame_equal(made[["when", "billed"]], rows)
    with pytest.raises(ConditionError, match="on Mondays, Tuesdays"):
        model.sample(5, conditions={"when": Between("2019-03-09", "2019-03-10")})


def test_gaps_are_filled_and_rows_scored(model: BaseSynthesizer, orders: pd.DataFrame) -> None:
    gaps = orders["when"].isna()
    filled = model.impute(orders)
    assert filled["when"].notna().all()
    assert workday(filled["when"])
    pd.testing.assert_frame_equal(filled[~gaps], orders[~gaps])
    scores = model.score_samples(orders.iloc[:60])
    assert np.isfinite(scores).all()


def test_saved_models_make_the_same_dates(model: BaseSynthesizer, tmp_path: Path) -> None:
    model.save(tmp_path / "m")
    again = type(model).load(tmp_path / "m")
    pd.testing.assert_frame_equal(
        again.sample(100, random_state=0), model.sample(100, random_state=0)
    )


def test_private_models_do_not_look_for_a_rhythm(
    orders: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They know nothing but what was declared."""

    def look(*_: object) -> None:
        raise AssertionError("the days were looked at")

    monkeypatch.setattr("synthgen.encode.quantity.choose_calendar", look)
    frame = orders[["billed", "amount"]]
    schema = (
        Schema.infer(frame)
        .with_column("billed", minimum="2019-01-01", maximum="2021-12-31")
        .with_column("amount", minimum=0, maximum=1_000)
        .as_public()
    )
    privacy = DPMarginals(epsilon=5, delta=1e-5)
    model = GANSynthesizer(max_steps=5, schema=schema, privacy=privacy, random_state=0).fit(frame)
    assert model.sample(50)["billed"].between("2019-01-01", "2021-12-31").all()
    with pytest.raises(AssertionError, match="looked at"):
        IndependentColumns().fit(frame)
