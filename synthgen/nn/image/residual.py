"""Residual networks with batch norm in the generator (SNGAN, SAGAN, BigGAN).

Miyato et al., arXiv:1802.05957; Zhang et al., arXiv:1805.08318; Brock et al., arXiv:1809.11096.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.layers import (
    ConditionalNorm,
    SelfAttention,
    Trunk,
    downsample,
    norm_of,
    upsample,
)


class UpBlock(nn.Module):
    """Residual block that doubles the grid.

    Parameters
    ----------
    channels, out, condition : int
    """

    def __init__(self, channels: int, out: int, condition: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(
            [ConditionalNorm(channels, condition), ConditionalNorm(out, condition)]
        )
        self.convs = nn.ModuleList(
            [nn.Conv2d(channels, out, 3, 1, 1), nn.Conv2d(out, out, 3, 1, 1)]
        )
        self.skip = nn.Conv2d(channels, out, 1)

    def forward(self, h: Tensor, condition: Tensor | None) -> Tensor:
        """Return (n, out, 2 height, 2 width)."""
        inner = self.convs[0](upsample(self.norms[0](h, condition).relu()))
        inner = self.convs[1](self.norms[1](inner, condition).relu())
        out: Tensor = inner + upsample(self.skip(h))
        return out


class DownBlock(nn.Module):
    """Residual block that may halve the grid.

    Parameters
    ----------
    channels, out : int
    halve, first : bool
        The first block does not start with an activation.
    norm : str
    """

    def __init__(self, channels: int, out: int, *, halve: bool, first: bool, norm: str) -> None:
        super().__init__()
        self.halve, self.first = halve, first
        self.norms = nn.ModuleList(
            [norm_of("none" if first else norm, channels), norm_of(norm, out)]
        )
        self.convs = nn.ModuleList(
            [nn.Conv2d(channels, out, 3, 1, 1), nn.Conv2d(out, out, 3, 1, 1)]
        )
        self.skip = nn.Conv2d(channels, out, 1) if halve or channels != out else nn.Identity()

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, out, height, width), halved if so wanted."""
        inner = h if self.first else self.norms[0](h).relu()
        inner = self.convs[1](self.norms[1](self.convs[0](inner)).relu())
        if self.halve:
            inner, h = downsample(inner), downsample(h)
        out: Tensor = inner + self.skip(h)
        return out


class ResidualGenerator(nn.Module):
    """Residual blocks from the coarsest grid to the image.

    Parameters
    ----------
    geometry : Geometry
    latent, width, condition : int
    by_norm, attention : bool
        Whether the condition enters by the normalisation, and whether there is self-attention.
    chunks : bool
        Whether z is cut up and each block gets its piece, with an embedding of the condition.
    """

    def __init__(
        self,
        geometry: Geometry,
        *,
        latent: int,
        width: int,
        condition: int,
        by_norm: bool,
        attention: bool,
        chunks: bool,
    ) -> None:
        super().__init__()
        self.geometry, self.by_norm = geometry, by_norm or chunks
        widths = geometry.widths(width)
        pieces = geometry.halvings + 1
        self.piece = latent // pieces if chunks else 0
        self.embedding = nn.Linear(condition, latent, bias=False) if chunks and condition else None
        inner = condition if by_norm else 0
        if chunks:
            inner = self.piece + (latent if condition else 0)
        appended = 0 if self.by_norm else condition
        height, breadth = geometry.base
        start = latent - (pieces - 1) * self.piece
        self.start = start
        self.first = nn.Linear(start + appended, widths[0] * height * breadth)
        self.blocks = nn.ModuleList(UpBlock(a, b, inner) for a, b in pairwise(widths))
        self.attention = SelfAttention(widths[-2]) if attention else None
        self.norm = ConditionalNorm(widths[-1], 0)
        self.last = nn.Conv2d(widths[-1], geometry.channels, 3, 1, 1)

    def forward(
        self, z: Tensor, condition: Tensor | None = None, rng: torch.Generator | None = None
    ) -> Tensor:
        """Return images (n, channels, height, width) in [-1, 1]."""
        start, rest = z[:, : self.start], z[:, self.start :]
        if condition is not None and not self.by_norm:
            start = torch.cat([start, condition], dim=1)
        shared = condition
        if self.embedding is not None and condition is not None:
            shared = self.embedding(condition)
        h = self.first(start).view(len(z), -1, *self.geometry.base)
        for k, block in enumerate(self.blocks):
            if self.attention is not None and k == len(self.blocks) - 1:
                h = self.attention(h)
            mine = shared
            if self.piece:
                mine = rest[:, k * self.piece : (k + 1) * self.piece]
                mine = mine if shared is None else torch.cat([mine, shared], dim=1)
            h = block(h, mine if self.by_norm else None)
        h = self.norm(h, None).relu()
        return self.geometry.crop(self.last(h)).tanh()


class ResidualTrunk(Trunk):
    """Residual blocks from the image to features.

    Parameters
    ----------
    geometry : Geometry
    channels, width : int
    norm : {"none", "batch", "layer"}
    attention : bool
    """

    def __init__(
        self, geometry: Geometry, *, channels: int, width: int, norm: str, attention: bool
    ) -> None:
        super().__init__()
        widths = geometry.widths(width)[::-1]
        blocks: list[nn.Module] = []
        for k, out in enumerate(widths):
            halve = k < geometry.halvings
            blocks.append(DownBlock(channels, out, halve=halve, first=k == 0, norm=norm))
            if k == 0 and attention:
                blocks.append(SelfAttention(out))
            channels = out
        self.blocks = nn.Sequential(*blocks, nn.ReLU())
        self.features = channels

    def forward(self, images: Tensor) -> Tensor:
        """Return features (n, features, height, width)."""
        out: Tensor = self.blocks(images)
        return out
