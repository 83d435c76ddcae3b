"""Types that come from a declaration, for every container."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.data.column import Column
from synthgen.data.declared import declared_dtype, declared_spec
from synthgen.data.frame import FrameSpec, read_frame, write_frame


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "n": np.arange(4),
            "c": ["a", "b", "a", "b"],
            "k": pd.Categorical(["x", "y", "x", "y"]),
            "t": pd.date_range("2020-01-01", periods=4, tz="UTC"),
            "b": [True, False, True, False],
        }
    )


def declared(found: pd.DataFrame) -> list[str]:
    return list(read_frame(found)[1].dtypes)


def back(table: Any, rows: pd.DataFrame, dtypes: list[str]) -> Any:
    return write_frame(rows, declared_spec(read_frame(table)[1], dtypes))


def test_a_gap_does_not_make_integers_floats() -> None:
    damaged = frame().assign(n=[0.0, 1.0, np.nan, 3.0])
    pd.testing.assert_frame_equal(back(damaged, frame(), declared(frame())), frame())


def test_arrow_keeps_no_metadata() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.Table.from_pandas(frame())
    assert table.schema.metadata is not None
    found = back(table, frame(), declared(frame()))
    assert found.schema.metadata is None
    assert found.schema.field("t").type == table.schema.field("t").type
    assert found.column("n").to_pylist() == [0, 1, 2, 3]
    assert found.column("k").to_pylist() == ["x", "y", "x", "y"]
    assert found.column("b").to_pylist() == [True, False, True, False]


def test_polars_comes_back() -> None:
    pl = pytest.importorskip("polars")
    table = pl.from_pandas(frame())
    found = back(table, frame(), declared(frame()))
    assert found.to_dicts() == table.to_dicts()
    assert dict(found.schema)["k"] == pl.Categorical


@pytest.mark.parametrize(
    "column",
    [
        Column("x", "categorical", "object", categories=("a", "b")),
        Column("x", "categorical", "object"),
        Column("x", "ordinal", "object", categories=("low", "high")),
        Column("x", "id", "object"),
        Column("x", "pii", "object", pii="email"),
        Column("x", "text", "object"),
        Column("x", "datetime", "object", format="%Y-%m-%d"),
        Column("x", "numeric", "object", format="%.2f"),
    ],
)
def test_texts_get_the_dtype_that_pandas_gives_them(
    column: Column, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert declared_dtype(column) == str(pd.Series(["a", "b"]).dtype)
    monkeypatch.setattr("synthgen.data.declared.text_dtype_name", lambda: "str")
    assert declared_dtype(column) == "str"
    assert declared_dtype(column.changed(dtype="string[python]")) == "string[python]"


@pytest.mark.parametrize(
    "column",
    [
        Column("x", "categorical", "object", categories=(1, 2)),
        Column("x", "categorical", "object", categories=("a", 2)),
        Column("x", "numeric", "object"),
        Column("x", "boolean", "object"),
        Column("x", "datetime", "object[date]"),
        Column("x", "categorical", "category", categories=("a", "b")),
    ],
)
def test_other_declared_dtypes_stay(column: Column, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.data.declared.text_dtype_name", lambda: "str")
    assert declared_dtype(column) == column.dtype


@pytest.mark.parametrize(
    ("native", "dtypes", "expected"),
    [
        ("<U30", ("object", "object"), "<U1"),
        ("<f8", ("int64", "int8"), "<i8"),
        ("<i8", ("int64", "float32"), "<f8"),
        ("|O", ("int64", "category"), "|O"),
    ],
)
def test_arrays(native: str, dtypes: tuple[str, ...], expected: str) -> None:
    assert declared_spec(FrameSpec("numpy", (0, 1), dtypes, native), dtypes).native == expected


@pytest.mark.parametrize(
    "name",
    ["Int64", "Float32", "boolean", "timedelta64[us]", "object[date]", "object[time]", "str",
     "object[decimal]", "object[timedelta]", "category[ordered]"],
)  # fmt: skip
def test_every_family_has_an_arrow_type(name: str) -> None:
    pytest.importorskip("pyarrow")
    spec = FrameSpec("pyarrow", ("x",), ("object",), "")
    assert declared_spec(spec, [name]) == declared_spec(spec, [name])
    assert declared_spec(spec, [name]).native
