"""What a synthesizer of images checks before it trains: parameters, recipe and labels."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.data.image_labels import LabelSpec
from synthgen.data.images import LAYOUTS, ImageData, ImageSpec, read_images
from synthgen.errors import DataWarning, InvalidDataError, InvalidParameterError
from synthgen.models.image_grid import check_grid_path
from synthgen.models.image_presets import image_recipe
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.images import uses_labels


def check_image_parameters(model: Any) -> None:
    """Check the constructor's parameters.

    Parameters
    ----------
    model : ImageGANSynthesizer

    Raises
    ------
    InvalidParameterError
        If one cannot work.
    """
    check_real("max_minutes", model.max_minutes, low=0.0, closed="neither")
    check_integer("max_steps", model.max_steps, minimum=1, words=["auto"])
    check_integer("batch_size", model.batch_size, minimum=2, words=["auto"])
    check_choice("precision", model.precision, ("auto", "float32", "bfloat16"))
    check_choice("warm_start", model.warm_start, [True, False])
    if model.balance is not None:
        check_real("balance", model.balance, low=0.0, high=1.0)
    if model.layout is not None:
        check_choice("layout", model.layout, LAYOUTS)
    if model.augment is not None and not isinstance(model.augment, str):
        raise InvalidParameterError(
            f"augment must be names with commas between, 'auto' or None, got {model.augment!r}."
        )
    if model.transform is not None and not callable(model.transform):
        raise InvalidParameterError(
            f"transform must be a callable that takes an image, or None, got {model.transform!r}."
        )
    if not isinstance(model.verbose, bool):
        check_integer("verbose", model.verbose, minimum=0)
    if model.checkpoint_dir is not None and not isinstance(model.checkpoint_dir, (str, Path)):
        raise InvalidParameterError(
            f"checkpoint_dir must be a path or None, got {model.checkpoint_dir!r}."
        )
    check_grid_path(model.grid_path)


def chosen_recipe(model: Any, data: ImageData) -> ImageRecipe:
    """Return the recipe that a model asks for.

    Raises
    ------
    InvalidParameterError
        If there is no such preset.
    InvalidDataError
        If the recipe needs labels and there are none.
    """
    recipe = image_recipe(model.preset, data.images, model.augment)
    if recipe.needs_labels and data.labels is None:
        raise InvalidDataError(
            f"The preset {recipe.name!r} is about labels: pass fit(X, y), or choose another."
        )
    return sized_recipe(model, recipe)


def sized_recipe(model: Any, recipe: ImageRecipe) -> ImageRecipe:
    """Return the recipe with the model's number of steps, batch size and balance."""
    if model.max_steps != "auto":
        recipe = recipe.replace(steps=int(model.max_steps))
    if model.batch_size != "auto":
        recipe = recipe.replace(batch_size=int(model.batch_size))
    if model.balance is not None:
        recipe = recipe.replace(balance=float(model.balance))
    return recipe.check()


def with_labels_for(data: ImageData, recipe: ImageRecipe) -> ImageData:
    """Leave labels aside, with a warning, if the recipe makes no use of them."""
    if data.labels is None or uses_labels(recipe):
        return data
    warnings.warn(
        f"The preset {recipe.name!r} makes no use of labels; y is left aside. Use another preset, "
        "or a recipe with condition='projection'.",
        DataWarning,
        stacklevel=3,
    )
    return ImageData(data.images, data.spec, None, None)


def read_more(X: Any, y: Any, spec: ImageSpec, labels: LabelSpec | None) -> ImageData:
    """Read images that are like those of a fit.

    Raises
    ------
    InvalidDataError
        If they are not, or have no labels where those had.
    ConditionError
        If a label is new.
    """
    data = read_images(X, y, like=spec)
    if data.spec.shape != spec.shape:
        raise InvalidDataError(
            f"The images are (channels, height, width) = {data.spec.shape}; the model was "
            f"fitted to {spec.shape}."
        )
    if labels is None:
        return ImageData(data.images, spec, None, None)
    if data.labels is None or data.codes is None:
        raise InvalidDataError("The model was fitted with labels: pass y too.")
    return ImageData(data.images, spec, labels.encode(data.labels.decode(data.codes)), labels)
