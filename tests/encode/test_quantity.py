from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from synthgen.data.values import to_numbers
from synthgen.encode.base import Resolution
from synthgen.encode.calendar import Months, Weeks
from synthgen.encode.canonical import as_held, canonical
from synthgen.encode.numeric import NumericEncoder
from synthgen.encode.quantity import QuantityEncoder
from synthgen.encode.wanted import Between, Wanted
from synthgen.errors import ConditionError
from tests.encode.columns import RESOLUTION, assert_alike, column_of, decoded

DAY = 86_400


def fitted(
    values: Any, kind: str | None = None, resolution: Resolution = RESOLUTION, **changes: Any
) -> tuple[pd.DataFrame, QuantityEncoder]:
    frame, column = column_of(values, kind, **changes)
    return frame, QuantityEncoder.fit(frame, column, resolution)


def moments(n: int = 400, gaps: bool = False, days: int = 730) -> pd.Series:
    """Return days of two years at 9, 12 or 18 o'clock."""
    rng = np.random.default_rng(0)
    seconds = rng.integers(0, days, n) * DAY + rng.choice([9, 12, 18], n) * 3_600
    series = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(seconds, "s"))
    if gaps:
        series[rng.random(n) < 0.1] = pd.NaT
    return series


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.Series([1.5, 2.25, None, 1.5] * 5), "numeric"),
        (pd.Series([1, 2, 3, 1] * 5, dtype="int16"), "integer"),
        (pd.Series([1, 2, None, 1] * 5, dtype="Int64"), "integer"),
        (pd.Series([1.5, 2, None, 1] * 5, dtype="Float32"), "numeric"),
        (pd.to_datetime(pd.Series(["2020-01-01", "2020-02-29", None] * 5)), "datetime"),
        (pd.Series(["01/02/20", "12/31/21", None] * 5), "datetime"),
        (
            pd.to_datetime(
                pd.Series(["2020-01-01 00:00", "2020-02-29 12:00", None] * 5)
            ).dt.tz_localize("Europe/Paris"),
            "datetime",
        ),
        (pd.to_timedelta(pd.Series([1, 90, None] * 5), "min"), "timedelta"),
    ],
    ids=lambda value: str(getattr(value, "dtype", value)),
)
def test_values_and_dtypes_of_levels_round_trip(values: pd.Series, kind: str) -> None:
    frame, encoder = fitted(values)
    assert encoder.column.kind == kind
    assert_alike(decoded(encoder, *encoder.transform(frame)), values)


def test_integers_in_a_head_round_trip() -> None:
    """Those that many rows share do; all stay multiples of three."""
    values = pd.Series(np.random.default_rng(0).poisson(40, 900) * 3)
    frame, encoder = fitted(values, resolution=Resolution(few=8))
    assert encoder.whole.has_head
    back = pd.Series(decoded(encoder, *encoder.transform(frame, np.random.default_rng(1))))
    shared = values.map(values.value_counts()) >= 10
    assert_alike(back[shared], values[shared])
    assert back.dtype == values.dtype
    assert (back % 3 == 0).all()


def test_moments_are_day_and_time() -> None:
    """Days of seven weeks stay whole, many as they are."""
    values = moments(gaps=True, days=49)
    frame, encoder = fitted(values)
    assert encoder.calendar is None
    assert encoder.clock is not None
    assert encoder.clock.levels.tolist() == [9 * 3_600, 12 * 3_600, 18 * 3_600]
    assert encoder.whole.has_head
    assert [head.gate for head in encoder.heads] == [0]
    codes, scores = encoder.transform(frame)
    assert codes.shape == (400, 2)
    assert encoder.missing_states() == [(0, 1)]
    gaps = values.isna().to_numpy()
    assert (codes[gaps, 0] == 1).all()
    back = decoded(encoder, codes, scores)
    assert back.isna().to_numpy().tolist() == gaps.tolist()
    assert back[~gaps].dt.hour.tolist() == values[~gaps].dt.hour.tolist()
    # Days that few rows share come back among the ten rows around them, most of them nearer.
    days, made = (np.sort(part[~gaps].dt.normalize().to_numpy()) for part in (values, back))
    own = values[~gaps].dt.normalize().to_numpy()
    low, high = np.searchsorted(days, own), np.searchsorted(days, own, "right")
    found = back[~gaps].dt.normalize().to_numpy()
    rows = np.arange(len(days))
    assert (found >= days[np.maximum(low - 10, 0)]).all()
    assert (found <= days[np.minimum(high + 10, len(rows) - 1)]).all()
    assert np.abs((made - days) / np.timedelta64(1, "D")).max() <= 10
    assert (back - values)[~gaps].dt.days.abs().median() <= 1


