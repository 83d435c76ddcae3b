from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from synthgen.data.images import read_images
from synthgen.errors import DataWarning, InvalidParameterError, RecipeError
from synthgen.models import image_presets
from synthgen.models.image import ImageGANSynthesizer
from synthgen.models.image_presets import (
    IMAGE_PRESETS,
    image_recipe,
    list_image_presets,
    patient,
)
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.terms import TermSpec
from tests.train.image_tasks import SMALL, digit_data, digits

WANTED = (
    "gan dcgan wgan wgan-gp wgan-lp dragan lsgan fgan fgan-kl fgan-reverse-kl fgan-pearson "
    "fgan-neyman fgan-hellinger fgan-js fgan-alpha cgan-concat cgan-embed cgan-projection acgan "
    "infogan sngan sagan biggan stylegan stylegan2-ada r3gan fastgan"
)


def test_every_classic_is_there() -> None:
    assert set(WANTED.split()) <= set(list_image_presets())


@pytest.mark.parametrize("name", sorted(IMAGE_PRESETS))
def test_recipes_come_back_from_json(name: str) -> None:
    recipe = IMAGE_PRESETS[name].check()
    assert recipe.name == name
    assert ImageRecipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_a_stem_is_for_strided_critics() -> None:
    assert ImageRecipe(name="mine", objective="hinge", stem=True).check().stem
    with pytest.raises(RecipeError, match="only strided critics have a stem, those of 'residual'"):
        ImageRecipe(name="mine", objective="hinge", architecture="residual", stem=True).check()


@pytest.mark.filterwarnings("ignore::synthgen.errors.TrainingWarning")
@pytest.mark.parametrize("name", sorted(IMAGE_PRESETS))
def test_every_preset_trains_and_samples(name: str) -> None:
    X, y = digits(128)
    recipe = IMAGE_PRESETS[name].replace(steps=2, width=8, critic_width=8, latent=16)
    model = ImageGANSynthesizer(preset=recipe, random_state=0)
    if recipe.condition == "none" and not recipe.needs_labels:
        with pytest.warns(DataWarning, match="no use of labels"):
            model.fit(X, y)
    else:
        model.fit(X, y)
        assert model.sample(2, y=[1, 2]).shape == (2, 8, 8)
    assert np.isfinite(model.sample(3, random_state=0)).all()
    assert model.history_["distance"].notna().all()


@pytest.mark.filterwarnings("ignore::synthgen.errors.TrainingWarning")
def test_the_default_learns() -> None:
    """The distance to real digits falls to a fraction of that of the first steps."""
    X, y = digits(1_000)
    recipe = IMAGE_PRESETS["strided"].replace(
        steps=200, width=16, critic_width=16, ema=0.98, generator_rate=1e-3, critic_rate=1e-3
    )
    model = ImageGANSynthesizer(preset=recipe, random_state=0).fit(X, y)
    distance = model.history_["distance"]
    assert distance.iloc[-1] < 0.4 * distance.iloc[0]
    means = np.array([model.sample(60, y=k, random_state=0).mean(0) for k in range(10)])
    real = np.array([X[y == k].mean(0) for k in range(10)])
    gaps = np.abs(means[:, None] - real[None]).mean((2, 3))
    assert (gaps.argmin(1) == np.arange(10)).mean() >= 0.8


def test_augmentation_follows_the_data() -> None:
    images = digit_data().images
    assert _policy(image_recipe("auto", images)) == "rotation,translation,cutout"
    assert "ada" in image_recipe("auto", images).term_names
    (ada,) = image_recipe("auto", images).terms
    assert ada.parameters["after"] == 10 * len(images)
    assert _policy(image_recipe("sngan", images)) is None
    assert _policy(image_recipe("sngan", images, "scale")) == "scale"
    assert _policy(image_recipe("fastgan", images)) == "translation,colour"
    assert _policy(image_recipe("fastgan", images, None)) is None
    noise = read_images(np.random.default_rng(0).random((6_000, 8, 8)))
    assert _policy(image_recipe("auto", noise.images)) == "colour,translation"


def test_penalties_follow_the_size_of_images() -> None:
    for size, expected in ((8, 0.0128 * 2), (200, 8.0 * 2)):
        images = np.zeros((3, 1, size, size), dtype=np.float32)
        (spec,) = image_recipe("r3gan", images).terms
        assert spec.parameters == {"gamma": pytest.approx(expected), "every": 1}


def test_augmentation_waits_for_the_images_that_a_model_goes_on_with() -> None:
    recipe = image_recipe("auto", digit_data().images)
    (ada,) = patient(recipe, 60).terms
    assert ada.parameters["after"] == 600
    own = SMALL.replace(terms=(TermSpec("ada"),))
    assert patient(own, 60) == own, "what a user wrote stays"


def test_fine_tuning_waits_for_its_own_images() -> None:
    X, y = digits(300)
    model = ImageGANSynthesizer(max_steps=1, random_state=0).fit(X, y).fine_tune(X[:60], y[:60])
    assert [spec.parameters["after"] for spec in model.recipe_.terms if spec.name == "ada"] == [600]


def _policy(recipe: ImageRecipe) -> Any:
    found = [spec.parameters["policy"] for spec in recipe.terms if spec.name in ("ada", "diffaug")]
    return found[0] if found else None


def test_recipes_of_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name = "theirs"

        def load(self) -> ImageRecipe:
            return SMALL.replace(name="theirs")

    monkeypatch.setattr(image_presets, "entry_points", lambda group: [Entry()])
    assert "theirs" in list_image_presets()
    assert image_recipe("theirs", digit_data().images).name == "theirs"
    with pytest.raises(InvalidParameterError, match="'theirs'"):
        image_recipe("nobody's", digit_data().images)
