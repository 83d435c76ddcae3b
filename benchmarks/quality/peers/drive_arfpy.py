"""Drive adversarial random forests of arfpy; see driving.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import arfpy.arf
import pandas as pd

from benchmarks.quality.peers.driving import Job, drive


def fit(train: pd.DataFrame, job: Job) -> Callable[[int], pd.DataFrame]:
    """Grow the forests (the constructor does) and estimate the densities in their leaves."""
    build = getattr(arfpy.arf, job["class"])
    # What it does not know itself goes to scikit-learn's forest.
    forest = {"n_jobs": job["threads"], "random_state": job["seed"]}
    model = build(train, **forest, **job["parameters"])
    model.forde()
    return lambda rows: _rounded(model.forge(n=rows), train)


def _rounded(synthetic: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Round the columns of integers; all numbers come back with fractions, which give them away."""
    integers = train.select_dtypes("integer").columns
    return synthetic.assign(**{name: synthetic[name].round().astype("int64") for name in integers})


if __name__ == "__main__":
    drive(fit, "arfpy")
