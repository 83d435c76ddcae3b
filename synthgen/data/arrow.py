"""Arrow columns to plain pandas columns and back, without losing the Arrow type.

Inside synthgen a frame has ordinary pandas dtypes; what the user had is kept as an Arrow schema and
restored on the way out.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthgen.errors import InvalidDataError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa

_MICROSECONDS_PER_DAY = 86_400_000_000


def require_pyarrow(feature: str) -> Any:
    """Import pyarrow or say how to install it.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError(feature, "pyarrow", "parquet") from error
    return pa


def pack_schema(schema: pa.Schema) -> str:
    """Write an Arrow schema as base64 text."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode("ascii")


def unpack_schema(text: str) -> pa.Schema:
    """Read an Arrow schema written by :func:`pack_schema`."""
    pa = require_pyarrow("Restoring Arrow types")
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))


def column_to_pandas(name: Any, values: pa.ChunkedArray) -> pd.Series:
    """Turn one Arrow column into a pandas column of an ordinary dtype.

    Raises
    ------
    InvalidDataError
        If the column is nested (lists, structs, maps).
    """
    import pyarrow as pa

    kind = values.type
    if pa.types.is_nested(kind):
        raise InvalidDataError(
            f"Column {name!r} holds nested values ({kind}); expand it into ordinary columns first."
        )
    if isinstance(kind, pa.BaseExtensionType):
        values = pa.chunked_array([chunk.storage for chunk in values.chunks], kind.storage_type)
        return column_to_pandas(name, values)
    if pa.types.is_null(kind):
        return pd.Series(np.full(len(values), None, dtype=object), dtype=object)
    if (pa.types.is_integer(kind) or pa.types.is_boolean(kind)) and values.null_count:
        return pd.Series(_nullable_dtype(kind).__from_arrow__(values))
    if pa.types.is_date(kind):
        values = values.cast(pa.timestamp("s"))
    elif pa.types.is_time(kind):
        values = values.cast(pa.time64("us")).cast(pa.int64()).cast(pa.duration("us"))
    elif pa.types.is_dictionary(kind):
        values = values.unify_dictionaries()
    elif str(kind).endswith("string_view"):
        values = values.cast(pa.large_string())
    series: pd.Series = values.to_pandas()
    return series


def _nullable_dtype(kind: pa.DataType) -> Any:
    name = str(kind)
    nullable = "boolean" if name == "bool" else name.replace("int", "Int").replace("uI", "UI")
    return pd.api.types.pandas_dtype(nullable)


def column_to_arrow(series: pd.Series, kind: pa.DataType) -> pa.Array:
    """Turn a pandas column back into an Arrow array of the given type."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, column_to_arrow(series, kind.storage_type))
    if pa.types.is_null(kind):
        return pa.nulls(len(series))
    if pa.types.is_dictionary(kind):
        return _dictionary(series, kind)
    if pa.types.is_time(kind):
        missing = series.isna().to_numpy()
        micros = series.to_numpy(dtype="timedelta64[us]").astype(np.int64) % _MICROSECONDS_PER_DAY
        return pa.array(micros, mask=missing).cast(pa.time64("us")).cast(kind, safe=False)
    if pa.types.is_decimal(kind) or pa.types.is_binary(kind) or pa.types.is_string(kind):
        return pa.array(series.to_numpy(dtype=object), type=kind, from_pandas=True)
    plain = pa.array(series, from_pandas=True)
    if isinstance(plain, pa.ChunkedArray):
        plain = plain.combine_chunks()
    if pa.types.is_null(plain.type) and series.dtype == object:
        return pa.nulls(len(series), kind)
    safe = not (pa.types.is_temporal(kind) or pa.types.is_floating(kind))
    return plain.cast(kind, safe=safe)


def _dictionary(series: pd.Series, kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    values = series.astype("category") if series.dtype != "category" else series
    codes = values.cat.codes.to_numpy()
    indices = pa.array(codes, type=kind.index_type, mask=codes < 0)
    levels = column_to_arrow(pd.Series(values.cat.categories), kind.value_type)
    return pa.DictionaryArray.from_arrays(indices, levels, ordered=kind.ordered)
