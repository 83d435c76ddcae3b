"""Compare the results with the thresholds of config.json; exit 1 if one is missed or not measured.

python benchmarks/quality/check.py [--data adult] [--present]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.quality.results import (
    CONFIG,
    RESULTS,
    Cell,
    mean_and_spread,
    read_config,
    read_results,
)


def judge(threshold: dict[str, Any], cells: list[Cell], config: dict[str, Any]) -> tuple[str, str]:
    """Return "ok", "MISSED" or "absent", and the line that says why.

    Only cells with the configured parameters and number of threads count, and failed cells miss.
    """
    model = config["models"][threshold["model"]]
    own = [
        cell
        for cell in cells
        if cell["data"] == threshold["data"]
        and cell["model"] == threshold["model"]
        and cell["parameters"] == model.get("parameters", {})
        and cell["threads"] == config["threads"]
    ]
    low, high = threshold.get("minimum"), threshold.get("maximum")
    wanted = f">= {low}" if low is not None else f"<= {high}"
    head = f"{threshold['data']} {threshold['model']} {threshold['figure']} {wanted}"
    errors = [cell["error"] for cell in own if "error" in cell]
    if errors:
        return "MISSED", f"{head}: {len(errors)} of {len(own)} seeds failed: {errors[0]}"
    found = mean_and_spread(own, threshold["figure"])
    if found is None:
        return "absent", f"{head}: no result"
    mean, spread, count = found
    good = mean >= low if low is not None else mean <= high
    text = f"{mean:.5g}" + ("" if spread is None else f" ± {spread:.2g}")
    return "ok" if good else "MISSED", f"{head}: {text} over {count} seed(s)"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", help="look at these data sets only")
    parser.add_argument("--present", action="store_true", help="pass over what was not measured")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    config, cells = read_config(options.config), read_results(options.results)
    verdicts = []
    for threshold in config["thresholds"]:
        if options.data and threshold["data"] not in options.data:
            continue
        verdict, line = judge(threshold, cells, config)
        verdicts.append(verdict)
        print(f"{verdict:6}  {line}")
    missed, absent = verdicts.count("MISSED"), verdicts.count("absent")
    print(
        f"{len(verdicts)} thresholds: {verdicts.count('ok')} met, {missed} missed, {absent} absent"
    )
    return int(missed > 0 or (absent > 0 and not options.present))


if __name__ == "__main__":
    sys.exit(main())
