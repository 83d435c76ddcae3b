"""What generator and critic play for.

An objective turns the critic's scores of real and fake records into one loss per record; it neither
steps nor logs. Scores come as raw logits of shape (batch,).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from torch import Tensor
from torch.nn.functional import relu, softplus

from synthgen.train.f_divergences import F_DIVERGENCES


class Objective(Protocol):
    """A pair of losses."""

    @property
    def shares_pass(self) -> bool:
        """Whether one pass through the critic serves both players.

        That is so if the generator's gradient is the critic's times a factor per record that never
        needs a division by zero.
        """

    @property
    def needs_real(self) -> bool:
        """Whether the generator's loss depends on the real scores."""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the critic's loss per record."""

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the generator's loss per record."""


@dataclass(frozen=True)
class Relativistic:
    """Paired logistic loss of the score difference.

    Jolicoeur-Martineau, arXiv:1807.00734; with zero-centred penalties on both sides Huang et al.,
    "The GAN is dead; long live the GAN!", NeurIPS 2024, arXiv:2501.05441.
    """

    shares_pass: bool = True
    needs_real: bool = True

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return softplus(fake - real)."""
        return softplus(fake - real)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return softplus(real - fake)."""
        return softplus(real - fake)


@dataclass(frozen=True)
class NonSaturating:
    """The original game with the generator loss that does not saturate.

    Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, arXiv:1406.2661.
    """

    shares_pass: bool = True
    needs_real: bool = False

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the binary cross-entropy of real against fake."""
        return softplus(-real) + softplus(fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return -log D(fake)."""
        return softplus(-fake)


@dataclass(frozen=True)
class Wasserstein:
    """Difference of mean scores of a Lipschitz critic.

    Arjovsky et al., "Wasserstein GAN", ICML 2017, arXiv:1701.07875.
    """

    shares_pass: bool = True
    needs_real: bool = False

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return fake - real."""
        return fake - real

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return -fake."""
        return -fake


@dataclass(frozen=True)
class LeastSquares:
    """Squared distance of the scores to 1 (real) and 0 (fake).

    Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, arXiv:1611.04076.
    """

    # The critic's gradient vanishes at a fake score of 0, where the generator's does not.
    shares_pass: bool = False
    needs_real: bool = False

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return ((real - 1)^2 + fake^2) / 2."""
        return ((real - 1.0) ** 2 + fake**2) / 2

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return (fake - 1)^2 / 2."""
        return (fake - 1.0) ** 2 / 2


@dataclass(frozen=True)
class Hinge:
    """Scores of real and fake records are pushed apart until the margin is reached.

    Lim and Ye, "Geometric GAN", arXiv:1705.02894; Miyato et al., ICLR 2018, arXiv:1802.05957.
    """

    # The critic's gradient vanishes at fake scores below -1, where the generator's does not.
    shares_pass: bool = False
    needs_real: bool = False

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return max(0, 1 - real) + max(0, 1 + fake)."""
        return relu(1.0 - real) + relu(1.0 + fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return -fake."""
        return -fake


OBJECTIVES: Final[dict[str, Objective]] = {
    "relativistic": Relativistic(),
    "non_saturating": NonSaturating(),
    "wasserstein": Wasserstein(),
    "least_squares": LeastSquares(),
    "hinge": Hinge(),
    **F_DIVERGENCES,
}
