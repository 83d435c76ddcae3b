"""What an audit found, as plain data."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pandas as pd

from synthgen.core.params import check_integer
from synthgen.measure.records import record_table
from synthgen.privacy.attacks.result import AttackResult, Rate, plain
from synthgen.privacy.audit_groups import GroupRisk

#: Why an attack was not run.
Cause = Literal["missing", "budget", "error"]
#: Rows that attacks are made on; the chosen ones are those of the shadow models.
POPULATIONS: Final = ("random", "vulnerable", "chosen")
#: Version of the layout of the JSON document.
FORMAT: Final = 1


@dataclass(frozen=True)
class Control:
    """A case where the answer is known, run with the same attacks.

    Parameters
    ----------
    name : str
        ``"positive"``: training rows released as synthetic. ``"negative"``: fresh real rows.
    passed : bool
        Whether the battery said what it had to say.
    expectation : str
    auc : float
        Area of the attack that was best on the choosing half, on the other half.
    auc_interval : tuple of float
    attack : str
        That attack.
    by_attack : dict
        Area of every attack.
    """

    name: str
    passed: bool
    expectation: str
    auc: float
    auc_interval: tuple[float, float]
    attack: str
    by_attack: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the control as JSON types."""
        document: dict[str, Any] = plain(vars(self))
        return document


@dataclass(frozen=True)
class Skipped:
    """An attack that was not run, and why.

    Parameters
    ----------
    attack, reason : str
    cause : {"missing", "budget", "error"}
        What it lacked: something that it needs, time, or tables that it can work with.
    """

    attack: str
    reason: str
    cause: Cause = "missing"


