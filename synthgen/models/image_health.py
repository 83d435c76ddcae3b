"""Signs that a GAN of images has failed, in words, with what to change."""

from __future__ import annotations

from typing import Final

import pandas as pd

from synthgen.train.image_recipe import ImageRecipe

#: Below this share of the real images' spread the generated ones have collapsed.
_LEAST_DIVERSITY: Final = 0.4
#: Hinge and logistic critics with scores this far apart have stopped giving a direction.
_SATURATED: Final = 12.0


def diagnose(history: pd.DataFrame, recipe: ImageRecipe) -> list[str]:
    """Return what looks wrong at the end of training; empty if nothing does.

    Parameters
    ----------
    history : pandas.DataFrame
        One row per check, with the columns ``diversity``, ``critic_real`` and ``critic_fake``.
    recipe : ImageRecipe
    """
    found: list[str] = []
    if not len(history) or "diversity" not in history:
        return found
    last = history.iloc[-1]
    if last["diversity"] < _LEAST_DIVERSITY:
        found.append(
            f"generated images differ only {last['diversity']:.2f} times as much as real ones "
            f"(mode collapse). {_advice(recipe)}"
        )
    apart = last.get("critic_real", 0.0) - last.get("critic_fake", 0.0)
    bounded = recipe.objective in ("hinge", "non_saturating", "relativistic")
    if bounded and apart > _SATURATED:
        found.append(
            f"the critic tells all images apart by {apart:.0f}, so that it gives no direction any "
            f"more. {_advice(recipe)}"
        )
    return found


def _advice(recipe: ImageRecipe) -> str:
    calm = {"r1", "zero_centred_penalty", "gradient_penalty", "lipschitz_penalty", "dragan"}
    if recipe.spectral == "none" and not calm & recipe.term_names:
        return "Nothing keeps this critic smooth: use a preset with spectral norm or a penalty."
    if not {"diffaug", "ada"} & recipe.term_names:
        return "Use augment='translation' or another augmentation, or lower critic_rate."
    return "Lower the recipe's critic_rate, or train for a shorter time."
