"""A network that guesses which latent vectors explain a row, for rows with many known cells.

Latent vectors drawn at random hardly ever explain many cells at once. The network looks at the
known cells and proposes where to look; what it proposes is weighed by the model's own likelihood,
so that completions and likelihoods stay those of the model wherever the network is wrong. It learns
from rows that the generator makes itself, with the latent vectors that they were made of; no real
row takes part.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.core.random import generator, isolated_torch_rng, torch_generator
from synthgen.encode.layout import REST, EncodedTable, Layout
from synthgen.nn.cells import Cells, RowDistribution
from synthgen.sample.draw import RowSource, draw_rows
from synthgen.sample.flow import ConditionalFlow

logger = logging.getLogger(__name__)

#: Of the training: steps, rows per step, and the learning rate to begin with.
_STEPS: Final = 1_500
_BATCH: Final = 512
_RATE: Final = 2e-3
_MOST_GRADIENT: Final = 10.0
#: Training is part of the model, not of a call: its seed is always the same.
_SEED: Final = 0
#: Candidates for each row, and one in so many of them from the prior.
CANDIDATES: Final = 64
_ONE_PRIOR_IN: Final = 8
#: Rows to ask candidates for at once.
ROWS: Final = 256


@dataclass(frozen=True)
class Evidence:
    """Known cells as tensors.

    Parameters
    ----------
    states : Tensor of int64, shape (rows, blocks)
        Counted over all blocks; of unknown blocks any.
    blocks : Tensor of shape (rows, blocks)
        1 where the state is known.
    scores : Tensor of shape (rows, heads)
        0 where the score is unknown or does not apply.
    heads : Tensor of shape (rows, heads)
        1 where the score is known and applies.
    """

    states: Tensor
    blocks: Tensor
    scores: Tensor
    heads: Tensor

    @classmethod
    def of(
        cls, cells: Cells, rows: EncodedTable, known_blocks: np.ndarray, known_heads: np.ndarray
    ) -> Evidence:
        """Take what is known from encoded rows; codes of -1 must not be known."""
        device = cells.starts.device
        applies = known_heads.copy()
        for head, gate in zip(*cells.gates(), strict=True):
            applies[:, head] &= rows.codes[:, gate] == REST
        codes = torch.as_tensor(rows.codes, dtype=torch.long, device=device)
        heads = torch.as_tensor(applies, dtype=torch.float32, device=device)
        return cls(
            codes.clamp(min=0) + cells.starts,
            torch.as_tensor(known_blocks, dtype=torch.float32, device=device),
            torch.as_tensor(rows.values, dtype=torch.float32, device=device) * heads,
            heads,
        )

    def features(self, cells: Cells) -> Tensor:
        """Return the network's input, (rows, states + blocks + 2 heads)."""
        hot = torch.zeros(len(self.states), cells.n_states, device=self.states.device)
        hot.scatter_(1, self.states, self.blocks)
        return torch.cat([hot, self.blocks, self.scores, self.heads], dim=1)

    def log_likelihood(self, cells: Cells, row: RowDistribution) -> Tensor:
        """Return log p(known cells | latent vector) for a fixed number of vectors a row.

        Scores count as densities relative to the standard normal, as in a latent pool.

        Parameters
        ----------
        cells : Cells
        row : RowDistribution
            Of rows x k latent vectors, those of a row together.

        Returns
        -------
        Tensor of shape (rows, k)
        """
        n = len(self.states)
        k = len(row.logits) // max(n, 1)
        places = self.states[:, None].expand(n, k, -1)
        chances = cells.softmax(row.logits).reshape(n, k, -1).gather(2, places)
        total = (chances.clamp(min=1e-12).log() * self.blocks[:, None]).sum(2)
        if cells.n_heads:
            v, spread = self.scores[:, None], row.spread.reshape(n, k, -1)
            away = (v - row.mean.reshape(n, k, -1)) / spread
            density = 0.5 * v**2 - 0.5 * away**2 - spread.log()
            total = total + (density * self.heads[:, None]).sum(2)
        return total


@dataclass(frozen=True)
class Candidates:
    """Latent vectors that may explain each row.

    Parameters
    ----------
    latents : Tensor of shape (rows, k, latent)
    log_weights : Tensor of shape (rows, k)
        log of p(known cells | vector) times prior over proposal density: their mean weight
        estimates p(known cells) without bias.
    """

    latents: Tensor
    log_weights: Tensor


def n_features(cells: Cells) -> int:
    """Return the length of :meth:`Evidence.features`."""
    return cells.n_states + cells.n_blocks + 2 * cells.n_heads


