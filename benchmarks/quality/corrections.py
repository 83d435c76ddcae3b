"""How corrections of single columns are to be learned: constants compared without any test row.

    SYNTHGEN_DATA=... python -m benchmarks.quality.corrections
    python -m benchmarks.quality.corrections --report

A fifth of the *training* rows of each table is kept from the fit and judges; the test rows of the
benchmark are not read. One generator is trained for a table and a seed, and each variant refines
that same one. One JSON line per cell; a cell that is there is not run again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from benchmarks.lines import append_line, markdown, read_lines
from benchmarks.quality.cell import load, machine
from benchmarks.quality.run import missing_data
from synthgen import GANSynthesizer, Schema, evaluate

HERE = Path(__file__).parent
CONFIG = HERE / "corrections.json"
RESULTS = HERE / "corrections.jsonl"
#: Share of the training rows that judges, and the most of them.
_JUDGES = 0.2
_MOST_JUDGES = 6_000
RATES = ("c2st", "utility", "membership_auc")
SHOWN = (*RATES, "refine_seconds")


def judged_split(train: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows to fit and rows to judge by, both of the training rows."""
    order = np.random.default_rng([seed, 7]).permutation(len(train))
    size = min(int(_JUDGES * len(train)), _MOST_JUDGES)
    fitted, judges = (train.iloc[np.sort(rows)] for rows in (order[size:], order[:size]))
    return fitted.reset_index(drop=True), judges.reset_index(drop=True)


def refined(
    rows: pd.DataFrame, schema: Schema, variant: dict[str, Any], seed: int, folder: str
) -> GANSynthesizer:
    """Return a fitted model; training goes on from the folder, where it may have ended before."""
    model = GANSynthesizer(
        schema=schema,
        max_minutes=120,
        random_state=seed,
        checkpoint_dir=folder,
        **variant.get("parameters", {}),
    )
    with ExitStack() as stack:
        for module, constants in variant.get("constants", {}).items():
            stack.enter_context(mock.patch.multiple(f"synthgen.{module}", **constants))
        return model.fit(rows)


def judge(
    model: GANSynthesizer, fitted: pd.DataFrame, judges: pd.DataFrame, entry: Any, draws: int
) -> dict[str, float]:
    """Return means over draws of what the judging rows say of generated ones."""
    found = []
    for draw in range(draws):
        common: dict[str, Any] = {"schema": model.schema_, "random_state": draw}
        made = model.sample(max(len(judges), 5_000), random_state=draw)
        task = {"target": entry["target"], "task": entry["task"], "holdout": judges}
        scores = {
            "c2st": evaluate.c2st(judges, made, **common),
            "utility": evaluate.utility(fitted, made, **task, **common),
            "membership_auc": evaluate.membership(fitted, made, holdout=judges, **common),
        }
        found.append({name: result.value for name, result in scores.items()})
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def report(lines: list[dict[str, Any]], config: dict[str, Any]) -> str:
    """Return each variant's figures, and mean differences from the base, as a Markdown table."""
    values = {(line["variant"], line["data"], line["seed"]): line["scores"] for line in lines}
    rows = []
    for variant in config["variants"]:
        cells = [(key, own) for key, own in values.items() if key[0] == variant]
        bases = [values.get(("base", *key[1:])) for key, _ in cells]
        pairs = [(own, base) for (_, own), base in zip(cells, bases, strict=True) if base]
        if not pairs:
            continue
        row = [variant, str(len(pairs))]
        for name in SHOWN:
            mean = np.mean([own[name] for own, _ in pairs])
            gap = np.mean([own[name] - base[name] for own, base in pairs])
            row.append(f"{mean:.4f} ({gap:+.4f})" if name in RATES else f"{mean:.0f} ({gap:+.0f})")
        rows.append(row)
    return "\n".join(markdown(["variant", "cells", *SHOWN], rows))


def main() -> int:
    """Run what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+")
    parser.add_argument("--variants", nargs="+")
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    options = parser.parse_args()
    config = json.loads(CONFIG.read_text())
    if options.report:
        print(report(read_lines(options.results), config))
        return 0
    tables = json.loads((HERE / "config.json").read_text())
    there = {(x["data"], x["seed"], x["variant"]) for x in read_lines(options.results)}
    for seed in options.seeds or config["seeds"]:
        for data in options.data or config["datasets"]:
            names = options.variants or list(config["variants"])
            due = [name for name in names if (data, seed, name) not in there]
            reason = missing_data(tables, data)
            if reason is not None:
                print(reason, file=sys.stderr)
                continue
            with tempfile.TemporaryDirectory() as folder:
                entry = tables["datasets"][data]
                run_table(config, entry, data, seed, due, folder, options.results)
    return 0


def run_table(
    config: dict[str, Any],
    entry: dict[str, Any],
    data: str,
    seed: int,
    due: list[str],
    folder: str,
    results: Path,
) -> None:
    """Train once if anything is due, refine and judge each variant, and write a line for it."""
    if not due:
        return
    fitted, judges = judged_split(load(entry, seed)[0], seed)
    schema = Schema.infer(fitted)
    refined(fitted, schema, {"parameters": {"refine": False}}, seed, folder)
    for name in due:
        start = time.process_time()
        model = refined(fitted, schema, config["variants"][name], seed, folder)
        seconds = time.process_time() - start
        scores = judge(model, fitted, judges, entry, config["draws"])
        scores["refine_seconds"] = seconds
        facts = model.refinement_
        line = {"data": data, "seed": seed, "variant": name, "scores": scores}
        line |= {"corrections": len(facts.get("corrections", [])), "machine": machine()}
        append_line(line, results)
        print(data, seed, name, {k: round(v, 4) for k, v in scores.items()}, flush=True)


if __name__ == "__main__":
    sys.exit(main())
