"""The release report: what is guaranteed, what attacks found, and whether to let the rows go."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from synthgen.core.documents import plain_json
from synthgen.core.params import check_choice
from synthgen.data.frame import read_frame
from synthgen.errors import InvalidDataError, InvalidParameterError, MissingExtraError
from synthgen.measure.checks import (
    check_names,
    check_schema,
    check_synthesizer,
    check_text,
    check_texts,
)
from synthgen.measure.columns import column_roles
from synthgen.page.files import write_report
from synthgen.privacy.audit_report import AuditReport
from synthgen.privacy.release_content import Finding, ReleaseContent
from synthgen.privacy.release_evidence import (
    IDENTIFYING,
    attack_lines,
    copied_of,
    curves,
    groups_of,
    power_of,
    recognised_of,
    returned_of,
    same_table,
    small_groups,
    utility_of,
)
from synthgen.privacy.release_guarantee import (
    assumptions_of,
    broken_claim,
    declared,
    ledger_of,
    meaning_of,
    steps_of,
)
from synthgen.privacy.release_identity import columns_of, identity_of
from synthgen.privacy.release_limits import ReleaseLimits, rules_of, sentence_of, verdict_of
from synthgen.privacy.release_public import published
from synthgen.privacy.release_rules import Evidence, find, untold

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

#: Version of the layout of the JSON document.
FORMAT: Final = 1
#: Who has to sign if nobody says otherwise.
_ROLES: Final = {"Controller": "", "Data-protection officer": ""}
_NO_GUARANTEE: Final = (
    "Nothing. The generator was trained without differential privacy, or no ledger was given. What "
    "follows is what some attacks found; others may find more."
)
_RESIDUAL: Final = (
    "Whatever holds for many rows can be learned from synthetic rows too, and may say something "
    "about people who are in no table.",
    "Each further release of the same rows adds to what this one tells.",
    "New attacks will be better than these: audit again by the date that is stated above, or when "
    "the rows are given to somebody else.",
)


@dataclass(frozen=True)
class ReleaseReport:
    """What stands for and against letting rows go; made by :func:`release_report`.

    Parameters
    ----------
    content : ReleaseContent
        Everything that the report shows, as plain values.
    """

    content: ReleaseContent

    @property
    def verdict(self) -> str:
        """``"RELEASE"``, ``"REVIEW"`` (a person has to decide) or ``"BLOCK"``."""
        return self.content.verdict

    @property
    def findings(self) -> list[Finding]:
        """The rules that tripped and why, those that block first."""
        return self.content.findings

    @property
    def tripped(self) -> tuple[str, ...]:
        """Ids of the rules that tripped."""
        return tuple(rule.id for rule in self.content.rules if rule.tripped)

    def to_dict(self) -> dict[str, Any]:
        """Return everything that the report shows as JSON types."""
        document: dict[str, Any] = plain_json({"format": FORMAT, **asdict(self.content)})
        return document

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the report as JSON, and write it to `path` if one is given.

        The same evidence gives the same bytes.
        """
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
        write_report(path, text)
        return text

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the report as one HTML page, and write it to `path` if one is given.

        The page needs no network and no other file.

        Raises
        ------
        MissingExtraError
            If jinja2 is not installed.
        """
        from synthgen.privacy.release_page import render_page

        text = render_page(self.content, self.to_json())
        write_report(path, text)
        return text

    def _repr_html_(self) -> str | None:
        from synthgen.privacy.release_page import render_fragment

        try:
            return render_fragment(self.content, self.to_json())
        except MissingExtraError:
            return None  # a notebook then shows the text

    def __repr__(self) -> str:
        lines = [f"{self.verdict}: {self.content.sentence}"]
        lines += [f"  {finding.rule:<4}{finding.text}" for finding in self.findings]
        return "\n".join(lines)


def release_report(
    synthetic: Any,
    *,
    audit: AuditReport,
    quality: Any = None,
    synthesizer: Any = None,
    ledger: Any = None,
    members: Any = None,
    holdout: Any = None,
    schema: Schema | None = None,
    identifiers: Sequence[Hashable] = (),
    assumptions: Mapping[str, str] | None = None,
    limits: ReleaseLimits | None = None,
    sign_off: Mapping[str, str] | None = None,
    details: Mapping[str, str] | None = None,
    conditions: Sequence[str] = (),
    mode: str = "internal",
    title: str = "Release of synthetic data",
) -> ReleaseReport:
    """Put guarantee, audit and quality together, and say whether the rows may go.

    Parameters
    ----------
    synthetic : table
        The rows that are to be released.
    audit : AuditReport
        What :func:`synthgen.privacy.audit` found about these rows.
    quality : QualityReport, optional
        What :func:`synthgen.evaluate.quality_report` says about them; utility and groups come from
        it.
    synthesizer : fitted synthesizer, optional
        The one that made them; its ledger and schema are used.
    ledger : Ledger, optional
        What was spent, if there is no synthesizer.
    members, holdout : table, optional
        The training rows and fresh real rows, to look for copies in; by default the quality report
        says how many there are.
    schema : Schema, optional
        Kinds of the columns; by default the synthesizer's, or the dtypes decide.
    identifiers : sequence of column names
        Columns that identify a person directly. If one is in the table, it is not released.
    assumptions : mapping of str to {"public", "paid", "unknown"}, optional
        What else has to be true for the guarantee. An unknown one voids it.
    limits : ReleaseLimits, optional
        Other limits for the rules.
    sign_off : mapping of str to str, optional
        Role to name; an empty name leaves room for one. By default controller and data-protection
        officer.
    details : mapping of str to str, optional
        What the reader has to know about the release: recipient, purpose, retention, date, ...
    conditions : sequence of str
        Conditions of use.
    mode : {"internal", "public"}, default="internal"
        ``"public"`` shows nothing exact about the data that is not in the ledger.
    title : str

    Returns
    -------
    ReleaseReport

    Raises
    ------
    InvalidDataError
        If the audit looked at other columns, the synthetic table is empty, or members were given as
        holdout.
    InvalidParameterError
        If a parameter cannot work.
    SchemaMismatchError
        If members or holdout have other columns.
    sklearn.exceptions.NotFittedError
        If the synthesizer is not fitted.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from synthgen import privacy
    >>> table = pd.DataFrame(np.random.default_rng(0).normal(size=(600, 2)), columns=["a", "b"])
    >>> audit = privacy.audit(table[:200], table[:200], table[200:], attacks=["nearest"])
    >>> report = privacy.release_report(table[:200], audit=audit)
    >>> report.verdict, "B4" in report.tripped
    ('BLOCK', True)
    """
    _check(audit, mode, title)
    limits = _checked_limits(limits)
    assumptions = check_texts("assumptions", assumptions)
    details, signers = check_texts("details", details), check_texts("sign_off", sign_off)
    use = check_names("conditions", conditions, what="texts")
    check_synthesizer(synthesizer)
    frame = _frame(synthetic)
    identifiers = _check_identifiers(identifiers, frame)
    schema = check_schema(schema)
    schema = getattr(synthesizer, "schema_", None) if schema is None else schema
    own = ledger_of(ledger, synthesizer)
    broken = broken_claim(own, synthesizer, audit.guarantee)
    meaning = None if own is None or broken else meaning_of(own)
    register = declared(assumptions) if own is None else assumptions_of(own, schema, assumptions)
    roles = column_roles(frame, schema)
    evidence = Evidence(
        audit,
        limits,
        meaning,
        broken,
        register,
        copied_of(frame, members, holdout, schema, quality),
        returned_of(audit),
        [str(name) for name in identifiers],
        schema is not None or bool(identifiers),
        [str(c.name) for c in schema or () if c.kind in IDENTIFYING and c.name in frame.columns],
        utility_of(quality),
        same_table(audit, frame),
    )
    findings = find(evidence)
    verdict = verdict_of(findings)
    content = ReleaseContent(
        title,
        "internal",
        verdict,
        sentence_of(verdict, findings),
        findings,
        rules_of(limits, findings, untold(evidence)),
        identity_of(frame, schema, own, details),
        columns_of(frame, roles, schema, identifiers),
        meaning,
        " ".join([_NO_GUARANTEE, *(f"It was claimed, but {reason}." for reason in broken)]),
        [] if own is None else steps_of(own),
        register,
        attack_lines(audit, limits),
        curves(audit),
        audit.epsilon_lower(),
        limits.auc,
        power_of(audit),
        evidence.copied,
        evidence.returned,
        evidence.utility,
        groups_of(quality, limits),
        recognised_of(audit, limits),
        limits.group,
        [*(str(each) for each in use), *_RESIDUAL],
        [(str(role), str(name)) for role, name in (signers or _ROLES).items()],
        _settings(audit, limits),
        list(audit.notes),
        {
            "small_groups": small_groups(frame, schema, limits),
            "distances": [(name, list(own)) for name, own in audit.distances.items()],
        },
    )
    return ReleaseReport(published(content) if mode == "public" else content)


def _check(audit: Any, mode: str, title: Any) -> None:
    check_choice("mode", mode, ("internal", "public"))
    if not isinstance(audit, AuditReport):
        raise InvalidParameterError(
            f"audit must be the report of synthgen.privacy.audit(...), got {type(audit).__name__}."
        )
    check_text("title", title)


def _checked_limits(limits: Any) -> ReleaseLimits:
    if limits is None:
        return ReleaseLimits()
    if not isinstance(limits, ReleaseLimits):
        raise InvalidParameterError(
            f"limits must be ReleaseLimits(...) or None, got {type(limits).__name__}."
        )
    return limits.check()


def _frame(synthetic: Any) -> pd.DataFrame:
    frame: pd.DataFrame
    frame = synthetic if isinstance(synthetic, pd.DataFrame) else read_frame(synthetic)[0]
    if not len(frame) or not len(frame.columns):
        raise InvalidDataError(
            f"The synthetic table has shape {frame.shape}; a release needs a row and a column."
        )
    if not frame.columns.is_unique:
        doubled = list(frame.columns[frame.columns.duplicated()].unique())
        raise InvalidDataError(f"The synthetic table has duplicate column names: {doubled}.")
    return frame


def _check_identifiers(identifiers: Any, frame: pd.DataFrame) -> tuple[Hashable, ...]:
    """Refuse a name with a slip of the pen: it must not pass for a column that was dropped."""
    names = check_names("identifiers", identifiers)
    unknown = [name for name in names if name not in frame.columns]
    if unknown:
        raise InvalidParameterError(
            f"identifiers: there is no column {unknown[0]!r}; there are {list(frame.columns)!r}."
        )
    return names


def _settings(audit: AuditReport, limits: ReleaseLimits) -> list[tuple[str, str]]:
    """Return what is needed to repeat the report."""
    pairs = [("Versions", ", ".join(f"{name} {text}" for name, text in audit.versions.items()))]
    settings = dict(audit.settings)
    pairs.append(("Level of intervals", str(settings.pop("level", "not known"))))
    changed = [
        f"{name} {getattr(limits, name):g} (default {each.default:g})"
        for each in fields(limits)
        if (name := each.name) in limits.changed()
    ]
    pairs.append(("Limits that were changed", ", ".join(changed) or "none"))
    for name, sizes in audit.splits.get("tables", {}).items():
        whole = f"of {sizes['given']:,}" if sizes["given"] else "that were given as holdout"
        pairs.append((f"Rows looked at: {name}", f"{sizes['used']:,} {whole}"))
    return pairs + [(f"Audit: {name}", _plainly(value)) for name, value in settings.items()]


def _plainly(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
