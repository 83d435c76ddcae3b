"""What cells for frequent single values, and for how round values are, do to detection.

    python -m benchmarks.privacy.roundness --data adult california_housing --epsilon 1 --runs 3
    python -m benchmarks.privacy.roundness --report

Every fit is run twice, with the budget for them and, "before", with all of it spent on histograms
and pairs. Lines of both go to results/roundness.jsonl.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd

from benchmarks.lines import append_line, markdown, read_lines
from benchmarks.privacy.domains import DATA
from benchmarks.privacy.run import run

RESULTS = Path(__file__).parent / "results" / "roundness.jsonl"
_FIGURES = ("c2st_auc", "utility", "two_way", "shape")


def compared(data: str, epsilon: float, number: int, fine: bool) -> dict[str, Any]:
    """Return the line of one fit, with or without cells for single values."""
    blunt = patch("synthgen.models.private.fine_columns", return_value=[])
    with nullcontext() if fine else blunt:
        return run(data, epsilon, number) | {"fine": fine}


def report(lines: list[dict[str, Any]]) -> str:
    """Return the means over runs as a Markdown table."""
    header = ["data", "epsilon", "single values", "runs", *_FIGURES]
    rows = []
    for (data, epsilon, fine), part in pd.DataFrame(lines).groupby(["data", "epsilon", "fine"]):
        figures = [f"{part[name].mean():.4f} ± {part[name].std(ddof=1):.4f}" for name in _FIGURES]
        words = "found" if fine else "not looked for"
        rows.append([str(data), f"{epsilon:g}", words, str(len(part)), *figures])
    return "\n".join(markdown(header, rows))


def main() -> int:
    """Run what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=["adult"], choices=list(DATA))
    parser.add_argument("--epsilon", nargs="+", type=float, default=[1.0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    options = parser.parse_args()
    names = ("data", "epsilon", "run", "fine")
    there = {tuple(line[name] for name in names) for line in read_lines(RESULTS)}
    wanted = [
        (data, epsilon, number, fine)
        for number in range(0 if options.report else options.runs)
        for data in options.data
        for epsilon in options.epsilon
        for fine in (True, False)
    ]
    for cell in wanted:
        if cell not in there:
            append_line(compared(*cell), RESULTS)
            print(cell, flush=True)
    print(report(read_lines(RESULTS)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
