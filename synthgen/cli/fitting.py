"""``synthgen fit``: learn a table or images and save the model."""

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
from synthgen.cli.image_work import describe_images, refuse_for_images
from synthgen.cli.images import holds_images, read_image_file
from synthgen.errors import InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd


@guarded
def fit(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Table: .csv, .csv.gz, .parquet or .feather. Images: a folder, with a subfolder "
            "per class or none, or .npz with images and labels, or .npy.",
        ),
    ],
    model: Annotated[
        Path | None, typer.Argument(metavar="MODEL", help="Folder to save the model in.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="The same as MODEL.")] = None,
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
    grid: Annotated[
        Path | None,
        typer.Option(help="PNG that shows what the model makes of images while it learns."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Learn the table or the images DATA and save the fitted model in the folder MODEL.

    Ctrl-C ends the training early: the best model so far is saved, with exit code 130.
    """
    target = _target(model, out)
    from synthgen.core.serialize import check_target

    check_target(target)
    arguments, size, words = _read(data, schema)
    options: dict[str, Any] = {
        "preset": preset,
        "max_minutes": max_minutes,
        "max_steps": "auto" if max_steps is None else max_steps,
        "checkpoint_dir": None if checkpoint is None else str(checkpoint),
        "random_state": seed,
        "verbose": 1,
    }
    synthesizer = _build(holds_images(data), schema, grid, options)
    start = time.perf_counter()
    with watch_interrupts() as interrupts:
        synthesizer.fit(*arguments)
    seconds = time.perf_counter() - start
    synthesizer.save(target)
    report = {
        "model": str(target),
        **size,
        "seconds": round(seconds, 3),
        "interrupted": interrupts.seen,
        "last": last_record(synthesizer.history_),
    }
    if as_json:
        echo_json(report)
    else:
        typer.echo(f"fitted {words} in {seconds:.0f} s; saved in {target}")
    if interrupts.seen:
        typer.echo("synthgen: interrupted; the best model so far was saved", err=True)
        raise typer.Exit(INTERRUPTED)


def _target(model: Path | None, out: Path | None) -> Path:
    if (model is None) == (out is None):
        raise InvalidParameterError(
            "Say once where to save the model: synthgen fit DATA MODEL, or synthgen fit DATA --out "
            "MODEL."
        )
    return model or out or Path()


def _read(data: Path, schema: Path | None) -> tuple[tuple[Any, ...], dict[str, Any], str]:
    """Return what ``fit`` takes, how much that is, and the same in words."""
    if not holds_images(data):
        from synthgen.data.frame import read_path

        frame = read_path(data)
        size: dict[str, Any] = {"rows": len(frame), "columns": frame.shape[1]}
        return (frame,), size, f"{len(frame):,} rows x {frame.shape[1]} columns"
    refuse_for_images(schema=schema)
    images, labels = read_image_file(data)
    size = {"images": len(images), "shape": images.shape[1:], "labels": labels is not None}
    return (images, labels), size, describe_images(images, labels)


def _build(images: bool, schema: Path | None, grid: Path | None, options: dict[str, Any]) -> Any:
    if images:
        from synthgen import ImageGANSynthesizer

        return ImageGANSynthesizer(grid_path=None if grid is None else str(grid), **options)
    if grid is not None:
        raise InvalidParameterError("--grid is for images, not for tables.")
    from synthgen import GANSynthesizer, Schema

    return GANSynthesizer(schema=None if schema is None else Schema.load(schema), **options)


def last_record(history: pd.DataFrame) -> dict[str, Any]:
    """Return the last known value of every column of a training history."""
    return {
        str(name): column.iloc[-1] for name in history if len(column := history[name].dropna()) > 0
    }
