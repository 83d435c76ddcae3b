"""What the trainer needs to know about images: batches of real ones, and generated ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.nn.blocks import low_precision
from synthgen.nn.image.build import build_image_critic, build_image_generator
from synthgen.nn.image.critic import ImageCritic
from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.growing import Stage
from synthgen.train.growth import grown_by
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.table import Fake
from synthgen.train.terms import Generated


class ImageTask:
    """Real and generated batches of one set of images.

    A record is one row: the pixels, then labels (one-hot for each attribute), then codes.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (n, channels, height, width)
        In [-1, 1].
    codes : numpy.ndarray of int64, shape (n, attributes), or None
        Labels as places; ignored by recipes without conditions.
    label_sizes : tuple of int
        Number of values of each attribute.
    recipe : ImageRecipe
    device : torch.device
    bfloat16 : bool
        Whether convolutions run in that precision.
    """

    #: Asks the game to keep figures of each step.
    keeps_figures = True

    def __init__(
        self,
        images: np.ndarray,
        codes: np.ndarray | None,
        label_sizes: tuple[int, ...],
        recipe: ImageRecipe,
        *,
        device: torch.device,
        bfloat16: bool = False,
    ) -> None:
        self.recipe, self.device, self.bfloat16 = recipe, device, bfloat16
        self.n_rows = len(images)
        self.geometry = Geometry(*(int(k) for k in images.shape[1:]))
        self._pixels = torch.as_tensor(images.reshape(-1, self.geometry.n_pixels)).to(device)
        self.label_sizes = label_sizes if codes is not None and uses_labels(recipe) else ()
        self._labels: Tensor | None = None
        if codes is not None and self.label_sizes:
            self._labels = one_hot(torch.as_tensor(codes), self.label_sizes).to(device)
        self._chances: np.ndarray | None = None
        if self._labels is not None and codes is not None and recipe.balance:
            self._chances = np.cumsum(balanced_shares(codes, recipe.balance))
        self.generator: Any = generator_of(recipe, self.geometry, self.label_sizes).to(device)
        self.critic: ImageCritic = critic_of(
            recipe, self.geometry, self.label_sizes, bfloat16=bfloat16
        ).to(device)
        self.targets: dict[str, Tensor] = {}
        if recipe.grow_until:
            for network in self._growing():
                network.grown.zero_()

    def conditions(
        self, rows: np.ndarray, rng: np.random.Generator
    ) -> tuple[Tensor | None, Tensor]:
        """Return condition vectors for a batch, and its rows.

        Fake images get the labels of the batch's real ones, so that labels are as frequent on both
        sides; codes are drawn. With ``balance`` the rows are drawn anew, rare labels more often.
        """
        if self._chances is not None:
            drawn = np.searchsorted(self._chances, rng.random(len(rows)) * self._chances[-1])
            rows = np.minimum(drawn, self.n_rows - 1)
        places = torch.as_tensor(rows, device=self.device)
        parts: list[Tensor] = []
        if self._labels is not None:
            parts.append(self._labels[places])
        if sum(self.recipe.codes):
            parts.append(draw_codes(len(rows), self.recipe.codes, rng).to(self.device))
        return (torch.cat(parts, dim=1) if parts else None), places

    def real(self, rows: Tensor, draw: Tensor | None) -> Tensor:
        """Return real records, (batch, pixels + condition)."""
        pixels = self.pixels(rows)
        if self.grows:
            images = pixels.reshape(-1, *self.critic.shape)
            stage = Stage.of(float(self.generator.grown))
            pixels = stage.coarsened(images, self.geometry.halvings).flatten(1)
        return _with_condition(pixels, draw)

    def pixels(self, rows: Tensor) -> Tensor:
        """Return the pixels of real images, (batch, pixels)."""
        return self._pixels[rows]

    def fake(
        self, n: int, draw: Tensor | None, rng: torch.Generator, *, adversarial: bool = True
    ) -> Fake:
        """Generate `n` records with the condition vectors `draw`."""
        z = torch.randn(n, self.recipe.latent, generator=rng, device=self.device)
        with low_precision(self.device, self.bfloat16):
            images = self.generator(z, draw, rng)
        return Fake(_with_condition(images.float().flatten(1), draw), Generated())

    def styled(self, n: int, draw: Tensor | None, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return `n` styles and the images that they make, with the first conditions of `draw`."""
        z = torch.randn(n, self.recipe.latent, generator=rng, device=self.device)
        styles = self.generator.map(z, None if draw is None else draw[:n])
        each = styles[:, None].expand(-1, self.generator.n_layers, -1)
        return styles, self.generator.synthesise(each, rng)

    @property
    def grows(self) -> bool:
        """Whether the networks are not as large yet as they will be."""
        if not self.recipe.grow_until:
            return False
        return float(self.generator.grown) < self.geometry.halvings

    def grow(self, share: float) -> None:
        """Let the networks grow to the size of this share of training; they never shrink."""
        if self.grows:
            grown = grown_by(share, self.recipe.grow_until, self.geometry.halvings)
            for network in self._growing():
                network.grown.clamp_(min=grown)

    def _growing(self) -> tuple[Any, Any]:
        return self.generator, self.critic.trunk


