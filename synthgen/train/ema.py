"""Running average of a network's weights, which is what is sampled from."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of a module's parameters; buffers are copied.

    Parameters
    ----------
    module : torch.nn.Module
        The network that trains.
    decay : float
        Weight of the past per step, in [0, 1). Early steps use less, so that the average is not
        dominated by the initial weights.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.module = copy.deepcopy(module).requires_grad_(False).eval()

    def update(self, module: nn.Module, step: int) -> None:
        """Move the average towards `module` after step number `step` (from 0)."""
        decay = min(self.decay, (1.0 + step) / (10.0 + step))
        with torch.no_grad():
            averages: list[Tensor] = list(self.module.parameters())
            current: list[Tensor] = list(module.parameters())
            torch._foreach_lerp_(averages, current, 1.0 - decay)
            for average, value in zip(self.module.buffers(), module.buffers(), strict=True):
                average.copy_(value)
