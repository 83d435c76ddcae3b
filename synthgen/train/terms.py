"""Parts of a loss beside the objective. Each says what it needs and what it cannot go with.

A term is pure: tensors in, one value per record out. A term that averages over steps keeps its
average in a state that the trainer holds and saves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Protocol

import torch
from torch import Tensor, nn

from synthgen.train.embedding_term import EmbeddingMatch
from synthgen.train.feature_terms import (
    AuxiliaryClasses,
    FeatureMatching,
    MutualInformation,
    Unrolled,
)
from synthgen.train.gradients import squared_gradient
from synthgen.train.input_terms import AdaptiveAugment, DiffAugment, InstanceNoise
from synthgen.train.path_length import PathLength
from synthgen.train.penalties import (
    NO_GRADIENTS,
    R1,
    Consistency,
    Dragan,
    LipschitzPenalty,
    Reconstruction,
)
from synthgen.train.score_terms import LabelSmoothing, LeCam, TopK

State = dict[str, Tensor]


@dataclass(frozen=True)
class Generated:
    """What the terms of the generator may look at.

    Parameters
    ----------
    cells : Tensor of shape (batch, cells) or None
        Probabilities of all cells of each row, where the generator gives explicit ones.
    condition_loss : Tensor of shape (batch,) or None
        Cross-entropy between the condition vector and the generator's output.
    vectors : Tensor of shape (batch, features) or None
        Features of each record, where mean features are matched.
    classes : Tensor of shape (batch,) or None
        Place of each record's class, beside `vectors`.
    """

    cells: Tensor | None = None
    condition_loss: Tensor | None = None
    vectors: Tensor | None = None
    classes: Tensor | None = None


class Term(Protocol):
    """What every term has.

    A term of side "generator" looks at what was generated, one of side "critic" is a penalty of the
    critic, one of side "through" is the generator's but goes through the critic, "both" is both of
    these. Of the others, "scores" look at the critic's scores, "input" changes what it sees,
    "selection" weighs fake records, "ahead" unrolls the critic's steps, and "path" looks at how
    images follow from styles.
    """

    side: ClassVar[str]
    needs: ClassVar[frozenset[str]]
    conflicts: ClassVar[frozenset[str]]


class GeneratorTerm(Term, Protocol):
    """A term of the generator's loss."""

    def start(self, targets: State) -> State:
        """Return the state before the first step."""

    def __call__(self, generated: Generated, targets: State, state: State) -> tuple[Tensor, State]:
        """Return one value per record and the next state."""


