"""From events to a guarantee, and from a guarantee to the noise that it takes.

Releases with Gaussian noise only have an exact answer (:mod:`synthgen.dp.gaussian`). Everything
else is composed numerically as privacy loss distributions by the package ``dp-accounting``, and by
Renyi divergences where it is not installed. Failures are added to delta.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from synthgen.core.params import check_real
from synthgen.dp.errors import PrivacyError
from synthgen.dp.events import Event
from synthgen.dp.gaussian import gaussian_delta, gaussian_epsilon, gaussian_mu, gaussian_trade_off
from synthgen.dp.renyi import renyi_epsilon

#: Width of the cells that privacy losses are rounded up to.
_CELL: Final = 1e-4
#: Relative width of the bracket in which a calibrated scale is known.
_TOLERANCE: Final = 1e-4


@dataclass(frozen=True)
class Guarantee:
    """What a set of events keeps.

    Parameters
    ----------
    epsilon, delta : float
    method : {"exact", "loss distribution", "renyi"}
        How epsilon was found.
    check : float
        The same epsilon by Renyi divergences, an upper bound.
    """

    epsilon: float
    delta: float
    method: str
    check: float


def guarantee(events: Sequence[Event], delta: float) -> Guarantee:
    """Return the epsilon that `events` together keep at `delta`.

    Parameters
    ----------
    events : sequence of Event
    delta : float
        In all, failures included.

    Raises
    ------
    PrivacyError
        If failures alone use up `delta`.

    Examples
    --------
    >>> one = Event("gaussian", "counts", sensitivity=1.0, scale=4.0)
    >>> round(guarantee([one], 1e-6).epsilon, 2)
    1.06
    """
    left = delta - failure_of(events)
    if left < 0 or (left == 0 and any(event.mechanism == "gaussian" for event in events)):
        raise PrivacyError(
            f"Events that may fail use up {failure_of(events):.3g} of delta = {delta:.3g}; "
            "allow a larger delta or make their thresholds higher."
        )
    noisy = [event for event in events if event.mechanism != "failure"]
    if not noisy:
        return Guarantee(0.0, delta, "exact", 0.0)
    check = renyi_epsilon(noisy, left)
    if _only_gaussian(noisy):
        return Guarantee(gaussian_epsilon(total_mu(noisy), left), delta, "exact", check)
    # Pure events also just add up, without any delta.
    pure = [event.count * event.ratio for event in noisy if event.mechanism in ("pure", "laplace")]
    check = min(check, math.fsum(pure)) if len(pure) == len(noisy) else check
    if not has_loss_distributions():
        return Guarantee(check, delta, "renyi", check)
    epsilon = float(_loss_distribution(noisy).get_epsilon_for_delta(left))
    if not epsilon <= check:
        # The numerical answer is no better, or failed by overflow: the bound holds all the same.
        return Guarantee(check, delta, "renyi", check)
    return Guarantee(epsilon, delta, "loss distribution", check)


def delta_at(events: Sequence[Event], epsilon: float) -> float:
    """Return the smallest delta that `events` together keep at `epsilon`."""
    noisy = [event for event in events if event.mechanism != "failure"]
    if not noisy:
        return min(failure_of(events), 1.0)
    if _only_gaussian(noisy):
        noise = gaussian_delta(total_mu(noisy), epsilon)
    else:
        _require_loss_distributions("delta as a function of epsilon")
        noise = float(_loss_distribution(noisy).get_delta_for_epsilon(epsilon))
    return min(noise + failure_of(events), 1.0)


def trade_off(events: Sequence[Event], false_alarm: Any) -> NDArray[np.float64]:
    """Return the least rate of misses of any test whether a row took part.

    Parameters
    ----------
    events : sequence of Event
    false_alarm : array-like of float
        Rates of false alarms in [0, 1].

    Returns
    -------
    numpy.ndarray
        A rate of misses for each; a straight line from 1 to 0 would be perfect privacy.
    """
    alarms = np.asarray(false_alarm, dtype=np.float64)
    noisy = [event for event in events if event.mechanism != "failure"]
    failure = failure_of(events)
    if _only_gaussian(noisy):
        curve = gaussian_trade_off(total_mu(noisy), alarms)
        return np.asarray(np.clip(curve - failure, 0.0, 1.0))
    _require_loss_distributions("the trade-off curve")
    epsilons = np.concatenate([np.linspace(0, 2, 81), np.geomspace(2, 50, 40)[1:]])
    deltas = np.asarray(_loss_distribution(noisy).get_delta_for_epsilon(epsilons)) + failure
    column = alarms[..., None]
    bounds = np.maximum(
        1 - deltas - np.exp(epsilons) * column, np.exp(-epsilons) * (1 - deltas - column)
    )
    return np.asarray(np.maximum(bounds.max(axis=-1), 0.0))


def calibrate(
    events: Callable[[float], Sequence[Event]],
    epsilon: float,
    delta: float,
    *,
    low: float = 1e-2,
    high: float = 1e6,
) -> float:
    """Return the least noise with which a plan of releases keeps (epsilon, delta).

    Parameters
    ----------
    events : callable
        Returns the events for a given noise level; more noise, less privacy spent.
    epsilon, delta : float
    low, high : float
        Noise levels between which the answer lies.

    Returns
    -------
    float
        Above the least one by a ten-thousandth or less.

    Raises
    ------
    PrivacyError
        If not even the highest level is enough.
    """
    epsilon = check_real("epsilon", epsilon, low=0.0, high=1e6, closed="high")
    check_real("delta", delta, low=0.0, high=1.0, closed="neither")

    def excess(log_level: float) -> float:
        return guarantee(events(math.exp(log_level)), delta).epsilon - epsilon

    def surely_enough(level: float) -> bool:
        planned = events(level)
        noisy = [event for event in planned if event.mechanism != "failure"]
        return renyi_epsilon(noisy, delta - failure_of(planned)) <= epsilon

    if not surely_enough(high) and excess(math.log(high)) > 0:
        raise PrivacyError(
            f"No noise up to {high:g} keeps epsilon = {epsilon:g}; plan fewer releases."
        )
    # The bound is quick and close, so that few exact answers are needed.
    upper = math.log(_least(surely_enough, low, high, 1.01))
    lower = max(upper - 0.2, math.log(low))
    while excess(lower) <= 0:
        if lower <= math.log(low):
            return low
        upper, lower = lower, max(lower - 0.5, math.log(low))
    level = float(brentq(excess, lower, upper, xtol=_TOLERANCE / 4))
    while excess(level) > 0:
        level += _TOLERANCE / 4
    return math.exp(level)


def _least(enough: Callable[[float], bool], low: float, high: float, ratio: float) -> float:
    """Return a level that is enough, at most `ratio` times the least one; `high` is enough."""
    while high / low > ratio:
        middle = math.sqrt(low * high)
        if enough(middle):
            high = middle
        else:
            low = middle
    return high


def noise_multiplier(
    epsilon: float, delta: float, *, sampling: float, steps: int, before: Sequence[Event] = ()
) -> float:
    """Return noise per clipping norm for private gradient steps on Poisson batches.

    Parameters
    ----------
    epsilon, delta : float
    sampling : float
        Probability with which a row is in a batch.
    steps : int
        Number of steps, those with empty batches included.
    before : sequence of Event
        What else is released within the same budget.
    """
    if sampling == 1 and _only_gaussian([e for e in before if e.mechanism != "failure"]):
        rest = delta - failure_of(before)
        left = gaussian_mu(epsilon, rest) ** 2 - total_mu(before) ** 2 if rest > 0 else 0.0
        if left <= 0:
            raise PrivacyError("Other releases leave no budget for training.")
        return math.sqrt(steps / left)
    step = Event("gaussian", "gradients", scale=1.0, count=steps, sampling=sampling)
    return calibrate(
        lambda noise: [*before, replace(step, scale=noise)], epsilon, delta, low=0.2, high=1e4
    )


def total_mu(events: Sequence[Event]) -> float:
    """Return mu of all Gaussian events together, none of them on a sample."""
    return math.sqrt(math.fsum(e.count * e.ratio**2 for e in events if e.mechanism == "gaussian"))


def failure_of(events: Sequence[Event]) -> float:
    """Return the sum of the probabilities of failure."""
    return math.fsum(event.count * event.delta for event in events)


def has_loss_distributions() -> bool:
    """Whether the package ``dp-accounting`` is installed."""
    return importlib.util.find_spec("dp_accounting") is not None


def _require_loss_distributions(feature: str) -> None:
    if not has_loss_distributions():
        from synthgen.errors import MissingExtraError

        raise MissingExtraError(feature.capitalize(), "dp-accounting", "privacy")


def _only_gaussian(events: Sequence[Event]) -> bool:
    return all(event.mechanism == "gaussian" and event.sampling == 1 for event in events)


def _loss_distribution(events: Sequence[Event]) -> Any:
    """Compose the events as one privacy loss distribution, rounded up."""
    from dp_accounting.pld import privacy_loss_distribution as pld

    plain = [e for e in events if e.mechanism == "gaussian" and e.sampling == 1]
    parts = [_one_distribution(e) for e in events if e not in plain]
    if plain:
        parts.append(_gaussian_distribution(1 / total_mu(plain), 1.0))
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.compose(part)
    assert isinstance(whole, pld.PrivacyLossDistribution)
    return whole


def _one_distribution(event: Event) -> Any:
    from dp_accounting.pld import common
    from dp_accounting.pld import privacy_loss_distribution as pld

    if event.mechanism == "gaussian":
        return _gaussian_distribution(1 / event.ratio, event.sampling).self_compose(event.count)
    if event.mechanism == "laplace":
        one = pld.from_laplace_mechanism(1 / event.ratio, value_discretization_interval=_CELL)
    else:
        one = pld.from_privacy_parameters(
            common.DifferentialPrivacyParameters(event.ratio, 0.0),
            value_discretization_interval=_CELL,
        )
    return one if event.count == 1 else one.self_compose(event.count)


def _gaussian_distribution(sigma: float, sampling: float) -> Any:
    from dp_accounting.pld import privacy_loss_distribution as pld

    return pld.from_gaussian_mechanism(
        sigma, value_discretization_interval=_CELL, sampling_prob=sampling
    )
