"""All attacks on membership, prepared once and run one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.random import generator
from synthgen.measure.columns import Matrices
from synthgen.measure.space import place_matrices
from synthgen.privacy.attacks.arena import Arena, encode
from synthgen.privacy.attacks.calibrated import Calibrated
from synthgen.privacy.attacks.classifier import Classifier
from synthgen.privacy.attacks.copies import Copies
from synthgen.privacy.attacks.domias import Domias
from synthgen.privacy.attacks.judge import Population, halves, judge
from synthgen.privacy.attacks.likelihood_ratio import LikelihoodRatio
from synthgen.privacy.attacks.monte_carlo import MonteCarlo
from synthgen.privacy.attacks.nearest import Nearest
from synthgen.privacy.attacks.neighbourhood import Neighbourhood
from synthgen.privacy.attacks.result import AttackResult
from synthgen.privacy.attacks.splits import Splits, random_rows
from synthgen.privacy.attacks.vulnerable import select
from synthgen.privacy.attacks.white_box import Critic, Likelihood

#: Random rows of each side that are attacked.
MAX_TARGETS: Final = 4_000
#: A population of fewer rows on a side is not judged.
_LEAST_TARGETS: Final = 8


@runtime_checkable
class Attack(Protocol):
    """One attack on membership.

    ``scores`` looks at an arena and returns one score per target and variant, higher for rows that
    look more like members. It never learns which targets are members. An attack that cannot always
    be run has a method ``missing(arena)`` that says why not, or None.
    """

    name: str
    threat_model: str

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return one score per target, by variant."""


#: Every attack in the order in which a budget is spent.
ATTACKS: Final[tuple[Any, ...]] = (
    Copies(),
    Nearest(),
    Calibrated(),
    MonteCarlo(),
    Neighbourhood(),
    Domias(),
    LikelihoodRatio(),
    Classifier(),
    Likelihood(),
    Critic(),
)


@dataclass(frozen=True)
class Prepared:
    """Tables as an attacker sees them, and who is who.

    Parameters
    ----------
    arena : Arena
        Targets: random members and holdout rows, then vulnerable ones.
    populations : tuple of Population
        ``"random"`` and ``"vulnerable"``.
    members, holdout : numpy.ndarray of shape (rows, columns)
        All encoded rows that targets were taken from.
    """

    arena: Arena
    populations: tuple[Population, ...]
    members: NDArray[np.float64]
    holdout: NDArray[np.float64]


def prepare(
    splits: Splits,
    *,
    model: Any = None,
    critic: Any = None,
    max_targets: int = MAX_TARGETS,
    seed: int = 0,
) -> Prepared:
    """Encode the tables without members, and choose which rows are attacked."""
    encoded, scale = encode(
        splits.synthetic,
        splits.reference,
        [splits.members, splits.holdout],
        splits.roles,
        generator(seed, "attack", 13),
    )
    made, real, inside, outside = encoded.arrays
    rows = place_matrices(Matrices([scale, real, inside, outside], encoded.names, encoded.n_levels))
    weak = select(rows[2], rows[3], rows[1])
    rng = generator(seed, "attack", 14)
    groups = [
        random_rows(len(inside), max_targets, rng),
        random_rows(len(outside), max_targets, rng),
        weak.members,
        weak.holdout,
    ]
    tables = [splits.members, splits.holdout] * 2
    frame = pd.concat(
        [table.iloc[chosen] for table, chosen in zip(tables, groups, strict=True)],
        ignore_index=True,
    )
    targets = np.concatenate(
        [side[chosen] for side, chosen in zip([inside, outside] * 2, groups, strict=True)]
    )
    arena = Arena(
        made, real, targets, scale, encoded.names, encoded.n_levels, seed, frame, model, critic
    )
    return Prepared(arena, _populations(groups, weak.share, seed), inside, outside)


def _populations(
    groups: Sequence[NDArray[np.int64]], share: float, seed: int
) -> tuple[Population, ...]:
    starts = np.cumsum([0, *map(len, groups)])
    notes = (f"rows as isolated as the most isolated {share:.1%} of the holdout",)
    found = []
    for number, (name, own) in enumerate((("random", ()), ("vulnerable", notes))):
        first, last = 2 * number, 2 * number + 2
        if min(len(groups[first]), len(groups[first + 1])) < _LEAST_TARGETS:
            continue
        member = np.repeat([True, False], [len(groups[first]), len(groups[first + 1])])
        rows = np.arange(starts[first], starts[last])
        choosing = halves(member, generator(seed, "attack", 15, number))
        found.append(Population(name, rows, member, choosing, own))
    return tuple(found)


def why_not(attack: Any, arena: Arena) -> str | None:
    """Return why an attack cannot be run on an arena, or None."""
    missing = getattr(attack, "missing", None)
    reason: str | None = None if missing is None else missing(arena)
    return reason


def run_attack(
    attack: Attack,
    splits: Splits,
    *,
    model: Any = None,
    critic: Any = None,
    max_targets: int = MAX_TARGETS,
    delta: float = 0.0,
    seed: int = 0,
) -> list[AttackResult]:
    """Run one attack on random and on vulnerable rows.

    Parameters
    ----------
    attack : Attack
    splits : Splits
        From :func:`~synthgen.privacy.attacks.splits.split`.
    model, critic : object, optional
        For white-box attacks.
    max_targets : int, default=4000
        Random members, and random holdout rows, that are attacked.
    delta : float, default=0
        Of the bound on epsilon.
    seed : int, default=0

    Returns
    -------
    list of AttackResult
        One per population.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from synthgen.privacy import attacks
    >>> table = pd.DataFrame(np.random.default_rng(0).normal(size=(900, 3)), columns=list("abc"))
    >>> members, holdout = table[:300], table[300:]
    >>> leak = attacks.split(members, members, holdout)
    >>> attacks.run_attack(attacks.Nearest(), leak)[0].auc
    1.0
    """
    ready = prepare(splits, model=model, critic=critic, max_targets=max_targets, seed=seed)
    reason = why_not(attack, ready.arena)
    if reason is not None:
        return [
            AttackResult(attack.name, each.name, attack.threat_model, None, notes=(reason,))
            for each in ready.populations
        ]
    scores = attack.scores(ready.arena)
    return [
        judge(
            attack.name,
            attack.threat_model,
            scores,
            population,
            delta=delta,
            comparisons=1,
            n_synthetic=len(ready.arena.synthetic),
            n_reference=len(ready.arena.reference),
        )
        for population in ready.populations
    ]
