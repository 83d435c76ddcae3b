"""Image files of every kind, whole and damaged."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthgen.data.image_folder import read_folder
from synthgen.data.images import read_images
from synthgen.errors import InvalidDataError

pil = pytest.importorskip("PIL.Image", reason="image files are read by pillow")

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (12, 10), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (12, 10, 3), dtype=np.uint8)


def folder_of(path: Path, *images: Any, suffix: str = ".png", **options: Any) -> Path:
    for at, image in enumerate(images):
        image.save(path / f"{at}{suffix}", **options)
    return path


def read_one(path: Path) -> np.ndarray:
    images, labels = read_folder(path)
    assert labels is None
    assert images.dtype == np.uint8
    (image,) = images
    return image


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    wide = np.tile(np.array([0, 128, 257, 65535 - 257, 65535], dtype=np.uint16), (12, 2))
    image = read_one(folder_of(tmp_path, pil.fromarray(wide)))
    assert image[0, :5].tolist() == [0, 0, 1, 254, 255]


@pytest.mark.parametrize(
    ("high", "expected"), [(200.0, [0, 100, 200]), (65535.0, [0, 128, 255])], ids=["8", "16"]
)
def test_wide_grey_values_in_a_known_range(
    high: float, expected: list[int], tmp_path: Path
) -> None:
    wide = np.tile(np.array([0.0, high / 2, high], dtype=np.float32), (12, 4))
    image = read_one(folder_of(tmp_path, pil.fromarray(wide), suffix=".tiff"))
    assert image[0, :3].tolist() == expected


@pytest.mark.parametrize("value", [-1.0, 70_000.0, np.nan])
def test_wide_grey_values_in_no_known_range(value: float, tmp_path: Path) -> None:
    wide = np.full((12, 10), 5.0, dtype=np.float32)
    wide[0, 0] = value
    folder_of(tmp_path, pil.fromarray(wide), suffix=".tiff")
    with pytest.raises(InvalidDataError, match="save it with 8 or 16 bits"):
        read_folder(tmp_path)


def test_palettes_are_colours(tmp_path: Path) -> None:
    flat = np.zeros((12, 10, 3), dtype=np.uint8)
    flat[:6] = (200, 10, 30)
    image = pil.fromarray(flat).quantize(4)
    assert np.array_equal(read_one(folder_of(tmp_path, image)), flat)
    folder_of(tmp_path, image, transparency=image.getpixel((0, 11)))
    seen = read_one(tmp_path)
    assert seen.shape == (12, 10, 4)
    assert seen[0, 0, 3] == 255
    assert seen[11, 0, 3] == 0
    # A list of images is read as files are, not as places in palettes.
    assert read_images([image, image]).spec.shape == (3, 12, 10)


def test_other_modes(tmp_path: Path) -> None:
    ink = pil.new("CMYK", (10, 12), (0, 255, 255, 0))
    seen = read_one(folder_of(tmp_path, ink, suffix=".jpg"))
    assert seen[0, 0, 0] > 200
    assert seen[0, 0, 1:].max() < 60
    for name, image in (("LA", pil.fromarray(COLOUR).convert("LA")), ("1", pil.new("1", (10, 12)))):
        place = tmp_path / name
        place.mkdir()
        assert read_one(folder_of(place, image)).shape == (
            (12, 10, 4) if name == "LA" else (12, 10)
        )


def test_grey_colour_and_transparent_files_together(tmp_path: Path) -> None:
    images = [pil.fromarray(GREY), pil.fromarray(COLOUR), pil.fromarray(COLOUR).convert("RGBA")]
    seen, _ = read_folder(folder_of(tmp_path, *images))
    assert seen.shape == (3, 12, 10, 4)
    assert np.array_equal(seen[0, :, :, 1], GREY)
    assert np.array_equal(seen[1, :, :, :3], COLOUR)
    assert (seen[..., 3] == 255).all()


def test_photographs_are_turned_upright(tmp_path: Path) -> None:
    wide = pil.fromarray(np.repeat(GREY[:, :, None], 3, axis=2))
    exif = wide.getexif()
    exif[0x0112] = 6  # taken with the camera turned
    assert read_one(folder_of(tmp_path, wide, suffix=".jpg", exif=exif)).shape == (10, 12, 3)


def test_what_systems_hide_is_passed_over(tmp_path: Path) -> None:
    folder_of(tmp_path, pil.fromarray(GREY))
    (tmp_path / "._0.png").write_bytes(b"resource fork")
    (tmp_path / ".thumbnails").mkdir()
    (tmp_path / ".thumbnails" / "0.png").write_bytes(b"small")
    (tmp_path / "Thumbs.db").write_bytes(b"list")
    assert np.array_equal(read_one(tmp_path), GREY)


def test_sizes_that_differ_are_counted(tmp_path: Path) -> None:
    images = [pil.fromarray(GREY), pil.fromarray(GREY[:9]), pil.fromarray(GREY[:8])]
    with pytest.raises(InvalidDataError, match=r"1\.png' is 10 x 9 .* 2 of 3 images"):
        read_folder(folder_of(tmp_path, *images))


@pytest.mark.parametrize("name", ["x.png", "X.JPG"])
def test_files_that_are_no_images_are_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"no image")
    with pytest.raises(InvalidDataError, match=name):
        read_folder(tmp_path)


def test_paths_in_place_of_images_are_explained() -> None:
    with pytest.raises(InvalidDataError, match="pass a folder of images"):
        read_images(["a.png", "b.png"])
    with pytest.raises(InvalidDataError, match="looks like one image"):
        read_images(np.random.default_rng(0).random((32, 32, 3)))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP", "PPM"]),
    keep=st.floats(0.0, 1.0),
    changes=st.lists(st.tuples(st.floats(0.0, 0.999), st.integers(0, 255)), max_size=4),
)
def test_damaged_files_are_refused_or_read(
    kind: str, keep: float, changes: list[tuple[float, int]], tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    pil.fromarray(COLOUR).save(buffer, kind)
    raw = bytearray(buffer.getvalue())
    for place, value in changes:
        raw[int(place * len(raw))] = value
    suffix = ".jpg" if kind == "JPEG" else f".{kind.lower()}"
    file = tmp_path / f"damaged{suffix}"
    file.write_bytes(bytes(raw[: round(keep * len(raw))]))
    refused = file.name
    try:
        images, _ = read_folder(tmp_path)
        assert images.dtype == np.uint8
    except InvalidDataError as error:
        refused = str(error)
    finally:
        file.unlink()
    assert file.name in refused
