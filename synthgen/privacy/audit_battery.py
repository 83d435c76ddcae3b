"""The battery: every attack in turn within a budget of time, and the cases with known answers."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.errors import SynthgenError
from synthgen.privacy.attacks.anonymeter import anonymeter_attacks, installed
from synthgen.privacy.attacks.attribute import Attribute, check_secrets
from synthgen.privacy.attacks.judge import Population, judge
from synthgen.privacy.attacks.membership import ATTACKS, Prepared, why_not
from synthgen.privacy.attacks.reconstruction import Reconstruction
from synthgen.privacy.attacks.result import AttackResult
from synthgen.privacy.attacks.splits import Splits
from synthgen.privacy.attacks.white_box import FAILURES
from synthgen.privacy.audit_controls import negative_control, planted_leaks, positive_control
from synthgen.privacy.audit_groups import GroupRisk, group_risks
from synthgen.privacy.audit_report import Control, Skipped
from synthgen.privacy.audit_shadow import SHADOW, shadow_result

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_logger = logging.getLogger(__name__)

ATTRIBUTE: Final = "attribute"
RECONSTRUCTION: Final = "reconstruction"
ANONYMETER: Final = "anonymeter"


@dataclass
class Clock:
    """Seconds of every part, and whether there are any left."""

    budget: float
    seconds: dict[str, float] = field(default_factory=dict)
    start: float = field(default_factory=time.monotonic)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Note how long what is done inside takes."""
        begun = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - begun
        _logger.info("audit: %s took %.1f s", name, self.seconds[name])

    def over(self) -> bool:
        """Return whether the budget is used up."""
        return time.monotonic() - self.start > self.budget


@dataclass(frozen=True)
class _Step:
    """One attack that waits for its turn."""

    attack: Any
    populations: tuple[Population, ...]
    score: Callable[[], dict[str, NDArray[np.float64]]]


