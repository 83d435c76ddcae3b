"""Rows behind rows in any container."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from synthgen.augment.rows import is_images, read_rows, take_rows
from synthgen.errors import InvalidDataError

_ARRAY = np.arange(12.0).reshape(6, 2)


@pytest.mark.parametrize(
    "X",
    [
        _ARRAY,
        _ARRAY.astype(np.float32),
        _ARRAY.astype(int),
        sparse.csr_matrix(_ARRAY),
        sparse.csc_array(_ARRAY),
        pd.DataFrame(_ARRAY, index=[3] * 6, columns=["x", 7]),
    ],
)
def test_extended(X: Any) -> None:
    rows = read_rows(X)
    more = rows.extended(rows.frame.iloc[:2].reset_index(drop=True))
    assert type(more) is type(X)
    assert more.shape == (8, 2)
    values = more.toarray() if sparse.issparse(more) else np.asarray(more)
    assert np.array_equal(values, np.vstack([_ARRAY, _ARRAY[:2]]))
    if isinstance(X, pd.DataFrame):
        assert more.columns.tolist() == ["x", 7]
        assert more.index.tolist() == list(range(8))
    else:
        assert more.dtype == X.dtype


def test_dtypes_stay(churn: tuple[pd.DataFrame, pd.Series]) -> None:
    frame = churn[0].astype({"calls": "Int16"})
    rows = read_rows(frame)
    assert rows.extended(rows.frame.head(3)).dtypes.equals(frame.dtypes)


def test_polars_and_arrow() -> None:
    pl = pytest.importorskip("polars")
    pa = pytest.importorskip("pyarrow")
    for X in (pl.DataFrame({"x": [1, 2, 3]}), pa.table({"x": [1, 2, 3]})):
        rows = read_rows(X)
        more = rows.extended(rows.frame.head(1))
        assert type(more) is type(X)
        assert more.shape == (4, 1)
        assert take_rows(more, np.array([0, 3])).shape == (2, 1)


def test_images() -> None:
    images = np.zeros((4, 8, 8, 3), dtype=np.uint8)
    rows = read_rows(images)
    assert is_images(images)
    more = rows.extended(np.full((2, 8, 8, 3), 7.0))
    assert more.dtype == np.uint8
    assert more[4:].min() == 7


def test_nothing_to_add_is_a_copy() -> None:
    X = _ARRAY.copy()
    same = read_rows(X).extended(None)
    same[0, 0] = -1
    assert X[0, 0] == 0


def test_refused() -> None:
    with pytest.raises(InvalidDataError, match="sparse matrix has"):
        read_rows(sparse.csr_matrix((200_000, 1_000)))
    with pytest.raises(InvalidDataError, match="no images"):
        read_rows(np.zeros((0, 8, 8)))
