"""Images in: arrays in three layouts, torch datasets and folders; and the way back out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from synthgen.core.params import check_choice
from synthgen.data.image_folder import pixels_of, read_folder
from synthgen.data.image_labels import LabelSpec
from synthgen.errors import InvalidDataError, InvalidParameterError

#: Images are on another scale if more than this share of their pixels lies further outside black
#: and white than so many times the distance of these; single odd pixels may lie anywhere.
_OUTSIDE: Final = 0.1
_FAR: Final = 2.0
#: Numbers beyond this have squares that single precision cannot hold.
_LARGEST: Final = 1e15
#: Names of the axes: number, height, width, channels.
LAYOUTS: Final = ("NHW", "NHWC", "NCHW")
#: Smallest side of an image, in pixels; a shorter axis can only be the channels.
SMALLEST: Final = 8


@dataclass(frozen=True)
class ImageSpec:
    """How images looked when they came in, so that generated ones can look the same.

    Parameters
    ----------
    layout : {"NHW", "NHWC", "NCHW"}
    channels, height, width : int
    dtype : str
        Of the array, as numpy spells it.
    low, high : float
        The values that become -1 and 1 inside.

    Examples
    --------
    >>> spec = ImageSpec("NHW", 1, 8, 8, "uint8", 0.0, 255.0)
    >>> ImageSpec.from_json(spec.to_json()) == spec
    True
    """

    layout: str
    channels: int
    height: int
    width: int
    dtype: str
    low: float
    high: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.channels, self.height, self.width

    def to_json(self) -> dict[str, Any]:
        """Return the specification as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> ImageSpec:
        """Rebuild what :meth:`to_json` returned."""
        return cls(**document)

    def unify(self, images: np.ndarray) -> np.ndarray:
        """Return images of this layout as float32 (n, channels, height, width) in [-1, 1].

        Raises
        ------
        InvalidDataError
            If they have another shape.
        """
        images = _channels_first(images, self.layout)
        if images.shape[1:] != self.shape:
            raise InvalidDataError(
                f"The images are (channels, height, width) = {images.shape[1:]}, and the model "
                f"was fitted to {self.shape}."
            )
        scale = 2.0 / (self.high - self.low)
        unified: np.ndarray = (images.astype(np.float32) - np.float32(self.low)) * np.float32(scale)
        np.clip(unified - 1.0, -1.0, 1.0, out=unified)
        return unified

    def check_scale(self, images: np.ndarray) -> None:
        """Check that black and white can be what they are here.

        Raises
        ------
        InvalidDataError
            If images of bytes were meant and these are fractions, or values lie far outside.
        """
        if not images.size:
            return
        low, high, span = float(images.min()), float(images.max()), self.high - self.low
        far = (images > self.high + _FAR * span) | (images < self.low - _FAR * span)
        beyond = far.mean() > _OUTSIDE
        whole = np.dtype(self.dtype).kind in "iu" and span > 2.0
        fractions = whole and images.dtype.kind == "f" and low >= -1.0 and high <= 1.0
        if beyond or (fractions and bool((images != np.rint(images)).any())):
            raise InvalidDataError(
                f"The values of these images go from {low:g} to {high:g}, and the model was fitted "
                f"to images of {self.dtype} with black at {self.low:g} and white at "
                f"{self.high:g}. Bring them to that scale."
            )

    def restore(self, images: np.ndarray) -> np.ndarray:
        """Return float32 images (n, channels, height, width) in [-1, 1] in the layout of old."""
        values = (np.clip(images, -1.0, 1.0) + 1.0) * ((self.high - self.low) / 2) + self.low
        dtype = np.dtype(self.dtype)
        if dtype == np.bool_:
            values = values >= (self.low + self.high) / 2
        elif dtype.kind in "iu":
            values = np.rint(values)
        values = np.asarray(values, dtype=dtype)
        if self.layout == "NHW":
            return np.ascontiguousarray(values[:, 0])
        if self.layout == "NHWC":
            return np.ascontiguousarray(values.transpose(0, 2, 3, 1))
        return np.ascontiguousarray(values)


