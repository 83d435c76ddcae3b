"""Measure every detector on every cell; one JSON line each, so that a run can go on later.

python -m benchmarks.anomaly.run                                  # everything in config.json
python -m benchmarks.anomaly.run --part tables --seeds 0 --rows 600 --steps 120
python -m benchmarks.anomaly.run --part images --seeds 0 --train 500 --test 1000 --steps 200
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.anomaly import cells
from benchmarks.lines import append_line, read_lines
from synthgen import GANSynthesizer
from synthgen.anomaly import GANOutlierDetector, anomaly_report
from synthgen.errors import SynthgenWarning
from synthgen.models.image import ImageGANSynthesizer

HERE = Path(__file__).resolve().parent
Job = tuple[str, str, Callable[[], cells.Cell], Any]


def jobs(config: dict[str, Any], part: str, seed: int) -> Iterator[Job]:
    """Yield group, name, how to get the data, and the synthesizer."""
    tables, pictures = config["tables"], config["images"]
    if part in ("tables", "all"):
        table_model = GANSynthesizer(max_steps=tables["steps"], max_minutes=60)
        for source in tables["labelled"]:
            for name, X, odd in cells.labelled(source):
                make = partial(cells.split, X, odd, config, seed)
                yield "labelled", name, make, table_model
        for source in tables["planted"]:
            for kind in tables["kinds"]:
                make = partial(cells.planted, source, kind, config, seed)
                yield kind, f"{source}-{kind}", make, table_model
    if part in ("images", "all"):
        model = ImageGANSynthesizer(
            max_steps=pictures["steps"], batch_size=pictures["batch_size"], max_minutes=60
        )
        for kind in pictures["classes"]:
            yield "images", f"fashion-{kind}", partial(cells.images, kind, pictures, seed), model


def measure(job: Job, seed: int) -> dict[str, Any]:
    """Fit, judge, and return one line."""
    group, name, make, synthesizer = job
    train, test, odd = make()
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SynthgenWarning)
        detector = GANOutlierDetector(synthesizer=synthesizer, random_state=seed).fit(train)
        fitted = time.process_time() - start
        report = anomaly_report(detector, test, odd, n_resamples=50)
    return {
        "group": group,
        "name": name,
        "rows": [len(train), len(test), int(odd.sum())],
        "auc": {k: round(float(v), 4) for k, v in report.table["auc"].items()},
        "roles": detector.method_,
        "cpu_seconds": [round(fitted, 1), round(time.process_time() - start, 1)],
    }


def main() -> int:
    """Run what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("tables", "images", "all"), default="all")
    parser.add_argument("--seeds", type=int, nargs="*")
    parser.add_argument("--only", nargs="*", help="cells whose name ends so")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--train", type=int)
    parser.add_argument("--test", type=int)
    parser.add_argument("--results", type=Path, default=HERE / "results" / "results.jsonl")
    options = parser.parse_args()
    config = json.loads((HERE / "config.json").read_text())
    config["rows"] = options.rows or config["rows"]
    for name in ("train", "test"):
        config["images"][name] = getattr(options, name) or config["images"][name]
    for part in ("tables", "images"):
        config[part]["steps"] = options.steps or config[part]["steps"]
    done = {json.dumps(line["key"]) for line in read_lines(options.results)}
    failed = 0
    for seed in options.seeds if options.seeds is not None else config["seeds"]:
        for job in jobs(config, options.part, seed):
            budget = config["images" if job[0] == "images" else "tables"]
            size = budget.get("train", config["rows"])
            key = [job[1], seed, size, budget["steps"]]
            wanted = not options.only or any(job[1].endswith(end) for end in options.only)
            if not wanted or json.dumps(key) in done:
                continue
            try:
                line = measure(job, seed)
            except FileNotFoundError as error:
                print(f"{job[1]}: absent ({error.filename}); set SYNTHGEN_DATA", file=sys.stderr)
                failed = 1
                continue
            append_line({"key": key, **line}, options.results)
            print(f"{job[1]} seed {seed}: {line['auc']} {line['cpu_seconds']} s", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
