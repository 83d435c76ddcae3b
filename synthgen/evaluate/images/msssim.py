"""Multi-scale structural similarity within classes: how much the images of a class vary."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError
from synthgen.evaluate.images.classes import encode_labels
from synthgen.evaluate.images.pictures import Images, as_images
from synthgen.evaluate.result import Result

REFERENCE: Final = (
    "Wang, Simoncelli & Bovik (2003), doi:10.1109/ACSSC.2003.1292216; within classes: Odena, Olah "
    "& Shlens (2017), arXiv:1610.09585"
)

#: Weights of the scales, finest first, of the original paper.
WEIGHTS: Final = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

_WINDOW: Final = 11
_SIGMA: Final = 1.5
_PAIRS: Final = 33


def ms_ssim(first: Images, second: Images) -> NDArray[np.float64]:
    """Return the multi-scale structural similarity of pairs of images.

    Parameters
    ----------
    first, second : numpy.ndarray of shape (n, C, H, W)
        Values in [0, 1].

    Returns
    -------
    numpy.ndarray of shape (n,)
        1 for equal images.

    Notes
    -----
    The original takes five scales and a window of 11 pixels, for which an image must have 161
    pixels and more. Smaller images get as many scales as the window fits into, with the original
    weights scaled to the sum of 1, and images below 11 pixels a window of their own size. A
    negative similarity at a scale counts as 0, for it has no fractional power.

    References
    ----------
    Wang, Simoncelli & Bovik (2003), Multi-scale structural similarity for image quality assessment,
    doi:10.1109/ACSSC.2003.1292216.

    Examples
    --------
    >>> image = np.linspace(0, 1, 64, dtype=np.float32).reshape(1, 1, 8, 8)
    >>> ms_ssim(image, image).tolist()
    [1.0]
    """
    if first.shape != second.shape or first.ndim != 4:
        raise InvalidDataError(
            f"Pairs must be two arrays (n, C, H, W) of one shape, got {first.shape} and "
            f"{second.shape}."
        )
    window, weights = _plan(min(first.shape[2:]))
    x, y = first.astype(np.float64), second.astype(np.float64)
    result = np.ones(len(x))
    for scale, weight in enumerate(weights):
        if scale:
            x, y = _halved(x), _halved(y)
        # Brightness counts at the coarsest scale only.
        own = _similarity(x, y, window, whole=scale == len(weights) - 1)
        result *= np.maximum(own, 0.0) ** weight
    return result


def _plan(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the window and the weights of the scales for images with this shorter side."""
    length = min(_WINDOW, side - 1 + side % 2)
    scales = 1
    while scales < len(WEIGHTS) and side >> scales >= length:
        scales += 1
    places = np.arange(length) - length // 2
    window = np.exp(-(places**2) / (2 * _SIGMA**2))
    weights = np.array(WEIGHTS[:scales])
    return window / window.sum(), weights / weights.sum()


def _halved(images: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = (size // 2 * 2 for size in images.shape[2:])
    cropped = images[:, :, :height, :width]
    blocks = cropped.reshape(*images.shape[:2], height // 2, 2, width // 2, 2)
    result: NDArray[np.float64] = blocks.mean(axis=(3, 5))
    return result


def _similarity(
    x: NDArray[np.float64], y: NDArray[np.float64], window: NDArray[np.float64], *, whole: bool
) -> NDArray[np.float64]:
    """Return the similarity of structure of every pair, or of structure and brightness."""
    if whole:  # the little that is left counts up to the rim, with a mirror behind it
        rim = len(window) // 2
        margins = ((0, 0), (0, 0), (rim, rim), (rim, rim))
        x, y = np.pad(x, margins, mode="reflect"), np.pad(y, margins, mode="reflect")
    mean_x, mean_y = _blurred(x, window), _blurred(y, window)
    variance_x = np.maximum(_blurred(x * x, window) - mean_x**2, 0.0)
    variance_y = np.maximum(_blurred(y * y, window) - mean_y**2, 0.0)
    covariance = _blurred(x * y, window) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    found = (2 * covariance + c2) / (variance_x + variance_y + c2)
    if whole:
        found *= (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    result: NDArray[np.float64] = found.mean(axis=(1, 2, 3))
    return result


def _blurred(images: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weighted means under the window where all of it is inside the image."""
    for axis in (2, 3):
        views = np.lib.stride_tricks.sliding_window_view(images, len(window), axis=axis)
        images = views @ window
    return images


def intra_class_similarity(
    real: Any,
    synthetic: Any,
    *,
    labels: Any,
    synthetic_labels: Any,
    pairs: int = 100,
    layout: str = "auto",
    random_state: Any = 0,
) -> Result:
    """Return how alike two random synthetic images of one class are.

    Parameters
    ----------
    real, synthetic : array-like
        Images, see :func:`~synthgen.evaluate.images.frechet.frechet`.
    labels, synthetic_labels : array-like of shape (n,) and (m,)
        Their classes.
    pairs : int, default=100
        Random pairs per class.
    layout : {"auto", "channels_first", "channels_last"}, default="auto"
        Where the channels stand.
    random_state : int, Generator or None, default=0
        Seed of the choice of pairs.

    Returns
    -------
    Result
        Mean over classes of the mean similarity, lower is better (more varied); the ceiling is that
        of the real images. Clearly above it, a class has collapsed; below it, images may be noise.
        The breakdown has the classes, the most collapsed first. None if no class has two synthetic
        images.
    """
    pairs = check_integer("pairs", pairs, minimum=1)
    seed = root_seed(random_state)
    sides = as_images(real, synthetic, layout=layout)
    codes, classes = encode_labels(
        [*list(labels), *list(synthetic_labels)], sum(len(images) for images in sides)
    )
    parts = np.split(codes, [len(sides[0])])
    records = []
    for code, label in enumerate(classes):
        values = [
            _within(images, own == code, pairs, generator(seed, "score", 69, code))
            for images, own in zip(sides, parts, strict=True)
        ]
        if values[0] is not None and values[1] is not None:
            records.append((label, values[1], values[0], values[1] - values[0]))
    breakdown = pd.DataFrame(records, columns=["class", "synthetic", "real", "excess"])
    details: dict[str, Any] = {"pairs_per_class": pairs, "classes": len(records)}
    if not records:
        details["not_applicable"] = "no class has two images on both sides"
        return Result("ms_ssim", None, "lower", reference=REFERENCE, details=details)
    return Result(
        "ms_ssim",
        float(breakdown["synthetic"].mean()),
        "lower",
        ceiling=float(breakdown["real"].mean()),
        floor=1.0,
        breakdown=breakdown.sort_values("excess", ascending=False, ignore_index=True),
        reference=REFERENCE,
        details=details,
    )


def _within(
    images: Images, chosen: NDArray[np.bool_], pairs: int, rng: np.random.Generator
) -> float | None:
    rows = np.flatnonzero(chosen)
    if len(rows) < 2:
        return None
    first = rng.integers(0, len(rows), pairs)
    second = (first + rng.integers(1, len(rows), pairs)) % len(rows)  # never the same image
    found = [
        ms_ssim(images[rows[first[at]]], images[rows[second[at]]])
        for at in np.array_split(np.arange(pairs), -(-pairs // _PAIRS))
    ]
    return float(np.concatenate(found).mean())
