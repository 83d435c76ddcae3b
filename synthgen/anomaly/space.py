"""Mixed rows as numbers, for detectors that know nothing but numbers.

Learned from training rows and applied to any others: unseen categories, gaps where there were none
and columns without any value are all something that can be said about a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.schema import Schema
from synthgen.data.values import to_numbers

Matrix = NDArray[np.float64]

_MEASURED: Final = ("numeric", "integer", "datetime", "timedelta")
#: Categories with an indicator of their own; the others differ from these only.
_MOST_LEVELS: Final = 50
#: Two different categories are this far apart, in standard deviations of numbers.
_MISMATCH: Final = 1.0
#: Scaled numbers go no further out than this: one wild cell shall not swamp the others.
_FARTHEST: Final = 50.0


@dataclass(frozen=True)
class _Numbers:
    """A measured column: centre and spread of its training values."""

    column: Any
    middle: float
    spread: float

    @classmethod
    def fit(cls, series: pd.Series, column: Any) -> _Numbers:
        values = to_numbers(series, column)
        present = values[~np.isnan(values)]
        if not len(present):
            return cls(column, 0.0, 1.0)
        spread = float(present.std())
        return cls(column, float(np.median(present)), spread if spread > 0 else 1.0)

    def scaled(self, series: pd.Series) -> Matrix:
        """Return scaled numbers, NaN where missing."""
        values = to_numbers(series, self.column)
        return np.asarray(np.clip((values - self.middle) / self.spread, -_FARTHEST, _FARTHEST))


@dataclass(frozen=True)
class _Levels:
    """A column of categories and their shares among the training rows; missing is one of them."""

    levels: dict[Any, int]
    surprise: Matrix
    unseen: float

    @classmethod
    def fit(cls, series: pd.Series) -> _Levels:
        keys = _keys(series)
        counts = keys.value_counts(sort=True)
        shares = counts.to_numpy() / len(keys)
        return cls(
            {level: k for k, level in enumerate(counts.index)},
            -np.log(shares),
            float(np.log(2 * len(keys))),
        )

    def places(self, series: pd.Series) -> NDArray[np.int64]:
        """Return the place of each category by frequency, -1 for one never seen."""
        return np.asarray(_keys(series).map(self.levels).fillna(-1), dtype=np.int64)

    def surprises(self, series: pd.Series) -> Matrix:
        """Return -log of each category's share."""
        return np.append(self.surprise, self.unseen)[self.places(series)]

    def indicators(self, series: pd.Series) -> Matrix:
        """Return one column per frequent category, and one for the unseen."""
        places = self.places(series)
        most = min(len(self.levels), _MOST_LEVELS)
        hot = np.zeros((len(places), most + 1))
        hot[:, :most] = places[:, None] == np.arange(most)
        hot[:, most] = places < 0
        return np.asarray(hot * (_MISMATCH / np.sqrt(2.0)), dtype=np.float64)


class Space:
    """Learned from training rows.

    Parameters
    ----------
    schema : Schema
        Says which columns are numbers, which are categories, and which are to be left out.
    frame : pandas.DataFrame
        Training rows.
    """

    def __init__(self, schema: Schema, frame: pd.DataFrame) -> None:
        self.numbers: dict[Any, _Numbers] = {}
        self.levels: dict[Any, _Levels] = {}
        for column in schema.columns:
            if not column.modelled:
                continue
            if column.kind in _MEASURED:
                self.numbers[column.name] = _Numbers.fit(frame[column.name], column)
            else:
                self.levels[column.name] = _Levels.fit(frame[column.name])

    def scaled(self, frame: pd.DataFrame) -> Matrix:
        """Return the scaled numbers alone, NaN where missing, (rows, measured columns)."""
        columns = [own.scaled(frame[name]) for name, own in self.numbers.items()]
        return np.stack(columns, axis=1) if columns else np.empty((len(frame), 0))

    def table(self, frame: pd.DataFrame) -> Matrix:
        """Return scaled numbers, NaN where missing, then the places of categories."""
        places = [own.places(frame[name]).astype(np.float64) for name, own in self.levels.items()]
        scaled = self.scaled(frame)
        return np.concatenate([scaled, *(column[:, None] for column in places)], axis=1)

    @property
    def table_categories(self) -> range:
        """Which columns of :meth:`table` hold categories."""
        return range(len(self.numbers), len(self.numbers) + len(self.levels))

    def points(self, frame: pd.DataFrame) -> Matrix:
        """Return rows as points whose distances mean something."""
        scaled = self.scaled(frame)
        gaps = np.isnan(scaled)
        parts = [np.where(gaps, 0.0, scaled), gaps * _MISMATCH]
        parts += [own.indicators(frame[name]) for name, own in self.levels.items()]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(frame), 1))

    def marks(self, frame: pd.DataFrame) -> Matrix:
        """Return one number per column: scaled numbers, and how rare each category is."""
        scaled = self.scaled(frame)
        gaps = np.isnan(scaled)
        parts = [np.where(gaps, 0.0, scaled)]
        if self.levels:
            rare = [own.surprises(frame[name]) for name, own in self.levels.items()]
            parts.append(np.stack(rare, axis=1))
        if gaps.any() or not parts[0].size:
            parts.append(gaps.sum(axis=1, keepdims=True).astype(np.float64))
        else:
            parts.append(np.zeros((len(frame), 1)))
        return np.concatenate(parts, axis=1)


def _keys(series: pd.Series) -> pd.Series:
    """Return categories as objects that compare across dtypes, None where missing."""
    values = series.astype(object)
    keys = values.where(values.notna(), "\0missing")
    return keys.map(lambda value: value.item() if isinstance(value, np.generic) else value)
