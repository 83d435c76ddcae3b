from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.core.documents import (
    check_mapping,
    decode_scalar,
    dump_json,
    encode_scalar,
    plain_json,
)
from synthgen.errors import ArtifactError


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        -(2**70),
        "text",
        2.5,
        -0.0,
        math.inf,
        -math.inf,
        (1, ("a", 2.0), None),
        pd.Timestamp("2020-02-29 12:30:15.123456789"),
        pd.Timestamp("2020-02-29 12:30", tz="Europe/Paris"),
        pd.Timestamp("2020-10-25 02:30", tz="UTC").tz_convert("Europe/Paris"),
        pd.Timestamp("2020-10-25 00:30", tz="UTC").tz_convert("Europe/Paris"),
        pd.Timestamp("2020-10-25 01:30", tz="UTC").tz_convert("Europe/Paris"),
        pd.Timedelta(days=3, nanoseconds=7),
        pd.Interval(0, 1.5, closed="left"),
        pd.Period("2020-03", freq="M"),
        dt.datetime(2020, 1, 2, 3, 4, 5, 6),
        dt.datetime(2020, 1, 2, tzinfo=dt.UTC),
        dt.date(2020, 1, 2),
        dt.time(3, 4, 5),
        decimal.Decimal("1.10"),
        b"\x00\xff",
        1 + 2j,
        pd.NaT,
        pd.NA,
    ],
    ids=repr,
)
def test_scalars_keep_value_and_type(value: Any) -> None:
    document = json.loads(dump_json(encode_scalar(value)))
    decoded = decode_scalar(document)
    assert type(decoded) is type(value)
    if value is pd.NaT or value is pd.NA:
        assert decoded is value
    else:
        assert decoded == value
        assert str(decoded) == str(value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
        lambda inner: st.lists(inner, max_size=3).map(tuple),
        max_leaves=6,
    )
)
def test_any_scalar_round_trips(value: Any) -> None:
    assert decode_scalar(json.loads(dump_json(encode_scalar(value)))) == value


def test_nan_round_trips() -> None:
    assert math.isnan(decode_scalar(json.loads(dump_json(encode_scalar(float("nan"))))))


@pytest.mark.parametrize("value", [np.int64(3), np.float32(0.5), np.bool_(True), np.str_("a")])
def test_numpy_scalars_become_plain(value: Any) -> None:
    decoded = decode_scalar(encode_scalar(value))
    assert decoded == value.item()
    assert type(decoded) is type(value.item())


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="No JSON form for a value of type object"):
        encode_scalar(object())


@pytest.mark.parametrize(
    "document",
    [{}, {"float": "x"}, {"os.system": "ls"}, {"a": 1, "b": 2}, {"date": 3}, {"timestamp": "x"}],
)
def test_documents_that_are_no_scalar_are_refused(document: Any) -> None:
    with pytest.raises(ArtifactError, match="Not the form of a stored value"):
        decode_scalar(document)


def test_json_refuses_what_others_cannot_read() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dump_json({"a": math.inf})
    with pytest.raises(TypeError):
        dump_json({"a": np.float32(1)})
    assert dump_json({"b": "ä", "a": 1}) == '{\n "b": "ä",\n "a": 1\n}\n'


def test_mappings_are_checked() -> None:
    check_mapping({"a": 1, "b": "x", "c": []}, {"a": int, "b": (str, type(None))}, "It")
    with pytest.raises(ArtifactError, match="It is not a JSON object"):
        check_mapping([], {}, "It")
    with pytest.raises(ArtifactError, match="It has no valid 'a': None"):
        check_mapping({}, {"a": int}, "It")


def test_what_json_gives_back() -> None:
    document = {"a": (1, math.nan), 2: {"b": math.inf}, "c": [True, None, "x"]}
    plain = plain_json(document)
    assert plain == {"a": [1, None], "2": {"b": None}, "c": [True, None, "x"]}
    assert json.loads(dump_json(plain)) == plain
