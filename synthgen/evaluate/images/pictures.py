"""Images of any layout and range as one kind of array, and the sides that every metric compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from synthgen.core.params import check_choice, check_integer
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError

Images = NDArray[np.float32]
Layout = Literal["auto", "channels_first", "channels_last"]

#: More images than this say nothing more, but take longer.
MAX_IMAGES: Final = 10_000

_MOST_CHANNELS: Final = 4

#: Numbers for the choice of images, apart from those of the other metrics.
_CHOICE: Final = 61
_SPLIT: Final = 62


@dataclass(frozen=True)
class Sides:
    """The two sides that a metric compares, and fresh real images to compare the score with.

    Parameters
    ----------
    reference : numpy.ndarray of shape (n, C, H, W)
        Real images that the others are held against.
    fresh, made : numpy.ndarray of shape (m, C, H, W)
        Other real images and synthetic ones, equally many: a score depends on the number.
    train : numpy.ndarray of shape (k, C, H, W)
        All real images that the generator may have seen.
    details : dict
        What a result says about the sides.
    """

    reference: Images
    fresh: Images
    made: Images
    train: Images
    details: dict[str, Any]


def as_images(*arrays: Any, layout: str = "auto") -> list[Images]:
    """Return arrays of images as ``(n, C, H, W)`` in [0, 1], all by the same rule.

    Parameters
    ----------
    *arrays : array-like of shape (n, H, W), (n, H, W, C) or (n, C, H, W)
        Integers or booleans from 0 on (8 bits mean 0..255), or floats, in [0, 1], [-1, 1] or
        [0, 255]; which of them, all float arrays together decide.
    layout : {"auto", "channels_first", "channels_last"}, default="auto"
        Where the channels stand; ``"auto"`` takes the axis with at most four entries.

    Returns
    -------
    list of numpy.ndarray of float32

    Raises
    ------
    InvalidDataError
        If an array holds no images, if the shapes differ, or if the layout or the range is unclear.

    Examples
    --------
    >>> (images,) = as_images(np.full((2, 8, 8), 255, dtype=np.uint8))
    >>> images.shape, float(images.max())
    ((2, 1, 8, 8), 1.0)
    """
    check_choice("layout", layout, ["auto", "channels_first", "channels_last"])
    raw = [_checked(array) for array in arrays]
    low, high = _float_range([array for array in raw if array.dtype.kind == "f"])
    _check_whole([array for array in raw if array.dtype.kind in "iu"])
    result = []
    for array in raw:
        start, end = (low, high) if array.dtype.kind == "f" else (0.0, _integer_end(array.dtype))
        scaled = (_channels_first(array, layout).astype(np.float32) - start) / (end - start)
        result.append(np.ascontiguousarray(np.clip(scaled, 0.0, 1.0)))
    shapes = {images.shape[1:] for images in result}
    if len(shapes) > 1:
        listed = " and ".join(str(shape) for shape in sorted(shapes))
        raise InvalidDataError(
            f"All images must have one shape, got (channels, height, width) {listed}."
        )
    return result


def _checked(array: Any) -> NDArray[Any]:
    values = to_array(array, "Images")
    if values.ndim not in (3, 4) or not values.size or values.dtype.kind not in "buif":
        raise InvalidDataError(
            "Images must be a non-empty numeric array (n, H, W), (n, H, W, C) or (n, C, H, W), "
            f"got shape {values.shape} and dtype {values.dtype}."
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InvalidDataError("Images must not hold NaN or infinite values.")
    return values


def to_array(values: Any, what: str) -> NDArray[Any]:
    """Return images or labels as an array.

    Raises
    ------
    InvalidDataError
        If they have several shapes; `what` says what they are.
    """
    try:
        # Tensors of torch become arrays too, without an import of torch.
        return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    except ValueError as error:
        raise InvalidDataError(f"{what} must all have one shape: {error}") from error


def _integer_end(dtype: np.dtype[Any]) -> float:
    return 1.0 if dtype.kind == "b" else 65535.0 if dtype == np.uint16 else 255.0


def _check_whole(arrays: Sequence[NDArray[Any]]) -> None:
    """Refuse whole numbers that are no bytes: what is black and white then is unclear."""
    for array in arrays:
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > _integer_end(array.dtype):
            raise InvalidDataError(
                f"Images of whole numbers must be in 0 to 255 (uint16: 0 to 65535), got {low} to "
                f"{high}. Scale them, or give floats in [0, 1]."
            )


def _float_range(arrays: Sequence[NDArray[Any]]) -> tuple[float, float]:
    """Return the range of values that float images are in; a little overshoot is forgiven."""
    if not arrays:
        return 0.0, 1.0
    low = min(float(array.min()) for array in arrays)
    high = max(float(array.max()) for array in arrays)
    for start, end in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        slack = 0.02 * (end - start)
        if start - slack <= low and high <= end + slack:
            return start, end
    raise InvalidDataError(
        f"Float images must be in [0, 1], [-1, 1] or [0, 255], got values from {low:g} to {high:g}."
    )


def _channels_first(array: NDArray[Any], layout: str) -> NDArray[Any]:
    if array.ndim == 3:
        return array[:, None]
    if layout == "auto":
        first, last = (array.shape[axis] <= _MOST_CHANNELS for axis in (1, 3))
        if first == last:
            raise InvalidDataError(
                f"Which axis of shape {array.shape} holds the channels is unclear; "
                "pass layout='channels_first' or layout='channels_last'."
            )
        layout = "channels_first" if first else "channels_last"
    return array if layout == "channels_first" else array.transpose(0, 3, 1, 2)


def make_sides(
    real: Any,
    synthetic: Any,
    holdout: Any = None,
    *,
    layout: str = "auto",
    max_images: int = MAX_IMAGES,
    random_state: Any = 0,
) -> Sides:
    """Return the sides of a comparison.

    With a holdout, it is the reference, and training images stand for "as good as real": a
    generator that copies its training images then scores no better than real images do. Without
    one, the real images are split into halves.

    Parameters
    ----------
    real, synthetic, holdout : array-like
        Images, see :func:`as_images`; a holdout is of real images that nothing was trained on.
    layout : str, default="auto"
        See :func:`as_images`.
    max_images : int, default=10000
        At most this many random images of every side are used.
    random_state : int, Generator or None, default=0
        Seed of the choice and of the split.

    Returns
    -------
    Sides
    """
    limit = check_integer("max_images", max_images, minimum=1)
    seed = root_seed(random_state)
    train, made, *rest = as_images(
        real, synthetic, *([] if holdout is None else [holdout]), layout=layout
    )
    if rest:
        reference, fresh = rest[0], train
    else:
        order = generator(seed, "score", _SPLIT).permutation(len(train))
        # One image alone stands on both sides.
        half = (len(train) + 1) // 2
        reference, fresh = train[order[:half]], train[order[half:] if half < len(train) else order]
    rng = generator(seed, "score", _CHOICE)
    size = min(limit, len(fresh), len(made))
    reference = choose(reference, limit, rng)
    details = {
        "reference_images": len(reference),
        "synthetic_images": size,
        "reference_side": "holdout" if rest else "half of the real images",
    }
    return Sides(reference, choose(fresh, size, rng), choose(made, size, rng), train, details)


def choose(images: Images, size: int, rng: np.random.Generator) -> Images:
    """Return at most `size` random images, in their order."""
    if len(images) <= size:
        return images
    return images[np.sort(rng.choice(len(images), size, replace=False))]


def scramble(images: Images, rng: np.random.Generator) -> Images:
    """Return images whose every pixel comes from another image: the right values, no shapes."""
    flat = images.reshape(len(images), -1)
    return rng.permuted(flat, axis=0).reshape(images.shape)


def shrink(images: Images, side: int) -> Images:
    """Return images averaged over whole squares of pixels until no side is longer than `side`.

    Examples
    --------
    >>> shrink(np.ones((1, 1, 64, 100), dtype=np.float32), 32).shape
    (1, 1, 16, 25)
    """
    _, _, height, width = images.shape
    factor = -(-max(height, width) // side)
    if factor == 1:
        return images
    # Rows and columns that fill no square are dropped.
    rows, columns = max(1, height // factor), max(1, width // factor)
    tall, wide = min(factor, height), min(factor, width)
    cropped = images[:, :, : rows * tall, : columns * wide]
    blocks = cropped.reshape(*images.shape[:2], rows, tall, columns, wide)
    shrunk: Images = blocks.mean(axis=(3, 5), dtype=np.float32)
    return shrunk
