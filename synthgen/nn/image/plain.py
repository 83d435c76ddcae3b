"""Residual networks without any normalisation, for relativistic games with R1 and R2.

After the description in Huang et al., arXiv:2501.05441: bottlenecks of grouped convolutions,
residual branches that start at zero, a learned first grid modulated by z.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.layers import Features, Trunk, downsample, gain_of_leaky, smoothly_upsample


class Bottleneck(nn.Module):
    """1x1, grouped 3x3 and 1x1 convolutions with leaky rectifiers between, as a residual.

    Parameters
    ----------
    width, group, depth : int
        Channels, channels per group, and number of such blocks in the network, by which the first
        weights are scaled so that the sum of all branches stays bounded.
    """

    def __init__(self, width: int, *, group: int, depth: int) -> None:
        super().__init__()
        inner = 2 * width
        groups = next(g for g in range(max(inner // group, 1), 0, -1) if inner % g == 0)
        self.reduce = nn.Conv2d(width, inner, 1)
        self.middle = nn.Conv2d(inner, inner, 3, 1, 1, groups=groups)
        self.expand = nn.Conv2d(inner, width, 1, bias=False)
        for conv in (self.reduce, self.middle):
            nn.init.kaiming_normal_(conv.weight, a=0.2)
            with torch.no_grad():
                conv.weight.mul_(depth**-0.25)
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)
        nn.init.zeros_(self.expand.weight)

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, width, height, width)."""
        inner = nn.functional.leaky_relu(self.reduce(h), 0.2)
        inner = nn.functional.leaky_relu(self.middle(inner), 0.2)
        out: Tensor = h + self.expand(inner)
        return out


class PlainGenerator(nn.Module):
    """Bottlenecks from a learned grid to the image.

    Parameters
    ----------
    geometry : Geometry
    latent, width, condition : int
    """

    def __init__(self, geometry: Geometry, *, latent: int, width: int, condition: int) -> None:
        super().__init__()
        self.geometry = geometry
        widths = geometry.widths(width, most=4)
        self.grid = Features(widths[0], *geometry.base)
        self.style = nn.Linear(latent + condition, widths[0], bias=False)
        nn.init.normal_(self.style.weight, std=gain_of_leaky() / (latent + condition) ** 0.5)
        self.blocks = nn.ModuleList(Bottleneck(w, group=16, depth=2 * len(widths)) for w in widths)
        self.narrow = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in pairwise(widths))
        self.last = nn.Conv2d(widths[-1], geometry.channels, 1)

    def forward(
        self, z: Tensor, condition: Tensor | None = None, rng: torch.Generator | None = None
    ) -> Tensor:
        """Return images (n, channels, height, width) in [-1, 1]."""
        if condition is not None:
            z = torch.cat([z, condition], dim=1)
        h = self.grid(len(z)) * self.style(z)[:, :, None, None]
        h = self.blocks[0](h)
        for narrow, block in zip(self.narrow, self.blocks[1:], strict=True):
            h = block(smoothly_upsample(narrow(h)))
        return self.geometry.crop(self.last(h)).tanh()


class PlainTrunk(Trunk):
    """Bottlenecks from the image to features, the mirror of the generator.

    Parameters
    ----------
    geometry : Geometry
    channels, width : int
    """

    def __init__(self, geometry: Geometry, *, channels: int, width: int) -> None:
        super().__init__()
        widths = geometry.widths(width, most=4)[::-1]
        self.first = nn.Conv2d(channels, widths[0], 1)
        self.blocks = nn.ModuleList(Bottleneck(w, group=16, depth=2 * len(widths)) for w in widths)
        self.widen = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in pairwise(widths))
        self.features = widths[-1]

    def forward(self, images: Tensor) -> Tensor:
        """Return features (n, features, height, width)."""
        h = self.first(images)
        for block, widen in zip(self.blocks, self.widen, strict=False):
            h = widen(downsample(block(h)))
        h = self.blocks[-1](h)
        return nn.functional.leaky_relu(h, 0.2)
