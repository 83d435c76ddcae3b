"""The term that makes mean features of generated records those that were released."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor


@dataclass(frozen=True)
class EmbeddingMatch:
    """Match the released mean features of each class.

    With m_c the mean features of a class and t_c the released ones, the loss is the mean over
    classes of |m_c - t_c|^2. The square of a batch's mean would be too large by the variance of the
    features and teach the generator to vary less, so a batch is cut into two halves with means a
    and b, and (a_c - t_c) . (b_c - t_c) estimates the square without bias.

    Parameters
    ----------
    weight : float
        Factor of the term.

    References
    ----------
    Gretton et al., "A Kernel Two-Sample Test", JMLR 2012, lemma 6.
    """

    weight: float = 1.0
    side: ClassVar[str] = "generator"
    needs: ClassVar[frozenset[str]] = frozenset({"images"})
    conflicts: ClassVar[frozenset[str]] = frozenset()

    def start(self, targets: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return an empty state."""
        del targets
        return {}

    def __call__(
        self, generated: Any, targets: dict[str, Tensor], state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, once for each record."""
        vectors, classes = generated.vectors, generated.classes
        if vectors is None or classes is None:
            raise ValueError("EmbeddingMatch was given no features.")
        wanted = targets["embedding"]
        gaps, seen = [], []
        for half in (slice(0, None, 2), slice(1, None, 2)):
            hot = torch.nn.functional.one_hot(classes[half], len(wanted)).to(vectors.dtype)
            counts = hot.sum(0)
            gaps.append(hot.T @ vectors[half] / counts.clamp_min(1.0)[:, None] - wanted)
            seen.append(counts > 0)
        both = (seen[0] & seen[1]).to(vectors.dtype) * targets["embedding_weights"]
        each = (gaps[0] * gaps[1]).sum(1)
        loss = self.weight * (each * both).sum() / both.sum().clamp_min(1e-12)
        return loss.expand(len(vectors)), state
