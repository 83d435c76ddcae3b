"""What the trainer needs to know about tables: batches of real rows, and generated ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.encode.layout import EncodedTable, Layout
from synthgen.nn.cells import RowDistribution
from synthgen.nn.tabular import CriticInput, TabularCritic, TabularGenerator
from synthgen.train.conditioning import Conditioning, Draw
from synthgen.train.moments import moment_targets
from synthgen.train.recipe import Recipe
from synthgen.train.terms import Generated


@dataclass(frozen=True)
class Fake:
    """One generated batch.

    Parameters
    ----------
    records : Tensor of shape (batch, features)
        What the critic sees, with a gradient to the generator.
    view : Generated
        What terms of the generator see.
    """

    records: Tensor
    view: Generated


class TableTask:
    """Real and generated batches of one encoded table.

    Parameters
    ----------
    layout : Layout
    table : EncodedTable
        Training rows.
    recipe : Recipe
    condition_blocks : list of int
        Blocks that a conditional recipe may condition on.
    device : torch.device
    low_precision : bool
        Whether matrix products run in bfloat16.
    """

    def __init__(
        self,
        layout: Layout,
        table: EncodedTable,
        recipe: Recipe,
        *,
        condition_blocks: list[int],
        device: torch.device,
        low_precision: bool,
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.n_rows = len(table)
        starts = torch.as_tensor(layout.block_starts[:-1], dtype=torch.int32)
        self._states = (torch.as_tensor(table.codes) + starts).to(device)
        self._scores = torch.as_tensor(table.values).to(device)
        self.conditioning: Conditioning | None = None
        if recipe.conditioning != "none":
            self.conditioning = Conditioning(layout, condition_blocks, table)
        self._condition_width = 0 if self.conditioning is None else self.conditioning.width
        self.generator = build_generator(
            layout, recipe, condition=self._condition_width, low_precision=low_precision
        ).to(device)
        self.critic_input = CriticInput(layout).to(device)
        self.critic: nn.Module = TabularCritic(
            self.critic_input.width + self._condition_width,
            width=recipe.critic_width,
            blocks=recipe.critic_blocks,
            pack=recipe.pack,
            low_precision=low_precision,
        ).to(device)
        self.targets: dict[str, Tensor] = {}
        if any("cells" in spec.build().needs for spec in recipe.terms):
            self.targets = moment_targets(layout, table, low_precision=low_precision, device=device)
        self._needs_cells = bool(self.targets)

    def conditions(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[Draw | None, Tensor]:
        """Draw the batch's conditions and the rows that match them; without any, `rows`."""
        if self.conditioning is None:
            return None, torch.as_tensor(rows, device=self.device)
        draw, matching = self.conditioning.draw(len(rows), rng, balanced=True)
        return draw, torch.as_tensor(matching, device=self.device)

    def real(self, rows: Tensor, draw: Draw | None) -> Tensor:
        """Return real records as the critic sees them, (batch, features)."""
        cells = self.generator.cells
        with torch.no_grad():
            hot = cells.one_hot(self._states[rows].long())
            return self._with_condition(self.critic_input(hot, self._scores[rows]), draw)

    def fake(
        self, n: int, draw: Draw | None, rng: torch.Generator, *, adversarial: bool = True
    ) -> Fake:
        """Generate `n` records.

        Parameters
        ----------
        n : int
        draw : Draw, optional
            Condition vectors.
        rng : torch.Generator
            On the task's device.
        adversarial : bool
            Whether the critic will look at them; if not, nothing is drawn.
        """
        z = torch.randn(n, self.recipe.latent, generator=rng, device=self.device)
        if draw is not None:
            z = torch.cat([z, draw.vector.to(self.device)], dim=1)
        row: RowDistribution = self.generator(z)
        cells = self.generator.cells
        probabilities = cells.softmax(row.logits)
        bins = cells.bins(row.mean, row.spread) if cells.n_heads else None
        view = Generated(
            cells=self._cells(probabilities, bins) if self._needs_cells else None,
            condition_loss=None if draw is None else self._condition_loss(probabilities, draw),
        )
        records = probabilities[:, :0]
        if adversarial:
            states = self._relaxed(row.logits, probabilities, rng)
            noise = torch.randn(row.mean.shape, generator=rng, device=self.device)
            records = self.critic_input(states, row.mean + row.spread * noise, bins)
            records = self._with_condition(records, draw)
        return Fake(records, view)

    def _cells(self, probabilities: Tensor, bins: Tensor | None) -> Tensor:
        return probabilities if bins is None else self.generator.cells.cells(probabilities, bins)

    def _relaxed(self, logits: Tensor, probabilities: Tensor, rng: torch.Generator) -> Tensor:
        cells = self.generator.cells
        temperature = self.recipe.temperature
        if self.recipe.relaxation == "reinmax":
            uniforms = torch.rand(len(logits), cells.n_blocks, generator=rng, device=self.device)
            return cells.relaxed(logits, probabilities, uniforms, temperature)
        uniforms = torch.rand(logits.shape, generator=rng, device=self.device)
        gumbel = -(-(uniforms.clamp(1e-9, 1 - 1e-7)).log()).log()
        return cells.softmax((logits + gumbel) / temperature)

    def _condition_loss(self, probabilities: Tensor, draw: Draw) -> Tensor:
        wanted = draw.states.to(self.device)[:, None]
        return -probabilities.gather(1, wanted)[:, 0].clamp(min=1e-8).log()

    def _with_condition(self, records: Tensor, draw: Draw | None) -> Tensor:
        if draw is None:
            return records
        return torch.cat([records, draw.vector.to(self.device)], dim=1)


def build_generator(
    layout: Layout, recipe: Recipe, *, condition: int, low_precision: bool
) -> TabularGenerator:
    """Return the untrained generator of a recipe."""
    return TabularGenerator(
        layout,
        latent=recipe.latent,
        width=recipe.width,
        blocks=recipe.blocks,
        condition=condition,
        low_precision=low_precision,
    )
