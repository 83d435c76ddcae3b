"""Do the attacks rank leaky generators right? One JSON line per data set and generator.

    python -m benchmarks.privacy.attacks --data adult --models models/
    python -m benchmarks.privacy.attacks --fresh 40
    python -m benchmarks.privacy.attacks --report

Generators from the leakiest to the safest: members with jitter of a tenth, one and five per cent of
every number's range; our default model trained on 500 rows for long, our default model, our model
with differential privacy, and fresh real rows. Models are fitted once and kept in the folder that
--models names; --minutes bounds each fit. ``--fresh`` releases fresh real rows again and again and
counts how often .5 lies within the interval of the battery. Data sets other than Adult are read
from the folder that SYNTHGEN_DATA names.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.lines import append_line, read_lines
from synthgen import DPMarginals, GANSynthesizer, Schema, datasets, load
from synthgen.privacy import AuditReport, audit

RESULTS = Path(__file__).parent / "results" / "attacks.jsonl"
#: From the leakiest to the safest.
KINDS = ("jitter_0.001", "jitter_0.01", "jitter_0.05", "overfit", "default", "dp", "fresh")
_OVERFIT_ROWS = 500
_BATTERY = (
    "copies",
    "nearest",
    "calibrated",
    "monte_carlo",
    "neighbourhood",
    "domias",
    "likelihood_ratio",
    "classifier",
)


def tables(name: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return members, holdout and fresh rows."""
    if name == "adult":
        members, others = datasets.load_adult("train"), datasets.load_adult("test")
    else:
        folder = Path(os.environ["SYNTHGEN_DATA"]) / "tabular"
        table = pd.read_csv(folder / "support2_clinical.csv.gz")
        order = np.random.default_rng(0).permutation(len(table))
        half = len(order) // 2
        members, others = (
            table.iloc[rows].reset_index(drop=True) for rows in (order[:half], order[half:])
        )
    order = np.random.default_rng(1).permutation(len(others))
    cut = len(others) // 4
    fresh, holdout = (
        others.iloc[rows].reset_index(drop=True) for rows in (order[:cut], order[cut:])
    )
    return members, holdout, fresh


def jittered(frame: pd.DataFrame, share: float) -> pd.DataFrame:
    """Return the rows with noise on every number: a share of its range, as standard deviation."""
    rng = np.random.default_rng(0)
    result = frame.copy()
    for name in frame.select_dtypes("number").columns:
        values = frame[name].astype(float)
        noisy = values + rng.normal(0, share * (values.max() - values.min()), len(values))
        whole = bool((values.dropna() == values.dropna().round()).all())
        noisy = noisy.clip(values.min(), values.max())
        result[name] = noisy.round() if whole else noisy
    return result


def model(name: str, kind: str, members: pd.DataFrame, folder: Path, minutes: float) -> Any:
    """Return the fitted model, from the folder if it is there."""
    path = folder / f"{name}_{kind}"
    if path.exists():
        return load(path)
    if kind == "default":
        made = GANSynthesizer(random_state=0, max_minutes=minutes)
    elif kind == "overfit":
        made = GANSynthesizer(
            random_state=0,
            max_minutes=minutes,
            max_steps=12_000,
            validation_fraction=0.0,
            refine=False,
            batch_size=250,
        )
    else:
        everything = pd.concat(tables(name), ignore_index=True)
        schema = Schema.infer(everything).observed(everything).as_public()
        made = GANSynthesizer(
            random_state=0, max_minutes=minutes, schema=schema, privacy=DPMarginals(1.0, 1e-6)
        )
    made.fit(members)
    made.save(path)
    return made


