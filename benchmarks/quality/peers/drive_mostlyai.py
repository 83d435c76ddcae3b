"""Drive TabularARGN of mostlyai-engine; see driving.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import mostlyai.engine
import pandas as pd

from benchmarks.quality.peers.driving import Job, drive


def fit(train: pd.DataFrame, job: Job) -> Callable[[int], pd.DataFrame]:
    build = getattr(mostlyai.engine, job["class"])
    model = build(random_state=job["seed"], **job["parameters"])
    model.fit(train)
    return lambda rows: model.sample(n_samples=rows)


if __name__ == "__main__":
    drive(fit, "mostlyai-engine")
