"""Other private generators on the same rows with the same public domains, one JSON line each.

    python -m benchmarks.quality.peers.install dpmm
    python -m benchmarks.privacy.peers --data adult bank_additional_4119 --epsilon 1
    python -m benchmarks.privacy.peers --report        # beside ours

MST and AIM run in an environment of their own, see `benchmarks.quality.peers`. They cut numbers
into 32 equal bins of the public range, or, in a row of its own, into bins that a tenth of epsilon
buys. Where a table has missing values, dpmm reads off the data which columns have them, at no
charge; ours declares or buys it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.lines import append_line, markdown, read_lines
from benchmarks.privacy.domains import DATA, load
from benchmarks.privacy.run import DELTA, scores
from benchmarks.privacy.run import read as read_ours
from benchmarks.quality.cell import machine
from benchmarks.quality.peers import call
from benchmarks.quality.peers.install import installed
from synthgen import Schema

RESULTS = Path(__file__).parent / "results" / "peers.jsonl"
PEER = "dpmm"
#: Name: class of dpmm, and how numbers are cut.
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "mst": ("MSTPipeline", {"binner": "uniform", "n_bins": 32}),
    "mst-privtree": ("MSTPipeline", {"binner": "priv-tree", "n_bins": "auto"}),
    "aim": ("AIMPipeline", {"binner": "uniform", "n_bins": 32}),
    "aim-privtree": ("AIMPipeline", {"binner": "priv-tree", "n_bins": "auto"}),
}
_FIGURES = ("utility", "utility_real", "two_way", "shape", "trend", "c2st_auc", "fit_seconds")


def domain(schema: Schema) -> dict[str, dict[str, Any]]:
    """Return the public domain in the peer's words."""
    found = {}
    for column in schema:
        if column.minimum is not None and column.maximum is not None:
            found[str(column.name)] = {"lower": column.minimum, "upper": column.maximum}
        else:
            found[str(column.name)] = {"categories": list(column.categories or ())}
    return found


def run(data: str, name: str, epsilon: float, number: int, limit: float) -> dict[str, Any]:
    """Let a peer fit and sample, and score its rows; a failure is a line as well."""
    train, holdout, schema, target = load(data)
    build, options = MODELS[name]
    parameters = {"epsilon": epsilon, "delta": DELTA, "domain": domain(schema), **options}
    cell = {"parameters": parameters, "seed": number, "threads": 2}
    line = {
        "data": data, "model": name, "epsilon": epsilon, "delta": DELTA, "run": number,
        "machine": machine(),
    }  # fmt: skip
    try:
        rows, costs, versions = call.fit_and_sample(
            train, {"peer": PEER, "class": build}, cell, {"fit": limit, "whole": 2 * limit}
        )
    except call.PeerError as error:
        return line | {"error": str(error)}
    found = scores(train, rows, holdout, schema, target)
    return line | {"versions": versions, "fit_seconds": costs["fit_seconds"], **found}


def report(peers: list[dict[str, Any]], ours: list[dict[str, Any]], epsilon: float) -> str:
    """Return the means over runs as a Markdown table, ours first."""
    frame = pd.DataFrame([{**line, "model": "ours"} for line in ours] + peers)
    frame = frame[frame["epsilon"] == epsilon]
    frame["place"] = frame["model"].map(["ours", *MODELS].index)
    lines = []
    for (data, _, name), part in frame.groupby(["data", "place", "model"]):
        cells = [f"{part[figure].mean():.4f}" for figure in _FIGURES[:-1]]
        cells.append(f"{part['fit_seconds'].mean():.0f}")
        failed = part.get("error", pd.Series(dtype=object)).dropna()
        cells = [str(failed.iloc[0])] + [""] * (len(_FIGURES) - 1) if len(failed) else cells
        lines.append([str(data), str(name), str(len(part)), *cells])
    return "\n".join(markdown(["data", "model", "runs", *_FIGURES], lines))


def main() -> int:
    """Run what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=list(DATA))
    parser.add_argument("--model", nargs="+", default=["mst", "mst-privtree"], choices=list(MODELS))
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--limit", type=float, default=3_600.0, help="seconds of a fit")
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    options = parser.parse_args()
    if options.report:
        print(report(read_lines(RESULTS), read_ours(), options.epsilon))
        return 0
    if not installed(PEER):
        raise SystemExit(f"First: python -m benchmarks.quality.peers.install {PEER}")
    names = ("data", "model", "epsilon", "run")
    there = {tuple(line[name] for name in names) for line in read_lines(RESULTS)}
    for number in range(options.runs):
        for data in options.data:
            for name in options.model:
                if (data, name, options.epsilon, number) in there:
                    continue
                line = run(data, name, options.epsilon, number, options.limit)
                append_line(line, RESULTS)
                shown = {key: np.round(line[key], 4) for key in _FIGURES if key in line}
                print(f"{data} {name} run {number}: {line.get('error', shown)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
