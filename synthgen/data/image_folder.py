"""A folder of image files, with one subfolder per class or none."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synthgen.errors import InvalidDataError, MissingExtraError

if TYPE_CHECKING:
    from PIL.Image import Image

#: Endings that count as images; other files are passed over.
ENDINGS: Final = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")

#: What pillow raises for files that are damaged, beside OSError.
_DAMAGED: Final = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


def read_folder(
    path: str | os.PathLike[str], *, alike: bool = False
) -> tuple[np.ndarray, list[str] | None]:
    """Read all images of a folder.

    Parameters
    ----------
    path : path-like
    alike : bool, default=False
        Refuse to read images with different channels: brought to the same, a single one would
        decide the shape of all.

    Returns
    -------
    images : numpy.ndarray of uint8, shape (n, H, W) or (n, H, W, C)
        In the order of their paths; grey if all of them are grey. Images of 16 bits are brought to
        8, palettes and CMYK to RGB, and photographs are turned upright.
    labels : list of str or None
        Names of the subfolders, if the images lie in subfolders.

    Raises
    ------
    InvalidDataError
        If there are none, one cannot be read, or their sizes differ, or their channels where that
        is not allowed.
    MissingExtraError
        Without the package pillow.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InvalidDataError(f"'{folder}' is no folder of images.")
    files = _files(folder)
    if not files:
        raise InvalidDataError(f"'{folder}' holds no images ({', '.join(ENDINGS)}).")
    nested = [file.parent != folder for file in files]
    if any(nested) and not all(nested):
        raise InvalidDataError(
            f"'{folder}' holds images both beside and inside of subfolders; use one subfolder per "
            "class, or none."
        )
    images = [_read(file) for file in files]
    _check_sizes(files, images)
    colours = max(image.ndim for image in images) > 2
    counts = {image.shape[2] if image.ndim > 2 else 1 for image in images}
    if alike and len(counts) > 1:
        raise InvalidDataError(
            f"The images of '{folder}' have {' and '.join(map(str, sorted(counts)))} channels. "
            "With privacy a single image must not decide the shape of all: convert them first."
        )
    channels = max(counts)
    if colours:
        images = [_with_channels(image, channels) for image in images]
    labels = [file.relative_to(folder).parts[0] for file in files] if any(nested) else None
    return np.stack(images), labels


def _files(folder: Path) -> list[Path]:
    """Return the images in the order of their paths, without what systems hide among them."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in ENDINGS
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def _check_sizes(files: list[Path], images: list[np.ndarray]) -> None:
    first = images[0].shape[:2]
    others = [at for at, image in enumerate(images) if image.shape[:2] != first]
    if not others:
        return
    file, other = files[others[0]], images[others[0]].shape
    raise InvalidDataError(
        f"'{file}' is {other[1]} x {other[0]} pixels, '{files[0].name}' {first[1]} x {first[0]}: "
        f"{len(others)} of {len(files)} images have another size than the first. Bring them to one "
        "size first."
    )


def _read(file: Path) -> np.ndarray:
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise MissingExtraError("Reading image files", "pillow", "images") from None
    try:
        with warnings.catch_warnings():
            # What pillow warns of (odd metadata, very many pixels) does not concern the pixels.
            warnings.simplefilter("ignore")
            with Image.open(file) as image:
                return pixels_of(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise InvalidDataError(
            f"'{file}' cannot be read as an image: it is none, or damaged."
        ) from None
    except (*_DAMAGED, Image.DecompressionBombError) as error:
        why = str(error).rstrip(".")
        raise InvalidDataError(f"'{file}' cannot be read as an image: {why}.") from error


def pixels_of(image: Image) -> np.ndarray:
    """Return the pixels of an image of pillow as uint8: (H, W), or (H, W, C) as RGB or RGBA.

    Raises
    ------
    ValueError
        If it has grey values of 32 bits in no known range.
    """
    mode: str = image.mode
    if mode.startswith("I;16"):
        # Pillow would cut values off at 255.
        wide = np.asarray(image, dtype=np.float64)
        return np.rint(wide / 257).astype(np.uint8)
    if mode in ("I", "F"):
        return _narrowed(np.asarray(image))
    if "A" in mode or "transparency" in image.info:
        return np.asarray(image.convert("RGBA"))
    if mode in ("L", "1"):
        return np.asarray(image.convert("L"))
    return np.asarray(image.convert("RGB"))


def _narrowed(values: np.ndarray[Any, Any]) -> np.ndarray:
    """Return grey values of 32 bits as uint8 where their range is known."""
    low, high = float(values.min()), float(values.max())
    if np.isfinite([low, high]).all() and low >= 0:
        for end in (255.0, 65535.0):
            if high <= end:
                return np.rint(values * (255.0 / end)).astype(np.uint8)
    raise ValueError(
        f"its grey values of 32 bits run from {low:g} to {high:g}; save it with 8 or 16 bits, or "
        "read the files yourself and pass an array"
    )


def _with_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """Return an image as RGB or RGBA."""
    if image.ndim == 2:
        image = np.repeat(image[:, :, None], 3, axis=2)
    if image.shape[2] < channels:
        opaque = np.full((*image.shape[:2], 1), 255, dtype=np.uint8)
        image = np.concatenate([image, opaque], axis=2)
    return image
