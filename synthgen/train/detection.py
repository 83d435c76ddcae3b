"""Boosted trees that tell encoded real rows from generated ones: the signal that training trusts.

Losses of a game say nothing about quality; how well a classifier tells fresh generated rows from
real rows does, whatever the settings.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import lightgbm as lgb
import numpy as np

from synthgen.core.parallel import map_ahead
from synthgen.encode.layout import REST, EncodedTable, Layout

#: Fewest real rows, and most states of a block that stay numbers all the same.
_ROWS_FOR_SETS: Final = 10_000
_FEW_STATES: Final = 4


def gates_of(layout: Layout) -> tuple[int, ...]:
    """Return for each head the block that gates it, -1 for none."""
    return tuple(-1 if head.gate is None else head.gate for head in layout.heads)


def features(table: EncodedTable, gates: tuple[int, ...], hidden: Sequence[int] = ()) -> np.ndarray:
    """Return what the trees see: codes and scores, NaN where a head does not apply.

    `hidden` features are 0 in every row.
    """
    values = table.values.copy()
    for head, gate in enumerate(gates):
        if gate >= 0:
            values[table.codes[:, gate] != REST, head] = np.nan
    matrix = np.concatenate([table.codes.astype(np.float32), values], axis=1)
    matrix[:, list(hidden)] = 0.0
    return matrix


def features_of(layout: Layout, columns: Collection[int]) -> list[int]:
    """Return the features of these encoded columns."""
    blocks = [number for number, block in enumerate(layout.blocks) if block.column in columns]
    heads = [number for number, head in enumerate(layout.heads) if head.column in columns]
    return blocks + [len(layout.blocks) + number for number in heads]


def unordered_features(layout: Layout, n_rows: int) -> list[int]:
    """Return the features that trees which learn from `n_rows` real rows take as sets.

    Splitting states without an order into any two sets finds more than splitting them at a number,
    by which few states can be told from the rest; with few rows it finds too much.
    """
    if n_rows < _ROWS_FOR_SETS:
        return []
    return [
        number
        for number, block in enumerate(layout.blocks)
        if block.size > _FEW_STATES and not block.features.shape[1]
    ]


def tree_parameters(seed: int) -> dict[str, Any]:
    """Return LightGBM settings that give the same trees for the same seed."""
    return {
        "objective": "binary",
        "num_leaves": 31,
        "seed": seed % 2**31,
        "deterministic": True,
        "force_row_wise": True,
        # A second OpenMP runtime beside torch's makes both wait for each other on few cores.
        "num_threads": 1,
        "verbosity": -1,
    }


def detection_auc(
    real: EncodedTable,
    fake: EncodedTable,
    gates: tuple[int, ...],
    seed: int,
    most: int = 8_000,
    hidden: Sequence[int] = (),
) -> float:
    """Return the out-of-fold AUC of boosted trees that tell `real` from `fake` rows.

    Both are cut to the same number of rows, at most `most`; .5 means indistinguishable. The trees
    do not see `hidden` features.
    """
    from sklearn.metrics import roc_auc_score

    n = min(len(real), len(fake), most)
    rows = np.concatenate([features(x.take(slice(0, n)), gates, hidden) for x in (real, fake)])
    labels = np.repeat([1.0, 0.0], n)
    fold = np.random.default_rng(seed).permutation(2 * n) % 2
    if any(len(np.unique(labels[fold == k])) < 2 for k in (0, 1)):
        return 0.5  # a handful of rows: nothing can be told
    parameters = tree_parameters(seed) | {"min_data_in_leaf": 20, "learning_rate": 0.15}

    def auc_of_fold(k: int) -> float:
        data = lgb.Dataset(rows[fold != k], labels[fold != k])
        booster = lgb.train(parameters, data, num_boost_round=60)
        scores = booster.predict(rows[fold == k], raw_score=True)
        return float(roc_auc_score(labels[fold == k], scores))

    return float(np.mean(list(map_ahead(auc_of_fold, (0, 1)))))
