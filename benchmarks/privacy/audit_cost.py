"""What a full audit costs: Adult as it is, and a table of a million rows, one JSON line each.

    python -m benchmarks.privacy.audit_cost --model MODEL    # Adult; without MODEL one is fitted
    python -m benchmarks.privacy.audit_cost --rows 1000000   # 20 numbers and 10 categories
    python -m benchmarks.privacy.audit_cost --report

Every attack that is installed takes part, with its default settings. The million rows are drawn
from three normal factors; their "synthetic" rows are fresh ones, so that nothing is to be found.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.lines import append_line, markdown, read_lines
from benchmarks.quality.cell import machine
from benchmarks.quality.measure import cpu_seconds, peak_mb
from synthgen import GANSynthesizer, datasets, load, privacy

RESULTS = Path(__file__).parent / "results" / "audit_cost.jsonl"
_NUMBERS, _CATEGORIES, _FACTORS = 20, 10, 3


def factor_table(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return numbers and categories that depend on three factors."""
    factors = rng.normal(size=(rows, _FACTORS))
    columns: dict[str, Any] = {}
    for k in range(_NUMBERS):
        columns[f"x{k}"] = factors[:, k % _FACTORS] + rng.normal(size=rows)
    for k in range(_CATEGORIES):
        codes = np.clip((factors[:, k % _FACTORS] * 1.5 + 3).astype(int), 0, 5)
        columns[f"c{k}"] = np.array(list("abcdef"))[codes]
    return pd.DataFrame(columns)


def measured(data: str, synthetic: Any, members: pd.DataFrame, holdout: pd.DataFrame) -> Any:
    """Audit, and return the line."""
    start, before = time.perf_counter(), cpu_seconds()
    report = privacy.audit(synthetic, members, holdout, budget_s=3_600)
    seconds, processor = time.perf_counter() - start, cpu_seconds() - before
    return {
        "data": data,
        "rows": len(members),
        "columns": members.shape[1],
        "seconds": seconds,
        "cpu_seconds": processor,
        "peak_mb": peak_mb(),
        "attacks": sorted({each.attack for each in report.attacks}),
        "skipped": {each.attack: each.reason for each in report.skipped},
        "groups": len(report.groups),
        "parts": report.seconds,
        "controls_passed": report.controls_passed,
        "auc_lower": {name: report.auc_lower(name) for name in ("random", "vulnerable")},
        "notes": list(report.notes),
        "machine": machine(),
    }


def adult(path: str | None) -> dict[str, Any]:
    """Audit a default model of Adult as a white box."""
    members, holdout = datasets.load_adult("train"), datasets.load_adult("test")
    if path is None:
        model = GANSynthesizer(max_minutes=5, random_state=0).fit(members)
    else:
        model = load(path)
    return measured("adult", model, members, holdout)


def wide(rows: int) -> dict[str, Any]:
    """Audit fresh rows of the table of factors."""
    rng = np.random.default_rng(0)
    members, holdout, made = (factor_table(n, rng) for n in (rows, rows // 5, rows))
    return measured("factors", made, members, holdout)


def report_table(lines: list[dict[str, Any]]) -> str:
    """Return the lines as a Markdown table."""
    header = ["data", "rows", "columns", "seconds", "CPU s", "peak MB", "attacks"]
    rows = [
        [
            line["data"], f"{line['rows']:,}", str(line["columns"]), f"{line['seconds']:.0f}",
            f"{line['cpu_seconds']:.0f}", f"{line['peak_mb']:,.0f}", str(len(line["attacks"])),
        ]
        for line in lines
    ]  # fmt: skip
    return "\n".join(markdown(header, rows))


def main() -> None:
    """Run one audit, or print those that were run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a saved model of Adult's training rows")
    parser.add_argument("--rows", type=int, help="rows of the table of factors")
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    options = parser.parse_args()
    if not options.report:
        line = adult(options.model) if options.rows is None else wide(options.rows)
        append_line(line, RESULTS)
    print(report_table(read_lines(RESULTS)))


if __name__ == "__main__":
    main()
