"""Generated images inside a pipeline of image transforms."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch

from synthgen.augment import Albumentations, SyntheticMix, as_albumentations
from synthgen.data.images import ImageSpec
from synthgen.errors import InvalidDataError, InvalidParameterError, MissingExtraError

_BLACK = np.zeros((8, 8), dtype=np.uint8)


@pytest.fixture
def fitted(noise: Any, shades: tuple[np.ndarray, np.ndarray]) -> Any:
    return noise.fit(*shades)


def test_probability_and_class(fitted: Any) -> None:
    mix = SyntheticMix(fitted, p=0.3, pool=16, random_state=0)
    touched = [mix(image=_BLACK, label=1)["image"].min() >= 100 for _ in range(300)]
    assert 0.2 < np.mean(touched) < 0.4


def test_nothing_else_changes(fitted: Any) -> None:
    out = SyntheticMix(fitted, p=0.0, random_state=0)(image=_BLACK, label=1, mask="m")
    assert out["image"] is _BLACK
    assert (out["label"], out["mask"]) == (1, "m")


def test_images_of_a_pool_differ_and_pools_are_filled_again(fitted: Any) -> None:
    mix = SyntheticMix(fitted, p=1.0, pool=3, random_state=0)
    images = [mix(image=_BLACK, label=0)["image"] for _ in range(9)]
    assert len({image.tobytes() for image in images}) == 9
    again = SyntheticMix(fitted, p=1.0, pool=3, random_state=0)
    assert np.array_equal(again(image=_BLACK, label=0)["image"], images[0])


def test_mix_lies_between(fitted: Any) -> None:
    mix = SyntheticMix(fitted, p=1.0, mode="mix", random_state=0)
    mixed = np.array([mix(image=_BLACK, label=1)["image"].mean() for _ in range(50)])
    assert mixed.min() < 30
    assert mixed.max() > 80
    assert mix(image=_BLACK, label=1)["image"].dtype == np.uint8


def test_refused(fitted: Any) -> None:
    with pytest.raises(InvalidDataError, match="shape"):
        SyntheticMix(fitted, p=1.0)(image=np.zeros((9, 9), np.uint8), label=1)
    for options in ({"p": 2.0}, {"mode": "add"}, {"alpha": 0.0}, {"pool": 0}):
        with pytest.raises(InvalidParameterError):
            SyntheticMix(fitted, **options)


def test_without_albumentations(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "albumentations.core.transforms_interface", None)
    with pytest.raises(MissingExtraError, match="albumentations"):
        as_albumentations(SyntheticMix(fitted))


def test_a_step_of_albumentations(fitted: Any) -> None:
    albumentations = pytest.importorskip("albumentations")
    step = as_albumentations(SyntheticMix(fitted, p=1.0, random_state=0))
    pipeline = albumentations.Compose([step])
    found = pipeline(image=_BLACK, label=1)["image"]
    assert found.shape == _BLACK.shape
    assert found.dtype == _BLACK.dtype
    assert found.any()
    serving = Albumentations(albumentations.Compose([albumentations.HorizontalFlip(p=1.0)]))
    np.testing.assert_array_equal(serving(found), found[:, ::-1])


@pytest.mark.parametrize("scale", [1 / 255, 1.0])
def test_other_values_are_refused(fitted: Any, scale: float) -> None:
    image = np.full((8, 8), 100) * scale
    with pytest.raises(InvalidDataError, match="uint8, and the image is of float64"):
        SyntheticMix(fitted, p=1.0)(image=image, label=1)


def test_standardised_images_are_refused() -> None:
    class Model:
        spec_ = ImageSpec("NHW", 1, 8, 8, "float32", 0.0, 1.0)

        def sample(self, n: int, random_state: Any) -> np.ndarray:
            return np.full((n, 8, 8), 0.5, dtype=np.float32)

    mix = SyntheticMix(Model(), p=1.0)
    assert mix(image=np.ones((8, 8)))["image"].max() == 0.5
    with pytest.raises(InvalidDataError, match=r"float32 in \[0, 1\].*before those that change"):
        mix(image=np.full((8, 8), -2.0))


class _Mixed(torch.utils.data.Dataset):
    def __init__(self, mix: SyntheticMix) -> None:
        self.mix = mix

    def __len__(self) -> int:
        return 8

    def __getitem__(self, place: int) -> str:
        image = self.mix(image=_BLACK, label=1)["image"]
        return str(image.tobytes().hex()) if image.any() else ""


def test_workers_differ_and_so_do_epochs(fitted: Any) -> None:
    def epochs(seed: int) -> list[list[str]]:
        data = _Mixed(SyntheticMix(fitted, p=0.5, pool=16, random_state=0))
        torch.manual_seed(seed)
        loader = torch.utils.data.DataLoader(data, batch_size=1, num_workers=2)
        return [[image for (image,) in loader] for _ in range(3)]

    first = epochs(0)
    assert len({tuple(images) for images in first}) == 3
    generated = [image for images in first for image in images if image]
    assert len(set(generated)) == len(generated)
    assert epochs(0) == first
    assert epochs(1) != first
