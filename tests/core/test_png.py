from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from synthgen.core.png import data_uri, encode_png, sheet
from synthgen.errors import InvalidDataError


def decoded(data: bytes) -> np.ndarray:
    """Read what the writer writes, chunk by chunk."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, found = 8, {}
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (check,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        assert check == zlib.crc32(kind + body)
        found[kind] = body
        at += 12 + length
    assert list(found) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, kind = struct.unpack(">IIBB", found[b"IHDR"][:10])
    assert depth == 8
    channels = {0: 1, 2: 3, 6: 4}[kind]
    rows = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(height, -1)
    assert (rows[:, 0] == 0).all()
    return rows[:, 1:].reshape(height, width, channels)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_come_back(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels)).astype(np.uint8)
    np.testing.assert_array_equal(decoded(encode_png(pixels)), pixels)


def test_another_reader_agrees(tmp_path) -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(1).integers(0, 256, (6, 4, 3)).astype(np.uint8)
    path = tmp_path / "picture.png"
    path.write_bytes(encode_png(pixels))
    with image.open(path) as opened:
        np.testing.assert_array_equal(np.asarray(opened), pixels)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 1), np.uint8),
    ],
    ids=["flat", "two", "float", "empty"],
)
def test_what_is_no_image_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(InvalidDataError, match="PNG needs"):
        encode_png(pixels)


def test_sheets_place_images_row_by_row() -> None:
    images = np.arange(5, dtype=np.float32)[:, None, None, None] / 255 * np.ones((5, 1, 2, 3))
    found = sheet(images.astype(np.float32), 2)[:, :, 0]
    assert found.shape == (8, 7)
    assert found[0].tolist() == [0, 0, 0, 255, 1, 1, 1]
    assert found[3].tolist() == [2, 2, 2, 255, 3, 3, 3]
    assert found[2].tolist() == [255] * 7
    assert found[6].tolist() == [4, 4, 4, 255, 255, 255, 255]


def test_odd_channel_counts_are_shown_as_grey() -> None:
    assert sheet(np.ones((2, 2, 4, 4), dtype=np.float32), 2).shape == (4, 9, 1)
    assert sheet(np.ones((1, 6, 4, 4), dtype=np.float32), 1).shape == (4, 4, 1)


def test_data_uri() -> None:
    assert data_uri(np.zeros((1, 1, 1), np.uint8)).startswith("data:image/png;base64,iVBOR")
