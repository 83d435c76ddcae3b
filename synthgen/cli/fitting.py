"""``synthgen fit``: learn a table and save the model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthgen.cli.console import (
    INTERRUPTED,
    JsonOption,
    SeedOption,
    echo_json,
    guarded,
    watch_interrupts,
)
from synthgen.cli.files import check_model_target

if TYPE_CHECKING:
    import pandas as pd


@guarded
def fit(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Table: .csv, .csv.gz, .parquet or .feather.")
    ],
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder to save the model in.")],
    schema: Annotated[
        Path | None, typer.Option(help="Schema as written by `synthgen schema -o`.")
    ] = None,
    preset: Annotated[str, typer.Option(help="Recipe; see `synthgen presets`.")] = "auto",
    max_minutes: Annotated[float, typer.Option(help="Longest training time.")] = 5.0,
    max_steps: Annotated[int | None, typer.Option(help="Most training steps.")] = None,
    seed: SeedOption = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Folder of checkpoints; a stopped fit resumes from it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Learn the table DATA and save the fitted model in the folder MODEL.

    Ctrl-C ends the training early: the best model so far is saved, with exit code 130.
    """
    from synthgen.data.frame import read_path

    check_model_target(model)
    frame = read_path(data)
    synthesizer = _build(schema, preset, max_minutes, max_steps, seed, checkpoint)
    start = time.perf_counter()
    with watch_interrupts() as interrupts:
        synthesizer.fit(frame)
    seconds = time.perf_counter() - start
    synthesizer.save(model)
    report = {
        "model": str(model),
        "rows": len(frame),
        "columns": frame.shape[1],
        "seconds": round(seconds, 3),
        "interrupted": interrupts.seen,
        "last": last_record(synthesizer.history_),
    }
    if as_json:
        echo_json(report)
    else:
        typer.echo(
            f"fitted {len(frame):,} rows x {frame.shape[1]} columns in {seconds:.0f} s; "
            f"saved in {model}"
        )
    if interrupts.seen:
        typer.echo("synthgen: interrupted; the best model so far was saved", err=True)
        raise typer.Exit(INTERRUPTED)


def _build(
    schema: Path | None,
    preset: str,
    max_minutes: float,
    max_steps: int | None,
    seed: int | None,
    checkpoint: Path | None,
) -> Any:
    from synthgen import GANSynthesizer, Schema

    return GANSynthesizer(
        schema=None if schema is None else Schema.load(schema),
        preset=preset,
        max_minutes=max_minutes,
        max_steps="auto" if max_steps is None else max_steps,
        checkpoint_dir=None if checkpoint is None else str(checkpoint),
        random_state=seed,
        verbose=1,
    )


def last_record(history: pd.DataFrame) -> dict[str, Any]:
    """Return the last known value of every column of a training history."""
    return {
        str(name): column.iloc[-1] for name in history if len(column := history[name].dropna()) > 0
    }
