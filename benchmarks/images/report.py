"""Turn the results into Markdown: a table per data set, and the mean regret that decides.

python benchmarks/images/report.py > report.md
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.images.run import CONFIG, RESULTS
from benchmarks.lines import markdown
from benchmarks.quality.report import failures, label, measured_on, print_report, rows_of, table
from benchmarks.quality.results import Cell, mean_and_spread

#: Figure, heading, digits, +1 if higher is better, -1 if lower is, 0 if neither.
COLUMNS: tuple[tuple[str, str, int, int], ...] = (
    ("cas", "CAS", 3, 1),
    ("cas_critic", "CAS, critic rejects", 3, 1),
    ("cas_classifier", "CAS, classifier rejects", 3, 1),
    ("cas_recycled", "CAS, classifier rejects, more images", 3, 1),
    ("cas_truncated", "CAS, truncated", 3, 1),
    ("cas_last", "CAS, last state", 3, 1),
    ("fd", "FD[domain]", 2, -1),
    ("kid", "KD[domain]", 3, -1),
    ("density", "Density", 3, 1),
    ("coverage", "Coverage", 3, 1),
    ("class_coverage", "Classes", 2, 1),
    ("memorised", "Memorised", 3, 0),
    ("diversity", "Diversity", 2, 0),
    ("diverged", "Diverged", 2, -1),
    ("steps", "Steps", 0, 0),
    ("fit_cpu_seconds", "Fit CPU s", 0, 0),
    ("sample_images_per_second", "Images/s", 0, 0),
)

#: The row that no recipe made.
CEILING = "real"


def competes(row: str, cells: list[Cell]) -> bool:
    """Return whether a row is a recipe with the configured parameters that finished everywhere."""
    return row != CEILING and not any("error" in cell or cell["parameters"] for cell in cells)


def best_rows(groups: dict[str, list[Cell]], name: str, sign: int) -> set[str]:
    """Return the recipes with the best mean; of one recipe alone nothing can be said."""
    means = {
        row: sign * found[0]
        for row, cells in groups.items()
        if sign and competes(row, cells) and (found := mean_and_spread(cells, name))
    }
    return {row for row, mean in means.items() if len(means) > 1 and mean == max(means.values())}


def regrets(cells: list[Cell], config: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return by how much each recipe falls short of the best one, per data set and seed averaged.

    Recipes are compared on the seeds that all of them have; once two have every seed that is
    configured, those that lack one are left out. A recipe with a score nowhere, with a
    failed cell or with labels left aside is not there: it cannot be a default. Nor are data sets
    that only some recipes are run on.
    """
    name = config["figures"]["regret"]
    found: dict[str, dict[str, float]] = {}
    for data, entry in config["datasets"].items():
        if "models" in entry:
            continue
        groups = rows_of([c for c in cells if c["data"] == data], list(config["models"]))
        scores = {
            row: {cell["seed"]: cell["scores"][name] for cell in own}
            for row, own in groups.items()
            if competes(row, own) and all(cell["scores"].get(name) is not None for cell in own)
        }
        whole = {row: own for row, own in scores.items() if set(own) >= set(config["seeds"])}
        scores = whole if len(whole) > 1 else scores
        seeds = set.intersection(*map(set, scores.values())) if scores else set()
        if not seeds:
            continue
        means = {row: statistics.fmean(s[k] for k in seeds) for row, s in scores.items()}
        found[data] = {row: max(means.values()) - mean for row, mean in means.items()}
    return found


def ranking(cells: list[Cell], config: dict[str, Any]) -> list[tuple[str, float, int, list[str]]]:
    """Return recipe, mean regret, diverged runs and texts per data set, the best first.

    Only recipes that were measured on every data set that any was measured on are ranked. Those
    with a diverged run come last.
    """
    found = regrets(cells, config)
    rows = set.intersection(*(set(own) for own in found.values())) if found else set()
    entries = []
    for row in rows:
        own = [c for c in cells if label(c) == row and "error" not in c]
        diverged = sum(bool(cell["scores"].get("diverged")) for cell in own)
        texts = [f"{found[data][row]:.3f}" for data in found]
        entries.append((row, statistics.fmean(found[d][row] for d in found), diverged, texts))
    return sorted(entries, key=lambda entry: (entry[2] > 0, entry[1], entry[0]))


def regret_table(cells: list[Cell], config: dict[str, Any]) -> list[str]:
    """Return the table that decides."""
    entries = ranking(cells, config)
    if not entries:
        return ["No recipe was measured on every data set yet."]
    rows = []
    for place, (row, mean, diverged, texts) in enumerate(entries):
        wins = place == 0 and len(entries) > 1 and diverged == 0
        rows.append([row, f"**{mean:.3f}**" if wins else f"{mean:.3f}", str(diverged), *texts])
    return markdown(["recipe", "mean regret", "diverged runs", *regrets(cells, config)], rows)


def report(cells: list[Cell], config: dict[str, Any]) -> str:
    """Return the whole report."""
    lines = [
        "# Image benchmark",
        "",
        "Mean ± half of its 95 % interval over seeds; best recipe in bold; `real` is the ceiling.",
        "All recipes train for the same processor time. Definitions: benchmarks/images/README.md.",
        "",
        "## Regret in classifier accuracy score",
        "",
        "How far a recipe stays behind the best one on a data set; lower is better. A recipe with",
        "a diverged run comes after all others.",
        "",
        *regret_table(cells, config),
    ]
    for data in config["datasets"]:
        own = [cell for cell in cells if cell["data"] == data]
        if not own:
            continue
        entry = config["datasets"][data]
        lines += ["", f"## {data}", ""]
        lines.append(
            f"{entry['train']} training images, {entry['cpu_seconds']} processor seconds per fit, "
            f"{entry['sample']} synthetic images."
        )
        groups = rows_of(own, list(config["models"]))
        lines += ["", *table(groups, COLUMNS, best_rows, "recipe")]
        failed = failures(groups)
        lines += ["", *failed] if failed else []
    lines += ["", measured_on(cells)]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    return print_report(report, CONFIG, RESULTS, arguments, __doc__.splitlines()[0])


if __name__ == "__main__":
    sys.exit(main())
