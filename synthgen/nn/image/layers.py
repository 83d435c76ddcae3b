"""Layers that image networks share."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Trunk(nn.Module):
    """The part of a critic that turns images into a grid of `features` channels."""

    features: int


class ConditionalNorm(nn.Module):
    """Batch normalisation whose gain and bias depend on the condition (arXiv:1707.00683).

    Parameters
    ----------
    channels : int
    condition : int
        Length of the condition vector; 0 for plain batch normalisation.
    """

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=condition == 0)
        self.affine: nn.Linear | None = None
        if condition:
            self.affine = nn.Linear(condition, 2 * channels, bias=False)
            nn.init.normal_(self.affine.weight, std=0.02)
            self.start = nn.Parameter(torch.cat([torch.ones(channels), torch.zeros(channels)]))

    def forward(self, h: Tensor, condition: Tensor | None) -> Tensor:
        """Return normalised features (n, channels, height, width)."""
        h = self.norm(h)
        if self.affine is None:
            return h
        gain, bias = (self.start + self.affine(condition)).chunk(2, dim=1)
        return torch.addcmul(bias[:, :, None, None], h, gain[:, :, None, None])


class MinibatchStd(nn.Module):
    """Append how much images of a group differ (Karras et al., arXiv:1710.10196).

    Parameters
    ----------
    group : int
        Neighbouring images compared with each other; a batch that cannot be cut into groups gets
        zeros.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, channels + 1, height, width)."""
        n, _, height, width = h.shape
        if n % self.group:
            return torch.cat([h, torch.zeros_like(h[:, :1])], dim=1)
        groups = h.reshape(n // self.group, self.group, *h.shape[1:])
        spread = (groups.var(1, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
        plane = spread.repeat_interleave(self.group).view(n, 1, 1, 1)
        return torch.cat([h, plane.expand(n, 1, height, width)], dim=1)


class MinibatchDiscrimination(nn.Module):
    """Append how near each image is to the others of its group (arXiv:1606.03498).

    Parameters
    ----------
    features : int
        Length of the feature vectors.
    kernels, dimensions : int
        Number of comparisons, and length of what is compared.
    group : int
        Neighbouring images compared with each other.
    """

    def __init__(self, features: int, kernels: int = 16, dimensions: int = 8, group: int = 16):
        super().__init__()
        self.kernels, self.group = kernels, group
        self.project = nn.Linear(features, kernels * dimensions, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, features + kernels)."""
        n = len(h)
        group = self.group if n % self.group == 0 else 1
        m = self.project(h).view(n // group, group, self.kernels, -1)
        distance = (m[:, :, None] - m[:, None]).abs().sum(-1)  # (groups, group, group, kernels)
        near = torch.exp(-distance).sum(2).reshape(n, self.kernels) - 1.0
        return torch.cat([h, near], dim=1)


class SelfAttention(nn.Module):
    """Every place looks at every other one (SAGAN: Zhang et al., arXiv:1805.08318).

    Parameters
    ----------
    channels : int
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner, self.values = max(channels // 8, 4), max(channels // 2, 4)
        self.query = nn.Conv2d(channels, inner, 1, bias=False)
        self.key = nn.Conv2d(channels, inner, 1, bias=False)
        self.value = nn.Conv2d(channels, self.values, 1, bias=False)
        self.out = nn.Conv2d(self.values, channels, 1, bias=False)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, channels, height, width)."""
        coarse = nn.functional.max_pool2d(h, 2)
        query = self.query(h).flatten(2).transpose(1, 2)  # (n, places, inner)
        key = self.key(coarse).flatten(2)
        value = self.value(coarse).flatten(2).transpose(1, 2)
        weights = torch.softmax(query @ key, dim=2)
        seen = (weights @ value).transpose(1, 2).reshape(len(h), self.values, *h.shape[2:])
        return torch.addcmul(h, self.out(seen), self.gain)


class Features(nn.Module):
    """A learned constant grid, the start of generators whose noise enters by styles.

    Parameters
    ----------
    channels, height, width : int
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.grid = nn.Parameter(torch.randn(1, channels, height, width))

    def forward(self, n: int) -> Tensor:
        """Return the grid `n` times."""
        return self.grid.expand(n, -1, -1, -1)


def norm_of(kind: str, channels: int) -> nn.Module:
    """Return the normalisation of a critic: "none", "batch" or "layer"."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "layer":
        return nn.GroupNorm(1, channels)
    return nn.Identity()


def upsample(h: Tensor) -> Tensor:
    """Double height and width, repeating values."""
    return nn.functional.interpolate(h, scale_factor=2.0, mode="nearest")


def downsample(h: Tensor) -> Tensor:
    """Halve height and width, rounding up, by means of 2 x 2 places."""
    return nn.functional.avg_pool2d(h, 2, ceil_mode=True, count_include_pad=False)


def smoothly_upsample(h: Tensor) -> Tensor:
    """Double height and width by linear interpolation."""
    return nn.functional.interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False)


def normalise_spectra(module: nn.Module) -> None:
    """Divide the weights of convolutions and dense layers by their largest singular value.

    Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
    arXiv:1802.05957. Gains of conditional normalisation, which start near zero, stay as they are.
    """
    for child in module.children():
        if isinstance(child, ConditionalNorm):
            continue
        if isinstance(child, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            spectral_norm(child)
        else:
            normalise_spectra(child)


def initialise(module: nn.Module, kind: str) -> None:
    """Draw the weights of convolutions and dense layers anew.

    Parameters
    ----------
    module : torch.nn.Module
    kind : {"normal", "orthogonal", "xavier", "default"}
        N(0, .02) as in DCGAN; orthogonal as in BigGAN; uniform by Glorot as in SNGAN; torch's own.
    """
    for child in module.modules():
        if kind == "default" or not isinstance(child, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            continue
        draw: Any = {
            "normal": lambda w: nn.init.normal_(w, std=0.02),
            "orthogonal": nn.init.orthogonal_,
            "xavier": nn.init.xavier_uniform_,
        }[kind]
        draw(child.weight)
        if child.bias is not None:
            nn.init.zeros_(child.bias)


def gain_of_leaky(slope: float = 0.2) -> float:
    """Return the gain that keeps the variance through a leaky ReLU."""
    return math.sqrt(2.0 / (1.0 + slope**2))
