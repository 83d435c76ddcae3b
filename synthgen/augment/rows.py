"""Features in any container: read once, and more rows put behind them in the same container."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from synthgen.data.frame import FrameSpec, read_frame, write_frame
from synthgen.data.target import as_array
from synthgen.errors import InvalidDataError, SchemaMismatchError

#: A sparse matrix is made dense for the generator up to this many cells.
_DENSE_CELLS: Final = 100_000_000


class TableRows:
    """The features of a table.

    Parameters
    ----------
    X : frame, array or sparse matrix of shape (n, k)

    Attributes
    ----------
    frame : pandas.DataFrame
        The rows as a plain frame.

    Raises
    ------
    InvalidDataError
        If it is not a table that can be modelled.
    """

    def __init__(self, X: Any) -> None:
        if hasattr(X, "collect"):  # a polars LazyFrame
            X = X.collect()
        self._given = X
        self._sparse = hasattr(X, "nnz") and hasattr(X, "toarray")
        dense = _dense(X) if self._sparse else X
        self.frame, self._spec = read_frame(dense)

    def __len__(self) -> int:
        return len(self.frame)

    def native(self, generated: pd.DataFrame) -> Any:
        """Return generated rows in the container of the real ones."""
        rows = write_frame(generated, self._spec)
        if isinstance(rows, pd.DataFrame):
            for label, dtype in self._given.dtypes.items():
                if isinstance(dtype, pd.CategoricalDtype) and rows[label].dtype != dtype:
                    rows[label] = rows[label].astype(dtype)
            rows.columns = self._given.columns
        return rows

    def extended(self, generated: pd.DataFrame | None) -> Any:
        """Return the real rows as they are with generated ones behind them."""
        given = self._given
        if generated is None or generated.empty:
            return _copy(given)
        rows = self.native(generated)
        if isinstance(given, pd.DataFrame):
            return pd.concat([given, rows], ignore_index=True)
        if self._sparse:
            from scipy import sparse

            return sparse.vstack([given, type(given)(rows.astype(given.dtype))], given.format)
        package = type(given).__module__.partition(".")[0]
        if package == "polars":
            import polars as pl

            return pl.concat([given, rows])
        if package == "pyarrow":
            import pyarrow as pa

            return pa.concat_tables([given, rows])
        return np.concatenate([np.asarray(given), rows])


class ImageRows:
    """Images as an array: (n, H, W), (n, H, W, C) or (n, C, H, W).

    Parameters
    ----------
    X : array-like with three or four axes

    Raises
    ------
    InvalidDataError
        If it is empty.
    """

    def __init__(self, X: Any) -> None:
        self.images: NDArray[Any] = np.asarray(X)
        if not self.images.size:
            raise InvalidDataError(f"Found no images: the array has shape {self.images.shape}.")

    def __len__(self) -> int:
        return len(self.images)

    def native(self, generated: NDArray[Any]) -> NDArray[Any]:
        """Return generated images in the type of the real ones."""
        return np.asarray(generated, dtype=self.images.dtype)

    def extended(self, generated: NDArray[Any] | None) -> NDArray[Any]:
        """Return the real images with generated ones behind them."""
        if generated is None or not len(generated):
            return self.images.copy()
        return np.concatenate([self.images, self.native(generated)])


Rows = TableRows | ImageRows


def read_rows(X: Any) -> Rows:
    """Read a table or, from three axes on, images.

    Examples
    --------
    >>> type(read_rows(np.zeros((5, 8, 8)))).__name__, len(read_rows(np.zeros((5, 2))))
    ('ImageRows', 5)
    """
    return ImageRows(X) if is_images(X) else TableRows(X)


def is_images(X: Any) -> bool:
    """Return whether this is an array with three or four axes."""
    return len(getattr(X, "shape", ())) in (3, 4)


def as_container(X: Any) -> Any:
    """Return lists and the like as arrays, and everything that has a shape as it is."""
    return X if hasattr(X, "shape") and hasattr(X, "__getitem__") else as_array(X)


def read_features(estimator: Any, X: Any, *, reset: bool) -> tuple[Any, pd.DataFrame, FrameSpec]:
    """Read a table for an estimator, which remembers its columns or compares them.

    Parameters
    ----------
    estimator : BaseEstimator
    X : frame or array of shape (n, k)
    reset : bool
        Whether to remember (in ``fit``) or to compare.

    Returns
    -------
    X : frame or array
        As it is, but lists as arrays.
    frame : pandas.DataFrame
    spec : FrameSpec

    Raises
    ------
    InvalidDataError
        If it is not a table that can be modelled.
    SchemaMismatchError
        If its columns are not those of ``fit``, in scikit-learn's words.
    """
    X = as_container(X)
    frame, spec = read_frame(X)
    try:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    except TypeError as error:  # labels of which only some are words
        raise InvalidDataError(str(error)) from error
    except ValueError as error:
        raise SchemaMismatchError(str(error)) from error
    return X, frame, spec


def joined(parts: Sequence[Any]) -> Any:
    """Return frames or arrays as one."""
    if isinstance(parts[0], pd.DataFrame):
        return pd.concat(parts, ignore_index=True)
    return np.concatenate(parts)


def take_rows(X: Any, places: NDArray[np.int64]) -> Any:
    """Return some rows of a table or images in the same container."""
    if hasattr(X, "iloc"):
        return X.iloc[places]
    package = type(X).__module__.partition(".")[0]
    if package == "pyarrow":
        return X.take(places)
    if package == "polars" or hasattr(X, "nnz"):
        return X[places]
    return np.asarray(X)[places]


def _dense(X: Any) -> NDArray[Any]:
    cells = int(X.shape[0]) * int(X.shape[1])
    if cells > _DENSE_CELLS:
        raise InvalidDataError(
            f"The sparse matrix has {cells:,} cells; a generator needs them all, and at most "
            f"{_DENSE_CELLS:,} are made dense. Reduce the columns first, for instance with "
            "TruncatedSVD."
        )
    return np.asarray(X.toarray())


def _copy(given: Any) -> Any:
    if isinstance(given, pd.DataFrame):
        return given.reset_index(drop=True)
    if hasattr(given, "copy"):
        return given.copy()
    package = type(given).__module__.partition(".")[0]
    return given if package in ("polars", "pyarrow") else np.asarray(given).copy()
