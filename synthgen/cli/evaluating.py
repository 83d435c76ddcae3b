"""``synthgen evaluate``: score synthetic rows or images, whoever made them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthgen.cli.console import (
    JsonOption,
    SeedOption,
    check_targets,
    echo_json,
    format_table,
    guarded,
    is_terminal,
)
from synthgen.cli.image_work import evaluate_images, image_report_text, refuse_for_images
from synthgen.cli.images import holds_images

if TYPE_CHECKING:
    from synthgen.evaluate import QualityReport

_TABLE = "CSV (also .gz), Parquet or Feather; for images a folder, .npz or .npy"


@guarded
def evaluate(
    real: Annotated[
        Path, typer.Argument(metavar="REAL", help=f"What the generator learned from: {_TABLE}.")
    ],
    synthetic: Annotated[Path, typer.Argument(metavar="SYNTHETIC", help="What it made.")],
    holdout: Annotated[
        Path | None, typer.Option("--holdout", help="Real rows or images that it has not seen.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="Saved model; its training is shown.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Column that models should predict.")
    ] = None,
    schema: Annotated[
        Path | None, typer.Option("--schema", help="Schema written by `synthgen schema -o`.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the report here, as one HTML page.")
    ] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json-file", help="Write the report here, as JSON.")
    ] = None,
    max_rows: Annotated[
        int, typer.Option("--max-rows", help="Rows of each table, or images, to look at.")
    ] = 50_000,
    budget: Annotated[
        float | None, typer.Option("--budget", help="Start no metric after so many seconds.")
    ] = None,
    seed: SeedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score SYNTHETIC rows or images against REAL ones, each score beside floor and ceiling."""
    check_targets(html, json_path, inputs=(real, synthetic, holdout, schema))
    report: Any
    words: Callable[[Any], str]
    if holds_images(real):
        refuse_for_images(target=target, schema=schema, budget=budget)
        report = evaluate_images((real, synthetic, holdout), model, max_rows, seed)
        words = image_report_text
    else:
        options = {"max_rows": max_rows, "budget_s": budget}
        report = _table_report(real, synthetic, holdout, target, schema, model, seed, options)
        words = _text
    if html is not None:
        report.to_html(html)
    if json_path is not None:
        report.to_json(json_path)
    if as_json:
        echo_json(report.to_dict())
        return
    typer.echo(words(report))
    for path in (html, json_path):
        if path is not None:
            typer.echo(f"written to {path}")


def _table_report(
    real: Path,
    synthetic: Path,
    holdout: Path | None,
    target: str | None,
    schema: Path | None,
    model: Path | None,
    seed: int | None,
    options: dict[str, Any],
) -> QualityReport:
    from synthgen import Schema, load
    from synthgen.data.frame import read_path
    from synthgen.evaluate import quality_report

    return quality_report(
        read_path(real),
        read_path(synthetic),
        None if holdout is None else read_path(holdout),
        target,
        None if schema is None else Schema.load(schema),
        synthesizer=None if model is None else load(model),
        random_state=0 if seed is None else seed,
        title=f"Quality of {synthetic.name}",
        verbose=int(is_terminal()),
        **options,
    )


def _text(report: QualityReport) -> str:
    """Return verdict, scores and the worst findings as text."""
    rows = [
        [score.name, score.value, score.floor, score.ceiling, score.rating, score.note]
        for score in report.content.scores
    ]
    parts = [
        report.verdict,
        format_table(["score", "value", "floor", "ceiling", "rating", "note"], rows),
    ]
    worst = report.worst(10)
    if len(worst):
        found = [[row["severity"], row["where"], row["text"]] for _, row in worst.iterrows()]
        parts.append(format_table(["finding", "where", "what"], found))
    return "\n\n".join(parts)
