from __future__ import annotations

import pytest
import torch

from synthgen.nn.blocks import NormedBlock, PlainBlock, low_precision


@pytest.mark.parametrize("block", [NormedBlock(6), PlainBlock(6)])
def test_blocks_add_to_their_input(block: torch.nn.Module) -> None:
    h = torch.ones(3, 6)
    with torch.no_grad():
        block.down.weight.zero_()
        block.down.bias.fill_(0.25)
        assert torch.equal(block(h), h + 0.25)


def test_a_plain_block_by_hand() -> None:
    """h + down(leaky(up(leaky(h)))) with up = 2, down = 3, both leaks 0.2."""
    block = PlainBlock(1)
    with torch.no_grad():
        for layer, weight in ((block.up, 2.0), (block.down, 3.0)):
            layer.weight.fill_(weight)
            layer.bias.zero_()
        out = block(torch.tensor([[1.0], [-1.0]]))
    assert out.flatten().tolist() == pytest.approx([1 + 6, -1 + 3 * 0.2 * (2 * -0.2)])


def test_low_precision_is_a_context_for_products() -> None:
    layer = torch.nn.Linear(4, 4)
    for enabled, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        with low_precision(torch.device("cpu"), enabled):
            assert layer(torch.ones(2, 4)).dtype == dtype
