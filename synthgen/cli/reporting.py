"""``synthgen report``: guarantee, audit and quality of rows to be released, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from synthgen.cli.auditing import (
    AttacksOption,
    BudgetOption,
    GroupsOption,
    HoldoutOption,
    HtmlOption,
    MembersOption,
    ModelOption,
    ReferenceOption,
    SchemaOption,
    SecretsOption,
    ShadowOption,
    SyntheticArgument,
    check_columns,
    finish,
    read_tables,
    run_audit,
    verdict_text,
)
from synthgen.cli.console import JsonOption, SeedOption, check_targets, guarded
from synthgen.errors import InvalidParameterError


@guarded
def report(
    synthetic: SyntheticArgument,
    members: MembersOption,
    holdout: HoldoutOption,
    reference: ReferenceOption = None,
    model: ModelOption = None,
    schema: SchemaOption = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Column that models should predict.")
    ] = None,
    secrets: SecretsOption = None,
    attacks: AttacksOption = None,
    groups: GroupsOption = None,
    identifiers: Annotated[
        list[str] | None,
        typer.Option("--identifier", help="A column that identifies people; may be repeated."),
    ] = None,
    details: Annotated[
        list[str] | None,
        typer.Option("--detail", help="Such as 'Recipient=University'; may be repeated."),
    ] = None,
    conditions: Annotated[
        list[str] | None, typer.Option("--condition", help="Condition of use; may be repeated.")
    ] = None,
    signers: Annotated[
        list[str] | None,
        typer.Option("--sign", help="Such as 'Controller=A. Name'; may be repeated."),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="Heading of the page.")] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Leave out every figure of the real rows.")
    ] = False,
    quality: Annotated[
        bool, typer.Option("--quality/--no-quality", help="Measure the quality too.")
    ] = True,
    html: HtmlOption = None,
    json_path: Annotated[
        Path | None, typer.Option("--json-file", help="Write the report here, as JSON.")
    ] = None,
    budget_s: BudgetOption = 180.0,
    shadow_fits: ShadowOption = 0,
    seed: SeedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the release report of SYNTH, which was made from MEMBERS.

    The exit code is 3 if a rule forbids a release, so that a pipeline stops there.
    """
    check_targets(html, json_path, inputs=(synthetic, members, holdout, reference, schema))
    told, signing = pairs("--detail", details), pairs("--sign", signers)
    tables = read_tables(synthetic, members, holdout, reference)
    check_columns("--identifier", identifiers, tables[0])
    found, synthesizer, declared = run_audit(
        tables, model, schema, secrets, attacks, groups, budget_s, shadow_fits, seed
    )
    from synthgen.privacy import release_report

    made = release_report(
        tables[0],
        audit=found,
        quality=_quality(tables, target, declared, seed) if quality else None,
        synthesizer=synthesizer,
        members=tables[1],
        holdout=tables[2],
        schema=declared,
        identifiers=identifiers or (),
        conditions=conditions or (),
        mode="public" if public else "internal",
        title=title or f"Release of {synthetic.name}",
        details=told,
        sign_off=signing,
    )
    if json_path is not None:
        made.to_json(json_path)
    if html is not None:
        made.to_html(html)
    if not as_json:
        typer.echo(verdict_text(made))
    finish(made, [html, json_path], made.to_dict() if as_json else None)


def pairs(option: str, items: list[str] | None) -> dict[str, str] | None:
    """Read ``name=text`` items.

    Raises
    ------
    InvalidParameterError
        If an item has no name, or no equals sign.

    Examples
    --------
    >>> pairs("--detail", ["Purpose=teaching", "Note=a=b"])
    {'Purpose': 'teaching', 'Note': 'a=b'}
    """
    found: dict[str, str] = {}
    for item in items or ():
        name, equals, text = item.partition("=")
        if not equals or not name.strip():
            raise InvalidParameterError(f"{option} is written name=text, got '{item}'.")
        found[name.strip()] = text.strip()
    return found or None


def _quality(tables: Any, target: str | None, schema: Any, seed: int | None) -> Any:
    from synthgen.evaluate import quality_report

    return quality_report(
        tables[1],
        tables[0],
        tables[2],
        target,
        schema,
        random_state=0 if seed is None else seed,
    )
