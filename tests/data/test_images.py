from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import TensorDataset

from synthgen.data.image_labels import LabelSpec
from synthgen.data.images import ImageSpec, as_images, read_images
from synthgen.errors import ConditionError, InvalidDataError, InvalidParameterError

RNG = np.random.default_rng(0)


def grey(n: int = 6, height: int = 8, width: int = 10) -> np.ndarray:
    return RNG.integers(0, 256, (n, height, width), dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((5, 8, 9), "NHW"),
        ((5, 8, 9, 1), "NHWC"),
        ((5, 8, 9, 3), "NHWC"),
        ((5, 7, 8, 9), "NCHW"),
        ((5, 1, 33, 12), "NCHW"),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int16", "bool", "float16"])
def test_images_come_back_as_they_were(shape: tuple[int, ...], layout: str, dtype: str) -> None:
    images = (RNG.random(shape) * 255).astype(dtype)
    data = read_images(images)
    assert data.spec.layout == layout
    assert data.images.dtype == np.float32
    assert data.images.min() >= -1
    assert data.images.max() <= 1
    back = ImageSpec.from_json(data.spec.to_json()).restore(data.images)
    assert back.shape == shape
    assert back.dtype == images.dtype
    np.testing.assert_allclose(back.astype(float), images.astype(float), rtol=2e-3, atol=0.13)
    if np.dtype(dtype).kind in "iub":
        assert np.array_equal(back, images)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 200], dtype=np.uint8), (0, 255)),
        (np.array([0, 16], dtype=np.uint8), (0, 16)),
        (np.array([0.0, 0.9]), (0, 1)),
        (np.array([-0.9, 1.0]), (-1, 1)),
        (np.array([-3.0, 7.0]), (-3, 7)),
        (np.array([False, True]), (0, 1)),
    ],
)
def test_black_and_white_are_found(values: np.ndarray, expected: tuple[float, float]) -> None:
    images = np.resize(values, (3, 8, 8))
    spec = read_images(images).spec
    assert (spec.low, spec.high) == expected
    assert read_images(images, value_range=(-9, 9)).spec.high == 9


def test_unclear_axes_ask_for_a_layout() -> None:
    bands = RNG.random((4, 13, 16, 16))
    with pytest.raises(InvalidDataError, match=r"say layout='NHWC' .* layout='NCHW'"):
        read_images(bands)
    assert read_images(bands, layout="NCHW").spec.channels == 13
    assert read_images(bands, layout="NHWC").spec.channels == 16
    with pytest.raises(InvalidDataError, match="does not fit"):
        read_images(bands, layout="NHW")
    with pytest.raises(InvalidParameterError, match="layout must be one of"):
        read_images(bands, layout="CHWN")


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.empty((0, 8, 8)), "no images"),
        (grey(1), "Found 1 image"),
        (grey(4, 7, 8), "at least 8"),
        (np.full((4, 8, 8), np.nan), "NaN"),
        (np.full((4, 8, 8), np.inf), "infinity"),
        (grey(4).astype(complex), "Complex"),
        (np.array([["a"]]), "must be numbers"),
        (np.zeros((4, 64)), "Reshape"),
        (np.zeros((4, 8, 8)), "nothing to learn"),
        ([np.zeros((8, 8)), np.zeros((8, 9))], "different shapes"),
        ([], "must have the shape"),
        ("/nowhere/at/all", "no folder"),
    ],
)
def test_bad_images_are_named(images: Any, words: str) -> None:
    with pytest.raises(InvalidDataError, match=words):
        read_images(images)


def test_tensors_and_datasets() -> None:
    images = torch.rand(5, 3, 8, 8)
    labels = torch.tensor([0, 1, 0, 1, 1])
    assert read_images(images).spec.layout == "NCHW"
    data = read_images(TensorDataset(images, labels))
    assert data.spec.shape == (3, 8, 8)
    assert data.codes is not None
    assert data.codes[:, 0].tolist() == labels.tolist()
    assert read_images(TensorDataset(images)).codes is None


