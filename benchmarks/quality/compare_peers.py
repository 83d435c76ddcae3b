"""Run every peer beside our models, on the same splits, and write the table of the documentation.

    python -m benchmarks.quality.compare_peers             # install, measure what is missing, write
    python -m benchmarks.quality.compare_peers --only-write

Data sets, models and seeds are ``peers_table`` of config.json. About four hours on two cores, most
of them the peers' own training; cells that are there are not run again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.quality import run
from benchmarks.quality.peers import install
from benchmarks.quality.report import failures, rows_of, table
from benchmarks.quality.results import CONFIG, RESULTS, Cell, read_config, read_results

#: Where the documentation includes the table from.
PAGE = CONFIG.parents[2] / "docs" / "user_guide" / "peers_table.md"
#: Figure, heading, digits, +1 if higher is better, -1 if lower is, 0 if neither.
COLUMNS: tuple[tuple[str, str, int, int], ...] = (
    ("c2st_trees", "C2ST trees", 3, 1),
    ("c2st_logistic", "C2ST logistic", 3, 1),
    ("utility", "Utility", 3, 1),
    ("shape", "Shape", 4, 1),
    ("trend", "Trend", 4, 1),
    ("membership_auc", "Membership", 3, 0),
    ("missing_gap", "Missing gap", 3, -1),
    ("fit_seconds", "Fit s", 0, 0),
    ("fit_cpu_seconds", "Fit CPU s", 0, 0),
)


def page(cells: list[Cell], config: dict[str, Any]) -> str:
    """Return the Markdown of all data sets that ``peers_table`` names."""
    chosen = config["peers_table"]
    lines: list[str] = []
    for data in chosen["datasets"]:
        own = [
            cell
            for cell in cells
            if cell["data"] == data and cell["model"] in chosen["models"] and not cell["parameters"]
        ]
        groups = rows_of(own, list(config["models"]))
        size = next((cell["rows"] for cell in own if "rows" in cell), None)
        lines += [f"## {data}", ""]
        if size:
            lines += [
                f"{size['train']:,} training rows, {size['holdout']:,} holdout rows, "
                f"{size['columns']} columns.",
                "",
            ]
        failed = failures(groups)
        lines += [*table(groups, COLUMNS), "", *failed, *([""] if failed else [])]
    return "\n".join(lines)


def write(results: Path, config: dict[str, Any], path: Path = PAGE) -> None:
    """Write the page whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(page(read_results(results), config))
    partial.replace(path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--only-write", action="store_true", help="measure nothing")
    options = parser.parse_args(arguments)
    config = read_config()
    if not options.only_write:
        install.main([])
        chosen = config["peers_table"]
        wanted = ["--data", *chosen["datasets"], "--model", *chosen["models"], "--seeds"]
        # A peer's failure is a line of the table, not the end of the run.
        run.main([*wanted, *map(str, chosen["seeds"]), "--results", str(options.results)])
    write(options.results, config)
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
