import json
import sys
import uuid

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.data import surrogate_pii
from synthgen.data.column import PII_TYPES, Column
from synthgen.data.pattern import learn_pattern, parse_pattern
from synthgen.data.shuffle import permute, skip, unpermute
from synthgen.data.surrogate import fit_surrogate, surrogate_from_json
from synthgen.errors import (
    ArtifactError,
    InvalidDataError,
    InvalidParameterError,
    MissingExtraError,
)

ROWS = np.arange(500)


def rng():
    return np.random.default_rng(0)


def make(values, kind, *, dtype=None, rows=ROWS, **facts):
    series = pd.Series(values, dtype=dtype)
    name = dtype if isinstance(dtype, str) else str(series.dtype)
    column = Column("x", kind, "object" if name == "object" else name, **facts)
    surrogate = fit_surrogate(series, column)
    loaded = surrogate_from_json(json.loads(json.dumps(surrogate.to_json())))
    made = surrogate.generate(rows, rng())
    pd.testing.assert_series_equal(loaded.generate(rows, rng()), made)
    assert not made.isna().any()
    return made


IDS = {
    "numbers in order": np.arange(1, 51),
    "random numbers": np.random.default_rng(0).permutation(9_000)[:300] + 1_000,
    "huge numbers": np.random.default_rng(0).integers(0, 2**62, 50),
    "negative numbers": -np.arange(50),
    "floats": np.random.default_rng(0).permutation(900)[:50] * 1e12,
    "uuid": [str(uuid.UUID(int=k * 7919 + 5, version=4)) for k in range(1, 60)],
    "numbered": [f"CUST-{k:04d}" for k in range(1, 100)],
    "not padded": [f"user{k}" for k in range(1, 120)],
    "letters": ["ALFKI", "ANATR", "ANTON", "AROUT"],
    "mixed lengths": [f"N{k}{c}" for k in range(100, 300, 3) for c in ("", "A", "BC")],
    "no form": ["a b", "c dé", "ü"],
}


@pytest.mark.parametrize("case", IDS)
def test_ids_are_new_distinct_and_of_one_form(case):
    real = pd.Series(IDS[case])
    made = make(real, "id")
    assert made.dtype == real.dtype
    assert made.is_unique
    assert not made.isin(real).any()
    parts = [make(real, "id", rows=ROWS[k::7]) for k in range(7)]
    assert pd.concat(parts).is_unique
    assert parts[0].tolist() == made[::7].tolist()


@pytest.mark.parametrize("form", ["number", "text"])
def test_shared_keys_keep_their_numbers_of_rows(form):
    numbers = np.repeat(np.random.default_rng(0).permutation(5_000)[:60], [1] * 40 + [2] * 19 + [7])
    real = pd.Series(numbers if form == "number" else [f"H{k:06d}" for k in numbers])
    made = make(real, "id", rows=np.arange(2 * len(real)))
    first, second = made[: len(real)], made[len(real) :]
    for part in (first, second):
        assert sorted(part.value_counts()) == sorted(real.value_counts())
    assert not made.isin(real).any()
    assert not second.isin(first).any()
    places = np.flatnonzero(first == first.value_counts().index[0])
    assert np.ptp(places) > 2 * len(places)  # rows of a key are not neighbours


def test_ids_keep_their_form():
    assert make(IDS["numbers in order"], "id", rows=np.arange(3)).tolist() == [51, 52, 53]
    assert make(IDS["numbered"], "id", rows=np.arange(2)).tolist() == ["CUST-0100", "CUST-0101"]
    assert make(IDS["not padded"], "id", rows=np.arange(1)).tolist() == ["user120"]
    assert all(uuid.UUID(text).version == 4 for text in make(IDS["uuid"], "id"))
    assert make(IDS["letters"], "id").str.fullmatch("[A-Z]{5}").all()
    assert make(IDS["random numbers"], "id").between(1_000, 9_999).all()
    given_form = make(IDS["letters"], "id", pattern=r"[A-Z]{2}\d{4}")
    assert given_form.str.fullmatch("[A-Z]{2}[0-9]{4}").all()


