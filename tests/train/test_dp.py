"""Tests of private updates: exact clipping, noise, counting, and what must be impossible."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from synthgen.dp.errors import PrivacyError
from synthgen.dp.events import Event
from synthgen.dp.noise import NoiseSource, SystemNoise, TestNoise
from synthgen.errors import InvalidParameterError
from synthgen.nn.tabular import TabularCritic
from synthgen.train.dp import CLIPPINGS, SEPARABLE, PrivateCritic

WIDTH = 6


class Flat(nn.Module):
    """Drops the second axis of a network's scores."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.net = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.net(x)
        return scores[:, 0]


def mlp() -> nn.Module:
    return Flat(nn.Linear(WIDTH, 5), nn.LeakyReLU(0.2), nn.Linear(5, 1))


def normed() -> nn.Module:
    return Flat(nn.Linear(WIDTH, 4, bias=False), nn.LayerNorm(4), nn.SiLU(), nn.Linear(4, 1))


def residual() -> nn.Module:
    return TabularCritic(WIDTH, width=5, blocks=2)


def sequence() -> nn.Module:
    """Linear layers on three axes, as attention has them."""
    return Flat(
        nn.Unflatten(1, (2, WIDTH // 2)), nn.Linear(WIDTH // 2, 4), nn.ReLU(), nn.Flatten(),
        nn.Linear(8, 1),
    )  # fmt: skip


def convolution() -> nn.Module:
    return Flat(
        nn.Unflatten(1, (1, 2, WIDTH // 2)), nn.Conv2d(1, 3, 2, padding=1), nn.LeakyReLU(0.2),
        nn.Conv2d(3, 2, 2, stride=2), nn.GroupNorm(1, 2), nn.Flatten(), nn.Linear(4, 1),
    )  # fmt: skip


def frozen() -> nn.Module:
    critic = mlp()
    next(critic.parameters()).requires_grad_(False)
    return critic


NETWORKS: list[Callable[[], nn.Module]] = [mlp, normed, residual, sequence, convolution, frozen]


def event_of(count: int = 3, *, norm: float = 1.0, scale: float = 1e-9) -> Event:
    return Event("gaussian", "test", sensitivity=norm, scale=scale, count=count, sampling=0.5)


def private(
    critic: nn.Module,
    event: Event | None = None,
    *,
    source: NoiseSource | None = None,
    **options: Any,
) -> PrivateCritic:
    trained = [p for p in critic.parameters() if p.requires_grad]
    options = {"expected": 1.0} | options
    return PrivateCritic(
        critic,
        torch.optim.SGD(trained, lr=1.0),
        event or event_of(),
        source=source or SystemNoise(),
        **options,
    )


def build(network: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return network()


def records(n: int, seed: int, scale: float = 1.0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return scale * torch.randn(n, WIDTH, generator=rng)


def one_by_one(
    critic: nn.Module, real: Tensor, fake: Tensor, norm: float, objective: str = "non_saturating"
) -> list[Tensor]:
    """Clip each record's gradient in a loop in float64, and sum."""
    critic = copy.deepcopy(critic).double()
    trained = [p for p in critic.parameters() if p.requires_grad]
    sums = [torch.zeros_like(p) for p in trained]
    for loss_of, part in zip(SEPARABLE[objective], (real, fake), strict=True):
        for record in part.double():
            loss = loss_of(critic(record[None])).sum()
            gradients = torch.autograd.grad(loss, trained)
            length = float(torch.sqrt(sum((g**2).sum() for g in gradients)))
            for total, gradient in zip(sums, gradients, strict=True):
                total.add_(gradient * min(1.0, norm / max(length, 1e-12)))
    return sums


def distance(first: list[Tensor], second: list[Tensor]) -> float:
    pairs = zip(first, second, strict=True)
    return float(sum(((a.double() - b.double()) ** 2).sum() for a, b in pairs)) ** 0.5


@pytest.mark.parametrize("clipping", CLIPPINGS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("n_real", "n_fake"), [(0, 4), (1, 3), (7, 2)])
@pytest.mark.parametrize("norm", [0.05, 2.0])
def test_the_sum_is_that_of_a_loop_over_records(
    network: Callable[[], nn.Module], clipping: str, n_real: int, n_fake: int, norm: float
) -> None:
    critic = build(network)
    real, fake = records(n_real, 1, 3.0), records(n_fake, 2)
    if n_real > 1:
        real[0] = 0.0  # a row that is padding
        real[1] *= 1e3
    expected = one_by_one(critic, real, fake, norm)
    found = private(critic, event_of(norm=norm), clipping=clipping).clipped_sum(real, fake)
    assert distance(found, expected) < 5e-4 * norm * (n_real + n_fake)


@pytest.mark.parametrize("objective", SEPARABLE)
def test_every_objective_is_clipped(objective: str) -> None:
    critic, real, fake = build(residual), records(5, 1, 4.0), records(5, 2)
    expected = one_by_one(critic, real, fake, 0.1, objective)
    found = private(critic, event_of(norm=0.1), objective=objective).clipped_sum(real, fake)
    assert distance(found, expected) < 5e-4


@pytest.mark.parametrize("clipping", CLIPPINGS)
@pytest.mark.parametrize("network", [mlp, normed, residual, sequence, convolution])
def test_one_record_moves_the_sum_by_the_norm_at_most(
    network: Callable[[], nn.Module], clipping: str
) -> None:
    fake = records(6, 9)
    for seed in range(5):
        critic = build(network, seed)
        updates = private(critic, event_of(norm=0.5), clipping=clipping)
        real = records(8, seed)
        real[0] = records(1, 100 + seed, 10.0 ** (seed - 1))[0]
        moved = distance(updates.clipped_sum(real, fake), updates.clipped_sum(real[1:], fake))
        assert moved <= 0.5


def test_values_that_are_not_numbers_do_not_show() -> None:
    updates = private(build(residual))
    real, fake = records(4, 0), records(4, 1)
    real[0, 0], real[1, 1], real[1, 2] = torch.nan, torch.inf, -1e38
    found = updates.clipped_sum(real, fake)
    assert all(torch.isfinite(part).all() for part in found)
    assert distance(found, updates.clipped_sum(real[2:], fake)) <= 2.0


@pytest.mark.parametrize("clipping", CLIPPINGS)
def test_what_others_do_with_the_critic_leaves_no_trace(clipping: str) -> None:
    critic, real, fake = build(residual), records(4, 0), records(4, 1)
    updates = private(critic, clipping=clipping)
    before = updates.clipped_sum(real, fake)
    for training in (True, False):
        critic.train(training)
        leaf = records(9, 3).requires_grad_()
        critic(leaf).sum().backward()
        assert leaf.grad is not None
    assert distance(before, updates.clipped_sum(real, fake)) < 1e-6


def noise_of(updates: PrivateCritic, critic: nn.Module, factor: float) -> np.ndarray:
    """Return the noise of one update, in standard deviations."""
    real, fake = records(4, 0), records(4, 1)
    clean = updates.clipped_sum(real, fake)
    before = [p.detach().clone() for p in critic.parameters()]
    updates.update(real, fake)
    pairs = zip(before, critic.parameters(), clean, strict=True)
    parts = [((old - new.detach()) * factor - sum_).reshape(-1) for old, new, sum_ in pairs]
    return torch.cat(parts).double().numpy() / updates.event.scale


def test_noise_is_gaussian_of_the_charged_scale() -> None:
    critic = build(lambda: Flat(nn.Linear(WIDTH, 400), nn.Linear(400, 1)))
    updates = private(critic, event_of(2, norm=0.5, scale=3.0), expected=16.0)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        first = noise_of(updates, critic, 16.0)
        torch.default_generator.manual_seed(0)
        second = noise_of(updates, critic, 16.0)
    assert stats.kstest(first, "norm").pvalue > 1e-4
    assert abs(first.std() - 1.0) < 0.1
    # The weights' rounding apart, noise lies on a grid, and is fresh in every update.
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
    assert np.unique(np.round(first, 6)).size > 1_000


def test_noise_comes_from_the_ledger_alone() -> None:
    results = []
    for source in (TestNoise(1), TestNoise(1), TestNoise(2), SystemNoise(), SystemNoise()):
        critic = build(mlp)
        private(critic, event_of(scale=1.0), source=source).update(records(3, 0), records(3, 1))
        results.append(torch.cat([p.detach().reshape(-1) for p in critic.parameters()]))
    assert torch.equal(results[0], results[1])
    for k in (2, 3, 4):
        assert not torch.equal(results[k], results[k - 1])


def test_updates_are_counted_and_end() -> None:
    updates = private(build(mlp), event_of(2, scale=1.0))
    fake = records(3, 1)
    updates.update(records(0, 0), fake)
    updates.update(records(2, 0), fake)
    assert updates.updates == 2
    with pytest.raises(PrivacyError, match="2 noisy updates were charged and all are done"):
        updates.update(records(2, 0), fake)


def test_fake_scores_are_those_before_the_update() -> None:
    critic, fake = build(mlp), records(3, 1)
    before = critic(fake).detach()
    scores = private(critic, event_of(scale=1.0)).update(records(5, 0), fake)
    assert torch.allclose(scores, before)
    assert not torch.allclose(critic(fake), before)


def test_everything_private_is_taken_off_again() -> None:
    critic = build(mlp)
    updates = private(critic)
    updates.update(records(2, 0), records(2, 1))
    updates.release()
    for parameter in critic.parameters():
        assert parameter.grad is None
        for name in ("grad_sample", "_norm_sample", "summed_grad"):
            assert not hasattr(parameter, name)
    assert critic(records(2, 1)).shape == (2,)


class Column(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.net(x)
        return scores


class Comparing(Flat):
    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.net(x)[:, 0]
        return scores - scores.mean()


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.last(self.first(self.first(x)))
        return scores[:, 0]


class Unused(Twice):
    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.last(x)
        return scores[:, 0]


class Bare(nn.Module):
    """A weight that belongs to no layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.weight = nn.Linear(WIDTH, 1), nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.layer(x * self.weight)
        return scores[:, 0]


def with_old_spectral_norm() -> nn.Module:
    return Flat(torch.nn.utils.spectral_norm(nn.Linear(WIDTH, 1)))


def with_spectral_norm() -> nn.Module:
    return Flat(torch.nn.utils.parametrizations.spectral_norm(nn.Linear(WIDTH, 1)))


REFUSED = {
    "packed": (lambda: TabularCritic(WIDTH, width=4, blocks=1, pack=2), "judges 2 records"),
    "bfloat16": (lambda: TabularCritic(WIDTH, width=4, blocks=1, low_precision=True), "bfloat16"),
    "batch norm": (lambda: Flat(nn.BatchNorm1d(WIDTH), nn.Linear(WIDTH, 1)), "BatchNorm1d"),
    "old spectral norm": (with_old_spectral_norm, "buffers"),
    "spectral norm": (with_spectral_norm, "computed"),
    "statistics of batches": (lambda: Comparing(nn.Linear(WIDTH, 1)), "depends on other records"),
    "a second axis": (Column, r"shape \(6,\).*got \(6, 1\)"),
    "a layer used twice": (Twice, "Use each layer once"),
    "a layer not used": (Unused, "'first.weight' got no norm"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_critics_that_cannot_be_private(name: str) -> None:
    make, message = REFUSED[name]
    with pytest.raises(PrivacyError, match=message):
        private(build(make)).update(records(3, 0), records(3, 1))


def test_a_weight_outside_layers_is_clipped_or_refused() -> None:
    critic = build(Bare)
    real, fake = records(5, 0, 5.0), records(3, 1)
    expected = one_by_one(critic, real, fake, 0.1)
    try:
        found = private(critic, event_of(norm=0.1)).clipped_sum(real, fake)
    except PrivacyError:
        return
    assert distance(found, expected) < 1e-3


def test_a_layer_may_be_used_twice_with_functorch() -> None:
    critic, real, fake = build(Twice), records(5, 0), records(3, 1)
    expected = one_by_one(critic, real, fake, 0.1)
    found = private(critic, event_of(norm=0.1), clipping="functorch").clipped_sum(real, fake)
    assert distance(found, expected) < 5e-4


def test_scores_may_not_change_their_shape_later() -> None:
    class Moody(Flat):
        column = False

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.net(x)
            return scores if self.column else scores[:, 0]

    critic = build(lambda: Moody(nn.Linear(WIDTH, 1)))
    updates = private(critic)
    updates.update(records(3, 0), records(3, 1))
    critic.column = True
    with pytest.raises(PrivacyError, match="second axis"):
        updates.update(records(3, 0), records(3, 1))


def test_the_optimiser_must_have_the_critics_weights() -> None:
    critic, other = build(mlp), build(mlp)
    for parameters in (list(critic.parameters())[1:], list(other.parameters())):
        with pytest.raises(PrivacyError, match="must be the same"):
            PrivateCritic(
                critic, torch.optim.SGD(parameters, lr=1.0), event_of(), expected=1.0,
                source=SystemNoise(),
            )  # fmt: skip


def test_bad_parameters() -> None:
    with pytest.raises(InvalidParameterError, match="objective"):
        private(build(mlp), objective="relativistic")
    with pytest.raises(InvalidParameterError, match="clipping"):
        private(build(mlp), clipping="hooks")
    with pytest.raises(PrivacyError, match="Gaussian event"):
        private(build(mlp), Event("laplace", "wrong", scale=1.0))
