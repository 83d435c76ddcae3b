"""The f-GAN family: one game per f-divergence.

Nowozin, Cseke, Tomioka, "f-GAN: Training Generative Neural Samplers using Variational Divergence
Minimization", NeurIPS 2016, arXiv:1606.00709. With the output activation g and the conjugate f* of
a divergence the critic maximises E g(real) - E f*(g(fake)). The generator maximises E g(fake), the
variant of section 3.2 whose gradient does not vanish early on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import softplus

#: Scores beyond this are continued in a straight line, so that exponentials stay finite.
_MOST_SCORE: Final = 20.0


@dataclass(frozen=True)
class FDivergence:
    """One f-divergence as an objective.

    Parameters
    ----------
    activation : callable
        g: scores to the domain of the conjugate.
    conjugate : callable
        f* of g, as a function of the score.
    """

    activation: Callable[[Tensor], Tensor]
    conjugate: Callable[[Tensor], Tensor]
    # Either gradient may vanish or explode where the other does not.
    shares_pass: bool = False
    needs_real: bool = False

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return f*(g(fake)) - g(real)."""
        return straighten(self.conjugate, fake) - straighten(self.activation, real)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return -g(fake)."""
        return -straighten(self.activation, fake)


def straighten(function: Callable[[Tensor], Tensor], score: Tensor) -> Tensor:
    """Apply a monotonous function, continued by a straight line of slope 1 for large scores."""
    inner = score.clamp(-_MOST_SCORE, _MOST_SCORE)
    return function(inner) + (score - inner)


def _alpha_activation(score: Tensor) -> Tensor:
    return 2.0 - softplus(-score)


def _alpha_conjugate(score: Tensor) -> Tensor:
    return 4.0 / softplus(-score) - 2.0


def _identity(score: Tensor) -> Tensor:
    return score


#: Objectives by name; "f_alpha" is the alpha-divergence with alpha = 1/2.
F_DIVERGENCES: Final[dict[str, FDivergence]] = {
    "f_kl": FDivergence(_identity, lambda v: torch.exp(v - 1.0)),
    "f_reverse_kl": FDivergence(lambda v: -torch.exp(-v), lambda v: v - 1.0),
    "f_pearson": FDivergence(_identity, lambda v: v**2 / 4 + v),
    "f_neyman": FDivergence(lambda v: 1.0 - torch.exp(-v), lambda v: 2.0 - 2.0 * torch.exp(-v / 2)),
    "f_hellinger": FDivergence(lambda v: 1.0 - torch.exp(-v), lambda v: torch.exp(v) - 1.0),
    "f_js": FDivergence(
        lambda v: math.log(2.0) - softplus(-v), lambda v: softplus(v) - math.log(2.0)
    ),
    "f_alpha": FDivergence(_alpha_activation, _alpha_conjugate),
}
