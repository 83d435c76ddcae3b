"""A network that turns features into a distribution of vectors, for inference."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.nn.blocks import NormedBlock

#: Trunk that reads the features, and coupling layers that bend the normal distribution.
_WIDTH: Final = 384
_BLOCKS: Final = 2
_LAYERS: Final = 6
_HIDDEN: Final = 128


class ConditionalFlow(nn.Module):
    """Features to a distribution of vectors: a normal one, bent by coupling layers.

    Parameters
    ----------
    features : int
        Length of the input.
    latent : int
        Length of the vectors.

    References
    ----------
    Dinh et al., "Density Estimation Using Real NVP", ICLR 2017, arXiv:1605.08803. Winkler et al.,
    "Learning Likelihoods with Conditional Normalizing Flows", 2019, arXiv:1912.00042.
    """

    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.latent = latent
        self.trunk = nn.Sequential(
            nn.Linear(features, _WIDTH),
            *(NormedBlock(_WIDTH) for _ in range(_BLOCKS)),
            nn.LayerNorm(_WIDTH),
        )
        self.base = nn.Linear(_WIDTH, 2 * latent)
        # Training starts at the standard normal distribution.
        nn.init.zeros_(self.base.weight)
        nn.init.zeros_(self.base.bias)
        layers = _LAYERS if latent > 1 else 0
        self.couplings = nn.ModuleList(_Coupling(latent, number) for number in range(layers))

    def _layers(self) -> list[_Coupling]:
        return [layer for layer in self.couplings if isinstance(layer, _Coupling)]

    def context(self, features: Tensor) -> list[Tensor]:
        """Return what is needed to draw and to tell densities, one row for each row."""
        h = self.trunk(features)  # (rows, width)
        mean, log_spread = self.base(h).chunk(2, dim=1)
        return [mean, log_spread.clamp(-5.0, 1.0), *(layer.look(h) for layer in self._layers())]

    def log_density(self, context: list[Tensor], z: Tensor) -> Tensor:
        """Return the log density, but for the constant of the normal distribution.

        Parameters
        ----------
        context : list of Tensor
            For vectors of shape (rows, k, latent) with an axis of length 1 in the second place.
        z : Tensor of shape (..., latent)

        Returns
        -------
        Tensor of shape (...)
        """
        mean, log_spread, *looks = context
        noise = (z - mean) / log_spread.exp()
        total = -log_spread.sum(-1)
        for layer, look in zip(self._layers(), looks, strict=True):
            noise, log_scale = layer.undo(noise, look)
            total = total - log_scale
        return total - 0.5 * (noise**2).sum(-1)

    def draw(self, context: list[Tensor], noise: Tensor) -> Tensor:
        """Turn standard normal numbers (..., latent) into latent vectors."""
        mean, log_spread, *looks = context
        for layer, look in zip(reversed(self._layers()), reversed(looks), strict=True):
            noise = layer.apply_to(noise, look)
        return mean + log_spread.exp() * noise


class _Coupling(nn.Module):
    """Moves and scales some coordinates by the others and by what is known."""

    order: Tensor
    back: Tensor

    def __init__(self, latent: int, number: int) -> None:
        super().__init__()
        self.kept = latent // 2
        self.look = nn.Linear(_WIDTH, _HIDDEN)
        self.read = nn.Linear(self.kept, _HIDDEN)
        self.middle = nn.Linear(_HIDDEN, _HIDDEN)
        self.out = nn.Linear(_HIDDEN, 2 * (latent - self.kept))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        # Halves that differ between layers, always the same ones.
        order = torch.as_tensor(np.random.default_rng(number).permutation(latent))
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("back", torch.argsort(order), persistent=False)

    def _coefficients(self, kept: Tensor, look: Tensor) -> tuple[Tensor, Tensor]:
        h = nn.functional.silu(self.read(kept) + look)
        log_scale, shift = self.out(nn.functional.silu(self.middle(h))).chunk(2, dim=-1)
        return 2.0 * torch.tanh(0.5 * log_scale), shift

    def apply_to(self, noise: Tensor, look: Tensor) -> Tensor:
        kept, moved = noise[..., : self.kept], noise[..., self.kept :]
        log_scale, shift = self._coefficients(kept, look)
        return torch.cat([kept, moved * log_scale.exp() + shift], dim=-1)[..., self.back]

    def undo(self, z: Tensor, look: Tensor) -> tuple[Tensor, Tensor]:
        """Reverse ``apply_to``; return the log of the factor by which it stretches volumes, too."""
        z = z[..., self.order]
        kept, moved = z[..., : self.kept], z[..., self.kept :]
        log_scale, shift = self._coefficients(kept, look)
        noise = torch.cat([kept, (moved - shift) * (-log_scale).exp()], dim=-1)
        return noise, log_scale.sum(-1)
