"""Imputation: tables x ways of going missing x seeds, next to IterativeImputer and kNN.

    SYNTHGEN_DATA=... python -m benchmarks.augment.impute --seeds 0 1 2

A fifth of the cells is removed: at random ("mcar"), or the likelier, the larger a number and the
rarer a category ("mnar"). The error of a column is the root mean squared error of the removed cells
divided by the column's standard deviation, or the share of wrong categories. Shape compares the
completed columns with the complete ones. One JSON line per cell; ``--report`` prints the table, and
``--floor`` what draws from each column's observed cells would score (nothing is fitted for it).

A user's model trains for 3,000 to 7,000 steps, or for five minutes, which on the wider of the
tables and one core are some 3,500 steps. 2,000 keep a cell within minutes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.impute import KNNImputer

from benchmarks.lines import append_line, read_lines
from synthgen import GANSynthesizer, datasets, evaluate
from synthgen.augment import SyntheticImputer

RESULTS = Path(__file__).parent / "results" / "impute.jsonl"
DATA = ("support2_clinical", "adult")
WAYS = ("mcar", "mnar")
SHARE = 0.2
SHAPE_BAR = 0.98


def iterative_imputer() -> Any:
    """Return scikit-learn's class, which can be imported after it was allowed only."""
    import_module("sklearn.experimental.enable_iterative_imputer")
    return import_module("sklearn.impute").IterativeImputer


def load(data: str, rows: int, seed: int) -> pd.DataFrame:
    """Return some rows of a table; columns with hardly any value are left out."""
    if data == "adult":
        table = datasets.load_adult("train")
    else:
        folder = Path(os.environ["SYNTHGEN_DATA"]) / "tabular"
        table = pd.read_csv(folder / f"{data}.csv.gz")
    table = table.loc[:, table.notna().mean() > 0.3]
    chosen = np.random.default_rng([seed, 1]).permutation(len(table))[:rows]
    return table.iloc[chosen].reset_index(drop=True)


def remove(table: pd.DataFrame, way: str, seed: int) -> pd.DataFrame:
    """Return a mask of cells to remove, a fifth of those present in each column."""
    rng = np.random.default_rng([seed, 2])
    mask = pd.DataFrame(False, index=table.index, columns=table.columns)
    for label in table:
        present = np.flatnonzero(table[label].notna())
        odds = np.ones(len(present))
        if way == "mnar":
            values = table[label].iloc[present]
            if not pd.api.types.is_numeric_dtype(values):
                values = -values.map(values.value_counts())
            odds = values.rank(pct=True).to_numpy() + 0.1
        n = round(SHARE * len(present))
        chosen = rng.choice(present, n, replace=False, p=odds / odds.sum())
        mask.loc[chosen, label] = True
    return mask


def holes(table: pd.DataFrame, mask: pd.DataFrame) -> pd.DataFrame:
    """Return the table without the masked cells."""
    return pd.DataFrame({label: table[label].where(~mask[label]) for label in table})


