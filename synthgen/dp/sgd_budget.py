"""What a user asks for who has a critic trained with clipped, noised gradients."""

from __future__ import annotations

import os

from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.dp.errors import PrivacyError
from synthgen.dp.parameters import PrivacyParameters


class DPSGD(PrivacyParameters):
    """Train the critic with clipped, noised gradients on Poisson batches.

    A share of the budget goes to histograms of the columns of a table, or to mean features of
    images, first; the generator learns these at once and the rest from the critic.

    Parameters
    ----------
    epsilon : float
        How much may be told about a row.
    delta : float, optional
        As for :class:`DPMarginals`.
    max_grad_norm : float
        Euclidean norm that the gradient of each row is clipped to.
    batch_size : int
        Expected number of real rows in a batch.
    steps : int
        Updates of the critic, fixed beforehand, those with empty batches included.
    clipping : {"ghost", "functorch"}
        How norms of single rows' gradients are found.
    critic_steps : int
        Updates of the critic for each of the generator at the start.
    target_accuracy : float
        While the critic's accuracy on generated rows is below, it gets more updates.
    unit : {"row"}
        What is protected.
    adjacency : {"zero_out", "add_remove"}
        Which tables must be hard to tell apart.
    infer : {"refuse", "spend"}
        Whether categories, ranges and missing values that the schema does not declare are refused,
        or bought with a share of the budget.
    sampling_rate : float, optional
        Probability with which a row is in a batch, in the place of `batch_size` by the number of
        rows; ``adjacency="add_remove"`` needs it, since the number of rows is then private.
    one_way_share : float
        Share of the squared budget for histograms of single columns, or for mean features of
        images.
    schema_share : float
        Share for what the schema does not declare, with ``infer="spend"``; a tenth of delta too.
    atom_share : float
        Share for finding frequent single values of columns with a fine declared granularity.
    max_bins : int
        Most cells that the critic tells apart in an ordered column.
    ledger : path-like, optional
        File of a :class:`~synthgen.dp.shared.SharedLedger`, if several fits use the same data.
    allow_weak : bool
        Whether epsilon may be above 50.
    noise_seed : int, optional
        For tests only: makes the noise repeatable, and thereby the result not private.

    Examples
    --------
    >>> DPSGD(3.0, batch_size=500).sampling(10_000)
    0.05
    """

    def __init__(
        self,
        epsilon: float = 3.0,
        delta: float | None = None,
        max_grad_norm: float = 1.0,
        *,
        batch_size: int = 1024,
        steps: int = 1500,
        clipping: str = "ghost",
        critic_steps: int = 2,
        target_accuracy: float = 0.6,
        unit: str = "row",
        adjacency: str = "zero_out",
        infer: str = "refuse",
        sampling_rate: float | None = None,
        one_way_share: float = 0.1,
        schema_share: float = 0.1,
        atom_share: float = 0.02,
        max_bins: int = 32,
        ledger: str | os.PathLike[str] | None = None,
        allow_weak: bool = False,
        noise_seed: int | None = None,
    ) -> None:
        self.epsilon = epsilon
        self.delta = delta
        self.max_grad_norm = max_grad_norm
        self.batch_size = batch_size
        self.steps = steps
        self.clipping = clipping
        self.critic_steps = critic_steps
        self.target_accuracy = target_accuracy
        self.unit = unit
        self.adjacency = adjacency
        self.infer = infer
        self.sampling_rate = sampling_rate
        self.one_way_share = one_way_share
        self.schema_share = schema_share
        self.atom_share = atom_share
        self.max_bins = max_bins
        self.ledger = ledger
        self.allow_weak = allow_weak
        self.noise_seed = noise_seed

    def check(self, n_rows: int) -> None:
        """Check all parameters, see :meth:`PrivacyParameters.check`."""
        check_real("max_grad_norm", self.max_grad_norm, low=0.0, closed="neither")
        check_integer("batch_size", self.batch_size, minimum=1)
        check_integer("steps", self.steps, minimum=1)
        check_integer("critic_steps", self.critic_steps, minimum=1)
        check_integer("max_bins", self.max_bins, minimum=2)
        check_choice("clipping", self.clipping, ("ghost", "functorch"))
        check_real("target_accuracy", self.target_accuracy, low=0.0, high=1.0)
        self.check_shares(("one_way_share", "schema_share", "atom_share"), rest="training")
        self._check_sampling()
        super().check(n_rows)

    def _check_sampling(self) -> None:
        if self.adjacency == "replace_one":
            raise PrivacyError(
                "DPSGD is accounted for on Poisson batches, where a row is there or not; use "
                "adjacency='zero_out' (the number of rows is public) or 'add_remove'."
            )
        if self.sampling_rate is not None:
            check_real("sampling_rate", self.sampling_rate, low=0.0, high=1.0, closed="high")
        elif self.adjacency == "add_remove":
            raise PrivacyError(
                "With adjacency='add_remove' the number of rows is private, so batch_size by that "
                "number would give it away; say sampling_rate=..., for instance batch_size by a "
                "rough public guess, or use adjacency='zero_out'."
            )

    def sampling(self, n_rows: int) -> float:
        """Return the probability with which each row is in a batch."""
        if self.sampling_rate is not None:
            return float(self.sampling_rate)
        return min(self.batch_size / n_rows, 1.0)
