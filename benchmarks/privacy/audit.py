"""Long audits of private training: attacks x sound and broken pipelines, one JSON line each.

    python -m benchmarks.privacy.audit --runs 5000 --epsilon 1 3
    python -m benchmarks.privacy.audit --report

The pipelines and the planted mistakes are those of the tests in tests/privacy/proof, with more runs
and at more epsilons. Every pipeline is the product's own, from the frame to the files of the saved
model; training is left out, since it sees released numbers only.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.lines import append_line, read_lines
from synthgen.privacy.mechanism import audit_mechanism
from synthgen.privacy.mechanism_result import MechanismAudit
from tests.privacy.proof import breaks, pipeline

RESULTS = Path(__file__).parent / "audits.jsonl"

#: Attack, and the mistakes that it is tried on besides the sound pipeline.
MISTAKES: dict[str, dict[str, Callable[[], Any]]] = {
    "worst": {
        "no noise": breaks.no_noise,
        "noise divided": breaks.noise_divided,
        "seeded noise": breaks.seeded_noise,
        "wrong sensitivity": breaks.wrong_sensitivity,
        "no clip": breaks.no_clip,
    },
    "realistic": {
        "categories from data": breaks.categories_from_data,
        "bounds from data": breaks.bounds_from_data,
        "missing flag from data": breaks.missing_flag_from_data,
        "single values from data": breaks.granularity_from_data,
        "exact number of rows": breaks.exact_rows,
    },
    "bought": {},
}


def worst(epsilon: float, n_runs: int) -> MechanismAudit:
    """Attack a row that is alone in all its cells, with the best statistic."""
    schema, privacy = pipeline.worst_schema(), pipeline.worst_privacy(epsilon)
    return audit_mechanism(
        lambda frame: pipeline.worst_statistic(pipeline.published(frame, schema, privacy)),
        pipeline.worst_world(False),
        pipeline.worst_world(True),
        epsilon=epsilon,
        delta=pipeline.DELTA,
        n_runs=n_runs,
        statistic=float,
        random_state=0,
    )


def realistic(epsilon: float, n_runs: int, *, buy: bool = False) -> MechanismAudit:
    """Attack a person who stands out, with a statistic learnt from all that is published."""
    schema = pipeline.open_schema() if buy else pipeline.people_schema()
    privacy = pipeline.people_privacy(epsilon, infer="spend" if buy else "refuse")
    return audit_mechanism(
        lambda frame: pipeline.published(frame, schema, privacy),
        pipeline.people_world(False),
        pipeline.people_world(True),
        epsilon=epsilon,
        delta=pipeline.DELTA,
        n_runs=n_runs,
        random_state=0,
    )


ATTACKS: dict[str, Callable[[float, int], MechanismAudit]] = {
    "worst": worst,
    "realistic": realistic,
    "bought": lambda epsilon, n_runs: realistic(epsilon, n_runs, buy=True),
}


def run(attack: str, mistake: str, epsilon: float, n_runs: int) -> dict[str, Any]:
    """Audit one pipeline."""
    start = time.process_time()
    planted = nullcontext() if mistake == "none" else MISTAKES[attack][mistake]()
    with planted:
        result = ATTACKS[attack](epsilon, n_runs)
    return {
        "attack": attack,
        "mistake": mistake,
        "runs": n_runs,
        **result.to_dict(),
        "cpu_seconds": round(time.process_time() - start, 1),
    }


def report(lines: list[dict[str, Any]]) -> str:
    """Return the results as a Markdown table."""
    header = [
        "attack",
        "mistake",
        "claim",
        "runs",
        "lower bound",
        "ceiling",
        "would see",
        "verdict",
    ]
    rows = [header, ["---"] * len(header)]
    for line in lines:
        seen = "-" if line["detectable"] is None else f"{line['detectable']:.2f}"
        numbers = [f"{line['lower']:.2f}", f"{line['ceiling']:.2f}", seen]
        claim, runs = f"{line['epsilon']:g}", str(line["runs"])
        rows.append([line["attack"], line["mistake"], claim, runs, *numbers, line["verdict"]])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> int:
    """Run what is asked for and not there yet; 1 if a result is not what it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attack", nargs="+", default=list(ATTACKS), choices=list(ATTACKS))
    parser.add_argument("--epsilon", nargs="+", type=float, default=[1.0, 3.0])
    parser.add_argument("--runs", type=int, default=5_000, help="of each world, sound pipeline")
    parser.add_argument("--broken-runs", type=int, default=1_000)
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    options = parser.parse_args()
    if options.report:
        print(report(read_lines(RESULTS)))
        return 0
    failed = False
    keys = ("attack", "mistake", "epsilon", "runs")
    there = {tuple(line[key] for key in keys) for line in read_lines(RESULTS)}
    for attack in options.attack:
        for epsilon in options.epsilon:
            for mistake in ("none", *MISTAKES[attack]):
                n_runs = options.runs if mistake == "none" else options.broken_runs
                if (attack, mistake, epsilon, n_runs) in there:
                    continue
                line = run(attack, mistake, epsilon, n_runs)
                append_line(line, RESULTS)
                print(report([line]).splitlines()[-1], flush=True)
                failed |= line["refuted"] is (mistake == "none")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