def test_moments_of_many_weeks_are_week_weekday_and_time() -> None:
    values = moments(gaps=True)
    frame, encoder = fitted(values)
    assert isinstance(encoder.calendar, Weeks)
    assert encoder.whole.has_head
    assert [head.gate for head in encoder.heads] == [0]
    assert encoder.missing_states() == [(0, 1)]
    gaps = values.isna().to_numpy()
    for rng in (None, np.random.default_rng(0)):
        codes, scores = encoder.transform(frame, rng)
        assert codes.shape == (400, 3)
        assert (codes[gaps, 0] == 1).all()
        back = decoded(encoder, codes, scores)
        assert back.isna().to_numpy().tolist() == gaps.tolist()
        assert back[~gaps].dt.hour.tolist() == values[~gaps].dt.hour.tolist()
        assert back[~gaps].dt.weekday.tolist() == values[~gaps].dt.weekday.tolist()
        assert (back - values)[~gaps].dt.days.abs().median() <= 7
        assert back.min() >= values.min().normalize()
        assert back.max() < values.max().normalize() + pd.Timedelta(days=1)
    # Missing days have weekdays and times as the others do, so that these keep their shares.
    for block in (1, 2):
        shares = np.bincount(codes[~gaps, block]) / (~gaps).sum()
        np.testing.assert_allclose(encoder.blocks[block].frequencies, shares)
    assert len(np.unique(codes[gaps, 1])) > 3
    assert len(np.unique(codes[gaps, 2])) == 3


