"""Terms that look at nothing but the critic's scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

State = dict[str, Tensor]


@dataclass(frozen=True)
class LabelSmoothing:
    """Real records have the target 1 - amount (Salimans et al., arXiv:1606.03498).

    Both for the logistic and for the squared loss this adds amount x score, up to a constant.
    """

    amount: float = 0.1
    side: ClassVar[str] = "scores"
    needs: ClassVar[frozenset[str]] = frozenset()
    needs_one_of: ClassVar[frozenset[str]] = frozenset({"non_saturating", "least_squares"})
    conflicts: ClassVar[frozenset[str]] = frozenset()
    touches_fake: ClassVar[bool] = False

    def start(self) -> State:
        """Return an empty state."""
        return {}

    def __call__(self, real: Tensor, fake: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the addition to the critic's loss of each record, and the next state."""
        return self.amount * real, state


@dataclass(frozen=True)
class LeCam:
    """Keep scores near the running mean of the other side's (Tseng et al., arXiv:2104.03310).

    Parameters
    ----------
    weight : float
    decay : float
        Of the running means.
    """

    weight: float = 0.3
    decay: float = 0.99
    side: ClassVar[str] = "scores"
    needs: ClassVar[frozenset[str]] = frozenset()
    conflicts: ClassVar[frozenset[str]] = frozenset({"relativistic"})
    touches_fake: ClassVar[bool] = True

    def start(self) -> State:
        """Return both running means at zero."""
        return {"real": torch.zeros(()), "fake": torch.zeros(())}

    def __call__(self, real: Tensor, fake: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the penalty of each record and the moved means."""
        mean_real, mean_fake = (state[name].to(real.device) for name in ("real", "fake"))
        value = (real - mean_fake).relu() ** 2 + (mean_real - fake).relu() ** 2
        moved = {
            "real": torch.lerp(real.detach().mean(), mean_real, self.decay),
            "fake": torch.lerp(fake.detach().mean(), mean_fake, self.decay),
        }
        return self.weight * value, moved


@dataclass(frozen=True)
class TopK:
    """The generator learns from its best images only (Sinha et al., arXiv:2002.06224).

    Parameters
    ----------
    least : float
        Share of the batch that is left in the end.
    until : float
        Share of training over which the share falls from 1.
    """

    least: float = 0.5
    until: float = 0.5
    side: ClassVar[str] = "selection"
    needs: ClassVar[frozenset[str]] = frozenset()
    conflicts: ClassVar[frozenset[str]] = frozenset({"accumulate"})

    def weights(self, scores: Tensor, share: float) -> Tensor:
        """Return the weight of each fake record; they add up to the size of the batch."""
        part = 1.0 - (1.0 - self.least) * min(share / max(self.until, 1e-9), 1.0)
        count = max(round(part * len(scores)), 1)
        kept = torch.zeros_like(scores)
        kept[scores.topk(count).indices] = len(scores) / count
        return kept