@dataclass(frozen=True)
class AuditReport:
    """What attacks found out about real rows.

    Parameters
    ----------
    attacks : tuple of AttackResult
        One per attack and population, in the order they were run.
    controls : tuple of Control
    planted : tuple of dict
        For growing shares of members copied into the synthetic table: the area of the distance
        attack and whether it was found.
    smallest_leak : float or None
        The smallest such share that was found; None if none was.
    skipped : tuple of Skipped
    splits : dict
        Rows of each table: given and used; columns used and left out with the reason.
    reproduced : dict
        For every column that is left out (identifiers, names): ``members`` and ``holdout``, the
        share of their values that stand in the synthetic table, and ``members_present`` and
        ``holdout_present``, how many values that is a share of.
    guarantee : dict
        ``is_private``, ``epsilon`` and ``delta`` that the model claims; None where unknown.
    settings : dict
        Seed, level, budget and sizes.
    versions : dict
    notes : tuple of str
    seconds : dict
        Time of every part. Not in the JSON document, which is the same for the same seed.
    checksum : str or None
        Of the synthetic rows in any order, as they were given; None if it was not taken.
    distances : dict
        From random members, and from holdout rows, to the nearest synthetic row, and from holdout
        rows to the nearest reference row: per cent by per cent, in widths of the columns. That they
        look alike proves nothing; see `attacks`.
    groups : tuple of GroupRisk
        How well members of groups of random rows were told from others, the worst first.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from synthgen import privacy
    >>> table = pd.DataFrame(np.random.default_rng(0).normal(size=(600, 2)), columns=["a", "b"])
    >>> report = privacy.audit(table[:200], table[:200], table[200:], attacks=["nearest"])
    >>> report.worst(1)[0].auc
    1.0
    """

    attacks: tuple[AttackResult, ...]
    controls: tuple[Control, ...]
    planted: tuple[dict[str, Any], ...]
    smallest_leak: float | None
    skipped: tuple[Skipped, ...]
    splits: dict[str, Any]
    reproduced: dict[str, dict[str, float]]
    guarantee: dict[str, Any]
    settings: dict[str, Any]
    versions: dict[str, str]
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict, compare=False, repr=False)
    checksum: str | None = None
    distances: dict[str, list[float]] = field(default_factory=dict)
    groups: tuple[GroupRisk, ...] = ()

    @property
    def results(self) -> pd.DataFrame:
        """One row per attack and population."""
        return record_table([_flat(result) for result in self.attacks])

    @property
    def controls_passed(self) -> bool:
        """Whether a leak would have been found, and no leak is not mistaken for one."""
        return all(control.passed for control in self.controls)

    def of(self, population: str) -> tuple[AttackResult, ...]:
        """Return the results with an area on one population."""
        return tuple(
            result
            for result in self.attacks
            if result.population == population and result.auc is not None
        )

    def worst(self, n: int = 3, population: str | None = None) -> tuple[AttackResult, ...]:
        """Return the results with the largest lower bounds.

        Parameters
        ----------
        n : int, default=3
        population : str, optional
            ``"random"``, ``"vulnerable"`` or ``"chosen"``; by default all.
        """
        n = check_integer("n", n, minimum=0)
        own = [
            result
            for result in self.attacks
            if result.auc_simultaneous is not None
            and (population is None or result.population == population)
        ]
        # Python sorts stably, so that ties keep the order of the attacks.
        return tuple(sorted(own, key=lambda result: -_low(result))[:n])

    def battery(self, population: str = "random") -> AttackResult | None:
        """Return the attack on membership that was best on the choosing half.

        Its area was measured on the other half, so that it needs no correction for the choice.
        """
        own = [result for result in self.of(population) if result.success is None]
        if not own:
            return None
        return max(own, key=lambda result: result.auc_choosing or 0.0)

    def auc_lower(self, population: str = "random") -> float | None:
        """Return the largest lower bound over all attacks, corrected for their number."""
        own = self.worst(1, population)
        return _low(own[0]) if own else None

    def epsilon_lower(self) -> float | None:
        """Return the bound on epsilon of the attack that the choosing half named.

        The largest over random, vulnerable and chosen rows.
        """
        found = [
            result.epsilon_lower
            for result in map(self.battery, POPULATIONS)
            if result is not None and result.epsilon_lower is not None
        ]
        return max(found) if found else None

    def summary(self) -> str:
        """Return the outcome in a few sentences."""
        sentences = [_sentence(self, name) for name in ("random", "vulnerable")]
        sentences += [_group_sentence(self), _shadow_sentence(self)]
        if not self.controls_passed:
            failed = ", ".join(each.name for each in self.controls if not each.passed)
            sentences.append(f"The {failed} control failed: the figures cannot be relied on.")
        elif self.smallest_leak is not None:
            sentences.append(
                f"Copies of {self.smallest_leak:.1%} of the members would have been found."
            )
        if self.skipped:
            names = ", ".join(each.attack for each in self.skipped)
            sentences.append(f"Not run: {names}.")
        sentences.append("That no attack succeeds is no evidence of privacy.")
        return " ".join(sentence for sentence in sentences if sentence)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the times as JSON types."""
        return {
            "format": FORMAT,
            "summary": self.summary(),
            "attacks": [result.to_dict() for result in self.attacks],
            "controls": [control.to_dict() for control in self.controls],
            "controls_passed": self.controls_passed,
            "planted": plain(self.planted),
            "smallest_leak": plain(self.smallest_leak),
            "skipped": [vars(each) for each in self.skipped],
            "groups": [group.to_dict() for group in self.groups],
            "splits": plain(self.splits),
            "reproduced": plain(self.reproduced),
            "distances": plain(self.distances),
            "guarantee": plain(self.guarantee),
            "settings": plain(self.settings),
            "versions": dict(self.versions),
            "notes": list(self.notes),
            "checksum": self.checksum,
        }

    def to_json(self) -> str:
        """Return everything but the times as text; equal bytes for the same input and seed.

        Only a budget that runs out earlier makes a difference: it leaves attacks out.
        """
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)

    def __repr__(self) -> str:
        counts = f"{len(self.attacks)} results, {len(self.skipped)} not run"
        lines = [f"AuditReport({counts})", self.summary()]
        lines += [
            f"  {each.attack:<24} {each.population:<11} AUC {each.auc:.3f} "
            f"[{each.auc_interval[0]:.3f}, {each.auc_interval[1]:.3f}]"
            for each in self.worst(5)
            if each.auc_interval is not None
        ]
        return "\n".join(lines)


def _low(result: AttackResult) -> float:
    return 0.0 if result.auc_simultaneous is None else result.auc_simultaneous[0]


def _sentence(report: AuditReport, population: str) -> str:
    best = report.battery(population)
    if best is None or best.auc_interval is None:
        return ""
    low, high = best.auc_interval
    weak = "" if best.has_power else " (without power)"
    return (
        f"{len(report.of(population))} attacks on {population} rows: the strongest, {best.attack}, "
        f"tells members from others with an AUC of {best.auc:.3f} [{low:.3f}, {high:.3f}]{weak}; "
        f"over all attacks the AUC is at least {report.auc_lower(population) or 0.0:.3f}."
    )


def _group_sentence(report: AuditReport) -> str:
    judged = [each for each in report.groups if each.result is not None]
    if not judged or (worst := judged[0].result) is None or worst.auc_simultaneous is None:
        return ""
    low, high = worst.auc_simultaneous
    return (
        f"Of {len(judged)} groups, members with {worst.population} stand out most: AUC "
        f"{worst.auc:.3f} [{low:.3f}, {high:.3f}], an interval for all groups at once."
    )


def _shadow_sentence(report: AuditReport) -> str:
    best = report.battery("chosen")
    if best is None or best.auc_interval is None:
        return ""
    low, high = best.auc_interval
    weak = "" if best.has_power else " (without power)"
    return (
        f"{best.details['fits']} generators of the same recipe, trained with or without each of "
        f"{best.details['records']} isolated rows, are told apart with an AUC of {best.auc:.3f} "
        f"[{low:.3f}, {high:.3f}]{weak}."
    )


def _flat(result: AttackResult) -> dict[str, Any]:
    interval, wide = result.auc_interval or (None, None), result.auc_simultaneous or (None, None)
    row: dict[str, Any] = {
        "attack": result.attack,
        "population": result.population,
        "threat_model": result.threat_model,
        "auc": result.auc,
        "auc_low": interval[0],
        "auc_high": interval[1],
        "auc_low_all": wide[0],
        "auc_high_all": wide[1],
    }
    for suffix in ("1pct", "01pct"):
        rate: Rate | None = getattr(result, f"tpr_at_{suffix}")
        row[f"tpr_at_{suffix}"] = None if rate is None else rate.value
        row[f"tpr_at_{suffix}_low"] = None if rate is None else rate.low
    names = ("advantage", "epsilon_lower", "success", "control", "baseline", "n_members")
    row |= {name: getattr(result, name) for name in (*names, "n_holdout", "variant", "has_power")}
    row["warnings"] = "; ".join(result.warnings)
    return row