def any_rows(encoder: QuantityEncoder, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw all blocks and heads independently of each other."""
    rng = np.random.default_rng(seed)
    codes = [rng.choice(block.size, n, p=block.frequencies) for block in encoder.blocks]
    scores = rng.standard_normal((n, len(encoder.heads))).astype(np.float32)
    return np.array(codes, dtype=np.int32).T.reshape(n, len(codes)), scores


def rows_within(encoder: QuantityEncoder, wanted: Wanted, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw blocks and heads independently, cut to a condition."""
    cells = encoder.condition("c", wanted)
    rng = np.random.default_rng(0)
    codes = []
    for block, weights in zip(encoder.blocks, cells.states, strict=True):
        shares = block.frequencies * (1.0 if weights is None else weights)
        codes.append(rng.choice(block.size, n, p=shares / shares.sum()))
    scores = []
    for interval in cells.intervals:
        low, high = ndtr(interval or (-np.inf, np.inf))
        scores.append(ndtri(low + (high - low) * rng.random(n)))
    return (
        np.array(codes, dtype=np.int32).T.reshape(n, len(codes)),
        np.array(scores, dtype=np.float32).T.reshape(n, len(scores)),
    )


def workdays(n: int = 2_000, hours: bool = True) -> pd.Series:
    """Return two years of Mondays to Fridays, few Fridays, at 9 or 15 o'clock."""
    rng = np.random.default_rng(0)
    weekday = rng.choice(5, n, p=[0.3, 0.2, 0.2, 0.25, 0.05])
    days = rng.integers(0, 104, n) * 7 + weekday
    seconds = days * DAY + (rng.choice([9, 15], n) * 3_600 if hours else 0)
    return pd.Series(pd.Timestamp("2019-01-07") + pd.to_timedelta(seconds, "s"))


ZONED = workdays().dt.tz_localize("America/New_York")
KINDS = {
    "moments": workdays(),
    "days": workdays(hours=False),
    "noons": workdays(hours=False) + pd.Timedelta(hours=12),
    "before 1970": workdays() - pd.Timedelta(weeks=52 * 80),
    "seconds": workdays().astype("datetime64[s]"),
    "gaps": workdays().mask(np.arange(2_000) % 7 == 0),
    "zone": ZONED,
    "days of a zone": ZONED.dt.normalize(),
    "evenings of a zone": ZONED + pd.Timedelta(hours=8),
    "text": workdays(hours=False).dt.strftime("%d/%m/%Y"),
    "date objects": pd.Series(workdays(hours=False).dt.date, dtype=object),
}


def as_moments(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values, dayfirst=True)


@pytest.mark.parametrize("few", [32, 128])
@pytest.mark.parametrize("values", KINDS.values(), ids=KINDS)
def test_workdays_stay_workdays(values: pd.Series, few: int) -> None:
    """Whatever holds them, with weeks in a head or a state for each."""
    frame, encoder = fitted(values, resolution=Resolution(few=few))
    assert isinstance(encoder.calendar, Weeks)
    assert encoder.calendar.weekdays == (0, 1, 2, 3, 4)
    assert encoder.clocked == (len({*as_moments(values).dropna().dt.time}) > 1)
    real = as_moments(values)
    exact = as_moments(decoded(encoder, *encoder.transform(frame)))
    assert exact.isna().tolist() == real.isna().tolist()
    gaps = real.isna()
    assert exact[~gaps].dt.weekday.tolist() == real[~gaps].dt.weekday.tolist()
    assert exact[~gaps].dt.time.tolist() == real[~gaps].dt.time.tolist()
    back = decoded(encoder, *any_rows(encoder, 2_000))
    assert back.dtype == values.dtype
    made = as_moments(back).dropna()
    assert made.min() >= real.min().normalize()
    assert made.max() < real.max().normalize() + pd.Timedelta(days=1)
    shares, wanted = (days.dt.weekday.value_counts(normalize=True) for days in (made, real))
    assert set(shares.index) == {0, 1, 2, 3, 4}
    assert (shares - wanted).abs().max() < 0.04


@pytest.mark.parametrize("few", [32, 128])
@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("2019-03-06", "2019-06-18"),
        ("2019-03-06 10:00", "2019-03-19 14:00"),
        ("2019-03-06 09:00", "2019-03-06 09:00"),
        ("2019-03-08 14:00", "2019-03-11 10:00"),  # a Friday's afternoon, a Monday's morning
        ("2019-03-08 16:00", "2019-03-11 08:00"),  # after work and before
        ("2000-01-01", "2019-01-09"),
        ("2020-12-30 10:00", "2060-01-01"),
    ],
)
@pytest.mark.parametrize("values", [workdays(), ZONED], ids=["moments", "zone"])
def test_every_row_lies_in_the_range(values: pd.Series, low: str, high: str, few: int) -> None:
    _, encoder = fitted(values, resolution=Resolution(few=few))
    wanted = Wanted(between=Between(low, high))
    back = decoded(encoder, *rows_within(encoder, wanted, 200), {"c": wanted})
    assert back.between(
        pd.Timestamp(low, tz=values.dt.tz), pd.Timestamp(high, tz=values.dt.tz)
    ).all()
    assert (back.dt.weekday < 5).all()


@pytest.mark.parametrize("few", [32, 128])
@pytest.mark.parametrize(
    ("low", "high"), [("2019-03-06", "2019-12-17"), ("2019-03-07", "2019-03-20")]
)
def test_weekdays_within_a_range_are_as_often_as_ever(low: str, high: str, few: int) -> None:
    values = workdays(6_000)
    _, encoder = fitted(values, resolution=Resolution(few=few))
    wanted = Wanted(between=Between(low, high))
    back = decoded(encoder, *rows_within(encoder, wanted, 6_000), {"c": wanted})
    shares = back.dt.weekday.value_counts(normalize=True).sort_index()
    np.testing.assert_allclose(shares, [0.3, 0.2, 0.2, 0.25, 0.05], atol=0.02)


