import datetime as dt
import uuid
import warnings

import numpy as np
import pandas as pd
import pytest

from synthgen.data.datasets import load_adult
from synthgen.data.datetext import guess_format
from synthgen.data.infer import infer_column
from synthgen.data.schema import Schema
from synthgen.errors import DataWarning

RNG = np.random.default_rng(0)
WORDS = ["sunny", "quiet", "house", "with", "garden", "near", "the", "old", "lake", "and", "park"]
TEXTS = [" ".join(RNG.choice(WORDS, 6)) for _ in range(200)]
FIRST = ["Ann", "Bob", "Carla", "Dan", "Eva", "Frank", "Gina", "Hal"]
LAST = ["Smith", "Jones", "Miller", "Brown", "O'Neil", "Garcia"]
PEOPLE = [f"{a} {b}" for a in FIRST for b in LAST]


def kind_of(values, name="x", dtype=None):
    return infer_column(name, pd.Series(values, dtype=dtype, name=name))


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("x", [None, None], "constant"),
        ("x", [1, 1, None], "constant"),
        ("x", ["a", "a"], "constant"),
        ("x", [True, False], "boolean"),
        ("x", pd.array([True, None, False], dtype="boolean"), "boolean"),
        ("x", pd.Series([True, None, False], dtype=object), "boolean"),
        ("x", [0, 1, 1, 0], "integer"),
        ("x", [1, None, 3], "integer"),
        ("x", [1.5, 2.25], "numeric"),
        ("x", pd.Series([1, 2, 4], dtype=object), "integer"),
        ("x", pd.to_datetime(["2020-01-01", "2021-01-01"]), "datetime"),
        ("x", [dt.date(2020, 1, 1), dt.date(2021, 1, 1)], "datetime"),
        ("x", pd.to_timedelta([1, 2], unit="h"), "timedelta"),
        ("x", [dt.time(1), dt.time(2)], "timedelta"),
        ("x", pd.Categorical(["a", "b"]), "categorical"),
        ("x", pd.Categorical([1, 2], ordered=True), "ordinal"),
        ("x", [f"{k}.25" for k in range(30)], "numeric"),
        ("zip", [f"{k:05d}" for k in RNG.integers(0, 99_999, 60)] * 2, "categorical"),
        ("zip", RNG.choice([28801, 28803, 28804, 28806, 28715], 400), "categorical"),
        ("year", np.arange(1950, 2020), "integer"),
        ("salary", RNG.choice([20_000, 21_000, 24_000], 400), "integer"),
        ("weight", RNG.permutation(100_000)[:3_000] + 12_285, "integer"),
        ("host_id", RNG.integers(0, 300, 1_000), "categorical"),
        ("host_id", RNG.integers(0, 1_000, 1_000), "id"),
        ("host_id", [f"h{k}" for k in RNG.integers(0, 1_000, 1_000)], "id"),
        ("host_id", [7, 8, 8, 9], "categorical"),
        ("customer_id", RNG.permutation(10_000)[:500], "id"),
        ("id", [100.0, 7.0, 5.0, 3.0], "id"),
        ("CustomerID", ["ALFKI", "ANATR", "ANTON", "AROUT"], "id"),
        ("customer_id", ["Val2 ", "ALFKI", "B'S x", "ü"], "id"),
        ("x", np.arange(1, 200), "id"),
        ("Index", np.arange(5), "id"),
        ("x", [1, 2, 3, 4, 5], "integer"),
        ("x", np.linspace(0, 1, 200), "numeric"),
        ("x", [str(uuid.UUID(int=int(k))) for k in RNG.integers(1, 2**62, 30)], "id"),
        ("x", [f"AB-{k:04d}" for k in RNG.permutation(9_999)[:300]], "id"),
        ("status", RNG.choice(["A11", "A12", "A14"], 100), "categorical"),
        ("x", [f"{a}@example.org" for a in "abcdef"], "pii"),
        ("x", ["10.0.0.1", "192.168.1.7"], "pii"),
        ("x", ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32"], "pii"),
        ("x", ["4111 1111 1111 1111", "5500-0000-0000-0004"], "pii"),
        ("x", [f"{k} Main Street" for k in range(30)], "pii"),
        ("name", PEOPLE, "pii"),
        ("customer_name", PEOPLE, "pii"),
        ("phone", ["(503) 555-9831", "(503) 555-3199"], "pii"),
        ("phone", [5_035_559_831, 5_035_553_199], "pii"),
        ("mobile_data_bytes", [5_035_559_831, 5_035_553_199], "integer"),
        ("phone_charges", [5_035_559, 5_035_553], "integer"),
        ("telephone", ["A191", "A192"] * 9, "categorical"),
        ("product_name", ["Chai", "Chang", "Tofu"] * 3, "categorical"),
        ("name", ["Endeavor Air", "Delta Lines", "United"] * 3, "categorical"),
        ("x", TEXTS, "text"),
        ("x", [b"a", b"b"], "categorical"),
    ],
)
def test_kinds(name, values, kind):
    column = kind_of(values, name)
    assert (column.kind, bool(column.reason)) == (kind, True)


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["12/19/21", "1/1/20"], "%-m/%-d/%y"),
        (["12/19/21", "01/01/20"], "%m/%d/%y"),
        (["19/12/2021", "01/01/2020"], "%d/%m/%Y"),
        (["01.02.2020", "31.12.2020"], "%d.%m.%Y"),
        (["2011-01-01 00:00:00", "2012-12-19 23:00:00"], "%Y-%m-%d %H:%M:%S"),
        (["1996-07-04 00:00:00.000"], "%Y-%m-%d %H:%M:%S.%3f"),
        (["2013-01-01T10:00:00Z"], "%Y-%m-%dT%H:%M:%SZ"),
        (["2013-01-01T10:00:00+01:00", "2013-07-01T10:00:00+02:00"], "%Y-%m-%dT%H:%M:%S%z"),
        (["1/2/20 3:04 PM", "12/31/21 12:00 AM"], "%-m/%-d/%y %-I:%M %p"),
        (["Jan 5, 2020", "Dec 31, 2020"], "%b %-d, %Y"),
        (["20200131", "20201231"], "%Y%m%d"),
        (["9999-12-31", "2020-01-01"], "%Y-%m-%d"),
        (["12345678", "99999999"], None),
        (["12:30", "13:30"], None),
        (["28801", "28803"], None),
        (["2020-13-45", "2020-99-99"], None),
        (["hello"], None),
    ],
)
def test_date_formats(texts, form):
    assert guess_format(np.array(texts, dtype=object)) == form


