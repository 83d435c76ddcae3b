"""Call a peer: the training rows go to its process as Parquet, its rows and costs come back.

Nothing of a peer is imported here, and its process sees neither the holdout nor the scores.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.quality.peers.install import HERE, python


class PeerError(RuntimeError):
    """A peer did not give the rows that were asked for; the message is its own where it has one."""


def last_error(text: str, status: int) -> str:
    """Return the last line of what a failed process wrote to its standard error.

    >>> last_error("Traceback ...\\nValueError: Input contains NaN\\n\\n", 1)
    'ValueError: Input contains NaN'
    >>> last_error("", -9)
    'exit status -9'
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # Warnings of worker processes may follow the message of the limit.
    limit = [line for line in lines if line.startswith("not finished after")]
    return (limit or lines or [f"exit status {status}"])[-1]


def check_rows(synthetic: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the columns in the order of the training rows.

    Raises
    ------
    PeerError
        If columns are absent or there are not as many rows as were asked for.
    """
    absent = [name for name in train.columns if name not in synthetic.columns]
    if absent:
        raise PeerError(f"the synthetic rows lack the columns {absent}")
    if len(synthetic) != len(train):
        raise PeerError(f"{len(synthetic)} synthetic rows where {len(train)} were asked for")
    return synthetic[list(train.columns)]


def run_group(command: list[str], folder: Path, variables: dict[str, str], limit: float) -> None:
    """Run a command in a process group of its own; none of its workers outlives it.

    Raises
    ------
    PeerError
        If it fails, or does not end within ``limit`` seconds.
    """
    log = folder / "stderr.txt"
    # A file: the end of a pipe would not come before the last worker that holds it has ended.
    with log.open("w") as stream:
        process = subprocess.Popen(  # noqa: S603  (our own script, no shell)
            command, cwd=folder, env=os.environ | variables, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=stream,
        )  # fmt: skip
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired as error:
            raise PeerError(f"not finished after {limit:g} seconds, sample included") from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if status != 0:
        raise PeerError(last_error(log.read_text(), status))


def fit_and_sample(
    train: pd.DataFrame, model: dict[str, Any], cell: dict[str, Any], limits: dict[str, float]
) -> tuple[pd.DataFrame, dict[str, float], dict[str, str]]:
    """Return as many synthetic rows as there are training rows, their costs, the peer's version.

    Parameters
    ----------
    train : pandas.DataFrame
    model : dict
        Entry of the configuration with ``peer`` and ``class``.
    cell : dict
        ``parameters``, ``seed`` and ``threads`` are read.
    limits : dict
        Seconds that the ``fit`` and the ``whole`` process may take.

    Raises
    ------
    PeerError
        If the process fails or does not end in time, or its rows are not the ones asked for.
    """
    job = {name: cell[name] for name in ("parameters", "seed", "threads")}
    job |= {"class": model["class"], "fit_limit": limits["fit"]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / "train.parquet", folder / "synthetic.parquet", folder / "report.json"]
        train.to_parquet(files[0], index=False)
        driver = HERE / f"drive_{model['peer']}.py"
        command = [str(python(model["peer"])), str(driver), *map(str, files), json.dumps(job)]
        run_group(command, folder, {"LOKY_MAX_CPU_COUNT": str(cell["threads"])}, limits["whole"])
        report = json.loads(files[2].read_text())
        synthetic = check_rows(pd.read_parquet(files[1]), train)
    return synthetic, report["costs"], report["versions"]
