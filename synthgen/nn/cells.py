"""Probabilities over the cells of a layout, and differentiable draws from them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.encode.layout import REST, Layout
from synthgen.encode.numeric import bin_middles

#: Logits are clamped to this before exponentiation; a state never gets exactly zero probability.
_MOST_LOGIT = 40.0


@dataclass(frozen=True)
class RowDistribution:
    """What a generator says about each row: independent columns, given its latent vector.

    Parameters
    ----------
    logits : Tensor of shape (batch, states)
        :meth:`Cells.softmax` makes probabilities of them.
    mean, spread : Tensor of shape (batch, heads)
        Normal distribution of each head's score.
    """

    logits: Tensor
    mean: Tensor
    spread: Tensor


class Cells(nn.Module):
    """The layout as tensors.

    Parameters
    ----------
    layout : Layout
    """

    # Buffers, declared for type checkers.
    membership: Tensor
    starts: Tensor
    stops: Tensor
    edges: Tensor
    bin_places: Tensor
    gated_heads: Tensor
    gate_rest: Tensor
    bin_gate: Tensor
    middles: Tensor
    is_atom: Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        sizes = np.diff(layout.block_starts)
        block_of_state = torch.as_tensor(np.repeat(np.arange(len(sizes)), sizes), dtype=torch.long)
        self.n_states, self.n_cells = layout.n_states, layout.n_cells
        self.n_blocks, self.n_heads = len(layout.blocks), len(layout.heads)
        self._buffer("membership", torch.eye(self.n_blocks)[block_of_state])
        self._buffer("starts", torch.as_tensor(layout.block_starts[:-1], dtype=torch.long))
        self._buffer("stops", torch.as_tensor(layout.block_starts[1:], dtype=torch.long))
        self._add_bins(layout)

    def _buffer(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def _add_bins(self, layout: Layout) -> None:
        most = max((head.bins for head in layout.heads), default=0)
        edges = np.zeros((self.n_heads, most + 1))
        places: list[int] = []  # of each bin cell in the padded (heads * most) grid
        for k, head in enumerate(layout.heads):
            edges[k] = head.edges[-1]
            edges[k, : head.bins + 1] = head.edges
            places += range(k * most, k * most + head.bins)
        gates = [head.gate for head in layout.heads]
        self._gates = [(k, gate) for k, gate in enumerate(gates) if gate is not None]
        gated = [k for k, gate in enumerate(gates) if gate is not None]
        rest = [int(layout.block_starts[gate]) + REST for gate in gates if gate is not None]
        # For each bin cell the state that must hold for it; n_states stands for "always".
        always = layout.n_states
        per_head = [
            always if gate is None else int(layout.block_starts[gate]) + REST for gate in gates
        ]
        bin_gate = np.repeat(per_head, [head.bins for head in layout.heads])
        middles = np.zeros((self.n_heads, most))
        is_atom = np.zeros((self.n_heads, most), dtype=bool)
        for k, head in enumerate(layout.heads):
            middles[k, : head.bins] = bin_middles(head.edges)
            is_atom[k, : head.bins] = head.atoms
        self._buffer("middles", torch.as_tensor(middles, dtype=torch.float32))
        self._buffer("is_atom", torch.as_tensor(is_atom))
        self.has_atoms = bool(is_atom.any())
        self._buffer("edges", torch.as_tensor(edges, dtype=torch.float32))
        self._buffer("bin_places", torch.as_tensor(places, dtype=torch.long))
        self._buffer("gated_heads", torch.as_tensor(gated, dtype=torch.long))
        self._buffer("gate_rest", torch.as_tensor(rest, dtype=torch.long))
        self._buffer("bin_gate", torch.as_tensor(bin_gate, dtype=torch.long))

    def gates(self) -> tuple[list[int], list[int]]:
        """Return the heads that have a gate, and the block that is the gate of each."""
        return [head for head, _ in self._gates], [gate for _, gate in self._gates]

    def softmax(self, logits: Tensor) -> Tensor:
        """Return the block-wise softmax of `logits`, (batch, states)."""
        return _block_softmax(logits, self.membership)

    def draw(self, probabilities: Tensor, uniforms: Tensor) -> Tensor:
        """Draw one state per block by inverting the cumulative probabilities.

        Parameters
        ----------
        probabilities : Tensor of shape (batch, states)
        uniforms : Tensor of shape (batch, blocks)
            Numbers in [0, 1).

        Returns
        -------
        Tensor of int64, shape (batch, blocks)
            State numbers counted over all blocks.
        """
        # Each block sums to 1, so block k covers [k, k + 1) of the running sum.
        running = probabilities.cumsum(1)
        offset = torch.arange(self.n_blocks, device=uniforms.device, dtype=uniforms.dtype)
        found = torch.searchsorted(running, uniforms + offset, right=True)
        return torch.minimum(torch.maximum(found, self.starts), self.stops - 1)

    def one_hot(self, states: Tensor) -> Tensor:
        """Turn drawn states (batch, blocks) into zeros and ones (batch, states)."""
        hot = torch.zeros(len(states), self.n_states, device=states.device)
        return hot.scatter_(1, states, 1.0)

    def relaxed(
        self, logits: Tensor, probabilities: Tensor, uniforms: Tensor, temperature: float
    ) -> Tensor:
        """Draw one-hot states through which gradients reach the logits, (batch, states)."""
        with torch.no_grad():
            probabilities = probabilities.detach()
            hot = self.one_hot(self.draw(probabilities, uniforms))
            tempered = self.softmax(logits / temperature)
        return _reinmax(logits, probabilities, tempered, hot, self.membership)

    def bins(self, mean: Tensor, spread: Tensor) -> Tensor:
        """Return the probability of each bin of each head, ignoring gates, (batch, bins)."""
        scaled = (self.edges - mean[:, :, None]) / spread[:, :, None]  # (batch, heads, edges)
        below = 0.5 * (1.0 + torch.erf(scaled * math.sqrt(0.5)))
        return below.diff(dim=2).flatten(1)[:, self.bin_places]

    def locate(self, scores: Tensor) -> Tensor:
        """Return the number of the bin that each score lies in, (batch, heads)."""
        inner = self.edges[:, 1:-1].contiguous()
        place = torch.searchsorted(inner, scores.T.contiguous(), right=True).T
        return place.clamp(max=self.middles.shape[1] - 1)

    def shift_to_atoms(self, scores: Tensor, place: Tensor) -> Tensor:
        """Return what moves scores inside an atom to its middle, 0 elsewhere, (batch, heads)."""
        index = place[:, :, None]
        middle = self.middles.expand(len(scores), -1, -1).gather(2, index)[:, :, 0]
        inside = self.is_atom.expand(len(scores), -1, -1).gather(2, index)[:, :, 0]
        return torch.where(inside, middle - scores, torch.zeros_like(scores))

    def cells(self, states: Tensor, bins: Tensor) -> Tensor:
        """Join states and bins, each bin weighted by its gate, (batch, cells)."""
        if self.n_heads == 0:
            return states
        gates = nn.functional.pad(states, (0, 1), value=1.0).index_select(1, self.bin_gate)
        return torch.cat([states, bins * gates], dim=1)

    def open_gates(self, states: Tensor) -> Tensor:
        """Return for each head how far its gate is open: 1 where it has none, (batch, heads)."""
        gates = torch.ones(len(states), self.n_heads, device=states.device)
        if len(self.gated_heads) == 0:
            return gates
        return gates.index_copy(1, self.gated_heads, states[:, self.gate_rest])


class _BlockSoftmax(torch.autograd.Function):
    """Softmax within each block; sums over blocks are products with the membership matrix."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, membership: Tensor) -> Tensor:
        weights = logits.clamp(-_MOST_LOGIT, _MOST_LOGIT).exp_()
        totals = weights @ membership  # (batch, blocks)
        probabilities = weights.div_(totals @ membership.T)
        ctx.save_for_backward(probabilities, membership)
        return probabilities

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        probabilities, membership = ctx.saved_tensors
        return _jacobian(probabilities, grads[0], membership), None


