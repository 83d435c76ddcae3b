"""Types of a table as they were declared, in the place of those that its rows happened to have.

One row can change the type of a column when a table is read: a gap makes integers floats, a text
makes numbers objects. What is written beside private figures must not depend on rows.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from synthgen.data.arrow import pack_schema, require_pyarrow
from synthgen.data.column import Column
from synthgen.data.dtypes import dtype_from_name, family, text_dtype_name
from synthgen.data.frame import FrameSpec


def declared_dtype(column: Column) -> str:
    """Return the name of the dtype that values of a declared column come back in.

    Parameters
    ----------
    column : Column

    Returns
    -------
    str
        The declared one. Text that is declared as ``object``, which was its only dtype once, gets
        the dtype that the installed pandas gives to text: a schema outlives versions of pandas.

    Examples
    --------
    >>> declared_dtype(Column("x", "categorical", "object", categories=(1, 2)))
    'object'
    >>> found = declared_dtype(Column("x", "categorical", "object", categories=("a", "b")))
    >>> found == text_dtype_name()
    True
    """
    return text_dtype_name() if column.dtype == "object" and _is_text(column) else column.dtype


def _is_text(column: Column) -> bool:
    """Whether the values of a column of objects are texts, as far as the declaration says."""
    if column.kind in ("categorical", "ordinal"):
        return all(isinstance(level, str) for level in column.categories or ())
    if column.kind in ("numeric", "integer", "datetime"):
        return column.format is not None
    return column.kind in ("id", "pii", "text")


def declared_spec(spec: FrameSpec, dtypes: Sequence[str]) -> FrameSpec:
    """Return a description with the same container and labels, and types from `dtypes` alone.

    Parameters
    ----------
    spec : FrameSpec
        Of the table that was read.
    dtypes : sequence of str
        Declared names of pandas dtypes, in the order of the columns.

    Returns
    -------
    FrameSpec
        Arrow and polars get the plain types that belong to the dtypes; arrays of texts are as wide
        as new values need; other arrays have the common type of the declared ones.

    Examples
    --------
    >>> declared_spec(FrameSpec("numpy", (0, 1), ("float64", "object"), "|O"), ["int64", "float64"])
    FrameSpec(container='numpy', columns=(0, 1), dtypes=('int64', 'float64'), native='<f8')
    """
    native = None
    if spec.container == "numpy":
        native = _array_type(cast("str", spec.native), dtypes)
    elif spec.container == "pyarrow":
        native = pack_schema(_arrow_schema(spec.columns, dtypes))
    elif spec.container == "polars":
        native = _empty_polars(_arrow_schema(spec.columns, dtypes))
    return replace(spec, dtypes=tuple(dtypes), native=native)


def _array_type(native: str, dtypes: Sequence[str]) -> str:
    kind = np.dtype(native).kind
    if kind in "US":
        return np.dtype(f"{kind}1").str
    types = [dtype_from_name(name) for name in dtypes]
    if not all(isinstance(found, np.dtype) for found in types):
        return np.dtype(object).str
    return np.result_type(*types).str


def _arrow_schema(columns: Sequence[Any], dtypes: Sequence[str]) -> Any:
    pa = require_pyarrow("Arrow tables")
    return pa.schema(
        [
            pa.field(str(label), _arrow_type(name))
            for label, name in zip(columns, dtypes, strict=True)
        ]
    )


def _arrow_type(name: str) -> Any:
    pa = require_pyarrow("Arrow tables")
    found = family(name)
    if found == "category":
        return pa.dictionary(pa.int32(), pa.large_string(), ordered=name == "category[ordered]")
    if found in ("string", "object"):
        return pa.large_string()
    if found == "decimal":
        return pa.decimal128(38, 9)
    if found == "time":
        return pa.time64("us")
    if name.startswith("object"):
        return pa.duration("us") if found == "timedelta" else pa.timestamp("us")
    dtype = dtype_from_name(name)
    plain = getattr(dtype, "numpy_dtype", dtype)
    if getattr(plain, "tz", None) is not None:
        return pa.timestamp(plain.unit, tz=str(plain.tz))
    return pa.from_numpy_dtype(np.dtype(plain))


def _empty_polars(schema: Any) -> str:
    import polars as pl

    buffer = io.BytesIO()
    cast("Any", pl.from_arrow(schema.empty_table())).write_ipc(buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
