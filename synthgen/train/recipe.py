"""A recipe: everything that makes one GAN different from another, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.errors import RecipeError
from synthgen.train.base_recipe import BaseRecipe


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Networks, game, terms and schedule of one GAN for tables.

    The other parameters are those of :class:`~synthgen.train.base_recipe.BaseRecipe`.

    Parameters
    ----------
    conditioning : {"none", "label", "sampling"}
        Whether generator and critic get a condition vector: none; the state of one column; or the
        state of a randomly chosen column, with rare states shown more often in training.
    relaxation : {"reinmax", "softmax"}
        How gradients pass the draw of a category: second-order straight-through, or the critic
        sees the probabilities sharpened by Gumbel noise.
    temperature : float
        Of the relaxation.
    latent, width, blocks : int
        Generator: length of the latent vector, width and number of residual blocks.
    critic_width, critic_blocks, pack : int
        Critic: size, and rows judged together.

    Examples
    --------
    >>> Recipe(name="mine", objective="wasserstein").replace(critic_steps=5).critic_steps
    5
    """

    conditioning: str = "none"
    relaxation: str = "reinmax"
    temperature: float = 0.7
    latent: int = 64
    width: int = 256
    blocks: int = 2
    critic_width: int = 256
    critic_blocks: int = 2
    pack: int = 1

    def offers(self) -> set[str]:
        """Return what terms may need: cells, and conditions if there are any."""
        condition = {"condition"} if self.conditioning != "none" else set()
        return super().offers() | {"cells"} | condition

    def check(self) -> Self:
        """Check that the parts exist and go together.

        Returns
        -------
        Recipe
            This one.

        Raises
        ------
        RecipeError
            Naming the part that does not fit, and why.
        """
        check_choice("conditioning", self.conditioning, ("none", "label", "sampling"))
        check_choice("relaxation", self.relaxation, ("reinmax", "softmax"))
        for name in ("latent", "width", "critic_width", "pack"):
            check_integer(name, getattr(self, name), minimum=1)
        for name in ("blocks", "critic_blocks"):
            check_integer(name, getattr(self, name), minimum=0)
        check_real("temperature", self.temperature, low=0.0, closed="neither")
        super().check()
        if self.batch_size % self.pack:
            raise RecipeError(
                f"Recipe {self.name!r}: batch_size {self.batch_size} is not a multiple of pack "
                f"{self.pack}."
            )
        if self.part_size % self.pack:
            raise RecipeError(
                f"Recipe {self.name!r}: accumulate={self.accumulate} makes parts of "
                f"{self.part_size} records, which is not a multiple of pack {self.pack}."
            )
        return self
