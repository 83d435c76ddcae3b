from __future__ import annotations

import pytest
import torch
from torch import nn

from synthgen.train.ema import WeightAverage


def set_to(module: nn.Linear, value: float) -> nn.Linear:
    with torch.no_grad():
        module.weight.fill_(value)
        module.bias.fill_(value)
    return module


def test_the_average_starts_at_the_weights_and_moves_by_one_minus_decay() -> None:
    module = set_to(nn.Linear(2, 1), 1.0)
    average = WeightAverage(module, 0.9)
    set_to(module, 2.0)
    assert average.module.weight[0, 0].item() == 1.0
    average.update(module, 1_000)
    assert average.module.weight[0].tolist() == pytest.approx([1.1, 1.1])
    assert average.module.bias.item() == pytest.approx(1.1)


def test_early_steps_forget_faster() -> None:
    module = set_to(nn.Linear(2, 1), 0.0)
    average = WeightAverage(module, 0.9)
    average.update(set_to(module, 1.0), 0)
    assert average.module.weight[0, 0].item() == pytest.approx(0.9)


def test_the_average_takes_no_gradient_and_copies_buffers() -> None:
    module = nn.BatchNorm1d(3)
    average = WeightAverage(module, 0.9)
    module(torch.randn(8, 3, generator=torch.Generator().manual_seed(0)))
    average.update(module, 0)
    assert torch.equal(average.module.running_mean, module.running_mean)
    assert not any(p.requires_grad for p in average.module.parameters())
    assert not average.module.training
