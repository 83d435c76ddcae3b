"""Terms that change what the critic sees of real and fake images alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from synthgen.nn.augment import augment
from synthgen.train.pixels import map_images

State = dict[str, Tensor]


@dataclass(frozen=True)
class InstanceNoise:
    """Noise on all images that fades out (Sonderby et al., arXiv:1610.04490).

    Parameters
    ----------
    spread : float
        Standard deviation at first, of pixels in [-1, 1].
    until : float
        Share of training after which there is none.
    """

    spread: float = 0.1
    until: float = 0.5
    side: ClassVar[str] = "input"
    needs: ClassVar[frozenset[str]] = frozenset({"images"})
    conflicts: ClassVar[frozenset[str]] = frozenset()

    def start(self) -> State:
        """Return the state before the first step."""
        return {"spread": torch.tensor(self.spread)}

    def __call__(self, critic: Any, records: Tensor, state: State, rng: torch.Generator) -> Tensor:
        """Return the records as the critic sees them."""
        spread = float(state["spread"])
        if spread <= 0.0:
            return records

        def noisy(images: Tensor) -> Tensor:
            return images + spread * torch.randn(images.shape, generator=rng, device=images.device)

        return map_images(critic, records, noisy)

    def observe(self, real: Tensor, share: float, state: State) -> State:
        """Return the next state from the critic's real scores and the share of training done."""
        left = 1.0 - share / self.until if share < self.until else 0.0
        return {"spread": torch.tensor(self.spread * left)}


@dataclass(frozen=True)
class DiffAugment:
    """Differentiable augmentation of real and fake images (Zhao et al., arXiv:2006.10738).

    Parameters
    ----------
    policy : str
        Names of :func:`synthgen.nn.augment.augment`, with commas between.
    p : float
        Chance of each augmentation, in the end.
    ramp : float
        Share of training over which the chance rises from 0 along a cosine.
    """

    policy: str = "translation"
    p: float = 1.0
    ramp: float = 0.0
    side: ClassVar[str] = "input"
    needs: ClassVar[frozenset[str]] = frozenset({"images"})
    conflicts: ClassVar[frozenset[str]] = frozenset({"ada"})

    def start(self) -> State:
        """Return the state before the first step."""
        return {"p": torch.tensor(0.0 if self.ramp > 0 else self.p)}

    def __call__(self, critic: Any, records: Tensor, state: State, rng: torch.Generator) -> Tensor:
        """Return the records as the critic sees them."""
        return augmented(critic, records, self.policy, rng, float(state["p"]))

    def observe(self, real: Tensor, share: float, state: State) -> State:
        """Return the next state from the critic's real scores and the share of training done."""
        if self.ramp <= 0:
            return state
        phase = torch.tensor(min(share / self.ramp, 1.0) * torch.pi)
        return {"p": self.p * 0.5 * (1.0 - torch.cos(phase))}


@dataclass(frozen=True)
class AdaptiveAugment:
    """Augmentation whose chance follows the critic's overfitting (ADA, arXiv:2006.06676).

    Parameters
    ----------
    policy : str
        Names of :func:`synthgen.nn.augment.augment`, with commas between.
    target : float
        Mean sign of real scores to hold.
    images : float
        Images after which the chance could have gone from 0 to 1.
    most : float
        Largest chance: beyond it augmentations show in the results.
    after : float
        Real images that the critic sees before the chance may rise: one that saw every image a few
        times only is sure because it is good, not because it knows them by heart.
    """

    policy: str = "translation,colour,cutout"
    target: float = 0.6
    images: float = 50_000.0
    most: float = 0.8
    after: float = 0.0
    side: ClassVar[str] = "input"
    needs: ClassVar[frozenset[str]] = frozenset({"images"})
    #: Games whose scores of real records are positive if the critic is sure of them.
    needs_one_of: ClassVar[frozenset[str]] = frozenset({"non_saturating", "hinge", "f_js"})
    # Their scores mean something only as differences.
    conflicts: ClassVar[frozenset[str]] = frozenset({"diffaug", "relativistic", "wasserstein"})

    def start(self) -> State:
        """Return the state before the first step."""
        return {"p": torch.tensor(0.0), "sign": torch.tensor(0.0), "seen": torch.tensor(0.0)}

    def __call__(self, critic: Any, records: Tensor, state: State, rng: torch.Generator) -> Tensor:
        """Return the records as the critic sees them."""
        p = float(state["p"])
        return augmented(critic, records, self.policy, rng, p) if p > 0 else records

    def observe(self, real: Tensor, share: float, state: State) -> State:
        """Return the next state from the critic's real scores and the share of training done."""
        sign = torch.lerp(real.sign().mean().cpu(), state["sign"], 0.75)
        seen = state["seen"] + len(real)
        move = torch.sign(sign - self.target) * (len(real) / self.images)
        rises = (state["p"] + move).clamp(0.0, self.most)
        return {"p": rises if seen > self.after else state["p"], "sign": sign, "seen": seen}


def augmented(critic: Any, records: Tensor, policy: str, rng: torch.Generator, p: float) -> Tensor:
    """Return records whose images are augmented."""
    names = tuple(name.strip() for name in policy.split(","))
    return map_images(critic, records, lambda images: augment(images, names, rng, p))
