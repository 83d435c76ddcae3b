"""Fully connected networks, as in the first GAN (arXiv:1406.2661)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.layers import Trunk


class DenseGenerator(nn.Module):
    """Two hidden layers.

    Parameters
    ----------
    geometry : Geometry
    latent, width, condition : int
    """

    def __init__(self, geometry: Geometry, *, latent: int, width: int, condition: int) -> None:
        super().__init__()
        self.geometry = geometry
        self.layers = nn.Sequential(
            nn.Linear(latent + condition, 4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, 8 * width),
            nn.ReLU(),
            nn.Linear(8 * width, geometry.n_pixels),
        )

    def forward(
        self, z: Tensor, condition: Tensor | None = None, rng: torch.Generator | None = None
    ) -> Tensor:
        """Return images (n, channels, height, width) in [-1, 1]."""
        if condition is not None:
            z = torch.cat([z, condition], dim=1)
        g = self.geometry
        images: Tensor = self.layers(z).view(-1, g.channels, g.height, g.width).tanh()
        return images


class DenseTrunk(Trunk):
    """Two hidden layers.

    Parameters
    ----------
    geometry : Geometry
    channels, width : int
    """

    def __init__(self, geometry: Geometry, *, channels: int, width: int) -> None:
        super().__init__()
        self.features = 4 * width
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * geometry.height * geometry.width, 8 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(8 * width, 4 * width),
            nn.LeakyReLU(0.2),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return features (n, features, 1, 1)."""
        h: Tensor = self.layers(images)
        return h[:, :, None, None]
