"""The nearest rows of a large table, exactly: rough in float32 by matrix products, then exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synthgen.measure.space import Rows

#: Rows of the large table and of the queries in one block: 32 MB of rough distances.
_REFERENCE_ROWS: Final = 16_384
_QUERY_ROWS: Final = 512

#: Candidates beyond those asked for, so that rounding in float32 loses no neighbour.
_SPARE: Final = 8

#: A column of more categories shares places in the rough distance; the exact one tells them apart.
_MOST_PLACES: Final = 128

_EXACT_ROWS: Final = 1_024


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of every query, nearest first.

    Parameters
    ----------
    rows : numpy.ndarray of int of shape (queries, k)
    distances : numpy.ndarray of float of shape (queries, k)
        Euclidean; a different category counts as 1. Fewer columns than asked for if the table has
        fewer rows.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]


def nearest(queries: Rows, references: Rows, k: int) -> Neighbours:
    """Search the `k` nearest reference rows of every query row.

    Memory does not grow with the product of the numbers of rows.
    """
    kept = min(k + _SPARE, len(references))
    wanted = vectors(queries, slice(0, len(queries)))
    best = np.full((len(queries), kept), np.inf, dtype=np.float32)
    rows = np.full((len(queries), kept), -1, dtype=np.int64)
    for start in range(0, len(references), _REFERENCE_ROWS):
        block = vectors(references, slice(start, start + _REFERENCE_ROWS))
        lengths = (block**2).sum(axis=1)
        for at in range(0, len(queries), _QUERY_ROWS):
            part = slice(at, at + _QUERY_ROWS)
            rough = wanted[part] @ block.T
            rough *= -2
            rough += lengths
            _merge(best[part], rows[part], rough, start)
    return _exact(queries, references, rows, min(k, len(references)))


def vectors(rows: Rows, part: slice) -> NDArray[np.float32]:
    """Return rows as vectors whose squared distances are those of :mod:`synthgen.measure.space`."""
    numbers = rows.numbers[part]
    places = [min(count, _MOST_PLACES) for count in rows.n_codes]
    result = np.zeros((len(numbers), numbers.shape[1] + sum(places)), dtype=np.float32)
    result[:, : numbers.shape[1]] = numbers
    every = np.arange(len(numbers))
    start = numbers.shape[1]
    for codes, width in zip(rows.codes, places, strict=True):
        # Two different one-hot vectors of this length are 1 apart.
        result[every, start + codes[part] % width] = np.sqrt(0.5)
        start += width
    return result


def take(rows: Rows, places: NDArray[np.int64] | slice) -> Rows:
    """Return some of the rows."""
    return Rows(rows.numbers[places], np.ascontiguousarray(rows.codes[:, places]), rows.n_codes)


def _merge(
    best: NDArray[np.float32], rows: NDArray[np.int64], rough: NDArray[np.float32], start: int
) -> None:
    """Put the nearest rows of one block into the lists, in place."""
    kept = best.shape[1]
    if np.isinf(best[0, 0]) and rough.shape[1] >= kept:
        found = np.argpartition(rough, kept - 1, axis=1)[:, :kept]
        best[:] = np.take_along_axis(rough, found, axis=1)
        rows[:] = found + start
        return
    own, place = np.nonzero(rough < best.max(axis=1)[:, None])
    if not len(own):
        return
    touched = np.unique(own)
    owners = np.concatenate([np.repeat(touched, kept), own])
    values = np.concatenate([best[touched].ravel(), rough[own, place]])
    names = np.concatenate([rows[touched].ravel(), place + start])
    order = np.lexsort((names, values, owners))
    owners, values, names = owners[order], values[order], names[order]
    first = np.searchsorted(owners, touched)
    chosen = first[:, None] + np.arange(kept)
    best[touched], rows[touched] = values[chosen], names[chosen]


def _exact(queries: Rows, references: Rows, rows: NDArray[np.int64], k: int) -> Neighbours:
    """Order the candidates by their exact distance; of equal ones, the first row wins."""
    chosen = np.empty((len(queries), k), dtype=np.int64)
    distances = np.empty((len(queries), k))
    for start in range(0, len(queries), _EXACT_ROWS):
        part = slice(start, start + _EXACT_ROWS)
        candidates = np.sort(rows[part], axis=1)
        squared = _squared(queries, part, references, candidates)
        order = np.argsort(squared, axis=1, kind="stable")[:, :k]
        chosen[part] = np.take_along_axis(candidates, order, axis=1)
        distances[part] = np.sqrt(np.take_along_axis(squared, order, axis=1))
    return Neighbours(chosen, distances)


def _squared(
    queries: Rows, part: slice, references: Rows, candidates: NDArray[np.int64]
) -> NDArray[np.float64]:
    result = np.zeros(candidates.shape)
    for own, other in zip(queries.numbers[part].T, references.numbers.T, strict=True):
        result += (own[:, None] - other[candidates]) ** 2
    for codes, others in zip(queries.codes[:, part], references.codes, strict=True):
        result += codes[:, None] != others[candidates]
    return result
