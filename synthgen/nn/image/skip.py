"""A generator for few images: coarse grids gate fine ones (Liu et al., arXiv:2101.04775)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.layers import ConditionalNorm, upsample


class GatedUp(nn.Module):
    """Double the grid, convolve, add noise, normalise, gate.

    Parameters
    ----------
    channels, out, condition : int
    """

    def __init__(self, channels: int, out: int, condition: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 2 * out, 3, 1, 1, bias=False)
        self.noise = nn.Parameter(torch.zeros(()))
        self.norm = ConditionalNorm(2 * out, condition)

    def forward(self, h: Tensor, condition: Tensor | None, rng: torch.Generator | None) -> Tensor:
        """Return (n, out, 2 height, 2 width)."""
        h = self.conv(upsample(h))
        if rng is not None:
            drawn = torch.randn(len(h), 1, *h.shape[2:], generator=rng, device=h.device)
            h = h + self.noise * drawn
        out: Tensor = nn.functional.glu(self.norm(h, condition), dim=1)
        return out


class SkipExcitation(nn.Module):
    """Gates for the channels of a fine grid, from a coarse one.

    Parameters
    ----------
    channels, out : int
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.gates = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            nn.Conv2d(channels, out, 4, bias=False),
            nn.SiLU(),
            nn.Conv2d(out, out, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Return the fine features, gated."""
        out: Tensor = fine * self.gates(coarse)
        return out


class SkipGenerator(nn.Module):
    """Gated doublings with skip-layer excitation.

    Parameters
    ----------
    geometry : Geometry
    latent, width, condition : int
    by_norm : bool
    """

    def __init__(
        self, geometry: Geometry, *, latent: int, width: int, condition: int, by_norm: bool
    ) -> None:
        super().__init__()
        self.geometry, self.by_norm = geometry, by_norm
        inner = condition if by_norm else 0
        widths = geometry.widths(width)
        height, breadth = geometry.base
        self.first = nn.Linear(latent + condition - inner, 2 * widths[0] * height * breadth)
        self.norm = ConditionalNorm(2 * widths[0], inner)
        self.ups = nn.ModuleList(GatedUp(a, b, inner) for a, b in pairwise(widths))
        reach = min(2, geometry.halvings)
        self.reach = reach
        self.skips = nn.ModuleList(
            SkipExcitation(widths[k], widths[k + reach]) for k in range(len(widths) - reach)
        )
        self.last = nn.Conv2d(widths[-1], geometry.channels, 3, 1, 1)

    def forward(
        self, z: Tensor, condition: Tensor | None = None, rng: torch.Generator | None = None
    ) -> Tensor:
        """Return images (n, channels, height, width) in [-1, 1]."""
        if condition is not None and not self.by_norm:
            z = torch.cat([z, condition], dim=1)
        h = self.first(z).view(len(z), -1, *self.geometry.base)
        grids = [nn.functional.glu(self.norm(h, condition), dim=1)]
        for k, up in enumerate(self.ups):
            h = up(grids[-1], condition, rng)
            if k + 1 >= self.reach:
                source = k + 1 - self.reach
                h = self.skips[source](grids[source], h)
            grids.append(h)
        return self.geometry.crop(self.last(grids[-1])).tanh()


class Decoder(nn.Module):
    """Redraws a small version of the image from a critic's features.

    Parameters
    ----------
    features, channels : int
    """

    def __init__(self, features: int, channels: int) -> None:
        super().__init__()
        inner = max(features // 2, 8)
        self.ups = nn.ModuleList([GatedUp(features, inner, 0), GatedUp(inner, inner, 0)])
        self.last = nn.Conv2d(inner, channels, 3, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return images of four times the features' height and width."""
        h = features
        for up in self.ups:
            h = up(h, None, None)
        out: Tensor = self.last(h).tanh()
        return out