def test_a_few_stray_texts_do_not_matter():
    days = pd.date_range("2020-01-01", periods=200).strftime("%Y-%m-%d")
    assert kind_of(["unknown", *days]).kind == "datetime"
    assert kind_of(["unknown"] * 5 + list(days)).kind == "categorical"


def test_facts_about_values():
    assert kind_of([1.25, 2.5]).decimals == 2
    assert kind_of([1200, 300]).decimals == -2
    assert kind_of([0.1 + 0.2, 1 / 3]).decimals is None
    assert kind_of(np.array([0.1, 0.25], dtype=np.float32)).decimals == 2
    assert kind_of(pd.to_datetime(["2020-01-01 10:00", "2020-01-02 00:00"])).resolution == "h"
    zoned = pd.Series(pd.date_range("2020-03-25", periods=9, tz="Europe/Berlin"))
    assert (kind_of(zoned).time_zone, kind_of(zoned).resolution) == ("Europe/Berlin", "D")
    assert kind_of(pd.Categorical(["a", "c"], ["c", "a"], ordered=True)).categories == ("c", "a")
    assert kind_of(["1.50", "2.25"] * 10 + [f"{k}.10" for k in range(30)]).format == "%.2f"


def test_pii_says_which():
    assert kind_of(FIRST * 3, "host_name").pii == "first_name"
    assert kind_of(LAST * 3, "Surname").pii == "last_name"
    assert kind_of(PEOPLE, "patient").kind != "pii"


def test_warnings_are_collected():
    frame = pd.DataFrame(
        {"a": TEXTS, "b": TEXTS[::-1], "mail": [f"u{k}@x.org" for k in range(200)]}
    )
    frame["rare"] = [f"word {k}" for k in range(100)] * 2
    frame.loc[:80, "rare"] = [f"other {k}" for k in range(81)]
    with pytest.warns(DataWarning) as caught:
        Schema.infer(frame)
    messages = sorted(str(w.message).split(":")[0] for w in caught)
    assert len(messages) == 3
    assert any("['a', 'b']" in str(w.message) for w in caught)
    assert any("{'mail': 'email'}" in str(w.message) for w in caught)
    assert any("['rare']" in str(w.message) for w in caught)
    assert {w.filename for w in caught} == {__file__}


def test_adult_is_understood_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = Schema.infer(load_adult())
    assert {c.kind for c in schema} == {"integer", "categorical"}
    assert schema["fnlwgt"].kind == "integer"


def test_personal_data_that_were_declared_as_levels():
    emails = [f"person{k}@mail{k % 7}.org" for k in range(200)]
    plain = pd.DataFrame({"email": emails})
    for frame in (plain, plain.astype("category")):
        with pytest.warns(DataWarning, match="Personal data"):
            assert Schema.infer(frame)["email"].kind == "pii"
    levels = pd.DataFrame({"size": pd.Categorical(["small", "large"] * 50)})
    assert Schema.infer(levels)["size"].kind == "categorical"
