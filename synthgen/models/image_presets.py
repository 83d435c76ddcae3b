"""Classic GANs for images as recipes on one engine, and what ``preset="auto"`` stands for.

Networks are small, so that each trains on a CPU; what makes a GAN that GAN (its game, its
regularisation, its kind of network, how labels enter) is as published.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Final

import numpy as np
import torch

from synthgen.errors import InvalidParameterError
from synthgen.nn.augment import has_flat_background, policy_for
from synthgen.train.base_recipe import same_adam
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.terms import TermSpec

#: Entry points of packages that bring recipes of their own.
PLUGINS: Final = "synthgen.image_presets"

#: Times that the default's critic sees every image before it is suspected to know them by heart.
_EPOCHS_BEFORE_ADA: Final = 10

_DCGAN: Final[dict[str, Any]] = {
    "objective": "non_saturating",
    "critic_norm": "batch",
    "condition": "none",
    "weights": "normal",
    **same_adam(2e-4, (0.5, 0.999)),
    "decay_from": 1.0,
}
_WGAN: Final[dict[str, Any]] = {
    "objective": "wasserstein",
    "condition": "none",
    "critic_norm": "layer",
    "critic_steps": 5,
    **same_adam(5e-4, (0.0, 0.9)),
}
_SNGAN: Final[dict[str, Any]] = {
    "architecture": "residual",
    "objective": "hinge",
    "spectral": "critic",
    "weights": "xavier",
    **same_adam(4e-4, (0.0, 0.9)),
}
_STYLE: Final[dict[str, Any]] = {
    "objective": "non_saturating",
    # As published with learning rates equalised at run time; these weights are drawn to scale.
    **same_adam(4e-4, (0.0, 0.99)),
}


def _recipe(
    name: str, *shared: dict[str, Any], terms: tuple[TermSpec, ...] = (), **own: Any
) -> Any:
    fields: dict[str, Any] = {"batch_size": 64, "steps": 20_000, "decay_from": 0.5, "final_rate": 0}
    for part in (*shared, own):
        fields |= part
    return ImageRecipe(name=name, terms=terms, **fields)


_F_NAMES: Final = ("kl", "reverse_kl", "pearson", "neyman", "hellinger", "js", "alpha")

#: Recipes by name.
IMAGE_PRESETS: Final[dict[str, ImageRecipe]] = {
    "strided": _recipe(
        "strided",
        objective="hinge",
        spectral="critic",
        **same_adam(4e-4, (0.0, 0.99)),
    ),
    "gan": _recipe("gan", _DCGAN, architecture="dense", critic_norm="none", weights="xavier"),
    "dcgan": _recipe("dcgan", _DCGAN),
    "wgan": _recipe(
        "wgan",
        _WGAN,
        critic_norm="none",
        solver="rmsprop",
        generator_rate=5e-5,
        critic_rate=5e-5,
        terms=(TermSpec("weight_clipping", {"limit": 0.01}),),
    ),
    "wgan-gp": _recipe("wgan-gp", _WGAN, terms=(TermSpec("gradient_penalty"),)),
    "wgan-lp": _recipe("wgan-lp", _WGAN, terms=(TermSpec("lipschitz_penalty"),)),
    "dragan": _recipe(
        "dragan", _DCGAN, critic_norm="layer", weights="default", terms=(TermSpec("dragan"),)
    ),
    "lsgan": _recipe("lsgan", _DCGAN, objective="least_squares"),
    "fgan": _recipe("fgan", _DCGAN, objective="f_js"),
    **{
        f"fgan-{name.replace('_', '-')}": _recipe(
            f"fgan-{name.replace('_', '-')}", _DCGAN, objective=f"f_{name}"
        )
        for name in _F_NAMES
    },
    "cgan-concat": _recipe(
        "cgan-concat", _DCGAN, condition="concat", by_norm=False, needs_labels=True
    ),
    "cgan-embed": _recipe(
        "cgan-embed", _DCGAN, condition="embedding", by_norm=False, needs_labels=True
    ),
    "cgan-projection": _recipe(
        "cgan-projection", _SNGAN, architecture="strided", weights="default", needs_labels=True
    ),
    "acgan": _recipe(
        "acgan", _DCGAN, by_norm=False, needs_labels=True, terms=(TermSpec("auxiliary_classes"),)
    ),
    "infogan": _recipe(
        "infogan",
        _DCGAN,
        by_norm=False,
        generator_rate=1e-3,
        terms=(TermSpec("mutual_information"),),
    ),
    "sngan": _recipe("sngan", _SNGAN),
    "sagan": _recipe(
        "sagan",
        _SNGAN,
        spectral="both",
        attention=True,
        generator_rate=1e-4,
        critic_rate=4e-4,
    ),
    "biggan": _recipe(
        "biggan",
        _SNGAN,
        spectral="both",
        attention=True,
        chunks=True,
        weights="orthogonal",
        generator_rate=2e-4,
        critic_rate=8e-4,
    ),
    "stylegan": _recipe(
        "stylegan",
        _STYLE,
        architecture="style",
        minibatch_std=True,
        terms=(TermSpec("r1", {"gamma": "auto", "every": 4}),),
    ),
    # Without path length regularisation, as its authors train images of 32 pixels; larger ones may
    # want TermSpec("path_length").
    "stylegan2-ada": _recipe(
        "stylegan2-ada",
        _STYLE,
        architecture="style2",
        minibatch_std=True,
        terms=(TermSpec("r1", {"gamma": "auto", "every": 16}), TermSpec("ada")),
    ),
    "r3gan": _recipe(
        "r3gan",
        architecture="plain",
        objective="relativistic",
        **same_adam(5e-4, (0.0, 0.95)),
        terms=(TermSpec("zero_centred_penalty", {"gamma": "auto", "every": 1}),),
    ),
    "fastgan": _recipe(
        "fastgan",
        architecture="skip",
        objective="hinge",
        spectral="critic",
        **same_adam(4e-4, (0.5, 0.999)),
        terms=(
            TermSpec("reconstruction"),
            TermSpec("diffaug", {"policy": "translation,colour", "p": 0.8}),
        ),
    ),
}

#: What ``preset="auto"`` stands for.
DEFAULT: Final = "strided"


def list_image_presets() -> tuple[str, ...]:
    """Return the names that ``preset`` accepts beside "auto", plug-ins among them.

    Examples
    --------
    >>> "stylegan2-ada" in list_image_presets()
    True
    """
    return (*IMAGE_PRESETS, *sorted(entry.name for entry in entry_points(group=PLUGINS)))


def image_recipe(
    preset: str | ImageRecipe, images: np.ndarray, augment: str | None = "auto"
) -> ImageRecipe:
    """Return the recipe to train with.

    Parameters
    ----------
    preset : str or ImageRecipe
    images : numpy.ndarray of float32, shape (n, channels, height, width)
        The training images.
    augment : str or None
        Names of augmentations with commas between; "auto" gives the default recipe those that this
        number of images needs, as much as the critic overfits, and leaves others as they are; None
        takes them out.

    Raises
    ------
    InvalidParameterError
        If there is no such preset.
    """
    recipe = _with_gamma(_look_up(preset), images)
    terms = tuple(spec for spec in recipe.terms if spec.name not in ("diffaug", "ada"))
    if augment == "auto":
        policy = _policy(images) if preset == "auto" else ""
        if not policy:
            return recipe.check()
        # As much as overfitting calls for: in short runs a fixed amount costs more than it gives.
        terms += (TermSpec("ada", {"policy": policy, "after": 0}),)
        recipe = patient(recipe.replace(terms=terms), len(images))
        return recipe.check()
    if augment is not None:
        chance = 0.8 if "cutout" in augment else 1.0
        terms += (TermSpec("diffaug", {"policy": augment, "p": chance}),)
    return recipe.replace(terms=terms).check()


def patient(recipe: ImageRecipe, n_images: int) -> ImageRecipe:
    """Return the recipe with the default's augmentation waiting for epochs of so many images.

    A model that goes on with few other images must not wait for those of its first training.
    """
    terms = tuple(
        TermSpec(spec.name, {**spec.parameters, "after": _EPOCHS_BEFORE_ADA * n_images})
        if spec.name == "ada" and "after" in spec.parameters
        else spec
        for spec in recipe.terms
    )
    return recipe.replace(terms=terms)


def _with_gamma(recipe: ImageRecipe, images: np.ndarray) -> ImageRecipe:
    """Replace the weight "auto" of gradient penalties by one that fits the size of the images.

    As in StyleGAN2 with adaptive augmentation (arXiv:2006.06676, appendix C) it is in proportion to
    the pixels of an image and inversely to the recipe's batch size, but 64 times as large as there:
    trainings are short and images small here. Twice that for relativistic games.
    """
    pixels = images.shape[2] * images.shape[3]
    gamma = min(max(2e-4 * pixels * 64 / recipe.batch_size, 0.01), 10.0)
    gamma *= 2.0 if recipe.objective == "relativistic" else 1.0
    terms = tuple(
        TermSpec(spec.name, {**spec.parameters, "gamma": gamma})
        if spec.parameters.get("gamma") == "auto"
        else spec
        for spec in recipe.terms
    )
    return recipe.replace(terms=terms)


def _look_up(preset: str | ImageRecipe) -> ImageRecipe:
    if isinstance(preset, ImageRecipe):
        return preset
    if preset == "auto":
        return IMAGE_PRESETS[DEFAULT]
    if isinstance(preset, str) and preset in IMAGE_PRESETS:
        return IMAGE_PRESETS[preset]
    for entry in entry_points(group=PLUGINS):
        if entry.name == preset:
            recipe = entry.load()
            if isinstance(recipe, ImageRecipe):
                return recipe
    known = ", ".join(repr(name) for name in ("auto", *list_image_presets()))
    raise InvalidParameterError(f"preset must be one of {known} or an ImageRecipe, got {preset!r}.")


def _policy(images: np.ndarray) -> str:
    sample = torch.as_tensor(images[:: max(len(images) // 500, 1)])
    return ",".join(policy_for(len(images), flat_background=has_flat_background(sample)))
