"""Private training by gradients on Adult: quality by epsilon, and what a private step costs.

    python -m benchmarks.privacy.dpsgd --epsilon 1 3 10 --runs 1
    python -m benchmarks.privacy.dpsgd --cost

Lines go to ``results/dpsgd/quality.jsonl`` (quality, as ``benchmarks.privacy.run`` measures it) and
``results/dpsgd/cost.jsonl`` (processor time of one update of the critic, with and without privacy,
on the same networks and batches).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.lines import append_line
from benchmarks.privacy.domains import load
from benchmarks.privacy.marginals import two_way_distance
from synthgen import GANSynthesizer, evaluate
from synthgen.dp.events import Event
from synthgen.dp.noise import SystemNoise
from synthgen.dp.sgd_budget import DPSGD
from synthgen.nn.tabular import TabularCritic
from synthgen.train.dp import CLIPPINGS, SEPARABLE, PrivateCritic

RESULTS = Path(__file__).parent / "results" / "dpsgd"
_DELTA = 1e-6
#: Utility of DP-CTGAN with a public domain, as published, by epsilon.
PUBLISHED = {1.0: 0.758, 4.0: 0.785}


def run(epsilon: float, number: int, options: dict[str, Any]) -> dict[str, Any]:
    """Fit, sample as many rows as there are, and score."""
    train, holdout, schema, target = load("adult")
    privacy = DPSGD(epsilon, _DELTA, **options)
    model = GANSynthesizer(schema=schema, privacy=privacy, max_minutes=20, random_state=number)
    start, processor = time.perf_counter(), time.process_time()
    model.fit(train)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    rows = model.sample(len(train), random_state=number)
    common: dict[str, Any] = {"schema": schema, "random_state": 0}
    useful = evaluate.utility(
        train, rows, holdout=holdout, target=target, n_bootstrap=10, n_jobs=1, **common
    )
    return {
        "data": "adult",
        "mechanism": "DPSGD",
        "epsilon": epsilon,
        "delta": _DELTA,
        "run": number,
        "parameters": privacy.get_params(),
        "spent": model.epsilon_,
        "noise_multiplier": 1.0 / model.ledger_.events[-1].ratio,
        "utility": useful.value,
        "utility_real": useful.ceiling,
        "two_way": two_way_distance(train, rows),
        "shape": evaluate.shape(train, rows, **common).value,
        "fit_seconds": seconds,
        "fit_processor_seconds": processor,
        "stopped_by": model.stopped_by_,
        "updates": model.n_steps_,
    }


def cost(features: int = 300, batch: int = 1024, steps: int = 20) -> list[dict[str, Any]]:
    """Return the processor time of one update of a critic, without and with privacy."""
    lines = []
    for width, blocks in ((128, 1), (256, 2)):
        rng = torch.Generator().manual_seed(0)
        real, fake = torch.randn(2, batch, features, generator=rng)
        critic = TabularCritic(features, width=width, blocks=blocks)
        optimiser = torch.optim.Adam(critic.parameters(), fused=True)
        line = {"width": width, "blocks": blocks, "batch": batch, "features": features}
        line["plain"] = _milliseconds(partial(_plain_update, critic, optimiser), steps, real, fake)
        for clipping in CLIPPINGS:
            event = Event("gaussian", "cost", scale=1.0, count=10**6, sampling=0.03)
            private = PrivateCritic(
                critic, optimiser, event, expected=2.0 * batch, source=SystemNoise(),
                clipping=clipping,
            )  # fmt: skip
            # Functorch holds every record's gradient, which takes many times as long.
            count = steps if clipping == "ghost" else 1
            line[clipping] = _milliseconds(private.update, count, real, fake)
            private.release()
        lines.append(line)
    return lines


def _plain_update(critic: Any, optimiser: Any, real: torch.Tensor, fake: torch.Tensor) -> None:
    """Update a critic without privacy, as the ordinary game does."""
    on_real, on_fake = SEPARABLE["non_saturating"]
    scores = critic(torch.cat([real, fake]))
    loss = on_real(scores[: len(real)]).mean() + on_fake(scores[len(real) :]).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def _milliseconds(
    update: Callable[..., Any], count: int, real: torch.Tensor, fake: torch.Tensor
) -> float:
    """Return the median processor time of an update."""
    times = []
    for _ in range(count + 3):
        start = time.process_time()
        update(real, fake)
        times.append(time.process_time() - start)
    return round(1e3 * float(np.median(times[3:])), 2)


def main() -> int:
    """Measure what is asked for and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epsilon", nargs="+", type=float, default=[1.0, 3.0, 10.0])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--options", type=json.loads, default={}, help="of DPSGD, as JSON")
    parser.add_argument("--cost", action="store_true", help="time single updates and stop")
    asked = parser.parse_args()
    lines: Any = cost() if asked.cost else (
        run(epsilon, number, asked.options)
        for number in range(asked.runs)
        for epsilon in asked.epsilon
    )  # fmt: skip
    path = RESULTS / ("cost.jsonl" if asked.cost else "quality.jsonl")
    for line in lines:
        append_line(line, path)
        print(json.dumps({k: v for k, v in line.items() if k != "parameters"}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
