from __future__ import annotations

import json
from typing import Any

import pytest

from synthgen.errors import InvalidParameterError, RecipeError
from synthgen.models.presets import PRESETS
from synthgen.train.recipe import Recipe
from synthgen.train.terms import TermSpec

CLIPPING, PENALTY = TermSpec("weight_clipping"), TermSpec("gradient_penalty")


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_recipes_come_back_from_json(name: str) -> None:
    recipe = PRESETS[name]
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"objective": "magic"}, "objective must be one of"),
        ({"conditioning": "all"}, "conditioning must be one of"),
        ({"relaxation": "none"}, "relaxation must be one of"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1"),
        ({"width": 1.5}, "width must be an integer"),
        ({"steps": -1}, "steps must be an integer >= 0"),
        ({"warmup": 1.1}, "warmup must be a number in"),
        ({"ema": 1.0}, "ema must be a number in"),
        ({"temperature": 0.0}, "temperature must be a number in"),
        ({"generator_rate": float("nan")}, "generator_rate must be a number"),
        ({"critic_betas": (0.5, 1.0)}, "critic_betas must be a number in"),
        ({"generator_betas": (0.5,)}, "generator_betas must be two numbers"),
        ({"terms": (TermSpec("magic"),)}, "no term 'magic'"),
        ({"terms": (TermSpec("moments", {"speed": 1.0}),)}, "term 'moments'.*speed"),
        ({"terms": (TermSpec("gradient_penalty", {"every": 0}),)}, "every of the term"),
        ({"terms": (CLIPPING,)}, "'weight_clipping' needs 'wasserstein'"),
        (
            {"terms": (PENALTY, CLIPPING), "objective": "wasserstein"},
            "'gradient_penalty' and 'weight_clipping' cannot be combined",
        ),
        ({"terms": (TermSpec("condition_match"),)}, "'condition_match' needs 'condition'"),
        ({"warmup": 0.5}, "'mine': a warm-up without the critic needs a term"),
        ({"warmup": 0.5, "terms": (PENALTY,)}, "a warm-up without the critic needs a term"),
        ({"batch_size": 15, "pack": 10}, "batch_size 15 is not a multiple of pack 10"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(changes: dict[str, Any], words: str) -> None:
    recipe = Recipe(name="mine").replace(**changes)
    with pytest.raises(InvalidParameterError, match=words):
        recipe.check()


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(RecipeError, match="no field 'depth'"):
        Recipe(name="mine").replace(depth=3)
    with pytest.raises(RecipeError, match="no field 'depth'"):
        Recipe.from_json({"name": "mine", "depth": 3})


def test_combinations_that_fit() -> None:
    Recipe(name="a", objective="wasserstein", terms=(CLIPPING,)).check()
    Recipe(name="b", conditioning="label", terms=(TermSpec("condition_match"),)).check()
    Recipe(name="c", warmup=1.0, terms=(TermSpec("moments"),)).check()
