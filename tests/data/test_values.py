import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen.data.column import Column
from synthgen.data.infer import infer_column
from synthgen.data.values import cast_levels, from_numbers, to_numbers
from synthgen.errors import InvalidDataError

STRING = pd.StringDtype(na_value=np.nan)
NUMBERS = ["int8", "uint16", "int64", "float32", "float64", "Int8", "Int64", "UInt32", "Float64"]


def numbers(values, *, kind, dtype, **facts):
    return from_numbers(np.array(values, dtype=float), Column("x", kind, dtype, **facts))


def test_canonical_numbers_are_what_the_docs_say():
    frame = pd.DataFrame(
        {
            "b": [True, False],
            "d": pd.to_datetime(["1970-01-02", None]),
            "z": pd.to_datetime(["1970-01-01 01:00+01:00", None]),
            "t": pd.to_timedelta([90, None], unit="s"),
            "D": [decimal.Decimal("1.5"), None],
        }
    )
    expected = {"b": [1, 0], "d": [86_400, np.nan], "z": [0, np.nan], "t": [90, np.nan]}
    for name, values in {**expected, "D": [1.5, np.nan]}.items():
        kind = {"b": "boolean", "d": "datetime", "z": "datetime", "t": "timedelta"}.get(
            name, "numeric"
        )
        found = to_numbers(frame[name], Column(name, kind, "object", format="%Y"))
        np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("dtype", NUMBERS)
def test_integers_round_trip_and_saturate(dtype):
    column = Column("x", "integer", dtype)
    series = pd.Series([0, 1, 100], dtype=dtype)
    pd.testing.assert_series_equal(
        from_numbers(to_numbers(series, column), column), series, check_names=False
    )
    beyond = numbers([1e30, -1e30], kind="integer", dtype=dtype)
    assert beyond.dtype == series.dtype
    if "nt" in dtype:
        info = np.iinfo(dtype.lower())
        assert beyond.tolist() == [info.max, info.min]


@given(
    st.lists(st.one_of(st.none(), st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)))),
    st.sampled_from(["ns", "us", "ms", "s"]),
    st.sampled_from([None, "UTC", "America/New_York"]),
)
@settings(max_examples=60, deadline=None)
def test_datetimes_round_trip(moments, unit, zone):
    series = pd.Series(moments, dtype="datetime64[us]").astype(f"datetime64[{unit}]")
    if zone:
        series = series.dt.tz_localize("UTC").dt.tz_convert(zone)
    column = Column("x", "datetime", str(series.dtype), time_zone=zone)
    back = from_numbers(to_numbers(series, column), column)
    # 53 bits hold microseconds within 142 years of 1970; before, they are off by a few.
    gap = (back - series).abs().max()
    assert back.dtype == series.dtype
    assert not len(series.dropna()) or gap <= pd.Timedelta(2, unit="us")


@given(st.lists(st.one_of(st.none(), st.timedeltas(dt.timedelta(-9999), dt.timedelta(9999)))))
@settings(max_examples=30, deadline=None)
def test_time_spans_round_trip(spans):
    series = pd.Series(spans, dtype="timedelta64[ns]")
    column = Column("x", "timedelta", "timedelta64[ns]")
    pd.testing.assert_series_equal(
        from_numbers(to_numbers(series, column), column), series, check_names=False
    )


@given(
    st.lists(st.one_of(st.none(), st.dates(dt.date(1000, 1, 1))), min_size=1),
    st.sampled_from(["%Y-%m-%d", "%-d/%-m/%Y", "%d %b %Y", "%B %-d, %Y", "%Y%m%d", "%a %d %b %Y"]),
)
@settings(max_examples=60, deadline=None)
def test_text_dates_round_trip(days, form):
    python_form = form.replace("%-d", "{d.day}").replace("%-m", "{d.month}")
    texts = [None if d is None else d.strftime(python_form.format(d=d)) for d in days]
    series = pd.Series(texts, dtype=STRING)
    column = Column("x", "datetime", "str", format=form, resolution="D")
    pd.testing.assert_series_equal(
        from_numbers(to_numbers(series, column), column), series, check_names=False
    )


@given(
    st.lists(
        st.one_of(st.none(), st.floats(-1e6, 1e6).map(lambda v: round(v, 2))), min_size=2
    ).filter(lambda values: len({v for v in values if v is not None}) > 1)
)
@settings(max_examples=60, deadline=None)
def test_inferred_numbers_round_trip(values):
    series = pd.Series(values, dtype=float, name="x")
    column = infer_column("x", series)
    pd.testing.assert_series_equal(from_numbers(to_numbers(series, column), column), series)


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([dt.date(1, 1, 1), None, dt.date(9999, 12, 31)], dtype=object),
        pd.Series([dt.datetime(2020, 1, 1, 5), None, dt.datetime(2020, 1, 1, 6)], dtype=object),
        pd.Series(
            [pd.Timestamp(k, tz="UTC").to_pydatetime() for k in (10**18, 2 * 10**18)], dtype=object
        ),
        pd.Series([dt.time(1, 2, 3), None, dt.time(23, 59, 59, 999999)], dtype=object),
        pd.Series([decimal.Decimal("1.20"), None, decimal.Decimal("-3.00")], dtype=object),
        pd.Series([True, None, False], dtype=object),
        pd.Series([1, None, 3], dtype=object),
        pd.Series(pd.period_range("2020-01", periods=3, freq="M")),
        pd.Series(["2020-01-01 10:00:00.250", None, "2021-02-01 00:00:00.000"]),
        pd.Series(["2020-01-01T10:00:00Z", "2021-02-01T00:00:00Z"]),
        pd.Series(["1/2/20 3:04 PM", "12/31/21 12:00 AM"]),
        pd.Series(["01.02.2020", "31.12.2020"]),
        pd.Series(["2020-01-31", "9999-12-31", "1001-01-01"]),
    ],
    ids=str,
)
def test_inferred_values_round_trip(series):
    series = series.rename("x")
    column = infer_column("x", series)
    assert column.modelled
    back = from_numbers(to_numbers(series, column), column)
    assert back.dtype == series.dtype
    missing = series.isna()
    assert back.isna().equals(missing)
    assert back[~missing].tolist() == series[~missing].tolist()


