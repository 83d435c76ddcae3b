from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.encode.base import Resolution
from synthgen.encode.canonical import canonical
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


def moments(n: int = 400, gaps: bool = False) -> pd.Series:
    """Return days of two years at 9, 12 or 18 o'clock."""
    rng = np.random.default_rng(0)
    seconds = rng.integers(0, 730, n) * DAY + rng.choice([9, 12, 18], n) * 3_600
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
    values = moments(gaps=True)
    frame, encoder = fitted(values)
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
    _, encoder = fitted(moments())
    between = Wanted(between=Between("2020-03-01 10:00", "2020-03-31 10:00"))
    cells = encoder.condition("c", between)
    assert len(cells.states) == len(encoder.blocks)
    assert len(cells.intervals) == len(encoder.heads)
    assert cells.states[-1] is None
    low, high = cells.intervals[0] or (0.0, 0.0)
    scores = np.linspace(low, high, 60)[:, None].astype(np.float32)
    codes = np.tile(np.arange(3), 20)[:, None].astype(np.int32)
    back = decoded(encoder, codes, scores, {"c": between})
    assert back.between("2020-03-01 10:00", "2020-03-31 10:00").all()


def test_a_single_moment() -> None:
    _, encoder = fitted(moments())
    wanted = Wanted((pd.Timestamp("2020-06-01 12:00"),))
    cells = encoder.condition("c", wanted)
    assert cells.states[-1] is not None
    assert cells.states[-1].tolist() == [0, 1, 0]
    low, high = cells.intervals[0] or (0.0, 0.0)
    middle = np.full((4, 1), (low + high) / 2, np.float32)
    back = decoded(encoder, np.ones((4, 1), np.int32), middle, {"c": wanted})
    assert set(back) == {pd.Timestamp("2020-06-01 12:00")}


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


@pytest.mark.parametrize("values", [moments(gaps=True), pd.Series(np.arange(300) / 4)])
def test_an_encoder_comes_back_from_its_state(values: pd.Series) -> None:
    frame, encoder = fitted(values)
    again = QuantityEncoder.from_state(encoder.column, *encoder.to_state())
    codes, scores = encoder.transform(frame)
    for first, second in zip((codes, scores), again.transform(frame), strict=True):
        np.testing.assert_array_equal(first, second)
    back = decoded(encoder, codes, scores)
    assert_alike(decoded(again, codes, scores), back)
