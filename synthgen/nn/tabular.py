"""Generator and critic of tables."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.encode.layout import Layout
from synthgen.nn.blocks import NormedBlock, PlainBlock, low_precision
from synthgen.nn.cells import Cells, RowDistribution

#: Normal scores are clipped to this in the critic's view.
_MOST_SCORE = 3.5
#: Frequencies f of the critic's features cos(pi f u) of a rank u.
_FREQUENCIES = (2, 3, 4, 5)


class TabularGenerator(nn.Module):
    """Latent vector to a distribution of rows: a latent mixture of products.

    Parameters
    ----------
    layout : Layout
    latent : int
        Length of the latent vector.
    width, blocks : int
        Size of the trunk.
    condition : int
        Length of a condition vector that is appended to the latent vector; usually 0.
    low_precision : bool
        Whether matrix products run in bfloat16.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        latent: int,
        width: int,
        blocks: int,
        condition: int = 0,
        low_precision: bool = False,
    ) -> None:
        super().__init__()
        self.latent = latent
        self.condition = condition
        self.low_precision = low_precision
        self.cells = Cells(layout)
        n_states, n_heads = self.cells.n_states, self.cells.n_heads
        self.trunk = nn.Sequential(
            nn.Linear(latent + condition, width),
            *(NormedBlock(width) for _ in range(blocks)),
            nn.LayerNorm(width),
        )
        self.heads = nn.Linear(width, n_states + 2 * n_heads)
        with torch.no_grad():
            # Every column starts near its marginal distribution. States start far enough apart
            # between rows for pairs to be told from independence; means stay close together.
            shares = [block.frequencies for block in layout.blocks]
            frequencies = np.concatenate(shares) if shares else np.empty(0)
            self.heads.weight.mul_(3.0)
            self.heads.weight[n_states:].mul_(0.1)
            self.heads.bias.zero_()
            self.heads.bias[:n_states] = torch.as_tensor(
                np.log(np.maximum(frequencies, 1e-8)) / 2, dtype=torch.float32
            )

    def forward(self, z: Tensor) -> RowDistribution:  # z: (batch, latent + condition)
        """Return the distribution of one row for each latent vector."""
        with low_precision(z.device, self.low_precision):
            h = self.trunk(z)  # (batch, width)
        # In training in full precision: bfloat16 rounds log-probabilities to a per cent or so.
        with low_precision(z.device, self.low_precision and not self.training):
            out = self.heads(h if not self.training else h.float())  # (batch, states + 2 heads)
        n_states, n_heads = self.cells.n_states, self.cells.n_heads
        logits = out[:, :n_states].float() * 2.0
        mean = out[:, n_states : n_states + n_heads].float()
        spread = out[:, n_states + n_heads :].float().clamp(-6.0, 2.0).exp()
        return RowDistribution(logits, mean, spread)


