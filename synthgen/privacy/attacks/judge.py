"""From scores to a result: choose on one half of the rows, report on the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.errors import InvalidDataError
from synthgen.measure.intervals import clopper_pearson, delong_interval
from synthgen.measure.stats import auc, roc_curve, share_interval
from synthgen.privacy.attacks.result import AttackResult, Rate

#: Where a curve is kept: at so many even steps, and at these rates of false alarms.
_CURVE_STEPS: Final = 101
_FEW_ALARMS: Final = np.geomspace(1e-3, 0.1, 41)

#: Thresholds that are tried for the bound on epsilon.
_MAX_THRESHOLDS: Final = 400

#: A result that would miss an area of this size more often than one time in five has no power.
_WEAK_AUC: Final = 0.6

#: How likely an area of the size that is called detectable is found.
_POWER: Final = 0.8


@dataclass(frozen=True)
class Population:
    """Which of the target rows are attacked together.

    Parameters
    ----------
    name : str
    rows : numpy.ndarray of int of shape (n,)
        Places among the targets.
    member : numpy.ndarray of bool of shape (n,)
    choosing : numpy.ndarray of bool of shape (n,)
        Rows that variant and thresholds are chosen on; the others are reported.
    notes : tuple of str
    """

    name: str
    rows: NDArray[np.int64]
    member: NDArray[np.bool_]
    choosing: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


def halves(member: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose half of the members and half of the others at random."""
    choosing = np.zeros(len(member), dtype=bool)
    for label in (True, False):
        places = rng.permutation(np.flatnonzero(member == label))
        choosing[places[: len(places) // 2]] = True
    return choosing


def judge(
    attack: str,
    threat_model: str,
    scores: Mapping[str, NDArray[np.float64]],
    population: Population,
    *,
    delta: float = 0.0,
    level: float = 0.95,
    comparisons: int = 1,
    **facts: Any,
) -> AttackResult:
    """Turn scores into a result.

    Parameters
    ----------
    attack, threat_model : str
    scores : dict of str to numpy.ndarray of shape (targets,)
        One score per target and variant of the attack; higher means more likely a member.
    population : Population
        Needs two members and two other rows in each half.
    delta : float, default=0
        Of the bound on epsilon.
    level : float, default=.95
        Coverage of every interval.
    comparisons : int, default=1
        Number of results that ``auc_simultaneous`` is to hold for at once.
    **facts
        Further fields of the result.

    Returns
    -------
    AttackResult

    Raises
    ------
    InvalidDataError
        If a half has fewer than two members or two other rows, or a score is NaN.
    """
    chosen, reported = population.choosing, ~population.choosing
    member = population.member
    _check_sizes(attack, population)
    areas = {}
    for name, values in scores.items():
        own = values[population.rows]
        if np.isnan(own).any():
            raise InvalidDataError(f"The attack {attack!r} left {int(np.isnan(own).sum())} scores.")
        areas[name] = auc(member[chosen], own[chosen])
    # The first of equally good variants.
    variant = max(areas, key=lambda name: areas[name])
    values = scores[variant][population.rows]
    tuned = (values[chosen & member], values[chosen & ~member])
    inside, outside = values[reported & member], values[reported & ~member]
    area, low, high = delong_interval(inside, outside, level=level)
    corrected = 1 - (1 - level) / comparisons
    wide = delong_interval(inside, outside, level=corrected, on_logits=comparisons > 1)[1:]
    rates, notes = _low_false_rates(tuned[1], inside, outside, level)
    # Of the intervals that a finding is taken from, which hold for all comparisons at once.
    clear = NormalDist().inv_cdf((1 + corrected) / 2) + NormalDist().inv_cdf(_POWER)
    detectable = 0.5 + clear * _null_error(len(inside), len(outside))
    notes = population.notes + tuple(facts.pop("notes", ())) + notes
    warnings = tuple(facts.pop("warnings", ())) + _warnings(values, detectable)
    return AttackResult(
        attack,
        population.name,
        threat_model,
        auc=area,
        auc_interval=(low, high),
        auc_simultaneous=wide,
        auc_choosing=areas[variant],
        **rates,
        **_advantage(tuned, inside, outside, level),
        epsilon_lower=_epsilon(tuned, inside, outside, delta, level),
        delta=delta,
        n_members=len(inside),
        n_holdout=len(outside),
        detectable_auc=min(1.0, detectable),
        level=level,
        variant=variant,
        variants=tuple(scores),
        roc=_curve(member[reported], values[reported]),
        warnings=warnings,
        notes=notes,
        **facts,
    )


def _curve(
    member: NDArray[np.bool_], values: NDArray[np.float64]
) -> tuple[list[float], list[float]]:
    """Return the curve at even steps, and at even ratios where false alarms are few.

    Even steps alone would say nothing of what can be found at one false alarm in a thousand.
    """
    false, true = roc_curve(member, values, points=len(member) + 1)
    steps = np.linspace(0, len(false) - 1, _CURVE_STEPS).round().astype(int)
    few = np.searchsorted(false, _FEW_ALARMS * (1 + 1e-12), side="right") - 1
    kept = np.unique(np.concatenate([steps, few]))
    return [false[place] for place in kept], [true[place] for place in kept]


def _check_sizes(attack: str, population: Population) -> None:
    for half in (population.choosing, ~population.choosing):
        counts = (int((population.member & half).sum()), int((~population.member & half).sum()))
        if min(counts) < 2:
            raise InvalidDataError(
                f"The attack {attack!r} needs two members and two holdout rows in each half, got "
                f"{counts[0]} and {counts[1]}; give at least four rows of each."
            )


def _null_error(n_members: int, n_others: int) -> float:
    """Return the standard error of an area of .5 without ties."""
    return math.sqrt((n_members + n_others + 1) / (12 * n_members * n_others))


def _warnings(values: NDArray[np.float64], detectable: float) -> tuple[str, ...]:
    if np.ptp(values) == 0:
        return ("no power: the attack gives every row the same score",)
    if detectable > _WEAK_AUC:
        return (f"no power: with so few rows, only areas above {detectable:.2f} are likely found",)
    return ()


def _rate(count: int, total: int, level: float) -> Rate:
    return Rate(count / total, *clopper_pearson(count, total, level=level), count, total)


def _low_false_rates(
    tuned: NDArray[np.float64],
    inside: NDArray[np.float64],
    outside: NDArray[np.float64],
    level: float,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the members found where few of the tuning holdout rows are taken for members."""
    rates: dict[str, Any] = {}
    notes: list[str] = []
    for suffix, target, words in (("1pct", 0.01, "1 %"), ("01pct", 0.001, "0.1 %")):
        allowed = int(target * len(tuned) + 1e-9)
        if allowed < 1:
            least = math.ceil(2 / target)
            notes.append(f"true positive rate at {words}: needs {least} holdout rows")
            continue
        threshold = np.sort(tuned)[-(allowed + 1)]
        found, taken = int((inside > threshold).sum()), int((outside > threshold).sum())
        rates[f"tpr_at_{suffix}"] = _rate(found, len(inside), level)
        rates[f"fpr_at_{suffix}"] = _rate(taken, len(outside), level)
    return rates, tuple(notes)


def _advantage(
    tuned: tuple[NDArray[np.float64], NDArray[np.float64]],
    inside: NDArray[np.float64],
    outside: NDArray[np.float64],
    level: float,
) -> dict[str, Any]:
    """Return the difference of two shares and its interval by Newcombe's hybrid score method.

    References
    ----------
    Newcombe (1998), Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17.
    """
    thresholds = np.unique(np.concatenate(tuned))
    gains = _above(tuned[0], thresholds) / len(tuned[0])
    gains -= _above(tuned[1], thresholds) / len(tuned[1])
    best = thresholds[int(gains.argmax())]
    true, false = float((inside >= best).mean()), float((outside >= best).mean())
    low_true, high_true = share_interval(true, len(inside), level)
    low_false, high_false = share_interval(false, len(outside), level)
    difference = true - false
    low = difference - math.hypot(true - low_true, high_false - false)
    high = difference + math.hypot(high_true - true, false - low_false)
    return {
        "advantage": difference,
        "advantage_interval": (max(-1.0, low), min(1.0, high)),
    }


def _above(values: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many values reach each threshold."""
    ordered = np.sort(values)
    counts: NDArray[np.float64] = (len(values) - np.searchsorted(ordered, thresholds)).astype(float)
    return counts


def _epsilon(
    tuned: tuple[NDArray[np.float64], NDArray[np.float64]],
    inside: NDArray[np.float64],
    outside: NDArray[np.float64],
    delta: float,
    level: float,
) -> float:
    """Return the bound of one threshold, chosen where the tuning half has the best bound.

    Both error rates are bounded at half the error each. A threshold below which no holdout row
    falls is as good as any: its bound comes from the exact interval, not from the rate 0.

    References
    ----------
    Jagielski, Ullman & Oprea (2020), Auditing differentially private machine learning,
    arXiv:2006.07709; Nasr et al. (2021), arXiv:2101.04535.
    """
    thresholds = np.unique(np.concatenate(tuned))
    if len(thresholds) > _MAX_THRESHOLDS:
        places = np.linspace(0, len(thresholds) - 1, _MAX_THRESHOLDS).astype(int)
        thresholds = thresholds[places]
    found, taken = _above(tuned[0], thresholds), _above(tuned[1], thresholds)
    bounds = _bounds(found, len(tuned[0]), taken, len(tuned[1]), delta, level)
    best = thresholds[int(bounds.argmax())]
    counts = np.array([(inside >= best).sum()]), np.array([(outside >= best).sum()])
    own = _bounds(counts[0], len(inside), counts[1], len(outside), delta, level)
    return max(0.0, float(own[0]))


def _bounds(
    found: NDArray[Any], n_in: int, taken: NDArray[Any], n_out: int, delta: float, level: float
) -> NDArray[np.float64]:
    """Return the bound on epsilon of many thresholds, from members or from holdout rows."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2

    def upper(count: NDArray[Any], total: int) -> NDArray[np.float64]:
        inner = betaincinv(count + 1.0, np.maximum(total - count, 1e-9), 1 - tail)
        result: NDArray[np.float64] = np.where(count >= total, 1.0, inner)
        return result

    missed, false = upper(n_in - found, n_in), upper(taken, n_out)
    forward = np.maximum(1 - delta - missed, 1e-300) / false
    backward = np.maximum(1 - delta - false, 1e-300) / missed
    result: NDArray[np.float64] = np.log(np.maximum(forward, backward))
    return result
