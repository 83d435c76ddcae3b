"""Run cells of the image benchmark: data sets x recipes x seeds, each in a fresh process.

    python benchmarks/images/run.py --data digits --model auto wgan-gp --seeds 0 1 2
    python benchmarks/images/run.py --data fashion-mnist-20k --model auto --seconds 1500

Without arguments, everything in config.json. A cell that is in the results is not run again.
Training is cut off by processor time of the process, so other programs do not change the results;
the step count that this amounts to is measured first and written down.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.cells import run_cell, run_missing
from benchmarks.images.data import missing
from benchmarks.quality.results import Cell, append_result, figure, key, read_config, read_results
from benchmarks.quality.run import parse_overrides

HERE = Path(__file__).resolve().parent
CONFIG, RESULTS = HERE / "config.json", HERE / "results"
_SHOWN = ("cas", "cas_last", "cas_critic", "cas_classifier", "cas_recycled", "fd", "diverged")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", help="data sets (default: all in the configuration)")
    parser.add_argument("--model", nargs="+", help="recipes (default: all in the configuration)")
    parser.add_argument("--seeds", nargs="+", type=int, help="seeds of fit, sample and classifiers")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=VALUE", dest="overrides",
        help="fields of the recipe; values are read as JSON where they can be",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=float, help="processor time of a fit, for other than the configured ones"
    )
    parser.add_argument("--threads", type=int, help="threads of fit, sample and classifiers")
    parser.add_argument("--timeout", type=float, default=36_000.0, help="seconds for one cell")
    parser.add_argument("--grids", type=Path, help="folder for a picture of samples of each cell")
    parser.add_argument("--again", action="store_true", help="run cells that are there already")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args(arguments)


def plan(options: argparse.Namespace, config: dict[str, Any]) -> list[Cell]:
    """List the cells that the options ask for, in the order of the configuration."""
    for name, known in (("data", config["datasets"]), ("model", config["models"])):
        unknown = sorted(set(getattr(options, name) or ()) - set(known))
        if unknown:
            raise SystemExit(f"--{name}: unknown {unknown}; the configuration has {list(known)}.")
    overrides = parse_overrides(options.overrides)
    cells = []
    for data in options.data or config["datasets"]:
        own = config["datasets"][data].get("models", list(config["models"]))
        for model in options.model or own:
            trained = "preset" in config["models"][model]
            for seed in config["seeds"] if options.seeds is None else options.seeds:
                cell = {"data": data, "model": model, "seed": seed}
                cell["parameters"] = overrides if trained else {}
                cell["threads"] = options.threads or config["threads"]
                if trained and options.seconds:
                    # A part of what makes a cell: a longer training is another row.
                    cell["parameters"] = {"seconds": options.seconds} | cell["parameters"]
                cells.append(cell)
    return cells


def keep_picture(output: Path, cell: Cell, grids: Path) -> None:
    """Copy the pictures of a finished cell, one for each way of drawing."""
    name = "-".join(str(cell[part]) for part in ("data", "model", "seed"))
    for picture in output.parent.glob(f"{output.stem}*.png"):
        grids.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, grids / f"{name}{picture.stem.removeprefix(output.stem)}.png")


def run_one(cell: Cell, config_path: Path, timeout: float, grids: Path | None = None) -> Cell:
    """Run one cell and keep its picture if there is a folder for it."""
    keep = None if grids is None else partial(keep_picture, cell=cell, grids=grids)
    return run_cell(HERE / "cell.py", cell, config_path, timeout, keep)


def describe(cell: Cell) -> str:
    """Say in a few words how a cell went."""
    if "error" in cell:
        return f"FAILED: {cell['error']}"
    found = {name: figure(cell, name) for name in _SHOWN}
    texts = [f"{name} {value:.4g}" for name, value in found.items() if value is not None]
    if "steps" in cell["costs"]:
        texts.append(f"{cell['costs']['steps']} steps")
        texts.append(f"fit {cell['costs']['fit_cpu_seconds']:.0f} CPU s")
    return ", ".join(texts)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    config = read_config(options.config)
    cells = plan(options, config)
    names = dict.fromkeys(cell["data"] for cell in cells)
    absent = {name: missing(config["datasets"][name], name) for name in names}
    for reason in filter(None, absent.values()):
        print(reason, file=sys.stderr)
    cells = [cell for cell in cells if absent[cell["data"]] is None]
    done = {key(cell) for cell in read_results(options.results) if "error" not in cell}
    failed = run_missing(
        cells,
        lambda cell: key(cell) in done and not options.again,
        lambda cell: run_one(cell, options.config, options.timeout, options.grids),
        lambda cell: append_result(cell, options.results),
        describe,
    )
    return int(failed > 0 or (options.data is not None and any(absent.values())))


if __name__ == "__main__":
    sys.exit(main())
