"""Print means over cells and seeds as Markdown, and whether the bars are met.

python -m benchmarks.anomaly.report
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from benchmarks.lines import read_lines

HERE = Path(__file__).resolve().parent
USUAL = ("isolation_forest", "knn", "ecod")


def read(path: Path) -> pd.DataFrame:
    """Return one row per cell: group, name, seed, AUC of each method."""
    rows = [
        {"group": line["group"], "name": line["name"], "seed": line["key"][1], **line["auc"]}
        for line in read_lines(path)
    ]
    return pd.DataFrame(rows)


def verdicts(cells: pd.DataFrame) -> list[tuple[str, float, float, bool]]:
    """Return each bar with what was measured, what it asks, and whether it is met."""
    found = []
    tables = cells[cells["group"] != "images"]
    if len(tables):
        best = tables[list(USUAL)].mean().max()
        own = tables["detector"].mean()
        found.append(("tables: mean AUC >= best usual - .01", own, best - 0.01))
    related = tables[tables["group"] == "dependency"]
    if len(related):
        best = related[list(USUAL)].mean().max()
        own = related["detector"].mean()
        found.append(("dependency: mean AUC >= best usual + .05", own, best + 0.05))
    pictures = cells[cells["group"] == "images"]
    if len(pictures):
        own = pictures["detector"].mean()
        best = pictures[["pca", "isolation_forest"]].mean().max()
        found.append(("images: mean AUC >= .90", own, 0.9))
        found.append(("images: mean AUC >= PCA and isolation forest", own, best))
    return [(name, own, bar, own >= bar) for name, own, bar in found]


def main() -> int:
    """Print; exit with 1 if a bar is missed."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "results" / "results.jsonl"
    cells = read(path)
    means = cells.drop(columns=["name", "seed"]).groupby("group").mean().T
    means.columns = [f"{group} ({(cells['group'] == group).sum()})" for group in means.columns]
    print("| method | " + " | ".join(means.columns) + " |")
    print("| --- |" + " ---: |" * len(means.columns))
    for name, row in means.iterrows():
        print(f"| {name} | " + " | ".join("" if v != v else f"{v:.3f}" for v in row) + " |")
    print()
    judged = verdicts(cells)
    for name, own, bar, met in judged:
        print(f"- {'met' if met else 'MISSED'}: {name}: {own:.3f}, bar {bar:.3f}")
    return int(not all(met for *_, met in judged))


if __name__ == "__main__":
    sys.exit(main())
