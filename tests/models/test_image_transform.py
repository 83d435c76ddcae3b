from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch

from synthgen.data.images import ImageSpec, read_images
from synthgen.errors import ArtifactError, InvalidDataError, InvalidParameterError
from synthgen.models.image import ImageGANSynthesizer
from synthgen.models.image_transform import Transform, transform_name
from tests.train.image_tasks import SMALL, digits

#: Few steps train nothing; what the guards say about that is not the point here.
pytestmark = pytest.mark.filterwarnings("ignore::synthgen.errors.TrainingWarning")

GREY = ImageSpec("NHW", 1, 8, 10, "uint8", 0.0, 255.0)
COLOUR = ImageSpec("NCHW", 3, 8, 10, "float64", -1.0, 1.0)


def unified(spec: ImageSpec, n: int = 4) -> np.ndarray:
    pixels = np.random.default_rng(0).integers(0, 256, (n, *spec.shape))
    return (pixels / 127.5 - 1).astype(np.float32)


class Composed:
    """Called as albumentations' compositions are."""

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []
        self.rng = np.random.default_rng()

    def set_random_seed(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, *args: Any, force_apply: bool = False, **data: Any) -> dict[str, Any]:
        assert not args
        self.seen.append(data["image"])
        return {"image": np.roll(data["image"], int(self.rng.integers(8)), axis=0)}


def flip(array: np.ndarray) -> np.ndarray:
    return array[:, ::-1]


def flip_by_name(image: np.ndarray) -> dict[str, np.ndarray]:
    return {"image": image[:, ::-1]}


class Flip(torch.nn.Module):
    def forward(self, picture: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(picture.copy()).flip(1)


@pytest.mark.parametrize("function", [flip, flip_by_name, np.fliplr, Flip(), lambda a: a[:, ::-1]])
@pytest.mark.parametrize("spec", [GREY, COLOUR], ids=["grey", "colour"])
def test_images_are_changed(function: Any, spec: ImageSpec) -> None:
    images = unified(spec)
    changed = Transform(function, spec)(images, 0)
    assert changed.dtype == np.float32
    np.testing.assert_allclose(changed, images[..., ::-1], atol=1e-6)


def test_callables_see_what_they_expect() -> None:
    grey, colour = Composed(), Composed()
    Transform(grey, GREY)(unified(GREY), 0)
    Transform(colour, COLOUR)(unified(COLOUR), 0)
    assert (grey.seen[0].dtype, grey.seen[0].shape) == (np.uint8, (8, 10))
    assert (colour.seen[0].dtype, colour.seen[0].shape) == (np.float32, (8, 10, 3))
    assert colour.seen[0].min() >= 0
    assert colour.seen[0].max() <= 1


def of_numpy(image: np.ndarray) -> np.ndarray:
    return np.roll(image, np.random.randint(8), axis=0)  # noqa: NPY002 - what users' callables do


def of_python(image: np.ndarray) -> np.ndarray:
    return np.roll(image, random.randrange(8), axis=0)


def of_torch(image: np.ndarray) -> np.ndarray:
    return np.roll(image, int(torch.randint(8, ())), axis=0)


@pytest.mark.parametrize("function", [Composed(), of_numpy, of_python, of_torch])
def test_what_is_random_goes_by_the_seed(function: Any) -> None:
    transform, images = Transform(function, GREY), unified(GREY, 20)
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002
    first = transform(images, 1)
    assert np.array_equal(transform(images, 1), first)
    assert not np.array_equal(transform(images, 2), first)
    # Images of one batch are changed in different ways.
    same = transform(np.repeat(images[:1], 20, axis=0), 1)
    assert len({image.tobytes() for image in same}) > 2
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]  # noqa: NPY002 - left as it was
    assert torch.equal(torch.get_rng_state(), states[2])


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda image: image[:4], r"uint8 of the shape \(4, 10\)"),
        (lambda image: image / 255, "float64"),
        (lambda image: None, "a NoneType"),
        (lambda image: {"mask": image}, "a NoneType"),
        (lambda image: "image", "a str"),
    ],
)
def test_other_images_are_refused(function: Any, words: str) -> None:
    with pytest.raises(InvalidDataError, match=words):
        Transform(function, GREY)(unified(GREY), 0)
    nan = Transform(lambda image: image * np.nan, COLOUR)
    with pytest.raises(InvalidDataError, match="without NaN"):
        nan(unified(COLOUR), 0)


def fitted(transform: Any, **options: Any) -> ImageGANSynthesizer:
    X, y = digits()
    return ImageGANSynthesizer(preset=SMALL, transform=transform, random_state=0, **options).fit(
        X, y
    )


def test_a_fit_shows_changed_images(tmp_path: Any) -> None:
    X, _ = digits()
    composed = Composed()
    model = fitted(composed)
    # One image before the first step, then a batch at each.
    assert len(composed.seen) == 1 + SMALL.steps * SMALL.batch_size
    assert np.array_equal(composed.seen[0], (X[0] / 16).astype(np.float32))
    expected = model.sample(4, random_state=0)
    assert np.array_equal(fitted(Composed()).sample(4, random_state=0), expected)
    assert not np.array_equal(fitted(None).sample(4, random_state=0), expected)
    place = str(tmp_path / "run")
    again = fitted(Composed(), checkpoint_dir=place)
    assert np.array_equal(again.sample(4, random_state=0), expected)
    with pytest.raises(ArtifactError, match="transform"):
        fitted(flip, checkpoint_dir=place)
    model.save(tmp_path / "model")
    assert ImageGANSynthesizer.load(tmp_path / "model").transform is None


def test_fit_finds_out_before_training() -> None:
    with pytest.raises(InvalidParameterError, match="transform must be a callable"):
        fitted("flip")
    with pytest.raises(InvalidDataError, match="Leave resizing"):
        fitted(lambda image: image[:4])
    with pytest.raises(InvalidParameterError, match="None or a callable"):
        Transform(3, read_images(digits()[0]).spec)


def test_names_for_checkpoints() -> None:
    assert transform_name(None) is None
    assert str(transform_name(flip)).endswith(".flip")
    assert str(transform_name(Composed())).endswith(".Composed")


def test_pipelines_of_albumentations() -> None:
    """The real package: seeded, and left as it was."""
    albumentations = pytest.importorskip("albumentations")
    pipeline = albumentations.Compose([albumentations.HorizontalFlip(p=0.5)])
    images = unified(COLOUR, 64)
    first, again = (Transform(pipeline, COLOUR)(images, 7) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    flipped = np.isclose(first, images[..., ::-1], atol=1e-6).all(axis=(1, 2, 3))
    kept = np.isclose(first, images, atol=1e-6).all(axis=(1, 2, 3))
    assert (flipped | kept).all()
    assert 10 < flipped.sum() < 54
    assert (Transform(pipeline, COLOUR)(images, 8) != first).any()
