"""Drive MST and AIM of dpmm; see driving.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import dpmm.pipelines
import pandas as pd

from benchmarks.quality.peers.driving import Job, drive

#: Share of epsilon that buys the bins of numbers, where these are not equally wide.
_BINS_SHARE = 0.1


def fit(train: pd.DataFrame, job: Job) -> Callable[[int], pd.DataFrame]:
    """Measure the tables that the mechanism chooses, and fit the graphical model."""
    options = dict(job["parameters"])
    domain, binner, epsilon = (options.pop(name) for name in ("domain", "binner", "epsilon"))
    bought = _BINS_SHARE * epsilon if binner == "priv-tree" else None
    build = getattr(dpmm.pipelines, job["class"])
    model = build(
        epsilon=epsilon - (bought or 0.0),
        proc_epsilon=bought,
        binner_type=binner,
        n_jobs=1,
        **options,
    )
    numbers = [name for name in train.columns if "lower" in domain.get(name, {})]
    # Numbers of any kind are to be ordered, all else to be categories.
    ready = train.astype(dict.fromkeys(numbers, "float64"))
    ready = ready.astype({name: "object" for name in train.columns if name not in numbers})
    model.fit(ready, domain=domain, random_state=job["seed"])
    return lambda rows: _typed(model.generate(n_records=rows), train)


def _typed(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Give the columns the dtypes of the training rows; whole numbers come back with fractions."""
    made = {}
    for name, dtype in train.dtypes.items():
        values = rows[name]
        if pd.api.types.is_integer_dtype(dtype):
            values = values.astype("float64").round()
        made[name] = values.astype(dtype)
    return pd.DataFrame(made)


if __name__ == "__main__":
    drive(fit, "dpmm")
