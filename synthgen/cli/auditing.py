"""``synthgen audit``: attack synthetic rows, and stop a pipeline if they must not be released."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from synthgen.cli.console import (
    JsonOption,
    SeedOption,
    check_targets,
    echo_json,
    format_table,
    guarded,
)
from synthgen.errors import ArtifactError, InvalidParameterError

if TYPE_CHECKING:
    from synthgen.privacy import AuditReport, ReleaseReport

#: Exit code if the rows must not be released.
BLOCKED: Final = 3

_TABLE: Final = "CSV (also .gz), Parquet or Feather"
#: Attacks that are printed; the files hold all of them.
_SHOWN: Final = 12

SyntheticArgument = Annotated[
    Path, typer.Argument(metavar="SYNTH", help=f"The rows that are to be released: {_TABLE}.")
]
MembersOption = Annotated[
    Path, typer.Option("--members", help="The rows that the generator learned from.")
]
HoldoutOption = Annotated[
    Path, typer.Option("--holdout", help="Real rows that it did not learn from.")
]
ReferenceOption = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        help="Real rows that an attacker has. By default half of the holdout.",
    ),
]
ModelOption = Annotated[
    Path | None,
    typer.Option("--model", help="Saved model: it is attacked too, and its ledger is shown."),
]
SchemaOption = Annotated[
    Path | None, typer.Option("--schema", help="Schema written by `synthgen schema -o`.")
]
SecretsOption = Annotated[
    list[str] | None,
    typer.Option("--secret", help="A sensitive column to infer; may be repeated."),
]
GroupsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--group", help="Judge attacks within the levels of this column; may be repeated."
    ),
]
AttacksOption = Annotated[
    list[str] | None,
    typer.Option("--attack", help="Run this attack only; may be repeated."),
]
BudgetOption = Annotated[
    float, typer.Option("--budget-s", help="Begin no attack after so many seconds.")
]
ShadowOption = Annotated[
    int,
    typer.Option(
        "--shadow-fits",
        help="Fit the --model anew so many times to attack its most isolated rows; 64 tell a lot.",
    ),
]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", help="Write the release report here, as one page.")
]


@guarded
def audit(
    synthetic: SyntheticArgument,
    members: MembersOption,
    holdout: HoldoutOption,
    reference: ReferenceOption = None,
    model: ModelOption = None,
    schema: SchemaOption = None,
    secrets: SecretsOption = None,
    attacks: AttacksOption = None,
    groups: GroupsOption = None,
    json_path: Annotated[
        Path | None, typer.Option("--json-file", help="Write the audit here, as JSON.")
    ] = None,
    html: HtmlOption = None,
    budget_s: BudgetOption = 180.0,
    shadow_fits: ShadowOption = 0,
    seed: SeedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Attack SYNTH, which was made from MEMBERS, and say whether it may be released.

    The exit code is 3 if a rule forbids a release, so that a pipeline stops there.
    """
    check_targets(html, json_path, inputs=(synthetic, members, holdout, reference, schema))
    tables = read_tables(synthetic, members, holdout, reference)
    found, synthesizer, declared = run_audit(
        tables, model, schema, secrets, attacks, groups, budget_s, shadow_fits, seed
    )
    from synthgen.privacy import release_report

    report = release_report(
        tables[0],
        audit=found,
        synthesizer=synthesizer,
        members=tables[1],
        holdout=tables[2],
        schema=declared,
        title=f"Audit of {synthetic.name}",
    )
    if json_path is not None:
        write(json_path, found.to_json() + "\n")
    if html is not None:
        report.to_html(html)
    if not as_json:
        typer.echo(audit_text(found))
        typer.echo("")
        typer.echo(verdict_text(report))
    finish(report, [html, json_path], found.to_dict() if as_json else None)


def run_audit(
    tables: tuple[Any, Any, Any, Any],
    model: Path | None,
    schema: Path | None,
    secrets: list[str] | None,
    attacks: list[str] | None,
    groups: list[str] | None,
    budget_s: float,
    shadow_fits: int,
    seed: int | None,
) -> tuple[AuditReport, Any, Any]:
    """Return the audit of the rows, the model if there is one, and the schema."""
    from synthgen import Schema, load
    from synthgen.privacy import audit as attack

    synthetic, members, holdout, reference = tables
    check_columns("--secret", secrets, members)
    check_columns("--group", groups, members)
    synthesizer = None if model is None else load(model)
    declared = None if schema is None else Schema.load(schema)
    subject: dict[str, Any] = {"synthesizer_or_frame": synthetic}
    if synthesizer is not None:
        subject = {"synthesizer_or_frame": synthesizer, "synthetic": synthetic}
    report = attack(
        **subject,
        members=members,
        holdout=holdout,
        reference=reference,
        schema=declared,
        secrets=secrets or None,
        attacks=attacks or None,
        groups=groups or None,
        budget_s=budget_s,
        shadow_fits=shadow_fits,
        random_state=0 if seed is None else seed,
    )
    return report, synthesizer, declared


def read_tables(
    synthetic: Path, members: Path, holdout: Path, reference: Path | None
) -> tuple[Any, Any, Any, Any]:
    """Read all tables before any work starts."""
    from synthgen.data.frame import read_path

    same = [(members, holdout), (members, synthetic), (holdout, synthetic)]
    for first, second in same:
        if first.exists() and second.exists() and first.samefile(second):
            raise InvalidParameterError(
                f"'{first}' is given twice; members, holdout and synthetic rows differ."
            )
    others = (synthetic, members, holdout)
    frames = [read_path(path) for path in others]
    return frames[0], frames[1], frames[2], None if reference is None else read_path(reference)


def check_columns(option: str, names: list[str] | None, frame: Any) -> None:
    """Check that names are columns: one with a slip of the pen must not be passed over.

    Raises
    ------
    InvalidParameterError
        If one is not.
    """
    known = [str(name) for name in frame.columns]
    for name in names or ():
        if name not in known:
            raise InvalidParameterError(
                f"{option}: there is no column '{name}'; known: {', '.join(known)}."
            )


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    ArtifactError
        If it cannot be written.
    """
    from synthgen.core.files import replace_file

    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise ArtifactError(f"'{path}' could not be written: {error}.") from error


def audit_text(report: AuditReport) -> str:
    """Return the outcome and the strongest attacks as text."""
    rows = [
        [each.attack, each.population, each.auc, *(each.auc_interval or (None, None))]
        for each in report.worst(_SHOWN)
    ]
    if not rows:
        return report.summary()
    table = format_table(["attack", "rows", "AUC", "low", "high"], rows)
    return f"{report.summary()}\n\n{table}"


def verdict_text(report: ReleaseReport) -> str:
    """Return the verdict and the rules behind it as text."""
    lines = [f"{report.verdict}: {report.content.sentence}"]
    lines += [f"  {finding.rule:<4} {finding.text}" for finding in report.findings]
    return "\n".join(lines)


def finish(
    report: ReleaseReport, paths: list[Path | None], document: dict[str, Any] | None
) -> None:
    """Print a document or say what was written, and end with the exit code of the verdict."""
    if document is not None:
        echo_json(document)
    else:
        for path in paths:
            if path is not None:
                typer.echo(f"written to {path}")
    if report.verdict == "BLOCK":
        raise typer.Exit(BLOCKED)