def test_alternatives_keep_their_shares():
    made = make(IDS["mixed lengths"], "id", rows=np.arange(2_500))
    assert made.is_unique
    shares = make(IDS["mixed lengths"], "id", rows=np.arange(99)).str.len().value_counts()
    assert set(shares.index) == {4, 5, 6}
    assert shares.min() > 20


@pytest.mark.parametrize("dtype", ["Int64", "string[python]", "string[pyarrow]", "category"])
def test_ids_of_any_dtype(dtype):
    values = [3, 5, 9] if dtype == "Int64" else ["a123", "a256", "b745"]
    assert str(make(values, "id", dtype=dtype).dtype) == dtype.replace("[python]", "").replace(
        "[pyarrow]", ""
    )


def test_running_out_of_ids_is_an_error():
    with pytest.raises(InvalidDataError, match="not enough"):
        make(np.arange(100, 120, dtype=np.int8), "id")
    with pytest.raises(InvalidDataError, match="wider form"):
        make([f"A{k}" for k in range(10)], "id", pattern=r"A\d")
    with pytest.raises(InvalidDataError, match="whole numbers or texts"):
        make([1.5, 2.5], "id")


@given(st.integers(1, 3_000), st.integers(0, 2**63 - 1))
def test_permutations_are_bijections(size, key):
    index = np.arange(size)
    shuffled = permute(index, size, key)
    assert np.array_equal(np.sort(shuffled), index)
    assert np.array_equal(unpermute(shuffled, size, key), index)


@given(st.sets(st.integers(0, 50)))
def test_skipping(taken):
    free = [k for k in range(120) if k not in taken][:60]
    assert skip(np.arange(60), np.array(sorted(taken), dtype=np.int64)).tolist() == free


def test_patterns():
    assert learn_pattern(np.array(["a-1", "b-2"], dtype=object)) == r"[a-z]\-\d"
    assert learn_pattern(np.array(["3f", "a1", "07"], dtype=object)) == "[0-9a-f]{2}"
    assert learn_pattern(np.array(["3z", "a1"], dtype=object)) == "[0-9a-z]{2}"
    assert learn_pattern(np.array(["a b", "c"], dtype=object)) is None
    assert parse_pattern("[0-9]{2}|x") == [["0123456789"] * 2, ["x"]]
    for bad in ("a+", "", "a|", "(a)", "[é]"):
        with pytest.raises(InvalidParameterError, match="pattern"):
            parse_pattern(bad)


REAL_PII = {
    "name": "Ann Lee", "first_name": "Ann", "last_name": "Lee", "email": "ann.lee@example.com",
    "phone": "(503) 555-9831", "address": "1 Main St, Bonn, NY 12345", "street": "1 Main St",
    "city": "Bonn", "postcode": "12345", "country": "Peru", "state": "Ohio", "company": "Acme",
    "iban": "GB82WEST12345698765432", "credit_card": "4111111111111111", "ip": "10.0.0.1",
    "ssn": "123-45-6789", "username": "ann", "url": "https://example.com/",
}  # fmt: skip


@pytest.mark.parametrize("pii", PII_TYPES)
def test_personal_data_are_invented(pii):
    made = make([REAL_PII[pii], REAL_PII[pii] + " "], "pii", pii=pii)
    assert made.str.len().min() >= 2
    assert made.nunique() > 20
    if pii not in ("first_name", "last_name", "name", "city", "postcode", "country", "state"):
        assert REAL_PII[pii] not in set(made)


def test_personal_data_keep_their_form():
    phones = make(["(503) 555-9831", "(503) 555-3199"], "pii", pii="phone")
    assert phones.str.fullmatch(r"\(\d{3}\) \d{3}-\d{4}").all()
    numbers = make([5_035_559_831, 5_035_553_199], "pii", pii="phone")
    assert numbers.dtype == np.int64
    assert numbers.between(10**9, 10**10 - 1).all()
    mails = make(["a@b.org", "c@d.org"], "pii", pii="email")
    assert mails.is_unique
    assert mails.str.fullmatch(r"[\w.'-]+\d+@example\.(com|org|net)").all()


def test_personal_data_depend_on_the_row_only():
    values = ["Ann Lee", "Bo Li"]
    whole = make(values, "pii", pii="name")
    assert make(values, "pii", pii="name", rows=ROWS[40:50]).tolist() == whole[40:50].tolist()


