import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.data.column import KINDS, PII_TYPES, Column
from synthgen.data.constraints import Inequality, Predicate, Range
from synthgen.data.schema import Schema
from synthgen.errors import (
    ArtifactError,
    ConstraintError,
    InvalidParameterError,
    SchemaMismatchError,
)


def schema_of(**columns):
    return Schema.infer(pd.DataFrame(columns))


@pytest.fixture
def schema():
    return schema_of(
        age=[31, 45, 45, 60],
        sex=["f", "m", "f", "f"],
        day=["2020-01-01", "2020-01-05", None, "2021-01-01"],
        price=[1.25, 2.5, 3.0, None],
    )


labels = st.one_of(st.text(), st.integers(), st.tuples(st.text(), st.integers()), st.booleans())
columns = st.one_of(
    st.builds(
        Column,
        name=labels,
        kind=st.sampled_from(["numeric", "integer"]),
        dtype=st.sampled_from(["int8", "Float64", "object", "object[decimal]"]),
        nullable=st.booleans(),
        reason=st.text(),
        decimals=st.one_of(st.none(), st.integers(-3, 9)),
        minimum=st.one_of(st.none(), st.floats(-9, 0)),
        maximum=st.one_of(st.none(), st.floats(1, 9)),
    ),
    st.builds(
        Column,
        name=labels,
        kind=st.sampled_from(["categorical", "ordinal"]),
        dtype=st.sampled_from(["object", "category", "category[ordered]"]),
        categories=st.lists(
            st.one_of(
                st.text(),
                st.integers(),
                st.datetimes().map(pd.Timestamp),
                st.floats(allow_nan=False),
            ),
            min_size=1,
            unique=True,
        ).map(tuple),
    ),
    st.builds(
        Column,
        name=labels,
        kind=st.just("pii"),
        dtype=st.just("str"),
        pii=st.sampled_from(PII_TYPES),
    ),
)


@given(st.lists(columns, min_size=1, unique_by=lambda column: column.name))
def test_json_round_trip(found):
    schema = Schema(tuple(found))
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


def test_file_round_trip(schema, tmp_path):
    schema = schema.with_constraints(Range("age", 0, 120), Inequality("age", "price"))
    schema.save(tmp_path / "schema.json")
    assert Schema.load(tmp_path / "schema.json") == schema
    assert [p.name for p in tmp_path.iterdir()] == ["schema.json"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("columns"),
        lambda d: d.update(format=99),
        lambda d: d["columns"][0].update(kind="colour"),
        lambda d: d["columns"][0].update(surprise=1),
        lambda d: d["columns"][0].pop("name"),
        lambda d: d["columns"].append(d["columns"][0]),
        lambda d: d["constraints"].append({"type": "magic"}),
        lambda d: d["constraints"].append({"type": "unique", "columns": ["nowhere"]}),
    ],
)
def test_damaged_documents_are_refused(schema, damage):
    document = schema.to_json()
    damage(document)
    with pytest.raises(ArtifactError):
        Schema.from_json(document)


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(ArtifactError, match="cannot be read"):
        Schema.load(tmp_path / "missing.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ArtifactError, match="cannot be read"):
        Schema.load(tmp_path / "bad.json")


def test_lookup(schema):
    assert schema.names == ("age", "sex", "day", "price")
    assert "age" in schema
    assert [column.name for column in schema] == list(schema.names)
    with pytest.raises(SchemaMismatchError, match="no column 'wage'"):
        schema["wage"]


def test_changing_the_kind_clears_what_no_longer_applies(schema):
    assert schema["day"].format == "%Y-%m-%d"
    changed = schema.with_column("day", kind="categorical")["day"]
    assert (changed.kind, changed.format, changed.resolution) == ("categorical", None, None)
    assert changed.reason == "set by the user"
    assert schema["day"].kind == "datetime"


def test_bounds_of_dates_can_be_given_as_dates(schema):
    changed = schema.with_column("day", minimum="1970-01-02", maximum=pd.Timestamp("1970-01-03"))
    assert (changed["day"].minimum, changed["day"].maximum) == (86_400.0, 172_800.0)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("age", {"kind": "colour"}, "kind must be one of"),
        ("age", {"name": "years"}, "has no field"),
        ("age", {"shade": 1}, "has no field"),
        ("age", {"kind": "datetime"}, "cannot be of kind"),
        ("age", {"kind": "ordinal"}, "needs categories"),
        ("age", {"minimum": 5, "maximum": 1}, "above maximum"),
        ("age", {"minimum": float("inf")}, "must be finite"),
        ("age", {"minimum": "low"}, "not a bound"),
        ("age", {"pattern": "x"}, "does not apply"),
        ("sex", {"kind": "datetime"}, "need format"),
        ("sex", {"kind": "datetime", "format": "%Q"}, "need format"),
        ("sex", {"kind": "pii", "pii": "shoe size"}, "pii must be one of"),
        ("sex", {"categories": ["f", "f"]}, "twice"),
        ("day", {"resolution": "week"}, "resolution must be one of"),
        ("price", {"decimals": 1.5}, "must be an integer"),
        ("price", {"kind": "text"}, "cannot be of kind"),
        ("sex", {"kind": "id", "pattern": "a+"}, "is not understood"),
    ],
)
def test_changes_that_cannot_work_are_refused(schema, name, changes, message):
    with pytest.raises(InvalidParameterError, match=message):
        schema.with_column(name, **changes)


