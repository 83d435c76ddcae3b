"""Small arenas and tables with known answers."""

import numpy as np
import pandas as pd

from synthgen.privacy.attacks.arena import Arena
from synthgen.privacy.attacks.judge import Population, halves


def line(synthetic, reference, targets, **facts):
    """One number per row, scaled by the reference rows 0 and 1."""
    sides = [np.asarray(own, dtype=float)[:, None] for own in (synthetic, reference, targets)]
    return Arena(*sides, np.array([[0.0], [1.0]]), ["x"], [0], **facts)


def population(n_members, n_others, seed=0):
    member = np.repeat([True, False], [n_members, n_others])
    choosing = halves(member, np.random.default_rng(seed))
    return Population("random", np.arange(len(member)), member, choosing)


def mixed(n, seed=0):
    """A table with numbers, categories, gaps and an identifier."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x,
            "y": x + rng.normal(size=n),
            "c": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
            "k": rng.integers(0, 50, n),
            "id": [f"u{seed}-{i}" for i in range(n)],
        }
    )
    frame.loc[::17, "y"] = np.nan
    frame.loc[::13, "c"] = None
    return frame
