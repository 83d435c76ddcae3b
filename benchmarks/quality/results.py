"""The configuration and the result files; standard library only, so that parents stay small."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.cells import Cell
from benchmarks.lines import append_line, read_lines

HERE = Path(__file__).resolve().parent
CONFIG = HERE / "config.json"
RESULTS = HERE / "results"


def read_config(path: Path = CONFIG) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(path.read_text())
    return config


def key(cell: Cell) -> str:
    """Return what makes a cell the same cell: data, model, seed, parameters, threads."""
    parts = [cell[name] for name in ("data", "model", "seed", "parameters", "threads")]
    return json.dumps(parts, sort_keys=True)


def read_results(folder: Path = RESULTS) -> list[Cell]:
    """Return all finished and failed cells; of a cell that was run again, the last line."""
    latest: dict[str, Cell] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for cell in read_lines(path):
            latest[key(cell)] = cell
    return list(latest.values())


def append_result(cell: Cell, folder: Path = RESULTS) -> None:
    """Write one line, on the disk before this returns."""
    append_line(cell, folder / f"{cell['data']}.jsonl")


def figure(cell: Cell, name: str) -> float | None:
    """Look up a figure of a cell among its scores and its costs."""
    value = cell.get("scores", {}).get(name, cell.get("costs", {}).get(name))
    return None if value is None else float(value)


def mean_and_spread(cells: Iterable[Cell], name: str) -> tuple[float, float | None, int] | None:
    """Return mean, standard deviation (None for one value) and number of values of a figure."""
    values = [value for cell in cells if (value := figure(cell, name)) is not None]
    if not values:
        return None
    spread = statistics.stdev(values) if len(values) > 1 else None
    return statistics.fmean(values), spread, len(values)
