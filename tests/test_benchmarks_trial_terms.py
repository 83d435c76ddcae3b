"""Moments of three columns, which the ablation tries."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.quality.trial_terms import TripleMoments, triple_targets, triples
from synthgen.encode.layout import EncodedTable, Layout, StateBlock
from synthgen.train.terms import TERMS, Generated, TermSpec

LAYOUT = Layout(tuple(StateBlock(k, np.array([0.5, 0.5]), np.empty((2, 0))) for k in range(3)))


def parity(n: int) -> EncodedTable:
    """Return rows whose third bit is the parity of the others: all pairs are independent."""
    bits = np.random.default_rng(0).integers(0, 2, (n, 2))
    codes = np.column_stack([bits, bits.sum(axis=1) % 2]).astype(np.int32)
    return EncodedTable(codes, np.empty((n, 0), np.float32))


@pytest.mark.parametrize("anchor", [None, 2])
def test_targets_are_the_shares_of_triples(anchor):
    table = parity(1_000)
    targets = triple_targets(LAYOUT, table, 2, anchor)
    anchors = targets["anchors"].tolist()
    assert anchors == ([0, 1, 2, 3, 4, 5] if anchor is None else [4, 5])
    shares = targets["triples"].reshape(len(anchors), 6, 6)
    rows = table.codes
    odd = float(((rows[:, 0] == 1) & (rows[:, 1] == 0) & (rows[:, 2] == 1)).mean())
    assert shares[anchors.index(5), 1, 2].item() == pytest.approx(odd, abs=1e-6)
    assert shares[anchors.index(5), 1, 3].item() == 0.0
    weights = targets["triple_weights"].reshape(len(anchors), 6, 6)
    assert weights[anchors.index(5), 1, 5] == 0.0  # two cells of one column
    assert weights[anchors.index(5), 1, 1] == 0.0
    assert weights[anchors.index(5), 1, 2] > 0.0


def test_gradients_point_from_wrong_triples_to_right_ones_where_all_pairs_are_right():
    targets = triple_targets(LAYOUT, parity(4_000), 2, None)
    term = TripleMoments(decay=0.0)
    # Rows that are independent of each other but for one: 1, 0, and as likely 0 as 1.
    cells = torch.full((65, 6), 0.5)
    cells[0] = torch.tensor([0.0, 1.0, 1.0, 0.0, 0.5, 0.5])
    cells.requires_grad_()
    value, _ = term(Generated(cells=cells), targets, term.start(targets))
    assert value.shape == (65,)
    value.sum().backward()
    assert cells.grad is not None
    assert cells.grad[0, 4] > cells.grad[0, 5]  # 0 is the wrong parity


def test_recipes_may_name_the_term_only_inside():
    assert "triples" not in TERMS
    with triples(4, None):
        assert isinstance(TermSpec("triples").build(), TripleMoments)
    assert "triples" not in TERMS
