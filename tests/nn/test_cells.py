from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, norm

from synthgen.encode.layout import Layout, StateBlock
from synthgen.nn.cells import Cells
from tests.nn.layouts import EDGES, WIDE, small_layout

BLOCKS = (slice(0, 3), slice(3, 7))


@pytest.fixture
def cells() -> Cells:
    return Cells(small_layout())


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def by_block(logits: torch.Tensor) -> torch.Tensor:
    return torch.cat([logits[:, block].softmax(1) for block in BLOCKS], dim=1)


def test_the_softmax_is_one_per_block(cells: Cells) -> None:
    logits = 3 * numbers(5, 7)
    torch.testing.assert_close(cells.softmax(logits), by_block(logits))


def test_the_softmax_of_extreme_logits_stays_finite_and_positive(cells: Cells) -> None:
    probabilities = cells.softmax(torch.tensor([[500.0, 0.0, -500.0, 1e4, 0.0, 0.0, 0.0]]))
    assert torch.isfinite(probabilities).all()
    assert (probabilities > 0).all()
    assert probabilities[0, [0, 3]].tolist() == pytest.approx([1.0, 1.0])


def test_gradients_of_the_softmax(cells: Cells) -> None:
    cells = cells.double()
    logits = numbers(4, 7).double().requires_grad_()
    assert torch.autograd.gradcheck(cells.softmax, (logits,))


def test_draws_follow_the_probabilities(cells: Cells) -> None:
    probabilities = cells.softmax(numbers(1, 7, seed=3))
    uniforms = torch.rand(20_000, 2, generator=torch.Generator().manual_seed(1))
    states = cells.draw(probabilities.expand(20_000, -1).contiguous(), uniforms)
    counts = torch.bincount(states.flatten(), minlength=7).numpy()
    for block in BLOCKS:
        expected = probabilities[0, block].double().numpy()
        expected = expected / expected.sum() * 20_000
        assert counts[block].sum() == 20_000
        assert chisquare(counts[block], expected).pvalue > 1e-3


@pytest.mark.parametrize("uniform", [0.0, 0.25, 0.999999, 1 - 2.0**-24])
def test_draws_stay_in_their_block(uniform: float) -> None:
    """Rounding of the running sum over many blocks must not reach into a neighbour."""
    blocks = tuple(StateBlock(k, np.full(3, 1 / 3), np.empty((3, 0))) for k in range(300))
    cells = Cells(Layout(blocks))
    probabilities = cells.softmax(numbers(50, 900, seed=2))
    states = cells.draw(probabilities, torch.full((50, 300), uniform))
    assert (states >= cells.starts).all()
    assert (states < cells.stops).all()


def test_one_hot_marks_the_drawn_states(cells: Cells) -> None:
    hot = cells.one_hot(torch.tensor([[0, 6], [2, 3]]))
    assert hot.tolist() == [[1, 0, 0, 0, 0, 0, 1], [0, 0, 1, 1, 0, 0, 0]]


def test_bins_are_differences_of_the_normal_distribution(cells: Cells) -> None:
    mean, spread = numbers(6, 2), numbers(6, 2, seed=1).exp()
    bins = cells.bins(mean, spread).numpy()
    for head, (edges, place) in enumerate(((EDGES, slice(0, 4)), (WIDE, slice(4, 7)))):
        m, s = mean[:, head, None].numpy(), spread[:, head, None].numpy()
        expected = np.diff(norm.cdf(edges, m, s), axis=1)
        np.testing.assert_allclose(bins[:, place], expected, atol=2e-6)
        np.testing.assert_allclose(bins[:, place].sum(1), 1.0, atol=2e-6)


def test_gradients_of_the_bins(cells: Cells) -> None:
    cells = cells.double()
    mean = numbers(3, 2).double().requires_grad_()
    spread = numbers(3, 2, seed=1).double().exp().detach().requires_grad_()
    assert torch.autograd.gradcheck(cells.bins, (mean, spread))


