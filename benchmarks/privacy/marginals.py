"""The distance of two-way tables at real deciles and categories."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd


def two_way_distance(real: pd.DataFrame, other: pd.DataFrame) -> float:
    """Return the mean total variation distance of all two-way tables.

    Numbers are cut at the deciles of the real table; missing values are a level.

    Examples
    --------
    >>> table = pd.DataFrame({"x": range(20), "c": ["a", "b"] * 10})
    >>> two_way_distance(table, table)
    0.0
    """
    columns = [_codes(real[name], other[name]) for name in real.columns]
    distances = []
    for (a, b, n), (c, d, m) in itertools.combinations(columns, 2):
        first = np.bincount(a * m + c, minlength=n * m) / len(a)
        second = np.bincount(b * m + d, minlength=n * m) / len(b)
        distances.append(np.abs(first - second).sum() / 2)
    return float(np.mean(distances))


def _codes(real: pd.Series, other: pd.Series) -> tuple[np.ndarray, np.ndarray, int]:
    if pd.api.types.is_numeric_dtype(real) and not pd.api.types.is_bool_dtype(real):
        edges = np.unique(np.quantile(real.dropna(), np.arange(0.1, 1, 0.1)))
        parts = [
            np.where(values.isna(), len(edges) + 1, np.searchsorted(edges, values, side="right"))
            for values in (real, other)
        ]
        return parts[0], parts[1], len(edges) + 2
    codes, levels = pd.factorize(pd.concat([real, other]).astype(object), use_na_sentinel=False)
    return codes[: len(real)], codes[len(real) :], len(levels)
