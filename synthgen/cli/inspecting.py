"""``synthgen schema | info | presets``: look before and after fitting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from synthgen.cli.console import JsonOption, check_targets, echo_json, format_table, guarded

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

#: Labels of a model that are listed.
_LABELS: Final = 12


@guarded
def schema(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Table: .csv, .csv.gz, .parquet or .feather.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the schema here, as JSON.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what kind each column of DATA is taken for, and why.

    Edit the file written by --output and pass it to `synthgen fit --schema` to overrule it.
    """
    from synthgen import Schema
    from synthgen.data.frame import read_path

    check_targets(output, inputs=(data,))
    inferred = Schema.infer(read_path(data))
    if output is not None:
        inferred.save(output)
    if as_json:
        echo_json(inferred.to_json())
    else:
        typer.echo(_schema_table(inferred))
        if output is not None:
            typer.echo(f"\nwritten to {output}")


def _schema_table(table: Schema) -> str:
    return format_table(
        ["column", "kind", "dtype", "missing", "reason"],
        [
            [str(c.name), c.kind, c.dtype, "yes" if c.nullable else "no", c.reason]
            for c in table.columns
        ],
    )


@guarded
def info(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a saved model.")],
    as_json: JsonOption = False,
) -> None:
    """Show what a saved MODEL is: its class, parameters and columns, or images and labels."""
    from synthgen.core.serialize import load_artifact
    from synthgen.data.schema import Schema

    artifact = load_artifact(model)
    if "schema" not in artifact.documents:
        _image_info(artifact.config, _size(model), as_json)
        return
    table = Schema.from_json(artifact.documents["schema"])
    if as_json:
        echo_json(
            {"config": artifact.config, "schema": table.to_json(), "bytes": _size(model)},
        )
        return
    _echo_facts([*_flatten(artifact.config), ("size", f"{_size(model) / 1e6:.2f} MB")])
    typer.echo("")
    typer.echo(_schema_table(table))


def class_of(model: Path) -> str:
    """Return the name of the class of a saved model, without reading its weights."""
    try:
        config = json.loads((model / "config.json").read_bytes())
    except (OSError, ValueError):
        # Loading will say what is wrong.
        return ""
    return str(config.get("class", "")) if isinstance(config, dict) else ""


def _image_info(config: dict[str, Any], size: int, as_json: bool) -> None:
    if as_json:
        echo_json({"config": config, "bytes": size})
        return
    facts = _flatten({name: part for name, part in config.items() if name != "labels"})
    for number, values in enumerate((config.get("labels") or {}).get("values", []), start=1):
        words = ", ".join(str(value) for value in values[:_LABELS])
        more = f" and {len(values) - _LABELS} more" if len(values) > _LABELS else ""
        facts.append((f"labels.{number}", words + more))
    _echo_facts([*facts, ("size", f"{size / 1e6:.2f} MB")])


def _echo_facts(facts: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        typer.echo(f"{name:<{width}}  {value}")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def _flatten(config: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return the scalars of a configuration, one level deep, as lines of text."""
    facts: list[tuple[str, str]] = []
    for name, value in config.items():
        if isinstance(value, dict) and not prefix:
            facts.extend(_flatten(value, f"{name}."))
        elif not isinstance(value, (dict, list)):
            facts.append((f"{prefix}{name}", str(value)))
    return facts


@guarded
def presets(
    images: Annotated[bool, typer.Option("--images", help="Those for images.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the recipes that `synthgen fit --preset` accepts; --json shows all their settings."""
    if images:
        _image_presets(as_json)
        return
    from synthgen.models.presets import PRESETS

    if as_json:
        echo_json({name: recipe.to_json() for name, recipe in PRESETS.items()})
        return
    header = ["preset", "objective", "conditioning", "terms", "critic steps", "batch", "steps"]
    rows = [
        [
            name,
            recipe.objective,
            recipe.conditioning,
            " ".join(term.name for term in recipe.terms),
            recipe.critic_steps,
            recipe.batch_size,
            recipe.steps,
        ]
        for name, recipe in PRESETS.items()
    ]
    typer.echo(format_table(header, rows))


def _image_presets(as_json: bool) -> None:
    from synthgen.models.image_presets import IMAGE_PRESETS

    if as_json:
        echo_json({name: recipe.to_json() for name, recipe in IMAGE_PRESETS.items()})
        return
    header = ["preset", "networks", "objective", "labels", "terms", "critic steps", "steps"]
    rows = [
        [
            name,
            recipe.architecture,
            recipe.objective,
            recipe.condition,
            " ".join(term.name for term in recipe.terms),
            recipe.critic_steps,
            recipe.steps,
        ]
        for name, recipe in IMAGE_PRESETS.items()
    ]
    typer.echo(format_table(header, rows))
