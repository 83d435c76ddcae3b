"""Terms that were tried and are not part of the package: moments of three columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from synthgen.encode.layout import EncodedTable, Layout
from synthgen.train import table as table_task
from synthgen.train import terms
from synthgen.train.moments import fold_cells, moment_targets
from synthgen.train.terms import Generated, MomentMatching, State

_CHUNK = 4_096


@dataclass(frozen=True)
class TripleMoments(MomentMatching):
    """Match the probabilities of triples of cells, one each of an anchor and of two other columns.

    As the moments of pairs: squared differences of a running average from the real shares, over
    the shares, linear in what was generated.
    """

    def start(self, targets: State) -> State:
        """Return the real moments as the running average."""
        return {"triples": targets["triples"].clone()}

    def __call__(self, generated: Generated, targets: State, state: State) -> tuple[Tensor, State]:
        """Return the linearised loss of each record, (batch,)."""
        assert generated.cells is not None
        groups = generated.cells @ targets["triple_fold"]  # (batch, groups)
        pairs = products(groups, targets["anchors"])  # (batch, anchor groups x groups)
        with torch.no_grad():
            batch = pairs.T @ groups / len(groups)
            triples = torch.lerp(batch, state["triples"], self.decay)
            pull = (triples - targets["triples"]) * targets["triple_weights"]
        value = 2.0 * ((pairs @ pull) * groups).sum(1)
        return self.weight * value, {"triples": triples}


def products(groups: Tensor, anchors: Tensor) -> Tensor:
    """Return the products of each anchor's share with every group's, (batch, anchors x groups)."""
    return (groups[:, anchors][:, :, None] * groups[:, None, :]).flatten(1)


def triple_targets(
    layout: Layout, table: EncodedTable, groups_per_column: int, anchor_column: int | None
) -> dict[str, Tensor]:
    """Return what :class:`TripleMoments` compares with; any column is an anchor if none is given.

    Parameters
    ----------
    layout : Layout
    table : EncodedTable
    groups_per_column : int
        Cells of a column are joined to about so many groups.
    anchor_column : int, optional
        Encoded column that is one of the three.
    """
    columns = layout.cell_columns
    place = fold_cells(layout, groups_per_column * len(np.unique(columns)))
    width = int(place.max()) + 1
    owner = np.empty(width, dtype=np.int64)
    owner[place] = columns
    chosen = np.arange(width) if anchor_column is None else np.flatnonzero(owner == anchor_column)
    anchors = torch.as_tensor(chosen)
    fold = torch.zeros(layout.n_cells, width)
    fold[torch.arange(layout.n_cells), torch.as_tensor(place)] = 1.0
    cells = layout.cells(table)
    total = torch.zeros(len(chosen) * width, width)
    for start in range(0, len(cells), _CHUNK):
        part = torch.as_tensor(cells[start : start + _CHUNK])
        hot = torch.zeros(len(part), layout.n_cells + 1)
        hot.scatter_(1, torch.where(part < 0, layout.n_cells, part), 1.0)
        groups = hot[:, :-1] @ fold
        total += products(groups, anchors).T @ groups
    total /= len(cells)
    n = len(np.unique(owner))
    first, second, third = owner[chosen][:, None, None], owner[None, :, None], owner[None, None, :]
    apart = (first != second) & (second != third) & (first != third)
    different = torch.as_tensor(apart.reshape(len(chosen) * width, width)).float()
    count = n**3 if anchor_column is None else n**2
    weights = different / (total + 2.0 / len(cells)) / count
    return {
        "triples": total, "triple_weights": weights, "triple_fold": fold, "anchors": anchors,
    }  # fmt: skip


@contextmanager
def triples(groups_per_column: int, anchor_column: int | None) -> Iterator[None]:
    """Let recipes name "triples", and give the term its targets."""

    def targets(layout: Layout, table: EncodedTable, **options: Any) -> dict[str, Tensor]:
        found = moment_targets(layout, table, **options)
        return found | triple_targets(layout, table, groups_per_column, anchor_column)

    with (
        mock.patch.dict(terms.TERMS, {"triples": TripleMoments}),
        mock.patch.object(table_task, "moment_targets", targets),
    ):
        yield
