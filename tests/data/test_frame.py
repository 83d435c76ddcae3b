import datetime as dt
import decimal
import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen.data.frame import FrameSpec, read_frame, read_path, write_frame, write_path
from synthgen.errors import ArtifactError, InvalidDataError


def there_and_back(table, y=None):
    frame, spec = read_frame(table, y)
    stored = FrameSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert stored == spec
    return write_frame(frame, stored)


@pytest.fixture
def every_dtype():
    return pd.DataFrame(
        {
            "i": [1, 2, 3],
            "f": [1.5, None, 2],
            "f32": np.array([1, 2, 3], dtype=np.float32),
            "o": ["x", None, "y"],
            "I": pd.array([1, None, 3], dtype="Int64"),
            "u": pd.array([1, None, 3], dtype="UInt8"),
            "F": pd.array([1.5, None, 3], dtype="Float64"),
            "b": [True, False, True],
            "B": pd.array([True, None, False], dtype="boolean"),
            "c": pd.Categorical(["u", "v", None], categories=["v", "u", "w"]),
            "C": pd.Categorical(["u", "v", None], ordered=True),
            "t": pd.date_range("2020", periods=3),
            "z": pd.date_range("2020", periods=3, tz="Europe/Berlin").as_unit("s"),
            "d": pd.to_timedelta([1, None, 3], unit="h"),
            "s": pd.array(["a", None, "c"], dtype="string[python]"),
            "a": pd.array(["a", None, "c"], dtype="string[pyarrow]"),
            "n": pd.Series(["a", None, "c"], dtype=pd.StringDtype(na_value=np.nan)),
            "p": pd.period_range("2020-01", periods=3, freq="M"),
            "D": [decimal.Decimal("1.20"), None, decimal.Decimal("3")],
            "day": [dt.date(2020, 1, 1), None, dt.date(9999, 1, 1)],
            "time": [dt.time(1, 2), None, dt.time(3)],
            "none": [None, None, None],
            ("a", 1): [1, 2, 3],
            7: [1, 2, 3],
        },
        index=[5, 5, 7],
    )


def test_pandas_round_trip_of_every_dtype(every_dtype):
    before = every_dtype.copy()
    result = there_and_back(every_dtype)
    pd.testing.assert_frame_equal(result, every_dtype.reset_index(drop=True))
    pd.testing.assert_frame_equal(every_dtype, before)


def test_pandas_arrow_dtypes_round_trip():
    df = pd.DataFrame(
        {
            "i": pd.array([1, None], dtype=pd.ArrowDtype(pa.int16())),
            "s": pd.array(["a", None], dtype=pd.ArrowDtype(pa.large_string())),
            "t": pd.array(
                [dt.datetime(2020, 1, 1), None], dtype=pd.ArrowDtype(pa.timestamp("ms", "UTC"))
            ),
            "d": pd.array([decimal.Decimal("1.50"), None], pd.ArrowDtype(pa.decimal128(9, 2))),
            "plain": [1, 2],
        }
    )
    frame, spec = read_frame(df)
    assert spec.dtypes[:2] == ("Int16", "object") or spec.dtypes[:2] == ("Int16", "str")
    assert not any(isinstance(dtype, pd.ArrowDtype) for dtype in frame.dtypes)
    pd.testing.assert_frame_equal(there_and_back(df), df)


def polars_frame():
    return pl.DataFrame(
        {
            "i": [1, 2, None],
            "u": pl.Series([1, 2, 3], dtype=pl.UInt8),
            "f": pl.Series([1.5, None, 2.0], dtype=pl.Float32),
            "s": ["x", None, "y"],
            "b": [True, False, None],
            "c": pl.Series(["a", "b", None], dtype=pl.Categorical),
            "e": pl.Series(["a", "b", None], dtype=pl.Enum(["a", "b", "z"])),
            "day": [dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)],
            "t": pl.Series([dt.datetime(2020, 1, 1), None, None], dtype=pl.Datetime("ms")),
            "z": pl.Series([dt.datetime(2020, 1, 1), None, None]).dt.replace_time_zone("UTC"),
            "d": [dt.timedelta(1), None, dt.timedelta(2)],
            "time": [dt.time(3, 4), None, dt.time(5)],
            "dec": pl.Series([decimal.Decimal("1.20"), None, decimal.Decimal("3")]),
            "null": [None, None, None],
            "all_none": pl.Series([None, None, None], dtype=pl.Int32),
        }
    )


