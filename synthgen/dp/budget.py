"""What a user asks for: the value objects that go into ``privacy=``.

They hold parameters and nothing else, so that they can be cloned, printed and searched over. Checks
happen in :meth:`check`, which a fit calls first; a fit never writes to them.
"""

from __future__ import annotations

import math
import os
import warnings
from typing import Final

from sklearn.base import BaseEstimator

from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.dp.errors import PrivacyError, PrivacyWarning
from synthgen.dp.events import ADJACENCIES
from synthgen.dp.ledger import Ledger
from synthgen.dp.noise import noise_source
from synthgen.errors import InvalidParameterError

#: Fewer rows than this cannot be modelled with any useful noise.
FEWEST_ROWS: Final = 500
#: Above this epsilon a user is warned, and above the other one refused.
WEAK: Final = 10.0
VOID: Final = 50.0


class PrivacyParameters(BaseEstimator):
    """What both ways of private training have in common; use a subclass.

    The attributes ``epsilon``, ``delta``, ``unit``, ``adjacency``, ``infer``, ``ledger``,
    ``allow_weak`` and ``noise_seed`` are documented there.
    """

    epsilon: float
    delta: float | None
    unit: str
    adjacency: str
    infer: str
    ledger: str | os.PathLike[str] | None
    allow_weak: bool
    noise_seed: int | None

    def check(self, n_rows: int) -> None:
        """Check that the parameters can give a guarantee for a table of `n_rows` rows.

        Raises
        ------
        InvalidParameterError
            If a parameter has a value that cannot work.
        PrivacyError
            If the guarantee would mean nothing, or the table is too small.

        Warns
        -----
        PrivacyWarning
            If epsilon or delta are large.
        """
        self._check_guarantee(n_rows)
        check_choice("adjacency", self.adjacency, ADJACENCIES)
        check_choice("infer", self.infer, ("refuse", "spend"))
        check_choice("allow_weak", self.allow_weak, (True, False))
        if self.noise_seed is not None:
            check_integer("noise_seed", self.noise_seed, minimum=0)
            warnings.warn(
                "noise_seed makes the noise repeatable, so the result is not private at all; it is "
                "for tests only.",
                PrivacyWarning,
                stacklevel=2,
            )

    def _check_guarantee(self, n_rows: int) -> None:
        if isinstance(self.epsilon, float) and math.isinf(self.epsilon):
            raise PrivacyError(
                "epsilon is infinite, which is no privacy; use privacy=None to train without."
            )
        check_real("epsilon", self.epsilon, low=0.0, closed="neither")
        if self.unit != "row":
            raise PrivacyError(
                f"unit must be 'row', got {self.unit!r}: one row is what the guarantee protects. "
                "If a person has several rows, aggregate them to one row per person first, or "
                "divide epsilon by the largest number of rows of a person."
            )
        if n_rows < FEWEST_ROWS:
            raise PrivacyError(
                f"A private model needs at least {FEWEST_ROWS} rows, got {n_rows}: with fewer, "
                "noise drowns the data. Publish a few noisy counts instead."
            )
        if self.epsilon > VOID and not self.allow_weak:
            raise PrivacyError(
                f"epsilon = {self.epsilon:g} protects nobody; choose at most {WEAK:g}, or say "
                "allow_weak=True."
            )
        if self.epsilon > WEAK:
            warnings.warn(
                f"epsilon = {self.epsilon:g} is a weak guarantee; 1 to 3 is common.",
                PrivacyWarning,
                stacklevel=3,
            )
        if self.delta is not None:
            check_real("delta", self.delta, low=0.0, high=1.0, closed="neither")
            if self.delta > 1 / n_rows:
                warnings.warn(
                    f"delta = {self.delta:g} allows to publish a random row outright; it should be "
                    f"far below one by the number of rows, {1 / n_rows:.2g}.",
                    PrivacyWarning,
                    stacklevel=3,
                )

    def resolved_delta(self, n_rows: int) -> float:
        """Return delta, by default the smaller of 1e-6 and a tenth of one by the rows.

        Under ``adjacency="add_remove"`` the number of rows is private and the default is 1e-6.
        """
        if self.delta is not None:
            return float(self.delta)
        return 1e-6 if self.adjacency == "add_remove" else min(1e-6, 0.1 / n_rows)

    def open_ledger(self, n_rows: int) -> Ledger:
        """Return an empty ledger with these limits and a source of noise."""
        ledger = Ledger(
            float(self.epsilon),
            self.resolved_delta(n_rows),
            adjacency=self.adjacency,
            n_rows=None if self.adjacency == "add_remove" else int(n_rows),
            noise=noise_source(self.noise_seed),
        )
        ledger.assume("What is protected is one row; a person with several rows is protected less.")
        if self.adjacency == "add_remove":
            # Smaller tables are refused, which tells that they are.
            ledger.assume(f"That there are at least {FEWEST_ROWS} rows is public.")
        return ledger


