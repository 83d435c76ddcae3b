"""Frames of any types as numbers, for the models that judge or label generated rows."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

#: Further levels of a category share one column.
_LEVELS: Final = 50


class FrameNumbers(TransformerMixin, BaseEstimator):
    """Turns a plain frame into numbers: dates as seconds, categories as codes or columns of 0/1.

    Parameters
    ----------
    one_hot : bool, default=False
        Whether categories become columns of 0 and 1, and numbers are centred, scaled and filled
        with their median; for linear models. Otherwise they become codes by frequency, and missing
        stays missing; for trees. Gaps in a column that had no value at all become 0.

    Examples
    --------
    >>> frame = pd.DataFrame({"x": [1.0, np.nan, 3.0], "c": ["a", "b", "b"]})
    >>> FrameNumbers().fit_transform(frame).tolist()
    [[1.0, 1.0], [nan, 0.0], [3.0, 0.0]]
    >>> FrameNumbers(one_hot=True).fit_transform(frame).shape
    (3, 6)
    """

    def __init__(self, one_hot: bool = False) -> None:
        self.one_hot = one_hot

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn levels, centres and spreads."""
        self.columns_ = [_Column(X[label]) for label in X.columns]
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return one row of numbers per row."""
        pairs = zip(self.columns_, X.columns, strict=True)
        parts = [column.apply(X[label], self.one_hot) for column, label in pairs]
        return np.column_stack(parts) if parts else np.empty((len(X), 0))


class _Column:
    """One column: its levels by frequency, or centre and spread of its numbers."""

    def __init__(self, series: pd.Series) -> None:
        self.numeric = _is_numeric(series)
        if self.numeric:
            values = _numbers(series)
            present = values[np.isfinite(values)]
            self.empty = not len(present)
            self.centre = float(np.median(present)) if len(present) else 0.0
            self.spread = (float(present.std()) if len(present) else 0.0) or 1.0
            self.gaps = len(present) < len(values)
        else:
            counts = series.dropna().astype(str).value_counts()
            self.empty = counts.empty
            order = sorted(counts.index, key=lambda level: (-counts[level], level))
            self.levels = {level: place for place, level in enumerate(order)}

    def apply(self, series: pd.Series, one_hot: bool) -> NDArray[np.float64]:
        if not self.numeric:
            codes = series.astype(object).where(series.notna(), None)
            places = codes.map(lambda v: self.levels.get(str(v), -1.0) if v is not None else np.nan)
            values = places.to_numpy(dtype=np.float64)
            return _one_hot(values, len(self.levels)) if one_hot else self._for_trees(values)
        values = _numbers(series)
        if not one_hot:
            return self._for_trees(values)
        gaps = ~np.isfinite(values)
        scaled = np.clip((np.where(gaps, self.centre, values) - self.centre) / self.spread, -10, 10)
        return np.column_stack([scaled, gaps]) if self.gaps else scaled

    def _for_trees(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values, without gaps if there was nothing else: trees cannot bin those."""
        return np.nan_to_num(values, nan=0.0) if self.empty else values


def _is_numeric(series: pd.Series) -> bool:
    dtype = series.dtype
    measured = pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype)
    return (
        pd.api.types.is_numeric_dtype(dtype)
        or measured
        or bool(pd.api.types.is_timedelta64_dtype(dtype))
    )


def _numbers(series: pd.Series) -> NDArray[np.float64]:
    if isinstance(series.dtype, pd.PeriodDtype):
        series = series.dt.to_timestamp()
    if pd.api.types.is_numeric_dtype(series.dtype):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isfinite(values), values, np.nan)
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert(None)
    seconds = series.to_numpy().astype("datetime64[s]" if _is_date(series) else "timedelta64[s]")
    gaps = np.isnat(seconds)
    return np.where(gaps, np.nan, seconds.astype(np.int64).astype(np.float64))


def _is_date(series: pd.Series) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(series.dtype))


def _one_hot(places: NDArray[np.float64], levels: int) -> NDArray[np.float64]:
    """Return a column for each frequent level, one for rare and unseen ones, and one for gaps."""
    kept = min(levels, _LEVELS)
    codes = np.where((places < 0) | (places >= kept), kept, places)
    codes = np.where(np.isnan(places), kept + 1, codes).astype(np.int64)
    wide = np.zeros((len(codes), kept + 2))
    wide[np.arange(len(codes)), codes] = 1.0
    return wide