def test_gates_scale_the_bins_of_their_head_only(cells: Cells) -> None:
    states = torch.tensor([[0.25, 0.5, 0.25, 1.0, 0.0, 0.0, 0.0]])
    bins = torch.full((1, 7), 0.2)
    joined = cells.cells(states, bins)[0].tolist()
    assert joined[:7] == states[0].tolist()
    assert joined[7:] == pytest.approx([0.05] * 4 + [0.2] * 3)
    assert cells.open_gates(states)[0].tolist() == [0.25, 1.0]
    assert cells.gates() == ([0], [0])


def test_a_layout_without_heads() -> None:
    cells = Cells(Layout((StateBlock(0, np.array([0.5, 0.5]), np.empty((2, 0))),)))
    states = torch.tensor([[1.0, 0.0]])
    assert cells.cells(states, torch.empty(1, 0)).tolist() == [[1.0, 0.0]]
    assert cells.open_gates(states).shape == (1, 0)


def test_relaxed_draws_are_one_hot_and_carry_the_second_order_gradient(cells: Cells) -> None:
    """2 J((D + softmax(logits / t)) / 2) g - J(softmax(logits)) g / 2, block by block."""
    cells = cells.double()
    logits = numbers(8, 7).double().requires_grad_()
    uniforms = torch.rand(8, 2, generator=torch.Generator().manual_seed(0))
    temperature = 0.7
    probabilities = cells.softmax(logits)
    hot = cells.relaxed(logits, probabilities, uniforms.double(), temperature)
    drawn = cells.one_hot(cells.draw(probabilities.detach(), uniforms.double()))
    assert torch.equal(hot.detach(), drawn)
    upstream = numbers(8, 7, seed=5).double()
    (gradient,) = torch.autograd.grad(hot, logits, upstream.to(hot.dtype))
    expected = torch.zeros(8, 7, dtype=torch.float64)
    for row in range(8):
        for block in BLOCKS:
            x = logits[row, block].detach()
            first = x.softmax(0)
            second = (drawn[row, block].double() + (x / temperature).softmax(0)) / 2
            g = upstream[row, block]
            expected[row, block] = 2 * jacobian(second) @ g - jacobian(first) @ g / 2
    torch.testing.assert_close(gradient, expected, rtol=1e-5, atol=1e-6)


def jacobian(p: torch.Tensor) -> torch.Tensor:
    return torch.diag(p) - torch.outer(p, p)


def test_relaxed_gradients_are_right_on_average() -> None:
    """For two states the estimator is nearly unbiased: E over draws against the exact gradient."""
    cells = Cells(Layout((StateBlock(0, np.array([0.5, 0.5]), np.empty((2, 0))),)))
    n = 40_000
    logits = torch.tensor([[0.3, -0.4]]).expand(n, 2).contiguous().requires_grad_()
    uniforms = torch.rand(n, 1, generator=torch.Generator().manual_seed(0))
    hot = cells.relaxed(logits, cells.softmax(logits), uniforms, 1.0)
    value = (hot @ torch.tensor([1.0, 3.0])) ** 2  # 1 or 9
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    p = torch.tensor([0.3, -0.4]).softmax(0)
    exact = p[0] * p[1] * (1.0 - 9.0)
    assert gradient[:, 0].mean().item() == pytest.approx(exact.item(), rel=0.03)


def test_shapes_on_the_meta_device() -> None:
    cells = Cells(small_layout()).to("meta")
    logits = torch.empty(5, 7, device="meta")
    probabilities = cells.softmax(logits)
    assert probabilities.shape == (5, 7)
    bins = cells.bins(torch.empty(5, 2, device="meta"), torch.empty(5, 2, device="meta"))
    assert bins.shape == (5, 7)
    assert cells.cells(probabilities, bins).shape == (5, 14)
    assert cells.draw(probabilities, torch.empty(5, 2, device="meta")).shape == (5, 2)