class CriticInput(nn.Module):
    """Rows as the critic sees them.

    States come as zeros and ones, with the rank and the squashed value of numeric levels beside
    them. A head comes as its score v, rank u, squashed value, cos(pi f u), and one indicator for
    each atom, all zero where its gate is closed.

    Parameters
    ----------
    layout : Layout
    """

    level_features: Tensor
    atom_bins: Tensor
    atom_head: Tensor
    hinges: Tensor
    slopes: Tensor
    curve_start: Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.cells = Cells(layout)
        self._buffer("level_features", _level_features(layout))
        self._add_atoms(layout)
        self._add_curves(layout)
        n_heads, n_atoms = self.cells.n_heads, len(self.atom_bins)
        self.width = self.cells.n_states + self.level_features.shape[1] + n_atoms
        self.width += n_heads * (3 + len(_FREQUENCIES))

    def _buffer(self, name: str, value: np.ndarray | Tensor) -> None:
        tensor = torch.as_tensor(value)
        tensor = tensor.float() if tensor.is_floating_point() else tensor
        self.register_buffer(name, tensor, persistent=False)

    def _add_atoms(self, layout: Layout) -> None:
        bins, owners, start = [], [], 0
        for k, head in enumerate(layout.heads):
            bins += (start + np.flatnonzero(head.atoms)).tolist()
            owners += [k] * int(head.atoms.sum())
            start += head.bins
        self._buffer("atom_bins", np.asarray(bins, dtype=np.int64))
        self._buffer("atom_head", np.asarray(owners, dtype=np.int64))

    def _add_curves(self, layout: Layout) -> None:
        # A piecewise linear curve through (edge, value) points as a sum of hinges.
        most = max((head.bins for head in layout.heads), default=1)
        hinges = np.zeros((len(layout.heads), most))
        slopes = np.zeros((len(layout.heads), most))
        start = np.zeros(len(layout.heads))
        for k, head in enumerate(layout.heads):
            edges = np.clip(head.edges, -_MOST_SCORE, _MOST_SCORE)
            width = np.maximum(np.diff(edges), 1e-3)
            slope = np.diff(head.curve) / width
            hinges[k, : head.bins] = edges[:-1]
            slopes[k, : head.bins] = np.diff(slope, prepend=0.0)
            start[k] = head.curve[0]
        self._buffer("hinges", hinges)
        self._buffer("slopes", slopes)
        self._buffer("curve_start", start)

    def forward(self, states: Tensor, scores: Tensor, bins: Tensor | None = None) -> Tensor:
        """Return the critic's features.

        Parameters
        ----------
        states : Tensor of shape (batch, states)
            Zeros and ones, possibly carrying a gradient.
        scores : Tensor of shape (batch, heads)
        bins : Tensor of shape (batch, bins), optional
            Bin probabilities of generated rows, for the gradient of the atoms' indicators.

        Returns
        -------
        Tensor of shape (batch, width)
        """
        parts = [states, states @ self.level_features]
        if self.cells.n_heads:
            gates = self.cells.open_gates(states)  # (batch, heads)
            v, atoms = self._snap(scores, bins)
            v = v.clamp(-_MOST_SCORE, _MOST_SCORE)
            u = 0.5 * (1.0 + torch.erf(v * math.sqrt(0.5)))
            raised = (v[:, :, None] - self.hinges).clamp(min=0.0)
            curve = self.curve_start + (raised * self.slopes).sum(2)
            waves = [torch.cos(math.pi * f * u) for f in _FREQUENCIES]
            parts += [view * gates for view in (v, (2 * u - 1) * math.sqrt(3.0), curve, *waves)]
            parts.append(atoms * gates[:, self.atom_head])
        return torch.cat(parts, dim=1)

    def _snap(self, scores: Tensor, bins: Tensor | None) -> tuple[Tensor, Tensor]:
        """Move scores inside an atom to its middle and return the atoms' indicators."""
        if len(self.atom_bins) == 0:
            return scores, scores[:, :0]
        with torch.no_grad():
            place = self.cells.locate(scores)  # (batch, heads)
            shift = self.cells.shift_to_atoms(scores, place)
            owner_start = self._bin_starts()[self.atom_head]
            hot = (place[:, self.atom_head] + owner_start == self.atom_bins).float()
        if bins is None:
            return scores + shift, hot
        chance = bins[:, self.atom_bins]
        return scores + shift, hot + chance - chance.detach()

    def _bin_starts(self) -> Tensor:
        most = self.cells.edges.shape[1] - 1
        heads = torch.div(self.cells.bin_places, most, rounding_mode="floor")
        counts = torch.bincount(heads, minlength=self.cells.n_heads)
        return counts.cumsum(0) - counts


class TabularCritic(nn.Module):
    """Scores rows: higher means more like real ones.

    Parameters
    ----------
    features : int
        Length of the input.
    width, blocks : int
        Size of the network.
    pack : int
        Number of rows that are judged together (Lin et al., PacGAN, arXiv:1712.04086).
    low_precision : bool
        Whether matrix products run in bfloat16.
    """

    def __init__(
        self,
        features: int,
        *,
        width: int,
        blocks: int,
        pack: int = 1,
        low_precision: bool = False,
    ) -> None:
        super().__init__()
        self.pack = pack
        self.low_precision = low_precision
        self.net = nn.Sequential(
            nn.Linear(features * pack, width),
            *(PlainBlock(width) for _ in range(blocks)),
            nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:  # x: (batch, features)
        """Return one score per group of `pack` rows, (batch / pack,)."""
        x = x.reshape(len(x) // self.pack, -1)
        with low_precision(x.device, self.low_precision):
            scores: Tensor = self.net(x)
        return scores[:, 0].float()


def _level_features(layout: Layout) -> np.ndarray:
    """Return the matrix that turns states into the numbers they stand for, (states, features)."""
    columns = []
    for start, block in zip(layout.block_starts, layout.blocks, strict=False):
        for k in range(block.features.shape[1]):
            column = np.zeros(layout.n_states)
            column[start : start + block.size] = block.features[:, k]
            columns.append(column)
    return np.stack(columns, axis=1) if columns else np.empty((layout.n_states, 0))
