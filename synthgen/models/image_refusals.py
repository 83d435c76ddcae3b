"""What cannot be private about images, by name and with the alternative."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np

from synthgen.data.image_folder import read_folder
from synthgen.data.image_labels import LabelSpec
from synthgen.data.images import ImageData, read_images
from synthgen.dp.budget import DPEmbedding
from synthgen.dp.errors import PrivacyError
from synthgen.dp.sgd_budget import DPSGD
from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.models.image_presets import image_recipe
from synthgen.models.refusals import CHARGED, Refusal, refuse
from synthgen.train.dp_checks import check_private_recipe
from synthgen.train.dp_images import EMBEDDING_RECIPE, SGD_IMAGE_RECIPE
from synthgen.train.image_recipe import ImageRecipe

#: Black and white of types whose values are pixels by themselves.
_RANGES: Final = {"bool": (0.0, 1.0), "uint8": (0.0, 255.0)}

#: Parameter, when it is refused whichever way a model is made private, and why.
_COMMON: Final[tuple[Refusal, ...]] = (
    (
        "augment",
        lambda value: value not in ("auto", None),
        "augmentation shows each image in many ways, and may go by what the critic says of real "
        "ones; use augment='auto' or None",
    ),
    (
        "balance",
        lambda value: value not in (None, 0),
        "the privacy account needs every image to be drawn equally often; use balance=None",
    ),
    (
        "transform",
        lambda value: value is not None,
        "a callable could carry anything from one image to another; change images before fit, "
        "each by itself, and use transform=None",
    ),
    (
        "warm_start",
        lambda value: value is True,
        "the weights of an earlier fit may hold real images; use warm_start=False",
    ),
    (
        "checkpoint_dir",
        lambda value: value is not None,
        "a checkpoint holds a fingerprint of the images; use checkpoint_dir=None",
    ),
)

#: What is refused with ``DPEmbedding``.
EMBEDDING_REFUSALS: Final[tuple[Refusal, ...]] = (
    (
        "preset",
        lambda value: value != "auto",
        "a critic that looks at real images is not covered by DPEmbedding; use preset='auto', "
        "which trains on released mean features, or privacy=DPSGD(...)",
    ),
    *_COMMON,
)

#: What is refused with ``DPSGD``, beside recipes (``train/dp_checks.py``).
IMAGE_GRADIENT_REFUSALS: Final[tuple[Refusal, ...]] = (*_COMMON, *CHARGED)


def private_recipe(model: Any) -> ImageRecipe:
    """Return the recipe of a model with privacy, once nothing in it is to be refused.

    Raises
    ------
    PrivacyError
        Naming the parameter, why, and what to use.
    InvalidParameterError
        If `privacy` is not a value object for the privacy of images.
    """
    privacy = model.privacy
    if not isinstance(privacy, (DPEmbedding, DPSGD)):
        raise InvalidParameterError(
            "privacy must be None, DPEmbedding(...) or DPSGD(...) for images, got "
            f"{type(privacy).__name__}."
        )
    by_gradients = isinstance(privacy, DPSGD)
    refuse(model, IMAGE_GRADIENT_REFUSALS if by_gradients else EMBEDDING_REFUSALS)
    if not by_gradients:
        return EMBEDDING_RECIPE
    if privacy.infer != "refuse":
        raise PrivacyError(
            "infer='spend' buys the domain of tables; classes of images are declared: "
            "ImageGANSynthesizer(classes=[...])."
        )
    recipe = SGD_IMAGE_RECIPE
    if not (isinstance(model.preset, str) and model.preset == "auto"):
        # Nothing of the images goes into the choice: one black image stands for them.
        recipe = image_recipe(model.preset, np.zeros((1, 1, 8, 8), dtype=np.float32), None)
    check_private_recipe(recipe)
    return recipe.check()


def read_private_images(model: Any, X: Any, y: Any) -> ImageData:
    """Read images whose classes and range were declared, or follow from the type.

    Returns
    -------
    ImageData
        An image whose label was not declared has the place -1. Shares of the labels are equal: the
        true ones are not public.

    Raises
    ------
    PrivacyError
        If something would have to be read off the data.
    InvalidDataError
        If images or labels cannot be used.
    """
    if isinstance(X, (str, os.PathLike)):
        X, found = read_folder(X, alike=True)
        y = found if y is None else y
    if isinstance(X, (list, tuple)) and len({_dtype(image) for image in X}) > 1:
        raise PrivacyError(
            "The images are of several types, and with privacy one must not decide the type "
            "of all: convert them first."
        )
    value_range = model.value_range
    if value_range is None:
        kind = _dtype(X)
        if kind not in _RANGES:
            raise PrivacyError(
                f"Black and white of images of type {kind} would have to be read off the data; "
                "declare them: ImageGANSynthesizer(value_range=(low, high))."
            )
        value_range = _RANGES[kind]
    plain = read_images(X, None, layout=model.layout, value_range=value_range)
    if (y is None) != (model.classes is None):
        raise PrivacyError(
            "Which labels there are tells about images, so with privacy they are declared: "
            "ImageGANSynthesizer(classes=[...]).fit(X, y) - both, or neither."
        )
    if y is None:
        return plain
    labels = LabelSpec.declared(model.classes)
    codes = labels.places(y)
    if len(codes) != len(plain):
        raise InvalidDataError(f"There are {len(plain)} images and {len(codes)} labels.")
    return ImageData(plain.images, plain.spec, codes, labels)


def _dtype(X: Any) -> str:
    kind = getattr(X, "dtype", None)
    return str(np.asarray(X).dtype if kind is None else kind).removeprefix("torch.")