def test_real_values_are_left_out():
    real = make(["(503) 555-9831"], "pii", pii="phone")
    assert not make(real, "pii", pii="phone").isin(real).any()


def test_personal_data_without_faker(monkeypatch):
    monkeypatch.setitem(sys.modules, "faker", None)
    surrogate_pii._pool.cache_clear()
    with pytest.raises(MissingExtraError, match=r"synthgen-toolkit\[pii\]"):
        make(["Ann"], "pii", pii="first_name")


def test_personal_data_that_cannot_be_numbers():
    with pytest.raises(InvalidDataError, match="convert it to text"):
        make([1, 2], "pii", pii="name")


def test_texts_are_shuffled_common_words():
    rare = [f"secret{k}" for k in range(40)]
    real = [f"nice big old house {word}" for word in rare] + ["nice house"] * 10
    made = make(real, "text")
    words = set(" ".join(made).split())
    assert words == {"nice", "big", "old", "house"}
    assert not made.isin(real).any()
    assert set(made.str.split().str.len()) <= {2, 3, 5}


def test_words_of_equal_count_keep_the_order_of_the_texts():
    texts = pd.Series(["delta alpha echo charlie bravo golf foxtrot"] * 12)
    surrogate = fit_surrogate(texts, Column("t", "text", "object"))
    assert " ".join(surrogate.words) == texts[0]


def test_texts_without_common_words_and_without_a_way_out():
    made = make(["alpha beta", "gamma delta"], "text")
    assert "alpha" not in " ".join(made)
    only = make(["yes"] * 20, "text", rows=np.arange(5))
    assert not only.isin(["yes"]).any()


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([7, 7]),
        pd.Series(["a", None]),
        pd.Series([None, None]),
        pd.Series([np.nan, np.nan]),
        pd.Series([None, None], dtype="Int64"),
        pd.Series([None, "b"], dtype="string"),
        pd.Series(pd.Categorical(["a", None], categories=["b", "a"])),
        pd.Series(pd.Categorical([None, None], categories=["b", "a"])),
        pd.Series(pd.to_datetime(["2020-01-01", None])),
        pd.Series([None, None], dtype="datetime64[ns]"),
    ],
    ids=lambda series: f"{series.dtype} {series.iloc[0]}",
)
def test_constants(series):
    from synthgen.data.dtypes import dtype_name

    surrogate = fit_surrogate(series, Column("x", "constant", dtype_name(series)))
    loaded = surrogate_from_json(json.loads(json.dumps(surrogate.to_json())))
    made = loaded.generate(np.arange(3), rng())
    assert made.dtype == series.dtype
    assert made.dropna().unique().tolist() == series.dropna().unique().tolist()
    assert made.isna().all() == series.isna().all()


def test_learned_kinds_have_no_surrogate():
    with pytest.raises(InvalidDataError, match="is learned"):
        fit_surrogate(pd.Series([1, 2]), Column("x", "integer", "int64"))


def test_damaged_documents_are_refused():
    for document in ({}, {"type": "magic"}, {"type": "constant"}, {"type": "number_ids"}):
        with pytest.raises(ArtifactError):
            surrogate_from_json(document)


def test_numbers_in_texts_grow_beyond_their_digits():
    made = make([f"P{k:02d}" for k in range(1, 90)], "id", rows=np.arange(20))
    assert made.tolist()[:2] + made.tolist()[-1:] == ["P90", "P91", "P109"]


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [(-(2**63), 2**63 - 1, "int64"), (0, 2**64 - 1, "uint64"), (0, 2**63, "uint64")],
)
def test_ids_that_fill_64_bits(low, high, dtype):
    rng = np.random.default_rng(0)
    real = rng.integers(low, high, 300, dtype=dtype, endpoint=True)
    real[:2] = low, high
    made = make(real, "id", rows=np.arange(5_000))
    assert made.dtype == dtype
    assert made.is_unique
    assert not np.isin(made, real).any()
    quarters = np.histogram(made.astype(float), bins=4, range=(float(low), float(high)))[0]
    assert quarters.min() > 1_000


def test_ids_of_more_than_64_bits_are_refused():
    with pytest.raises(InvalidDataError, match="more than 64 bits"):
        make(np.array([10**30, 10**31], dtype=object), "id")
