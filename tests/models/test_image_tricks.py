"""Growing, path length and accumulation seen from outside: fit, sample, save, tune."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthgen.data.images import read_images
from synthgen.errors import ResourceError
from synthgen.models.image import ImageGANSynthesizer
from synthgen.models.image_memory import check_image_memory, estimate_image_memory
from synthgen.models.image_presets import IMAGE_PRESETS
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.terms import TermSpec
from tests.train.image_tasks import SMALL, digit_data, digits

pytestmark = pytest.mark.filterwarnings("ignore::synthgen.errors.TrainingWarning")

GROWING = SMALL.replace(
    architecture="style", spectral="none", objective="non_saturating", grow_until=0.6, steps=8
)


def fitted(recipe: ImageRecipe, **options: Any) -> ImageGANSynthesizer:
    X, y = digits(100)
    return ImageGANSynthesizer(preset=recipe, random_state=0, **options).fit(X, y)


@pytest.mark.parametrize("architecture", ["style", "style2"])
def test_a_grown_model_samples_at_full_size(architecture: str, tmp_path: Path) -> None:
    model = fitted(GROWING.replace(architecture=architecture))
    assert float(model.sampler_.generator.grown) == 1.0
    trunk: Any = model.sampler_.critic.trunk
    assert float(trunk.grown) == 1.0
    images = model.sample(16, y=3, random_state=1)
    assert images.shape == (16, 8, 8)
    fine = images.astype(float)
    assert np.abs(fine[:, ::2] - fine[:, 1::2]).max() > 0
    for part in (model.grids_[0], model.grids_[-1]):
        assert part.shape[1:] == (8, 8)
    # The first look was at cells of 2 x 2 pixels.
    assert np.array_equal(model.grids_[0][:, ::2, ::2], model.grids_[0][:, 1::2, 1::2])
    model.save(tmp_path / "model")
    again = ImageGANSynthesizer.load(tmp_path / "model")
    np.testing.assert_array_equal(again.sample(16, y=3, random_state=1), images)
    assert again.sample(2, y=3, truncation=0.5).shape == (2, 8, 8)
    mixed = again.style_mix(again.latents(1), again.latents(1, 1), [2], y=3)
    assert mixed.shape == (1, 8, 8)


def test_tuning_does_not_begin_with_coarse_grids() -> None:
    model = fitted(GROWING)
    X, y = digits(40)
    model.fine_tune(X, y)
    assert float(model.sampler_.generator.grown) == 1.0
    first = model.grids_[0]
    assert not np.array_equal(first[:, ::2, ::2], first[:, 1::2, 1::2])


def test_changed_images_are_coarsened_too() -> None:
    seen: list[tuple[int, ...]] = []

    def mirrored(image: np.ndarray) -> np.ndarray:
        seen.append(image.shape)
        return image[:, ::-1]

    model = fitted(GROWING, transform=mirrored)
    assert set(seen) == {(8, 8)}
    assert model.n_steps_ == 8


def test_all_three_at_once_and_checkpoints(tmp_path: Path) -> None:
    recipe = GROWING.replace(
        accumulate=2, batch_size=32, minibatch_std=True,
        terms=(TermSpec("path_length", {"every": 2}), TermSpec("r1"), TermSpec("ada")),
    )  # fmt: skip
    first, second = fitted(recipe), fitted(recipe, checkpoint_dir=tmp_path / "run")
    again = fitted(recipe, checkpoint_dir=tmp_path / "run")
    np.testing.assert_array_equal(first.sample(5, random_state=0), second.sample(5, random_state=0))
    np.testing.assert_array_equal(first.sample(5, random_state=0), again.sample(5, random_state=0))
    assert (first.history_["path_length"] > 0).all()


def test_memory_of_parts() -> None:
    """The estimate falls towards what a batch of one part needs."""
    data = read_images(np.random.default_rng(0).integers(0, 256, (50, 64, 64, 3), dtype=np.uint8))
    recipe = IMAGE_PRESETS["strided"].replace(batch_size=256)
    whole, parts, small = (
        estimate_image_memory(data, each)
        for each in (recipe, recipe.replace(accumulate=16), recipe.replace(batch_size=16))
    )
    assert small < parts < small + 0.2 * (whole - small)
    style = IMAGE_PRESETS["stylegan"]
    long = style.replace(terms=(*style.terms, TermSpec("path_length")))
    assert estimate_image_memory(data, long) > estimate_image_memory(data, style)


def test_too_little_memory_says_how_to_need_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.models.image_memory.available_memory", lambda: 1_000)
    with pytest.raises(ResourceError, match="accumulate=2 or more"):
        check_image_memory(digit_data(), SMALL)
