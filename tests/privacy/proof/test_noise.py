"""Noise of the pipeline: its distribution, scale and source; what the ledger adds up to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import brentq

from synthgen import DPMarginals
from synthgen.dp.events import Event
from synthgen.dp.ledger import Ledger
from synthgen.dp.noise import SystemNoise, bernoulli
from synthgen.train.dp_loader import PoissonRows
from tests.privacy.proof import breaks, pipeline
from tests.privacy.proof.transcripts import Transcript, recorded

#: A right sampler fails a test less than once in a million runs.
ALARM = 1e-6


def residuals(privacy: DPMarginals, fits: int) -> tuple[np.ndarray, list[Event]]:
    """Return (noisy - exact) / calibrated sigma of every number that was released."""
    found = []
    for _ in range(fits):
        transcript = Transcript()
        with recorded(transcript):
            pipeline.published(pipeline.people(), pipeline.people_schema(), privacy)
        for step in transcript.steps:
            exact = np.concatenate([np.ravel(array) for array in step.exact])
            noisy = np.concatenate([np.ravel(array) for array in step.answer])
            found.append((noisy - exact) / step.event.scale)
    return np.concatenate(found), [step.event for step in transcript.steps]


def right_mu(epsilon: float, delta: float) -> float:
    """Return the mu of a Gaussian release of (epsilon, delta), by the defining integral."""
    grid = np.linspace(-40, 40, 400_001)

    def excess(mu: float) -> float:
        gain = stats.norm.pdf(grid - mu) - math.exp(epsilon) * stats.norm.pdf(grid)
        return float(np.maximum(gain, 0).sum() * (grid[1] - grid[0])) - delta

    return float(brentq(excess, 0.01, 10.0, xtol=1e-7))


def test_noise_has_the_calibrated_scale_in_every_release() -> None:
    privacy = DPMarginals(1.0, pipeline.DELTA)
    found, events = residuals(privacy, 1)
    sample = np.random.default_rng(0).choice(found, min(len(found), 100_000), replace=False)
    assert stats.kstest(sample, "norm").pvalue > ALARM
    # A scale that is one part in fifty too small would show.
    assert stats.kstest(sample / 1.05, "norm").pvalue < ALARM
    assert abs(sample.std() - 1) < 6 / math.sqrt(2 * len(sample))
    # Scales add up to the budget, found here without the package's own formula.
    total = math.sqrt(sum(event.ratio**2 for event in events))
    assert total == pytest.approx(right_mu(1.0, pipeline.DELTA), rel=1e-4)


def test_divided_noise_has_another_scale() -> None:
    with breaks.noise_divided():
        found, _ = residuals(DPMarginals(1.0, pipeline.DELTA), 1)
    assert found.std() < 0.1


def released() -> np.ndarray:
    """Return the noisy tables of a fit with ``random_state=0``; their cells are always the same."""
    found = pipeline.published(
        pipeline.worst_world(True), pipeline.worst_schema(), DPMarginals(1.0, pipeline.DELTA)
    )
    return np.concatenate([table.ravel() for table in found["tables"]])


@contextmanager
def global_seeds() -> Iterator[None]:
    """Seed the generators that all the world shares, for a while."""
    state = np.random.mtrand._rand.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        np.random.mtrand._rand.set_state(np.random.RandomState(0).get_state())
        yield
    np.random.mtrand._rand.set_state(state)


def test_noise_follows_no_seed() -> None:
    """The same random_state and the same global seeds give other noise."""
    tables = []
    for _ in range(2):
        with global_seeds():
            tables.append(released())
    # On the grid of the noise two draws are equal with a probability of about one in a thousand.
    assert (tables[0] == tables[1]).mean() < 0.05


def test_seeded_noise_would_be_seen() -> None:
    with breaks.seeded_noise():
        assert (released() == released()).all()


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 8.0])
@pytest.mark.parametrize("facts", [{}, {"max_pairs": 3}, {"infer": "spend"}])
def test_the_ledger_adds_up_to_what_was_asked_for(epsilon: float, facts: dict[str, Any]) -> None:
    """An independent accountant, given the saved ledger alone, finds the same guarantee."""
    from dp_accounting.pld import privacy_loss_distribution as pld

    schema = pipeline.open_schema() if facts.get("infer") else pipeline.people_schema()
    privacy = DPMarginals(max(epsilon, 1.0) if facts.get("infer") else epsilon, 1e-6, **facts)
    ledger = pipeline.published(pipeline.people(2_000), schema, privacy)["documents"]["ledger"]
    assert ledger["epsilon"] == privacy.epsilon
    squares = [(event["sensitivity"] / event["scale"]) ** 2 for event in ledger["events"]]
    assert {event["mechanism"] for event in ledger["events"]} == {"gaussian"}
    left = ledger["delta"] - sum(event["delta"] for event in ledger["events"])
    whole = pld.from_gaussian_mechanism(
        1 / math.sqrt(sum(squares)), value_discretization_interval=1e-4
    )
    assert whole.get_epsilon_for_delta(left) == pytest.approx(privacy.epsilon, rel=2e-3)


def test_known_guarantee_of_sampled_gradients() -> None:
    # sigma 1, sampling .01, 2,000 steps, delta 1e-5: 2.594 (PRV) and 2.866 (RDP) elsewhere.
    ledger = Ledger(10.0, 1e-5, n_rows=1_000, noise=SystemNoise())
    ledger.charge(Event("gaussian", "gradients", scale=1.0, count=2_000, sampling=0.01))
    spent = ledger.spent()
    assert spent.epsilon == pytest.approx(2.594, abs=0.02)
    assert 2.594 - 0.02 < spent.epsilon <= spent.check <= 2.866 + 0.01


class Shuffled(PoissonRows):
    """Fixed batches from a shuffled order: what most loaders give."""

    def batch(self) -> Any:
        if not getattr(self, "_left", None):
            order = np.random.default_rng(None).permutation(self.n_rows)
            size = round(self.n_rows * self.probability)
            self._left = [np.sort(part) for part in order.reshape(-1, size)]
        return self._left.pop()


def poisson_alarms(rows: PoissonRows, steps: int) -> list[str]:
    """Return which properties of Poisson sampling a loader lacks."""
    n, rate = rows.n_rows, rows.probability
    batches = np.zeros((steps, n), dtype=bool)
    for step in range(steps):
        batches[step, rows.batch()] = True
    sizes, counts = batches.sum(axis=1), batches.sum(axis=0)
    alarms = []
    spread = sizes.var(ddof=1) / (n * rate * (1 - rate)) * (steps - 1)
    if not ALARM < stats.chi2.cdf(spread, steps - 1) < 1 - ALARM:
        alarms.append("sizes of batches")
    spread = counts.var(ddof=1) / (steps * rate * (1 - rate)) * (n - 1)
    if not ALARM < stats.chi2.cdf(spread, n - 1) < 1 - ALARM:
        alarms.append("how often rows take part")
    z = (batches.sum() - n * steps * rate) / math.sqrt(n * steps * rate * (1 - rate))
    if abs(z) > 5:
        alarms.append("rate")
    both = (batches[:, ::2] & batches[:, 1::2]).sum()
    expected = steps * (n // 2) * rate**2
    if abs(both - expected) > 5.5 * math.sqrt(expected):
        alarms.append("pairs of rows")
    return alarms


def test_batches_are_poisson_samples() -> None:
    assert poisson_alarms(PoissonRows(1_000, 0.05, SystemNoise()), 1_000) == []


def test_shuffled_batches_are_not() -> None:
    alarms = poisson_alarms(Shuffled(1_000, 0.05, SystemNoise()), 1_000)
    assert {"sizes of batches", "how often rows take part"} <= set(alarms)


def test_a_wrong_rate_is_seen() -> None:
    rows = PoissonRows(1_000, 0.05, SystemNoise())
    rows.probability = 0.055
    found = PoissonRows(1_000, 0.05, SystemNoise())
    found.batch = rows.batch  # type: ignore[method-assign]  # the planted mistake
    assert "rate" in poisson_alarms(found, 1_000)


def test_no_batch_at_all_is_a_step_too() -> None:
    rows = PoissonRows(20, 0.01, SystemNoise())
    sizes = [len(rows.batch()) for _ in range(500)]
    assert sizes.count(0) > 300
    assert not bernoulli(SystemNoise(), 10, 0.0).any()
