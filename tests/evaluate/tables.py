"""Small tables with a known joint structure, for the tests of the metrics."""

from __future__ import annotations

import numpy as np
import pandas as pd


def related(n: int, seed: int) -> pd.DataFrame:
    """Numbers and categories that depend on each other, with gaps."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = x + rng.normal(scale=0.3, size=n)
    group = np.where(x > 0.5, "high", np.where(x < -0.5, "low", "middle")).astype(object)
    label = np.where(y + rng.normal(scale=0.5, size=n) > 0, "yes", "no")
    y[rng.random(n) < 0.1] = np.nan
    group[rng.random(n) < 0.05] = None
    return pd.DataFrame({"x": x, "y": y, "group": group, "label": label})


def unrelated(n: int, seed: int) -> pd.DataFrame:
    """The same columns, each drawn on its own."""
    table = related(n, seed)
    rng = np.random.default_rng(seed)
    return table.apply(lambda column: column.to_numpy()[rng.permutation(n)])
