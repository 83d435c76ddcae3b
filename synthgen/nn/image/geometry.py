"""How often a network halves an image: depth from size, for any height and width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import Tensor

#: Shortest side of the coarsest grid.
_COARSEST: Final = 4


@dataclass(frozen=True)
class Geometry:
    """Size of the images and of the grids that networks work on.

    Parameters
    ----------
    channels, height, width : int
        Of the images.

    Examples
    --------
    >>> g = Geometry(1, 28, 28)
    >>> g.halvings, g.base
    (2, (7, 7))
    >>> Geometry(3, 30, 64).base
    (8, 16)
    """

    channels: int
    height: int
    width: int

    @property
    def halvings(self) -> int:
        """How often both sides can be halved until the shorter one has four pixels."""
        count = 0
        while min(self.height, self.width) >> (count + 1) >= _COARSEST:
            count += 1
        return count

    @property
    def base(self) -> tuple[int, int]:
        """Height and width of the coarsest grid; doubled back it covers the image."""
        factor = 1 << self.halvings
        return -(-self.height // factor), -(-self.width // factor)

    @property
    def n_pixels(self) -> int:
        """Numbers per image."""
        return self.channels * self.height * self.width

    def grid(self, level: int) -> tuple[int, int]:
        """Return the size of the grid after `level` doublings of the coarsest one."""
        height, width = self.base
        return height << level, width << level

    def crop(self, images: Tensor) -> Tensor:
        """Cut the middle of the image's size out of a grid that is at least as large."""
        top = (images.shape[2] - self.height) // 2
        left = (images.shape[3] - self.width) // 2
        return images[:, :, top : top + self.height, left : left + self.width]

    def widths(self, width: int, most: int = 8) -> list[int]:
        """Return the channels from the coarsest grid to the finest: halved with each doubling."""
        return [width * min(1 << (self.halvings - k), most) for k in range(self.halvings + 1)]
