"""Sizes of networks and batches by the size of the table."""

from __future__ import annotations

import pytest

from synthgen.errors import InvalidParameterError
from synthgen.models.presets import list_presets, resolve_recipe


@pytest.mark.parametrize(
    ("n_rows", "n_cells", "width", "batch", "steps"),
    [
        (1_999, 5_000, 128, 256, 3_000),
        (2_000, 700, 256, 512, 7_000),
        (9_999, 701, 256, 256, 7_000),
        (10_000, 700, 256, 512, 10_000),
        (200_000, 700, 384, 1_024, 10_000),
        (200_000, 701, 256, 256, 10_000),
    ],
)
def test_sizes_by_the_size_of_the_table(n_rows, n_cells, width, batch, steps):
    recipe = resolve_recipe("auto", n_rows, n_cells)
    assert (recipe.width, recipe.critic_width) == (width, width)
    assert (recipe.batch_size, recipe.steps) == (batch, steps)


def test_classic_presets_keep_their_sizes():
    for name in set(list_presets()) - {"mixture", "moments", "relativistic"}:
        assert resolve_recipe(name, 500, 50) == resolve_recipe(name, 10**6, 5_000)


def test_a_recipe_is_taken_as_it_is():
    recipe = resolve_recipe("auto", 500, 50).replace(width=7)
    assert resolve_recipe(recipe, 10**6, 5_000) == recipe


def test_unknown_names():
    with pytest.raises(InvalidParameterError, match="'wgan-gp'"):
        resolve_recipe("wgan_gp", 500, 50)
