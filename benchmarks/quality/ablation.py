"""What each part of the default recipe is worth: the recipe with one thing changed, at equal steps.

    SYNTHGEN_DATA=... python -m benchmarks.quality.ablation --seeds 0 1 2
    python -m benchmarks.quality.ablation --variants base "critic 512" --data california_housing
    python -m benchmarks.quality.ablation --report
    python -m benchmarks.quality.ablation --config benchmarks/quality/small.json   # few rows
    python -m benchmarks.quality.ablation --config benchmarks/quality/sizes.json   # sizes.py: many

Variants that cost more per step stand beside the base recipe with more and with fewer steps. The
decision is taken by ``c2st_train``, how well boosted trees tell synthetic from *training* rows, and
by a membership check; the figures of the holdout are there to be looked at afterwards. One JSON
line per cell; a cell that is there is not run again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import torch

import synthgen
from benchmarks.lines import append_line, markdown, read_lines
from benchmarks.quality.cell import load, machine, score
from benchmarks.quality.measure import cpu_seconds
from benchmarks.quality.run import missing_data
from benchmarks.quality.trial_snapshots import snapshots
from benchmarks.quality.trial_terms import triples
from synthgen import FixedCombinations, GANSynthesizer, Lookup, Schema
from synthgen.encode.base import Resolution
from synthgen.models.encoded import fit_encoder
from synthgen.models.presets import resolve_recipe
from synthgen.train.recipe import Recipe
from synthgen.train.terms import TermSpec

HERE = Path(__file__).parent
CONFIG = HERE / "ablation.json"
KEEP = (
    "c2st_train", "c2st_trees", "auc_trees", "utility", "utility_real", "shape", "trend",
    "membership_auc", "copy_excess",
)  # fmt: skip
#: Rows drawn where there are fewer training rows: figures of the model, not of luck.
_LEAST_SAMPLED = 5_000
SHOWN = ("c2st_train", "c2st_trees", "utility", "trend", "membership_auc", "fit_cpu_seconds")


def recipe_of(variant: dict[str, Any], n_rows: int, n_cells: int, steps: int | None) -> Recipe:
    """Return the default recipe for a table of that size with the changes of a variant."""
    recipe = resolve_recipe("auto", n_rows, n_cells)
    recipe = recipe if steps is None else recipe.replace(steps=steps)
    changed = variant.get("terms", {})
    terms = tuple(
        TermSpec(term.name, changed.get(term.name, term.parameters))
        for term in recipe.terms
        if term.name not in variant.get("drop_terms", ())
    )
    if "triples" in variant:
        terms += (TermSpec("triples", {"weight": variant["triples"]["weight"]}),)
    return recipe.replace(terms=terms, **variant.get("recipe", {})).check()


def with_rules(schema: Schema, rules: str | None) -> Schema:
    """Return a schema without the rules that were found, or with lookups as joint columns."""
    if rules == "none":
        return schema.with_constraints()
    if rules == "combinations":
        joined = [
            FixedCombinations(rule.columns)
            if isinstance(rule, Lookup) and rule.part is None
            else rule
            for rule in schema.constraints
        ]
        return schema.with_constraints(*joined)
    return schema


@contextmanager
def changes(variant: dict[str, Any]) -> Iterator[None]:
    """Change what is no parameter: constants of modules, and the encoder's resolution."""
    with ExitStack() as stack:
        for module, constants in variant.get("constants", {}).items():
            stack.enter_context(mock.patch.multiple(f"synthgen.{module}", **constants))
        if "resolution" in variant:
            usual = Resolution.for_table

            def changed(*sizes: int) -> Resolution:
                return replace(usual(*sizes), **variant["resolution"])

            stack.enter_context(mock.patch.object(Resolution, "for_table", changed))
        yield


def fit_gan(
    train: pd.DataFrame, schema: Schema, variant: dict[str, Any], cell: Any, config: Any
) -> tuple[GANSynthesizer, float]:
    """Fit the default recipe for the table with the changes of a variant; return its time too."""
    ruled = with_rules(schema, variant.get("rules"))
    target = config["datasets"][cell["data"]]["target"]
    with changes(variant), ExitStack() as stack:
        encoder = fit_encoder(train, ruled)
        if "triples" in variant:
            wish = variant["triples"]
            anchor = encoder.owner[target] if wish["anchored"] else None
            stack.enter_context(triples(wish["groups"], anchor))
        if "snapshots" in variant:
            stack.enter_context(snapshots(variant["snapshots"]))
        model = GANSynthesizer(
            schema=ruled,
            preset=recipe_of(variant, len(train), encoder.layout.n_cells, config["steps"]),
            random_state=cell["seed"],
            **{"max_minutes": 120, **variant.get("parameters", {})},
        )
        return timed(model, train)


