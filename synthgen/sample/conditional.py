"""Rows under conditions, by weighting latent vectors.

Given a latent vector z the columns are independent, so p(row | condition) is sampled exactly by
drawing many z, weighting each by W(z) = prod P(condition on column | z), choosing z in proportion
to W, and drawing the columns: those with a condition within it, the others freely. No row is
rejected and nothing has to be trained for it. The mean of W is the probability of the condition.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from synthgen.encode.layout import REST, EncodedTable
from synthgen.encode.table import TableCondition
from synthgen.errors import ConditionError
from synthgen.nn.cells import RowDistribution
from synthgen.sample.draw import RowSource, encoded

logger = logging.getLogger(__name__)

_PASS: Final = 4_096
#: Latent vectors drawn first, and at most, for a condition.
_FIRST_POOL: Final = 32_768
_LARGEST_POOL: Final = 524_288
#: Effective number of latent vectors aimed at.
_ENOUGH: Final = 500
#: Fewer than this are too few to stand for the rows under a condition.
_TOO_FEW: Final = 30
#: Latent vectors with a log weight this far below the best do not count.
_NEGLIGIBLE: Final = 25.0


@dataclass(frozen=True)
class ConditionPool:
    """Latent vectors weighted for one condition.

    Parameters
    ----------
    latents : Tensor of shape (pool, latent)
        Those with a weight worth keeping.
    log_weights : Tensor of float64, shape (pool,)
    probability : float
        Estimate of the condition's probability under the model.
    effective : float
        Effective number of latent vectors.
    """

    latents: Tensor
    log_weights: Tensor
    probability: float
    effective: float


def weigh_latents(
    source: RowSource, condition: TableCondition, rng: torch.Generator
) -> ConditionPool:
    """Draw latent vectors until enough of them speak for the condition, or there is no hope.

    Parameters
    ----------
    source : RowSource
    condition : TableCondition
    rng : torch.Generator
        On the CPU.
    """
    latents: list[Tensor] = []
    logs: list[Tensor] = []
    drawn, goal, best = 0, _FIRST_POOL, -math.inf
    while True:
        with torch.inference_mode():
            while drawn < goal:
                z = source.latent(_PASS, rng)
                log_weight = log_probability(source, source.generator(z), condition)
                best = max(best, float(log_weight.max()))
                # Memory holds only those that can still matter beside the best.
                keep = log_weight > best - _NEGLIGIBLE
                logs.append(log_weight[keep])
                latents.append(z[keep])
                drawn += _PASS
        total = torch.cat(logs)
        effective = effective_number(total)
        if effective >= _ENOUGH or drawn >= _LARGEST_POOL:
            break
        # As many as would be enough if the rate stays the same.
        goal = int(min(max(2 * drawn, drawn * _ENOUGH / max(effective, 1.0)), _LARGEST_POOL))
    if not math.isfinite(best):
        # No latent vector allows it: any will do for an approximation.
        return ConditionPool(z, log_weight, 0.0, 0.0)
    probability = float(torch.exp(torch.logsumexp(total, 0)) / drawn)
    keep = total > best - _NEGLIGIBLE
    return ConditionPool(torch.cat(latents)[keep], total[keep], probability, effective)


def check_pool(pool: ConditionPool, what: str, on_rare: str) -> ConditionPool:
    """Return the pool if it can stand for the condition.

    Parameters
    ----------
    pool : ConditionPool
    what : str
        The condition in words.
    on_rare : {"error", "approximate"}
        What to do if it cannot; "approximate" flattens the weights until enough latent vectors
        take part, so that rows obey the condition but their other columns fit it less well.

    Raises
    ------
    ConditionError
        With the estimated probability.
    """
    if pool.effective >= _TOO_FEW:
        return pool
    if on_rare == "error":
        raise ConditionError(
            f"The condition {what} is too rare under the model to sample it well: its estimated "
            f"probability is {pool.probability:.2g}. Relax it, or pass on_rare='approximate' to "
            "get rows that obey it but are less true to the data in their other columns."
        )
    logger.warning("Condition %s has probability %.2g: approximating.", what, pool.probability)
    if not torch.isfinite(pool.log_weights).any():
        flat = torch.zeros_like(pool.log_weights)
        return ConditionPool(pool.latents, flat, 0.0, float(len(flat)))
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        enough = effective_number(pool.log_weights * middle) >= _TOO_FEW
        low, high = (middle, high) if enough else (low, middle)
    logs = pool.log_weights * low
    return ConditionPool(pool.latents, logs, pool.probability, effective_number(logs))


def draw_from_pool(
    source: RowSource,
    pool: ConditionPool,
    condition: TableCondition,
    n: int,
    rng: torch.Generator,
) -> EncodedTable:
    """Draw `n` rows that obey the condition."""
    weights = torch.softmax(pool.log_weights, 0).cumsum(0)
    points = (torch.arange(n, dtype=torch.float64) + torch.rand(1, generator=rng)) / n
    chosen = torch.searchsorted(weights, points.to(weights.device)).clamp(max=len(weights) - 1)
    chosen = chosen[torch.randperm(n, generator=rng).to(chosen.device)]

    def draw(rows: Tensor) -> EncodedTable:
        with torch.inference_mode():
            return _draw_within(source, source.generator(pool.latents[rows]), condition, rng)

    return EncodedTable.collect(n, (draw(rows) for rows in torch.split(chosen, _PASS)))


def log_probability(source: RowSource, row: RowDistribution, condition: TableCondition) -> Tensor:
    """Return the log probability of the condition for each row's distribution, float64 (batch,)."""
    cells = source.generator.cells
    inside = _interval_probabilities(row, condition)
    gate_of = dict(zip(*cells.gates(), strict=True))
    total = torch.zeros(len(row.logits), dtype=torch.float64, device=row.logits.device)
    asked = dict(condition.states)
    probabilities = cells.softmax(row.logits)
    for head, chance in inside.items():
        if head not in gate_of:
            total += chance.clamp(min=1e-300).log()
    for block, weights in asked.items():
        shares = _block(source, probabilities, block).double()
        factors = torch.as_tensor(weights, device=shares.device).expand_as(shares).clone()
        for head, gate in gate_of.items():
            if gate == block and head in inside:
                factors[:, REST] *= inside[head]
        total += (shares * factors).sum(1).clamp(min=1e-300).log()
    return torch.where(total < -600.0, torch.full_like(total, -math.inf), total)


