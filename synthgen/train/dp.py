"""Private updates of a critic: clipped, noised gradients by Opacus, which only this file imports.

The gradient of every record is clipped to one norm by ghost clipping or by functorch, the clipped
gradients are summed, noise from the operating system is added, and the result is divided by a
constant. What can silently undo that is checked at every update:

- scores and losses have one number per record and no second axis, since Opacus' ghost clipping
  multiplies losses of shape (batch, 1) by the wrong coefficients;
- every parameter has got a norm for every record in this very update, none is left from another;
- no record's score depends on another record, which is tried out before the first update;
- matrix products run in full precision, and records are clipped a hair below the norm that the
  noise is made for, so that rounding cannot lift one above it.

References
----------
Abadi et al., "Deep Learning with Differential Privacy", CCS 2016, arXiv:1607.00133. Goodfellow,
"Efficient Per-Example Gradient Computations", arXiv:1510.01799. Yousefpour et al., "Opacus",
arXiv:2109.12298. Bie, Kamath, Zhang, "Private GANs, Revisited", TMLR 2023, arXiv:2302.02936.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch
from opacus.grad_sample import GradSampleModuleFastGradientClipping
from opacus.optimizers import DPOptimizerFastGradientClipping
from opacus.utils.fast_gradient_clipping_utils import DPTensorFastGradientClipping
from torch import Tensor, nn
from torch.nn.functional import relu, softplus

from synthgen.core.params import check_choice
from synthgen.dp.errors import PrivacyError
from synthgen.dp.events import Event
from synthgen.dp.noise import NoiseSource, gaussian, grid_step, round_to_grid
from synthgen.train.dp_checks import check_critic, check_independence, check_optimiser

#: Ways to find the norms of single records' gradients.
CLIPPINGS: Final = ("ghost", "functorch")
#: Records are clipped to this part of the norm that noise is made for.
_HAIR: Final = 1.0 - 1e-4
#: Values of records are cut to this, far from where float32 overflows and far above any feature.
_MOST: Final = 1e4

Loss = Callable[[Tensor], Tensor]
#: Losses of real and of fake scores, for objectives in which no record is paired with another.
SEPARABLE: Final[dict[str, tuple[Loss, Loss]]] = {
    "non_saturating": (lambda real: softplus(-real), softplus),
    "wasserstein": (torch.neg, lambda fake: fake),
    "hinge": (lambda real: relu(1.0 - real), lambda fake: relu(1.0 + fake)),
    "least_squares": (lambda real: (real - 1.0) ** 2 / 2, lambda fake: fake**2 / 2),
}


class PrivateCritic:
    """Updates a critic with noise, as often as was charged and no more.

    Parameters
    ----------
    critic : torch.nn.Module
        Scores records, (batch,). Only its own parameters are changed.
    optimiser : torch.optim.Optimizer
        Of the critic's parameters; it sees noisy gradients only.
    event : Event
        What was charged: ``sensitivity`` is the norm that gradients are clipped to, ``scale`` the
        standard deviation of the noise on their sum, ``count`` the number of updates.
    expected : float
        Public constant that the noisy sum is divided by, such as the expected number of records.
    source : NoiseSource
        Of a ledger that `event` was charged to.
    objective : str
        A key of ``SEPARABLE``.
    clipping : {"ghost", "functorch"}

    Raises
    ------
    PrivacyError
        If the critic cannot be made private.
    """

    def __init__(
        self,
        critic: nn.Module,
        optimiser: torch.optim.Optimizer,
        event: Event,
        *,
        expected: float,
        source: NoiseSource,
        objective: str = "non_saturating",
        clipping: str = "ghost",
    ) -> None:
        check_choice("objective", objective, tuple(SEPARABLE))
        check_choice("clipping", clipping, CLIPPINGS)
        check_critic(critic)
        check_optimiser(critic, optimiser)
        if event.mechanism != "gaussian":
            raise PrivacyError(f"Gradients are charged as a Gaussian event, got {event}.")
        self.event, self.updates = event, 0
        self._losses = SEPARABLE[objective]
        self._critic = critic
        self._module = _ClippedModule(
            critic,
            loss_reduction="sum",
            strict=True,
            force_functorch=clipping == "functorch",
            use_ghost_clipping=clipping == "ghost",
            max_grad_norm=event.sensitivity * _HAIR,
        )
        # Whoever else calls the critic, such as the generator, leaves nothing behind in it.
        self._module.disable_hooks()
        self._optimiser = _NoisyOptimiser(optimiser, event, expected, source)
        self._tried = False

    def update(self, real: Tensor, fake: Tensor) -> Tensor:
        """Change the critic once, by any number of real records and some fake ones.

        Parameters
        ----------
        real : Tensor of shape (n, ...)
            A Poisson sample of the records; it may be empty.
        fake : Tensor of shape (m, ...)
            Generated records, as many in every update; at least one.

        Returns
        -------
        Tensor of shape (m,)
            The scores of the fake records before the update: they tell nothing about real ones
            that earlier updates have not told.

        Raises
        ------
        PrivacyError
            If all updates that were charged are done, or if clipping could not be right.
        """
        if self.updates >= self.event.count:
            raise PrivacyError(
                f"{self.event.count} noisy updates were charged and all are done; plan more steps "
                "before training."
            )
        if not self._tried:
            check_independence(self._critic, fake.shape[1:], fake.device)
            self._tried = True
        self.updates += 1
        scores = self._sum_clipped(real.detach(), fake.detach())
        self._optimiser.step()
        return scores

    def _sum_clipped(self, real: Tensor, fake: Tensor) -> Tensor:
        """Leave the sum of clipped gradients in the parameters' ``grad``; return fake scores."""
        # A value that is no number, or overflows, would spoil the sum and give its record away.
        records = torch.cat([real, fake]).nan_to_num(0.0).clamp(-_MOST, _MOST)
        with self._recording(), exact_products(records.device), warnings.catch_warnings():
            # Opacus' hooks need the gradient of a layer's output; that of the records is not asked.
            warnings.filterwarnings("ignore", "Full backward hook is firing")
            scores: Tensor = self._module(records)
            losses = self._record_losses(scores, len(real))
            self._module.n_records = len(records)
            DPTensorFastGradientClipping(
                self._module, self._optimiser, losses, loss_reduction="sum"
            ).backward()
        return scores.detach()[len(real) :]

    def clipped_sum(self, real: Tensor, fake: Tensor) -> list[Tensor]:
        """Return the sum of clipped gradients by parameter, without noise.

        For tests and audits: whoever publishes it publishes the records.
        """
        self._sum_clipped(real.detach(), fake.detach())
        found = [p.grad.detach().clone() for p in self._optimiser.params]
        self._optimiser.zero_grad(set_to_none=True)
        return found

    def _record_losses(self, scores: Tensor, n_real: int) -> Tensor:
        on_real, on_fake = self._losses
        losses = torch.cat([on_real(scores[:n_real]), on_fake(scores[n_real:])])
        if scores.dim() != 1 or losses.shape != scores.shape:
            raise PrivacyError(
                f"A private critic gives one score per record, of shape ({len(scores)},); got "
                f"{tuple(scores.shape)}. With a second axis, clipping would silently fail."
            )
        return losses

    @contextmanager
    def _recording(self) -> Iterator[None]:
        for parameter in self._critic.parameters():
            parameter._norm_sample = None  # type: ignore[attr-defined]  # set by Opacus
        was_training = self._critic.training
        self._module.enable_hooks()
        self._module.train()
        try:
            yield
        except NotImplementedError as error:
            # What Opacus raises for a parameter that a pass uses twice.
            raise PrivacyError(
                f"The critic's gradients cannot be clipped by record: {error}. Use each layer once "
                "in a pass, or clipping='functorch'."
            ) from error
        finally:
            self._module.disable_hooks()
            self._critic.train(was_training)

    def release(self) -> None:
        """Take everything that Opacus hung onto the critic off again."""
        self._module.remove_hooks()
        for parameter in self._critic.parameters():
            for name in ("grad_sample", "summed_grad", "_norm_sample", "_forward_counter"):
                if hasattr(parameter, name):
                    delattr(parameter, name)
            parameter.grad = None


