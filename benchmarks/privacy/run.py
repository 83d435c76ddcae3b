"""Quality of private models: data sets x epsilons x runs, one JSON line each.

    python -m benchmarks.privacy.run --data adult --epsilon 0.1 0.3 1 3 --runs 5

Noise cannot be seeded, so runs differ by their noise; the seed of a run is that of the training and
of sampling. Data sets other than Adult are read from the folder that SYNTHGEN_DATA names. A line
that is there already is not run again; --report prints the table of what is there.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.lines import append_line, read_lines
from benchmarks.privacy.domains import DATA, load
from benchmarks.privacy.marginals import two_way_distance
from synthgen import DPMarginals, GANSynthesizer, Schema, evaluate

RESULTS = Path(__file__).parent / "results"
DELTA = 1e-6
#: Least or most that the mean over runs must reach on Adult, by epsilon.
BARS = {
    0.1: {"utility": 0.865, "two_way": 0.075, "shape": 0.97},
    0.3: {"utility": 0.885, "two_way": 0.040, "shape": 0.985},
    1.0: {"utility": 0.895, "two_way": 0.025, "shape": 0.992},
    3.0: {"utility": 0.900, "two_way": 0.020, "shape": 0.993},
}
_FIGURES = ("utility", "utility_real", "two_way", "shape", "trend", "c2st_auc", "fit_seconds")


def run(data: str, epsilon: float, number: int) -> dict[str, Any]:
    """Fit, sample as many rows as there are, and score."""
    train, holdout, schema, target = load(data)
    model = GANSynthesizer(schema=schema, privacy=DPMarginals(epsilon, DELTA), random_state=number)
    start = time.perf_counter()
    model.fit(train)
    seconds = time.perf_counter() - start
    rows = model.sample(len(train), random_state=number)
    return {
        "data": data,
        "epsilon": epsilon,
        "delta": DELTA,
        "run": number,
        "spent": model.epsilon_,
        "misfit": float(model.history_["misfit"].iloc[-1]),
        "fit_seconds": seconds,
        "stopped_by": model.stopped_by_,
        **scores(train, rows, holdout, schema, target),
    }


def scores(
    train: pd.DataFrame, rows: pd.DataFrame, holdout: pd.DataFrame, schema: Schema, target: str
) -> dict[str, float | None]:
    """Return what is compared, of rows that any private model made."""
    common = {"schema": schema, "random_state": 0}
    useful = evaluate.utility(
        train, rows, holdout=holdout, target=target, n_bootstrap=10, n_jobs=2, **common
    )
    detected = evaluate.c2st(train, rows, holdout=holdout, n_jobs=2, **common)
    return {
        "utility": useful.value,
        "utility_real": useful.ceiling,
        "two_way": two_way_distance(train, rows),
        "two_way_holdout": two_way_distance(train, holdout),
        "shape": evaluate.shape(train, rows, **common).value,
        "trend": evaluate.trend(train, rows, **common).value,
        "c2st_auc": detected.details["auc"],
    }


def read() -> list[dict[str, Any]]:
    """Return all lines."""
    return [line for name in DATA for line in read_lines(RESULTS / f"{name}.jsonl")]


def report(lines: list[dict[str, Any]]) -> str:
    """Return means and standard deviations over runs as a Markdown table, and which bars hold."""
    header = ["data", "epsilon", "runs", *_FIGURES, "bars"]
    rows = [header, ["---"] * len(header)]
    frame = pd.DataFrame(lines)
    for (data, epsilon), part in frame.groupby(["data", "epsilon"]):
        cells = [str(data), f"{epsilon:g}", str(len(part))]
        for figure in _FIGURES:
            mean, spread = part[figure].mean(), part[figure].std(ddof=1)
            digits = 0 if figure == "fit_seconds" else 4
            text = f"{mean:.{digits}f}"
            cells.append(text if np.isnan(spread) else f"{text} ± {spread:.{digits}f}")
        cells.append(_outcome(part, float(epsilon)) if data == "adult" else "")
        rows.append(cells)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _outcome(part: pd.DataFrame, epsilon: float) -> str:
    bars = BARS.get(epsilon, {})
    missed = [
        name
        for name, bar in bars.items()
        if (part[name].mean() > bar if name == "two_way" else part[name].mean() < bar)
    ]
    return "" if not bars else "missed: " + ", ".join(missed) if missed else "met"


def main() -> int:
    """Run what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=["adult"], choices=list(DATA))
    parser.add_argument("--epsilon", nargs="+", type=float, default=[0.1, 0.3, 1.0, 3.0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    options = parser.parse_args()
    if options.report:
        print(report(read()))
        return 0
    there = {(line["data"], line["epsilon"], line["run"]) for line in read()}
    for number in range(options.runs):
        for data in options.data:
            for epsilon in options.epsilon:
                if (data, epsilon, number) in there:
                    continue
                line = run(data, epsilon, number)
                append_line(line, RESULTS / f"{data}.jsonl")
                shown = {name: round(line[name], 4) for name in _FIGURES}
                print(f"{data} epsilon {epsilon:g} run {number}: {shown}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