def test_polars_round_trip():
    table = polars_frame()
    result = there_and_back(table)
    assert result.schema == table.schema
    assert result.equals(table)
    assert there_and_back(table.lazy()).equals(table)


def test_arrow_round_trip():
    table = polars_frame().to_arrow()
    result = there_and_back(table)
    assert result.schema == table.schema
    assert result.equals(table)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(3, 2),
        np.arange(6, dtype=np.int16).reshape(3, 2),
        np.ones((3, 2), dtype=bool),
        np.array([["a", "b"], ["cc", "d"]]),
        np.array([["a", 1.5], ["cc", 2.0]], dtype=object),
    ],
    ids=["float", "int16", "bool", "text", "object"],
)
def test_numpy_round_trip(array):
    result = there_and_back(array)
    assert result.dtype == array.dtype
    np.testing.assert_array_equal(result, array)


def test_object_array_columns_get_their_own_dtypes():
    frame, _ = read_frame(np.array([["a", 1], ["b", 2]], dtype=object))
    assert list(frame.columns) == [0, 1]
    assert frame[1].dtype == np.int64


def test_numpy_integers_become_floats_when_a_value_goes_missing():
    frame, spec = read_frame(np.array([[1], [2]]))
    result = write_frame(frame.assign(**{}).set_axis([0], axis=1).astype(float) * np.nan, spec)
    assert result.dtype == np.float64


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
            st.one_of(st.none(), st.text(max_size=5)),
            st.one_of(st.none(), st.booleans()),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=50, deadline=None)
def test_any_polars_frame_comes_back(rows):
    schema = {"i": pl.Int64, "s": pl.String, "b": pl.Boolean, "f": pl.Float64}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    assert there_and_back(table).equals(table)
    arrow = table.to_arrow()
    assert there_and_back(arrow).equals(arrow)


def test_target_is_appended():
    df = pd.DataFrame({"a": [1, 2]})
    assert list(there_and_back(df, y=["u", "v"])["target"]) == ["u", "v"]
    assert list(there_and_back(df, y=pd.Series([3, 4], name="z", index=[9, 8]))["z"]) == [3, 4]
    assert there_and_back(pl.from_pandas(df), y=pl.Series("z", [1.5, 2]))["z"].dtype == pl.Float64
    assert there_and_back(pa.table({"a": [1, 2]}), y=np.array([1, 2])).column_names[-1] == "target"
    both = there_and_back(np.array([[1.0], [2.0]]), y=np.array([3, 4]))
    np.testing.assert_array_equal(both, [[1, 3], [2, 4]])


def test_extra_columns_are_left_out_and_missing_ones_reported():
    frame, spec = read_frame(pd.DataFrame({"a": [1], "b": [2]}))
    assert list(write_frame(frame.assign(c=1)[["c", "b", "a"]], spec).columns) == ["a", "b"]
    with pytest.raises(InvalidDataError, match="lacks the columns \\['b'\\]"):
        write_frame(frame[["a"]], spec)


