"""What ``fit``, ``sample`` and ``evaluate`` do with images."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from synthgen.cli.console import echo_json, format_table, is_terminal
from synthgen.cli.images import (
    PngFolder,
    check_image_target,
    read_image_file,
    write_arrays,
)
from synthgen.errors import ConditionError, InvalidParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthgen.evaluate.images import ImageReport

#: Images that are made and written at a time.
_CHUNK: Final = 8_192
#: Images of a grid, at most, and in a row.
_GRID: Final = 200
_COLUMNS: Final = 10


@dataclass(frozen=True)
class ImageWish:
    """What ``sample`` is asked for.

    Parameters
    ----------
    n : int
    output : Path or None
    grid : Path or None
        One picture of the first images.
    labels : sequence of str
        Take turns; empty for labels as frequent as in training.
    truncation : float or None
    seed : int or None
    """

    n: int
    output: Path | None
    grid: Path | None
    labels: Sequence[str]
    truncation: float | None
    seed: int | None


def refuse_for_images(**options: Any) -> None:
    """Check that no option is given that has a meaning for tables only.

    Raises
    ------
    InvalidParameterError
        With its name.
    """
    for name, value in options.items():
        if value:
            raise InvalidParameterError(
                f"--{name.replace('_', '-')} is for tables, not for images."
            )


def describe_images(images: NDArray[Any], labels: Any) -> str:
    """Return what was read, in a few words."""
    import numpy as np

    shape = " x ".join(str(size) for size in images.shape[1:])
    classes = "" if labels is None else f", {len(np.unique(np.asarray(labels), axis=0))} classes"
    return f"{len(images):,} images of {shape}{classes}"


def sample_images(synthesizer: Any, wish: ImageWish, as_json: bool) -> None:
    """Make images and write them.

    Raises
    ------
    InvalidParameterError
        If there is nowhere to write them.
    ConditionError
        If a label is unknown.
    """
    if wish.output is None and wish.grid is None:
        raise InvalidParameterError("Say where to write the images: --out FOLDER or --grid FILE.")
    spec = synthesizer.spec_
    if wish.output is not None:
        check_image_target(wish.output, spec.channels)
    if wish.grid is not None and wish.grid.suffix.lower() != ".png":
        raise InvalidParameterError(f"--grid must end in .png, got '{wish.grid}'.")
    known = _known(synthesizer)
    wanted = _wanted(wish, known)
    start = time.perf_counter()
    _write(synthesizer, wish, known, wanted)
    seconds = time.perf_counter() - start
    written = [str(path) for path in (wish.output, wish.grid) if path is not None]
    if as_json:
        echo_json({"images": wish.n, "output": written, "seconds": round(seconds, 3)})
    else:
        rate = wish.n / max(seconds, 1e-9)
        typer.echo(f"wrote {wish.n:,} images to {' and '.join(written)} ({rate:,.0f} images/s)")


def _known(synthesizer: Any) -> dict[str, Any] | None:
    """Return the labels that a model knows, by their text."""
    if not synthesizer.classes_:
        return None
    if len(synthesizer.classes_) == 1:
        return {str(value): value for value in synthesizer.classes_[0]}
    rows = itertools.product(*synthesizer.classes_)
    return {", ".join(map(str, row)): row for row in rows}


def _wanted(wish: ImageWish, known: dict[str, Any] | None) -> list[str] | None:
    """Return the label of each image, or None if they are drawn."""
    if not wish.labels:
        return None
    if known is None:
        raise ConditionError("The model was fitted without labels: leave --label out.")
    for label in wish.labels:
        if label not in known:
            raise ConditionError(f"Unknown label '{label}'; the model knows {', '.join(known)}.")
    return [wish.labels[at % len(wish.labels)] for at in range(wish.n)]


def _chunks(
    synthesizer: Any, wish: ImageWish, known: dict[str, Any] | None, wanted: list[str] | None
) -> Iterator[tuple[NDArray[Any], NDArray[Any] | None]]:
    """Make images and labels, some thousands at a time; the first are those of ``sample``."""
    import numpy as np

    from synthgen.core.random import generator, root_seed

    seed = root_seed(wish.seed)
    for number, first in enumerate(range(0, wish.n, _CHUNK)):
        count = min(_CHUNK, wish.n - first)
        y = None
        if wanted is not None and known is not None:
            y = [known[label] for label in wanted[first : first + count]]
        state = seed if not number else int(generator(seed, "sample", number).integers(2**31))
        options = {"truncation": wish.truncation, "random_state": state}
        if known is None:
            yield synthesizer.sample(count, **options), None
        else:
            images, labels = synthesizer.sample(count, y, return_labels=True, **options)
            yield images, np.asarray(labels)


def _write(
    synthesizer: Any, wish: ImageWish, known: dict[str, Any] | None, wanted: list[str] | None
) -> None:
    import numpy as np
    from tqdm import tqdm

    spec, output = synthesizer.spec_, wish.output
    kept: list[tuple[NDArray[Any], NDArray[Any] | None]] = []
    grid: list[NDArray[Any]] = []
    folder = None
    if output is not None and output.suffix.lower() not in (".npz", ".npy"):
        folder = PngFolder(output, known, wish.n)
    with tqdm(total=wish.n, unit="image", disable=not is_terminal()) as bar:

        def make(target: PngFolder | None) -> None:
            for images, labels in _chunks(synthesizer, wish, known, wanted):
                pixels = _pixels(spec.unify(images))
                if sum(map(len, grid)) < _GRID:
                    grid.append(pixels[:_GRID])
                if target is not None:
                    target.write(pixels, None if labels is None else _texts(labels))
                elif output is not None:
                    kept.append((images, labels))
                bar.update(len(images))

        if folder is None:
            make(None)
        else:
            with folder:
                make(folder)
    if kept and output is not None:
        made = [labels for _, labels in kept if labels is not None]
        write_arrays(
            output,
            np.concatenate([images for images, _ in kept]),
            np.concatenate(made) if made else None,
        )
    if wish.grid is not None and grid:
        write_grid(wish.grid, np.concatenate(grid)[:_GRID])


def _texts(labels: NDArray[Any]) -> list[str]:
    if labels.ndim == 1:
        return [str(label) for label in labels.tolist()]
    return [", ".join(map(str, row)) for row in labels.tolist()]


def _pixels(images: NDArray[Any]) -> NDArray[Any]:
    """Return images of [-1, 1] as bytes (n, H, W, C)."""
    import numpy as np

    return np.rint((images + 1.0) * 127.5).astype(np.uint8).transpose(0, 2, 3, 1)


def write_grid(path: Path, pixels: NDArray[Any]) -> None:
    """Write images (n, H, W, C) as one picture, ten in a row."""
    import numpy as np

    from synthgen.core.files import replace_file
    from synthgen.core.png import encode_png, sheet

    images = pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, encode_png(sheet(images, min(_COLUMNS, len(images)))))


def evaluate_images(
    paths: tuple[Path, Path, Path | None],
    model: Path | None,
    most: int,
    seed: int | None,
) -> ImageReport:
    """Score images against real ones.

    Parameters
    ----------
    paths : tuple
        Real and synthetic images, and real images that nothing was trained on, or None.
    model : Path or None
        A saved model whose training is shown.
    most : int
        Images of each side to look at.
    seed : int or None
    """
    from synthgen import load
    from synthgen.evaluate.images import image_report

    synthesizer = None if model is None else load(model)
    (real, labels), (made, made_labels) = (read_image_file(path) for path in paths[:2])
    held, held_labels = (None, None) if paths[2] is None else read_image_file(paths[2])
    if labels is None or made_labels is None or (held is not None and held_labels is None):
        labels = made_labels = held_labels = None
    return image_report(
        real,
        made,
        held,
        labels=labels,
        synthetic_labels=made_labels,
        holdout_labels=held_labels,
        synthesizer=synthesizer,
        max_images=most,
        title=f"Quality of {paths[1].name}",
        random_state=0 if seed is None else seed,
    )


def image_report_text(report: ImageReport) -> str:
    """Return verdict and scores as text."""
    rows = [
        [score.name, score.value, score.floor, score.ceiling, score.rating, score.note]
        for score in report.content.scores
    ]
    header = ["score", "value", "floor", "ceiling", "rating", "note"]
    return f"{report.verdict}\n\n{format_table(header, rows)}"
