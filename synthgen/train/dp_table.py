"""Real rows for a private critic, and a generator that knows released histograms alone."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from synthgen.dp.moments import PairTables
from synthgen.dp.noise import NoiseSource, uniform
from synthgen.encode.layout import EncodedTable, Layout
from synthgen.train.recipe import Recipe
from synthgen.train.table import TableTask
from synthgen.train.terms import TermSpec

#: What ``preset="auto"`` stands for with DPSGD.
SGD_RECIPE: Final = Recipe(
    name="dp-sgd",
    objective="non_saturating",
    terms=(TermSpec("moments"),),
    width=128,
    critic_width=128,
    critic_blocks=1,
    batch_size=1024,
    generator_rate=5e-4,
    critic_rate=1e-3,
    generator_betas=(0.5, 0.99),
    critic_betas=(0.5, 0.999),
    decay_from=0.5,
    ema=0.998,
)
#: Weight of released histograms beside the critic.
_SINGLES: Final = 1.0
#: Factor of the generator's first weights: columns start closer to independence than for moments,
#: since a noisy critic is slow to take random dependencies back.
_START: Final = 0.3


class PrivateTableTask(TableTask):
    """A table whose moments come from a release, not from its rows.

    Rows are looked at in :meth:`real` only, whose records go to a
    :class:`~synthgen.train.dp.PrivateCritic`.

    Parameters
    ----------
    layout : Layout
        Of public cells with noisy shares; no heads.
    table : EncodedTable
        Private rows; every code must be a state.
    recipe : Recipe
    released : PairTables
        Targets of the term ``moments``; columns and pairs that were not released count for nothing.
    device : torch.device
    low_precision : bool
        Whether the generator's matrix products run in bfloat16; the critic's never do.
    """

    def __init__(
        self,
        layout: Layout,
        table: EncodedTable,
        recipe: Recipe,
        released: PairTables,
        *,
        device: torch.device,
        low_precision: bool = False,
    ) -> None:
        super().__init__(
            layout,
            table,
            # Without its terms: they would take moments from the rows.
            recipe.replace(terms=(), warmup=0.0),
            condition_blocks=[],
            device=device,
            low_precision=False,
        )
        self.recipe = recipe
        self.generator.low_precision = low_precision
        with torch.no_grad():
            self.generator.heads.weight.mul_(_START)
        if not any(spec.name == "moments" for spec in recipe.terms):
            return
        moments = released.moments()
        moments["single_weights"] *= _SINGLES
        self.targets = {
            name: torch.as_tensor(value, dtype=torch.float32, device=device)
            for name, value in moments.items()
        }
        self.targets["product_type"] = torch.empty(0)
        self._needs_cells = True


def filled(table: EncodedTable, released: PairTables, source: NoiseSource) -> EncodedTable:
    """Draw states for cells outside the declared domain, by the released shares of their column.

    Each row's draws depend on that row alone.
    """
    codes = table.codes.copy()
    for place, shares in enumerate(released.singles):
        bounds = np.cumsum(np.maximum(shares, 0.0))
        draws = uniform(source, len(codes)) * bounds[-1]
        states = np.minimum(np.searchsorted(bounds, draws, side="right"), len(shares) - 1)
        codes[:, place] = np.where(codes[:, place] < 0, states, codes[:, place])
    return EncodedTable(codes, table.values)
