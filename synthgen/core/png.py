"""Images as PNG files, and many of them as one sheet, without an imaging library."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synthgen.errors import InvalidDataError

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

#: Channels to the format's number for them.
_KINDS: Final = {1: 0, 3: 2, 4: 6}


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return an image as the bytes of a PNG file.

    Parameters
    ----------
    pixels : numpy.ndarray of uint8 of shape (H, W, C)
        Grey, colour, or colour with transparency: one, three or four channels.

    Returns
    -------
    bytes

    Raises
    ------
    InvalidDataError
        If the array is no such image.

    References
    ----------
    W3C (2003), Portable Network Graphics (PNG) specification, ISO/IEC 15948.

    Examples
    --------
    >>> encode_png(np.zeros((2, 2, 1), dtype=np.uint8))[1:4]
    b'PNG'
    """
    valid = pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] in _KINDS
    if not valid or not pixels.size:
        raise InvalidDataError(
            "A PNG needs uint8 pixels (height, width, 1, 3 or 4 channels), "
            f"got {pixels.dtype} of shape {pixels.shape}."
        )
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _KINDS[channels], 0, 0, 0)
    # Every row starts with the number of its filter: 0, none.
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0)))
    body = zlib.compress(rows.tobytes(), 9)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def sheet(images: NDArray[np.float32], columns: int, *, gap: int = 1) -> NDArray[np.uint8]:
    """Return images row by row on one sheet.

    Parameters
    ----------
    images : numpy.ndarray of shape (n, C, H, W)
        Values in [0, 1]. Two channels, or more than four, are shown as their mean.
    columns : int
        Images of a row.
    gap : int, default=1
        White pixels between images.

    Returns
    -------
    numpy.ndarray of uint8 of shape (height, width, 1, 3 or 4)

    Examples
    --------
    >>> sheet(np.zeros((5, 3, 8, 6), dtype=np.float32), 3).shape
    (17, 20, 3)
    """
    if images.shape[1] not in _KINDS:
        images = images.mean(axis=1, keepdims=True)
    n, channels, height, width = images.shape
    rows = -(-n // columns)
    shape = (rows, height + gap, columns, width + gap, channels)
    result = np.full(shape, 255, dtype=np.uint8)
    for at in range(n):
        pixels = np.round(np.clip(images[at], 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
        result[at // columns, :height, at % columns, :width] = pixels
    whole = result.reshape(rows * (height + gap), columns * (width + gap), channels)
    return whole[: whole.shape[0] - gap, : whole.shape[1] - gap]


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """Return an image as the address of a picture inside a page."""
    return "data:image/png;base64," + base64.b64encode(encode_png(pixels)).decode("ascii")
