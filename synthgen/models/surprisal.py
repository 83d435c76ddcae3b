"""How surprising each cell of a row is, given the row's other cells.

The generator is a latent mixture of products: given z the cells are independent. One pool of latent
vectors therefore gives log p(x) and, with one column's factor left out, log p(x without x_j) of the
same row; their difference is log p(x_j | the other cells), exact up to the size of the pool.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthgen.core.random import torch_generator
from synthgen.data.frame import read_frame
from synthgen.encode.layout import REST, Layout
from synthgen.models.tabular import GANSynthesizer
from synthgen.sample.completer import KnownCells
from synthgen.sample.conditional import LatentPool, latent_pool, row_log_weights
from synthgen.sample.rowwise import RowwiseSampler

#: Cells of the (rows, pool) matrices held at once.
_CELLS: Final = 4_194_304
#: Log probability of a category never seen.
_UNSEEN: Final = math.log(1e-6)


@dataclass(frozen=True)
class CellLikelihood:
    """Log probabilities of cells in nats; heads count as densities of ranks' normal scores.

    Parameters
    ----------
    columns : tuple of hashable
        Labels of the modelled columns; those that are drawn together share their figures.
    conditional : numpy.ndarray of shape (rows, columns)
        log p(x_j | the row's other cells).
    marginal : numpy.ndarray of shape (rows, columns)
        log p(x_j) in the training rows, on the same scale: 0 for continuous cells.
    joint : numpy.ndarray of shape (rows,)
        log p(x), without the refinement's weights.
    """

    columns: tuple[Any, ...]
    conditional: np.ndarray
    marginal: np.ndarray
    joint: np.ndarray

    @property
    def dependence(self) -> np.ndarray:
        """Log ratio of the joint probability to that of independent columns, (rows,)."""
        return np.asarray(self.joint - self.marginal.sum(axis=1))


def cell_likelihood(
    synthesizer: GANSynthesizer, X: Any, *, pool_size: int = 8_192, seed: int = 0
) -> CellLikelihood:
    """Return the log probability of each cell of `X` given the row's others, under the model.

    Parameters
    ----------
    synthesizer : GANSynthesizer
        Fitted.
    X : frame
        Rows with the columns of the training table; missing cells count if the column had any.
    pool_size : int
        Latent vectors. Time grows with rows x columns x pool.
    seed : int

    Examples
    --------
    >>> import pandas as pd
    >>> from synthgen import GANSynthesizer
    >>> df = pd.DataFrame({"size": ["S", "M", "L", "M"] * 50, "price": [1.5, 2.5, 3.0, 2.5] * 50})
    >>> synth = GANSynthesizer(max_steps=5, random_state=0).fit(df)
    >>> cell_likelihood(synth, df.head(3), pool_size=64).conditional.shape
    (3, 2)
    """
    frame, _ = read_frame(X)
    synthesizer.schema_.check(frame)
    sampler = synthesizer.sampler_
    rowwise = RowwiseSampler(sampler)
    everything = pd.DataFrame(True, index=frame.index, columns=frame.columns)
    known = _without_gaps(rowwise, frame, rowwise._encode(frame, everything, seed))
    pool = latent_pool(sampler.source, pool_size, torch_generator(seed, "score", 1))
    owners = _owners(synthesizer)
    layout = sampler.encoder.layout
    n = len(frame)
    conditional, joint = np.zeros((n, len(owners))), np.zeros(n)
    step = max(_CELLS // pool_size, 1)
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        part = known.part(rows)
        with torch.inference_mode():
            logs = row_log_weights(sampler.source, pool, part.table, part.blocks, part.heads)
            total = torch.logsumexp(logs, 1)
            joint[rows] = (total - math.log(pool_size)).double().cpu().numpy()
            for k, (blocks, heads) in enumerate(owners.values()):
                rest = torch.logsumexp(logs - _factor(layout, pool, part, blocks, heads), 1)
                conditional[rows, k] = (total - rest).double().cpu().numpy()
    marginal = np.stack([_marginal(layout, known, blocks) for blocks, _ in owners.values()], axis=1)
    unseen = np.stack(
        [(known.table.codes[:, blocks] < 0).any(axis=1) for blocks, _ in owners.values()], axis=1
    )
    conditional[unseen], marginal[unseen] = _UNSEEN, _UNSEEN
    return CellLikelihood(
        tuple(owners), conditional, marginal, joint + _UNSEEN * unseen.sum(axis=1)
    )


def _owners(synthesizer: GANSynthesizer) -> dict[Any, tuple[slice, slice]]:
    """Return blocks and heads of each column that has any."""
    encoder = synthesizer.sampler_.encoder
    found = {name: encoder.columns_of(name) for name in synthesizer.schema_.names}
    return {
        name: (blocks, heads)
        for name, (blocks, heads) in found.items()
        if blocks.stop > blocks.start or heads.stop > heads.start
    }


def _without_gaps(rowwise: RowwiseSampler, frame: pd.DataFrame, known: KnownCells) -> KnownCells:
    """Take missing cells of columns that had none for unknown: there is no state for them."""
    heads = known.heads.copy()
    for name in frame.columns:
        blocks, owned = rowwise.encoder.columns_of(name)
        if blocks.stop == blocks.start and owned.stop > owned.start:
            heads[:, owned] &= frame[name].notna().to_numpy()[:, None]
    for head, gate in enumerate(h.gate for h in rowwise.encoder.layout.heads):
        if gate is not None:
            heads[:, head] &= known.table.codes[:, gate] == REST
    return KnownCells(known.table, known.blocks, heads)


def _factor(
    layout: Layout, pool: LatentPool, rows: KnownCells, blocks: slice, heads: slice
) -> Tensor:
    """Return log p(one column's cells | each latent vector), (rows, pool)."""
    device = pool.latents.device
    factor = torch.zeros(len(rows.table), len(pool.latents), device=device)
    for block in range(blocks.start, blocks.stop):
        states = np.maximum(rows.table.codes[:, block], 0) + layout.block_starts[block]
        logs = pool.state_logs.T[torch.as_tensor(states, dtype=torch.long, device=device)]
        known = torch.as_tensor(rows.blocks[:, block, None], dtype=torch.float32, device=device)
        factor += logs * known
    n_heads = len(layout.heads)
    for head in range(heads.start, heads.stop):
        known = torch.as_tensor(rows.heads[:, head], dtype=torch.float32, device=device)
        v = torch.as_tensor(rows.table.values[:, head], device=device)
        terms = torch.stack([v**2 * known, v * known, known], dim=1)
        factor += terms @ pool.head_terms[:, [head, n_heads + head, 2 * n_heads + head]].T
    return factor


def _marginal(layout: Layout, known: KnownCells, blocks: slice) -> np.ndarray:
    total = np.zeros(len(known.table))
    for block in range(blocks.start, blocks.stop):
        shares = np.maximum(layout.blocks[block].frequencies, 1e-6)
        logs = np.log(shares)[np.maximum(known.table.codes[:, block], 0)]
        total += np.where(known.blocks[:, block], logs, 0.0)
    return total
