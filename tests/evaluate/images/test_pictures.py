from __future__ import annotations

import numpy as np
import pytest
import torch

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate.images.pictures import as_images, make_sides, scramble, shrink


def test_layouts_become_one() -> None:
    values = np.random.default_rng(0).random((5, 3, 8, 6)).astype(np.float32)
    last = values.transpose(0, 2, 3, 1)
    for given in (values, last, torch.from_numpy(values), torch.from_numpy(last.copy())):
        (found,) = as_images(given)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, values)
    (grey,) = as_images(values[:, 0])
    np.testing.assert_array_equal(grey, values[:, :1])


def test_an_unclear_layout_must_be_said() -> None:
    small = np.zeros((2, 3, 8, 3))
    with pytest.raises(InvalidDataError, match="Which axis"):
        as_images(small)
    assert as_images(small, layout="channels_first")[0].shape == (2, 3, 8, 3)
    assert as_images(small, layout="channels_last")[0].shape == (2, 3, 3, 8)
    wide = np.zeros((2, 12, 8, 9))
    assert as_images(wide, layout="channels_last")[0].shape == (2, 9, 12, 8)
    with pytest.raises(InvalidParameterError, match="layout"):
        as_images(small, layout="rows")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 255, 51], dtype=np.uint8), [0, 1, 0.2]),
        (np.array([False, True, True]), [0, 1, 1]),
        (np.array([0.0, 0.5, 1.0]), [0, 0.5, 1]),
        (np.array([-1.0, 0.0, 1.01]), [0, 0.5, 1]),
        (np.array([0.0, 127.5, 255.0]), [0, 0.5, 1]),
        (np.array([0, 65535, 13107], dtype=np.uint16), [0, 1, 0.2]),
    ],
)
def test_ranges_become_one(values: np.ndarray, expected: list[float]) -> None:
    (found,) = as_images(np.tile(values, (2, 4, 1)))
    np.testing.assert_allclose(found[0, 0, 0], expected, atol=1e-6)


def test_all_float_arrays_decide_the_range_together() -> None:
    dark, bright = np.full((2, 4, 4), 0.5), np.linspace(-1, 1, 32).reshape(2, 4, 4)
    assert as_images(dark)[0].max() == 0.5
    assert as_images(dark, bright)[0].max() == 0.75
    mixed = as_images(dark, np.full((2, 4, 4), 255, dtype=np.uint8))
    assert [float(images.max()) for images in mixed] == [0.5, 1.0]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 8, 8)), "non-empty"),
        (np.zeros((3, 64)), "non-empty numeric array"),
        (np.full((3, 8, 8), "a"), "dtype"),
        (np.full((3, 8, 8), np.nan), "NaN"),
        (np.full((3, 8, 8), -300.0), "from -300 to -300"),
    ],
)
def test_what_holds_no_images_is_refused(images: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        as_images(images)


def test_shapes_must_agree() -> None:
    with pytest.raises(InvalidDataError, match="one shape"):
        as_images(np.zeros((2, 8, 8)), np.zeros((2, 8, 9)))


def numbered(n: int, start: int = 0) -> np.ndarray:
    return np.repeat(np.arange(start, start + n, dtype=np.uint8), 16).reshape(n, 4, 4)


def numbers(images: np.ndarray) -> list[int]:
    return [round(float(value) * 255) for value in images[:, 0, 0, 0]]


def test_without_a_holdout_the_real_images_are_halved() -> None:
    sides = make_sides(numbered(21), numbered(50, 100))
    own, fresh = numbers(sides.reference), numbers(sides.fresh)
    assert (len(own), len(fresh), len(sides.made)) == (11, 10, 10)
    assert sorted(own + fresh) == list(range(21))
    assert set(numbers(sides.made)) <= set(range(100, 150))
    assert sides.details["reference_side"] == "half of the real images"


def test_with_a_holdout_training_images_are_the_ceiling() -> None:
    sides = make_sides(numbered(30), numbered(20, 100), numbered(40, 200))
    assert numbers(sides.reference) == list(range(200, 240))
    assert set(numbers(sides.fresh)) <= set(range(30))
    assert len(sides.fresh) == len(sides.made) == 20
    assert numbers(sides.train) == list(range(30))


def test_sides_are_capped_and_seeded() -> None:
    chosen = [
        numbers(make_sides(numbered(40), numbered(40), max_images=7, random_state=seed).made)
        for seed in (0, 0, 1)
    ]
    assert len(chosen[0]) == 7
    assert chosen[0] == chosen[1] != chosen[2]
    with pytest.raises(InvalidParameterError, match="max_images"):
        make_sides(numbered(4), numbered(4), max_images=0)


def test_one_image_stands_on_both_sides() -> None:
    sides = make_sides(numbered(1), numbered(1))
    assert len(sides.reference) == len(sides.fresh) == len(sides.made) == 1


def test_scrambled_images_keep_the_values_of_every_pixel() -> None:
    images = np.random.default_rng(1).random((30, 2, 4, 3)).astype(np.float32)
    mixed = scramble(images, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(mixed, axis=0), np.sort(images, axis=0))
    assert not np.array_equal(mixed, images)


def test_shrink_averages_squares() -> None:
    image = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    assert shrink(image, 2).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]
    assert shrink(image, 4) is image
    assert shrink(np.ones((1, 1, 1, 9), dtype=np.float32), 4).shape == (1, 1, 1, 3)


@pytest.mark.parametrize("values", [[-5, 3], [0, 4_000]])
def test_whole_numbers_that_are_no_bytes(values: list[int]) -> None:
    images = np.array(values * 32, dtype=np.int32).reshape(1, 8, 8)
    with pytest.raises(InvalidDataError, match="whole numbers must be in 0 to 255"):
        as_images(images)
