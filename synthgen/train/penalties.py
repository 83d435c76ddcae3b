"""Penalties of the critic beside the two that tables use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import torch
from torch import Tensor

from synthgen.train.gradients import squared_gradient
from synthgen.train.pixels import map_images, pixel_count

#: What a penalty on the gradient of single records cannot go with: in a critic with batch
#: normalisation the score of one record depends on all others.
NO_GRADIENTS: Final = frozenset({"weight_clipping", "batch_norm"})


@dataclass(frozen=True)
class R1:
    """Squared gradient norm of the critic at real records (Mescheder et al., arXiv:1801.04406).

    Parameters
    ----------
    gamma : float
        Weight; the value is gamma / 2 times the squared norm.
    every : int
        Steps between two applications; the weight is scaled accordingly.
    """

    gamma: float = 1.0
    every: int = 4
    side: ClassVar[str] = "critic"
    needs: ClassVar[frozenset[str]] = frozenset()
    conflicts: ClassVar[frozenset[str]] = NO_GRADIENTS

    def __call__(self, critic: Any, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        """Return the penalty of each record."""
        return 0.5 * self.gamma * self.every * squared_gradient(critic, real)


@dataclass(frozen=True)
class Dragan:
    """Push the gradient norm around real records to 1 (Kodali et al., arXiv:1705.07215).

    Parameters
    ----------
    weight : float
    spread : float
        Size of the neighbourhood, in standard deviations of the data.
    """

    weight: float = 10.0
    spread: float = 0.5
    every: int = 1
    side: ClassVar[str] = "critic"
    needs: ClassVar[frozenset[str]] = frozenset()
    # How far the data spread is taken from the batch.
    conflicts: ClassVar[frozenset[str]] = NO_GRADIENTS | {"accumulate"}

    def __call__(self, critic: Any, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        """Return the penalty of each record."""
        count = pixel_count(critic, real)
        noise = torch.zeros_like(real)
        drawn = torch.rand(len(real), count, generator=rng, device=real.device)
        noise[:, :count] = drawn * self.spread * real[:, :count].std()
        norm = (squared_gradient(critic, real + noise) + 1e-12).sqrt()
        return self.weight * (norm - 1.0) ** 2


@dataclass(frozen=True)
class LipschitzPenalty:
    """Push gradient norms above 1 between real and fake records back (WGAN-LP).

    Petzka, Fischer, Lukovnikov, "On the regularization of Wasserstein GANs", ICLR 2018,
    arXiv:1709.08894.
    """

    weight: float = 10.0
    every: int = 1
    side: ClassVar[str] = "critic"
    needs: ClassVar[frozenset[str]] = frozenset()
    conflicts: ClassVar[frozenset[str]] = NO_GRADIENTS

    def __call__(self, critic: Any, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        """Return the penalty of each record, or of each pack of records judged together."""
        pack = getattr(critic, "pack", 1)
        share = torch.rand(len(real) // pack, 1, generator=rng, device=real.device)
        share = share.repeat_interleave(pack, dim=0)
        squares = squared_gradient(critic, share * real + (1 - share) * fake)
        squares = squares.reshape(-1, pack).sum(1)
        return self.weight * ((squares + 1e-12).sqrt() - 1.0).relu() ** 2


@dataclass(frozen=True)
class Consistency:
    """Same score for a real image and a shifted copy (Zhang et al., arXiv:1910.12027).

    Parameters
    ----------
    weight : float
    shift : float
        Largest shift, as a share of the sides.
    """

    weight: float = 10.0
    shift: float = 0.1
    every: int = 1
    side: ClassVar[str] = "critic"
    needs: ClassVar[frozenset[str]] = frozenset({"images"})
    conflicts: ClassVar[frozenset[str]] = frozenset({"batch_norm"})

    def __call__(self, critic: Any, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        """Return the squared difference of scores of each record."""

        def moved(images: Tensor) -> Tensor:
            reach = [max(round(self.shift * side), 1) for side in images.shape[2:]]
            dy, dx = (
                int(torch.randint(-r, r + 1, (), generator=rng, device=images.device))
                for r in reach
            )
            return torch.roll(images, (dy, dx), dims=(2, 3))

        gap: Tensor = critic(real) - critic(map_images(critic, real, moved))
        return self.weight * gap**2


@dataclass(frozen=True)
class Reconstruction:
    """The critic's features must suffice to redraw a real image (Liu et al., arXiv:2101.04775)."""

    weight: float = 1.0
    every: int = 1
    side: ClassVar[str] = "critic"
    needs: ClassVar[frozenset[str]] = frozenset({"decoder"})
    conflicts: ClassVar[frozenset[str]] = frozenset()

    def __call__(self, critic: Any, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        """Return the mean absolute error of each record."""
        error: Tensor = critic.redraw_error(real)
        return self.weight * error
