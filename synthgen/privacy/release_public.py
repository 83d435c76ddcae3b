"""The report that may be published: nothing exact about the data that is not in the ledger.

Exact figures of an audit or of quality are releases of their own, which no budget covers: from
enough of them, rows can be found (Ganev & De Cristofaro 2023, arXiv:2312.05114). So nothing that
was measured on real rows is kept but words: what lies above a limit, and the ratings of scores.
"""

from __future__ import annotations

from dataclasses import replace

from synthgen.privacy.release_content import (
    AttackLine,
    ControlLine,
    Finding,
    Power,
    ReleaseContent,
    Returned,
    Utility,
    UtilityLine,
)

_NOTE = (
    "This is the public version: figures that were measured on real rows are left out, since each "
    "would tell something about them. The verdict, its rules and the ratings are words, but words "
    "that depend on the data."
)


def published(content: ReleaseContent) -> ReleaseContent:
    """Return the content without any figure of the data.

    Lines are made anew from the fields that may be shown, so that a field that is added later is
    not shown unless somebody decides so.
    """
    return replace(
        content,
        mode="public",
        findings=[_finding(each) for each in content.findings],
        attacks=[
            AttackLine(each.attack, each.population, each.threat_model, each.outcome)
            for each in content.attacks
        ],
        roc=[],
        epsilon_lower=None,
        power=Power(
            [ControlLine(e.name, e.expectation, e.passed) for e in content.power.controls],
            [],
            None,
            None,
            [],
        ),
        copied=None,
        returned=[Returned(each.column, each.reason) for each in content.returned],
        utility=_utility(content.utility),
        groups=[],
        recognised=[],
        notes=[_NOTE],
        settings=[pair for pair in content.settings if pair[0] in _OPEN_SETTINGS],
        extra={},
    )


#: Settings that tell nothing about the data.
_OPEN_SETTINGS = ("Versions", "Level of intervals", "Limits that were changed")


def _finding(finding: Finding) -> Finding:
    return Finding(finding.rule, finding.public, finding.public, finding.advice)


def _utility(utility: Utility | None) -> Utility | None:
    if utility is None:
        return None
    lines = [UtilityLine(line.score, line.rating) for line in utility.lines]
    words = {"good": "Good", "fair": "Usable with care", "poor": "Not good enough"}
    return Utility(utility.rating, words.get(utility.rating, "No verdict") + ".", lines)
