from __future__ import annotations

import numpy as np
import torch

from synthgen import GANSynthesizer
from synthgen.encode.layout import REST
from synthgen.nn.cells import RowDistribution
from synthgen.sample.draw import RowSource, draw_rows
from synthgen.train.conditioning import Conditioning
from tests.nn.layouts import small_layout
from tests.train.tasks import task_of


def test_draws_follow_the_distribution_of_their_row() -> None:
    network = task_of().generator
    n = 20_000
    logits = torch.tensor([[1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 3.0]]).expand(n, -1)
    mean, spread = torch.tensor([[-0.5, -1.0]]).expand(n, -1), torch.tensor([[0.1, 2.0]])
    row = RowDistribution(logits.contiguous(), mean, spread.expand(n, -1))
    table = draw_rows(network, row, torch.Generator().manual_seed(0))
    shares = np.bincount(table.codes[:, 0], minlength=3) / n
    np.testing.assert_allclose(shares, torch.tensor([1.0, 0.0, -1.0]).softmax(0), atol=0.015)
    gated = table.codes[:, 0] != REST
    assert (table.values[gated, 0] == 0).all()
    assert abs(table.values[~gated, 0].mean() + 0.5) < 0.01
    assert abs(table.values[:, 1].std() - 2.0) < 0.05


def test_fewer_rows_than_a_pass_are_the_same_draw_each_time(gan: GANSynthesizer) -> None:
    source = gan.sampler_.source
    first, second, other = (
        source.draw(1_500, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert len(first) == 1_500
    np.testing.assert_array_equal(first.codes, second.codes)
    np.testing.assert_array_equal(first.values, second.values)
    assert not np.array_equal(first.codes, other.codes)


def test_conditions_of_a_conditional_recipe_are_part_of_the_latent_vector() -> None:
    network = task_of().generator
    source = RowSource(network, Conditioning(small_layout(), [0, 1]))
    z = source.latent(5_000, torch.Generator().manual_seed(0))
    assert z.shape == (5_000, network.latent + 7)
    assert (z[:, network.latent :].sum(1) == 1).all()
    shares = z[:, network.latent :].mean(0) * 2
    torch.testing.assert_close(
        shares, torch.tensor([0.7, 0.2, 0.1, 0.4, 0.3, 0.2, 0.1]), rtol=0, atol=0.05
    )