def test_a_range_shorter_than_a_week_has_its_own_days() -> None:
    values = workdays(6_000, hours=False)
    _, encoder = fitted(values)
    wanted = Wanted(between=Between("2019-03-07", "2019-03-12"))  # Thursday to Tuesday
    back = decoded(encoder, *rows_within(encoder, wanted, 3_000), {"c": wanted})
    shares = back.dt.day.value_counts(normalize=True)
    expected = {7: 0.25, 8: 0.05, 11: 0.3, 12: 0.2}
    assert set(shares.index) == set(expected)
    for day, share in expected.items():
        assert shares[day] == pytest.approx(share / 0.8, abs=0.09)


@pytest.mark.parametrize("few", [32, 128])
def test_times_of_day_at_the_ends_of_a_range_are_real_ones(few: int) -> None:
    """A row before the range, on its first day, moves by a week rather than to its end."""
    _, encoder = fitted(workdays(), resolution=Resolution(few=few))
    wanted = Wanted(between=Between("2019-03-06 10:00", "2019-03-20 14:00"))
    back = decoded(encoder, *rows_within(encoder, wanted, 1_000), {"c": wanted})
    assert set(back.dt.strftime("%H:%M")) == {"09:00", "15:00"}
    assert back.between("2019-03-06 10:00", "2019-03-20 14:00").all()


def test_a_row_from_another_week_that_fits_on_no_day_keeps_its_weekday() -> None:
    _, encoder = fitted(workdays())
    codes, scores = any_rows(encoder, 200)
    codes[:, 0] = 4  # Fridays
    wanted = Wanted(between=Between("2019-03-08 16:00", "2019-03-10 08:00"))
    back = decoded(encoder, codes, scores, {"c": wanted})
    assert set(back) == {pd.Timestamp("2019-03-08 16:00")}


@pytest.mark.parametrize("regular", [False, True])
def test_ranges_of_moments_at_noon(regular: bool) -> None:
    """The first day of a range that begins after noon is out, and the last that ends before."""
    values = workdays(hours=False) + pd.Timedelta(hours=12)
    low, high, rest = "2019-03-06 13:00", "2019-03-08 11:00", {"2019-03-07 12:00"}
    if regular:
        days = pd.date_range("2019-01-01 12:00", periods=24, freq="MS")
        values, low, high = pd.Series(days.repeat(5)), "2019-03-01 13:00", "2019-05-01 11:00"
        rest = {"2019-04-01 12:00"}
    _, encoder = fitted(values)
    assert not encoder.clocked
    wanted = Wanted(between=Between(low, high))
    back = decoded(encoder, *rows_within(encoder, wanted, 50), {"c": wanted})
    assert set(back.dt.strftime("%Y-%m-%d %H:%M")) == rest
    cells = encoder.condition("c", wanted)
    assert sum(0 if state is None else (state > 0).sum() for state in cells.states) == 1


@pytest.mark.parametrize("few", [32, 128])
def test_exact_days_of_weeks(few: int) -> None:
    _, encoder = fitted(workdays(), resolution=Resolution(few=few))
    asked = (pd.Timestamp("2019-03-06 09:00"), pd.Timestamp("2019-08-01 15:00"))
    for values in (asked[:1], asked):
        wanted = Wanted(values)
        back = decoded(encoder, *rows_within(encoder, wanted, 200), {"c": wanted})
        assert set(back) == set(values)


@pytest.mark.parametrize("few", [8, 128])
@pytest.mark.parametrize("freq", ["MS", "ME", "14D", "W-MON"])
def test_regular_days_stay_regular(freq: str, few: int) -> None:
    if freq == "14D":
        pool = pd.DatetimeIndex([pd.Timestamp(year, month, 14) for year in (1968, 1969, 1970, 2024)
                                 for month in range(1, 13)])  # fmt: skip
    else:
        pool = pd.date_range("1996-01-31", "2008-12-31", freq=freq)
    values = pd.Series(np.random.default_rng(0).choice(pool, 1_000))
    _, encoder = fitted(values, resolution=Resolution(few=few))
    assert encoder.calendar is not None
    back = decoded(encoder, *any_rows(encoder, 1_000))
    assert back.between(values.min(), values.max()).all()
    if freq == "MS":
        assert (back.dt.day == 1).all()
    elif freq == "ME":
        assert back.dt.is_month_end.all()
        assert back.dt.day[back.dt.month == 2].nunique() == 2
    elif freq == "14D":
        assert (back.dt.day == 14).all()
    else:
        assert (back.dt.weekday == 0).all()
    wanted = Wanted(between=Between(values.iloc[0], values.iloc[0] + pd.Timedelta(days=70)))
    inside = decoded(encoder, *rows_within(encoder, wanted, 100), {"c": wanted})
    assert inside.between(*wanted_ends(wanted)).all()
    assert inside.isin(pd.date_range(pool.min(), pool.max(), freq=freq)).all() or freq == "14D"


