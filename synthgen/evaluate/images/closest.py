"""The closest pairs of generated and training images, beside those of fresh real ones."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synthgen.core.random import generator
from synthgen.evaluate.images.content import Closest, Pair
from synthgen.evaluate.images.nearest import nearest_rows
from synthgen.evaluate.images.pictures import Images, shrink
from synthgen.evaluate.report.content import Overlay
from synthgen.evaluate.result import Result

_SHOWN: Final = 8
#: Fresh real images, and training images, that the control looks at.
_CONTROL: Final = 1_000
_TRAINING: Final = 50_000
_SIDE: Final = 32
_BINS: Final = 24
_CHOICE: Final = 77


def closest_pairs(
    train: Images, made: Images, holdout: Images | None, result: Result, seed: int
) -> Closest:
    """Return the closest pairs and the distribution of distances.

    Parameters
    ----------
    train, made, holdout : numpy.ndarray of shape (n, C, H, W)
        Without a holdout, training images and their nearest other training image are the control.
    result : Result
        What :func:`~synthgen.evaluate.images.nearest.memorisation` said of them.
    seed : int

    Returns
    -------
    Closest
    """
    side = "training" if holdout is None else "holdout"
    if result.breakdown is None:
        return Closest([], [], side, None)
    found = result.breakdown
    median = float(result.details["median_distance_of_real"])
    names = ("synthetic", "real", "distance")
    rows_made, rows_real, lengths = (found[name].head(_SHOWN).to_numpy() for name in names)
    pairs = [
        _pair(made[one], train[other], float(length), median)
        for one, other, length in zip(rows_made, rows_real, lengths, strict=True)
    ]
    fresh, rows, distances = _control(train, holdout, seed)
    order = np.argsort(distances, kind="stable")[:_SHOWN]
    control = [_pair(fresh[k], train[rows[k]], float(distances[k]), median) for k in order]
    overlay = _overlay(distances, found["distance"].to_numpy(dtype=np.float64))
    return Closest(pairs, control, side, overlay)


def _pair(image: Images, training: Images, distance: float, median: float) -> Pair:
    relative = distance / median if median > 0 else None
    return Pair(np.stack([image, training]), relative)


def _control(
    train: Images, holdout: Images | None, seed: int
) -> tuple[Images, NDArray[np.int64], NDArray[np.float64]]:
    """Return fresh real images, the rows of their nearest training images, and the distances."""
    rng = generator(seed, "score", _CHOICE)
    rows = rng.permutation(len(train))[:_TRAINING]
    flat = shrink(train[rows], _SIDE).reshape(len(rows), -1)
    if holdout is None:
        # Training images come first in both, so that each knows its own row.
        fresh = train[rows[:_CONTROL]]
        found, distances = nearest_rows(flat[:_CONTROL], flat, same=True)
    else:
        fresh = holdout[rng.permutation(len(holdout))[:_CONTROL]]
        small = shrink(fresh, _SIDE).reshape(len(fresh), -1)
        found, distances = nearest_rows(small, flat)
    return fresh, rows[found], distances


def _overlay(real: NDArray[np.float64], made: NDArray[np.float64]) -> Overlay:
    high = float(np.quantile(np.concatenate([real, made]), 0.995))
    edges = np.linspace(0.0, high if high > 0 else 1.0, _BINS + 1)
    before, after = (
        (np.histogram(np.clip(values, 0.0, edges[-1]), edges)[0] / len(values)).round(6).tolist()
        for values in (real, made)
    )
    words = [f"{edge:.3g}" for edge in edges]
    labels = [f"{low} to {high}" for low, high in pairwise(words)]
    return Overlay(
        "distance to the nearest training image",
        "continuous",
        None,
        labels,
        before,
        after,
        edges=[float(edge) for edge in edges],
    )