def test_a_folder_of_classes(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for k in range(2):
            image.fromarray(grey(1)[0]).save(tmp_path / name / f"{k}.png")
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    data = read_images(tmp_path)
    assert data.spec.layout == "NHW"
    assert data.labels is not None
    assert data.labels.values == (("cat", "dog"),)
    image.fromarray(RNG.integers(0, 255, (8, 10, 3), dtype=np.uint8)).save(tmp_path / "dog/c.png")
    assert read_images(tmp_path).spec.channels == 3
    image.fromarray(grey(1, 12, 12)[0]).save(tmp_path / "dog" / "z.png")
    with pytest.raises(InvalidDataError, match="12 x 12"):
        read_images(tmp_path)
    (tmp_path / "dog" / "z.png").write_bytes(b"nothing")
    with pytest.raises(InvalidDataError, match="cannot be read"):
        read_images(tmp_path)
    (tmp_path / "dog" / "z.png").unlink()
    image.fromarray(grey(1)[0]).save(tmp_path / "stray.png")
    with pytest.raises(InvalidDataError, match="beside and inside"):
        read_images(tmp_path)


@pytest.mark.parametrize(
    "y",
    [
        ["b", "a", "b", "a"],
        np.array([3, 1, 3, 1], dtype=np.int16),
        [True, False, True, False],
        ["x", 1, "x", 1],
        [("a", 1), ("b", 1), ("a", 2), ("a", 2)],
        np.array([[0, 1], [1, 1], [0, 0], [0, 1]]),
    ],
)
def test_labels_come_back(y: Any) -> None:
    labels = LabelSpec.of(y, 4)
    back = LabelSpec.from_json(labels.to_json())
    assert back == labels
    decoded = back.decode(labels.encode(y))
    expected = (
        y.tolist()
        if isinstance(y, np.ndarray)
        else [list(v) if isinstance(v, tuple) else v for v in y]
    )
    assert decoded.tolist() == expected
    if isinstance(y, np.ndarray):
        assert decoded.dtype == y.dtype


def test_labels_are_drawn_in_combinations_that_exist() -> None:
    labels = LabelSpec.of([("a", 1), ("b", 2), ("a", 1), ("a", 1)], 4)
    drawn = labels.draw(400, np.random.default_rng(0))
    assert set(map(tuple, drawn.tolist())) == {(0, 0), (1, 1)}
    assert 0.6 < (drawn[:, 0] == 0).mean() < 0.9


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([1, 2], "4 images and 2 labels"),
        ([1, None, 2, 2], "missing"),
        ([1.0, float("nan"), 1.0, 1.0], "missing"),
        (pd.array(["a", pd.NA, "a", "b"], dtype="string"), "missing"),
        ([0.1, 0.2, 0.3, 0.4], "4 different values"),
        (np.zeros((4, 2, 2)), "shape"),
        ([[1, 2], [1], [1], [1]], "ragged|shape"),
    ],
)
def test_bad_labels_are_named(y: Any, words: str) -> None:
    with pytest.raises(InvalidDataError, match=words):
        LabelSpec.of(y, 4)


def test_unknown_labels_and_shapes() -> None:
    labels = LabelSpec.of(["a", "b", "a", "b"], 4)
    with pytest.raises(ConditionError, match=r"Unknown label 'c'"):
        labels.encode(["c"])
    with pytest.raises(ConditionError, match=r"1 attribute"):
        labels.encode([("a", "b")])
    spec = read_images(grey()).spec
    with pytest.raises(InvalidDataError, match="fitted to"):
        as_images(grey(3, 9, 9), spec)
    with pytest.raises(InvalidDataError, match="axes"):
        as_images(grey(3)[:, None], spec)


def test_images_on_another_scale_are_refused() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 8)).astype(np.uint8)
    bytes_spec = read_images(pixels).spec
    fraction_spec = read_images(pixels / 255.0).spec
    with pytest.raises(InvalidDataError, match="fitted to images of uint8 with black at 0"):
        as_images(pixels / 255.0, bytes_spec)
    with pytest.raises(InvalidDataError, match=r"to 25[0-9].*white at 1"):
        as_images(pixels, fraction_spec)
    with pytest.raises(InvalidDataError, match="Bring them to that scale"):
        read_images(pixels / 255.0, like=bytes_spec)
    odd = pixels / 255.0
    odd[0, 0, 0] = 1e3
    assert as_images(odd, fraction_spec).max() == 1.0
    # Other types on the same scale, black images, and values a little outside are fine.
    np.testing.assert_array_equal(
        as_images(pixels.astype(float), bytes_spec), as_images(pixels, bytes_spec)
    )
    assert as_images(np.zeros((2, 8, 8)), bytes_spec).max() == -1.0
    assert as_images(pixels / 200.0, fraction_spec).max() == 1.0


def test_pixels_that_single_precision_cannot_compute_with_are_refused():
    with pytest.raises(InvalidDataError, match="scale the images"):
        read_images(np.random.default_rng(0).random((9, 8, 8)) * 1e300)


def test_no_labels_are_none_for_no_images():
    images = np.zeros((9, 8, 8), dtype=np.uint8)
    images[0] = 255
    with pytest.raises(InvalidDataError, match="9 images and 0 labels"):
        read_images(images, [])
