"""How small a leak an audit would have seen: computed beforehand, not from what it saw."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
from scipy.special import ndtr
from scipy.stats import binom

from synthgen.dp.gaussian import gaussian_epsilon
from synthgen.privacy.mechanism_bounds import one_run_chance, two_world_epsilon

#: A leak counts as seen if it is refuted with this probability.
_POWER: Final = 0.8
#: Gaussian releases beyond this mu cannot be told from no noise.
_LARGEST_MU: Final = 60.0
_LARGEST_EPSILON: Final = 60.0
_STEPS: Final = 40


def two_world_ceiling(trials: int, *, delta: float, level: float) -> float:
    """Return the bound of a perfect attack with `trials` runs of each world."""
    return float(two_world_epsilon(trials, 0, trials, delta=delta, level=level))


@cache
def two_world_detectable(
    epsilon: float, trials: int, *, delta: float, level: float
) -> float | None:
    """Return the smallest epsilon of a Gaussian release that would be refuted.

    The attacker is the best one, a threshold on the likelihood ratio; both counts are taken at
    unlucky quantiles that together have a probability of at least .8 to be no worse.

    Parameters
    ----------
    epsilon : float
        The claim.
    trials : int
        Runs of each world on which the rule is tried.
    delta, level : float

    Returns
    -------
    float or None
        Epsilon at `delta` (at 1e-12 if that is 0); None if not even a release without noise is
        refuted.
    """
    thresholds = np.linspace(-8.0, 8.0, 321)
    unlucky = (1.0 - _POWER) / 2

    def seen(mu: float) -> bool:
        hits = binom.ppf(unlucky, trials, ndtr(mu - thresholds))
        alarms = binom.ppf(1.0 - unlucky, trials, ndtr(-thresholds))
        return bool(
            two_world_epsilon(hits, alarms, trials, delta=delta, level=level).max() > epsilon
        )

    mu = _first_true(seen, _LARGEST_MU)
    return None if mu is None else gaussian_epsilon(mu, max(delta, 1e-12))


@cache
def one_run_detectable(
    epsilon: float, guesses: int, canaries: int, *, delta: float, level: float
) -> float | None:
    """Return the smallest epsilon of randomised responses that would be refuted.

    The mechanism tells of every canary whether it took part, truly with probability
    ``1 / (1 + exp(-epsilon))``.
    """
    # The more guesses are right, the smaller is the chance.
    needed = bisect_left(
        range(guesses + 1),
        True,
        key=lambda right: one_run_chance(right, guesses, canaries, epsilon, delta) < level,
    )
    if needed > guesses:
        return None
    return _first_true(
        lambda leak: float(binom.sf(needed - 1, guesses, 1.0 / (1.0 + math.exp(-leak)))) >= _POWER,
        _LARGEST_EPSILON,
    )


def _first_true(holds: Callable[[float], bool], high: float) -> float | None:
    """Return from where on a condition holds that holds at large numbers only."""
    if not holds(high):
        return None
    low = 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high
