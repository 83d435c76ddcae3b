"""What is wrong, where, and what to do: read off the breakdowns of the metrics.

A part of a score (a column, a pair, a group) is a finding if it is clearly worse than the same part
scores with real rows of the holdout, so that chance in small tables is not reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from synthgen.evaluate.report import readers, relations
from synthgen.evaluate.report.content import Finding
from synthgen.evaluate.report.evidence import Evidence, Reader, Scored, Sized, collect

__all__ = ["Scored", "find"]

#: At most this many findings of one metric.
_MOST: Final = 8

_READERS: Final[dict[str, Reader]] = {
    "copy_share": readers.copies,
    "repeats": readers.repeats,
    "membership_auc": readers.membership,
    "validity": readers.validity,
    "granularity": readers.granularity,
    "shape": readers.shape,
    "missingness": readers.missingness,
    "mutual_information": relations.information,
    "trend": relations.trend,
    "c2st_trees": readers.detection,
    "utility": readers.utility,
    "rare_categories": readers.rare,
    "subgroup_fidelity": relations.subgroups,
}


def find(results: Mapping[str, Scored]) -> list[Finding]:
    """Return all findings, the worst first.

    Parameters
    ----------
    results : mapping of str to Scored
        By name of the metric; metrics that were not computed may be absent.
    """
    evidence = _collect(results)
    findings: Sized = []
    for name, reader in _READERS.items():
        scored = results.get(name)
        if scored is not None and scored.synthetic.applicable:
            own = sorted(reader(scored, evidence), key=lambda pair: -pair[0])
            findings += own[:_MOST]
    ordered = sorted(findings, key=lambda pair: (pair[1].severity != "poor", -pair[0]))
    return [finding for _, finding in ordered]


def _collect(results: Mapping[str, Scored]) -> Evidence:
    evidence = collect(results)
    scored = results.get("mutual_information")
    if scored is None or not scored.synthetic.applicable:
        return evidence
    lost = [name for name, _ in relations.lost_relations(scored)]
    return replace(evidence, unrelated=frozenset(lost), relations=relations.strengths(scored))
