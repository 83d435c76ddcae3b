"""Gradient-boosted trees, the strong and cheap model that detection and utility rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LEARNING_RATE: Final = 0.1
LEAVES: Final = 31


def fit_trees(
    features: NDArray[np.float64],
    target: NDArray[Any],
    *,
    objective: str,
    categorical: Sequence[int] = (),
    n_classes: int = 1,
    n_estimators: int = 200,
    n_leaves: int = LEAVES,
    feature_share: float = 1.0,
    seed: int = 0,
    n_jobs: int = 1,
) -> Any:
    """Fit LightGBM so that the same input gives the same bytes.

    Parameters
    ----------
    features : numpy.ndarray of shape (rows, columns)
        Numbers or category codes, NaN where missing (kept as missing).
    target : numpy.ndarray of shape (rows,)
        0/1, class numbers or values, as the objective wants.
    objective : {"binary", "multiclass", "regression"}
    categorical : sequence of int
        Columns that hold category codes.
    n_classes : int, default=1
        Number of classes for ``"multiclass"``.
    n_estimators : int, default=200
        Number of trees (per class).
    n_leaves : int, default=31
        Leaves per tree.
    feature_share : float, default=1.0
        Share of the columns that each tree sees.
    seed : int
    n_jobs : int, default=1
        Number of threads.

    Returns
    -------
    lightgbm.Booster
    """
    import lightgbm

    parameters: dict[str, Any] = {
        "objective": objective,
        "learning_rate": LEARNING_RATE,
        "num_leaves": n_leaves,
        # A fifth of the default on small tables, or no split would be possible there.
        "min_data_in_leaf": max(1, min(20, len(target) // 20)),
        # Nor any split by levels with fewer rows than this, a hundred by default.
        "min_data_per_group": max(1, min(100, len(target) // 20)),
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": n_jobs,
        "seed": seed % (2**31),
        "verbosity": -1,
    }
    if feature_share < 1:
        parameters["feature_fraction"] = feature_share
    if objective == "multiclass":
        parameters["num_class"] = n_classes
    data = lightgbm.Dataset(
        features, label=target, categorical_feature=list(categorical), params=parameters
    )
    return lightgbm.train(parameters, data, num_boost_round=n_estimators)