class _ClippedModule(GradSampleModuleFastGradientClipping):
    """Opacus' hooks, which refuse to clip by norms that are missing or left from another batch."""

    n_records: int = 0

    def get_norm_sample(self) -> Tensor:
        """Return the norm of each record's gradient."""
        for name, parameter in self._module.named_parameters():
            norms = getattr(parameter, "_norm_sample", None)
            if parameter.requires_grad and (norms is None or norms.shape != (self.n_records,)):
                raise PrivacyError(
                    f"The critic's parameter {name!r} got no norm for each record, so its gradient "
                    "cannot be clipped. Use plain layers (linear, convolution, layer norm), each "
                    "once in a pass."
                )
        norms_of_records: Tensor = super().get_norm_sample()
        return norms_of_records


class _NoisyOptimiser(DPOptimizerFastGradientClipping):
    """Opacus' optimiser with noise from the operating system and a constant divisor."""

    def __init__(
        self, optimiser: torch.optim.Optimizer, event: Event, expected: float, source: NoiseSource
    ) -> None:
        super().__init__(
            optimizer=optimiser,
            noise_multiplier=1.0 / event.ratio,
            max_grad_norm=event.sensitivity,
            expected_batch_size=None,
            loss_reduction="sum",
        )
        self._scale, self._expected, self._source = event.scale, expected, source

    def add_noise(self) -> None:
        """Add noise to the sums, in float64 and rounded to a public grid."""
        parameters: list[Tensor] = self.params
        sums = torch.cat([p.summed_grad.reshape(-1) for p in parameters])  # type: ignore[attr-defined]  # set by Opacus
        exact = sums.double().cpu().numpy()
        # Weights that overflow do so whatever the records are.
        exact = np.where(np.isfinite(exact), exact, 0.0)
        noisy = exact + gaussian(self._source, len(exact), self._scale)
        step = grid_step(self._scale, most=float("inf"))
        noisy = round_to_grid(noisy, step) / self._expected
        gradient = torch.from_numpy(noisy).to(sums.device, sums.dtype)
        start = 0
        for p in parameters:
            p.grad = gradient[start : start + p.numel()].view_as(p)
            start += p.numel()

    def scale_grad(self) -> None:
        """Do nothing: the divisor is a constant, and applied already."""


@contextmanager
def exact_products(device: torch.device) -> Iterator[None]:
    """Run matrix products and convolutions in float32, so that norms fit the gradients."""
    if device.type != "cuda":
        with torch.autocast(device.type, enabled=False):
            yield
        return
    matmul: Any = torch.backends.cuda.matmul
    before = matmul.allow_tf32
    matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(allow_tf32=False), torch.autocast("cuda", enabled=False):
            yield
    finally:
        matmul.allow_tf32 = before