@dataclass(frozen=True)
class ImageData:
    """Images and their labels as a model takes them.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (n, channels, height, width)
        In [-1, 1].
    spec : ImageSpec
    codes : numpy.ndarray of int64, shape (n, attributes), or None
        Place of each label among the values of its attribute.
    labels : LabelSpec or None
    """

    images: np.ndarray
    spec: ImageSpec
    codes: np.ndarray | None
    labels: LabelSpec | None

    def __len__(self) -> int:
        return len(self.images)


def read_images(
    X: Any,
    y: Any = None,
    *,
    layout: str | None = None,
    value_range: tuple[float, float] | None = None,
    classes: Any = None,
    like: ImageSpec | None = None,
) -> ImageData:
    """Read images of any supported form.

    Parameters
    ----------
    X : array-like, torch Dataset or path-like
        An array or tensor of shape (n, H, W), (n, H, W, C) or (n, C, H, W) of booleans, integers
        or floats; a list of equal images; a dataset of images or of (image, label) pairs; or a
        folder of image files, whose subfolders, if any, name the classes.
    y : array-like of shape (n,) or (n, attributes), optional
        Labels of any type.
    layout : {"NHW", "NHWC", "NCHW"}, optional
        Meaning of the axes; inferred where only one reading is possible.
    value_range : tuple of float, optional
        Black and white; by default what the type and the data say.
    classes : array-like, optional
        Values of the labels that there can be; by default those that there are.
    like : ImageSpec, optional
        What they should look like; it says the layout, black and white.

    Raises
    ------
    InvalidDataError
        If the images are empty, ragged, too few, too small, undefined, complex or of unclear
        layout, or the labels do not belong to them.
    InvalidParameterError
        If `layout`, `value_range` or `classes` make no sense.
    """
    if like is not None:
        layout, value_range = like.layout, (like.low, like.high)
    if layout is not None:
        check_choice("layout", layout, LAYOUTS)
    found_labels: Any = None
    if isinstance(X, (str, os.PathLike)):
        X, found_labels = read_folder(X)
    elif not isinstance(X, np.ndarray) and _is_dataset(X):
        X, found_labels = _read_dataset(X)
    if y is None:
        y = found_labels
    array = _as_array(X)
    if like is not None:
        like.check_scale(array)
    layout = _infer_layout(array, layout)
    first = _channels_first(array, layout)
    if len(first) < 2:
        raise InvalidDataError(
            f"Found {len(first)} image(s): at least 2 are needed to learn from, and some hundreds "
            "to learn anything of use."
        )
    if min(first.shape[2:]) < SMALLEST:
        if array.ndim == 3 and array.shape[2] in (1, 2, 3, 4):
            raise InvalidDataError(
                f"The shape {array.shape} looks like one image with channels; a model learns from "
                "many: pass an array (n, H, W, C)."
            )
        raise InvalidDataError(
            f"The images are {first.shape[2]} x {first.shape[3]} pixels; each side must have at "
            f"least {SMALLEST}."
        )
    low, high = _range(array, value_range)
    channels, height, width = (int(size) for size in first.shape[1:])
    spec = ImageSpec(layout, channels, height, width, array.dtype.name, low, high)
    codes = labels = None
    if y is not None:
        labels = LabelSpec.of(y, len(first), classes)
        codes = labels.encode(y)
    return ImageData(spec.unify(array), spec, codes, labels)


def as_images(X: Any, spec: ImageSpec) -> np.ndarray:
    """Read images that should look like those of `spec`.

    Returns
    -------
    numpy.ndarray of float32, shape (n, channels, height, width)
        In [-1, 1].

    Raises
    ------
    InvalidDataError
        If they do not.
    """
    array = _as_array(X)
    if array.ndim != len(spec.layout):
        raise InvalidDataError(
            f"The images have {array.ndim} axes; the model was fitted to {spec.layout}."
        )
    spec.check_scale(array)
    return spec.unify(array)


def _is_dataset(X: Any) -> bool:
    """Return whether X is a torch Dataset (torch need not be there to tell)."""
    listed = isinstance(X, (list, tuple, Mapping)) or hasattr(X, "__array__")
    return not listed and hasattr(X, "__getitem__") and hasattr(X, "__len__")


