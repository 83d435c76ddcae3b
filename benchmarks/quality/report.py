"""Turn the results into Markdown: one table per data set, mean and interval over seeds.

python benchmarks/quality/report.py > report.md
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.lines import markdown
from benchmarks.quality.results import (
    CONFIG,
    RESULTS,
    Cell,
    figure,
    mean_and_spread,
    read_config,
    read_results,
)

#: Figure, heading, digits, +1 if higher is better, -1 if lower is, 0 if neither.
Column = tuple[str, str, int, int]
COLUMNS: tuple[Column, ...] = (
    ("shape", "Shape", 4, 1),
    ("trend", "Trend", 4, 1),
    ("trend_strict", "Trend (.5, .3)", 4, 1),
    ("shape_holdout", "Shape, holdout", 4, 1),
    ("trend_holdout", "Trend, holdout", 4, 1),
    ("c2st_logistic", "C2ST logistic", 3, 1),
    ("c2st_trees", "C2ST trees", 3, 1),
    ("c2st_train", "C2ST, training rows", 3, 1),
    ("utility", "Utility", 4, 1),
    ("utility_real", "Utility of real", 4, 0),
    ("global_utility", "Global utility", 3, 1),
    ("membership_auc", "Membership AUC", 3, 0),
    ("nearest_share", "Nearest share", 3, 0),
    ("copy_share", "Copies", 4, 0),
    ("copy_share_holdout", "Copies in holdout", 4, 0),
    ("fit_seconds", "Fit s", 0, 0),
    ("fit_cpu_seconds", "Fit CPU s", 0, 0),
    ("sample_seconds", "Sample s", 2, 0),
    ("peak_mb", "Peak MB", 0, 0),
)


#: 97.5 % quantiles of Student's distribution with 1, 2, ... degrees of freedom.
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


def label(cell: Cell) -> str:
    """Name a row: the model, and its parameters where they are not the defaults."""
    changed = ", ".join(f"{k}={json.dumps(v)}" for k, v in sorted(cell["parameters"].items()))
    return f"{cell['model']} ({changed})" if changed else str(cell["model"])


def rows_of(cells: list[Cell], order: list[str]) -> dict[str, list[Cell]]:
    """Group the cells of one data set by row, in the order of the configuration."""
    groups: dict[str, list[Cell]] = defaultdict(list)
    place = {name: position for position, name in enumerate(order)}
    for cell in sorted(cells, key=lambda c: (place.get(c["model"], len(place)), label(c))):
        groups[label(cell)].append(cell)
    return groups


def best_rows(groups: dict[str, list[Cell]], name: str, sign: int) -> set[str]:
    """Return the rows with the best mean among fitted models; floor and ceiling do not compete."""
    means = {}
    for row, cells in groups.items():
        found = mean_and_spread(cells, name)
        if sign and found and any(figure(cell, "fit_seconds") is not None for cell in cells):
            means[row] = sign * found[0]
    return {row for row, mean in means.items() if len(means) > 1 and mean == max(means.values())}


def half_width(spread: float, count: int) -> float:
    """Return half the 95 % interval of a mean, by Student's distribution.

    >>> round(half_width(spread=0.1, count=4), 4)
    0.1591
    """
    quantile = _STUDENT[min(count - 1, len(_STUDENT)) - 1]
    return float(quantile * spread / count**0.5)


def text_of(cells: list[Cell], name: str, digits: int) -> str:
    if not cells:
        return "failed"
    found = mean_and_spread(cells, name)
    if found is None:
        return "n/a"
    mean, spread, count = found
    interval = "" if spread is None else f" ± {half_width(spread, count):.{digits}f}"
    return f"{mean:.{digits}f}{interval}"


def table(
    groups: dict[str, list[Cell]],
    columns: Sequence[Column] = COLUMNS,
    best: Callable[[dict[str, list[Cell]], str, int], set[str]] = best_rows,
    what: str = "model",
) -> list[str]:
    """Return a row per group: mean and interval of every figure that any has, the best in bold."""
    finished = {row: [c for c in cells if "error" not in c] for row, cells in groups.items()}
    shown = [c for c in columns if any(mean_and_spread(own, c[0]) for own in finished.values())]
    bold = {name: best(groups, name, sign) for name, _, _, sign in shown}
    rows = []
    for row, cells in finished.items():
        texts = [
            f"**{text}**" if row in bold[name] else text
            for name, _, digits, _ in shown
            for text in (text_of(cells, name, digits),)
        ]
        rows.append([row, str(len(cells)), *texts])
    return markdown([what, "seeds", *(heading for _, heading, _, _ in shown)], rows)


def failures(groups: dict[str, list[Cell]]) -> list[str]:
    return [
        f"- {row}, seed {cell['seed']}: failed: {cell['error']}"
        for row, cells in groups.items()
        for cell in cells
        if "error" in cell
    ]


def report(cells: list[Cell], config: dict[str, Any]) -> str:
    """Return the whole report."""
    lines = [
        "# Quality benchmark",
        "",
        "Mean ± half of its 95 % interval over seeds; best model in bold.",
    ]
    lines.append("Definitions of the figures: benchmarks/README.md.")
    place = {name: position for position, name in enumerate(config["datasets"])}
    names = sorted({cell["data"] for cell in cells})
    for data in sorted(names, key=lambda name: place.get(name, len(place))):
        own = [cell for cell in cells if cell["data"] == data]
        sizes = [cell["rows"] for cell in own if "rows" in cell]
        lines += ["", f"## {data}", ""]
        if sizes:
            size = sizes[0]
            lines.append(
                f"{size['train']} training rows, {size['holdout']} holdout rows, "
                f"{size['columns']} columns."
            )
            lines.append("")
        groups = rows_of(own, list(config["models"]))
        lines += table(groups)
        failed = failures(groups)
        lines += ["", *failed] if failed else []
    lines += ["", measured_on(cells)]
    return "\n".join(lines) + "\n"


def measured_on(cells: list[Cell]) -> str:
    """Say on which machines the cells were measured."""
    machines = sorted({f"{c['machine']}; {c['threads']} threads" for c in cells if "machine" in c})
    return "Measured on: " + " / ".join(machines or ["nothing yet"]) + "."


def print_report(
    write: Callable[[list[Cell], dict[str, Any]], str],
    config: Path,
    results: Path,
    arguments: list[str] | None,
    what: str,
) -> int:
    """Print a report of all results, or say that there are none."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--config", type=Path, default=config)
    parser.add_argument("--results", type=Path, default=results)
    options = parser.parse_args(arguments)
    cells = read_results(options.results)
    if not cells:
        print(f"There are no results in {options.results}; run run.py first.", file=sys.stderr)
        return 1
    print(write(cells, read_config(options.config)), end="")
    return 0


def main(arguments: list[str] | None = None) -> int:
    return print_report(report, CONFIG, RESULTS, arguments, __doc__.splitlines()[0])


if __name__ == "__main__":
    sys.exit(main())