class DPMarginals(PrivacyParameters):
    """Release noisy tables of all columns and pairs of columns once, and train on those alone.

    Parameters
    ----------
    epsilon : float
        How much may be told about a row.
    delta : float, optional
        Probability with which more may be told; by default the smaller of 1e-6 and a tenth of one
        by the number of rows.
    unit : {"row"}
        What is protected.
    adjacency : {"zero_out", "add_remove", "replace_one"}
        Which tables must be hard to tell apart; ``"zero_out"`` makes the number of rows public.
    infer : {"refuse", "spend"}
        Whether categories, ranges and missing values that the schema does not declare are refused,
        or bought with a share of the budget.
    one_way_share : float
        Share of the squared budget for single columns.
    schema_share : float
        Share for what the schema does not declare, with ``infer="spend"``; a tenth of delta too.
    atom_share : float
        Share for finding frequent single values of columns with a fine declared granularity.
    score_share : float
        Share for choosing among pairs, if there are more than `max_pairs`.
    max_pairs : int
        Most pairs of columns that are measured.
    max_bins : int
        Most cells that an ordered column has in pair tables.
    ledger : path-like, optional
        File of a :class:`~synthgen.dp.shared.SharedLedger`, if several fits use the same data.
    allow_weak : bool
        Whether epsilon may be above 50.
    noise_seed : int, optional
        For tests only: makes the noise repeatable, and thereby the result not private.

    Examples
    --------
    >>> DPMarginals(1.0).resolved_delta(30_000)
    1e-06
    """

    def __init__(
        self,
        epsilon: float = 1.0,
        delta: float | None = None,
        *,
        unit: str = "row",
        adjacency: str = "zero_out",
        infer: str = "refuse",
        one_way_share: float = 0.2,
        schema_share: float = 0.1,
        atom_share: float = 0.02,
        score_share: float = 0.05,
        max_pairs: int = 400,
        max_bins: int = 32,
        ledger: str | os.PathLike[str] | None = None,
        allow_weak: bool = False,
        noise_seed: int | None = None,
    ) -> None:
        self.epsilon = epsilon
        self.delta = delta
        self.unit = unit
        self.adjacency = adjacency
        self.infer = infer
        self.one_way_share = one_way_share
        self.schema_share = schema_share
        self.atom_share = atom_share
        self.score_share = score_share
        self.max_pairs = max_pairs
        self.max_bins = max_bins
        self.ledger = ledger
        self.allow_weak = allow_weak
        self.noise_seed = noise_seed

    def check(self, n_rows: int) -> None:
        """Check all parameters, see :meth:`PrivacyParameters.check`."""
        shares = 0.0
        for name in ("one_way_share", "schema_share", "atom_share", "score_share"):
            shares += check_real(name, getattr(self, name), low=0.0, high=1.0, closed="neither")
        if shares >= 1:
            raise InvalidParameterError(
                f"The shares of the budget must leave something for pairs; they sum to {shares:g}."
            )
        check_integer("max_pairs", self.max_pairs, minimum=1)
        check_integer("max_bins", self.max_bins, minimum=2)
        super().check(n_rows)


class DPEmbedding(PrivacyParameters):
    """Release noisy mean features of images once, by class, and train on those alone.

    Parameters
    ----------
    epsilon : float
        How much may be told about an image.
    delta : float, optional
        As for :class:`DPMarginals`.
    n_waves : int
        Random directions of each of the two kinds of waves among the features; more tell finer
        differences and take longer.
    count_share : float
        Share of the squared budget for how many images each class has.
    unit : {"row"}
        What is protected: one image with its label.
    adjacency : {"zero_out", "add_remove", "replace_one"}
        Which sets of images must be hard to tell apart; all but ``"add_remove"`` make the number
        of images public.
    ledger : path-like, optional
        File of a :class:`~synthgen.dp.shared.SharedLedger`, if several fits use the same data.
    allow_weak : bool
        Whether epsilon may be above 50.
    noise_seed : int, optional
        For tests only: makes the noise repeatable, and thereby the result not private.

    Examples
    --------
    >>> DPEmbedding(1.0).resolved_delta(60_000)
    1e-06
    """

    #: Classes and range of the values are declared, never bought.
    infer = "refuse"

    def __init__(
        self,
        epsilon: float = 1.0,
        delta: float | None = None,
        *,
        n_waves: int = 1_000,
        count_share: float = 0.02,
        unit: str = "row",
        adjacency: str = "zero_out",
        ledger: str | os.PathLike[str] | None = None,
        allow_weak: bool = False,
        noise_seed: int | None = None,
    ) -> None:
        self.epsilon = epsilon
        self.delta = delta
        self.n_waves = n_waves
        self.count_share = count_share
        self.unit = unit
        self.adjacency = adjacency
        self.ledger = ledger
        self.allow_weak = allow_weak
        self.noise_seed = noise_seed

    def check(self, n_rows: int) -> None:
        """Check all parameters, see :meth:`PrivacyParameters.check`."""
        check_integer("n_waves", self.n_waves, minimum=2)
        check_real("count_share", self.count_share, low=0.0, high=1.0, closed="neither")
        super().check(n_rows)


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
        self._check_shares()
        self._check_sampling()
        super().check(n_rows)

    def _check_shares(self) -> None:
        shares = 0.0
        for name in ("one_way_share", "schema_share", "atom_share"):
            shares += check_real(name, getattr(self, name), low=0.0, high=1.0, closed="neither")
        if shares >= 1:
            raise InvalidParameterError(
                f"The shares of the budget must leave something for training; they sum to "
                f"{shares:g}."
            )

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
