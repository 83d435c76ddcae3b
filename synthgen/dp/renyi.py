"""Renyi differential privacy: an upper bound that needs nothing but arithmetic.

The number of record comes from privacy loss distributions (:mod:`synthgen.dp.accounting`); this one
is the cross-check, and stands in where that package is not installed. It is never smaller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from synthgen.dp.events import Event

Floats = NDArray[np.float64]

#: Whole orders, since the formula for sampled Gaussians is a finite sum at these; those between 1
#: and 2 serve releases without sampling.
WHOLE: Final = np.concatenate([np.arange(2, 64), np.arange(64, 256, 8), 2.0 ** np.arange(8, 13)])
BETWEEN: Final = np.concatenate(
    [np.linspace(1.05, 2, 19, endpoint=False), 2.0 ** np.arange(13, 21)]
)


def renyi_epsilon(events: Sequence[Event], delta: float) -> float:
    """Return an epsilon that `events` together keep, by Renyi divergences.

    Parameters
    ----------
    events : sequence of Event
    delta : float
        What is left of it for the noise, failures taken off.

    References
    ----------
    Mironov, CSF 2017, arXiv:1702.07476; conversion by Canonne, Kamath, Steinke, arXiv:2004.00010,
    proposition 12.
    """
    if delta <= 0:
        return math.inf
    sampled = any(event.sampling < 1 for event in events)
    orders = WHOLE if sampled else np.concatenate([WHOLE, BETWEEN])
    total = np.zeros(len(orders))
    for event in events:
        total += event.count * renyi_divergence(event, orders)
    epsilon = total + np.log1p(-1 / orders) - (math.log(delta) + np.log(orders)) / (orders - 1)
    return max(float(epsilon.min()), 0.0)


def renyi_divergence(event: Event, orders: Floats) -> Floats:
    """Return the largest Renyi divergence between neighbours of one release, by order."""
    if event.mechanism == "failure":
        return np.zeros(len(orders))
    if event.mechanism == "pure":
        return np.minimum(_two_points(event.ratio, orders), event.ratio)
    if event.mechanism == "laplace":
        return _laplace(event.ratio, orders)
    if event.sampling == 1:
        return np.asarray(orders * event.ratio**2 / 2)
    return np.array([_sampled(event.sampling, event.ratio, int(order)) for order in orders])


def _two_points(epsilon: float, orders: Floats) -> Floats:
    """Randomised response, which every pure mechanism is at most as telling as."""
    high, low = -np.log1p(np.exp(-epsilon)), -np.log1p(np.exp(epsilon))
    terms = [
        orders * high + (1 - orders) * low,
        orders * low + (1 - orders) * high,
    ]
    return np.asarray(logsumexp(terms, axis=0) / (orders - 1))


def _laplace(epsilon: float, orders: Floats) -> Floats:
    """Laplace noise (Mironov 2017, proposition 6)."""
    terms = [
        np.log(orders / (2 * orders - 1)) + (orders - 1) * epsilon,
        np.log((orders - 1) / (2 * orders - 1)) - orders * epsilon,
    ]
    return np.asarray(logsumexp(terms, axis=0) / (orders - 1))


def _sampled(rate: float, ratio: float, order: int) -> float:
    """Gaussian noise on a Poisson sample (Mironov et al., arXiv:1908.10530, section 3.3)."""
    k = np.arange(order + 1)
    terms = (
        gammaln(order + 1)
        - gammaln(k + 1)
        - gammaln(order - k + 1)
        + k * math.log(rate)
        + (order - k) * math.log1p(-rate)
        + (k * k - k) * ratio**2 / 2
    )
    return float(logsumexp(terms)) / (order - 1)
