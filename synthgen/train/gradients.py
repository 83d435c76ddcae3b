"""Gradients of a critic with respect to its records."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def squared_gradient(critic: nn.Module, records: Tensor) -> Tensor:
    """Return the squared norm of the critic's gradient at each record, differentiable."""
    records = records.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(records).sum(), records, create_graph=True)
    return gradient.square().sum(1)
