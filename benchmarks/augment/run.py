"""Rare classes with and without generated rows: tables x shares x seeds x classifiers.

    SYNTHGEN_DATA=... python -m benchmarks.augment.run --seeds 0 1 2 3 4

One JSON line per cell; a line that is there is not run again. ``--report`` prints the table.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from benchmarks.augment.cells import DATA, MODELS, RATES, missing, split, test_weights
from benchmarks.lines import append_line, read_lines
from synthgen import GANSynthesizer
from synthgen.augment.methods import METHODS, Fold

RESULTS = Path(__file__).parent / "results" / "rare.jsonl"
ARMS = (
    "none",
    "class_weights",
    "random_over",
    "smote",
    "averaged_real",
    "gan",
    "gan_filter",
    "gan_soft",
)
BASELINES = ("none", "class_weights", "random_over", "smote")
#: GAN augmentation may be this much below the best of the baselines in a cell.
BAR = 0.005


def run(data: str, rate: float, seed: int, steps: int, models: list[str]) -> list[dict[str, Any]]:
    """Fit one generator and return the PR-AUC of all arms for each classifier."""
    X, y, X_test, y_test = split(data, rate, seed)
    weights = test_weights(y_test, rate)
    lines, source, seconds = [], None, 0.0
    for model in models:
        generator = GANSynthesizer(max_minutes=30, max_steps=steps, random_state=seed)
        fold = Fold(X, y, X_test, MODELS[model](), generator, 2, 0.5, 1.0, seed)
        start = time.process_time()
        if source is None:
            source, seconds = fold.source, time.process_time() - start
        fold.source = source  # the generator does not depend on the classifier
        line: dict[str, Any] = {"data": data, "rate": rate, "seed": seed, "model": model}
        line |= {"steps": steps, "positives": int(y.sum()), "rows": len(y)}
        for arm in ARMS:
            said = METHODS[arm](fold)
            line[arm] = average_precision_score(y_test, said.scores[:, 1], sample_weight=weights)
        line["cpu_seconds"] = time.process_time() - start
        lines.append(line | {"generator_cpu_seconds": seconds})
    return lines


def report(lines: list[dict[str, Any]]) -> str:
    """Return mean PR-AUC per cell as a Markdown table, and whether the bar holds."""
    if not lines:
        return "Nothing was measured with so many steps yet."
    frame = pd.DataFrame(lines)
    header = ["data", "share", "model", "seeds", *ARMS, "gan_soft - best", "bar"]
    rows = [header, ["---"] * len(header)]
    gaps = []
    for (data, rate, model), part in frame.groupby(["data", "rate", "model"]):
        means = part.reindex(columns=list(ARMS)).mean()
        gap = float(means["gan_soft"] - means[list(BASELINES)].max())
        gaps.append(gap)
        cells = [str(data), f"{rate:g}", str(model), str(len(part))]
        cells += ["" if np.isnan(means[arm]) else f"{means[arm]:.3f}" for arm in ARMS]
        rows.append([*cells, f"{gap:+.3f}", "met" if gap >= -BAR else "missed"])
    found = np.asarray(gaps)
    summary = (
        f"{int((found >= -BAR).sum())} of {len(found)} cells within {BAR} of the best baseline or "
        f"above it, {int((found > 0).sum())} above it; mean difference {found.mean():+.4f}."
    )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + f"\n\n{summary}"


def main() -> int:
    """Run what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA)
    parser.add_argument("--rates", nargs="+", type=float, default=list(RATES))
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(5)))
    parser.add_argument("--steps", type=int, default=400, help="training steps of the generator")
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    options = parser.parse_args()
    if options.report:
        print(report([line for line in read_lines(RESULTS) if line["steps"] == options.steps]))
        return 0
    warnings.simplefilter("ignore")
    keys = ("data", "rate", "seed", "model", "steps")
    there = {tuple(line[key] for key in keys) for line in read_lines(RESULTS)}
    for seed in options.seeds:
        for data in options.data:
            reason = missing(data)
            if reason is not None:
                print(f"{reason}; skipped", file=sys.stderr)
                continue
            for rate in options.rates:
                steps = options.steps
                due = [m for m in options.models if (data, rate, seed, m, steps) not in there]
                for line in run(data, rate, seed, steps, due) if due else []:
                    append_line(line, RESULTS)
                    shown = {arm: round(line[arm], 3) for arm in ARMS}
                    print(f"{data} {rate:g} seed {seed} {line['model']}: {shown}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
