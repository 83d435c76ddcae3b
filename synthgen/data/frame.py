"""Tables of any container in, the same container out; nothing else here knows containers.

Inside synthgen a table is a pandas frame with a RangeIndex, unique column labels and ordinary
dtypes. :class:`FrameSpec` remembers what the user had, so that :func:`write_frame` gives it back.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from synthgen.core.documents import check_mapping, decode_scalar, encode_scalar
from synthgen.data.arrow import (
    column_to_arrow,
    column_to_pandas,
    pack_schema,
    require_pyarrow,
    unpack_schema,
)
from synthgen.data.check import check_columns, check_labels, check_shape
from synthgen.data.dtypes import can_hold_missing, dtype_from_name, dtype_name
from synthgen.data.paths import read_path, write_path
from synthgen.data.target import as_array, common_dtype, target_series
from synthgen.data.zones import with_named_zones
from synthgen.errors import InvalidDataError, MissingExtraError

__all__ = ["FrameSpec", "read_frame", "read_path", "write_frame", "write_path"]

Container = Literal["pandas", "polars", "pyarrow", "numpy"]


@dataclass(frozen=True)
class FrameSpec:
    """What is needed to give a table back in the form it came in.

    Parameters
    ----------
    container : {"pandas", "polars", "pyarrow", "numpy"}
        The library whose table it was.
    columns : tuple
        Column labels in order.
    dtypes : tuple of str
        Names of the pandas dtypes inside synthgen, see :mod:`synthgen.data.dtypes`.
    native : str, optional
        The container's own types: an Arrow schema or an empty polars frame in base64, or the name
        of a numpy dtype. For pandas, the Arrow schema of the columns that have an ``ArrowDtype``.
    """

    container: Container
    columns: tuple[Hashable, ...]
    dtypes: tuple[str, ...]
    native: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document, see :meth:`from_json`."""
        return {
            "container": self.container,
            "columns": [encode_scalar(label) for label in self.columns],
            "dtypes": list(self.dtypes),
            "native": self.native,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> FrameSpec:
        """Read a document written by :meth:`to_json`.

        Raises
        ------
        ArtifactError
            If it is not such a document.
        """
        required = {"container": str, "columns": list, "dtypes": list}
        check_mapping(document, required, "The description of the frame")
        return cls(
            container=document["container"],
            columns=tuple(decode_scalar(label) for label in document["columns"]),
            dtypes=tuple(document["dtypes"]),
            native=document.get("native"),
        )


def read_frame(X: Any, y: Any = None) -> tuple[pd.DataFrame, FrameSpec]:
    """Turn a table into a plain pandas frame and a description of what it was.

    Parameters
    ----------
    X : pandas.DataFrame, polars.DataFrame, pyarrow.Table or array-like of shape (n, k)
        The table. It is not modified.
    y : array-like of shape (n,), optional
        One more column, appended under its own name or as ``"target"``.

    Returns
    -------
    frame : pandas.DataFrame
        RangeIndex, unique columns, no Arrow dtypes. Columns of an array are called 0 to k - 1.
    spec : FrameSpec
        For :func:`write_frame`.

    Raises
    ------
    InvalidDataError
        If it is not a table, empty, or has duplicate labels or columns that cannot be modelled.
    """
    frame, container, native = _to_pandas(X)
    check_shape(frame.shape)
    check_labels(list(frame.columns))
    if y is not None:
        frame, native = _append_target(frame, y, container, native)
    check_columns(frame)
    frame = with_named_zones(frame)
    spec = FrameSpec(
        container=container,
        columns=tuple(frame.columns),
        dtypes=tuple(dtype_name(frame[label]) for label in frame.columns),
        native=native,
    )
    return frame, spec


def write_frame(df: pd.DataFrame, spec: FrameSpec) -> Any:
    """Turn a frame of synthgen into the container and types that `spec` describes.

    Parameters
    ----------
    df : pandas.DataFrame
        Has at least the columns of `spec`; further ones are left out.
    spec : FrameSpec

    Returns
    -------
    pandas.DataFrame, polars.DataFrame, pyarrow.Table or numpy.ndarray of shape (n, k)
    """
    df = _select(df, spec)
    if spec.container == "numpy":
        return _write_numpy(df, spec)
    if spec.container == "pyarrow":
        return _write_arrow(df, unpack_schema(cast("str", spec.native)))
    if spec.container == "polars":
        return _write_polars(df, cast("str", spec.native))
    return _write_pandas(df, spec)


def write_rows(df: pd.DataFrame, spec: FrameSpec, X: Any) -> Any:
    """Turn rows that stand for those of `X`, one for one, into its container, with its index.

    Parameters
    ----------
    df : pandas.DataFrame
    spec : FrameSpec
    X : object
        What the rows were read from.

    Returns
    -------
    like X
    """
    rows = write_frame(df, spec)
    return rows.set_axis(X.index, axis=0) if isinstance(X, pd.DataFrame) else rows


def _to_pandas(X: Any) -> tuple[pd.DataFrame, Container, str | None]:
    if isinstance(X, pd.DataFrame):
        return _read_pandas(X)
    package = type(X).__module__.partition(".")[0]
    if package == "polars":
        return _read_polars(X)
    if package == "pyarrow":
        return _read_arrow(X)
    if isinstance(X, pd.Series):
        raise InvalidDataError(
            "Expected a table, got a pandas Series. Reshape your data: use series.to_frame()."
        )
    return _read_array(X)


def _read_pandas(X: pd.DataFrame) -> tuple[pd.DataFrame, Container, str | None]:
    labels = list(X.columns)
    check_labels(labels)
    frame = X.reset_index(drop=True)
    frame.columns = pd.Index(labels, tupleize_cols=False)
    arrow = [label for label in labels if isinstance(frame[label].dtype, pd.ArrowDtype)]
    if not arrow:
        return frame, "pandas", None
    pa = require_pyarrow("A frame with Arrow columns")
    fields = []
    columns = {label: frame[label] for label in labels}
    for label in arrow:
        values = pa.chunked_array(pa.array(frame[label]))
        fields.append(pa.field(str(labels.index(label)), values.type))
        columns[label] = column_to_pandas(label, values)
    return _assemble(columns), "pandas", pack_schema(pa.schema(fields))


def _read_polars(X: Any) -> tuple[pd.DataFrame, Container, str | None]:
    if type(X).__name__ == "LazyFrame":
        X = X.collect()
    if type(X).__name__ != "DataFrame":
        raise InvalidDataError(
            f"Expected a table, got a polars {type(X).__name__}. Reshape your data: a single "
            "column becomes a table by series.to_frame()."
        )
    check_shape(X.shape)
    require_pyarrow("Reading a polars frame")
    buffer = io.BytesIO()
    X.head(0).write_ipc(buffer)
    frame, _, _ = _read_arrow(X.to_arrow())
    return frame, "polars", base64.b64encode(buffer.getvalue()).decode("ascii")


def _read_arrow(X: Any) -> tuple[pd.DataFrame, Container, str | None]:
    pa = require_pyarrow("Reading an Arrow table")
    if isinstance(X, pa.RecordBatch):
        X = pa.Table.from_batches([X])
    if not isinstance(X, pa.Table):
        raise InvalidDataError(f"Expected a table, got a pyarrow {type(X).__name__}.")
    check_labels(list(X.column_names))
    check_shape(X.shape)
    columns = {name: column_to_pandas(name, X.column(name)) for name in X.column_names}
    return _assemble(columns), "pyarrow", pack_schema(X.schema)


def _read_array(X: Any) -> tuple[pd.DataFrame, Container, str | None]:
    values = as_array(X)
    if values.dtype.kind == "c":
        raise InvalidDataError("Complex data not supported. Split it into real and imaginary.")
    if values.ndim != 2 or values.dtype.names is not None:
        found = f"{values.ndim}D array" if values.dtype.names is None else "structured array"
        raise InvalidDataError(
            f"Expected 2D array, got {found} instead. Reshape your data either using "
            "array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) if it "
            "contains a single sample, or pass a DataFrame."
        )
    check_shape(values.shape)
    frame = pd.DataFrame(values.copy())
    if values.dtype == object:
        frame = _assemble({label: frame[label].infer_objects() for label in frame.columns})
    elif values.dtype.kind in "US":
        frame = frame.astype(object)
    return frame, "numpy", values.dtype.str


def _append_target(
    frame: pd.DataFrame, y: Any, container: Container, native: str | None
) -> tuple[pd.DataFrame, str | None]:
    series = target_series(y, len(frame))
    name = series.name
    if name in frame.columns:
        raise InvalidDataError(
            f"y is called {name!r}, but X already has a column of that name. Rename one of them."
        )
    joined = _assemble({**{label: frame[label] for label in frame.columns}, name: series})
    if container == "numpy":
        native = common_dtype(np.dtype(cast("str", native)), series).str
    elif container in ("polars", "pyarrow"):
        native = _extend_native(container, cast("str", native), series)
    return joined, native


def _extend_native(container: Container, native: str, series: pd.Series) -> str:
    pa = require_pyarrow("Arrow tables")
    added = pa.Table.from_pandas(series.to_frame(), preserve_index=False).slice(0, 0)
    if container == "pyarrow":
        return pack_schema(unpack_schema(native).append(added.schema.field(0)))
    pl = _require_polars()
    empty = pl.read_ipc(io.BytesIO(base64.b64decode(native)))
    buffer = io.BytesIO()
    empty.with_columns(pl.from_arrow(added)).write_ipc(buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _select(df: pd.DataFrame, spec: FrameSpec) -> pd.DataFrame:
    missing = [label for label in spec.columns if label not in df.columns]
    if missing:
        raise InvalidDataError(f"The frame lacks the columns {missing!r}.")
    if len(df.columns) == len(spec.columns) and tuple(df.columns) == spec.columns:
        return df
    return _assemble({label: df[label] for label in spec.columns})


def _write_pandas(df: pd.DataFrame, spec: FrameSpec) -> pd.DataFrame:
    columns: dict[Hashable, Any] = {}
    arrow = unpack_schema(spec.native) if spec.native is not None else []
    arrow_types = {int(field.name): field.type for field in arrow}
    for i, (label, dtype) in enumerate(zip(spec.columns, spec.dtypes, strict=True)):
        if i in arrow_types:
            values = column_to_arrow(df[label], arrow_types[i])
            columns[label] = pd.Series(pd.arrays.ArrowExtensionArray(values))
        else:
            columns[label] = _restore_dtype(df[label], dtype)
    frame = _assemble(columns, len(df))
    frame.columns = pd.Index(list(spec.columns))
    return frame


def _restore_dtype(series: pd.Series, dtype: str) -> pd.Series:
    series = series.reset_index(drop=True)
    if dtype_name(series) == dtype or dtype.startswith("object"):
        return series
    if dtype.startswith("category") and isinstance(series.dtype, pd.CategoricalDtype):
        return series
    if not can_hold_missing(dtype) and series.isna().any():
        return series
    return series.astype(dtype_from_name(dtype))


def _write_arrow(df: pd.DataFrame, schema: Any) -> Any:
    pa = require_pyarrow("Writing an Arrow table")
    columns = [
        column_to_arrow(df[label], field.type)
        for label, field in zip(df.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _write_polars(df: pd.DataFrame, native: str) -> Any:
    pl = _require_polars()
    empty = pl.read_ipc(io.BytesIO(base64.b64decode(native)))
    table = _write_arrow(df, empty.to_arrow().schema)
    return pl.from_arrow(table).cast(dict(empty.schema))


def _write_numpy(df: pd.DataFrame, spec: FrameSpec) -> np.ndarray:
    dtype = np.dtype(cast("str", spec.native))
    if dtype.kind in "iub" and df.isna().to_numpy().any():
        dtype = np.dtype(np.float64)
    if dtype.kind in "US":  # as wide as the new values need
        return df.to_numpy(dtype=object).astype(dtype.kind)
    return np.ascontiguousarray(df.to_numpy(dtype=dtype))


def _assemble(columns: Mapping[Any, Any], rows: int | None = None) -> pd.DataFrame:
    """Put columns side by side under labels of any hashable type."""
    frame = pd.DataFrame(
        dict(enumerate(columns.values())),
        index=pd.RangeIndex(rows) if rows is not None else None,
        copy=False,
    )
    frame.columns = pd.Index(list(columns), tupleize_cols=False)
    return frame


def _require_polars() -> Any:
    try:
        import polars as pl
    except ImportError as error:
        raise MissingExtraError("Giving back a polars frame", "polars", "polars") from error
    return pl
