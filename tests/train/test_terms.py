from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from synthgen.encode.layout import Layout, StateBlock
from synthgen.train.moments import fold_cells, moment_targets
from synthgen.train.terms import (
    ConditionMatch,
    Generated,
    GradientPenalty,
    MomentMatching,
    WeightClipping,
    ZeroCentredPenalty,
)
from tests.nn.layouts import linked_table, random_table, small_layout

CPU = torch.device("cpu")


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def targets_of(layout: Layout, table: object) -> dict[str, torch.Tensor]:
    return moment_targets(layout, table, low_precision=False, device=CPU)


@pytest.mark.parametrize("cheap", [0, 1_000])
def test_targets_count_cells_and_pairs(cheap: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By counting, in several parts, and by products of matrices."""
    monkeypatch.setattr("synthgen.train.moments._CHEAP", cheap)
    monkeypatch.setattr("synthgen.train.moments._PAIRS", 40)
    monkeypatch.setattr("synthgen.train.moments._CHUNK", 8)
    layout, table = small_layout(), linked_table(20)
    targets = targets_of(layout, table)
    cells = layout.cells(table)
    pairs = np.zeros((14, 14))
    for row in cells:
        for a in row[row >= 0]:
            for b in row[row >= 0]:
                pairs[a, b] += 1 / 20
    np.testing.assert_allclose(targets["pairs"], pairs, atol=1e-6)
    np.testing.assert_allclose(targets["singles"], np.diag(pairs), atol=1e-6)
    for a in range(14):
        for b in range(14):
            same = layout.cell_columns[a] == layout.cell_columns[b]
            weight = 0.0 if same else 1 / (pairs[a, b] + 0.1) / 9
            assert targets["pair_weights"][a, b].item() == pytest.approx(weight, rel=1e-5)
    weights = 1 / (np.diag(pairs) + 0.1) / 3
    np.testing.assert_allclose(targets["single_weights"], weights, rtol=1e-5)
    assert "fold" not in targets


def test_gradient_of_the_moment_term() -> None:
    """Without a memory it is that of sum w (P'P / n - M)^2 + sum v (mean P - m)^2."""
    layout = small_layout()
    targets = targets_of(layout, linked_table(50))
    cells = torch.rand(8, 14, generator=rng()).requires_grad_()
    term = MomentMatching(weight=1.5, decay=0.0)
    value, state = term(Generated(cells=cells), targets, term.start(targets))
    assert value.shape == (8,)
    (found,) = torch.autograd.grad(value.mean(), cells)
    moments = cells.T @ cells / 8
    loss = ((moments - targets["pairs"]) ** 2 * targets["pair_weights"]).sum()
    loss = loss + ((cells.mean(0) - targets["singles"]) ** 2 * targets["single_weights"]).sum()
    (expected,) = torch.autograd.grad(1.5 * loss, cells)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(state["pairs"], moments.detach())
    torch.testing.assert_close(state["singles"], cells.mean(0).detach())


def test_the_moment_term_is_zero_at_the_real_moments() -> None:
    layout, table = small_layout(), linked_table(64)
    targets = targets_of(layout, table)
    cells = torch.zeros(64, 15).scatter_(1, torch.as_tensor(layout.cells(table)) % 15, 1.0)[:, :14]
    value, _ = MomentMatching(decay=0.0)(Generated(cells=cells), targets, dict(targets))
    assert value.abs().max().item() < 1e-4


def test_moments_are_averaged_over_steps() -> None:
    targets = targets_of(small_layout(), linked_table(50))
    term = MomentMatching(decay=0.75)
    cells = torch.rand(8, 14, generator=rng())
    _, state = term(Generated(cells=cells), targets, term.start(targets))
    expected = 0.75 * targets["pairs"] + 0.25 * cells.T @ cells / 8
    torch.testing.assert_close(state["pairs"], expected)


def wide_layout() -> Layout:
    """Return a long-tailed category of 3,000 states, 400 ordered levels and a pair of states."""
    tail = 1.0 / np.arange(1, 3_001)
    return Layout(
        (
            StateBlock(0, tail / tail.sum(), np.empty((3_000, 0))),
            StateBlock(1, np.full(400, 1 / 400), np.ones((400, 1))),
            StateBlock(2, np.array([0.5, 0.5]), np.empty((2, 0))),
        )
    )


def test_few_cells_stay_as_they_are() -> None:
    assert fold_cells(small_layout(), 1_500).tolist() == list(range(14))


def test_folded_cells_fit_and_stay_within_their_column() -> None:
    layout = wide_layout()
    place = fold_cells(layout, 200)
    assert place.shape == (layout.n_cells,)
    assert set(place.tolist()) == set(range(place.max() + 1))
    assert place.max() + 1 <= 200
    owners = {(group, column) for group, column in zip(place, layout.cell_columns, strict=True)}
    assert len(owners) == place.max() + 1
    # The frequent states of a category are alone, ordered levels share with neighbours only.
    assert len(set(place[:50].tolist())) == 50
    assert (np.diff(place[3_000:3_400]) >= 0).all()
    sizes = np.bincount(place[3_000:3_400] - place[3_000])
    assert sizes.max() - sizes.min() <= 1
    assert place[-1] != place[-2]


def test_moments_of_folded_cells_are_sums() -> None:
    layout = wide_layout()
    table = random_table(layout, 500)
    targets = targets_of(layout, table)
    fold = targets["fold"]
    assert fold.shape[0] == layout.n_cells
    assert fold.shape[1] <= 1_500
    assert (fold.sum(1) == 1).all()
    hot = torch.zeros(500, layout.n_cells).scatter_(1, torch.as_tensor(layout.cells(table)), 1.0)
    joined = hot @ fold
    torch.testing.assert_close(targets["pairs"], joined.T @ joined / 500)
    value, _ = MomentMatching(decay=0.0)(Generated(cells=hot), targets, dict(targets))
    assert value.abs().max().item() < 1e-2


def test_the_condition_term_is_the_cross_entropy() -> None:
    loss = torch.tensor([0.5, 2.0])
    term = ConditionMatch(weight=2.0)
    assert term(Generated(condition_loss=loss), {}, {})[0].tolist() == [1.0, 4.0]
    with pytest.raises(ValueError, match="no condition"):
        term(Generated(), {}, {})
    with pytest.raises(ValueError, match="no cell probabilities"):
        MomentMatching()(Generated(), {}, {})


class LinearCritic(nn.Module):
    """Returns w'x per record."""

    def __init__(self, weights: list[float], pack: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weights))
        self.pack = pack

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(len(x) // self.pack, -1) @ self.weight


def test_the_zero_centred_penalty_of_a_linear_critic() -> None:
    """The gradient is w everywhere: gamma / 2 * every * (|w|^2 + |w|^2) per record."""
    critic = LinearCritic([3.0, 4.0])
    real, fake = torch.randn(2, 8, 2, generator=rng())
    value = ZeroCentredPenalty(gamma=0.1, every=4)(critic, real, fake, rng())
    assert value.shape == (4,)
    assert value.tolist() == pytest.approx([0.5 * 0.1 * 4 * 50.0] * 4)
    value.mean().backward()
    assert critic.weight.grad is not None
    assert critic.weight.grad.tolist() == pytest.approx([0.2 * 4 * 3.0, 0.2 * 4 * 4.0])


def test_the_zero_centred_penalty_of_a_curved_critic() -> None:
    """For |x|^2 the gradient is 2x: the penalty looks at its own record only."""

    class Square(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.square().sum(1)

    real, fake = torch.randn(2, 6, 3, generator=rng())
    value = ZeroCentredPenalty(gamma=1.0, every=1)(Square(), real, fake, rng())
    expected = 0.5 * (4 * real[:3].square().sum(1) + 4 * fake[:3].square().sum(1))
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize(("weights", "pack"), [([3.0, 4.0], 1), ([3.0, 0.0, 0.0, 4.0], 2)])
def test_the_gradient_penalty_of_a_linear_critic(weights: list[float], pack: int) -> None:
    critic = LinearCritic(weights, pack)
    real, fake = torch.randn(2, 8, 2, generator=rng())
    value = GradientPenalty(weight=10.0)(critic, real, fake, rng())
    assert value.tolist() == pytest.approx([10.0 * (5.0 - 1.0) ** 2] * (8 // pack), rel=1e-5)


def test_the_gradient_penalty_looks_between_real_and_fake() -> None:
    seen = []

    class Spy(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.detach())
            return x.sum(1)

    GradientPenalty()(Spy(), torch.ones(50, 2), torch.zeros(50, 2), rng())
    (points,) = seen
    assert ((points > 0) & (points < 1)).all()
    assert torch.equal(points[:, 0], points[:, 1])
    assert points[:, 0].std() > 0.2


def test_weights_are_clipped() -> None:
    critic = LinearCritic([3.0, -0.002])
    WeightClipping(limit=0.01).after_step(critic)
    assert critic.weight.tolist() == pytest.approx([0.01, -0.002])
