"""The command line: ``synthgen demo | fit | sample | evaluate | audit | report | info | ...``.

Commands are thin: they parse, call the public interface and write. Nothing heavy is imported before
a command runs, so ``--help`` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from synthgen import __version__
from synthgen.cli.auditing import audit
from synthgen.cli.demonstration import demo
from synthgen.cli.evaluating import evaluate
from synthgen.cli.fitting import fit
from synthgen.cli.inspecting import info, presets, schema
from synthgen.cli.reporting import report
from synthgen.cli.sampling import sample

app = typer.Typer(
    name="synthgen",
    help="Learn a table or images, then make as many new ones as you like.",
    no_args_is_help=True,
    add_completion=False,
    # Plain help and usage errors: they stay short, and readable in logs.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for _command in (demo, fit, sample, evaluate, audit, report, info, schema, presets):
    app.command()(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"synthgen {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Learn a table or images, then make as many new ones as you like."""


def main() -> None:
    """Run the command line; the entry point of the ``synthgen`` script."""
    app()