def wanted_ends(wanted: Wanted) -> tuple[pd.Timestamp, pd.Timestamp]:
    assert wanted.between is not None
    return wanted.between.low, wanted.between.high


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Asia/Tokyo"])
def test_months_begin_at_midnight_of_the_time_zone(zone: str) -> None:
    pool = pd.date_range("2019-01-01", periods=30, freq="MS", tz=zone)
    values = pd.Series(pool.repeat(10))
    frame, encoder = fitted(values)
    assert encoder.calendar == Months(1)
    assert not encoder.clocked
    assert_alike(decoded(encoder, *encoder.transform(frame)), values)


def test_months_as_periods() -> None:
    values = pd.Series(pd.period_range("2019-01", periods=30, freq="M").repeat(10))
    frame, encoder = fitted(values)
    assert encoder.calendar == Months(1)
    assert_alike(decoded(encoder, *encoder.transform(frame)), values)


def test_a_placeholder_beside_weeks_comes_back() -> None:
    values = pd.concat(
        [workdays(), pd.Series([pd.Timestamp("1900-01-01")] * 400)], ignore_index=True
    )
    frame, encoder = fitted(values)
    back = decoded(encoder, *any_rows(encoder, 3_000))
    old = back.dt.normalize() == "1900-01-01"
    assert old.mean() == pytest.approx(1 / 6, abs=0.03)
    assert (back[~old].dt.weekday < 5).all()
    assert (back[~old] > "2019").all()
    shares = back[~old].dt.weekday.value_counts(normalize=True).sort_index()
    np.testing.assert_allclose(shares, [0.3, 0.2, 0.2, 0.25, 0.05], atol=0.03)
    exact = decoded(encoder, *encoder.transform(frame))
    assert (exact[values == "1900-01-01"] == "1900-01-01").all()


def test_days_alone_have_no_clock() -> None:
    _, encoder = fitted(moments().dt.normalize())
    assert encoder.clock is None


@given(
    st.lists(
        st.tuples(st.integers(-30_000, 30_000), st.sampled_from([0, 1, 3_600, 86_399])),
        min_size=3,
        max_size=30,
    )
)
def test_any_moments_round_trip(parts: list[tuple[int, int]]) -> None:
    """Before 1970 too, and one second before midnight stays on its day."""
    values = pd.Series([pd.Timestamp(day * DAY + second, unit="s") for day, second in parts * 2])
    frame, column = column_of(pd.DataFrame({"c": values}), "datetime", resolution="s")
    encoder = QuantityEncoder.fit(frame, column, Resolution(few=100))
    back = decoded(encoder, *encoder.transform(frame))
    assert back.tolist() == values.tolist()


def test_a_column_of_only_gaps_declared_as_moments() -> None:
    values = pd.Series(pd.to_datetime([None] * 6))
    frame, column = column_of(values, "datetime", resolution="s")
    encoder = QuantityEncoder.fit(frame, column, RESOLUTION)
    assert decoded(encoder, *encoder.transform(frame)).isna().all()


def test_a_range_of_moments_restricts_days_and_is_exact_after_decoding() -> None:
    _, encoder = fitted(moments(days=49))
    between = Wanted(between=Between("2020-01-10 10:00", "2020-02-10 10:00"))
    cells = encoder.condition("c", between)
    assert len(cells.states) == len(encoder.blocks)
    assert len(cells.intervals) == len(encoder.heads)
    assert cells.states[-1] is None
    low, high = cells.intervals[0] or (0.0, 0.0)
    scores = np.linspace(low, high, 60)[:, None].astype(np.float32)
    codes = np.tile(np.arange(3), 20)[:, None].astype(np.int32)
    back = decoded(encoder, codes, scores, {"c": between})
    assert back.between("2020-01-10 10:00", "2020-02-10 10:00").all()


