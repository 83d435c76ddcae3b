"""Strided convolutions: the cheapest networks per image (after DCGAN, arXiv:1511.06434)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.layers import ConditionalNorm, Trunk, norm_of


class StridedGenerator(nn.Module):
    """A dense layer, transposed convolutions with conditional batch norm, one last convolution.

    Parameters
    ----------
    geometry : Geometry
    latent, width : int
        Length of z, and channels of the finest grid.
    condition : int
        Length of the condition vector.
    by_norm : bool
        Whether the condition enters by the normalisation too, not only beside z.
    """

    def __init__(
        self, geometry: Geometry, *, latent: int, width: int, condition: int, by_norm: bool
    ) -> None:
        super().__init__()
        self.geometry = geometry
        widths = geometry.widths(width)
        height, breadth = geometry.base
        inner = condition if by_norm else 0
        self.first = nn.Linear(latent + condition, widths[0] * height * breadth)
        self.norms = nn.ModuleList([ConditionalNorm(w, inner) for w in widths])
        self.convs = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False) for a, b in pairwise(widths)
        )
        self.last = nn.Conv2d(widths[-1], geometry.channels, 3, 1, 1)

    def forward(
        self, z: Tensor, condition: Tensor | None = None, rng: torch.Generator | None = None
    ) -> Tensor:
        """Return images (n, channels, height, width) in [-1, 1]."""
        if condition is not None:
            z = torch.cat([z, condition], dim=1)
        h = self.first(z).view(len(z), -1, *self.geometry.base)
        h = self.norms[0](h, condition).relu()
        for conv, norm in zip(self.convs, self.norms[1:], strict=True):
            h = norm(conv(h), condition).relu()
        return self.geometry.crop(self.last(h)).tanh()


class StridedTrunk(Trunk):
    """Features of images by strided convolutions.

    Parameters
    ----------
    geometry : Geometry
    channels : int
        Channels of the input: those of the images and of the condition's planes.
    width : int
        Channels of the finest features.
    norm : {"none", "batch", "layer"}
    stem : bool
        Whether a convolution at full size comes first. Without it the critic looks at every other
        place only, and the generator may draw patterns of two pixels unseen.
    """

    def __init__(
        self, geometry: Geometry, *, channels: int, width: int, norm: str, stem: bool = False
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if stem:
            inner = max(width // 2, 4)
            layers += [nn.Conv2d(channels, inner, 3, 1, 1), nn.LeakyReLU(0.2)]
            channels = inner
        widths = geometry.widths(width)[::-1]
        for k, out in enumerate(widths[:-1]):
            layers.append(nn.Conv2d(channels, out, 4, 2, 1))
            layers += [norm_of(norm if k else "none", out), nn.LeakyReLU(0.2)]
            channels = out
        last = widths[-1]
        layers += [nn.Conv2d(channels, last, 3, 1, 1), norm_of(norm, last), nn.LeakyReLU(0.2)]
        layers += [nn.Conv2d(last, last, 4, 2, 1), norm_of(norm, last), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.features = last

    def forward(self, images: Tensor) -> Tensor:
        """Return features (n, features, height, width)."""
        out: Tensor = self.layers(images)
        return out
