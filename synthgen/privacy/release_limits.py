"""The limits of the verdict, and its rules in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from synthgen.core.params import check_integer, check_real
from synthgen.privacy.release_content import Finding, Rule, Verdict


@dataclass(frozen=True)
class ReleaseLimits:
    """Where the rules of the verdict trip. All of them are printed in the report.

    Parameters
    ----------
    auc : float, default=.60
        Lower bound of the area of an attack (B4), or within a group (B9).
    hits : float, default=.03
        Lower bound of the members found at one false alarm in a hundred (B5).
    risk : float, default=.10
        Lower bound of a risk by anonymeter (B6).
    epsilon : float, default=3
        Largest epsilon without a question (R2).
    weak_epsilon : float, default=10
        Largest epsilon that is called more than weak (R2).
    delta : float, default=1e-5
        Largest delta without a question (R3).
    holdout : int, default=500
        Fewest holdout rows that an attack was judged on (R4).
    attacks : int, default=3
        Fewest attacks with power on random rows (R5).
    group : int, default=20
        Fewest real rows of a group without a mark.

    Examples
    --------
    >>> ReleaseLimits(epsilon=1.0).changed()
    ['epsilon']
    """

    auc: float = 0.60
    hits: float = 0.03
    risk: float = 0.10
    epsilon: float = 3.0
    weak_epsilon: float = 10.0
    delta: float = 1e-5
    holdout: int = 500
    attacks: int = 3
    group: int = 20

    def check(self) -> ReleaseLimits:
        """Return the limits if all of them can work.

        Raises
        ------
        InvalidParameterError
            If one cannot.
        """
        check_real("limits.auc", self.auc, low=0.5, high=1.0)
        for name in ("hits", "risk", "delta"):
            check_real(f"limits.{name}", getattr(self, name), low=0.0, high=1.0)
        check_real("limits.epsilon", self.epsilon, low=0.0)
        check_real("limits.weak_epsilon", self.weak_epsilon, low=self.epsilon)
        for name in ("holdout", "attacks", "group"):
            check_integer(f"limits.{name}", getattr(self, name), minimum=0)
        return self

    def changed(self) -> list[str]:
        """Return the names of the limits that differ from the defaults."""
        return [each.name for each in fields(self) if getattr(self, each.name) != each.default]


#: Rule to its text; those that start with B block, those with R ask for a decision.
TEXTS: Final = {
    "B1": "a direct identifier is in the table, or values of one come back",
    "B2": "more synthetic rows equal a training row than fresh real rows do",
    "B3": "an attack refutes the epsilon that is claimed",
    "B4": "an attack tells training rows from others: lower bound of the area above {auc:g}",
    "B5": (
        "an attack finds more than {hits:.3g} of the training rows at one false alarm in a "
        "hundred, and more than it raises false alarms (lower bound)"
    ),
    "B6": "anonymeter finds a risk above {risk:g} (lower bound)",
    "B7": "the audit did not find training rows that were released on purpose",
    "B8": "differential privacy is claimed, but an assumption is unknown or the noise came from a "
    "seed, or no ledger shows what was spent",
    "B9": "an attack tells training rows of one group from other rows of it: lower bound of the "
    "area, for all groups at once, above {auc:g}",
    "R1": "there is no formal guarantee: that no attack succeeded does not make rows safe",
    "R2": "epsilon is above {epsilon:g} (above {weak_epsilon:g}: formal, but weak)",
    "R3": "delta is above {delta:g}, or above one tenth of one by the number of rows",
    "R4": "an attack was judged on fewer than {holdout} holdout rows",
    "R5": "fewer than {attacks} attacks had power on random rows, some were left out for lack of "
    "time, or none was run on the most isolated rows",
    "R6": "the audit found something where nothing was to be found, so its figures are doubtful",
    "R7": "the quality is poor, or was not measured",
    "R8": "the audit did not look at the table that is released",
    "R9": "copies of training rows were not looked for",
    "R10": "an identifying column is filled with made-up values",
}


def rules_of(
    limits: ReleaseLimits, findings: list[Finding], open_: Mapping[str, str]
) -> list[Rule]:
    """Return all rules with the limits in use, and what came of them.

    Parameters
    ----------
    limits : ReleaseLimits
    findings : list of Finding
    open_ : mapping of str to str
        Rules that nothing could trip, and their state: they must not be called clear.
    """
    values = {each.name: getattr(limits, each.name) for each in fields(limits)}
    states = {**open_, **{finding.rule: "tripped" for finding in findings}}
    return [
        Rule(key, text.format(**values), states.get(key, "clear")) for key, text in TEXTS.items()
    ]


def verdict_of(findings: list[Finding]) -> Verdict:
    """Return the verdict: one rule that blocks is enough.

    Examples
    --------
    >>> verdict_of([]), verdict_of([Finding("R1", "", ""), Finding("B7", "", "")])
    ('RELEASE', 'BLOCK')
    """
    if any(finding.rule.startswith("B") for finding in findings):
        return "BLOCK"
    return "REVIEW" if findings else "RELEASE"


def sentence_of(verdict: Verdict, findings: list[Finding]) -> str:
    """Return the verdict in a sentence, with the rules behind it."""
    blocking = [each.rule for each in findings if each.rule.startswith("B")]
    asking = [each.rule for each in findings if each.rule.startswith("R")]
    if verdict == "BLOCK":
        return f"Do not release: {_rules(blocking)}."
    if verdict == "REVIEW":
        return (
            f"No rule forbids a release, but a person has to decide about {_rules(asking)} and "
            "sign for it."
        )
    return (
        "Ready for release: a formal guarantee holds, the audit is consistent with it and its "
        "controls passed. Attacks that nobody has tried are covered by the guarantee only."
    )


def _rules(ids: list[str]) -> str:
    unique = list(dict.fromkeys(ids))
    return ("rule " if len(unique) == 1 else "rules ") + ", ".join(unique)