def test_a_single_moment() -> None:
    _, encoder = fitted(moments(days=49))
    wanted = Wanted((pd.Timestamp("2020-01-20 12:00"),))
    cells = encoder.condition("c", wanted)
    assert cells.states[-1] is not None
    assert cells.states[-1].tolist() == [0, 1, 0]
    low, high = cells.intervals[0] or (0.0, 0.0)
    middle = np.full((4, 1), (low + high) / 2, np.float32)
    back = decoded(encoder, np.ones((4, 1), np.int32), middle, {"c": wanted})
    assert set(back) == {pd.Timestamp("2020-01-20 12:00")}


def test_time_zones_of_conditions() -> None:
    values = pd.to_datetime(pd.Series(["2020-01-01", "2020-07-01"] * 5)).dt.tz_localize(
        "Asia/Tokyo"
    )
    _, encoder = fitted(values)
    for asked in ("2020-07-01", pd.Timestamp("2020-06-30 15:00", tz="UTC")):
        (number,) = canonical(encoder.column, Wanted((asked,))).values
        assert number == pd.Timestamp("2020-06-30 15:00").timestamp()


def test_ranges_shrink_to_what_the_column_can_hold() -> None:
    _, encoder = fitted(pd.Series([10, 20, 30] * 5, dtype="int64"))
    between = canonical(encoder.column, Wanted(between=Between(10.2, 29.9))).between
    assert between == Between(20.0, 20.0) or between == Between(11.0, 29.0)
    _, prices = fitted(pd.Series([1.25, 2.5, 3.75] * 5))
    wanted = canonical(prices.column, Wanted(between=Between(1.249, 2.501)))
    assert wanted.between == Between(1.25, 2.5)
    # 0.1 + 0.2 is a little above .3, and means .3 all the same.
    wanted = canonical(prices.column, Wanted(between=Between(0.1 + 0.2, 1)))
    assert wanted.between == Between(0.3, 1.0)


@given(st.integers(-1_000, 1_000), st.integers(0, 500), st.integers(0, 2**32))
def test_decoded_numbers_lie_in_the_range(low: int, width: int, seed: int) -> None:
    values = pd.Series(np.arange(-1_500, 1_500) / 2)
    _, encoder = fitted(values)
    wanted = Wanted(between=Between(low, low + width))
    if low > values.max() or low + width < values.min():
        return
    cells = encoder.condition("c", wanted)
    bottom, top = cells.intervals[0] or (0.0, 0.0)
    rng = np.random.default_rng(seed)
    scores = np.clip(rng.standard_normal((20, 1)), bottom, top).astype(np.float32)
    back = decoded(encoder, np.empty((20, 0), np.int32), scores, {"c": wanted})
    assert back.between(low, low + width).all()


@pytest.mark.parametrize(
    ("values", "wanted", "message"),
    [
        (pd.Series([1, 2, 3] * 5), Wanted(("old",)), "'c' is integer; the condition 'old' is not"),
        (moments(), Wanted(("soon",)), "'c' is datetime; the condition 'soon' is not"),
        (moments(), Wanted(between=Between("x", None)), "'c' is datetime"),
        (
            pd.to_timedelta(pd.Series([1, 90, 30] * 5), "min"),
            Wanted(("a while",)),
            "'c' is timedelta",
        ),
        (pd.Series([1, 2, 3] * 5), Wanted(between=Between(3, 1)), "range for column 'c' is empty"),
        (pd.Series([1, 2, 3] * 5), Wanted(between=Between(1.2, 1.8)), "'c' lies in the range"),
        (pd.Series([1, 2, 3] * 5), Wanted(between=Between(7, 9)), "No value of column 'c'"),
        (pd.Series([1, 2, 3] * 5), Wanted(missing=True), "'c' had no missing cells"),
        (moments(), Wanted(between=Between("2050-01-01", None)), "No value of column 'c'"),
    ],
)
def test_conditions_that_cannot_be(values: pd.Series, wanted: Wanted, message: str) -> None:
    # Numbers that repeat a lot may be inferred as categories; here they are numbers.
    kind = "integer" if values.dtype.kind == "i" else None
    _, encoder = fitted(values, kind)
    with pytest.raises(ConditionError, match=message):
        encoder.condition("c", wanted)