def uses_labels(recipe: ImageRecipe) -> bool:
    """Return whether a recipe makes use of labels if there are any."""
    return recipe.condition != "none" or recipe.needs_labels


def generator_of(
    recipe: ImageRecipe, geometry: Geometry, label_sizes: tuple[int, ...]
) -> nn.Module:
    """Return the untrained generator of a recipe."""
    return build_image_generator(
        recipe.architecture,
        geometry,
        latent=recipe.latent,
        width=recipe.width,
        condition=sum(label_sizes) + sum(recipe.codes),
        by_norm=recipe.takes_by_norm,
        attention=recipe.attention,
        chunks=recipe.chunks,
        weights=recipe.weights,
        spectral=recipe.spectral == "both",
        growing=recipe.grow_until > 0,
    )


def critic_of(
    recipe: ImageRecipe,
    geometry: Geometry,
    label_sizes: tuple[int, ...],
    *,
    bfloat16: bool = False,
) -> ImageCritic:
    """Return the untrained critic of a recipe."""
    return build_image_critic(
        recipe.architecture,
        geometry,
        width=recipe.critic_width,
        norm=recipe.critic_norm,
        attention=recipe.attention,
        stem=recipe.stem,
        weights=recipe.weights,
        spectral=recipe.spectral != "none",
        growing=recipe.grow_until > 0,
        label_sizes=label_sizes,
        conditioning=recipe.condition,
        codes=recipe.codes,
        class_head="auxiliary_classes" in recipe.term_names,
        decoder="reconstruction" in recipe.term_names,
        minibatch_std=recipe.minibatch_std,
        minibatch_discrimination=recipe.minibatch_discrimination,
        bfloat16=bfloat16,
    )


def one_hot(codes: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Return the condition vector of labels, (n, sum of sizes)."""
    columns = [nn.functional.one_hot(codes[:, k], size).float() for k, size in enumerate(sizes)]
    return torch.cat(columns, dim=1)


def balanced_shares(codes: np.ndarray, balance: float) -> np.ndarray:
    """Return how often each row is to be seen, by how frequent its labels are, (n,), sum 1.

    >>> balanced_shares(np.array([[0], [0], [0], [1]]), 1.0).round(2).tolist()
    [0.17, 0.17, 0.17, 0.5]
    """
    _, kinds, counts = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    shares = counts[kinds.ravel()] ** -float(balance)
    return np.asarray(shares / shares.sum())


def draw_codes(n: int, codes: tuple[int, int], rng: np.random.Generator) -> Tensor:
    """Return codes drawn at random: a categorical one (one-hot) and uniform ones on [-1, 1]."""
    categories, continuous = codes
    parts: list[Any] = []
    if categories:
        parts.append(np.eye(categories, dtype=np.float32)[rng.integers(categories, size=n)])
    parts.append(rng.uniform(-1.0, 1.0, (n, continuous)).astype(np.float32))
    return torch.as_tensor(np.concatenate(parts, axis=1))


def _with_condition(pixels: Tensor, draw: Tensor | None) -> Tensor:
    return pixels if draw is None else torch.cat([pixels, draw], dim=1)
