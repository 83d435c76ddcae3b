from __future__ import annotations

import numpy as np

from synthgen.encode.layout import EncodedTable, Layout, StateBlock
from synthgen.sample.conditional_trees import Sides, Task, boost_on_unseen, fit_generated
from synthgen.sample.places import OpenRows
from synthgen.sample.trees import raw_scores

#: Of the states of the first block; the others are even, and nothing depends on anything.
SHARES = np.array([0.6, 0.3, 0.09, 0.007, 0.003])


def unrelated(n: int, seed: int, layout: Layout) -> OpenRows:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 8, size=(n, len(layout.blocks)))
    codes[:, 0] = rng.choice(len(SHARES), n, p=SHARES)
    table = EncodedTable(codes.astype(np.int32), np.empty((n, 0), dtype=np.float32))
    return OpenRows(layout, table)


def test_rare_states_do_not_make_trees_worse_than_plain_shares() -> None:
    even = StateBlock(1, np.full(8, 1 / 8), np.empty((8, 0)))
    layout = Layout((StateBlock(0, SHARES, np.empty((len(SHARES), 0))), *[even] * 6), ())
    real, generated, spare = (unrelated(n, n, layout) for n in (6_000, 10_000, 3_000))
    folds = [(np.arange(4_000), np.arange(4_000, 6_000))]
    sides = Sides(real, generated, spare, folds, [], whole=False)
    every = [
        (np.arange(len(side.table)), side.table.codes[:, 0]) for side in (real, generated, spare)
    ]
    task = Task([0], len(SHARES), *every)
    trees = fit_generated(task, sides, seed=0)
    chances = np.tile(np.log(SHARES), (6_000, 1))
    start = raw_scores(trees, real.matrix * (np.arange(7) > 0))
    labels = real.table.codes[:, 0]
    plain = task.losses(labels, chances).mean()
    assert task.losses(labels, start).mean() < 1.02 * plain
    unseen = boost_on_unseen(task, sides, real.matrix * (np.arange(7) > 0), labels, start, seed=0)
    assert task.losses(unseen.labels, unseen.after).mean() < 1.02 * plain
