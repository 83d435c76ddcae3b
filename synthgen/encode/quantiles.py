"""A quantile function that gives a column its distribution and nobody's own value away."""

from __future__ import annotations

from typing import Final

import numpy as np

#: A value of the head that fewer rows share is not repeated.
SHARED: Final = 10
#: As many such values in a row, within so many steps, are not told apart.
_CLOSE: Final = 100


def thin(ordered: np.ndarray, most: int) -> np.ndarray:
    """Keep at most `most` evenly spaced order statistics, the extremes among them."""
    if len(ordered) <= most:
        return ordered
    return ordered[np.linspace(0, len(ordered) - 1, most).round().astype(np.int64)]


def quantile_corners(
    knots: np.ndarray, shared: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of a quantile function that repeats shared values only.

    A shared value is level from where its ranks begin to where they end. Any other is a point in
    the middle of its ranks; but where such values lie close together on a grid, hitting one of them
    by chance would be likely, so that some of them together are one straight line.

    Returns
    -------
    ranks, values : numpy.ndarray of float64, shape (2 * distinct,)
        Both ascending.
    """
    values, first, counts = np.unique(knots, return_index=True, return_counts=True)
    last, level = first + counts, shared[first]
    middle = (first + last) / 2
    block = np.where(level, -1 - np.arange(len(values)), first // SHARED)
    begins = np.append(True, block[1:] != block[:-1])
    ends = np.append(begins[1:], True)
    run = np.cumsum(begins) - 1
    span = (values[ends] - values[begins])[run]
    dense = ~level & (span > 0) & (span <= _CLOSE * step)
    edges = np.concatenate([values[:1], (values[1:] + values[:-1]) / 2, values[-1:]])
    start, stop = first[begins][run], last[ends][run]
    # Lines reach half way to their neighbours, if these are as near as their own values.
    reach = np.maximum(span / (stop - start), step)
    low = np.maximum(edges[:-1][begins][run], values[begins][run] - reach)
    high = np.minimum(edges[1:][ends][run], values[ends][run] + reach)
    line = low + (middle - start) / (stop - start) * (high - low)
    at = np.where(dense, line, values)
    corners = [
        (np.where(level, first, np.where(dense & begins, start, middle)),
         np.where(dense & begins, low, at)),
        (np.where(level, last, np.where(dense & ends, stop, middle)),
         np.where(dense & ends, high, at)),
    ]  # fmt: skip
    ranks, found = (np.stack(pair, axis=1).ravel() for pair in zip(*corners, strict=True))
    return ranks / len(knots), found
