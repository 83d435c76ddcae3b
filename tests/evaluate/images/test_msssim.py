from __future__ import annotations

import numpy as np
import pytest
import torch

from synthgen.errors import InvalidDataError
from synthgen.evaluate.images.msssim import WEIGHTS, intra_class_similarity, ms_ssim

from .digits import digits, noisy


def pictures(n: int, channels: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rough = rng.random((n, channels, height // 4 + 1, width // 4 + 1))
    return rough.repeat(4, 2).repeat(4, 3)[:, :, :height, :width].astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "scales"), [((1, 28, 28), 2), ((3, 64, 48), 3), ((1, 180, 176), 5), ((2, 12, 40), 1)]
)
def test_against_torchmetrics(shape: tuple[int, int, int], scales: int) -> None:
    functional = pytest.importorskip("torchmetrics.functional.image")
    first, second = pictures(3, *shape), noisy(pictures(3, *shape), 0.15)
    weights = np.array(WEIGHTS[:scales])
    expected = functional.multiscale_structural_similarity_index_measure(
        torch.from_numpy(first).double(),
        torch.from_numpy(second).double(),
        data_range=1.0,
        betas=tuple((weights / weights.sum()).tolist()),
        normalize="relu",
        reduction="none",
    )
    np.testing.assert_allclose(ms_ssim(first, second), expected.numpy(), atol=1e-4)


def test_ends() -> None:
    image = pictures(2, 1, 28, 28)
    np.testing.assert_allclose(ms_ssim(image, image), 1)
    assert (ms_ssim(image, 1 - image) == 0).all()  # negative structure
    flat = np.full((1, 1, 9, 9), 0.5, dtype=np.float32)
    assert ms_ssim(flat, flat)[0] == pytest.approx(1)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 2, 2, 3), (1, 1, 8, 8), (1, 1, 10, 50)])
def test_tiny_images(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    np.testing.assert_allclose(ms_ssim(image, image), 1)
    assert 0 <= ms_ssim(image, noisy(image, 0.5))[0] < 1


def test_more_noise_is_less_similar() -> None:
    images = pictures(20, 1, 28, 28)
    means = [ms_ssim(images, noisy(images, spread)).mean() for spread in (0.0, 0.05, 0.2)]
    assert means[0] > means[1] > means[2]
    with pytest.raises(InvalidDataError, match="one shape"):
        ms_ssim(images, images[:3])


def test_a_collapsed_class_stands_out() -> None:
    images, codes = digits()
    made = noisy(images, 0.02).copy()
    made[codes == 7] = images[codes == 7][0]
    found = intra_class_similarity(images, made, labels=codes, synthetic_labels=codes)
    worst = found.breakdown.iloc[0]
    assert worst["class"] == 7
    assert worst["synthetic"] == pytest.approx(1)
    assert found.value > found.ceiling
    assert found.details["classes"] == 10
    same = intra_class_similarity(images, images, labels=codes, synthetic_labels=codes)
    assert same.value == pytest.approx(same.ceiling, abs=0.03)


def test_missing_and_single_classes_are_left_out() -> None:
    images, _ = digits()
    names = np.array(["a", "a", "b", "b", "c", "d"])
    made = np.array(["a", "a", "b", "c", "c", "e"])
    found = intra_class_similarity(images[:6], images[6:12], labels=names, synthetic_labels=made)
    assert list(found.breakdown["class"]) == ["a"]
    none = intra_class_similarity(images[:2], images[:2], labels=[0, 1], synthetic_labels=[0, 1])
    assert none.value is None
    assert "two images" in none.details["not_applicable"]


def test_the_seed_decides() -> None:
    images, codes = digits()
    first, again, other = (
        intra_class_similarity(
            images, images, labels=codes, synthetic_labels=codes, pairs=20, random_state=seed
        ).value
        for seed in (0, 0, 1)
    )
    assert first == again != other
