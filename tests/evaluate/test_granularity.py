import numpy as np
import pandas as pd
import pytest

from synthgen.evaluate.granularity import granularity

RNG = np.random.default_rng(0)


def test_known_answer():
    real = pd.DataFrame({"x": [100.0, 20.0, 3.0, 0.4, 0.0]})
    fake = pd.DataFrame({"x": [100.0, 200.0, 3.0, 0.4, 0.0]})
    result = granularity(real, fake)
    assert result.value == pytest.approx(0.8)
    assert granularity(real, real).value == 1.0


def test_rounding_is_named_where_the_distribution_hardly_changes():
    real = pd.DataFrame({"a": RNG.normal(1_000, 100, 2_000).round(2), "b": RNG.normal(size=2_000)})
    fake = real.assign(a=real["a"].round(0))
    result = granularity(real, fake)
    worst = result.breakdown.iloc[0]
    assert worst["column"] == "a"
    assert (worst["real_step"], worst["synthetic_step"]) == ("1e-2", "1e0")
    assert worst["score"] < 0.2
    assert result.breakdown.iloc[1]["score"] == 1.0


def test_dates_have_units_of_time():
    days = pd.Series(pd.date_range("2020-01-01", periods=300, freq="D"))
    real = pd.DataFrame({"t": days})
    fake = pd.DataFrame({"t": days + pd.to_timedelta(RNG.integers(1, 59, 300), unit="min")})
    worst = granularity(real, fake).breakdown.iloc[0]
    assert (worst["real_step"], worst["synthetic_step"]) == ("day", "minute")


def test_tables_without_numbers_say_so():
    frame = pd.DataFrame({"c": ["a", "b"], "x": [np.nan, np.nan]})
    result = granularity(frame, frame)
    assert result.value is None
    assert "no column" in result.details["not_applicable"]


def test_the_seed_decides_which_rows_are_looked_at():
    frame = pd.DataFrame({"x": RNG.normal(size=500).round(2)})
    values = [granularity(frame, frame, max_rows=50, random_state=s).value for s in (1, 1, 2)]
    assert values[0] == values[1] != values[2]


@pytest.mark.parametrize("kind", ["float32", "Float32", "float16"])
def test_single_precision_is_no_loss_of_rounding(kind):
    prices = pd.Series(RNG.uniform(1, 100, 2_000))
    real = pd.DataFrame({"x": prices.round(1)})
    assert granularity(real, real.astype(kind)).value == 1.0
    # Half precision has tenths as its nearest neighbours near 100.
    least = 0.4 if kind == "float16" else 0.1
    assert granularity(real.astype(kind), pd.DataFrame({"x": prices}).astype(kind)).value < least


def test_days_begin_at_midnight_where_they_were_written():
    days = pd.Series(pd.date_range("2020-01-01", periods=300, freq="D", tz="Europe/Berlin"))
    real = pd.DataFrame({"t": days})
    late = pd.DataFrame({"t": days + pd.to_timedelta(RNG.integers(1, 12, 300), unit="h")})
    worst = granularity(real, late).breakdown.iloc[0]
    assert (worst["real_step"], worst["synthetic_step"]) == ("day", "hour")
    assert worst["score"] == 0.0
