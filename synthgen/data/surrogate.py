"""Columns that are made up anew and never learned: ids, personal data, free text, constants.

A surrogate gives every row of the synthetic table a value that depends on the row's global number,
so that shards made by different machines never clash. None of them gives back a real value, except
first and last names, which everybody shares, and constants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from synthgen.core.documents import check_mapping, decode_scalar, encode_scalar
from synthgen.data.column import Column
from synthgen.data.surrogate_id import ids_from_json
from synthgen.data.surrogate_pii import PersonalData, fit_personal_data
from synthgen.data.surrogate_repeat import RepeatedIds, fit_keys
from synthgen.data.surrogate_text import ShuffledText, fit_text
from synthgen.data.values import cast_levels
from synthgen.errors import ArtifactError, InvalidDataError

__all__ = ["Constant", "Surrogate", "fit_surrogate", "surrogate_from_json"]


class Surrogate(Protocol):
    """What every surrogate can do."""

    def generate(self, rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
        """Make values for rows of the synthetic table.

        Parameters
        ----------
        rows : numpy.ndarray of int64, shape (n,)
            Global row numbers, from 0.
        rng : numpy.random.Generator
            The generator of this block of rows.

        Returns
        -------
        pandas.Series
            Of the column's dtype, none missing, RangeIndex.

        Raises
        ------
        InvalidDataError
            If there are not enough different ids.
        """

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document, see :func:`surrogate_from_json`."""


@dataclass(frozen=True)
class Constant:
    """The same value in every row.

    Parameters
    ----------
    value : scalar or None
        None if the column holds nothing but missing values.
    dtype : str
        Name of the column's dtype.
    levels : tuple
        Declared levels, for a dtype of categories.
    """

    value: Any
    dtype: str
    levels: tuple[Any, ...] = ()

    def generate(self, rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
        """Repeat the value for all rows; see :class:`Surrogate`."""
        del rng
        if self.value is None and not self.dtype.startswith("category"):
            return _all_missing(len(rows), self.dtype)
        levels = list(self.levels) if self.levels else [self.value]
        code = levels.index(self.value) if self.value is not None else -1
        codes = np.full(len(rows), code, dtype=np.int64)
        values = cast_levels([level for level in levels if level is not None], self.dtype)
        dtype = object if self.dtype.startswith("object") else None
        return pd.Series(values.take(codes, allow_fill=code < 0), dtype=dtype)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {
            "type": "constant",
            "value": encode_scalar(self.value),
            "dtype": self.dtype,
            "levels": [encode_scalar(level) for level in self.levels],
        }


def fit_surrogate(series: pd.Series, column: Column) -> Surrogate:
    """Learn the form, and only the form, of a column that is made up anew.

    Parameters
    ----------
    series : pandas.Series
        The real values.
    column : Column
        Of kind id, pii, text or constant.

    Returns
    -------
    Surrogate

    Raises
    ------
    InvalidDataError
        If the kind is another one or the values do not suit it.
    MissingExtraError
        If personal data need Faker and it is not installed.
    """
    present = series.dropna()
    if column.kind == "constant" or present.empty:
        return _fit_constant(present, column)
    fits: dict[str, Callable[[pd.Series, Column], Surrogate]] = {
        "id": fit_keys,
        "pii": fit_personal_data,
        "text": fit_text,
    }
    if column.kind not in fits:
        raise InvalidDataError(f"Column {column.name!r} of kind {column.kind!r} is learned.")
    if isinstance(present.dtype, pd.CategoricalDtype):
        present = pd.Series(present.to_numpy(), name=series.name)
    return fits[column.kind](present, column)


def surrogate_from_json(document: dict[str, Any]) -> Surrogate:
    """Read a document written by a surrogate's ``to_json``.

    Raises
    ------
    ArtifactError
        If it is not one.
    """
    check_mapping(document, {"type": str}, "A surrogate")
    try:
        return _READERS[document["type"]](document)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"Not a stored surrogate ({document.get('type')!r}).") from error


def _fit_constant(present: pd.Series, column: Column) -> Constant:
    levels: tuple[Any, ...] = ()
    if isinstance(present.dtype, pd.CategoricalDtype):
        levels = tuple(present.cat.categories)
    if present.empty:
        return Constant(None, column.dtype, levels)
    return Constant(present.iloc[0], column.dtype, levels)


def _read_constant(document: dict[str, Any]) -> Constant:
    levels = tuple(decode_scalar(level) for level in document["levels"])
    return Constant(decode_scalar(document["value"]), document["dtype"], levels)


def _all_missing(size: int, dtype: str) -> pd.Series:
    if dtype.startswith("object"):
        return pd.Series(np.full(size, None, dtype=object), dtype=object)
    empty = cast_levels([], dtype)
    return pd.Series(empty.take(np.full(size, -1), allow_fill=True))


_READERS: Final[dict[str, Callable[[dict[str, Any]], Surrogate]]] = {
    "constant": _read_constant,
    "number_ids": ids_from_json,
    "sequence_ids": ids_from_json,
    "pattern_ids": ids_from_json,
    "repeated_ids": RepeatedIds.from_json,
    "personal_data": PersonalData.from_json,
    "shuffled_text": ShuffledText.from_json,
}
