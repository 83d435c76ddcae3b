"""What a user asks for who has statistics released once, and trains on those alone."""

from __future__ import annotations

import os

from synthgen.core.params import check_integer, check_real
from synthgen.dp.parameters import PrivacyParameters


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
        names = ("one_way_share", "schema_share", "atom_share", "score_share")
        self.check_shares(names, rest="pairs")
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
