"""Completing and scoring rows by the latent vectors that explain them.

One pool of latent vectors explains all rows: each row weighs the vectors by the likelihood of its
known cells, picks one, and has its unknown cells drawn from it. Rows with so many known cells that
hardly any vector of the pool explains them get candidates of their own, from a network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import torch
from torch import Tensor

from synthgen.core.random import torch_generator
from synthgen.encode.layout import REST, EncodedTable
from synthgen.encode.table import TableEncoder
from synthgen.nn.cells import RowDistribution
from synthgen.sample.completer import KnownCells, RowCompleter
from synthgen.sample.conditional import latent_pool, row_log_weights
from synthgen.sample.draw import draw_rows
from synthgen.sample.flow import ConditionalFlow
from synthgen.sample.proposal import ROWS, Evidence, propose, train_proposal
from synthgen.sample.sampler import Sampler

#: Latent vectors in the pool, and cells of the (rows, pool) matrix held at once.
_POOL: Final = 32_768
_CELLS: Final = 16_777_216
#: Completions drawn for each row, of which the refinement critic chooses one.
_CANDIDATES: Final = 3
#: A network that proposes latent vectors is worth its training for at least so many rows, if of
#: the vectors of a small pool fewer than `_FEW` count for the median row of a probe.
_LEAST_ROWS: Final = 200
_PROBE_ROWS: Final = 100
_PROBE_POOL: Final = 4_096
_FEW: Final = 4.0

#: From rows to latent vectors and their log weights.
Explain = Callable[[KnownCells], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class RowwiseSampler(RowCompleter):
    """Completes and scores rows by the latent vectors that explain them.

    Parameters
    ----------
    sampler : Sampler
    """

    sampler: Sampler

    @property
    def encoder(self) -> TableEncoder:
        """Encoder of the rows."""
        return self.sampler.encoder

    @cached_property
    def proposal(self) -> ConditionalFlow:
        """Network that proposes latent vectors; trained when it is first asked for."""
        return train_proposal(self.sampler.source, self.encoder.layout)

    def _log_likelihood(self, known: KnownCells, seed: int) -> np.ndarray:
        scores = self._chances(known, *self._by_pool(seed))
        if self._is_hard(known):
            scores = self._with_pool(self._chances(known, *self._by_proposal(seed)), scores)
        if self.sampler.refiner is not None:
            seen = EncodedTable(np.maximum(known.table.codes, 0), known.table.values)
            scores += np.log(self.sampler.refiner.weights(seen))
        return scores

    @staticmethod
    def _with_pool(guided: np.ndarray, pooled: np.ndarray) -> np.ndarray:
        """Return the log of the mean of two estimates: without bias, and seldom far too low."""
        return np.asarray(np.logaddexp(guided, pooled) - math.log(2.0))

    def _chances(self, known: KnownCells, explain: Explain, step: int) -> np.ndarray:
        """Return an estimate of the log probability of each row's known cells."""
        chances = np.empty(len(known.table))
        for rows, _, logs in _explained(known, explain, step):
            chances[rows] = _log_mean(logs)
        return chances

    def _is_hard(self, known: KnownCells) -> bool:
        """Whether a pool explains the rows badly, and there are enough to train a network for."""
        source, n = self.sampler.source, len(known.table)
        if n < _LEAST_ROWS or source.conditioning is not None:
            return False
        # Always the same vectors: whatever the seed, a table is completed in one way.
        pool = latent_pool(source, _PROBE_POOL, torch_generator(0, "score", 5))
        part = known.part(np.linspace(0, n - 1, _PROBE_ROWS).astype(np.int64))
        with torch.inference_mode():
            logs = row_log_weights(source, pool, part.table, part.blocks, part.heads)
        shares = torch.softmax(logs, 1)
        return float((1 / (shares**2).sum(1)).median()) < _FEW

    def _by_pool(self, seed: int) -> tuple[Explain, int]:
        """Return what explains rows by one pool, and the number of rows at once."""
        source = self.sampler.source
        pool = latent_pool(source, _POOL, torch_generator(seed, "score"))

        def explain(part: KnownCells) -> tuple[Tensor, Tensor]:
            logs = row_log_weights(source, pool, part.table, part.blocks, part.heads)
            return pool.latents, logs

        return explain, max(_CELLS // _POOL, 1)

    def _by_proposal(self, seed: int) -> tuple[Explain, int]:
        """Return what explains rows by candidates of their own, and the number at once."""
        source, proposal = self.sampler.source, self.proposal
        rng = torch_generator(seed, "score")

        def explain(part: KnownCells) -> tuple[Tensor, Tensor]:
            cells = source.generator.cells
            evidence = Evidence.of(cells, part.table, part.blocks, part.heads)
            found = propose(proposal, source, evidence, rng)
            return found.latents, found.log_weights

        return explain, ROWS

    def _draw(
        self, known: KnownCells, seed: int, *, never_missing: bool = False
    ) -> tuple[EncodedTable, np.ndarray]:
        """Draw the unknown cells; return full rows and the log probability of what is known."""
        rng = torch_generator(seed, "conditions", 1)
        chances = np.empty(len(known.table))
        parts = []
        hard = self._is_hard(known)
        explain, step = self._by_proposal(seed) if hard else self._by_pool(seed)
        for rows, latents, logs in _explained(known, explain, step):
            chances[rows] = _log_mean(logs)
            running = torch.softmax(logs, 1).cumsum(1)
            best = self._complete_part(known.part(rows), latents, running, rng, never_missing)
            parts.append(best)
        rare = np.flatnonzero(chances < math.log(self.least_probability))
        if hard and len(rare) and not never_missing:  # Few candidates may just have missed it.
            pooled = self._chances(known.part(rare), *self._by_pool(seed))
            chances[rare] = self._with_pool(chances[rare], pooled)
        return EncodedTable.concatenate(parts), chances

    def _complete_part(
        self,
        known: KnownCells,
        latents: Tensor,
        running: Tensor,
        rng: torch.Generator,
        never_missing: bool,
    ) -> EncodedTable:
        """Draw candidates for each row and choose one by the refinement critic."""
        refiner = self.sampler.refiner
        candidates = []
        places = torch.arange(len(running), device=running.device)
        for _ in range(1 if refiner is None else _CANDIDATES):
            points = torch.rand(len(running), 1, generator=rng).to(running.device)
            chosen = torch.searchsorted(running, points * running[:, -1:])[:, 0]
            chosen = chosen.clamp(max=running.shape[1] - 1)
            z = latents[chosen] if latents.ndim == 2 else latents[places, chosen]
            candidates.append(self._fill(known, z, rng, never_missing))
        if refiner is None:
            return candidates[0]
        weights = np.stack([refiner.weights(candidate) for candidate in candidates], axis=1)
        running_weights = np.cumsum(weights, axis=1)
        point = torch.rand(len(weights), generator=rng).numpy() * running_weights[:, -1]
        best = np.minimum((running_weights < point[:, None]).sum(1), len(candidates) - 1)
        rows = np.arange(len(best))
        return EncodedTable(
            np.stack([candidate.codes for candidate in candidates])[best, rows],
            np.stack([candidate.values for candidate in candidates])[best, rows],
        )

    def _fill(
        self, known: KnownCells, latents: Tensor, rng: torch.Generator, never_missing: bool
    ) -> EncodedTable:
        """Draw full rows from latent vectors and put the known cells in."""
        network = self.sampler.source.generator
        with torch.inference_mode():
            row = network(latents)
            if never_missing:
                row = self._without_missing(row)
            drawn = draw_rows(network, row, rng)
        codes = np.where(known.blocks, known.table.codes, drawn.codes)
        values = np.where(known.heads, known.table.values, drawn.values)
        for head, gate in zip(*network.cells.gates(), strict=True):
            values[codes[:, gate] != REST, head] = 0.0
        rows = np.random.default_rng(int(torch.randint(2**62, (1,), generator=rng)))
        filled = EncodedTable(codes, values)
        corrected = self.sampler.corrected(filled, rows, known.blocks, known.heads)
        if not never_missing:
            return corrected
        starts, missing = self.encoder.layout.block_starts[:-1], self.encoder.missing_states
        gone = np.isin(corrected.codes + starts, missing) & ~known.blocks
        return EncodedTable(np.where(gone, codes, corrected.codes), corrected.values)

    def _without_missing(self, row: RowDistribution) -> RowDistribution:
        """Give the states that mean "missing" next to no probability."""
        closed = torch.as_tensor(self.sampler.encoder.missing_states, device=row.logits.device)
        return replace(row, logits=row.logits.index_fill(1, closed, -40.0))


def _explained(
    known: KnownCells, explain: Explain, step: int
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Yield slices of rows with latent vectors and their log weights, (rows, vectors).

    The vectors are (vectors, latent) where all rows share them, else (rows, vectors, latent).
    """
    for start in range(0, len(known.table), step):
        rows = slice(start, min(start + step, len(known.table)))
        with torch.inference_mode():
            latents, logs = explain(known.part(rows))
        yield rows, latents, logs


def _log_mean(logs: Tensor) -> np.ndarray:
    """Return the log of the mean weight of each row."""
    return np.asarray((torch.logsumexp(logs, 1) - math.log(logs.shape[1])).cpu().numpy())