def timed(model: Any, train: pd.DataFrame) -> tuple[Any, float]:
    """Return the fitted model and the processor seconds that fitting took."""
    start = cpu_seconds()
    model.fit(train)
    return model, cpu_seconds() - start


def run(config: dict[str, Any], cell: dict[str, Any]) -> dict[str, Any]:
    """Return one line: fit, sample, score."""
    entry, variant = config["datasets"][cell["data"]], config["variants"][cell["variant"]]
    train, holdout = load(entry, cell["seed"])
    if "rows" in entry:
        train = train.sample(entry["rows"], random_state=cell["seed"]).reset_index(drop=True)
    schema = Schema.infer(train)
    model: Any
    if "class" in variant:
        made = getattr(synthgen, variant["class"])(schema=schema, random_state=cell["seed"])
        model, seconds = timed(made, train)
    else:
        model, seconds = fit_gan(train, schema, variant, cell, config)
    costs = {"fit_cpu_seconds": seconds, "steps": getattr(model, "n_steps_", 0)}
    synthetic = model.sample(max(len(train), _LEAST_SAMPLED), random_state=cell["seed"])
    scores, _ = score(train, synthetic, holdout, entry, cell, schema)
    kept = {name: scores[name] for name in KEEP}
    return cell | {"scores": kept, "costs": costs, "machine": machine()}


def report(lines: list[dict[str, Any]], config: dict[str, Any]) -> str:
    """Return differences from the base recipe as a Markdown table, means over tables and seeds."""
    values = {
        (line["variant"], line["data"], line["seed"]): line["scores"] | line["costs"]
        for line in lines
    }
    pairs = defaultdict(list)
    for (variant, data, seed), found in values.items():
        base = values.get(("base", data, seed))
        if base is not None:
            pairs[variant].append((data, found, base))
    rows = []
    for variant in (name for name in config["variants"] if name in pairs):
        compared = pairs[variant]
        tables = {data for data, _, _ in compared}
        row = [variant, f"{len(compared)} on {len(tables)}"]
        for name in SHOWN:
            here = [found[name] for _, found, _ in compared]
            away = [found[name] - base[name] for _, found, base in compared]
            if variant == "base":
                row.append(f"{statistics.fmean(here):.3f}")
            elif name == "fit_cpu_seconds":
                times = [found[name] / base[name] for _, found, base in compared]
                row.append(f"x {statistics.fmean(times):.2f}")
            else:
                spread = f" ± {statistics.stdev(away):.3f}" if len(away) > 1 else ""
                row.append(f"{statistics.fmean(away):+.3f}{spread}")
        rows.append(row)
    return "\n".join(markdown(["variant", "runs", *SHOWN], rows))


def main() -> int:
    """Run what is asked for and not there yet."""
    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--config", type=Path, default=CONFIG)
    config_path = first.parse_known_args()[0].config
    config = json.loads(config_path.read_text())
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[first])
    parser.add_argument("--data", nargs="+", default=list(config["datasets"]))
    parser.add_argument("--variants", nargs="+", default=list(config["variants"]))
    parser.add_argument("--seeds", nargs="+", type=int, default=config["seeds"])
    parser.add_argument("--results", type=Path, default=config_path.with_suffix(".jsonl"))
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    options = parser.parse_args()
    lines = [line for line in read_lines(options.results) if line["data"] in options.data]
    if options.report:
        print(report(lines, config))
        return 0
    warnings.simplefilter("ignore")
    torch.set_num_threads(config["threads"])
    there = {(line["data"], line["variant"], line["seed"]) for line in lines}
    for seed in options.seeds:
        for data in options.data:
            absent = missing_data(config, data)
            if absent:
                print(absent, file=sys.stderr)
                continue
            for variant in options.variants:
                if (data, variant, seed) in there:
                    continue
                cell = {
                    "data": data,
                    "variant": variant,
                    "seed": seed,
                    "threads": config["threads"],
                }
                line = run(config, cell)
                append_line(line, options.results)
                print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
