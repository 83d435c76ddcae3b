"""Cases with known answers: a leak that must be found, and none where none must be."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.core.random import generator
from synthgen.privacy.attacks.arena import Arena
from synthgen.privacy.attacks.calibrated import Calibrated
from synthgen.privacy.attacks.copies import Copies
from synthgen.privacy.attacks.judge import Population, judge
from synthgen.privacy.attacks.membership import Prepared
from synthgen.privacy.attacks.monte_carlo import MonteCarlo
from synthgen.privacy.attacks.nearest import Nearest
from synthgen.privacy.attacks.neighbourhood import Neighbourhood
from synthgen.privacy.attacks.result import AttackResult
from synthgen.privacy.audit_report import Control

#: The attacks that cost little.
BATTERY: Final[tuple[Any, ...]] = (
    Copies(),
    Nearest(),
    Calibrated(),
    MonteCarlo(),
    Neighbourhood(),
)
#: A battery that tells training rows from others worse than this has no power.
_LEAST_AUC: Final = 0.9
#: Coverage of the intervals of the negative control: it may fail by chance one time in a hundred.
_LEVEL: Final = 0.99
_SHARES: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def positive_control(ready: Prepared) -> Control:
    """Release the members themselves as synthetic."""
    results = _run(ready.arena.seeing(ready.members), ready.populations[0])
    best = _best(results)
    return _control(
        "positive",
        best.auc is not None and best.auc >= _LEAST_AUC,
        f"training rows released as synthetic: an AUC of {_LEAST_AUC} or more",
        best,
        results,
    )


def negative_control(ready: Prepared, seed: int) -> Control:
    """Release one half of the reference rows as synthetic, and keep the other as reference."""
    rows = generator(seed, "attack", 51).permutation(len(ready.arena.reference))
    real = ready.arena.reference
    half = len(rows) // 2
    arena = ready.arena.seeing(real[np.sort(rows[:half])], real[np.sort(rows[half:])])
    results = _run(arena, ready.populations[0])
    within = [
        each.auc_simultaneous is not None
        and each.auc_simultaneous[0] <= 0.5 <= each.auc_simultaneous[1]
        for each in results
    ]
    expectation = "fresh real rows released as synthetic: .5 within the interval of every attack"
    return _control("negative", all(within), expectation, _best(results), results)


def planted_leaks(
    ready: Prepared,
    scores: dict[str, NDArray[np.float64]],
    seed: int,
    *,
    level: float,
    comparisons: int,
) -> tuple[tuple[dict[str, Any], ...], float | None]:
    """Pretend that growing shares of the members are copied, and see from where on it is found.

    A copy has distance 0, which is what the distance attack would see: nothing is searched anew. A
    leak is found if the corrected lower bound of the area lies above .5, or if clearly more members
    than holdout rows are found at the threshold of one false alarm in a hundred.

    Returns
    -------
    leaks : tuple of dict
        ``share``, ``auc``, ``found``.
    smallest : float or None
    """
    population = ready.populations[0]
    rng = generator(seed, "attack", 52)
    members = population.rows[population.member]
    order = rng.permutation(members)
    leaks: list[dict[str, Any]] = []
    smallest: float | None = None
    for share in _SHARES:
        copied = order[: round(share * len(order))]
        changed = {}
        for name, values in scores.items():
            own = values.copy()
            own[copied] = 0.0
            changed[name] = own
        result = judge("planted", "", changed, population, level=level, comparisons=comparisons)
        found = _found(result)
        leaks.append({"share": share, "auc": result.auc, "found": found})
        if found and smallest is None:
            smallest = share
    return tuple(leaks), smallest


def _found(result: AttackResult) -> bool:
    above = result.auc_simultaneous is not None and result.auc_simultaneous[0] > 0.5
    rates = (result.tpr_at_1pct, result.fpr_at_1pct)
    sharp = rates[0] is not None and rates[1] is not None and rates[0].low > rates[1].high
    return above or sharp


def _run(arena: Arena, population: Population) -> list[AttackResult]:
    return [
        judge(
            attack.name,
            attack.threat_model,
            attack.scores(arena),
            population,
            level=_LEVEL,
            comparisons=len(BATTERY),
        )
        for attack in BATTERY
    ]


def _best(results: list[AttackResult]) -> AttackResult:
    return max(results, key=lambda result: result.auc_choosing or 0.0)


def _control(
    name: str, passed: bool, expectation: str, best: AttackResult, results: list[AttackResult]
) -> Control:
    areas = {each.attack: float(each.auc or 0.0) for each in results}
    interval = best.auc_interval or (0.0, 1.0)
    return Control(name, passed, expectation, float(best.auc or 0.0), interval, best.attack, areas)