def by_matrix(imputer: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return an imputation on standardised numbers and one column of 0/1 per category."""

    def fill(table: pd.DataFrame) -> pd.DataFrame:
        numbers = [c for c in table if pd.api.types.is_numeric_dtype(table[c])]
        centre, spread = table[numbers].mean(), table[numbers].std().replace(0, 1).fillna(1)
        parts, slices, start = [(table[numbers] - centre) / spread], {}, len(numbers)
        for label in table.columns.difference(numbers, sort=False):
            wide = pd.get_dummies(table[label], dtype=float)
            wide[table[label].isna()] = np.nan
            slices[label] = (start, wide.columns)
            start += wide.shape[1]
            parts.append(wide)
        filled = imputer.fit_transform(np.column_stack(parts))
        out = table.copy()
        for place, label in enumerate(numbers):
            out[label] = filled[:, place] * spread[label] + centre[label]
        for label, (first, levels) in slices.items():
            best = filled[:, first : first + len(levels)].argmax(axis=1)
            gaps = table[label].isna()
            out.loc[gaps, label] = np.asarray(levels)[best[gaps]]
        return out

    return fill


def by_observed(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Fill each column with draws from its other cells, whatever else the row holds: the floor."""
    rng = np.random.default_rng([seed, 3])
    filled = table.copy()
    for label in table:
        gaps = table[label].isna()
        cells = table[label][~gaps].to_numpy()
        filled.loc[gaps, label] = cells[rng.integers(len(cells), size=int(gaps.sum()))]
    return filled


def floor(data: str, way: str, seed: int, rows: int) -> dict[str, Any]:
    """Return the scores of :func:`by_observed` on one table with holes."""
    table = load(data, rows, seed)
    mask = remove(table, way, seed)
    scores = score(table, mask, by_observed(holes(table, mask), seed))
    return {"data": data, "way": way, "seed": seed, "rows": rows, "observed": scores}


def score(table: pd.DataFrame, mask: pd.DataFrame, filled: pd.DataFrame) -> dict[str, float | None]:
    """Return mean error over columns, of numbers and of categories, and the shape."""
    numbers, categories = [], []
    for label in table:
        cells = mask[label].to_numpy()
        truth, guess = table[label][cells], filled[label][cells]
        if pd.api.types.is_numeric_dtype(table[label]):
            spread = float(table[label].std()) or 1.0
            error = float(np.sqrt(((truth - guess.astype(float)) ** 2).mean()))
            numbers.append(error / spread)
        else:
            categories.append(float((truth.to_numpy() != guess.to_numpy()).mean()))
    # Cells that were missing in the source stay out of the comparison.
    completed = filled.where(table.notna())
    shape = evaluate.shape(table, completed, random_state=0).value
    return {
        "error": float(np.mean(numbers + categories)),
        "nrmse": float(np.mean(numbers)),
        "wrong": float(np.mean(categories)),
        "shape": shape,
    }


def run(data: str, way: str, seed: int, rows: int, steps: int, draws: int) -> dict[str, Any]:
    """Return the scores of all imputers on one table with holes."""
    table = load(data, rows, seed)
    mask = remove(table, way, seed)
    given = holes(table, mask)
    line: dict[str, Any] = {"data": data, "way": way, "seed": seed, "rows": rows, "steps": steps}
    start = time.process_time()
    model = GANSynthesizer(max_minutes=30, max_steps=steps, random_state=seed)
    imputer = SyntheticImputer(model, n_draws=draws, random_state=seed).fit(given)
    line["synthetic_draw"] = score(table, mask, imputer.transform(given))
    imputer.set_params(strategy="best")
    line["synthetic_best"] = score(table, mask, imputer.transform(given))
    line["synthetic_cpu_seconds"] = time.process_time() - start
    for name, rival in (
        ("iterative", iterative_imputer()(random_state=seed, max_iter=5, n_nearest_features=30)),
        ("knn", KNNImputer()),
    ):
        start = time.process_time()
        line[name] = score(table, mask, by_matrix(rival)(given))
        line[f"{name}_cpu_seconds"] = time.process_time() - start
    return line


def report(lines: list[dict[str, Any]]) -> str:
    """Return the means as a Markdown table, and whether the bars hold."""
    if not lines:
        return "Nothing was measured with so many rows and steps yet."
    header = ["data", "missing", "seeds", "imputer", "error", "nrmse", "wrong", "shape"]
    table = [header, ["---"] * len(header)]
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in lines:
        groups.setdefault((line["data"], line["way"]), []).append(line)
    names = ("synthetic_best", "synthetic_draw", "iterative", "knn")
    means: dict[str, list[float]] = {name: [] for name in names}
    shapes = []
    for (data, way), part in groups.items():
        for name in names:
            figures = {k: float(np.mean([line[name][k] for line in part])) for k in header[4:]}
            means[name].append(figures["error"])
            if name == "synthetic_draw":
                shapes.append(figures["shape"])
            table.append([data, way, str(len(part)), name, *(f"{v:.3f}" for v in figures.values())])
    best = {name: float(np.mean(errors)) for name, errors in means.items()}
    ours = best["synthetic_best"]
    verdict = "met" if ours < min(best["iterative"], best["knn"]) else "missed"
    kept = "met" if min(shapes) >= SHAPE_BAR else "missed"
    mean = float(np.mean(shapes))
    words = ", ".join(f"{name} {error:.3f}" for name, error in best.items())
    return (
        "\n".join(f"| {' | '.join(row)} |" for row in table)
        + f"\n\nMean error {words}: {verdict}. Least shape of draws {min(shapes):.3f} "
        f"(mean {mean:.3f}): {kept}."
    )


def main() -> int:
    """Run what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--steps", type=int, default=2_000, help="training steps of the generator")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    parser.add_argument("--floor", action="store_true", help="print the floor's scores and stop")
    options = parser.parse_args()
    size = {"rows": options.rows, "steps": options.steps}
    if options.report:
        print(report([line for line in read_lines(RESULTS) if size.items() <= line.items()]))
        return 0
    if options.floor:
        for seed, data, way in itertools.product(options.seeds, options.data, options.ways):
            print(json.dumps(floor(data, way, seed, options.rows)), flush=True)
        return 0
    warnings.simplefilter("ignore")
    keys = ("data", "way", "seed", "rows", "steps")
    there = {tuple(line[key] for key in keys) for line in read_lines(RESULTS)}
    for seed in options.seeds:
        for data in options.data:
            if data != "adult" and not os.environ.get("SYNTHGEN_DATA"):
                print(f"{data}: skipped, SYNTHGEN_DATA names no folder", file=sys.stderr)
                continue
            for way in options.ways:
                if (data, way, seed, options.rows, options.steps) in there:
                    continue
                line = run(data, way, seed, options.rows, options.steps, options.draws)
                append_line(line, RESULTS)
                print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
