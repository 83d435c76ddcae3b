"""Run cells, each in a process of its own: a failure is a line as well, and costs are its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Cell = dict[str, Any]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_python(
    arguments: Sequence[str], *, threads: int | None = None, timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a script or module of ours by this interpreter, and return what it printed."""
    own = {} if threads is None else dict.fromkeys(_THREAD_VARIABLES, str(threads))
    return subprocess.run(  # noqa: S603  (our own scripts and arguments, and no shell)
        [sys.executable, *arguments],
        env=os.environ | own, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


def run_cell(
    script: Path,
    cell: Cell,
    config_path: Path,
    timeout: float,
    keep: Callable[[Path], None] | None = None,
) -> Cell:
    """Run one cell by its script and return its line.

    Parameters
    ----------
    script : Path
        Called with the configuration, the cell as JSON, and the file to write the line to.
    cell : dict
        ``threads`` is read.
    config_path : Path
    timeout : float
        Seconds.
    keep : callable, optional
        Called with the file of a finished cell, beside which there may be others, before it goes.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "cell.json"
        arguments = [str(script), str(config_path), json.dumps(cell), str(output)]
        try:
            done = run_python(arguments, threads=cell["threads"], timeout=timeout)
        except subprocess.TimeoutExpired:
            return cell | {"error": f"not finished after {timeout:g} seconds"}
        if done.returncode == 0:
            finished: Cell = json.loads(output.read_text())
            if keep is not None:
                keep(output)
            return finished
    lines = done.stderr.strip().splitlines()
    return cell | {"error": lines[-1][:500] if lines else f"exit status {done.returncode}"}


def run_missing(
    cells: Sequence[Cell],
    there: Callable[[Cell], bool],
    run: Callable[[Cell], Cell],
    write: Callable[[Cell], None],
    describe: Callable[[Cell], str],
) -> int:
    """Run the cells that are not there, write their lines, and return how many failed."""
    failed = 0
    for number, cell in enumerate(cells, start=1):
        head = f"[{number}/{len(cells)}] {cell['data']} {cell['model']} seed {cell['seed']}"
        if there(cell):
            print(f"{head}: already there")
            continue
        start = time.perf_counter()
        finished = run(cell)
        write(finished)
        failed += "error" in finished
        seconds = time.perf_counter() - start
        print(f"{head}: {describe(finished)} ({seconds:.0f} s in all)", flush=True)
    return failed
