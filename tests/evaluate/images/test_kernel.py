from __future__ import annotations

import numpy as np
import pytest
import torch

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate.images.kernel import kernel, kernel_distance, kernel_features

from .digits import digits, halves, noisy


def normal(n: int, d: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)) + shift


def test_by_hand() -> None:
    x, y = np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [3.0]])
    within_x = 2 * (1 + 1 + 27) / 6  # k(0,1), k(0,2), k(1,2)
    within_y = 64.0  # k(1,3)
    across = (1 + 1 + 8 + 64 + 27 + 343) / 6
    assert kernel_distance(x, y) == pytest.approx(within_x + within_y - 2 * across)


def test_against_torchmetrics() -> None:
    kid = pytest.importorskip("torchmetrics.image.kid")
    x, y = normal(120, 9, 0), normal(120, 9, 1, 0.4)
    expected = float(kid.poly_mmd(torch.from_numpy(x), torch.from_numpy(y)))
    assert kernel_distance(x, y) == pytest.approx(expected, rel=1e-6)


def test_the_same_source_is_at_zero_on_average() -> None:
    rng = np.random.default_rng(0)
    values = [kernel_distance(*rng.normal(size=(2, 50, 4))) for _ in range(1000)]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 3 * error
    assert min(values) < 0 < max(values)


def test_the_interval_holds_the_truth() -> None:
    """Independent blocks: about 95 of 100 intervals hold 0, the distance of equal sources."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        low, high = kernel_features(*rng.normal(size=(2, 300, 3)), block=30).interval
        held += low <= 0 <= high
    assert 178 <= held <= 198


def test_blocks_share_no_rows_and_few_rows_have_no_interval() -> None:
    found = kernel_features(normal(2500, 3, 0), normal(2500, 3, 1), block=1000)
    assert (found.details["blocks"], found.details["rows_per_block"]) == (5, 500)
    assert found.interval[0] < found.value < found.interval[1]
    few = kernel_features(normal(80, 3, 0), normal(80, 3, 1))
    assert few.details["blocks"] == 4
    assert few.interval is None
    two = kernel_features(normal(2, 3, 0), normal(9, 3, 1))
    assert two.details["blocks"] == 1
    assert two.value is not None


def test_one_row_is_not_applicable() -> None:
    found = kernel_features(normal(1, 3, 0), normal(9, 3, 1))
    assert found.value is None
    assert "2 images" in found.details["not_applicable"]
    with pytest.raises(InvalidDataError, match="two rows"):
        kernel_distance(normal(1, 3, 0), normal(9, 3, 1))


def test_names_and_seeds() -> None:
    own, other = normal(200, 3, 0), normal(200, 3, 1)
    assert kernel_features(own, other, extractor="inception").name == "KID"
    first, again, second = (
        kernel_features(own, other, random_state=seed).value for seed in (0, 0, 1)
    )
    assert first == again != second
    with pytest.raises(InvalidParameterError, match="block"):
        kernel_features(own, other, block=1)


def test_images_in_order_of_quality() -> None:
    real, other = halves()
    bad, good = (
        kernel(real, noisy(other, spread), extractor="pixels", holdout=other)
        for spread in (0.4, 0.1)
    )
    assert good.name == "KD[pixels]"
    assert abs(good.ceiling) < good.value < bad.value
    assert good.floor > 5 * abs(good.ceiling)


def test_few_images_are_measured_all_the_same() -> None:
    images, _ = digits()
    found = kernel(images[:30], images[30:40], extractor="random")
    assert np.isfinite(found.value)


def test_no_block_is_smaller_than_two() -> None:
    found = kernel_features(normal(5, 3, 0), normal(5, 3, 1), block=2)
    assert np.isfinite(found.value)
