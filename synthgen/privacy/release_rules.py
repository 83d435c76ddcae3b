"""The rules of the verdict, each from evidence to a finding or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from synthgen.page.wording import amount, listed, percent
from synthgen.privacy.audit_report import AuditReport
from synthgen.privacy.release_content import (
    Assumption,
    Copied,
    Finding,
    Meaning,
    Returned,
    Utility,
)
from synthgen.privacy.release_evidence import (
    comes_back,
    more_copies,
    over_auc,
    over_hits,
    over_risk,
)
from synthgen.privacy.release_limits import ReleaseLimits


@dataclass(frozen=True)
class Evidence:
    """Everything that the rules look at.

    Parameters
    ----------
    audit : AuditReport
    limits : ReleaseLimits
    guarantee : Meaning, optional
        What is claimed; None without a private ledger.
    broken : list of str
        Why a claim does not hold.
    assumptions : list of Assumption
    copied : Copied, optional
    returned : list of Returned
    identifiers : list of str
        Direct identifiers that are in the table, by the user's word.
    checked : bool
        Whether anybody said which columns identify people.
    made_up : list of str
        Identifying columns by the schema, which a synthesizer fills with new values.
    utility : Utility, optional
    same_table : bool
        Whether the audit looked at the released rows.
    """

    audit: AuditReport
    limits: ReleaseLimits
    guarantee: Meaning | None
    broken: list[str]
    assumptions: list[Assumption]
    copied: Copied | None
    returned: list[Returned]
    identifiers: list[str]
    checked: bool
    made_up: list[str]
    utility: Utility | None
    same_table: bool


def find(evidence: Evidence) -> list[Finding]:
    """Return the rules that tripped, the blocking ones first."""
    rules = (
        _identifiers, _copies, _refuted, _attacks, _anonymeter, _blind, _claims, _groups,
        _no_guarantee, _weak, _delta, _few_rows, _few_attacks, _false_alarm, _quality,
        _other_table, _copies_unknown, _made_up,
    )  # fmt: skip
    return [finding for rule in rules for finding in rule(evidence)]


def untold(e: Evidence) -> dict[str, str]:
    """Return the rules that nothing could trip, and why."""
    seen, absent = "not looked at", "does not apply"
    attacks = e.audit.attacks
    known = {
        "B1": bool(e.checked or e.returned or e.made_up),
        "B2": e.copied is not None,
        "B4": any(each.auc is not None for each in attacks),
        "B5": any(each.tpr_at_1pct is not None for each in attacks),
        "B9": any(each.result is not None for each in e.audit.groups),
        "B6": any("risk_interval" in each.details for each in attacks),
    }
    states = {rule: seen for rule, told in known.items() if not told}
    if e.guarantee is None:
        states |= dict.fromkeys(("B3", "B8", "R2", "R3"), absent)
    elif e.audit.epsilon_lower() is None:
        states["B3"] = seen
    return states


def _identifiers(e: Evidence) -> Iterator[Finding]:
    if e.identifiers:
        words = f"Direct identifiers are in the table: {listed(e.identifiers)}."
        yield Finding("B1", words, words, "Drop these columns, or let them be made up.")
    for each in e.returned:
        if comes_back(each):
            yield Finding(
                "B1",
                f"Column {each.column} ({each.reason}): {percent(each.members)} of the training "
                f"rows' values stand in the synthetic table, {percent(each.holdout)} of fresh "
                "rows' values.",
                f"Column {each.column}: values of training rows come back.",
                "Drop the column, or declare its kind in the schema so that it is made up.",
            )


def _copies(e: Evidence) -> Iterator[Finding]:
    if e.copied is not None and more_copies(e.copied):
        yield Finding(
            "B2",
            f"{percent(e.copied.synthetic)} of the synthetic rows equal a training row, at least "
            f"{percent(e.copied.synthetic_low)}; of fresh real rows it is "
            f"{percent(e.copied.holdout)}.",
            "More synthetic rows equal a training row than chance explains.",
            "The generator repeats rows: train it less, on more rows, or with privacy.",
        )


def _refuted(e: Evidence) -> Iterator[Finding]:
    bound = e.audit.epsilon_lower()
    if e.guarantee is not None and bound is not None and bound > e.guarantee.epsilon:
        yield Finding(
            "B3",
            f"An attack shows an epsilon of at least {amount(bound)}; claimed is "
            f"{amount(e.guarantee.epsilon)}.",
            "An attack shows a larger epsilon than the one that is claimed.",
            "The mechanism is broken, or the rows that were attacked are not the ones it saw.",
        )


def _attacks(e: Evidence) -> Iterator[Finding]:
    for result in e.audit.attacks:
        where = f"{result.attack} on {result.population} rows"
        if over_auc(result, e.limits):
            low = (result.auc_simultaneous or result.auc_interval or (0.0,))[0]
            yield Finding(
                "B4",
                f"{where}: area {amount(result.auc)}, at least {amount(low)}.",
                f"{where} tells training rows from others.",
                _ADVICE,
            )
        hits, alarms = result.tpr_at_1pct, result.fpr_at_1pct
        if over_hits(result, e.limits) and hits is not None:
            false = "" if alarms is None else f" with {percent(alarms.value)} false alarms"
            yield Finding(
                "B5",
                f"{where}: {percent(hits.value)} of the training rows are found{false}; at least "
                f"{percent(hits.low)}.",
                f"{where} finds single training rows.",
                _ADVICE,
            )


_ADVICE = "Train with privacy, on more rows, or for a shorter time; then audit again."


def _anonymeter(e: Evidence) -> Iterator[Finding]:
    for result in e.audit.attacks:
        if over_risk(result, e.limits):
            low, _ = result.details["risk_interval"]
            yield Finding(
                "B6",
                f"{result.attack}: risk {amount(result.details['risk'])}, at least {amount(low)}; "
                f"success {percent(result.success)} among training rows and "
                f"{percent(result.control)} among fresh ones.",
                f"{result.attack}: training rows are more at risk than fresh ones.",
                _ADVICE,
            )


def _blind(e: Evidence) -> Iterator[Finding]:
    positive = [each for each in e.audit.controls if each.name == "positive"]
    if positive and all(each.passed for each in positive):
        return
    words = "The audit did not find training rows that were released on purpose."
    told = f" The best area was {amount(positive[0].auc)}." if positive else ""
    yield Finding(
        "B7",
        (words if positive else "The audit ran no positive control.") + told,
        words,
        "Give more members and holdout rows; without power, no result counts.",
    )


def _claims(e: Evidence) -> Iterator[Finding]:
    unknown = [each.text for each in e.assumptions if each.status == "unknown"]
    for reason in [*e.broken, *(f"nobody knows whether this holds: {text}" for text in unknown)]:
        words = f"The claim of differential privacy does not hold: {reason}."
        yield Finding("B8", words, words, "Mend it, or release without the claim.")


def _groups(e: Evidence) -> Iterator[Finding]:
    for group in e.audit.groups:
        if group.result is not None and over_auc(group.result, e.limits):
            low = (group.result.auc_simultaneous or (0.0,))[0]
            yield Finding(
                "B9",
                f"{group.result.attack} on rows with {group.column} = {group.level}: area "
                f"{amount(group.result.auc)}, at least {amount(low)}.",
                "An attack tells training rows of one group from others.",
                _ADVICE,
            )


def _no_guarantee(e: Evidence) -> Iterator[Finding]:
    if e.guarantee is None:
        words = (
            "No formal guarantee: attacks that were tried here bound nothing that others will try."
        )
        yield Finding("R1", words, words, "Weigh who will get the rows, or train with privacy.")


def _weak(e: Evidence) -> Iterator[Finding]:
    if e.guarantee is not None and e.guarantee.epsilon > e.limits.epsilon:
        epsilon = e.guarantee.epsilon
        weak = "a formal but weak guarantee" if epsilon > e.limits.weak_epsilon else "a wide bound"
        words = f"Epsilon is {amount(epsilon)}: {weak}."
        yield Finding("R2", words, words, "Read what it allows an attacker, below.")


def _delta(e: Evidence) -> Iterator[Finding]:
    if e.guarantee is None:
        return
    delta = e.guarantee.delta
    rows = e.guarantee.n_rows or e.audit.splits.get("tables", {}).get("members", {}).get("given")
    if delta > e.limits.delta or (rows and delta > (1 + 1e-9) / (10 * rows)):
        words = f"Delta is {amount(delta)}, too large for the number of rows."
        yield Finding("R3", words, words, "Delta is the chance to publish a row outright.")


def _few_rows(e: Evidence) -> Iterator[Finding]:
    judged = [each for each in e.audit.of("random") if each.success is None]
    sizes = [each.n_holdout for each in judged]
    if sizes and min(sizes) < e.limits.holdout:
        yield Finding(
            "R4",
            f"Attacks on random rows were judged on {min(sizes)} holdout rows.",
            f"Attacks were judged on fewer than {e.limits.holdout} holdout rows.",
            "Keep more real rows out of training; half of those given serve as reference.",
        )


def _few_attacks(e: Evidence) -> Iterator[Finding]:
    able = {each.attack for each in e.audit.of("random") if each.has_power}
    if len(able) < e.limits.attacks:
        words = f"Only {len(able)} attacks on random rows had power."
        yield Finding("R5", words, words, "Run the whole battery, with more rows.")
    late = [each.attack for each in e.audit.skipped if each.cause == "budget"]
    if late:
        words = f"Attacks were left out for lack of time: {listed(late)}."
        yield Finding("R5", words, words, "Give the audit a larger budget_s.")
    if not e.audit.of("vulnerable"):
        words = "No attack was run on the most isolated rows, which are most at risk."
        yield Finding("R5", words, words, "Give more rows, so that some of them are isolated.")


def _false_alarm(e: Evidence) -> Iterator[Finding]:
    negative = [each for each in e.audit.controls if each.name == "negative"]
    if negative and all(each.passed for each in negative):
        return
    words = "Fresh real rows in place of the synthetic ones were mistaken for a leak."
    told = f" The area was {amount(negative[0].auc)}." if negative else ""
    yield Finding(
        "R6",
        (words if negative else "The audit ran no negative control.") + told,
        words if negative else "The audit ran no negative control.",
        "Members and holdout may come from different sources or times.",
    )


def _quality(e: Evidence) -> Iterator[Finding]:
    if e.utility is None:
        words = "The quality was not measured."
        yield Finding("R7", words, words, "Give quality=evaluate.quality_report(...).")
    elif e.utility.rating in ("poor", "none"):
        public = "The quality is poor." if e.utility.rating == "poor" else "Quality: no verdict."
        yield Finding("R7", e.utility.verdict, public, "Useless rows are not worth any risk.")


def _other_table(e: Evidence) -> Iterator[Finding]:
    if not e.same_table:
        rows = e.audit.splits.get("tables", {}).get("synthetic", {}).get("given")
        public = "The audit looked at other synthetic rows than those that are released."
        words = public if rows is None else f"{public} They were {int(rows):,}."
        yield Finding("R8", words, public, "Audit the rows themselves: audit(rows, ...).")


def _copies_unknown(e: Evidence) -> Iterator[Finding]:
    if e.copied is None:
        words = "Copies of training rows were not looked for."
        yield Finding("R9", words, words, "Give members and holdout, or quality.")


def _made_up(e: Evidence) -> Iterator[Finding]:
    for name in e.made_up:
        words = f"Column {name} holds identifiers that are made up; one may hit a real person's."
        yield Finding("R10", words, words, "Drop the column if nobody needs it.")
