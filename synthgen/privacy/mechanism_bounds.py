"""What counts of right and wrong guesses prove about epsilon, at a confidence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrc, betaincinv

Floats = NDArray[np.float64]

#: No bound above this is looked for.
_MOST: Final = 60.0
#: Width of the bracket in which a bound is known; its lower end is returned.
_EXACT: Final = 1e-6


def rate_at_least(hits: ArrayLike, trials: int, level: float) -> Floats:
    """Return the lower end of the one-sided Clopper-Pearson interval of a rate.

    Parameters
    ----------
    hits : array-like of int
    trials : int
    level : float
        Probability with which the interval may miss the rate.

    References
    ----------
    Clopper and Pearson, Biometrika 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> round(float(rate_at_least(20, 20, 0.025)), 3)
    0.832
    """
    hits = np.asarray(hits, dtype=np.float64)
    found = betaincinv(np.maximum(hits, 1.0), trials - hits + 1.0, level)
    return np.asarray(np.where(hits > 0, found, 0.0))


def rate_at_most(hits: ArrayLike, trials: int, level: float) -> Floats:
    """Return the upper end of the one-sided Clopper-Pearson interval of a rate."""
    return np.asarray(1.0 - rate_at_least(trials - np.asarray(hits), trials, level))


def two_world_epsilon(
    hits: ArrayLike, alarms: ArrayLike, trials: int, *, delta: float, level: float
) -> Floats:
    """Return an epsilon that the mechanism exceeds, unless chance misled with probability `level`.

    Every test of an (epsilon, delta)-private mechanism has
    ``hit rate <= exp(epsilon) * alarm rate + delta``, and the same of the rates of right and wrong
    guesses of the other world.

    Parameters
    ----------
    hits : array-like of int
        How often world 1 was guessed when it was world 1.
    alarms : array-like of int
        How often world 1 was guessed when it was world 0.
    trials : int
        Runs of each world.
    delta : float
    level : float
        Shared evenly by the intervals of the two rates.

    Returns
    -------
    numpy.ndarray
        0 where the guesses prove nothing.

    References
    ----------
    Kairouz, Oh, Viswanath, ICML 2015, arXiv:1311.0776; Jagielski, Ullman, Oprea, NeurIPS 2020,
    arXiv:2006.07709.

    Examples
    --------
    >>> round(float(two_world_epsilon(100, 0, 100, delta=0.0, level=0.05)), 2)
    3.28
    """
    hit = rate_at_least(hits, trials, level / 2)
    alarm = rate_at_most(alarms, trials, level / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.log(np.maximum(hit - delta, 0.0)) - np.log(alarm)
        second = np.log(np.maximum(1.0 - alarm - delta, 0.0)) - np.log(1.0 - hit)
    return np.asarray(np.fmax(np.fmax(first, second), 0.0))


def one_run_chance(right: int, guesses: int, canaries: int, epsilon: float, delta: float) -> float:
    """Return the largest probability of so many right guesses about an (epsilon, delta) mechanism.

    Each of `canaries` rows is in or out by a fair coin, and about `guesses` of them a guess was
    made from one output. Under pure privacy the number of right guesses is at most a binomial one
    with chance ``1 / (1 + exp(-epsilon))``; delta adds what its worst use could move.

    References
    ----------
    Steinke, Nasr, Jagielski, NeurIPS 2023, arXiv:2305.08846, theorem 5.2.

    Examples
    --------
    >>> one_run_chance(3, 3, 3, 0.0, 0.0)
    0.125
    """
    chance = 1.0 / (1.0 + math.exp(-epsilon))
    tail = float(bdtrc(right - 1, guesses, chance)) if right else 1.0
    if delta == 0 or right == 0:
        return min(tail, 1.0)
    # P(right - i <= hits < right) for i = 1, 2, ...
    below = bdtr(right - 1, guesses, chance) - bdtr(
        np.arange(right - 2, -2, -1).clip(0), guesses, chance
    ) * (np.arange(right - 2, -2, -1) >= 0)
    worst = float(np.max(below / np.arange(1, right + 1)))
    return min(tail + 2 * canaries * delta * worst, 1.0)


def one_run_epsilon(
    right: int, guesses: int, canaries: int, *, delta: float, level: float
) -> float:
    """Return the largest epsilon at which so many right guesses have a chance below `level`.

    Examples
    --------
    >>> round(one_run_epsilon(100, 100, 500, delta=1e-5, level=0.05), 2)
    3.48
    """
    return last_true(
        lambda epsilon: one_run_chance(right, guesses, canaries, epsilon, delta) < level, _MOST
    )


def last_true(holds: Callable[[float], bool], high: float) -> float:
    """Return up to where a condition holds that holds at small numbers only; 0 if nowhere."""
    if not holds(0.0):
        return 0.0
    low = 0.0
    if holds(high):
        return high
    while high - low > _EXACT:
        middle = (low + high) / 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def best_threshold(
    scores_0: Floats, scores_1: Floats, *, trials: int, delta: float, level: float
) -> tuple[float, float, float]:
    """Choose the rule ``sign * score >= threshold`` that proves most.

    Parameters
    ----------
    scores_0, scores_1 : numpy.ndarray of float64, shape (n,)
        Of runs that are used for nothing else.
    trials : int
        Runs of each world that the rule will be tried on.
    delta, level : float
        See :func:`two_world_epsilon`.

    Returns
    -------
    sign, threshold, worth : float
        The bound, and next to it the advantage, decides; the worth orders rules.
    """
    best: tuple[float, float, float] = (1.0, math.inf, -1.0)
    scale = trials / len(scores_0)
    for sign in (1.0, -1.0):
        ordered = [np.sort(sign * scores) for scores in (scores_0, scores_1)]
        cuts: Any = _cuts(np.unique(np.concatenate(ordered)))
        alarms, hits = (len(part) - np.searchsorted(part, cuts) for part in ordered)
        bound = two_world_epsilon(
            np.floor(hits * scale), np.ceil(alarms * scale), trials, delta=delta, level=level
        )
        worth = bound + 1e-3 * (hits - alarms) / len(scores_0)
        place = int(np.argmax(worth))
        if worth[place] > best[2]:
            best = (sign, float(cuts[place]), float(worth[place]))
    return best


def _cuts(values: Floats) -> Floats:
    """Return thresholds in the middle of neighbours, so that rounding moves no score over them."""
    return np.asarray(np.append(values[:-1] / 2 + values[1:] / 2, np.inf))