class CriticTerm(Term, Protocol):
    """A term of the critic's loss, applied every ``every`` steps."""

    every: int

    def __call__(
        self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Return one value per record."""


@dataclass(frozen=True)
class MomentMatching:
    """Match the probabilities of all pairs of cells of different columns.

    With P the (batch, cells) matrix of generated probabilities, B = P'P / batch and C columns, the
    loss is sum_ij w_ij (Mbar_ij - M_ij)^2 with w = 1 / (M + 2/n) / C^2, where Mbar is a running
    average of B: without the average the noise of one batch drowns the signal. The value returned
    for a record is linear in its P and has the gradient of that loss.

    Parameters
    ----------
    weight : float
        Factor of the term.
    decay : float
        Weight of the past in the running average.
    """

    weight: float = 1.0
    decay: float = 0.9
    side: ClassVar[str] = "generator"
    needs: ClassVar[frozenset[str]] = frozenset({"cells"})
    # Its running average moves by whole batches.
    conflicts: ClassVar[frozenset[str]] = frozenset({"accumulate"})

    def start(self, targets: State) -> State:
        """Return the real moments as the running average before the first step."""
        return {"pairs": targets["pairs"].clone(), "singles": targets["singles"].clone()}

    def __call__(self, generated: Generated, targets: State, state: State) -> tuple[Tensor, State]:
        """Return the linearised loss of each record, (batch,)."""
        cells = generated.cells
        if cells is None:
            raise ValueError("MomentMatching was given no cell probabilities.")
        fold = targets.get("fold")
        if fold is not None:
            cells = (cells.to(fold.dtype) @ fold).float()
        with torch.no_grad():
            compact = cells.to(targets["product_type"].dtype)  # (batch, cells)
            batch = (compact.T @ compact).float() / len(cells)
            pairs = torch.lerp(batch, state["pairs"], self.decay)
            singles = torch.lerp(cells.mean(0), state["singles"], self.decay)
            pull = (pairs - targets["pairs"]).mul_(targets["pair_weights"])
            pull = 4.0 * (compact @ pull.to(compact.dtype)).float()
            pull += 2.0 * (singles - targets["singles"]) * targets["single_weights"]
        return self.weight * (cells * pull).sum(1), {"pairs": pairs, "singles": singles}


@dataclass(frozen=True)
class ConditionMatch:
    """Make the generator obey its condition vector.

    Xu et al., "Modeling Tabular Data using Conditional GAN", NeurIPS 2019, arXiv:1907.00503.
    """

    weight: float = 1.0
    side: ClassVar[str] = "generator"
    needs: ClassVar[frozenset[str]] = frozenset({"condition"})
    conflicts: ClassVar[frozenset[str]] = frozenset()

    def start(self, targets: State) -> State:
        """Return an empty state."""
        return {}

    def __call__(
        self,
        generated: Generated,
        targets: State,
        state: State,
    ) -> tuple[Tensor, State]:
        """Return the cross-entropy of each record, (batch,)."""
        if generated.condition_loss is None:
            raise ValueError("ConditionMatch was given no condition.")
        return self.weight * generated.condition_loss, state


@dataclass(frozen=True)
class ZeroCentredPenalty:
    """Squared gradient norm of the critic at real (R1) and at fake records (R2).

    Mescheder et al., ICML 2018, arXiv:1801.04406; both sides as in arXiv:2501.05441. It is taken
    lazily, on half of a batch every few steps, with its weight scaled accordingly.

    Parameters
    ----------
    gamma : float
        Weight; the value is gamma / 2 times the squared norm.
    every : int
        Steps between two applications.
    """

    gamma: float = 0.05
    every: int = 4
    side: ClassVar[str] = "critic"
    needs: ClassVar[frozenset[str]] = frozenset()
    conflicts: ClassVar[frozenset[str]] = NO_GRADIENTS

    def __call__(
        self,
        critic: nn.Module,
        real: Tensor,
        fake: Tensor,
        rng: torch.Generator,
    ) -> Tensor:
        """Return the penalty of each record of half the batch."""
        pack = getattr(critic, "pack", 1)
        half = max(len(real) // 2 // pack * pack, pack)
        squares = squared_gradient(critic, torch.cat([real[:half], fake[:half]]))
        return (0.5 * self.gamma * self.every) * (squares[:half] + squares[half:])


@dataclass(frozen=True)
class GradientPenalty:
    """Push the critic's gradient norm between real and fake records to 1.

    Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, arXiv:1704.00028.
    """

    weight: float = 10.0
    every: int = 1
    side: ClassVar[str] = "critic"
    needs: ClassVar[frozenset[str]] = frozenset()
    conflicts: ClassVar[frozenset[str]] = NO_GRADIENTS

    def __call__(
        self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Return the penalty of each record."""
        pack = getattr(critic, "pack", 1)
        share = torch.rand(len(real) // pack, 1, generator=rng, device=real.device)
        share = share.repeat_interleave(pack, dim=0)
        squares = squared_gradient(critic, share * real + (1 - share) * fake)
        squares = squares.reshape(-1, pack).sum(1)
        return self.weight * ((squares + 1e-12).sqrt() - 1.0) ** 2


@dataclass(frozen=True)
class WeightClipping:
    """Keep every weight of the critic in [-limit, limit] (arXiv:1701.07875)."""

    limit: float = 0.01
    side: ClassVar[str] = "critic"
    needs: ClassVar[frozenset[str]] = frozenset({"wasserstein"})
    conflicts: ClassVar[frozenset[str]] = frozenset({"gradient_penalty", "zero_centred_penalty"})

    def after_step(self, critic: nn.Module) -> None:
        """Clip the weights in place."""
        with torch.no_grad():
            for parameter in critic.parameters():
                parameter.clamp_(-self.limit, self.limit)


TERMS: Final[dict[str, Callable[..., Any]]] = {
    "moments": MomentMatching,
    "condition_match": ConditionMatch,
    "embedding": EmbeddingMatch,
    "zero_centred_penalty": ZeroCentredPenalty,
    "gradient_penalty": GradientPenalty,
    "weight_clipping": WeightClipping,
    "r1": R1,
    "dragan": Dragan,
    "lipschitz_penalty": LipschitzPenalty,
    "consistency": Consistency,
    "reconstruction": Reconstruction,
    "label_smoothing": LabelSmoothing,
    "lecam": LeCam,
    "top_k": TopK,
    "instance_noise": InstanceNoise,
    "diffaug": DiffAugment,
    "ada": AdaptiveAugment,
    "feature_matching": FeatureMatching,
    "auxiliary_classes": AuxiliaryClasses,
    "mutual_information": MutualInformation,
    "unrolled": Unrolled,
    "path_length": PathLength,
}


@dataclass(frozen=True)
class TermSpec:
    """A term by name, with its parameters.

    Parameters
    ----------
    name : str
        Key of ``TERMS``.
    parameters : dict of str to number or str
        Keyword arguments of the term.
    """

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Any:
        """Return the term."""
        return TERMS[self.name](**self.parameters)
