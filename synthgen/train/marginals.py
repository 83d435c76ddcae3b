"""Training on released marginals alone: no real row is there to look at."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.dp.moments import PairTables
from synthgen.encode.layout import Layout
from synthgen.train.recipe import Recipe
from synthgen.train.table import Fake, build_generator
from synthgen.train.terms import Generated, TermSpec

#: The generator that noisy marginals train: small and fast, since they hold no more.
MARGINAL_RECIPE = Recipe(
    name="dp-marginals",
    terms=(TermSpec("moments"),),
    warmup=1.0,
    width=128,
    generator_rate=2e-3,
    decay_from=0.5,
    steps=4_000,
)

_MEASURED_ROWS = 8_192
#: Weight of single columns beside pairs. Columns are matched within a fraction of their noise
#: anyway; with their full weight the noise of their gradient slows the pairs down.
_SINGLES = 0.1


class MarginalTask:
    """The task of matching released marginals (see :class:`synthgen.train.game.Task`).

    Parameters
    ----------
    layout : Layout
        One state block per column, its states being the joined cells.
    released : PairTables
    recipe : Recipe
        One that trains the generator by moments alone.
    device : torch.device
    low_precision : bool
        Whether matrix products run in bfloat16.
    """

    def __init__(
        self,
        layout: Layout,
        released: PairTables,
        recipe: Recipe,
        *,
        device: torch.device,
        low_precision: bool,
    ) -> None:
        self.recipe, self.device = recipe, device
        self.n_rows = recipe.batch_size
        self.generator = build_generator(
            layout, recipe, condition=0, low_precision=low_precision
        ).to(device)
        # The game wants two players; this one is never asked.
        self.critic: nn.Module = nn.Linear(1, 1).to(device)
        self.released = released
        moments = released.moments()
        moments["single_weights"] *= _SINGLES
        self.targets: dict[str, Tensor] = {
            name: torch.as_tensor(value, dtype=torch.float32, device=device)
            for name, value in moments.items()
        }
        product = torch.bfloat16 if low_precision else torch.float32
        self.targets["product_type"] = torch.empty(0, dtype=product)

    def conditions(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[None, Tensor]:
        """Return no conditions; the rows stand for nothing."""
        del rng
        return None, torch.as_tensor(rows, device=self.device)

    def real(self, rows: Tensor, draw: Any) -> Tensor:
        """Refuse: there are no real records.

        Raises
        ------
        RuntimeError
            Always.
        """
        raise RuntimeError("Training on released marginals has no real rows.")

    def fake(self, n: int, draw: None, rng: torch.Generator, *, adversarial: bool = False) -> Fake:
        """Generate the cell probabilities of `n` records."""
        del draw, adversarial
        z = torch.randn(n, self.recipe.latent, generator=rng, device=self.device)
        probabilities = self.generator.cells.softmax(self.generator(z).logits)
        return Fake(probabilities[:, :0], Generated(cells=probabilities))


def misfit(generator: Any, released: PairTables, seed: int) -> float:
    """Return how badly a generator misses the released tables, 1 being the noise floor.

    See :meth:`synthgen.dp.moments.PairTables.misfit`.
    """
    rng = torch.Generator().manual_seed(seed)
    device = generator.heads.weight.device
    with torch.inference_mode():
        z = torch.randn(_MEASURED_ROWS, generator.latent, generator=rng).to(device)
        cells = generator.cells.softmax(generator(z).logits).float()
        pairs = (cells.T @ cells) / len(cells)
    return released.misfit(pairs.double().cpu().numpy())
