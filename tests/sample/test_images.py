from __future__ import annotations

import pytest
import torch
from scipy import stats
from torch import nn

from synthgen.sample.images import settle_norms, truncate


def test_truncated_numbers_are_those_of_a_truncated_normal() -> None:
    z = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    cut = truncate(z, 0.7)
    assert cut.abs().max() <= 0.7
    assert torch.equal(cut.argsort(), z.argsort())
    assert stats.kstest(cut.numpy(), stats.truncnorm(-0.7, 0.7).cdf).pvalue > 0.01
    torch.testing.assert_close(truncate(z, 50.0), z, atol=1e-3, rtol=1e-3)


def test_norms_take_the_statistics_of_the_batches() -> None:
    net = nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 1, 1)).eval()
    batches = [torch.full((2, 1, 2, 2), float(k)) for k in range(8)]
    settle_norms(net, lambda number: net(batches[number]))
    assert net[0].running_mean.item() == pytest.approx(3.5)
    assert not net[0].training
    assert net[0].momentum == 0.1