def _read_dataset(dataset: Any) -> tuple[np.ndarray, Any]:
    items = [dataset[k] for k in range(len(dataset))]
    if not items:
        raise InvalidDataError("The dataset is empty.")
    if not isinstance(items[0], tuple):
        return _stack(items), None
    labels = [item[1] for item in items] if len(items[0]) > 1 else None
    return _stack([item[0] for item in items]), labels


def _as_array(X: Any) -> np.ndarray:
    if isinstance(X, (list, tuple)):
        array = _stack(list(X))
    else:
        X = X.detach().cpu() if hasattr(X, "detach") else X
        array = np.asarray(X)
    if array.dtype.kind == "c":
        raise InvalidDataError("Complex data are not supported; pass real and imaginary channels.")
    if array.dtype.kind not in "biuf":
        raise InvalidDataError(
            f"Images must be numbers, got an array of {array.dtype}; images of different sizes "
            "have to be brought to one size first."
        )
    if array.ndim not in (3, 4):
        raise InvalidDataError(
            f"Images must have the shape (n, H, W), (n, H, W, C) or (n, C, H, W), got "
            f"{array.shape}. Reshape your data if they are flattened."
        )
    if not array.size:
        raise InvalidDataError(f"There are no images: the array has the shape {array.shape}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidDataError("The images contain NaN or infinity.")
    if array.dtype.kind == "f" and float(np.abs(array).max()) > _LARGEST:
        raise InvalidDataError(
            f"Some pixels are beyond {_LARGEST:g} in size, which single precision cannot compute "
            "with; scale the images."
        )
    return array


def _stack(items: list[Any]) -> np.ndarray:
    arrays = [_one_array(item) for item in items]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise InvalidDataError(
            f"The images have different shapes, for instance {sorted(shapes)[:2]}; bring them to "
            "one size first."
        )
    return np.stack(arrays) if arrays else np.empty((0,))


def _one_array(item: Any) -> np.ndarray:
    if isinstance(item, (str, os.PathLike)):
        raise InvalidDataError(
            f"Got {item!r} in place of an image: pass a folder of images by its path, or arrays."
        )
    if not type(item).__module__.startswith("PIL."):
        return np.asarray(item)
    try:
        # An array of it would hold places in a palette, or ink in place of light.
        return pixels_of(item)
    except ValueError as error:
        raise InvalidDataError(f"An image of the list cannot be read: {error}.") from error


def _infer_layout(array: np.ndarray, layout: str | None) -> str:
    if layout is not None:
        if len(layout) != array.ndim:
            raise InvalidDataError(f"layout={layout!r} does not fit the shape {array.shape}.")
        return layout
    if array.ndim == 3:
        return "NHW"
    # An axis shorter than the smallest image can only be the channels.
    first, last = array.shape[1] < SMALLEST, array.shape[3] < SMALLEST
    if first != last:
        return "NCHW" if first else "NHWC"
    raise InvalidDataError(
        f"The shape {array.shape} can be read in two ways: say layout='NHWC' if the channels come "
        "last, layout='NCHW' if they come first."
    )


def _channels_first(array: np.ndarray, layout: str) -> np.ndarray:
    if array.ndim != len(layout):
        raise InvalidDataError(f"Expected images of layout {layout}, got the shape {array.shape}.")
    if layout == "NHW":
        return array[:, None]
    return array.transpose(0, 3, 1, 2) if layout == "NHWC" else array


def _range(array: np.ndarray, given: tuple[float, float] | None) -> tuple[float, float]:
    """Return the values of black and white: those of the type if the data fill it."""
    if given is not None:
        if not isinstance(given, (tuple, list)) or len(given) != 2 or not given[0] < given[1]:
            raise InvalidParameterError(
                f"value_range must be two rising numbers or None, got {given!r}."
            )
        return float(given[0]), float(given[1])
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind == "b" or (low >= 0.0 and 0.5 < high <= 1.0):
        return 0.0, 1.0
    if array.dtype == np.uint8 and high > 127:
        return 0.0, 255.0
    if array.dtype.kind == "f" and -1.0 <= low < -0.5 and 0.5 < high <= 1.0:
        return -1.0, 1.0
    if low == high:
        raise InvalidDataError(
            f"All pixels of all images are {low:g}: there is nothing to learn from."
        )
    return low, high
