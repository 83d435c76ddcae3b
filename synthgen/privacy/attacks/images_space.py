"""Images as features for attacks; learned from synthetic and reference images, never members."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.core.random import generator
from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.measure.columns import cut_rows
from synthgen.measure.space import Rows
from synthgen.privacy.attacks.judge import Population, halves

#: Images are averaged down to at most this many pixels a side before principal components.
_SIDE: Final = 16
_MAX_COMPONENTS: Final = 64
MAX_IMAGES: Final = 20_000
MAX_TARGETS: Final = 4_000


@dataclass(frozen=True)
class ImageArena:
    """Images as points; targets are members, then holdout images.

    Parameters
    ----------
    synthetic, reference, targets : Rows
        Features; no categories.
    pictures : numpy.ndarray
        The targets as they were given, for white-box attacks.
    places : numpy.ndarray of int of shape (targets,)
        Where each target stood among the members or the holdout images that were given, for what
        belongs to it, labels for instance.
    population : Population
    seed : int
    """

    synthetic: Rows
    reference: Rows
    targets: Rows
    pictures: NDArray[Any]
    places: NDArray[np.int64]
    population: Population
    seed: int


def arena_of_images(
    synthetic: Any,
    members: Any,
    holdout: Any,
    reference: Any = None,
    *,
    features: Callable[[NDArray[Any]], Any] | None = None,
    max_targets: int = MAX_TARGETS,
    seed: int = 0,
) -> ImageArena:
    """Turn images into features and choose which are attacked.

    Parameters
    ----------
    synthetic, members, holdout : array-like of shape (n, ...)
        Images of one layout.
    reference : array-like, optional
        Further real images; without it a random half of the holdout.
    features : callable, optional
        Takes images as they were given and returns an array of shape (n, d). It must not have been
        learned from members. By default principal components of small versions, learned from
        synthetic and reference images.
    max_targets : int, default=4000
    seed : int, default=0

    Raises
    ------
    InvalidDataError
        If layouts differ, there are too few images, or pixels are no finite numbers.
    InvalidParameterError
        If `features` gives anything but finite numbers for each image.
    """
    names = ("synthetic", "members", "holdout", "reference")
    given = (synthetic, members, holdout, *(() if reference is None else (reference,)))
    tables = [_images(name, own) for name, own in zip(names, given, strict=False)]
    outer = np.arange(len(tables[2]))
    if reference is None:
        order = generator(seed, "attack", 41).permutation(len(tables[2]))
        half = len(order) // 2
        outer = order[half:]
        tables = [*tables[:2], tables[2][outer], tables[2][order[:half]]]
    shapes = {own.shape[1:] for own in tables}
    if len(shapes) > 1:
        raise InvalidDataError(f"All images must have one layout, got {sorted(map(str, shapes))}.")
    if min(map(len, tables)) < 8:
        raise InvalidDataError("The attacks need 8 images of each kind; some hundreds say more.")
    rng = generator(seed, "attack", 42)
    limits = [MAX_IMAGES, max_targets, max_targets, MAX_IMAGES]
    chosen = [
        cut_rows(np.arange(len(own)), limit, rng) for own, limit in zip(tables, limits, strict=True)
    ]
    made, inside, outside, real = (own[rows] for own, rows in zip(tables, chosen, strict=True))
    pictures = np.concatenate([inside, outside])
    if features is None:
        points = _components(_small(made), _small(real), _small(pictures), seed)
    else:
        points = [_featured(features, own) for own in (made, real, pictures)]
    member = np.repeat([True, False], [len(inside), len(outside)])
    population = Population(
        "random",
        np.arange(len(member)),
        member,
        halves(member, generator(seed, "attack", 43)),
    )
    synthetic_rows, reference_rows, targets = (_rows(own) for own in points)
    places = np.concatenate([chosen[1], outer[chosen[2]]])
    return ImageArena(synthetic_rows, reference_rows, targets, pictures, places, population, seed)


def _images(name: str, given: Any) -> NDArray[Any]:
    """Return images as an array of finite numbers."""
    try:
        images = np.asarray(given)
    except ValueError as error:  # of several shapes
        raise InvalidDataError(f"{name}: images must have one layout, got several.") from error
    if images.ndim < 2 or images.dtype.kind not in "biuf":
        raise InvalidDataError(
            f"{name} must be an array of images, numbers of shape (n, ...), got shape "
            f"{images.shape} and type {images.dtype}."
        )
    if not np.isfinite(images).all():
        raise InvalidDataError(f"{name}: some pixels are NaN or infinite.")
    return images


def _featured(features: Callable[[NDArray[Any]], Any], images: NDArray[Any]) -> NDArray[Any]:
    expected = f"features must give numbers of shape ({len(images)}, d)"
    try:
        found = np.asarray(features(images))
    except ValueError as error:
        raise InvalidParameterError(f"{expected}; it failed: {error}") from error
    if found.ndim < 1 or len(found) != len(images) or found.dtype.kind not in "biuf":
        raise InvalidParameterError(f"{expected}, got shape {found.shape} and type {found.dtype}.")
    if not np.isfinite(found).all():
        raise InvalidParameterError(f"{expected}, got NaN or infinite ones.")
    return found.reshape(len(images), -1)


def _rows(points: NDArray[Any]) -> Rows:
    return Rows(points.astype(np.float64), np.empty((0, len(points)), dtype=np.int32), [])


def _small(images: NDArray[Any]) -> NDArray[np.float64]:
    """Return images with the two longest axes averaged over squares, flat."""
    own = images.astype(np.float64)
    for axis in np.argsort(own.shape[1:])[::-1][:2] + 1:
        factor = own.shape[axis] // _SIDE
        if factor > 1:
            own = np.moveaxis(own, axis, -1)
            length = own.shape[-1] // factor
            own = own[..., : length * factor].reshape(*own.shape[:-1], length, factor).mean(axis=-1)
            own = np.moveaxis(own, -1, axis)
    return own.reshape(len(own), -1)


def _components(
    made: NDArray[np.float64], real: NDArray[np.float64], targets: NDArray[np.float64], seed: int
) -> list[NDArray[np.float64]]:
    size = min(len(made), len(real), 4_000)
    rng = generator(seed, "attack", 45)
    learned = np.concatenate(
        [own[cut_rows(np.arange(len(own)), size, rng)] for own in (made, real)]
    )
    middle = learned.mean(axis=0)
    _, lengths, axes = np.linalg.svd(learned - middle, full_matrices=False)
    kept = axes[:_MAX_COMPONENTS][lengths[:_MAX_COMPONENTS] > 1e-9 * max(lengths[0], 1e-300)]
    return [(own - middle) @ kept.T for own in (made, real, targets)]