BAD = {
    "none": (None, "Expected a table"),
    "text": ("table.csv", "Expected a table"),
    "dict": ({"a": [1]}, "Expected a table"),
    "series": (pd.Series([1]), "Reshape your data"),
    "polars series": (pl.Series([1]), "Reshape your data"),
    "one dimension": (np.arange(3), "Reshape your data"),
    "three dimensions": (np.ones((2, 2, 2)), "Reshape your data"),
    "ragged": ([[1, 2], [3]], "different lengths"),
    "no rows": (np.empty((0, 3)), r"0 sample\(s\)"),
    "no columns": (
        np.empty((3, 0)),
        r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required.",
    ),
    "empty frame": (pd.DataFrame(), r"0 feature\(s\)"),
    "frame without rows": (pd.DataFrame({"a": []}), r"0 sample\(s\)"),
    "empty polars": (pl.DataFrame({"a": []}), r"0 sample\(s\)"),
    "duplicate names": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than once: 'a'"),
    "lists": (pd.DataFrame({"a": [[1], [2]]}), "nested values .'list'"),
    "dicts": (pd.DataFrame({"a": [{}, None]}), "nested"),
    "polars lists": (pl.DataFrame({"a": [[1]]}), "nested"),
    "mixed": (pd.DataFrame({"a": [1, "x", None]}), "mixes values .*1 int, 1 str"),
    "objects": (pd.DataFrame({"a": [object()]}), "objects of type 'object'"),
    "infinite": (pd.DataFrame({"a": [1, np.inf], "b": 1}), "'a': 1"),
    "infinite object": (pd.DataFrame({"a": [1, np.inf]}, dtype=object), "'a': 1"),
    "complex array": (np.array([[1j]]), "Complex data not supported"),
    "complex column": (pd.DataFrame({"a": [1j]}), "Complex data not supported"),
    "scipy sparse": (scipy.sparse.csr_array(np.eye(3)), "Sparse data"),
    "pandas sparse": (pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])}), "sparse"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case):
    table, message = BAD[case]
    with pytest.raises(InvalidDataError, match=message):
        read_frame(table)


def test_bad_targets_are_refused():
    df = pd.DataFrame({"a": [1, 2]})
    with pytest.raises(InvalidDataError, match="inconsistent numbers of samples"):
        read_frame(df, y=[1, 2, 3])
    with pytest.raises(InvalidDataError, match="already has a column"):
        read_frame(df, y=pd.Series([1, 2], name="a"))
    with pytest.raises(InvalidDataError, match="1d array"):
        read_frame(df, y=np.ones((2, 2)))


def test_a_damaged_description_is_refused():
    with pytest.raises(ArtifactError):
        FrameSpec.from_json({"container": "pandas"})


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".feather", ".arrow"])
def test_files_round_trip(tmp_path, suffix):
    df = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [1.5, None]})
    path = tmp_path / "new" / f"table{suffix}"
    write_path(df, path)
    pd.testing.assert_frame_equal(read_path(path), df)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    write_path(pl.from_pandas(df), path)
    pd.testing.assert_frame_equal(read_path(path), df)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    write_path(pd.DataFrame({"a": [1]}), path)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OSError, match="No space left"):
        write_path(pd.DataFrame({"a": [2]}), path)
    assert path.read_text() == "a\n1\n"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(InvalidDataError, match="no file"):
        read_path(tmp_path / "missing.csv")
    with pytest.raises(InvalidDataError, match=r"use one of \.csv"):
        read_path(tmp_path / "table.xlsx")
    (tmp_path / "bad.parquet").write_text("nonsense")
    with pytest.raises(InvalidDataError, match="cannot be read as parquet"):
        read_path(tmp_path / "bad.parquet")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InvalidDataError, match="cannot be read as csv"):
        read_path(tmp_path / "empty.csv")


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_files_with_other_separators(mark: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"x{mark}c\n1{mark}a\n2{mark}b\n")
    with pytest.raises(InvalidDataError, match="seem to be separated by"):
        read_path(file)


def test_compressed_files_that_are_cut(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv.gz"
    whole = gzip.compress(b"x,c\n" + b"1.2345,a\n" * 5_000)
    for raw in (whole[: len(whole) // 2], whole[:20] + b"\x00" * 40 + whole[60:]):
        file.write_bytes(raw)
        with pytest.raises(InvalidDataError, match="cannot be read as csv"):
            read_path(file)


def test_a_missing_date_among_texts_is_a_missing_text():
    frame = read_frame(pd.DataFrame({"a": pd.Series(["x", pd.NaT, None, "y"], dtype=object)}))[0]
    assert frame["a"].isna().tolist() == [False, True, True, False]
