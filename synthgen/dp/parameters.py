"""What every request for privacy has in common.

The value objects that go into ``privacy=`` hold parameters and nothing else, so that they can be
cloned, printed and searched over. Checks happen in :meth:`PrivacyParameters.check`, which a fit
calls first; a fit never writes to them.
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

    def check_shares(self, names: tuple[str, ...], rest: str) -> None:
        """Check that shares of the squared budget leave something for the `rest`."""
        shares = 0.0
        for name in names:
            shares += check_real(name, getattr(self, name), low=0.0, high=1.0, closed="neither")
        if shares >= 1:
            raise InvalidParameterError(
                f"The shares of the budget must leave something for {rest}; they sum to {shares:g}."
            )

    def resolved_delta(self, n_rows: int) -> float:
        """Return delta, by default the smaller of 1e-6 and a tenth of one by the rows.

        Under ``adjacency="add_remove"`` the number of rows is private and the default is 1e-6.
        """
        if self.delta is not None:
            return float(self.delta)
        n_rows = check_integer("n_rows", n_rows, minimum=1)
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
