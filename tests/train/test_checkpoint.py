"""A state that was on disk continues exactly, whatever layout the weights have in memory."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from synthgen.train.checkpoint import pack_state, unpack_state


def step(net: nn.Module, optimiser: torch.optim.Optimizer, seed: int) -> None:
    images = torch.randn(4, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(net(images).square().mean())
    optimiser.step()


def optimiser_of(net: nn.Module, name: str) -> torch.optim.Optimizer:
    if name == "rmsprop":
        return torch.optim.RMSprop(net.parameters(), lr=0.1)
    return torch.optim.Adam(net.parameters(), lr=0.1, fused=True)


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_a_resumed_step_equals_an_uninterrupted_one(layout: torch.memory_format, name: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        net: nn.Module = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Conv2d(5, 2, 3))
    net = net.to(memory_format=layout)  # type: ignore[call-overload]  # torch's stub
    optimiser = optimiser_of(net, name)
    step(net, optimiser, 1)
    packed = pack_state("net", net, optimiser)
    # What files hold has one layout only.
    stored = {k: torch.from_numpy(v.detach().numpy().copy("C")) for k, v in packed.items()}
    other = copy.deepcopy(net)
    again = optimiser_of(other, name)
    unpack_state("net", other, again, stored)
    for parameter in other.parameters():
        for value in again.state[parameter].values():
            assert value.ndim == 0 or value.stride() == parameter.stride()
    step(net, optimiser, 2)
    step(other, again, 2)
    for mine, theirs in zip(net.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)
