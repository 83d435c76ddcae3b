"""Attacks on anything that claims to be private, to refute the claim.

A mechanism is a function of a data set; how it works does not matter. In the *two worlds* audit it
runs many times on two neighbours, and the attacker guesses which it was. In the *one run* audit it
runs once on data in which many canaries take part or not, each by a coin, and the attacker guesses
the coins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.core.params import check_integer, check_real
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidParameterError
from synthgen.measure.checks import check_callable, check_numbers
from synthgen.privacy.mechanism_bounds import (
    best_threshold,
    one_run_epsilon,
    two_world_epsilon,
)
from synthgen.privacy.mechanism_power import (
    one_run_detectable,
    two_world_ceiling,
    two_world_detectable,
)
from synthgen.privacy.mechanism_result import MechanismAudit
from synthgen.privacy.mechanism_scores import learn_statistics

Floats = NDArray[np.float64]
Rule = tuple[Callable[[Sequence[Any]], Floats], float, float]

_FEWEST_RUNS: Final = 8
#: The one-run audit tries to guess about all canaries, half of them, and so on.
_SHARES: Final = (1.0, 0.5, 0.25, 0.125)


def audit_mechanism(
    mechanism: Callable[[Any], Any],
    world_0: Any,
    world_1: Any,
    *,
    epsilon: float,
    delta: float,
    n_runs: int = 1000,
    statistic: Callable[[Any], float] | None = None,
    confidence: float = 0.95,
    random_state: Any = None,
) -> MechanismAudit:
    """Try to tell two neighbouring data sets apart by what a mechanism makes of them.

    Half of the runs choose the attack: the direction and the threshold on `statistic`, or a
    statistic that is learnt. The other half tries it, so that choosing costs no confidence.

    Parameters
    ----------
    mechanism : callable
        Takes a data set and returns everything that would be published: a number, text, an array,
        or mappings and sequences of them. It must use fresh randomness in every call. An exception
        is an output too, if the attacker would see it: catch it and return its text.
    world_0, world_1 : object
        Two neighbours: data sets between which the mechanism should not let anybody tell.
    epsilon, delta : float
        The claim.
    n_runs : int
        How often the mechanism runs on each. See `ceiling` and `detectable` of the result for what
        so many runs can show.
    statistic : callable, optional
        One number from an output, large (or small) in world 1: best the logarithm of the likelihood
        ratio. None learns one.
    confidence : float
        Probability with which the bound holds.
    random_state : None, int, numpy RandomState or Generator
        The order of runs. It never reaches the mechanism.

    Returns
    -------
    MechanismAudit

    Raises
    ------
    InvalidParameterError
        If the claim or the number of runs makes no sense, or the statistic gives no number.

    References
    ----------
    Jagielski, Ullman, Oprea, NeurIPS 2020, arXiv:2006.07709; Nasr et al., IEEE S&P 2021,
    arXiv:2101.04535.

    Examples
    --------
    >>> noise = np.random.default_rng(0)
    >>> def too_little_noise(total):
    ...     return total + noise.normal(0, 0.3)
    >>> result = audit_mechanism(
    ...     too_little_noise, 0.0, 1.0, epsilon=1.0, delta=1e-6, n_runs=400, random_state=0
    ... )
    >>> result.verdict, result.lower > 2
    ('refuted', True)
    """
    epsilon, delta, confidence = _check_claim(epsilon, delta, confidence)
    check_callable("mechanism", mechanism, "a callable that takes a data set")
    if statistic is not None:
        check_callable("statistic", statistic, "a callable that takes an output, or None")
    n_runs = check_integer("n_runs", n_runs, minimum=_FEWEST_RUNS)
    outputs = _run_both(mechanism, (world_0, world_1), n_runs, root_seed(random_state))
    n_chosen = n_runs // 2
    trials, level = n_runs - n_chosen, 1.0 - confidence
    chosen = [part[:n_chosen] for part in outputs]
    sign_of = _choose(chosen[0], chosen[1], statistic, trials=trials, delta=delta, level=level)
    scores, sign, threshold = sign_of
    alarms, hits = (
        int(np.count_nonzero(sign * scores(part[n_chosen:]) >= threshold)) for part in outputs
    )
    detectable = two_world_detectable(epsilon, trials, delta=delta, level=level)
    return MechanismAudit(
        method="two worlds",
        lower=float(two_world_epsilon(hits, alarms, trials, delta=delta, level=level)),
        epsilon=epsilon,
        delta=delta,
        confidence=confidence,
        ceiling=two_world_ceiling(trials, delta=delta, level=level),
        detectable=detectable,
        counts={
            "runs_to_choose": n_chosen,
            "runs_to_report": trials,
            "hits": hits,
            "false_alarms": alarms,
        },
        note=_note("a Gaussian release, the best attack on it", detectable, "n_runs"),
    )


def audit_one_run(
    mechanism: Callable[[NDArray[np.bool_]], Any],
    n_canaries: int,
    *,
    epsilon: float,
    delta: float,
    scores: Callable[[Any], Any] | None = None,
    n_guesses: int | None = None,
    confidence: float = 0.95,
    random_state: Any = None,
) -> MechanismAudit:
    """Try to tell from one output which of many canaries took part.

    Cheaper than two worlds where a run is dear, and weaker: canaries disturb one another, and delta
    counts against the audit once for each of them.

    Parameters
    ----------
    mechanism : callable
        Takes an array of booleans, which canaries take part, adds those to the data and returns
        what would be published.
    n_canaries : int
    epsilon, delta : float
        The claim about one canary that takes part or not.
    scores : callable, optional
        One number for each canary from the output, large if it seems to have taken part. None takes
        the output itself.
    n_guesses : int, optional
        About how many canaries a guess is made: half of them those with the highest scores. None
        tries all, a half, a quarter and an eighth, and pays for the choice.
    confidence : float
    random_state : None, int, numpy RandomState or Generator
        The coins. They never reach the mechanism's noise.

    Returns
    -------
    MechanismAudit

    Raises
    ------
    InvalidParameterError
        If the claim or a number makes no sense, or there is not one score a canary.

    References
    ----------
    Steinke, Nasr, Jagielski, NeurIPS 2023, arXiv:2305.08846.

    Examples
    --------
    >>> result = audit_one_run(
    ...     lambda took_part: took_part, 200, epsilon=1.0, delta=0.0, random_state=0
    ... )
    >>> result.verdict, result.lower > 2.5
    ('refuted', True)
    """
    epsilon, delta, confidence = _check_claim(epsilon, delta, confidence)
    check_callable("mechanism", mechanism, "a callable that takes an array of booleans")
    if scores is not None:
        check_callable("scores", scores, "a callable that takes the output, or None")
    n_canaries = check_integer("n_canaries", n_canaries, minimum=2)
    sizes = _guess_sizes(n_canaries, n_guesses)
    level = (1.0 - confidence) / len(sizes)
    coins = generator(root_seed(random_state), "audit").random(n_canaries) < 0.5
    output = mechanism(coins.copy())
    found = check_numbers(
        output if scores is None else scores(output),
        n_canaries,
        f"scores must give one number for each of {n_canaries} canaries",
    )
    order = np.argsort(found, kind="stable")
    right = {
        size: int(coins[order[n_canaries - size // 2 :]].sum())
        + int((~coins[order[: size - size // 2]]).sum())
        for size in sizes
    }
    facts = {"delta": delta, "level": level}
    lowers = {size: one_run_epsilon(right[size], size, n_canaries, **facts) for size in sizes}
    best = max(sizes, key=lambda size: lowers[size])
    leaks = [one_run_detectable(epsilon, size, n_canaries, **facts) for size in sizes]
    detectable = min((leak for leak in leaks if leak is not None), default=None)
    return MechanismAudit(
        method="one run",
        lower=lowers[best],
        epsilon=epsilon,
        delta=delta,
        confidence=confidence,
        ceiling=max(one_run_epsilon(size, size, n_canaries, **facts) for size in sizes),
        detectable=detectable,
        counts={"canaries": n_canaries, "guesses": best, "right": right[best]},
        note=_note("a randomised response about each canary", detectable, "n_canaries"),
    )


def _check_claim(epsilon: float, delta: float, confidence: float) -> tuple[float, float, float]:
    return (
        check_real("epsilon", epsilon, low=0.0, closed="low"),
        check_real("delta", delta, low=0.0, high=1.0, closed="low"),
        check_real("confidence", confidence, low=0.5, high=1.0, closed="neither"),
    )


def _run_both(
    mechanism: Callable[[Any], Any], worlds: tuple[Any, Any], n_runs: int, seed: int
) -> tuple[list[Any], list[Any]]:
    """Run both worlds in mixed order, so that what drifts over time is the same in both."""
    order = np.repeat([0, 1], n_runs)
    generator(seed, "audit").shuffle(order)
    outputs: tuple[list[Any], list[Any]] = ([], [])
    for world in order.tolist():
        outputs[world].append(mechanism(worlds[world]))
    return outputs


def _choose(
    outputs_0: Sequence[Any],
    outputs_1: Sequence[Any],
    statistic: Callable[[Any], float] | None,
    *,
    trials: int,
    delta: float,
    level: float,
) -> Rule:
    """Return the statistic, its sign and the threshold that look best."""
    if statistic is None:
        candidates = learn_statistics(outputs_0[::2], outputs_1[::2])
        outputs_0, outputs_1 = outputs_0[1::2], outputs_1[1::2]
    else:
        candidates = [_each(statistic)]
    rules: list[tuple[float, Rule]] = []
    for scores in candidates:
        sign, threshold, worth = best_threshold(
            scores(outputs_0), scores(outputs_1), trials=trials, delta=delta, level=level
        )
        rules.append((worth, (scores, sign, threshold)))
    return max(rules, key=lambda rule: rule[0])[1]


def _each(statistic: Callable[[Any], float]) -> Callable[[Sequence[Any]], Floats]:
    def scores(outputs: Sequence[Any]) -> Floats:
        found = [statistic(output) for output in outputs]
        expected = "statistic must give one number, and never NaN"
        return check_numbers(found, len(outputs), expected)

    return scores


def _guess_sizes(n_canaries: int, n_guesses: int | None) -> list[int]:
    if n_guesses is not None:
        n_guesses = check_integer("n_guesses", n_guesses, minimum=2)
        if n_guesses > n_canaries:
            raise InvalidParameterError(
                f"n_guesses must be at most the number of canaries, {n_canaries}, got {n_guesses}."
            )
        return [n_guesses]
    return sorted({max(int(n_canaries * share), 2) for share in _SHARES})


def _note(leak: str, detectable: float | None, runs: str) -> str:
    if detectable is not None:
        return leak
    return f"Not even a perfect attack would refute this claim; use a larger {runs}."