def _interval_probabilities(row: RowDistribution, condition: TableCondition) -> dict[int, Tensor]:
    chances = {}
    for head, (low, high) in condition.intervals.items():
        mean, spread = row.mean[:, head].double(), row.spread[:, head].double()
        a, b = (low - mean) / spread, (high - mean) / spread
        # In the upper tail the complement keeps its digits.
        flip = a > 0
        a, b = torch.where(flip, -b, a), torch.where(flip, -a, b)
        chances[head] = torch.special.ndtr(b) - torch.special.ndtr(a)
    return chances


def _block(source: RowSource, probabilities: Tensor, block: int) -> Tensor:
    cells = source.generator.cells
    return probabilities[:, int(cells.starts[block]) : int(cells.stops[block])]


def _draw_within(
    source: RowSource, row: RowDistribution, condition: TableCondition, rng: torch.Generator
) -> EncodedTable:
    """Draw each row from its distribution cut to the condition."""
    cells = source.generator.cells
    probabilities = cells.softmax(row.logits)
    inside = _interval_probabilities(row, condition)
    gate_of = dict(zip(*cells.gates(), strict=True))
    for block, weights in condition.states.items():
        shares = _block(source, probabilities, block)
        factors = torch.as_tensor(weights, device=shares.device).expand_as(shares).clone()
        for head, gate in gate_of.items():
            if gate == block and head in inside:
                factors[:, REST] *= inside[head]
        cut = shares.double() * factors
        # A tempered pool may hold rows for which nothing is left: fall back to what is allowed.
        allowed = torch.as_tensor(weights, device=shares.device).expand_as(cut)
        cut = torch.where(cut.sum(1, keepdim=True) > 1e-200, cut, allowed)
        shares.copy_(cut / cut.sum(1, keepdim=True))
    uniforms = torch.rand(len(row.logits), cells.n_blocks, generator=rng).to(row.logits.device)
    states = cells.draw(probabilities, uniforms) - cells.starts
    for block in condition.states:
        # Exactly: the running sum over all blocks rounds, and a closed state must never be drawn.
        running = _block(source, probabilities, block).double().cumsum(1)
        point = uniforms[:, block, None].double() * running[:, -1:]
        states[:, block] = torch.searchsorted(running, point, right=True)[:, 0]
    noise = torch.randn(row.mean.shape, generator=rng).to(row.logits.device)
    scores = row.mean + row.spread * noise
    for head, (low, high) in condition.intervals.items():
        position = torch.rand(len(scores), generator=rng, dtype=torch.float64).to(scores.device)
        scores[:, head] = _truncated_normal(
            row.mean[:, head].double(), row.spread[:, head].double(), low, high, position
        ).float()
    return encoded(source.generator, states, scores)


