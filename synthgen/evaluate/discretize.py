"""Columns as a few levels, alike in every table: the ground of contingency tables.

Levels are learned from the first (real) table alone and used for all:

* level 0 is *missing*;
* a continuous column has a level of its own for every value that holds many rows (an *atom*: a
  zero, a cap, a round number), and the other values are cut at their quantiles;
* a discrete column keeps its most frequent values; all others, and values that the real table
  lacks, share the level *other*.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types as ptypes

from synthgen.errors import InvalidParameterError
from synthgen.measure.columns import Roles, joint_codes

#: Number of quantile bins of a continuous column.
N_BINS: Final = 8

#: Number of values that a discrete column keeps.
MAX_LEVELS: Final = 20

#: Larger numbers would make tables of three columns too large to count.
_MOST_BINS: Final = 50
_MOST_LEVELS: Final = 100

MISSING: Final = "missing"
OTHER: Final = "other"


@dataclass(frozen=True)
class Levels:
    """Several aligned tables as levels.

    Parameters
    ----------
    names : list
        Column names.
    codes : list of numpy.ndarray of int of shape (columns, rows)
        One array per table; the codes of a column are below its number of labels.
    labels : list of list of str
        Per column, what each code stands for; code 0 is missing.
    folded : dict
        Discrete column name to the number of its real values that share the level "other".
    """

    names: list[Hashable]
    codes: list[NDArray[np.int64]]
    labels: list[list[str]]
    folded: dict[Hashable, int]

    @property
    def sizes(self) -> list[int]:
        """Number of levels of every column."""
        return [len(labels) for labels in self.labels]


@dataclass(frozen=True)
class Bins:
    """Where a continuous column is cut.

    Parameters
    ----------
    atoms : numpy.ndarray of float
        Ascending values with a level of their own.
    edges : numpy.ndarray of float
        Ascending ends of the intervals of all other values; an edge belongs to the lower interval.
    """

    atoms: NDArray[np.float64]
    edges: NDArray[np.float64]

    def codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return 0 where missing, then the intervals from 1, then the atoms."""
        result = np.searchsorted(self.edges, values, side="left") + 1
        if len(self.atoms):
            place = np.minimum(np.searchsorted(self.atoms, values), len(self.atoms) - 1)
            result = np.where(self.atoms[place] == values, place + len(self.edges) + 2, result)
        return np.where(np.isnan(values), 0, result).astype(np.int64)


def check_levels(n_bins: Any, max_levels: Any) -> tuple[int, int]:
    """Check the two numbers that decide how fine the levels are.

    Raises
    ------
    InvalidParameterError
        If `n_bins` is no integer from 2 to 50, or `max_levels` none from 1 to 100.
    """
    bounds = (("n_bins", n_bins, 2, _MOST_BINS), ("max_levels", max_levels, 1, _MOST_LEVELS))
    for name, value, low, high in bounds:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not low <= value <= high:
            raise InvalidParameterError(
                f"{name} must be an integer from {low} to {high}, got {value!r}."
            )
    return int(n_bins), int(max_levels)


def discretize(
    frames: Sequence[pd.DataFrame],
    roles: Roles,
    *,
    n_bins: int = N_BINS,
    max_levels: int = MAX_LEVELS,
) -> Levels:
    """Turn every used column of several aligned tables into levels.

    Parameters
    ----------
    frames : sequence of pandas.DataFrame
        The first one, the real table, decides on the levels.
    roles : Roles
        Which columns are continuous and which discrete.
    n_bins : int, default=8
        A continuous column is cut into about this many levels, see :func:`learn_bins`.
    max_levels : int, default=20
        A discrete column keeps this many of its most frequent values.

    Returns
    -------
    Levels

    Examples
    --------
    >>> from synthgen.measure.columns import column_roles
    >>> real = pd.DataFrame({"c": ["a", "a", "b", None]})
    >>> fake = pd.DataFrame({"c": ["b", "z"]})
    >>> levels = discretize([real, fake], column_roles(real))
    >>> levels.labels, [codes.tolist() for codes in levels.codes]
    ([['missing', 'a', 'b', 'other']], [[[1, 1, 2, 0]], [[2, 3]]])
    """
    names = roles.names()
    codes = [np.empty((len(names), len(frame)), dtype=np.int64) for frame in frames]
    labels, folded = [], {}
    for place, name in enumerate(names):
        if roles.roles[name] == "continuous":
            parts, own = _cut(frames, name, roles, n_bins)
        else:
            parts, own, n_folded = _fold([frame[name] for frame in frames], max_levels)
            if n_folded:
                folded[name] = n_folded
        labels.append(own)
        for array, part in zip(codes, parts, strict=True):
            array[place] = part
    return Levels(names, codes, labels, folded)


