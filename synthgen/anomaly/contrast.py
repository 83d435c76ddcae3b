"""A critic of boosted trees that tells real rows from rows whose columns are independent.

The log-odds of such a critic are, up to a constant, log p(x) - sum_j log p(x_j): how much
more often the values of a row go together than by chance. Among all scores that one is the most
powerful against rows whose columns are right and whose relations are not. It is noise-contrastive
estimation (Gutmann and Hyvarinen, JMLR 13, 2012) with the independent columns as noise.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.anomaly.space import Space
from synthgen.measure.trees import fit_trees

#: Rows with independent columns for each real one, and real rows that are used at most.
_NOISE: Final = 4
_MOST_ROWS: Final = 20_000
_TREES, _LEAVES = 200, 15


class ContrastCritic:
    """Fitted at once.

    Parameters
    ----------
    space : Space
    frame : pandas.DataFrame
        Training rows.
    rng : numpy.random.Generator
    """

    def __init__(self, space: Space, frame: pd.DataFrame, rng: np.random.Generator) -> None:
        self.space = space
        real = space.table(frame)
        if len(real) > _MOST_ROWS:
            real = real[rng.permutation(len(real))[:_MOST_ROWS]]
        # Drawn with replacement: columns that were only permuted would leave trees no first split.
        picks = rng.integers(len(real), size=(_NOISE * len(real), real.shape[1]))
        noise = np.take_along_axis(real, picks, axis=0)
        rows = np.concatenate([real, noise])
        target = np.repeat([1.0, 0.0], [len(real), len(noise)])
        self._trees: Any = fit_trees(
            rows,
            target,
            objective="binary",
            categorical=space.table_categories,
            n_estimators=_TREES,
            n_leaves=_LEAVES,
            feature_share=0.7 if rows.shape[1] > 4 else 1.0,
            seed=int(rng.integers(2**31)),
        )

    def abnormality(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return the log-odds that a row is noise, (rows,)."""
        odds = self._trees.predict(self.space.table(frame), raw_score=True)
        return np.asarray(-odds, dtype=np.float64)