def cell(name: str, kind: str, options: argparse.Namespace) -> dict[str, Any]:
    """Release one generator's rows and attack them."""
    members, holdout, fresh = tables(name)
    if kind == "overfit":
        members = members.iloc[:_OVERFIT_ROWS]
    if kind.startswith("jitter"):
        rows = jittered(members, float(kind.split("_")[1]))
    elif kind == "fresh":
        rows = fresh
    else:
        fitted = model(name, kind, members, Path(options.models), options.minutes)
        rows = fitted.sample(max(len(members), 2_000), random_state=1)
    chosen = None if options.full else _BATTERY
    start, wall = time.process_time(), time.monotonic()
    report = audit(
        rows,
        members,
        holdout,
        attacks=chosen,
        max_targets=options.targets,
        budget_s=options.budget,
        random_state=0,
    )
    return {
        "data": name,
        "kind": kind,
        "max_targets": options.targets,
        "rows": {"members": len(members), "holdout": len(holdout), "synthetic": len(rows)},
        **_figures(report),
        "cpu_seconds": time.process_time() - start,
        "wall_seconds": time.monotonic() - wall,
        "max_rss_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def _figures(report: AuditReport) -> dict[str, Any]:
    line: dict[str, Any] = {}
    for population in ("random", "vulnerable"):
        best = report.battery(population)
        if best is None:
            continue
        line[population] = {
            "attack": best.attack,
            "auc": best.auc,
            "interval": best.auc_interval,
            "auc_lower_all": report.auc_lower(population),
            "tpr_at_1pct": None if best.tpr_at_1pct is None else best.tpr_at_1pct.value,
            "epsilon_lower": best.epsilon_lower,
            "by_attack": {each.attack: each.auc for each in report.of(population)},
        }
    line["controls"] = {each.name: [each.passed, each.auc] for each in report.controls}
    line["smallest_leak"] = report.smallest_leak
    line["skipped"] = [each.attack for each in report.skipped]
    return line


def fresh_runs(runs: int, rows: int = 1_000) -> dict[str, Any]:
    """Release fresh rows of Adult as synthetic, every time with other splits."""
    table = datasets.load_adult("all")
    lines = []
    for run in range(runs):
        order = np.random.default_rng(run).permutation(len(table))[: 4 * rows]
        members, holdout, made, reference = (
            table.iloc[part].reset_index(drop=True) for part in np.split(order, 4)
        )
        report = audit(made, members, holdout, reference, attacks=_BATTERY, random_state=run)
        best = report.battery("random")
        assert best is not None
        assert best.auc_interval is not None
        every = [each.auc_simultaneous for each in report.of("random")]
        single = [each.auc_interval for each in report.of("random")]
        lines.append(
            {
                "battery": best.auc_interval[0] <= 0.5 <= best.auc_interval[1],
                "all": all(own is not None and own[0] <= 0.5 <= own[1] for own in every),
                "single": float(np.mean([o is not None and o[0] <= 0.5 <= o[1] for o in single])),
                "negative_control": report.controls[1].passed,
                "positive_control": report.controls[0].passed,
            }
        )
    shares = {name: float(np.mean([line[name] for line in lines])) for name in lines[0]}
    return {"data": "adult", "kind": "fresh_runs", "runs": runs, "rows": rows, "shares": shares}


def report_table(lines: list[dict[str, Any]]) -> str:
    """Return the ranking as a Markdown table."""
    header = [
        "data",
        "kind",
        "battery",
        "AUC",
        "interval",
        "over all",
        "vulnerable",
        "eps",
        "CPU s",
    ]
    rows = [header, ["---"] * len(header)]
    for line in lines:
        if "random" not in line:
            continue
        own, weak = line["random"], line.get("vulnerable", {"auc": None})
        low, high = own["interval"]
        rows.append(
            [
                line["data"],
                line["kind"],
                own["attack"],
                f"{own['auc']:.3f}",
                f"[{low:.3f}, {high:.3f}]",
                f">= {own['auc_lower_all']:.3f}",
                "" if weak["auc"] is None else f"{weak['auc']:.3f}",
                f"{own['epsilon_lower']:.2f}",
                f"{line['cpu_seconds']:.0f}",
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> int:
    """Run what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=["adult"], choices=["adult", "support2"])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--models", default="models")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--targets", type=int, default=4_000)
    parser.add_argument("--budget", type=float, default=3_600.0)
    parser.add_argument("--full", action="store_true", help="all attacks, not the battery")
    parser.add_argument("--fresh", type=int, default=0, help="runs on fresh rows")
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    options = parser.parse_args()
    if options.report:
        print(report_table(read_lines(RESULTS)))
        return 0
    if options.fresh:
        _write(fresh_runs(options.fresh))
        return 0
    there = {(line["data"], line["kind"]) for line in read_lines(RESULTS)}
    for name in options.data:
        for kind in options.kinds:
            if (name, kind) not in there:
                _write(cell(name, kind, options))
    return 0


def _write(line: dict[str, Any]) -> None:
    append_line(line, RESULTS)
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