class _ReinMax(torch.autograd.Function):
    """One-hot draw with the second-order straight-through gradient.

    Liu et al., "Bridging Discrete and Backpropagation: Straight-Through and Beyond", NeurIPS 2023,
    arXiv:2304.08612: for probabilities pi0, a draw D and pi1 = (D + softmax(logits / t)) / 2
    the gradient is 2 J(pi1) g - J(pi0) g / 2, where J(p) is the Jacobian of softmax at p.
    """

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        probabilities: Tensor,
        tempered: Tensor,
        hot: Tensor,
        membership: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(probabilities, (hot + tempered) / 2, membership)
        return hot

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        first, second, membership = ctx.saved_tensors
        total = _jacobian(second, grads[0], membership).mul_(2.0)
        total.sub_(_jacobian(first, grads[0], membership), alpha=0.5)
        return total, None, None, None, None


def _jacobian(probabilities: Tensor, grad: Tensor, membership: Tensor) -> Tensor:
    """Multiply `grad` by the Jacobian of the block-wise softmax."""
    weighted = probabilities * grad
    means = (weighted @ membership) @ membership.T
    return weighted.sub_(means.mul_(probabilities))


# ``Function.apply`` has no types of its own.
_block_softmax: Callable[..., Tensor] = _BlockSoftmax.apply
_reinmax: Callable[..., Tensor] = _ReinMax.apply