@pytest.mark.parametrize(
    "values",
    [
        moments(gaps=True),
        moments(gaps=True, days=49),
        moments().dt.normalize() + pd.Timedelta(hours=7),
        pd.Series(pd.date_range("2020-01-31", periods=60, freq="ME").repeat(5)),
        pd.concat([moments(), pd.Series([pd.Timestamp("1900-01-01")] * 60)], ignore_index=True),
        pd.Series(np.arange(300) / 4),
    ],
)
def test_an_encoder_comes_back_from_its_state(values: pd.Series) -> None:
    frame, encoder = fitted(values)
    again = QuantityEncoder.from_state(encoder.column, *encoder.to_state())
    codes, scores = encoder.transform(frame)
    for first, second in zip((codes, scores), again.transform(frame), strict=True):
        np.testing.assert_array_equal(first, second)
    back = decoded(encoder, codes, scores)
    assert_alike(decoded(again, codes, scores), back)


def test_states_without_a_calendar_load_as_they_were() -> None:
    """Models saved before there were calendars hold day and time."""
    frame, column = column_of(moments(gaps=True))
    numbers = to_numbers(frame["c"], column)
    day = np.floor(numbers / DAY)
    parts = {
        "whole": NumericEncoder.fit(day, RESOLUTION),
        "clock": NumericEncoder.fit(np.nan_to_num(numbers - day * DAY, nan=43_200.0), RESOLUTION),
    }
    facts, arrays = {}, {}
    for name, part in parts.items():
        facts[name], own = part.to_state()
        arrays |= {f"{name}.{key}": value for key, value in own.items()}
    encoder = QuantityEncoder.from_state(column, facts, arrays)
    assert encoder.calendar is None
    assert encoder.clocked
    codes, scores = encoder.transform(frame)
    assert codes.shape == (400, 2)
    back = decoded(encoder, codes, scores)
    gaps = frame["c"].isna()
    assert back.isna().tolist() == gaps.tolist()
    assert back[~gaps].dt.hour.tolist() == frame["c"][~gaps].dt.hour.tolist()
    assert (back - frame["c"])[~gaps].dt.days.abs().max() <= 10
    assert encoder.to_state()[0] == facts


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        (pd.Series([1, 100] * 9, dtype="int8"), 1000),
        (pd.Series([1, 100] * 9, dtype="uint8"), -3),
        (pd.Series([1.5, 2.25] * 9, dtype="float32"), 1e300),
        (pd.Series([1, 100] * 9, dtype="Int16"), 10**6),
    ],
)
def test_cells_that_the_type_cannot_hold_are_refused(column: pd.Series, cell: Any) -> None:
    with pytest.raises(ConditionError, match="its type is"):
        as_held(pd.Series([cell]), column_of(column)[1])
    assert as_held(pd.Series([column[0]]), column_of(column)[1]).tolist() == [column[0]]


def test_dates_as_text_are_read_year_first_and_never_guessed() -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=30))
    column = column_of(days)[1]
    for text in ("2020-01-05", "2020-01-05 00:00", "20200105"):
        assert as_held(pd.Series([text]), column).tolist() == [pd.Timestamp("2020-01-05")]
        assert canonical(column, Wanted((text,))).values == (
            pd.Timestamp("2020-01-05").timestamp(),
        )
    for text in ("05.01.2020", "1/5/2020", "Jan 5 2020", "yesterday"):
        with pytest.raises(ConditionError, match="is datetime"):
            as_held(pd.Series([text]), column)
        with pytest.raises(ConditionError, match="is datetime"):
            canonical(column, Wanted((text,)))


def test_a_period_is_a_condition_on_its_column() -> None:
    months = pd.Series(pd.period_range("2020-01", periods=30, freq="M"))
    wanted = canonical(column_of(months)[1], Wanted((months[4],)))
    assert wanted.values == (pd.Timestamp("2020-05-01").timestamp(),)
