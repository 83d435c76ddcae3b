"""Residual blocks shared by generators and critics of vectors."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn


class NormedBlock(nn.Module):
    """Residual block with layer normalisation, for generators.

    Parameters
    ----------
    width : int
        Features in and out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, width)
        self.down = nn.Linear(width, width)

    def forward(self, h: Tensor) -> Tensor:  # h: (batch, width)
        """Return the block's output, (batch, width)."""
        inner: Tensor = self.down(nn.functional.silu(self.up(self.norm(h))))
        return h + inner


class PlainBlock(nn.Module):
    """Residual block without normalisation, for critics.

    The gradient penalties of a critic need each record's output to depend on that record alone.

    Parameters
    ----------
    width : int
        Features in and out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, width)
        self.down = nn.Linear(width, width)

    def forward(self, h: Tensor) -> Tensor:  # h: (batch, width)
        """Return the block's output, (batch, width)."""
        hidden = nn.functional.leaky_relu(self.up(nn.functional.leaky_relu(h, 0.2)), 0.2)
        inner: Tensor = self.down(hidden)
        return h + inner


def low_precision(device: torch.device, enabled: bool) -> AbstractContextManager[object]:
    """Return the context in which matrix products run in bfloat16 if `enabled`."""
    if device.type == "meta":  # shapes only; it knows no autocast
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)
