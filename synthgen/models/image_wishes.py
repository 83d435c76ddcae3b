"""What a caller of ``sample`` wants, checked and as the sampler takes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from synthgen.data.images import ImageSpec
from synthgen.errors import ConditionError, InvalidParameterError
from synthgen.sample.images import ImageSampler, Judge
from synthgen.train.image_recipe import ImageRecipe


def wanted_places(sampler: ImageSampler, y: Any, n: int | None) -> np.ndarray | None:
    """Return the places of wanted labels, one row per image.

    Raises
    ------
    ConditionError
        If a label is unknown, or the model knows none.
    """
    if y is None:
        return None
    labels = sampler.labels
    if labels is None:
        raise ConditionError(
            f"The model knows no labels. Fit with labels and a preset that uses them; "
            f"{sampler.recipe.name!r} has condition={sampler.recipe.condition!r}."
        )
    depth = 0 if isinstance(y, (str, bytes)) else np.ndim(y)
    if depth < (1 if labels.single else 2):
        if n is None:
            raise InvalidParameterError("n is missing: how many images of this label?")
        return np.repeat(labels.encode([y]), n, axis=0)
    places = labels.encode(y)
    if n is not None and len(places) != n:
        raise ConditionError(f"There are {len(places)} labels for {n} images.")
    return places


def wanted_judge(sampler: ImageSampler, spec: ImageSpec, reject: Any) -> Judge | None:
    """Return what chooses among candidates.

    Raises
    ------
    InvalidParameterError
        If it can be no judge.
    """
    if reject is None:
        return None
    if isinstance(reject, str) and reject == "critic":
        return sampler.judge_by_critic()
    labels = sampler.labels
    if not hasattr(reject, "predict_proba") or labels is None or not labels.single:
        raise InvalidParameterError(
            "reject must be None, 'critic' or, for a model with one label per image, a "
            f"classifier with predict_proba, got {reject!r}."
        )
    known = list(labels.values[0])
    order = [known.index(value) for value in np.asarray(reject.classes_).tolist()]

    def judge(images: torch.Tensor, codes: np.ndarray | None) -> torch.Tensor:
        chances = np.full((len(images), len(known)), 1e-12)
        chances[:, order] = reject.predict_proba(spec.restore(images.cpu().numpy()))
        wanted = np.zeros(len(images), dtype=np.int64) if codes is None else codes[:, 0]
        chosen = chances[np.arange(len(images)), wanted].clip(1e-12)
        return torch.as_tensor(np.log(chosen), dtype=torch.float32)

    return judge


def wanted_codes(recipe: ImageRecipe, codes: Any, n: int) -> np.ndarray | None:
    """Return InfoGAN's codes, one row per image.

    Raises
    ------
    ConditionError
        If they have another shape, or the recipe has none.
    """
    if codes is None:
        return None
    width = sum(recipe.codes)
    array = np.asarray(codes, dtype=np.float32)
    if not width or array.shape != (n, width):
        raise ConditionError(
            f"codes must have the shape (n, {width}) for the preset {recipe.name!r}, "
            f"got {array.shape}."
        )
    return array
