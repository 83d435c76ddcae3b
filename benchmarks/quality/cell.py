"""One cell of the benchmark: read, split, fit, sample, score. Started by run.py, once per cell."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd

import synthgen
from benchmarks.quality.measure import cpu_seconds, peak_mb
from benchmarks.quality.peers import call
from synthgen import evaluate

_PACKAGES = ("numpy", "pandas", "scikit-learn", "torch", "lightgbm")


def load(entry: dict[str, Any], seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and holdout rows: Adult's own split, else 90/10 by seed."""
    if "file" not in entry:
        from synthgen.data.datasets import load_adult

        return load_adult("train"), load_adult("test")
    table = pd.read_csv(Path(os.environ["SYNTHGEN_DATA"]) / "tabular" / entry["file"])
    order = np.random.default_rng(seed).permutation(len(table))
    size = len(table) // 10
    holdout, train = (table.iloc[np.sort(rows)] for rows in (order[:size], order[size:]))
    return train.reset_index(drop=True), holdout.reset_index(drop=True)


def score(
    train: pd.DataFrame,
    synthetic: pd.DataFrame,
    holdout: pd.DataFrame,
    entry: dict[str, Any],
    cell: dict[str, Any],
    schema: Any,
) -> tuple[dict[str, float | None], dict[str, tuple[float, float]]]:
    """Compute all figures; shape and trend against the training rows, as the literature does."""
    common = {"schema": schema, "random_state": cell["seed"]}
    jobs = {"n_jobs": cell["threads"]}
    strict = {"correlation_threshold": 0.5, "association_threshold": 0.3}
    task = {"target": entry["target"], "task": entry["task"]}
    results = {
        "shape": evaluate.shape(train, synthetic, **common),
        "trend": evaluate.trend(train, synthetic, **common),
        "trend_strict": evaluate.trend(train, synthetic, **strict, **common),
        "shape_holdout": evaluate.shape(holdout, synthetic, **common),
        "trend_holdout": evaluate.trend(holdout, synthetic, **common),
        "c2st_logistic": evaluate.c2st(holdout, synthetic, method="logistic", **common),
        "c2st_trees": evaluate.c2st(holdout, synthetic, **jobs, **common),
        "c2st_train": evaluate.c2st(train, synthetic, **jobs, **common),
        "utility": evaluate.utility(train, synthetic, holdout=holdout, **task, **jobs, **common),
        "global_utility": evaluate.global_utility(
            train, synthetic, holdout=holdout, **jobs, **common
        ),
        "copy_share": evaluate.copy_share(train, synthetic, holdout=holdout, schema=schema),
        "membership_auc": evaluate.membership(train, synthetic, holdout=holdout, **common),
        "nearest_share": evaluate.nearest_share(train, synthetic, holdout=holdout, **common),
    }
    scores = {name: result.value for name, result in results.items()}
    copies = results["copy_share"]
    scores |= {
        "auc_trees": results["c2st_trees"].details["auc"],
        "utility_real": results["utility"].ceiling,
        "copy_share_holdout": copies.ceiling,
        "copy_excess": copies.value - copies.ceiling,
        "missing_gap": float((train.isna().mean() - synthetic.isna().mean()).abs().max()),
        "dtypes_kept": float((train.dtypes == synthetic.dtypes[train.columns]).mean()),
    }
    intervals = {name: r.interval for name, r in results.items() if r.interval is not None}
    return scores, intervals


def ceiling(
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    entry: dict[str, Any],
    cell: dict[str, Any],
    schema: Any,
) -> tuple[dict[str, float | None], dict[str, tuple[float, float]]]:
    """Score real rows: the training rows against the holdout, or one half against the other."""
    frames = evaluate.baseline_frames(train, holdout, cell["seed"])
    scores, intervals = score(frames.members, frames.fresh, holdout, entry, cell, schema)
    whole, whole_intervals = score(train, frames.real, holdout, entry, cell, schema)
    against_holdout = ("shape_holdout", "trend_holdout", "c2st_logistic", "c2st_trees",
                       "auc_trees", "utility", "utility_real")  # fmt: skip
    for name in against_holdout:
        scores[name] = whole[name]
        if name in whole_intervals:
            intervals[name] = whole_intervals[name]
    return scores, intervals


def machine() -> str:
    """Name the class of machine: processor, cores, memory."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        name = models[0].split(":", 1)[1].strip() if models else name
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GB"


def versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "synthgen": synthgen.__version__}
    return found | {name: importlib.metadata.version(name) for name in _PACKAGES}


def fit_and_sample(
    train: pd.DataFrame, class_name: str, cell: dict[str, Any]
) -> tuple[pd.DataFrame, dict[str, float], dict[str, Any]]:
    """Return as many synthetic rows as training rows, what they cost, and what was refined."""
    model = getattr(synthgen, class_name)(random_state=cell["seed"], **cell["parameters"])
    before = peak_mb()
    wall, cpu = time.perf_counter(), cpu_seconds()
    model.fit(train)
    costs = {
        "fit_seconds": time.perf_counter() - wall,
        "fit_cpu_seconds": cpu_seconds() - cpu,
        "loaded_peak_mb": before,
        "fit_peak_mb": peak_mb(),
    }
    wall, cpu = time.perf_counter(), cpu_seconds()
    synthetic = model.sample(len(train), random_state=cell["seed"])
    seconds = time.perf_counter() - wall
    costs |= {
        "sample_seconds": seconds,
        "sample_cpu_seconds": cpu_seconds() - cpu,
        "sample_rows_per_second": len(train) / seconds,
        "peak_mb": peak_mb(),
    }
    return synthetic, costs, getattr(model, "refinement_", {})


def run(config: dict[str, Any], cell: dict[str, Any]) -> dict[str, Any]:
    entry, model = config["datasets"][cell["data"]], config["models"][cell["model"]]
    train, holdout = load(entry, cell["seed"])
    costs: dict[str, float] = {}
    refinement: dict[str, Any] = {}
    used = versions()
    synthetic = None
    if "peer" in model:
        synthetic, costs, own = call.fit_and_sample(train, model, cell, config["peer_limits"])
        used |= own
    elif "class" in model:
        synthetic, costs, refinement = fit_and_sample(train, model["class"], cell)
    elif cell["model"] == "floor":
        synthetic = evaluate.baseline_frames(train, holdout, cell["seed"]).independent
    start = time.perf_counter()
    schema = synthgen.Schema.infer(train)
    if synthetic is None:
        scores, intervals = ceiling(train, holdout, entry, cell, schema)
    else:
        scores, intervals = score(train, synthetic, holdout, entry, cell, schema)
    costs["score_seconds"] = time.perf_counter() - start
    return cell | {
        "rows": {"train": len(train), "holdout": len(holdout), "columns": train.shape[1]},
        "scores": scores,
        "intervals": intervals,
        "costs": costs,
        "refinement": refinement,
        "machine": machine(),
        "versions": used,
    }


def main() -> None:
    config = json.loads(Path(sys.argv[1]).read_text())
    cell = json.loads(sys.argv[2])
    if "torch" in sys.modules or "class" in config["models"][cell["model"]]:
        import torch

        torch.set_num_threads(cell["threads"])
    try:
        line = run(config, cell)
    except call.PeerError as error:
        sys.exit(str(error))
    Path(sys.argv[3]).write_text(json.dumps(line, allow_nan=False))


if __name__ == "__main__":
    main()
