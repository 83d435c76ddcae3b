"""Networks that begin with the coarsest grid and double it during training.

Karras et al., "Progressive Growing of GANs for Improved Quality, Stability, and Variation", ICLR
2018, arXiv:1710.10196. Written from the paper. Images keep their full size throughout, so that
nothing else needs to know: a generator that has not grown yet repeats its pixels, and a critic
that has not looks at means of pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.layers import Trunk, downsample
from synthgen.nn.image.residual import DownBlock


@dataclass(frozen=True)
class Stage:
    """How far a network has grown.

    Parameters
    ----------
    level : int
        Doublings of the coarsest grid.
    fade : float
        Weight of the finest grid in (0, 1]; the rest is the one before.

    Examples
    --------
    >>> Stage.of(1.25)
    Stage(level=2, fade=0.25)
    >>> Stage.of(2.0)
    Stage(level=2, fade=1.0)
    """

    level: int
    fade: float

    @classmethod
    def of(cls, grown: float) -> Stage:
        """Return the stage of a number of doublings, of which the last may be in part."""
        level = math.ceil(grown)
        return cls(level, grown - level + 1.0)

    def coarsened(self, images: Tensor, doublings: int) -> Tensor:
        """Return images (n, channels, height, width) as a generator at this stage could draw them.

        Parameters
        ----------
        images : Tensor
        doublings : int
            Of the grown network.
        """
        fine = images
        for _ in range(doublings - self.level):
            fine = downsample(fine)
        if self.fade < 1.0:
            fine = torch.lerp(repeated(downsample(fine), 1, fine.shape), fine, self.fade)
        return repeated(fine, doublings - self.level, images.shape)


class GrowingTrunk(Trunk):
    """A residual trunk with an entry for images of each size.

    Parameters
    ----------
    geometry : Geometry
    channels, width : int
    """

    def __init__(self, geometry: Geometry, *, channels: int, width: int) -> None:
        super().__init__()
        widths = geometry.widths(width)[::-1]
        inputs = [widths[0], *widths[:-1]]
        self.entries = nn.ModuleList(nn.Conv2d(channels, w, 1) for w in inputs)
        self.blocks = nn.ModuleList(
            DownBlock(a, b, halve=k < geometry.halvings, first=False, norm="none")
            for k, (a, b) in enumerate(zip(inputs, widths, strict=True))
        )
        self.features = widths[-1]
        #: Doublings that the trunk has grown by; full-grown unless training says otherwise.
        self.register_buffer("grown", torch.tensor(float(geometry.halvings)))
        self.grown: Tensor

    def forward(self, images: Tensor) -> Tensor:
        """Return features (n, features, height, width)."""
        stage = Stage.of(float(self.grown))
        start = len(self.blocks) - 1 - stage.level
        for _ in range(start):
            images = downsample(images)
        h: Tensor = self.blocks[start](self.entries[start](images))
        if stage.fade < 1.0:
            h = torch.lerp(self.entries[start + 1](downsample(images)), h, stage.fade)
        for block in self.blocks[start + 1 :]:
            h = block(h)
        return h.relu()


def repeated(images: Tensor, doublings: int, shape: torch.Size | None = None) -> Tensor:
    """Return images whose pixels are repeated, cut off at the height and width of `shape`."""
    if doublings:
        factor = float(1 << doublings)
        images = nn.functional.interpolate(images, scale_factor=factor, mode="nearest")
    return images if shape is None else images[:, :, : shape[2], : shape[3]]