@dataclass
class Battery:
    """All attacks on one prepared audit, in a fixed order, until the time is up."""

    ready: Prepared
    splits: Splits
    schema: Schema | None
    wanted: tuple[str, ...]
    secrets: Sequence[Hashable] | None
    level: float
    delta: float
    seed: int
    clock: Clock
    shadow_fits: int
    groups: Sequence[Hashable]
    scored: list[tuple[_Step, dict[str, NDArray[np.float64]]]] = field(default_factory=list)

    def run(self) -> tuple[list[AttackResult], list[Skipped]]:
        """Score by every attack in the fixed order, then judge all of them together."""
        finished: list[AttackResult] = []
        skipped: list[Skipped] = []
        for step in self._plan():
            attack = step.attack
            reason = why_not(attack, self.ready.arena)
            left_out = self._late(attack.name) if reason is None else Skipped(attack.name, reason)
            if left_out is not None:
                skipped.append(left_out)
                continue
            try:
                with self.clock.part(attack.name):
                    self.scored.append((step, step.score()))
            except SynthgenError as error:
                reason = f"{type(error).__name__}: {error}"
                skipped.append(Skipped(attack.name, reason, "error"))
        finished += self._judged()
        if ANONYMETER in self.wanted:
            self._anonymeter(finished, skipped)
        if SHADOW in self.wanted:
            self._shadow(finished, skipped)
        return finished, skipped

    def group_risks(self) -> tuple[GroupRisk, ...]:
        """Judge what the attacks on membership found within groups of random rows."""
        guesses = (Attribute, Reconstruction)
        scored = [
            (step.attack, scores)
            for step, scores in self.scored
            if not isinstance(step.attack, guesses)
        ]
        with self.clock.part("groups"):
            return group_risks(scored, self.ready, self.groups, delta=self.delta, level=self.level)

    def controls(self) -> tuple[tuple[Control, ...], tuple[dict[str, Any], ...], float | None]:
        """Run the cases with known answers, whatever the budget."""
        with self.clock.part("controls"):
            both = positive_control(self.ready), negative_control(self.ready, self.seed)
            near = self.ready.arena.near_synthetic.distances[:, 0]
            leaks, smallest = planted_leaks(
                self.ready,
                {"nearest": -near},
                self.seed,
                level=self.level,
                comparisons=max(1, self._comparisons()[self.ready.populations[0].name]),
            )
        return both, leaks, smallest

    def _plan(self) -> Iterator[_Step]:
        arena, populations = self.ready.arena, self.ready.populations
        for attack in ATTACKS:
            if attack.name in self.wanted:
                yield _Step(attack, populations, partial(attack.scores, arena))
        names = check_secrets(arena, self.secrets)
        for name in names if ATTRIBUTE in self.wanted else ():
            guess = Attribute(name)
            yield _Step(guess, populations, partial(guess.scores, arena))
        # Of the most isolated rows there are too few to solve a system for.
        one = populations[:1]
        sides = [one[0].rows[one[0].member], one[0].rows[~one[0].member]]
        for name in names[:1] if RECONSTRUCTION in self.wanted else ():
            solve = Reconstruction(name)
            yield _Step(solve, one, partial(solve.scores, arena, sides))

    def _comparisons(self) -> Counter[str]:
        """Return the number of results of each population, which are judged together."""
        return Counter(each.name for step, _ in self.scored for each in step.populations)

    def _judged(self) -> list[AttackResult]:
        arena = self.ready.arena
        results = []
        comparisons = self._comparisons()
        for step, scores in self.scored:
            attack = step.attack
            for population in step.populations:
                result = judge(
                    attack.name,
                    attack.threat_model,
                    scores,
                    population,
                    delta=self.delta,
                    level=self.level,
                    comparisons=comparisons[population.name],
                    n_synthetic=len(arena.synthetic),
                    n_reference=len(arena.reference),
                )
                results.append(_with_success(attack, arena, scores, population, result))
        return results

    def _anonymeter(self, finished: list[AttackResult], skipped: list[Skipped]) -> None:
        if not installed():
            left_out = Skipped(ANONYMETER, "the package anonymeter is not installed")
        elif (late := self._late(ANONYMETER)) is not None:
            left_out = late
        else:
            try:
                with self.clock.part(ANONYMETER):
                    finished += anonymeter_attacks(
                        self.splits,
                        secrets=check_secrets(self.ready.arena, self.secrets)[:1],
                        level=self.level,
                        seed=self.seed,
                    )
            except (SynthgenError, *FAILURES) as error:
                left_out = Skipped(ANONYMETER, f"{type(error).__name__}: {error}", "error")
            else:
                return
        skipped.append(left_out)

    def _shadow(self, finished: list[AttackResult], skipped: list[Skipped]) -> None:
        with self.clock.part(SHADOW):
            outcome = shadow_result(
                self.ready,
                self.splits,
                self.ready.arena.model,
                schema=self.schema,
                fits=self.shadow_fits,
                delta=self.delta,
                level=self.level,
                seed=self.seed,
                over=self.clock.over,
            )
        if isinstance(outcome, Skipped):
            skipped.append(outcome)
        else:
            finished.append(outcome)

    def _late(self, name: str) -> Skipped | None:
        if not self.clock.over():
            return None
        return Skipped(name, f"the budget of {self.clock.budget:g} s was used up", "budget")


def _with_success(
    attack: Any,
    arena: Any,
    scores: dict[str, NDArray[np.float64]],
    population: Population,
    result: AttackResult,
) -> AttackResult:
    """Add how often a value was guessed right, among members and among holdout rows."""
    if isinstance(attack, Attribute):
        right, blind = attack.success(arena, scores[result.variant])
    elif isinstance(attack, Reconstruction):
        right, blind = scores[result.variant] > 0, attack.blind(arena)
    else:
        return result
    reported = population.rows[~population.choosing]
    member = population.member[~population.choosing]
    success = float(right[reported[member]].mean())
    control = float(right[reported[~member]].mean())
    # Of the same rows: what is common among all rows may be rare among the most isolated ones.
    baseline = float(blind[reported].mean())
    blunt = max(success, control) <= baseline
    doubt = ("no power: guesses are right no more often than a blind guess",) if blunt else ()
    return replace(
        result,
        success=success,
        control=control,
        baseline=baseline,
        warnings=(*result.warnings, *doubt),
        notes=(*result.notes, "success and control are shares of right guesses, as is baseline"),
    )
