"""Draws encoded rows from a trained generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synthgen.encode.layout import EncodedTable
from synthgen.nn.cells import RowDistribution
from synthgen.nn.tabular import TabularGenerator
from synthgen.train.conditioning import Conditioning

#: Latent vectors per pass through the network; larger ones do not fit the caches.
_PASS = 1_024


@dataclass(frozen=True)
class RowSource:
    """A trained generator with what is needed to draw latent vectors for it.

    Parameters
    ----------
    generator : TabularGenerator
    conditioning : Conditioning or None
        Of a recipe that trains with condition vectors; these then count as part of the latent
        vector and are drawn by their true frequency.
    """

    generator: TabularGenerator
    conditioning: Conditioning | None = None

    @property
    def device(self) -> torch.device:
        """Where the generator lives."""
        return self.generator.heads.weight.device

    def latent(self, n: int, rng: torch.Generator) -> Tensor:
        """Draw latent vectors, (n, latent + condition). `rng` is a CPU generator."""
        z = torch.randn(n, self.generator.latent, generator=rng)
        if self.conditioning is not None:
            seed = int(torch.randint(2**62, (1,), generator=rng))
            draw, _ = self.conditioning.draw(n, np.random.default_rng(seed), balanced=False)
            z = torch.cat([z, draw.vector], dim=1)
        return z.to(self.device)

    def draw(self, n: int, rng: torch.Generator) -> EncodedTable:
        """Draw `n` rows, at least one."""
        sizes = (min(_PASS, n - start) for start in range(0, n, _PASS))
        return EncodedTable.collect(n, (self._pass(size, rng) for size in sizes))

    def _pass(self, n: int, rng: torch.Generator) -> EncodedTable:
        with torch.inference_mode():
            return draw_rows(self.generator, self.generator(self.latent(n, rng)), rng)


def draw_rows(
    generator: TabularGenerator, row: RowDistribution, rng: torch.Generator
) -> EncodedTable:
    """Draw one row from each distribution."""
    cells = generator.cells
    uniforms = torch.rand(len(row.logits), cells.n_blocks, generator=rng).to(row.logits.device)
    noise = torch.randn(row.mean.shape, generator=rng).to(row.logits.device)
    states = cells.draw(cells.softmax(row.logits), uniforms) - cells.starts
    return encoded(generator, states, row.mean + row.spread * noise)


def encoded(generator: TabularGenerator, states: Tensor, scores: Tensor) -> EncodedTable:
    """Turn drawn states (counted within blocks) and scores into an encoded table.

    Scores are put where encoding puts real ones: in the middle of an atom, and at 0 behind a closed
    gate.
    """
    if generator.cells.has_atoms:
        place = generator.cells.locate(scores)
        scores = scores + generator.cells.shift_to_atoms(scores, place)
    codes = states.cpu().numpy().astype(np.int32)
    values = scores.float().cpu().numpy()
    for head, gate in zip(*generator.cells.gates(), strict=True):
        values[codes[:, gate] != 0, head] = 0.0
    return EncodedTable(codes, values)
