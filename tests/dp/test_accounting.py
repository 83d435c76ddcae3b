"""Tests of the guarantee: known values, order of the two accountants, calibration."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from synthgen.dp import accounting
from synthgen.dp.accounting import (
    calibrate,
    delta_at,
    guarantee,
    noise_multiplier,
    total_mu,
    trade_off,
)
from synthgen.dp.errors import PrivacyError
from synthgen.dp.events import Event
from synthgen.dp.gaussian import (
    gaussian_delta,
    gaussian_epsilon,
    gaussian_mu,
    gaussian_trade_off,
)
from synthgen.dp.renyi import renyi_divergence, renyi_epsilon
from synthgen.errors import InvalidParameterError, MissingExtraError


def steps(noise: float, sampling: float, count: int) -> Event:
    return Event("gaussian", "steps", scale=noise, count=count, sampling=sampling)


MIXED = [
    Event("gaussian", "counts", scale=5.0),
    Event("laplace", "number", scale=4.0),
    Event("pure", "choice", scale=5.0, count=3),
    Event("gaussian", "steps", scale=2.0, count=50, sampling=0.05),
]


@pytest.mark.parametrize(
    ("epsilon", "delta", "mu"),
    [
        (0.1, 1e-6, 0.0275),
        (0.3, 1e-6, 0.0770),
        (1.0, 1e-6, 0.2367),
        (3.0, 1e-6, 0.6477),
        (10.0, 1e-6, 1.8481),
        (0.1, 1e-5, 0.0325),
        (1.0, 1e-5, 0.2681),
        (10.0, 1e-5, 2.0004),
    ],
)
def test_known_budgets(epsilon: float, delta: float, mu: float) -> None:
    assert gaussian_mu(epsilon, delta) == pytest.approx(mu, abs=6e-5)


@pytest.mark.parametrize("delta", [1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("epsilon", [0.01, 0.5, 3.0, 20.0])
def test_mu_epsilon_and_delta_agree(epsilon: float, delta: float) -> None:
    mu = gaussian_mu(epsilon, delta)
    assert gaussian_delta(mu, epsilon) <= delta
    assert gaussian_delta(mu * (1 + 1e-5), epsilon) > delta
    assert gaussian_epsilon(mu, delta) == pytest.approx(epsilon, rel=1e-6)


def test_gaussian_delta_is_the_integral_that_defines_it() -> None:
    mu, epsilon = 0.8, 0.9

    def excess(x: float) -> float:
        return max(stats.norm.pdf(x, mu) - math.exp(epsilon) * stats.norm.pdf(x), 0.0)

    integral, _ = integrate.quad(excess, -10, 10, limit=200, points=[epsilon / mu + mu / 2])
    assert gaussian_delta(mu, epsilon) == pytest.approx(integral, rel=1e-6)


def test_no_release_tells_nothing() -> None:
    assert gaussian_delta(0.0, 0.1) == 0.0
    assert guarantee([], 1e-6).epsilon == 0.0
    assert delta_at([], 1.0) == 0.0


@pytest.mark.parametrize(
    ("event", "delta", "loss_distribution", "renyi"),
    [
        (steps(1.0, 0.01, 2_000), 1e-5, 2.594, 2.866),
        (steps(1.0, 128 / 60_000, 450_000), 1e-5, 9.29, 9.97),
        (steps(2.0, 1.0, 1), 1e-5, 2.00, None),
        (steps(1.0, 0.1, 50), 1e-5, 5.16, None),
        (steps(4.0, 0.25, 100), 1e-5, 2.70, None),
    ],
)
def test_known_guarantees(
    event: Event, delta: float, loss_distribution: float, renyi: float | None
) -> None:
    pytest.importorskip("dp_accounting")
    found = guarantee([event], delta)
    # The published figures were rounded up by as much as .012.
    assert loss_distribution - 0.015 < found.epsilon <= loss_distribution + 0.001
    assert found.epsilon <= found.check
    if renyi is not None:
        assert found.check == pytest.approx(renyi, rel=0.02)


def test_renyi_of_sampled_gaussians_agrees_with_opacus() -> None:
    analysis = pytest.importorskip("opacus.accountants.analysis.rdp")
    orders = np.array([2.0, 5.0, 20.0, 60.0])
    for noise, sampling in [(1.0, 0.01), (0.7, 0.2), (5.0, 0.5)]:
        expected = analysis.compute_rdp(
            q=sampling, noise_multiplier=noise, steps=1, orders=orders.tolist()
        )
        found = renyi_divergence(steps(noise, sampling, 1), orders)
        assert found == pytest.approx(np.asarray(expected), rel=1e-6)


def test_renyi_of_laplace_and_pure_releases() -> None:
    orders = np.array([2.0, 8.0, 1e5])
    laplace = renyi_divergence(Event("laplace", "x", scale=2.0), orders)

    def density(x: float, centre: float) -> float:
        return math.exp(-abs(x - centre) / 2.0) / 4.0

    integral, _ = integrate.quad(
        lambda x: density(x, 0) ** 2 / density(x, 1), -60, 60, points=[0, 1], limit=200
    )
    assert laplace[0] == pytest.approx(math.log(integral), rel=1e-6)
    pure = renyi_divergence(Event("pure", "x", scale=2.0), orders)
    assert (laplace <= pure + 1e-12).all()
    assert pure[-1] == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("delta", [1e-7, 1e-4])
def test_loss_distributions_are_below_renyi(delta: float) -> None:
    pytest.importorskip("dp_accounting")
    found = guarantee(MIXED, delta)
    assert found.method == "loss distribution"
    assert found.epsilon <= found.check
    assert found.epsilon > guarantee(MIXED[:1], delta).epsilon
    assert delta_at(MIXED, found.epsilon) == pytest.approx(delta, rel=0.02)


def test_gaussians_add_up_as_squares() -> None:
    events = [
        Event("gaussian", "a", sensitivity=3.0, scale=10.0),
        Event("gaussian", "b", sensitivity=2.0, scale=10.0, count=4),
    ]
    assert total_mu(events) == pytest.approx(0.5)
    one = guarantee([Event("gaussian", "c", scale=2.0)], 1e-6)
    both = guarantee(events, 1e-6)
    assert both.epsilon == pytest.approx(one.epsilon, rel=1e-9)
    assert both.method == "exact"


def test_exact_and_numeric_answers_agree() -> None:
    pld = pytest.importorskip("dp_accounting.pld.privacy_loss_distribution")
    numeric = pld.from_gaussian_mechanism(4.0).get_epsilon_for_delta(1e-6)
    assert guarantee([steps(4.0, 1.0, 1)], 1e-6).epsilon == pytest.approx(numeric, rel=1e-3)


def test_failures_are_taken_off_delta() -> None:
    noise = Event("gaussian", "counts", scale=4.0)
    failure = Event("failure", "threshold", delta=4e-7)
    found = guarantee([noise, failure], 1e-6).epsilon
    assert found == pytest.approx(guarantee([noise], 6e-7).epsilon)
    assert delta_at([noise, failure], 1.0) == pytest.approx(delta_at([noise], 1.0) + 4e-7)
    with pytest.raises(PrivacyError, match="use up"):
        guarantee([noise, failure, failure, failure], 1e-6)


@pytest.mark.parametrize(("sampling", "count"), [(1.0, 1), (1.0, 30), (0.03, 2_000)])
def test_calibrated_noise_is_the_least(sampling: float, count: int) -> None:
    epsilon, delta = 1.0, 1e-6
    found = noise_multiplier(epsilon, delta, sampling=sampling, steps=count)
    assert guarantee([steps(found, sampling, count)], delta).epsilon <= epsilon * (1 + 1e-9)
    less = guarantee([steps(found * (1 - 1e-3), sampling, count)], delta)
    assert less.epsilon > epsilon


def test_calibration_makes_room_for_other_releases() -> None:
    before = [Event("gaussian", "counts", scale=8.0)]
    alone = noise_multiplier(1.0, 1e-6, sampling=1.0, steps=1)
    beside = noise_multiplier(1.0, 1e-6, sampling=1.0, steps=1, before=before)
    assert 1 / alone**2 == pytest.approx(1 / beside**2 + 1 / 64, rel=1e-6)
    with pytest.raises(PrivacyError, match="leave no budget"):
        noise_multiplier(1.0, 1e-6, sampling=1.0, steps=1, before=before * 4)


def test_calibration_that_cannot_succeed() -> None:
    with pytest.raises(PrivacyError, match="No noise up to 10"):
        calibrate(lambda noise: [steps(noise, 1.0, 10_000)], 0.1, 1e-9, high=10.0)


def test_trade_off_curve() -> None:
    alarms = np.array([0.0, 0.001, 0.01, 0.1, 0.5, 1.0])
    event = [steps(4.0, 1.0, 1)]
    exact = trade_off(event, alarms)
    assert exact == pytest.approx(gaussian_trade_off(0.25, alarms))
    assert exact[0] == 1.0
    assert exact[-1] == 0.0
    # An optimal test on a million draws of either world does no better than the curve says.
    rng = np.random.default_rng(0)
    threshold = stats.norm.isf(0.1)
    misses = (rng.normal(0.25, 1.0, 1_000_000) <= threshold).mean()
    assert misses == pytest.approx(exact[3], abs=3e-3)


def test_numeric_trade_off_curve_lies_just_below_the_exact_one() -> None:
    pytest.importorskip("dp_accounting")
    alarms = np.linspace(0, 1, 21)
    tiny = Event("pure", "next to nothing", scale=1e7)
    numeric = trade_off([steps(4.0, 1.0, 1), tiny], alarms)
    exact = gaussian_trade_off(0.25, alarms)
    assert (numeric <= exact + 1e-9).all()
    assert (exact - numeric).max() < 2e-3


def test_without_the_optional_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounting, "has_loss_distributions", lambda: False)
    found = guarantee(MIXED, 1e-6)
    assert found.method == "renyi"
    assert found.epsilon == found.check == renyi_epsilon(MIXED, 1e-6)
    assert guarantee(MIXED[:1], 1e-6).method == "exact"
    with pytest.raises(MissingExtraError, match="dp-accounting"):
        trade_off(MIXED, [0.1])


def test_pure_releases_need_no_delta() -> None:
    found = guarantee([Event("pure", "choice", scale=2.0, count=2)], 1e-6)
    assert found.epsilon == pytest.approx(1.0, rel=1e-4)
    assert found.epsilon <= 1.0 + 1e-9


@pytest.mark.parametrize(
    "facts",
    [
        {"mechanism": "magic"},
        {"scale": 0.0},
        {"scale": math.inf},
        {"scale": math.nan},
        {"sensitivity": -1.0, "scale": 1.0},
        {"count": 0, "scale": 1.0},
        {"sampling": 1.5, "scale": 1.0},
        {"sampling": 0.1, "scale": 1.0, "mechanism": "laplace"},
        {"delta": 1.0, "scale": 1.0},
    ],
)
def test_events_that_make_no_sense(facts: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError):
        Event(**{"mechanism": "gaussian", "note": "x"} | facts)


@pytest.mark.parametrize(("epsilon", "delta"), [(0, 1e-6), (-1, 1e-6), (1, 0), (1, 1), (1, 2)])
def test_guarantees_that_make_no_sense(epsilon: float, delta: float) -> None:
    with pytest.raises(InvalidParameterError):
        gaussian_mu(epsilon, delta)


@pytest.mark.parametrize("sampling", [1.0, 0.1])
def test_failures_that_use_up_delta_leave_nothing_for_training(sampling: float) -> None:
    before = [Event("failure", "f", delta=2e-6)]
    with pytest.raises(PrivacyError):
        noise_multiplier(1.0, 1e-6, sampling=sampling, steps=10, before=before)