def test_unknown_columns_cannot_be_changed(schema):
    with pytest.raises(SchemaMismatchError):
        schema.with_column("wage", kind="numeric")


def test_schemas_must_be_consistent(schema):
    with pytest.raises(InvalidParameterError, match="at least one"):
        Schema(())
    with pytest.raises(InvalidParameterError, match="unique"):
        Schema((schema["age"], schema["age"]))
    with pytest.raises(InvalidParameterError, match="unknown columns"):
        schema.with_constraints(Range("wage", 0))


def test_constraints_learn_the_format_of_text_dates(schema):
    rule = schema.with_constraints(Range("day", "2020-01-02", None)).constraints[0]
    frame = pd.DataFrame({"day": ["2020-01-01", "2020-01-05", None]})
    assert rule.check(frame).tolist() == [False, True, True]


def test_check_accepts_what_can_be_read(schema):
    frame = pd.DataFrame(
        {"age": [1.0], "sex": pd.Categorical(["x"]), "day": ["2020-01-01"], "price": [None]}
    )
    schema.check(frame)
    schema.check(frame.astype({"sex": "string", "day": "string"}))


def test_check_shows_the_differences(schema):
    frame = pd.DataFrame({"age": ["x"], "sex": ["f"], "day": ["2020"], "wage": [1]})
    with pytest.raises(SchemaMismatchError) as caught:
        schema.check(frame)
    message = str(caught.value)
    assert "missing columns: ['price']" in message
    assert "extra columns: ['wage']" in message
    assert "column 'age': expected integer of dtype int64" in message
    assert "'sex'" not in message


def test_describe_gives_reasons(schema):
    table = schema.describe()
    assert table["name"].tolist() == list(schema.names)
    assert table["kind"].tolist() == ["integer", "categorical", "datetime", "numeric"]
    assert table["reason"].str.len().min() > 5
    assert "pii" not in table


def test_any_container_can_be_inferred():
    assert Schema.infer(np.array([[1.5, 2], [3, 4]])).names == (0, 1)


def test_predicates_are_saved_by_name(schema):
    rule = Predicate(lambda frame: frame["age"] > 0, "adults")
    loaded = Schema.from_json(schema.with_constraints(rule).to_json())
    with pytest.raises(ConstraintError, match="'adults' was not saved"):
        loaded.constraints[0].check(pd.DataFrame({"age": [1]}))


