"""A recipe for images: the common game and schedule, with networks of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.errors import RecipeError
from synthgen.train.base_recipe import BaseRecipe

ARCHITECTURES: Final = ("dense", "strided", "residual", "style", "style2", "plain", "skip")
#: Architectures whose generators take the condition by their normalisation if asked to.
_BY_NORM: Final = ("strided", "residual", "skip")


@dataclass(frozen=True)
class ImageRecipe(BaseRecipe):
    """Networks, game, terms and schedule of one GAN for images.

    The other parameters are those of :class:`~synthgen.train.base_recipe.BaseRecipe`.

    Parameters
    ----------
    architecture : str
        "dense"; "strided" convolutions; "residual" (SNGAN); "style" (AdaIN); "style2" (modulated
        convolutions); "plain" (residual without norms); or "skip" (FastGAN).
    latent, width, critic_width : int
        Length of z, and channels of the finest grids.
    condition : {"none", "concat", "embedding", "projection"}
        How the critic gets labels, if there are any; the generator takes them by its normalisation
        or, if it has none or `by_norm` is false, beside z. With "none" both go without.
    by_norm : bool
    needs_labels : bool
        Whether the recipe makes no sense without labels.
    critic_norm : {"none", "batch", "layer"}
    spectral : {"none", "critic", "both"}
        Whose weights are divided by their largest singular value.
    attention, chunks : bool
        Self-attention; and z cut up among the generator's blocks (residual networks only).
    stem : bool
        Whether the critic begins with a convolution at full size, which sees patterns of two pixels
        (strided and skip networks only).
    minibatch_std, minibatch_discrimination : bool
        Whether the critic compares images of a batch.
    weights : {"default", "normal", "orthogonal", "xavier"}
        How weights are drawn.
    grow_until : float
        Share of training, in [0, 1), by which style-based networks have grown from the coarsest
        grid to full size; 0 for full size from the start.
    solver : {"adam", "rmsprop"}
    balance : float
        In [0, 1]: labels are seen in training as often as their share to the power of 1 - balance
        has it. 0 as they come, 1 all alike, which gives rare classes more of both networks.

    Examples
    --------
    >>> ImageRecipe(name="mine", objective="hinge", spectral="critic").check().architecture
    'strided'
    """

    architecture: str = "strided"
    latent: int = 64
    width: int = 32
    critic_width: int = 32
    condition: str = "projection"
    by_norm: bool = True
    needs_labels: bool = False
    critic_norm: str = "none"
    spectral: str = "none"
    attention: bool = False
    chunks: bool = False
    stem: bool = False
    minibatch_std: bool = False
    minibatch_discrimination: bool = False
    weights: str = "default"
    grow_until: float = 0.0
    solver: str = "adam"
    balance: float = 0.0

    @property
    def optimiser(self) -> str:
        """Which optimiser both players use."""
        return self.solver

    @property
    def codes(self) -> tuple[int, int]:
        """Values of the categorical code, and number of continuous codes, of InfoGAN."""
        for spec in self.terms:
            if spec.name == "mutual_information":
                term = spec.build()
                return int(term.categories), int(term.continuous)
        return 0, 0

    @property
    def term_names(self) -> set[str]:
        """Names of the terms."""
        return {spec.name for spec in self.terms}

    def offers(self) -> set[str]:
        """Return what terms may need or refuse to go with."""
        offered = super().offers() | {"images", "decoder"}
        if self.condition != "none" or self.needs_labels:
            offered.add("class_head")
        if self.architecture in ("style", "style2"):
            offered.add("styles")
        if self.critic_norm == "batch":
            offered.add("batch_norm")
        if self.spectral != "none":
            offered.add("spectral_norm")
        return offered

    def check(self) -> Self:
        """Check that the parts exist and go together.

        Returns
        -------
        ImageRecipe
            This one.

        Raises
        ------
        RecipeError
            Naming the part that does not fit, and why.
        """
        check_choice("architecture", self.architecture, ARCHITECTURES)
        check_choice("condition", self.condition, ("none", "concat", "embedding", "projection"))
        check_choice("critic_norm", self.critic_norm, ("none", "batch", "layer"))
        check_choice("spectral", self.spectral, ("none", "critic", "both"))
        check_choice("weights", self.weights, ("default", "normal", "orthogonal", "xavier"))
        check_choice("solver", self.solver, ("adam", "rmsprop"))
        for name in ("latent", "width", "critic_width"):
            check_integer(name, getattr(self, name), minimum=1)
        for name in ("attention", "chunks", "stem", "by_norm", "needs_labels"):
            check_choice(name, getattr(self, name), (True, False))
        check_real("grow_until", self.grow_until, low=0.0, high=1.0, closed="low")
        check_real("balance", self.balance, low=0.0, high=1.0)
        super().check()
        self._check_networks()
        self._check_batches()
        return self

    def _check_networks(self) -> None:
        def fail(reason: str) -> RecipeError:
            return RecipeError(f"Recipe {self.name!r}: {reason}")

        if (self.attention or self.chunks) and self.architecture != "residual":
            raise fail(f"{self.architecture!r} networks have neither attention nor chunks of z.")
        if self.stem and self.architecture not in ("strided", "skip"):
            raise fail(
                f"only strided critics have a stem, those of {self.architecture!r} networks none."
            )
        if self.critic_norm != "none" and self.architecture not in ("strided", "residual", "skip"):
            raise fail(f"the critic of {self.architecture!r} networks has no normalisation.")
        if self.spectral == "both" and self.architecture not in ("strided", "residual", "skip"):
            raise fail("'spectral' for the generator needs one with batch normalisation.")
        if self.architecture == "plain" and self.spectral != "none":
            raise fail("'plain' networks start with weights of zero, which have no spectral norm.")
        if self.critic_norm == "batch" and self.spectral != "none":
            raise fail("batch norm and spectral norm in the critic undo each other.")
        if self.chunks and self.latent < 16:
            raise fail("chunks need a latent of at least 16.")
        if self.grow_until and self.architecture not in ("style", "style2"):
            raise fail(
                f"grow_until needs 'style' or 'style2' networks; {self.architecture!r} networks "
                "have their full size from the start."
            )

    def _check_batches(self) -> None:
        def fail(reason: str) -> RecipeError:
            return RecipeError(f"Recipe {self.name!r}: {reason}")

        compares = self.minibatch_std or self.minibatch_discrimination
        if compares and self.batch_size % 16:
            raise fail("comparing images of a batch needs a batch_size that 16 divides.")
        if compares and self.part_size % 16:
            name = "minibatch_std" if self.minibatch_std else "minibatch_discrimination"
            raise fail(
                f"{name!r} compares images in groups, which accumulate={self.accumulate} would "
                f"cut up: 16 must divide the {self.part_size} images of a part."
            )
        if self.critic_norm == "batch" and self.accumulate > 1:
            raise fail(
                "critic_norm='batch' and accumulate > 1 cannot be combined: the critic would "
                "compare an image with its part of the batch only. Use critic_norm='layer'."
            )

    @property
    def takes_by_norm(self) -> bool:
        """Whether the generator takes the condition by its normalisation."""
        return self.by_norm and self.architecture in _BY_NORM