def test_rounding_and_clipping():
    rounded = numbers([1.234, -0.001], kind="numeric", dtype="float64", decimals=2)
    assert rounded.tolist() == [1.23, 0.0]
    assert not np.signbit(rounded[1])
    clipped = numbers([-5, 150], kind="integer", dtype="int64", minimum=0, maximum=120)
    assert clipped.tolist() == [0, 120]
    assert numbers([1234], kind="integer", dtype="int64", decimals=-2).tolist() == [1200]


def test_dates_are_rounded_to_their_resolution():
    hour = numbers([3_500.0], kind="datetime", dtype="datetime64[ns]", resolution="h")
    assert hour.tolist() == [pd.Timestamp("1970-01-01 01:00")]
    zone = "Europe/Berlin"
    noon = pd.Timestamp("2020-03-29 11:00", tz=zone).timestamp()
    day = numbers(
        [noon], kind="datetime", dtype=f"datetime64[ns, {zone}]", resolution="D", time_zone=zone
    )
    assert day.tolist() == [pd.Timestamp("2020-03-29", tz=zone)]


def test_a_midnight_that_does_not_exist_is_moved():
    zone = "America/Sao_Paulo"  # clocks went from midnight to one on 2018-11-04
    moment = pd.Timestamp("2018-11-04 05:00", tz=zone).timestamp()
    day = numbers(
        [moment], kind="datetime", dtype=f"datetime64[s, {zone}]", resolution="D", time_zone=zone
    )
    assert day.tolist() == [pd.Timestamp("2018-11-04 01:00", tz=zone)]


def test_dates_out_of_range_end_at_the_limit():
    far = numbers([1e15, -1e15], kind="datetime", dtype="datetime64[ns]")
    assert far.dt.year.tolist() == [2262, 1677]
    text = numbers([1e15], kind="datetime", dtype="object", format="%Y-%m-%d")
    assert text.tolist() == ["9999-12-31"]


@pytest.mark.parametrize(
    ("form", "values", "texts"),
    [
        ("%.2f", [1, 2.5], ["1.00", "2.50"]),
        ("%g", [1, 2.5], ["1", "2.5"]),
        ("%r", [1, 2.5], ["1.0", "2.5"]),
    ],
)
def test_numbers_as_text(form, values, texts):
    result = numbers([*values, np.nan], kind="numeric", dtype="object", format=form)
    assert result.tolist()[:2] == texts
    assert result.isna().tolist() == [False, False, True]


def test_a_missing_value_widens_a_dtype_without_one():
    assert numbers([1, np.nan], kind="integer", dtype="int64").dtype == np.float64
    assert numbers([1, np.nan], kind="boolean", dtype="bool").tolist()[0] is True
    assert numbers([1, np.nan], kind="integer", dtype="Int64").isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "dtype",
    [
        "object",
        "string[python]",
        "string[pyarrow]",
        "str",
        "category",
        "category[ordered]",
    ],
)
def test_text_levels_are_decoded(dtype):
    taken = cast_levels(["a", "b"], dtype).take(np.array([1, -1, 0]), allow_fill=True)
    series = pd.Series(taken)
    assert series.isna().tolist() == [False, True, False]
    assert series.dropna().tolist() == ["b", "a"]


@pytest.mark.parametrize("dtype", [*NUMBERS, "object"])
def test_number_levels_are_decoded(dtype):
    taken = pd.Series(cast_levels([1, 2], dtype).take(np.array([1, 0]), allow_fill=True))
    assert taken.tolist() == [2, 1]
    assert str(taken.dtype) == dtype


def test_other_levels_are_decoded():
    moment = pd.Timestamp("2020-01-01", tz="UTC")
    assert cast_levels([moment], "datetime64[ns, UTC]").take([0]).tolist() == [moment]
    assert cast_levels([True], "boolean").take([0, -1], allow_fill=True).tolist() == [True, pd.NA]
    assert cast_levels([(1, 2)], "object").take([0]).tolist() == [(1, 2)]
    interval = pd.Interval(0, 1)
    assert cast_levels([interval], "category").tolist() == [interval]


def test_wrong_kinds_are_refused():
    with pytest.raises(InvalidDataError, match="has no numbers"):
        to_numbers(pd.Series(["a"]), Column("x", "categorical", "object"))
    with pytest.raises(InvalidDataError, match="has no numbers"):
        numbers([1], kind="text", dtype="object")
    with pytest.raises(InvalidDataError, match="not of its kind"):
        to_numbers(pd.Series(["a"]), Column("x", "timedelta", "timedelta64[ns]"))


def test_categories_of_numbers_are_read_through():
    series = pd.Series(pd.Categorical([3, 1, None]))
    np.testing.assert_array_equal(
        to_numbers(series, Column("x", "numeric", "category")), [3, 1, np.nan]
    )
