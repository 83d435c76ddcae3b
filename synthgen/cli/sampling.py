"""``synthgen sample``: rows or images from a saved model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from synthgen.cli.console import JsonOption, SeedOption, echo_json, guarded, is_terminal
from synthgen.cli.files import Target, classify_target, to_pandas
from synthgen.cli.image_work import ImageWish, refuse_for_images, sample_images
from synthgen.cli.parsing import parse_conditions, parse_count
from synthgen.errors import InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

_CHUNK: Final = 65_536


@guarded
def sample(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a saved model.")],
    rows: Annotated[
        str, typer.Option("-n", "--rows", help="Number of rows or images, e.g. 5000 or 1e6.")
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            "--out",
            help=".csv, .csv.gz, .parquet or .feather file, or a folder/. Images: a new folder for "
            "PNG files, in a subfolder per class, or a .npz or .npy file.",
        ),
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(help="column=value, column=low..high or column= (missing); repeatable."),
    ] = None,
    rows_per_file: Annotated[str, typer.Option(help="Rows in each file of a folder.")] = "1e6",
    label: Annotated[
        list[str] | None, typer.Option(help="Class of the images; repeatable, they take turns.")
    ] = None,
    truncation: Annotated[
        float | None, typer.Option(help="Images with fewer outliers and less variety, e.g. 1.")
    ] = None,
    grid: Annotated[
        Path | None, typer.Option(help="Write the first images here as one picture, .png.")
    ] = None,
    seed: SeedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make new rows or images from the fitted MODEL.

    Without --output rows are written to standard output as CSV. A folder receives Parquet files
    one after the other in constant memory; a run that was stopped goes on where it ended. A folder
    of images appears when all of them are written.
    """
    from synthgen import load

    n_samples = parse_count("--rows", rows)
    if _makes_images(model):
        refuse_for_images(condition=condition)
        path = None if output is None else Path(output)
        wish = ImageWish(n_samples, path, grid, label or (), truncation, seed)
        sample_images(load(model), wish, as_json)
        return
    for name, value in (("label", label), ("truncation", truncation), ("grid", grid)):
        if value:
            raise InvalidParameterError(f"--{name} is for images; '{model}' makes rows.")
    target = None if output is None else classify_target(output)
    if target is Target.FOLDER and condition:
        raise InvalidParameterError("--condition needs a single file as --output, not a folder.")
    synthesizer = load(model)
    conditions = parse_conditions(condition or (), synthesizer.schema_)
    start = time.perf_counter()
    if output is None:
        _to_stdout(_draw(synthesizer, n_samples, conditions, seed), as_json)
        return
    if target is Target.FOLDER:
        per_file = parse_count("--rows-per-file", rows_per_file)
        synthesizer.sample_to(output, n_samples, rows_per_file=per_file, random_state=seed)
    else:
        _to_file(_draw(synthesizer, n_samples, conditions, seed), Path(output))
    _report(n_samples, output, time.perf_counter() - start, as_json)


def _makes_images(model: Path) -> bool:
    from synthgen.cli.inspecting import class_of

    return class_of(model) == "ImageGANSynthesizer"


def _draw(
    synthesizer: Any, n_samples: int, conditions: dict[Any, Any] | None, seed: int | None
) -> pd.DataFrame:
    if conditions is not None or n_samples <= _CHUNK:
        rows = synthesizer.sample(n_samples, conditions=conditions, random_state=seed)
        return to_pandas(rows)
    import pandas as pd
    from tqdm import tqdm

    chunks = []
    with tqdm(total=n_samples, unit="row", unit_scale=True, disable=not is_terminal()) as bar:
        for chunk in synthesizer.sample_iter(n_samples, random_state=seed):
            chunks.append(to_pandas(chunk))
            bar.update(len(chunks[-1]))
    return pd.concat(chunks, ignore_index=True)


def _to_stdout(frame: pd.DataFrame, as_json: bool) -> None:
    if as_json:
        text = frame.to_json(orient="records", date_format="iso", indent=2)
        typer.echo(text)
    else:
        typer.echo(frame.to_csv(index=False), nl=False)


def _to_file(frame: pd.DataFrame, path: Path) -> None:
    from synthgen.data.frame import write_path

    write_path(frame, path)


def _report(n_samples: int, output: str, seconds: float, as_json: bool) -> None:
    if as_json:
        echo_json({"rows": n_samples, "output": output, "seconds": round(seconds, 3)})
    else:
        rate = n_samples / max(seconds, 1e-9)
        typer.echo(f"wrote {n_samples:,} rows to {output} ({rate:,.0f} rows/s)")
