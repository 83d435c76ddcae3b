"""Classic GANs and our own as recipes on one engine, and sizes that fit the table."""

from __future__ import annotations

from typing import Final

from synthgen.errors import InvalidParameterError
from synthgen.train.base_recipe import same_adam
from synthgen.train.recipe import Recipe
from synthgen.train.terms import TermSpec

_PENALTY = TermSpec("zero_centred_penalty", {"gamma": 0.05, "every": 4})

#: Recipes by name. The classics are as published, on the same encoding and network shapes.
PRESETS: Final[dict[str, Recipe]] = {
    "mixture": Recipe(
        name="mixture",
        terms=(TermSpec("moments"), _PENALTY),
        warmup=0.2,
    ),
    "moments": Recipe(
        name="moments",
        terms=(TermSpec("moments"),),
        warmup=1.0,
    ),
    "relativistic": Recipe(
        name="relativistic",
        terms=(_PENALTY,),
    ),
    "vanilla": Recipe(
        name="vanilla",
        objective="non_saturating",
        relaxation="softmax",
        **same_adam(2e-4, (0.5, 0.999)),
    ),
    "wgan": Recipe(
        name="wgan",
        objective="wasserstein",
        terms=(TermSpec("weight_clipping", {"limit": 0.01}),),
        relaxation="softmax",
        critic_steps=5,
        generator_rate=5e-4,
        critic_rate=5e-4,
    ),
    "wgan-gp": Recipe(
        name="wgan-gp",
        objective="wasserstein",
        terms=(TermSpec("gradient_penalty", {"weight": 10.0}),),
        relaxation="softmax",
        critic_steps=5,
        **same_adam(2e-4, (0.0, 0.9)),
    ),
    "lsgan": Recipe(
        name="lsgan",
        objective="least_squares",
        relaxation="softmax",
        **same_adam(2e-4, (0.5, 0.999)),
    ),
    "cgan": Recipe(
        name="cgan",
        objective="non_saturating",
        terms=(TermSpec("condition_match"),),
        conditioning="label",
        relaxation="softmax",
        **same_adam(2e-4, (0.5, 0.999)),
    ),
    "ctgan": Recipe(
        name="ctgan",
        objective="wasserstein",
        terms=(TermSpec("condition_match"), TermSpec("gradient_penalty", {"weight": 10.0})),
        conditioning="sampling",
        relaxation="softmax",
        temperature=0.2,
        batch_size=500,
        pack=10,
        **same_adam(2e-4, (0.5, 0.9)),
        decay_from=1.0,
    ),
}

#: Tables with more cells are wide.
_MANY_CELLS: Final = 700

#: What ``preset="auto"`` stands for.
DEFAULT: Final = "mixture"


def list_presets() -> tuple[str, ...]:
    """Return the names that ``preset`` accepts beside "auto".

    Examples
    --------
    >>> "wgan-gp" in list_presets()
    True
    """
    return tuple(PRESETS)


def resolve_recipe(preset: str | Recipe, n_rows: int, n_cells: int) -> Recipe:
    """Return the recipe to train with.

    Parameters
    ----------
    preset : str or Recipe
        A name is looked up, and its sizes are fitted to the table; a recipe is taken as it is.
    n_rows, n_cells : int
        Rows of the table, and cells of its layout.

    Raises
    ------
    InvalidParameterError
        If there is no such preset.
    """
    if isinstance(preset, Recipe):
        return preset.check()
    if not isinstance(preset, str) or (preset != "auto" and preset not in PRESETS):
        known = ", ".join(repr(name) for name in ("auto", *PRESETS))
        raise InvalidParameterError(f"preset must be one of {known} or a Recipe, got {preset!r}.")
    recipe = PRESETS[DEFAULT if preset == "auto" else preset]
    if recipe.name in ("mixture", "moments", "relativistic"):
        recipe = recipe.replace(**_sizes(n_rows, n_cells))
    return recipe.check()


def _sizes(n_rows: int, n_cells: int) -> dict[str, int | float]:
    """Return network and batch sizes for a table.

    The clock ends the training of wide tables, so smaller batches, for more steps, are worth more
    there than larger networks.
    """
    if n_rows < 2_000:
        return {"width": 128, "critic_width": 128, "batch_size": 256, "steps": 3_000, "ema": 0.99}
    steps = 7_000 if n_rows < 10_000 else 10_000
    if n_cells > _MANY_CELLS:
        return {"batch_size": 256, "steps": steps}
    if n_rows < 200_000:
        return {"steps": steps}
    return {"width": 384, "critic_width": 384, "batch_size": 1_024, "steps": steps, "ema": 0.999}
