"""Small layouts for the tests of networks and training."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from synthgen.encode.layout import FAR, EncodedTable, Head, Layout, StateBlock

EDGES = np.array([-FAR, -1.0, 0.0, 0.5, FAR])
WIDE = np.array([-FAR, -0.5, 0.7, FAR])
ATOMS = np.array([False, False, True, False])


def small_layout() -> Layout:
    """Return a gate of three states, a block of four with numbers, and two heads, one gated."""
    ranks = np.array([[-1.0, 10.0], [0.0, 20.0], [0.5, 30.0], [1.0, 40.0]])
    return Layout(
        (
            StateBlock(0, np.array([0.7, 0.2, 0.1]), np.empty((3, 0))),
            StateBlock(1, np.array([0.4, 0.3, 0.2, 0.1]), ranks),
        ),
        (
            Head(0, EDGES, ATOMS, np.array([-2.0, -1.0, 0.0, 1.0, 3.0]), gate=0),
            Head(2, WIDE, np.zeros(3, bool), np.array([-1.0, -0.5, 0.5, 1.0])),
        ),
    )


def random_table(layout: Layout, n: int, seed: int = 0) -> EncodedTable:
    """Return independent rows with the layout's marginal distributions."""
    rng = np.random.default_rng(seed)
    codes = np.stack(
        [rng.choice(block.size, n, p=block.frequencies) for block in layout.blocks], axis=1
    ).astype(np.int32)
    values = rng.standard_normal((n, len(layout.heads))).astype(np.float32)
    for k, head in enumerate(layout.heads):
        if head.gate is not None:
            values[codes[:, head.gate] != 0, k] = 0.0
    return EncodedTable(codes, values)


def linked_table(n: int, seed: int = 0) -> EncodedTable:
    """Return rows of the small layout in which everything depends on one number."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(n)
    u = ndtr(common)
    codes = np.stack(
        [np.searchsorted([0.7, 0.9], u), np.searchsorted([0.4, 0.7, 0.9], u)], axis=1
    ).astype(np.int32)
    values = np.stack([0.9 * common, common], axis=1).astype(np.float32)
    values[codes[:, 0] != 0, 0] = 0.0
    return EncodedTable(codes, values)
