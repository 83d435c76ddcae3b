"""Path length regularisation of style-based generators.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020,
arXiv:1912.04958, section 3.2. Written from the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

State = dict[str, Tensor]


@dataclass(frozen=True)
class PathLength:
    """A step of fixed size in w changes the image by a fixed amount, whatever w and the direction.

    With J the derivative of the image by w and y an image of standard normal noise, the value is
    (|J'y| / sqrt(pixels) - a)^2, where a is the running mean of these lengths (eq. 4 of the paper).
    J'y is the gradient of the product of image and y, so J is never made. The first application
    only measures. It is taken on half of a batch, every few steps, with its weight scaled.

    Parameters
    ----------
    weight : float
        That of the paper is ln 2 / (ln r - ln 2) for images of r x r pixels: .26 at 28.
    every : int
        Steps between two applications.
    decay : float
        Weight of the past in the running mean, once that many lengths were seen.
    """

    weight: float = 0.25
    every: int = 8
    decay: float = 0.99
    side: ClassVar[str] = "path"
    needs: ClassVar[frozenset[str]] = frozenset({"styles"})
    conflicts: ClassVar[frozenset[str]] = frozenset()

    def start(self) -> State:
        """Return the state before the first step."""
        return {"length": torch.tensor(0.0), "seen": torch.tensor(0.0)}

    def __call__(
        self, styles: Tensor, images: Tensor, state: State, rng: torch.Generator
    ) -> tuple[Tensor, State]:
        """Return the penalty of each image, (batch,), and the moved mean.

        Parameters
        ----------
        styles : Tensor of shape (batch, width)
        images : Tensor of shape (batch, channels, height, width)
            Made from them.
        state : dict of Tensor
        rng : torch.Generator
        """
        lengths = path_lengths(styles, images, rng)
        seen, mean = (state[name].to(images.device) for name in ("seen", "length"))
        value = self.weight * self.every * (lengths - mean).square() * (seen > 0)
        pace = torch.clamp(1.0 / (seen + 1.0), min=1.0 - self.decay)
        moved = torch.lerp(mean, lengths.detach().mean(), pace)
        return value, {"length": moved, "seen": seen + 1.0}


def path_lengths(styles: Tensor, images: Tensor, rng: torch.Generator) -> Tensor:
    """Return |J'y| / sqrt(pixels) of each image, differentiable; y is drawn.

    Pixels are counted once, whatever the number of channels.
    """
    noise = torch.randn(images.shape, generator=rng, device=images.device)
    pixels = images.shape[2] * images.shape[3]
    product = (images * noise).sum() / pixels**0.5
    (gradient,) = torch.autograd.grad(product, styles, create_graph=True)
    return (gradient.square().sum(1) + 1e-12).sqrt()
