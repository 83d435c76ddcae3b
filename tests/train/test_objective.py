from __future__ import annotations

import math

import pytest
import torch

from synthgen.train.objective import OBJECTIVES

LN2 = math.log(2)


@pytest.mark.parametrize(
    ("name", "real", "fake", "critic", "generator"),
    [
        ("relativistic", 0.0, 0.0, LN2, LN2),
        ("relativistic", 3.0, 1.0, math.log1p(math.exp(-2)), math.log1p(math.exp(2))),
        ("non_saturating", 0.0, 0.0, 2 * LN2, LN2),
        ("non_saturating", 2.0, 1.0, 0.126928 + 1.313262, 0.313262),
        ("wasserstein", 3.0, 1.0, -2.0, -1.0),
        ("least_squares", 1.0, 0.0, 0.0, 0.5),
        ("least_squares", 3.0, 2.0, 4.0, 0.5),
    ],
)
def test_losses_at_known_scores(
    name: str, real: float, fake: float, critic: float, generator: float
) -> None:
    r, f = torch.tensor([real]), torch.tensor([fake])
    objective = OBJECTIVES[name]
    assert objective.critic(r, f).item() == pytest.approx(critic, abs=1e-5)
    assert objective.generator(r, f).item() == pytest.approx(generator, abs=1e-5)


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_the_players_pull_fake_scores_apart(name: str) -> None:
    """The critic's loss grows with a fake score, the generator's falls."""
    real = torch.zeros(3)
    fake = torch.tensor([0.1, 0.4, 0.7], requires_grad=True)
    objective = OBJECTIVES[name]
    (by_critic,) = torch.autograd.grad(objective.critic(real, fake).sum(), fake)
    (by_generator,) = torch.autograd.grad(objective.generator(real, fake).sum(), fake)
    assert (by_critic > 0).all()
    assert (by_generator < 0).all()


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_losses_are_per_record(name: str) -> None:
    real, fake = torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
    objective = OBJECTIVES[name]
    whole = objective.critic(real, fake)
    alone = torch.cat([objective.critic(real[k : k + 1], fake[k : k + 1]) for k in range(5)])
    assert torch.equal(whole, alone)