def _truncated_normal(
    mean: Tensor, spread: Tensor, low: float, high: float, position: Tensor
) -> Tensor:
    """Invert the distribution function of a normal cut to [low, high] at `position` in (0, 1)."""
    a, b = (low - mean) / spread, (high - mean) / spread
    flip = a > 0
    a, b = torch.where(flip, -b, a), torch.where(flip, -a, b)
    below, above = torch.special.ndtr(a), torch.special.ndtr(b)
    z = torch.special.ndtri((below + (above - below) * position).clamp(1e-300, 1 - 1e-16))
    z = torch.minimum(torch.maximum(z, a), b)
    value = mean + spread * torch.where(flip, -z, z)
    return value.clamp(low, high)


def effective_number(log_weights: Tensor) -> float:
    """Return (sum w)^2 / sum w^2."""
    if not torch.isfinite(log_weights).any():
        return 0.0
    first = torch.logsumexp(log_weights, 0)
    second = torch.logsumexp(2 * log_weights, 0)
    return float(torch.exp(2 * first - second))


@dataclass(frozen=True)
class LatentPool:
    """One set of latent vectors to explain many different rows with.

    Parameters
    ----------
    latents : Tensor of shape (pool, latent)
    state_logs : Tensor of shape (pool, states)
        Log probabilities of the states.
    head_terms : Tensor of shape (pool, 3 * heads)
        Coefficients of v^2, v and 1 of each head's log density relative to a standard normal.
    """

    latents: Tensor
    state_logs: Tensor
    head_terms: Tensor


def latent_pool(source: RowSource, size: int, rng: torch.Generator) -> LatentPool:
    """Draw `size` latent vectors."""
    latents, logs, heads = [], [], []
    with torch.inference_mode():
        for start in range(0, size, _PASS):
            z = source.latent(min(_PASS, size - start), rng)
            row = source.generator(z)
            precision = row.spread**-2
            terms = [
                0.5 - 0.5 * precision,
                row.mean * precision,
                -0.5 * row.mean**2 * precision - row.spread.log(),
            ]
            latents.append(z)
            probabilities = source.generator.cells.softmax(row.logits)
            logs.append(probabilities.clamp(min=1e-12).log())
            heads.append(torch.cat(terms, dim=1))
    return LatentPool(torch.cat(latents), torch.cat(logs), torch.cat(heads))


def row_log_weights(
    source: RowSource,
    pool: LatentPool,
    rows: EncodedTable,
    known_blocks: np.ndarray,
    known_heads: np.ndarray,
) -> Tensor:
    """Return log p(known cells of each row | each latent vector), (rows, pool).

    Heads count as densities relative to the standard normal, that is, in rank space.

    Parameters
    ----------
    source : RowSource
    pool : LatentPool
    rows : EncodedTable
    known_blocks : numpy.ndarray of bool, shape (rows, blocks)
    known_heads : numpy.ndarray of bool, shape (rows, heads)
    """
    device = pool.latents.device
    cells = source.generator.cells
    hot = torch.zeros(len(rows), cells.n_states, device=device)
    states = torch.as_tensor(rows.codes, dtype=torch.long).clamp(min=0).to(device) + cells.starts
    hot.scatter_(1, states, torch.as_tensor(known_blocks, dtype=torch.float32, device=device))
    logs = hot @ pool.state_logs.T
    if cells.n_heads:
        known = torch.as_tensor(known_heads, dtype=torch.float32, device=device)
        for head, gate in zip(*cells.gates(), strict=True):
            known[:, head] *= torch.as_tensor(rows.codes[:, gate] == REST, device=device)
        v = torch.as_tensor(rows.values, device=device)
        logs = logs + torch.cat([v**2 * known, v * known, known], dim=1) @ pool.head_terms.T
    return logs