def learn_bins(values: NDArray[np.float64], n_bins: int) -> Bins:
    """Decide where to cut a continuous column.

    An atom is a value that holds half the rows of an average bin or more, and at least two. With at
    most `n_bins` distinct values, each that occurs twice is one. The other values get their share
    of the bins, at least one, with about equally many rows each.

    Parameters
    ----------
    values : numpy.ndarray of float of shape (rows,)
        NaN where missing.
    n_bins : int

    Returns
    -------
    Bins

    Examples
    --------
    >>> bins = learn_bins(np.array([0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0]), 4)
    >>> bins.atoms.tolist(), bins.edges.tolist()
    ([0.0], [2.0])
    """
    present = values[~np.isnan(values)]
    distinct, counts = np.unique(present, return_counts=True)
    threshold = 2.0 if len(distinct) <= n_bins else max(2.0, len(present) / (2 * n_bins))
    is_atom = counts >= threshold
    rest = np.repeat(distinct[~is_atom], counts[~is_atom])
    edges = np.empty(0)
    if len(rest):
        n_intervals = max(1, round(n_bins * len(rest) / len(present)))
        shares = np.arange(1, n_intervals) / n_intervals
        edges = np.unique(np.quantile(rest, shares, method="inverted_cdf"))
        edges = edges[edges < rest[-1]]  # above the maximum there is no real row to count
    return Bins(distinct[is_atom], edges)


def _cut(
    frames: Sequence[pd.DataFrame], name: Hashable, roles: Roles, n_bins: int
) -> tuple[list[NDArray[np.int64]], list[str]]:
    """Return the codes of a continuous column in every table, and the labels."""
    values = [roles.numbers(frame, name) for frame in frames]
    bins = learn_bins(values[0], n_bins)
    column = roles.columns.get(name)
    show = _writer(frames[0][name], "" if column is None else column.kind)
    return [bins.codes(part) for part in values], _bin_labels(bins, show)


def _bin_labels(bins: Bins, show: Callable[[float], str]) -> list[str]:
    edges = [show(edge) for edge in bins.edges]
    if edges:
        inner = [f"({low}, {high}]" for low, high in itertools.pairwise(edges)]
        intervals = [f"<= {edges[0]}", *inner, f"> {edges[-1]}"]
    else:
        intervals = [OTHER] if len(bins.atoms) else ["any"]
    return [MISSING, *intervals, *(show(atom) for atom in bins.atoms)]


def _writer(values: pd.Series[Any], kind: str) -> Callable[[float], str]:
    """Return the function that writes a number of a column; dates are kept in nanoseconds."""
    content = ptypes.infer_dtype(values, skipna=True)
    if kind == "datetime" or content in ("datetime64", "datetime", "date"):
        return lambda value: str(pd.Timestamp(int(value)))
    if kind == "timedelta" or content in ("timedelta64", "timedelta"):
        return lambda value: str(pd.Timedelta(int(value)))
    return lambda value: f"{value:.6g}"


def _fold(
    columns: Sequence[pd.Series[Any]], max_levels: int
) -> tuple[list[NDArray[np.int64]], list[str], int]:
    """Return the codes of a discrete column, the labels, and how many real values were folded.

    Equally frequent values are taken in the order in which they occur.
    """
    codes, n_values = joint_codes(columns)
    real = codes[0][codes[0] >= 0]
    counts = np.bincount(real, minlength=n_values)
    kept = np.argsort(-counts, kind="stable")[:max_levels]
    kept = kept[counts[kept] > 0]
    # The last entry is what code -1 (missing) finds.
    level = np.full(n_values + 1, len(kept) + 1, dtype=np.int64)
    level[kept] = np.arange(1, len(kept) + 1)
    level[-1] = 0
    values = columns[0].astype(object).to_numpy()
    _, first_rows = np.unique(codes[0], return_index=True)
    row_of = dict(zip(codes[0][first_rows].tolist(), first_rows.tolist(), strict=True))
    labels = [MISSING, *(str(values[row_of[code]]) for code in kept.tolist()), OTHER]
    return [level[part] for part in codes], labels, int((counts > 0).sum()) - len(kept)