def test_kinds_are_those_of_the_design():
    assert set(KINDS) == {
        "numeric", "integer", "boolean", "categorical", "ordinal", "datetime", "timedelta",
        "text", "id", "pii", "constant",
    }  # fmt: skip


SDV = {
    "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
    "primary_key": "key",
    "columns": {
        "key": {"sdtype": "id", "regex_format": "[A-Z]{2}-[0-9]{3}"},
        "amount": {"sdtype": "numerical", "computer_representation": "Float"},
        "count": {"sdtype": "numerical", "computer_representation": "Int64"},
        "group": {"sdtype": "categorical"},
        "grade": {"sdtype": "categorical", "order": ["low", "high"]},
        "flag": {"sdtype": "boolean"},
        "day": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
        "mail": {"sdtype": "email", "pii": True},
        "town": {"sdtype": "city", "pii": True},
        "notes": {"sdtype": "unknown", "pii": False},
    },
}


def test_sdv_metadata_come_back():
    schema = Schema.from_sdv(SDV)
    kinds = [column.kind for column in schema]
    assert kinds == [
        "id", "numeric", "integer", "categorical", "ordinal", "boolean", "datetime", "pii", "pii",
        "text",
    ]  # fmt: skip
    assert schema["mail"].pii == "email"
    assert schema["grade"].categories == ("low", "high")
    assert schema.to_sdv() == SDV
    assert Schema.from_sdv({"tables": {"t": SDV}}) == schema


def test_sdv_metadata_of_an_inferred_schema(schema):
    document = schema.to_sdv()
    assert document["columns"]["day"] == {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"}
    assert "primary_key" not in document


def test_bad_sdv_metadata_are_refused():
    with pytest.raises(InvalidParameterError, match="not one"):
        Schema.from_sdv({"tables": {}})
    with pytest.raises(InvalidParameterError, match="'columns'"):
        Schema.from_sdv({})
    with pytest.raises(InvalidParameterError, match="is not known"):
        Schema.from_sdv({"columns": {"a": {"sdtype": "colour"}}})
    with pytest.raises(InvalidParameterError, match="column names"):
        Schema.infer(np.array([[1], [2]])).to_sdv()


def test_metadata_are_completed_by_data():
    frame = pd.DataFrame(
        {
            "key": ["AB-001", "AB-002"],
            "amount": np.array([1.25, 2.5], dtype=np.float32),
            "count": [1, None],
            "group": [1, 2],
            "grade": pd.Categorical(["low", "high"], categories=["low", "high"], ordered=True),
            "flag": [True, False],
            "day": pd.to_datetime(["2020-01-01", "2020-01-02"]),
            "mail": ["a@x.org", "b@x.org"],
            "town": ["Bonn", "Rome"],
            "notes": ["some text", "more text"],
        }
    )
    schema = Schema.from_sdv(SDV).completed(frame)
    schema.check(frame)
    assert [column.kind for column in schema] == [column.kind for column in Schema.from_sdv(SDV)]
    assert (schema["amount"].dtype, schema["amount"].decimals) == ("float32", 2)
    assert (schema["group"].kind, schema["group"].dtype) == ("categorical", "int64")
    assert (schema["day"].format, schema["day"].resolution) == (None, "D")
    assert schema["key"].pattern == "[A-Z]{2}-[0-9]{3}"
    with pytest.raises(SchemaMismatchError, match="lacks"):
        Schema.from_sdv(SDV).completed(frame[["key"]])
    with pytest.raises(SchemaMismatchError, match="does not fit"):
        Schema.from_sdv(SDV).completed(frame.assign(day=[1.5, 2.5]))


def test_what_was_completed_by_data_is_not_public():
    frame = pd.DataFrame({"x": [1.5, 2.25, 3.0], "c": ["a", "b", "a"]})
    written = Schema((Column("x", "numeric", "float64"), Column("c", "categorical", "object")))
    assert written.origin == "user"
    assert written.completed(frame).origin == "data"
