"""Audits of private updates of a critic, step by step, with the gradients that an attacker sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from synthgen.dp.accounting import noise_multiplier
from synthgen.dp.events import Event
from synthgen.dp.gaussian import gaussian_mu
from synthgen.dp.noise import SystemNoise, TestNoise, bernoulli, gaussian
from synthgen.privacy.mechanism import audit_mechanism, audit_one_run
from synthgen.privacy.mechanism_result import MechanismAudit

dp = pytest.importorskip("synthgen.train.dp")

WIDTH, REAL, FAKE = 6, 15, 8
EPSILON, DELTA, NORM = 1.0, 1e-5, 1.0
SIGMA = NORM / gaussian_mu(EPSILON, DELTA)


class Flat(nn.Module):
    """A small critic that judges each record by itself."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(width, 12), nn.LeakyReLU(0.2), nn.Linear(12, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)[:, 0]


class Packed(Flat):
    """Judges each record together with the sum of those before it."""

    _PACK = 8

    def __init__(self) -> None:
        super().__init__(2 * WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        others = torch.stack([x.roll(k, 0) for k in range(1, self._PACK)]).sum(dim=0)
        return super().forward(torch.cat([x, others], dim=1))


class Normed(Flat):
    """Takes the mean of the batch off, as batch norm does."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - x.mean(dim=0))


def built(critic: Callable[[], nn.Module], clipping: str) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(3)
        network = critic()
    event = Event("gaussian", "gradients", sensitivity=NORM, scale=SIGMA, count=10**6)
    # A rate of 0 leaves the weights alone, so that all runs start from the same.
    optimiser = torch.optim.SGD(network.parameters(), lr=0.0)
    return network, dp.PrivateCritic(
        network,
        optimiser,
        event,
        expected=float(REAL + FAKE),
        source=SystemNoise(),
        clipping=clipping,
    )


def records(n: int, seed: int, scale: float = 0.3) -> Tensor:
    return scale * torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(seed))


def worlds(network: nn.Module) -> tuple[Tensor, Tensor]:
    """Return records without and with an outlier that the critic takes for fake."""
    outlier = torch.full((1, WIDTH), 300.0)
    with torch.no_grad():
        if float(network(outlier.repeat(REAL, 1))[0]) > 0:
            outlier = -outlier
    plain = records(REAL, 1)
    return plain, torch.cat([plain, outlier])


def audit(
    critic: Callable[[], nn.Module] = Flat, clipping: str = "ghost", n_runs: int = 200
) -> MechanismAudit:
    """Audit one update: the noisy sum, projected on how far the exact one moves."""
    network, updates = built(critic, clipping)
    both, fake = worlds(network), records(FAKE, 2)
    exact = [torch.cat([g.ravel() for g in updates.clipped_sum(real, fake)]) for real in both]
    direction = (exact[1] - exact[0]).double()
    direction = direction / max(float(direction.norm()), 1e-12)

    def run(real: Tensor) -> float:
        updates.update(real, fake)
        noisy = torch.cat([p.grad.ravel() for p in network.parameters()]).double()
        return float(noisy @ direction) * (REAL + FAKE)

    return audit_mechanism(
        run, *both, epsilon=EPSILON, delta=DELTA, n_runs=n_runs, statistic=float, random_state=0
    )


@pytest.mark.parametrize("clipping", ["ghost", "functorch"])
def test_an_update_keeps_the_claim(clipping: str) -> None:
    found = audit(clipping=clipping)
    assert found.verdict == "not refuted"
    assert found.detectable is not None


@contextmanager
def replaced(**parts: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for name, value in parts.items():
            stack.enter_context(patch.object(dp, name, value))
        yield


@contextmanager
def ghost_with_two_axes() -> Iterator[None]:
    right = dp.PrivateCritic._record_losses

    def wrong(self: Any, scores: Tensor, n_real: int) -> Tensor:
        return right(self, scores, n_real)[:, None]

    with patch.object(dp.PrivateCritic, "_record_losses", wrong):
        yield


def unchecked() -> Any:
    """Leave out the checks that refuse such critics."""
    return replaced(check_critic=lambda critic: None, check_independence=lambda *facts: None)


def from_a_seed(source: Any, shape: Any, sigma: float) -> Any:
    return gaussian(TestNoise(0), shape, sigma)


BROKEN: dict[str, tuple[Callable[[], Any], Callable[[], nn.Module]]] = {
    "no clip": (lambda: replaced(_HAIR=1e6), Flat),
    "noise/B": (lambda: replaced(gaussian=lambda s, n, sigma: gaussian(s, n, sigma / 23)), Flat),
    "no noise": (lambda: replaced(gaussian=lambda s, n, sigma: np.zeros(n)), Flat),
    "seeded noise": (lambda: replaced(gaussian=from_a_seed), Flat),
    "ghost (B, 1)": (ghost_with_two_axes, Flat),
    "packing": (unchecked, Packed),
    "batch norm": (unchecked, Normed),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_updates_are_caught(name: str) -> None:
    mistake, critic = BROKEN[name]
    with mistake():
        found = audit(critic)
    assert found.refuted, found.describe()


@pytest.mark.parametrize("critic", [Packed, Normed])
def test_coupled_critics_are_refused_when_checks_are_on(critic: Callable[[], nn.Module]) -> None:
    from synthgen.privacy import PrivacyError

    _, updates = built(critic, "ghost")
    with pytest.raises(PrivacyError, match="depends on other records"):
        updates.update(records(REAL, 1), records(FAKE, 2))


@pytest.mark.parametrize("critic", [Flat, Packed, Normed])
def test_sensitivity_of_the_clipped_sum(critic: Callable[[], nn.Module]) -> None:
    """At most the norm for a critic without coupling, whatever the outlier; more with it."""
    moves = []
    with unchecked():
        network, updates = built(critic, "ghost")
        fake = records(FAKE, 2)
        for scale in (1e-3, 1.0, 1e2, 1e6):
            plain, _ = worlds(network)
            outlier = scale * torch.tensor([[1.0, -1.0, 2.0, 0.5, -3.0, 1.0]])
            for sign in (1, -1):
                sums = [
                    torch.cat([g.ravel() for g in updates.clipped_sum(real, fake)])
                    for real in (plain, torch.cat([plain, sign * outlier]))
                ]
                moves.append(float((sums[1] - sums[0]).norm()))
    if critic is Flat:
        assert 0.9 * NORM < max(moves) <= NORM
    else:
        assert max(moves) > 2 * NORM


def steps_of(n_steps: int, rate: float, sigma: float, always: bool) -> Callable[[bool], float]:
    """Return the best attack on many updates in which the canary's gradient is known."""
    source = SystemNoise()

    def run(present: bool) -> float:
        took_part = np.ones(n_steps, bool) if always else bernoulli(source, n_steps, rate)
        seen = (took_part & present) + gaussian(source, n_steps, sigma)
        return float(np.log1p(rate * np.expm1((seen - 0.5) / sigma**2)).sum())

    return run


@pytest.mark.parametrize("always", [False, True])
def test_amplification_holds_for_poisson_samples_alone(always: bool) -> None:
    n_steps, rate = 25, 0.1
    sigma = noise_multiplier(EPSILON, DELTA, sampling=rate, steps=n_steps)
    assert math.sqrt(n_steps) / sigma > 2
    found = audit_mechanism(
        steps_of(n_steps, rate, sigma, always), False, True, epsilon=EPSILON, delta=DELTA,
        n_runs=2_000, statistic=float, random_state=0,
    )  # fmt: skip
    assert found.refuted is always


def one_run(n_canaries: int = 160, **parts: Any) -> MechanismAudit:
    """Audit one update with many canaries whose gradients are orthogonal: one weight each."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        network = nn.Linear(n_canaries, 1, bias=False)
        nn.init.zeros_(network.weight)

    class First(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = network

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x)[:, 0]

    critic = First()
    event = Event("gaussian", "gradients", sensitivity=NORM, scale=SIGMA, count=1)
    with replaced(**parts):
        updates = dp.PrivateCritic(
            critic, torch.optim.SGD(critic.parameters(), lr=1.0), event, expected=1.0,
            source=SystemNoise(),
        )  # fmt: skip

        def mechanism(took_part: np.ndarray) -> np.ndarray:
            canaries = 30.0 * torch.eye(n_canaries)[torch.from_numpy(took_part)]
            updates.update(canaries, torch.zeros(1, n_canaries))
            return np.asarray(network.weight.detach().numpy()[0])

        return audit_one_run(mechanism, n_canaries, epsilon=EPSILON, delta=DELTA, random_state=0)


def test_one_update_with_many_canaries() -> None:
    assert one_run().verdict == "not refuted"
    broken = one_run(gaussian=lambda source, n, sigma: gaussian(source, n, sigma / 23))
    assert broken.refuted
    assert one_run(_HAIR=1e6).refuted
