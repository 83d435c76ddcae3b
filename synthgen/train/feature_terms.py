"""Terms of the generator that go through the critic: its features and its further outputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor


@dataclass(frozen=True)
class FeatureMatching:
    """Match the mean of the critic's last features (Salimans et al., arXiv:1606.03498)."""

    weight: float = 1.0
    side: ClassVar[str] = "through"
    needs: ClassVar[frozenset[str]] = frozenset({"images"})
    conflicts: ClassVar[frozenset[str]] = frozenset({"accumulate"})
    needs_real: ClassVar[bool] = True

    def __call__(self, critic: Any, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        """Return the squared distance of the means, the same for each record."""
        with torch.no_grad():
            wanted = critic.features(real).mean(0)
        distance = (critic.features(fake).mean(0) - wanted).square().sum()
        value: Tensor = self.weight * distance.expand(len(fake))
        return value


@dataclass(frozen=True)
class AuxiliaryClasses:
    """The critic names the classes too (ACGAN: Odena et al., arXiv:1610.09585)."""

    weight: float = 1.0
    every: int = 1
    side: ClassVar[str] = "both"
    needs: ClassVar[frozenset[str]] = frozenset({"class_head"})
    conflicts: ClassVar[frozenset[str]] = frozenset()
    needs_real: ClassVar[bool] = False

    def __call__(self, critic: Any, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        """Return the cross-entropy of each fake record, plus that of the real one if there is."""
        loss = critic.class_loss(fake)
        value: Tensor = self.weight * (loss if real is None else loss + critic.class_loss(real))
        return value


@dataclass(frozen=True)
class MutualInformation:
    """Codes that can be read off the image (InfoGAN: Chen et al., arXiv:1606.03657).

    Parameters
    ----------
    weight : float
    categories : int
        Values of the categorical code; 0 for none.
    continuous : int
        Number of codes that are uniform on [-1, 1].
    continuous_weight : float
        Of their share; a density has no bound, and would drown the game otherwise.
    """

    weight: float = 1.0
    categories: int = 10
    continuous: int = 2
    continuous_weight: float = 0.1
    every: int = 1
    side: ClassVar[str] = "both"
    needs: ClassVar[frozenset[str]] = frozenset({"images"})
    conflicts: ClassVar[frozenset[str]] = frozenset()
    needs_real: ClassVar[bool] = False

    def __call__(self, critic: Any, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        """Return the cross-entropy of the codes of each record, (batch,)."""
        value: Tensor = self.weight * critic.code_loss(fake, self.continuous_weight)
        return value

    def figure(self, value: float) -> tuple[str, float]:
        """Return the lower bound of the mutual information, in nats, for the history.

        Continuous codes count by their weight.
        """
        entropy = math.log(max(self.categories, 1))
        entropy += self.continuous_weight * self.continuous * math.log(2.0)
        return "mutual_information", entropy - value / self.weight


@dataclass(frozen=True)
class Unrolled:
    """The generator plays against the critic some steps ahead (Metz et al., arXiv:1611.02163).

    Parameters
    ----------
    steps : int
        Gradient steps of the critic to look ahead, through which the generator differentiates.
    rate : float
        Their learning rate.
    """

    steps: int = 3
    rate: float = 0.01
    side: ClassVar[str] = "ahead"
    needs: ClassVar[frozenset[str]] = frozenset()
    # Its forward pass changes buffers in place, which cannot be differentiated twice.
    conflicts: ClassVar[frozenset[str]] = frozenset(
        {"spectral_norm", "weight_clipping", "accumulate"}
    )