def train_proposal(source: RowSource, layout: Layout) -> ConditionalFlow:
    """Learn to propose, from rows of the generator with cells hidden at random.

    Parameters
    ----------
    source : RowSource
        Without condition vectors.
    layout : Layout

    Returns
    -------
    ConditionalFlow
        The same for the same generator, whenever it is trained.

    References
    ----------
    Paige and Wood, "Inference Networks for Sequential Monte Carlo in Graphical Models", ICML 2016,
    arXiv:1602.06701. Le et al., "Inference Compilation and Universal Probabilistic Programming",
    AISTATS 2017, arXiv:1610.09900. Ivanov et al., "Variational Autoencoder with Arbitrary
    Conditioning", ICLR 2019, arXiv:1806.02382: one network for all sets of known cells.
    """
    start = time.perf_counter()
    # Whatever the caller's context, gradients are needed here.
    with torch.inference_mode(False), torch.enable_grad():
        with isolated_torch_rng(_SEED, "score", 2):
            proposal = ConditionalFlow(n_features(source.generator.cells), source.generator.latent)
        gained = _train(proposal.to(source.device), source, layout)
    logger.info(
        "Trained a network that proposes latent vectors for rows with many known cells in %.1f "
        "seconds; it tells %.1f nats about them.",
        time.perf_counter() - start,
        gained,
    )
    return proposal.eval().requires_grad_(False)


def _train(proposal: ConditionalFlow, source: RowSource, layout: Layout) -> float:
    """Fit the network; return what it knows about latent vectors more than the prior, in nats."""
    cells = source.generator.cells
    rng, masks = torch_generator(_SEED, "score", 3), generator(_SEED, "score", 4)
    optimizer = torch.optim.Adam(proposal.parameters(), lr=_RATE)
    gained = 0.0
    for step in range(_STEPS):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * min((step + 1) / 50, 1 - step / _STEPS)
        with torch.no_grad():
            z = source.latent(_BATCH, rng)
            rows = draw_rows(source.generator, source.generator(z), rng)
        evidence = Evidence.of(cells, rows, *_random_masks(layout, _BATCH, masks))
        loss = -proposal.log_density(proposal.context(evidence.features(cells)), z).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(proposal.parameters(), _MOST_GRADIENT)
        optimizer.step()
        gained = 0.5 * float((z**2).sum(1).mean()) - loss.item()
    return gained


def propose(
    proposal: ConditionalFlow,
    source: RowSource,
    evidence: Evidence,
    rng: torch.Generator,
    count: int = CANDIDATES,
) -> Candidates:
    """Draw candidates for each row and weigh them.

    One in eight comes from the prior. The density of all is that of the mixture, so that no weight
    exceeds eight times the likelihood, however wrong the network is.

    Parameters
    ----------
    proposal : ConditionalFlow
    source : RowSource
    evidence : Evidence
        Of some hundreds of rows at most.
    rng : torch.Generator
        On the CPU.
    count : int, default=64
        Candidates for each row.

    References
    ----------
    Hesterberg, "Weighted Average Importance Sampling and Defensive Mixture Distributions",
    Technometrics 37(2), 1995, doi:10.1080/00401706.1995.10484303.
    """
    n, device = len(evidence.states), source.device
    from_prior = math.ceil(count / _ONE_PRIOR_IN)
    cells = source.generator.cells
    with torch.inference_mode():
        context = [part[:, None] for part in proposal.context(evidence.features(cells))]
        noise = torch.randn(n, count, proposal.latent, generator=rng).to(device)
        guided = proposal.draw(context, noise[:, from_prior:])
        z = torch.cat([noise[:, :from_prior], guided], dim=1)
        prior = -0.5 * (z**2).sum(2)
        share = from_prior / count
        mixture = torch.logaddexp(
            prior + math.log(share), proposal.log_density(context, z) + math.log1p(-share)
        )
        row = source.generator(z.reshape(n * count, -1))
        return Candidates(z, evidence.log_likelihood(cells, row) + prior - mixture)


def _random_masks(
    layout: Layout, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw which blocks and heads are known: whole columns, any share of them."""
    blocks = np.array([block.column for block in layout.blocks], dtype=np.int64)
    heads = np.array([head.column for head in layout.heads], dtype=np.int64)
    columns = 1 + max([*blocks.tolist(), *heads.tolist()])
    known = rng.random((n, columns)) < rng.random((n, 1))
    return known[:, blocks], known[:, heads]
