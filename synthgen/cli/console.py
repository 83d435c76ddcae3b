"""What all commands share: how they print, fail, warn and stop."""

from __future__ import annotations

import functools
import json
import math
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, ParamSpec, TypeVar

import typer

from synthgen.errors import InvalidParameterError, SynthgenError, SynthgenWarning

P = ParamSpec("P")
R = TypeVar("R")

#: Exit codes: the user can correct something; the user pressed Ctrl-C (128 + SIGINT).
USER_ERROR: Final = 2
INTERRUPTED: Final = 130

#: Options that several commands have.
JsonOption = Annotated[
    bool, typer.Option("--json", help="Write one JSON document to standard output instead.")
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", help="Seed; the same seed gives the same result.")
]


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Make a command end as a user expects.

    Errors that the user can correct give one line on standard error and exit code 2; Ctrl-C gives
    exit code 130; warnings are printed as one line each. Anything else is a defect and keeps its
    traceback.
    """

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with _plain_warnings():
                return command(*args, **kwargs)
        except (SynthgenError, OSError) as error:
            typer.echo(f"synthgen: {one_line(_describe(error))}", err=True)
            raise typer.Exit(USER_ERROR) from None
        except KeyboardInterrupt:
            typer.echo("synthgen: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None

    return wrapper


def _describe(error: SynthgenError | OSError) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def one_line(text: str) -> str:
    """Join the lines of `text` by single spaces.

    Examples
    --------
    >>> one_line("a column   is missing")
    'a column is missing'
    """
    return " ".join(text.split())


@contextmanager
def _plain_warnings() -> Iterator[None]:
    def show(message: Warning | str, *_details: Any, **_more: Any) -> None:
        typer.echo(f"synthgen: warning: {one_line(str(message))}", err=True)

    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=SynthgenWarning)
        warnings.showwarning = show
        yield


@dataclass
class Interrupts:
    """Whether Ctrl-C was pressed inside :func:`watch_interrupts`."""

    seen: bool = False


@contextmanager
def watch_interrupts() -> Iterator[Interrupts]:
    """Notice Ctrl-C even where a callee handles it, as ``fit`` does by keeping the best so far."""
    note = Interrupts()

    def handle(_number: int, _frame: Any) -> None:
        note.seen = True
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield note
    finally:
        signal.signal(signal.SIGINT, previous)


def is_terminal() -> bool:
    """Return whether standard error is a terminal, so that a progress bar makes sense."""
    return sys.stderr.isatty()


def echo_json(document: Any) -> None:
    """Write a JSON document to standard output; NaN becomes null."""
    typer.echo(json.dumps(to_json(document), indent=2, ensure_ascii=False, allow_nan=False))


def to_json(value: Any) -> Any:
    """Turn nested mappings, sequences, numpy scalars and paths into what JSON can hold.

    Examples
    --------
    >>> to_json({"auc": float("nan"), 3: (1, 2)})
    {'auc': None, '3': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(item) for item in value]
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return str(value)


def format_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Align a table as plain text; columns of numbers go to the right.

    Examples
    --------
    >>> typer.echo(format_table(["name", "rows"], [["a", 10], ["bcd", 2]]))
    name  rows
    ----  ----
    a       10
    bcd      2
    """
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    right = [
        bool(rows) and all(isinstance(row[index], (int, float)) for row in rows)
        for index in range(len(header))
    ]
    lines = [list(header), ["-" * width for width in widths], *cells]
    return "\n".join(
        "  ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return one_line(str(value))


def check_targets(*paths: Path | None, inputs: Iterable[Path | None] = ()) -> None:
    """Check, before minutes of work, that files can be written.

    Raises
    ------
    InvalidParameterError
        If a folder does not exist, a path is a folder, two are the same, or one is of the `inputs`.
    """
    given = [path for path in paths if path is not None]
    for path in given:
        if not path.parent.is_dir():
            raise InvalidParameterError(f"There is no folder '{path.parent}' for '{path.name}'.")
        if path.is_dir():
            raise InvalidParameterError(f"'{path}' is a folder; name a file.")
    if len({path.resolve() for path in given}) < len(given):
        raise InvalidParameterError("Each report needs a file of its own.")
    read = {path.resolve() for path in inputs if path is not None}
    for path in given:
        if path.resolve() in read:
            raise InvalidParameterError(f"'{path}' is read; writing there would destroy it.")
