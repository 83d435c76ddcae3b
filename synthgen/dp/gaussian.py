"""The Gaussian mechanism in closed form.

Noise of standard deviation s on a vector that a row changes by at most d (in Euclidean norm) is
exactly as private as telling N(0, 1) from N(mu, 1) with mu = d / s. Releases with mu_1, mu_2, ...
are together one with mu^2 = mu_1^2 + mu_2^2 + ..., also when each is chosen after the ones before.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from synthgen.core.params import check_real

#: Relative width of the bracket in which a root is known; the safe end of it is returned.
_EXACT: Final = 1e-12


def gaussian_delta(mu: float, epsilon: float) -> float:
    """Return the smallest delta for which a Gaussian release is (epsilon, delta)-private.

    delta = Phi(mu/2 - epsilon/mu) - exp(epsilon) Phi(-mu/2 - epsilon/mu).

    References
    ----------
    Balle and Wang, ICML 2018, arXiv:1805.06530, theorem 8.

    Examples
    --------
    >>> round(gaussian_delta(1.0, 1.0), 6)
    0.126937
    """
    if mu == 0:
        return 0.0
    upper = float(log_ndtr(mu / 2 - epsilon / mu))
    lower = float(log_ndtr(-mu / 2 - epsilon / mu)) + epsilon
    return max(-math.exp(upper) * math.expm1(min(lower - upper, 0.0)), 0.0)


def gaussian_mu(epsilon: float, delta: float) -> float:
    """Return the largest mu that is (epsilon, delta)-private, rounded down.

    Raises
    ------
    InvalidParameterError
        If epsilon or delta is not positive and finite, or delta not below 1.

    Examples
    --------
    >>> round(gaussian_mu(1.0, 1e-6), 4)
    0.2367
    """
    epsilon = check_real("epsilon", epsilon, low=0.0, high=1e6, closed="high")
    delta = check_real("delta", delta, low=0.0, high=1.0, closed="neither")
    low, high = 0.0, math.sqrt(2 * epsilon) + 80.0
    while high - low > _EXACT * high:
        middle = (low + high) / 2
        if gaussian_delta(middle, epsilon) <= delta:
            low = middle
        else:
            high = middle
    return low


def gaussian_epsilon(mu: float, delta: float) -> float:
    """Return the smallest epsilon for which mu is (epsilon, delta)-private, rounded up.

    Examples
    --------
    >>> round(gaussian_epsilon(0.2367, 1e-6), 3)
    1.0
    """
    delta = check_real("delta", delta, low=0.0, high=1.0, closed="neither")
    if gaussian_delta(mu, 0.0) <= delta:
        return 0.0
    low, high = 0.0, mu * mu / 2 + mu * (abs(float(ndtri(delta))) + 1.0)
    while high - low > _EXACT * high:
        middle = (low + high) / 2
        if gaussian_delta(mu, middle) <= delta:
            high = middle
        else:
            low = middle
    return high


def gaussian_trade_off(mu: float, false_alarm: Any) -> Any:
    """Return the least rate of misses of any test for one row, by its rate of false alarms.

    References
    ----------
    Dong, Roth, Su, JRSS-B 2022, arXiv:1905.02383.
    """
    return ndtr(ndtri(1.0 - np.asarray(false_alarm, dtype=np.float64)) - mu)
