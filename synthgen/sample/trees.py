"""Boosted trees as text, and their sums over many rows."""

from __future__ import annotations

from typing import Final

import lightgbm as lgb
import numpy as np

from synthgen.core.parallel import map_ahead
from synthgen.errors import ArtifactError

#: More rows than this are shared out among the processors. Sampling, which works on several blocks
#: of rows at once, never asks for so many.
_SHARED: Final = 20_000


def read_trees(model: str) -> lgb.Booster:
    """Read boosted trees from LightGBM's text format.

    Raises
    ------
    ArtifactError
        If the text is not such a model.
    """
    try:
        return lgb.Booster(model_str=model)
    except lgb.basic.LightGBMError as error:
        raise ArtifactError(f"The refinement critic cannot be read: {error}.") from error


def raw_scores(trees: lgb.Booster, matrix: np.ndarray) -> np.ndarray:
    """Return the trees' sums: (n,), or (n, states) of several states.

    They do not depend on how many processors there are.
    """

    def of_rows(rows: np.ndarray) -> np.ndarray:
        return np.asarray(trees.predict(rows, raw_score=True, num_threads=1))

    if len(matrix) <= _SHARED:
        return of_rows(matrix)
    parts = np.array_split(matrix, -(-len(matrix) // _SHARED))
    return np.concatenate(list(map_ahead(of_rows, parts)))
