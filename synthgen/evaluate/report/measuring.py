"""Every metric of the catalogue, of the synthetic rows and of those for floor and ceiling."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthgen.core.parallel import map_ahead
from synthgen.core.progress import ProgressBar
from synthgen.evaluate.report.catalogue import Compute, Entry
from synthgen.evaluate.report.content import Score
from synthgen.evaluate.report.rating import rate
from synthgen.evaluate.report.tables import Tables
from synthgen.evaluate.result import Result


@dataclass(frozen=True)
class Outcome:
    """A metric of the synthetic rows, of those of the floor and of those of the ceiling."""

    synthetic: Result
    floor: float | None = None
    ceiling: Result | None = None


def measure_all(
    entries: Sequence[Entry], tables: Tables, n_jobs: int, deadline: float | None, verbose: int
) -> dict[str, Outcome]:
    """Return one outcome per entry; entries that share their computation go together."""
    together: dict[Compute, list[Entry]] = {}
    for entry in entries:
        together.setdefault(entry.compute, []).append(entry)
    groups = list(together.values())
    found: dict[str, Outcome] = {}
    with ProgressBar("quality", enabled=verbose > 0) as bar:
        done = map_ahead(lambda group: _measure(group, tables, deadline), groups, n_jobs)
        for number, outcomes in enumerate(done, start=1):
            found |= outcomes
            bar.update(number / len(groups), number, {})
    return found


def _measure(entries: list[Entry], tables: Tables, deadline: float | None) -> dict[str, Outcome]:
    """Measure entries that share their computation, rows and ceiling."""
    first = entries[0]
    reason = _why_not(first, tables, deadline)
    if reason:
        return {
            entry.name: Outcome(Result(entry.name, None, details={"not_applicable": reason}))
            for entry in entries
        }
    real = tables.all_real if first.whole else tables.real
    made = tables.all_synthetic if first.whole else tables.synthetic
    others = {
        "holdout": (real, tables.holdout),
        "real": (real, real),
        "fresh": (tables.members, tables.fresh),
    }
    parts = {"synthetic": (real, made)}
    if first.floor:
        parts["floor"] = (real, tables.floor)
    if first.ceiling != "own":
        parts["ceiling"] = others[first.ceiling]
    measured: dict[str, Mapping[str, Result]] = {}
    for part, (own, rows) in parts.items():
        result = first.compute(tables, own, rows)
        measured[part] = {first.name: result} if isinstance(result, Result) else result
        if not any(outcome.applicable for outcome in measured["synthetic"].values()):
            break
    outcomes = {}
    for entry in entries:
        floor = measured.get("floor", {}).get(entry.name)
        outcomes[entry.name] = Outcome(
            measured["synthetic"][entry.name],
            None if floor is None else floor.value,
            measured.get("ceiling", {}).get(entry.name),
        )
    return outcomes


def _why_not(entry: Entry, tables: Tables, deadline: float | None) -> str:
    if entry.needs_target and tables.target is None:
        return "no target was given"
    if entry.needs_holdout and tables.borrowed:
        return "no holdout was given"
    if deadline is not None and time.monotonic() > deadline:
        return "the time budget was used up"
    return ""


def score_of(entry: Entry, outcome: Outcome) -> Score:
    """Return the line of the report that an outcome makes."""
    result = outcome.synthetic
    ceiling = result.ceiling if outcome.ceiling is None else outcome.ceiling.value
    return Score(
        name=entry.name,
        title=entry.title,
        question=entry.question,
        family=entry.family,
        value=result.value,
        direction=result.direction,
        interval=result.interval,
        floor=outcome.floor,
        ceiling=ceiling,
        rating=rate(entry, result, outcome.floor, ceiling),
        note="" if result.applicable else f"not applicable: {result.details['not_applicable']}",
        definition=entry.definition,
        reference=result.reference,
    )
