"""Run cells of the quality benchmark: data sets x models x seeds, each in a fresh process.

    python benchmarks/quality/run.py --data adult --model gan --seeds 0 1 2 --set max_steps=2000

Without arguments, everything in config.json but the peers, which run only when they are named and
installed. A cell that is in the results is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.cells import run_cell, run_missing
from benchmarks.quality.peers.install import installed
from benchmarks.quality.results import (
    CONFIG,
    HERE,
    RESULTS,
    Cell,
    append_result,
    key,
    read_config,
    read_results,
)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", help="data sets (default: all in the configuration)")
    parser.add_argument("--model", nargs="+", help="models (default: all but the peers)")
    parser.add_argument("--seeds", nargs="+", type=int, help="seeds of split, fit and sample")
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        dest="overrides",
        help="parameters of the model; values are read as JSON where they can be",
    )
    parser.add_argument("--threads", type=int, help="threads of fit, sample and metrics")
    parser.add_argument("--timeout", type=float, default=3600.0, help="seconds for one cell")
    parser.add_argument("--again", action="store_true", help="run cells that are there already")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args(arguments)


def parse_overrides(pairs: list[str]) -> dict[str, Any]:
    """Turn ``["max_steps=2000", "device=cpu"]`` into parameters."""
    overrides: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise SystemExit(f"--set wants NAME=VALUE, got {pair!r}.")
        try:
            overrides[name] = json.loads(text)
        except json.JSONDecodeError:
            overrides[name] = text
    return overrides


def plan(options: argparse.Namespace, config: dict[str, Any]) -> list[Cell]:
    """List the cells that the options ask for, in the order of the configuration."""
    for name, known in (("data", config["datasets"]), ("model", config["models"])):
        unknown = sorted(set(getattr(options, name) or ()) - set(known))
        if unknown:
            raise SystemExit(f"--{name}: unknown {unknown}; the configuration has {list(known)}.")
    overrides = parse_overrides(options.overrides)
    threads = options.threads or config["threads"]
    own = [model for model, entry in config["models"].items() if "peer" not in entry]
    cells = []
    for data in options.data or config["datasets"]:
        for model in options.model or own:
            entry = config["models"][model]
            parameters = entry.get("parameters", {}) | overrides if "class" in entry else {}
            for seed in config["seeds"] if options.seeds is None else options.seeds:
                cell = {"data": data, "model": model, "seed": seed, "parameters": parameters}
                cells.append(cell | {"threads": threads})
    return cells


def missing_data(config: dict[str, Any], data: str) -> str | None:
    """Say why a data set cannot be read, or return None."""
    file = config["datasets"][data].get("file")
    if file is None:
        return None
    folder = os.environ.get("SYNTHGEN_DATA")
    if not folder:
        return f"{data}: skipped, SYNTHGEN_DATA does not name the folder that holds tabular/{file}"
    path = Path(folder) / "tabular" / file
    return None if path.is_file() else f"{data}: skipped, there is no file {path}"


def missing_peers(config: dict[str, Any], models: Iterable[str]) -> list[str]:
    """Return the peers of these models that are not installed."""
    named = {config["models"][model].get("peer") for model in models} - {None}
    return sorted(peer for peer in named if not installed(peer))


def seconds_for(cell: Cell, config: dict[str, Any], timeout: float) -> float:
    """Return the limit of a cell; a peer's own process has its limits and comes on top."""
    peer = "peer" in config["models"][cell["model"]]
    return timeout + (config["peer_limits"]["whole"] if peer else 0.0)


def describe(cell: Cell) -> str:
    if "error" in cell:
        return f"FAILED: {cell['error']}"
    scores = cell["scores"]
    shown = ("shape", "trend", "c2st_logistic", "c2st_trees", "utility", "membership_auc")
    texts = [f"{name} {scores[name]:.4f}" for name in shown if scores.get(name) is not None]
    if "fit_seconds" in cell["costs"]:
        texts.append(f"fit {cell['costs']['fit_seconds']:.0f} s")
    return ", ".join(texts)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    config = read_config(options.config)
    cells = plan(options, config)
    peers = missing_peers(config, {cell["model"] for cell in cells})
    if peers:
        raise SystemExit(f"First: python -m benchmarks.quality.peers.install {' '.join(peers)}")
    absent = {data: missing_data(config, data) for data in dict.fromkeys(c["data"] for c in cells)}
    for reason in filter(None, absent.values()):
        print(reason, file=sys.stderr)
    cells = [cell for cell in cells if absent[cell["data"]] is None]
    done = {key(cell) for cell in read_results(options.results) if "error" not in cell}
    failed = run_missing(
        cells,
        lambda cell: key(cell) in done and not options.again,
        lambda cell: run_cell(
            HERE / "cell.py", cell, options.config, seconds_for(cell, config, options.timeout)
        ),
        lambda cell: append_result(cell, options.results),
        describe,
    )
    # Asking for a data set that is not there is an error; skipping it in a full run is not.
    return int(failed > 0 or (options.data is not None and any(absent.values())))


if __name__ == "__main__":
    sys.exit(main())
