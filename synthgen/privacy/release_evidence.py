"""From an audit, a quality report and real rows to the lines of the report."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.measure.columns import align, column_roles
from synthgen.measure.distances import row_keys
from synthgen.measure.intervals import clopper_pearson
from synthgen.privacy.attacks.result import AttackResult
from synthgen.privacy.audit_facts import checksum
from synthgen.privacy.audit_report import AuditReport
from synthgen.privacy.release_content import (
    AttackLine,
    ControlLine,
    Copied,
    Group,
    Power,
    Recognised,
    Returned,
    Utility,
    UtilityLine,
)
from synthgen.privacy.release_limits import ReleaseLimits

#: Two-sided level whose ends are one-sided 95 % bounds.
_ONE_SIDED: Final = 0.90
_MOST_POINTS: Final = 200
_MOST_GROUPS: Final = 40
#: Kinds of a schema that identify a person.
IDENTIFYING: Final = ("pii", "id")


def attack_lines(audit: AuditReport, limits: ReleaseLimits) -> list[AttackLine]:
    """Return every result of an audit against the limits."""
    return [_line(result, limits) for result in audit.attacks]


def _line(result: AttackResult, limits: ReleaseLimits) -> AttackLine:
    low, high = result.auc_interval or (None, None)
    wide = result.auc_simultaneous or (None, None)
    hits, alarms = result.tpr_at_1pct, result.fpr_at_1pct
    ends = result.details.get("risk_interval") or (None, None)
    return AttackLine(
        result.attack,
        result.population,
        result.threat_model,
        _outcome(result, limits),
        result.auc,
        low,
        high,
        wide[0],
        wide[1],
        None if hits is None else hits.value,
        None if hits is None else hits.low,
        None if hits is None else hits.high,
        None if alarms is None else alarms.value,
        result.success,
        result.control,
        result.baseline if result.success is not None else None,
        result.details.get("risk"),
        ends[0],
        ends[1],
        result.n_members,
        result.n_holdout,
        [*result.warnings, *result.notes],
    )


def over_auc(result: AttackResult, limits: ReleaseLimits) -> bool:
    """Whether the lower bound of the area, for all attacks at once, lies above the limit."""
    bounds = result.auc_simultaneous or result.auc_interval
    return bounds is not None and bounds[0] > limits.auc


def over_hits(result: AttackResult, limits: ReleaseLimits) -> bool:
    """Whether surely more members than the limit, and than false alarms, are found."""
    hits, alarms = result.tpr_at_1pct, result.fpr_at_1pct
    if hits is None or hits.low <= limits.hits:
        return False
    # The threshold comes from the other half of the rows: it may raise more alarms on this one.
    return alarms is None or hits.low > alarms.high


def over_risk(result: AttackResult, limits: ReleaseLimits) -> bool:
    """Whether the lower bound of a risk by anonymeter lies above the limit."""
    ends = result.details.get("risk_interval") or (0.0, 1.0)
    return float(ends[0]) > limits.risk


def _outcome(result: AttackResult, limits: ReleaseLimits) -> str:
    if any(over(result, limits) for over in (over_auc, over_hits, over_risk)):
        return "above"
    if result.auc is None and result.success is None:
        return "no figure"
    return "within" if result.has_power else "no power"


def curves(audit: AuditReport) -> list[tuple[str, list[tuple[float, float]]]]:
    """Return the measured curve of the strongest attack on each population."""
    found = []
    for population in ("random", "vulnerable"):
        best = audit.battery(population)
        if best is None or best.roc is None:
            continue
        points = _from_one_alarm(list(zip(*best.roc, strict=True)), best.n_holdout)
        stride = -(-len(points) // _MOST_POINTS)
        kept = [*points[::stride], points[-1]]
        found.append(
            (f"{best.attack} on {population} rows", [(float(x), float(y)) for x, y in kept])
        )
    return found


def _from_one_alarm(points: list[tuple[float, float]], n_holdout: int) -> list[tuple[float, float]]:
    """Return a curve with a point at one false alarm, the least that could be measured.

    An attack that knows copies has none at all until it guesses at everybody.
    """
    if not n_holdout:
        return points
    one = 1 / n_holdout
    rest = [(x, y) for x, y in points if x > 0]
    if not rest or rest[0][0] <= one:
        return points
    found = float(np.interp(one, [x for x, _ in points], [y for _, y in points]))
    return [*points[: len(points) - len(rest)], (one, found), *rest]


def power_of(audit: AuditReport) -> Power:
    """Return what the audit would have found, and what it left out."""
    controls = [
        ControlLine(
            each.name, each.expectation, each.passed, each.auc, *each.auc_interval, each.attack
        )
        for each in audit.controls
    ]
    sizes = [each.detectable_auc for each in audit.of("random") if each.detectable_auc is not None]
    return Power(
        controls,
        [(float(each["share"]), each["auc"], bool(each["found"])) for each in audit.planted],
        audit.smallest_leak,
        max(sizes, default=None),
        [(each.attack, each.reason) for each in audit.skipped],
    )


def copied_of(
    synthetic: pd.DataFrame, members: Any, holdout: Any, schema: Any, quality: Any
) -> Copied | None:
    """Return how many rows equal a member, by looking or from a quality report.

    Raises
    ------
    InvalidDataError
        If the two are the same rows.
    InvalidParameterError
        If only one of members and holdout is given.
    """
    if (members is None) != (holdout is None):
        raise InvalidParameterError("Give members and holdout together, or neither.")
    if members is not None:
        inside, outside, made = align(members, holdout, synthetic)
        if checksum(inside) == checksum(outside):
            raise InvalidDataError(
                "members and holdout are the same rows, so that every copy would look like chance; "
                "give real rows that the generator did not learn from as holdout."
            )
        roles = column_roles(inside, schema)
        keys = row_keys([inside, outside, made], roles)
        counts = [int(np.isin(own, keys[0]).sum()) for own in keys[1:]]
        fresh, copies = (
            (count, *clopper_pearson(count, len(own), level=_ONE_SIDED), len(own))
            for count, own in zip(counts, keys[1:], strict=True)
        )
        return Copied(copies[0] / copies[3], copies[1], fresh[0] / fresh[3], fresh[2], "all rows")
    line = _score(quality, "copy_share")
    if line is None or line.value is None:
        return None
    fresh_share = line.ceiling
    low = line.value if line.low is None else line.low
    return Copied(line.value, low, fresh_share, fresh_share, "the quality report")


def more_copies(copied: Copied) -> bool:
    """Whether surely more synthetic rows than fresh real rows equal a member."""
    limit = copied.holdout_high
    return copied.synthetic_low > (0.0 if limit is None else limit)


def returned_of(audit: AuditReport) -> list[Returned]:
    """Return how many values of the columns that are left out come back, with bounds."""
    reasons = audit.splits.get("left_out", {})
    found = []
    for column, shares in audit.reproduced.items():
        bounds: dict[str, tuple[float, float]] = {}
        for side in ("members", "holdout"):
            n = int(shares[f"{side}_present"])
            bounds[side] = clopper_pearson(round(shares[side] * n), n, level=_ONE_SIDED)
        found.append(
            Returned(
                column,
                str(reasons.get(column, "left out")),
                shares["members"],
                bounds["members"][0],
                shares["holdout"],
                bounds["holdout"][1],
            )
        )
    return found


def comes_back(returned: Returned) -> bool:
    """Whether surely more values of members than of holdout rows come back."""
    low, high = returned.members_low, returned.holdout_high
    return low is not None and high is not None and low > high


def utility_of(quality: Any) -> Utility | None:
    """Return the scores of a quality report.

    Raises
    ------
    InvalidParameterError
        If it is none.
    """
    if quality is None:
        return None
    verdict, scores = getattr(quality, "verdict", None), getattr(quality, "scores", None)
    if not isinstance(verdict, str) or not isinstance(scores, pd.DataFrame):
        raise InvalidParameterError(
            "quality must be a report of synthgen.evaluate.quality_report, "
            f"got {type(quality).__name__}."
        )
    rating = str(getattr(getattr(quality, "content", None), "rating", "none"))
    lines = [_utility_line(str(name), row) for name, row in scores.iterrows()]
    return Utility(rating, verdict, lines)


def _utility_line(name: str, row: Any) -> UtilityLine:
    numbers = {key: _number(row.get(key)) for key in ("value", "low", "high", "floor", "ceiling")}
    return UtilityLine(
        name, str(row.get("rating", "none")), **numbers, better=str(row.get("direction", ""))
    )


def _score(quality: Any, name: str) -> UtilityLine | None:
    utility = utility_of(quality)
    lines = [] if utility is None else utility.lines
    return next((line for line in lines if line.score == name), None)


def groups_of(quality: Any, limits: ReleaseLimits) -> list[Group]:
    """Return the groups of the quality report, the widest gap first, small ones marked."""
    results = getattr(quality, "results", None) or {}
    breakdown = getattr(results.get("subgroup_fidelity"), "breakdown", None)
    if breakdown is None:
        return []
    return [
        Group(
            str(row["column"]),
            str(row["level"]),
            int(row["real_rows"]),
            int(row["synthetic_rows"]),
            float(row["score"]),
            float(row["expected"]),
            int(row["real_rows"]) < limits.group,
        )
        for row in breakdown.head(_MOST_GROUPS).to_dict(orient="records")
    ]


def recognised_of(audit: AuditReport, limits: ReleaseLimits) -> list[Recognised]:
    """Return how well members of groups were told from others, the worst first."""
    found = []
    for group in audit.groups[:_MOST_GROUPS]:
        attack, area, low, high, outcome = "", None, None, None, "too few rows"
        if group.result is not None:
            attack, area = group.result.attack, group.result.auc
            low, high = group.result.auc_simultaneous or (None, None)
            power = "within" if group.result.has_power else "no power"
            outcome = "above" if over_auc(group.result, limits) else power
        sizes = group.n_members, group.n_holdout
        found.append(
            Recognised(group.column, group.level, *sizes, attack, area, low, high, outcome)
        )
    return found


def small_groups(
    synthetic: pd.DataFrame, schema: Any, limits: ReleaseLimits
) -> list[tuple[str, int]]:
    """Return the columns that have levels of few synthetic rows, and how many such levels.

    Of the synthetic rows, which everybody will see: nothing is told about the real ones.
    """
    found = []
    roles = column_roles(synthetic, schema)
    for name in roles.names("discrete"):
        counts = synthetic[name].astype(object).map(str).value_counts()
        few = int((counts < limits.group).sum())
        if few:
            found.append((str(name), few))
    return sorted(found, key=lambda pair: -pair[1])


def same_table(audit: AuditReport, synthetic: pd.DataFrame) -> bool:
    """Whether the audit looked at these rows, in any order; without a checksum, at as many.

    Raises
    ------
    InvalidDataError
        If it looked at other columns.
    """
    looked = {*audit.splits.get("columns", ()), *audit.splits.get("left_out", {})}
    names = {str(name) for name in synthetic.columns}
    if looked and looked != names:
        raise InvalidDataError(
            "The audit belongs to another table: it looked at the columns "
            f"{sorted(looked - names)} that are not released, and not at {sorted(names - looked)}."
        )
    if audit.checksum is not None:
        return audit.checksum == checksum(synthetic)
    rows = audit.splits.get("tables", {}).get("synthetic", {}).get("given")
    return rows is None or int(rows) == len(synthetic)


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, str):
        return None
    number = float(value)
    return number if math.isfinite(number) else None
