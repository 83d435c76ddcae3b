"""A folder of image files, with one subfolder per class or none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np

from synthgen.errors import InvalidDataError, MissingExtraError

#: Endings that count as images; other files are passed over.
ENDINGS: Final = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")


def read_folder(path: str | os.PathLike[str]) -> tuple[np.ndarray, list[str] | None]:
    """Read all images of a folder.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    images : numpy.ndarray of uint8, shape (n, H, W) or (n, H, W, C)
        In the order of their paths; grey if all of them are grey.
    labels : list of str or None
        Names of the subfolders, if the images lie in subfolders.

    Raises
    ------
    InvalidDataError
        If there are none, one cannot be read, or their sizes differ.
    MissingExtraError
        Without the package pillow.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InvalidDataError(f"'{folder}' is no folder of images.")
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in ENDINGS and f.is_file())
    if not files:
        raise InvalidDataError(f"'{folder}' holds no images ({', '.join(ENDINGS)}).")
    nested = [file.parent != folder for file in files]
    if any(nested) and not all(nested):
        raise InvalidDataError(
            f"'{folder}' holds images both beside and inside of subfolders; use one subfolder per "
            "class, or none."
        )
    images = [_read(file) for file in files]
    colours = max(image.ndim for image in images) > 2
    channels = max(image.shape[2] if image.ndim > 2 else 1 for image in images)
    if colours:
        images = [_with_channels(image, channels) for image in images]
    for file, image in zip(files, images, strict=True):
        if image.shape != images[0].shape:
            raise InvalidDataError(
                f"'{file}' is {image.shape[1]} x {image.shape[0]} pixels, the first image "
                f"{images[0].shape[1]} x {images[0].shape[0]}; bring them to one size first."
            )
    labels = [file.relative_to(folder).parts[0] for file in files] if any(nested) else None
    return np.stack(images), labels


def _read(file: Path) -> np.ndarray:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise MissingExtraError("Reading image files", "pillow", "images") from None
    try:
        with Image.open(file) as image:
            if image.mode in ("L", "1"):
                return np.asarray(image.convert("L"))
            return np.asarray(image.convert("RGBA" if "A" in image.mode else "RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise InvalidDataError(f"'{file}' cannot be read as an image: {error}.") from error


def _with_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """Return an image as RGB or RGBA."""
    if image.ndim == 2:
        image = np.repeat(image[:, :, None], 3, axis=2)
    if image.shape[2] < channels:
        opaque = np.full((*image.shape[:2], 1), 255, dtype=np.uint8)
        image = np.concatenate([image, opaque], axis=2)
    return image
