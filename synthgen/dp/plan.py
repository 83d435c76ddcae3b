"""How a budget is split among the steps of a release, before anything is released.

All steps are Gaussian, so budgets add up as squares of mu: a step with a share s of mu^2 whose
tables a row moves by d gets noise of standard deviation d / (mu sqrt(s)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from synthgen.dp.accounting import noise_multiplier
from synthgen.dp.budget import DPMarginals
from synthgen.dp.errors import PrivacyError
from synthgen.dp.events import Event
from synthgen.dp.gaussian import gaussian_mu
from synthgen.dp.ledger import Ledger
from synthgen.dp.sgd_budget import DPSGD

#: Share of delta for values that are bought.
_FAILURE: Final = 0.1


@dataclass(frozen=True)
class MarginalPlan:
    """Shares of the squared budget, and what may be measured.

    Parameters
    ----------
    mu : float
        Budget of all Gaussian releases together.
    failure : float
        Part of delta for telling values that are not public; 0 if all are.
    shares : dict of str to float
        Share of mu^2 of ``schema``, ``atoms``, ``one_way``, ``scores`` and ``pairs``; they sum to
        at most 1.
    n_columns : int
    n_pairs : int
        Most pairs that are measured.
    """

    mu: float
    failure: float
    shares: dict[str, float]
    n_columns: int
    n_pairs: int

    def sigma(self, step: str, tables: int, ledger: Ledger) -> float:
        """Return the noise of a step in which a row is in one cell of each of `tables` tables.

        Raises
        ------
        PrivacyError
            If the plan has no budget for the step.
        """
        if self.shares[step] <= 0:
            raise PrivacyError(f"The budget was split without a share for {step!r}.")
        return ledger.sensitivity(tables) / (self.mu * math.sqrt(self.shares[step]))

    def reservation(self) -> list[Event]:
        """Return events at least as telling as all steps together, for a shared ledger."""
        note = "noisy tables of columns and pairs"
        mu = self.mu * math.sqrt(math.fsum(self.shares.values()))
        return [
            Event("gaussian", note, sensitivity=mu, scale=1.0, delta=self.failure),
        ]


def plan_marginals(
    privacy: DPMarginals, n_rows: int, n_columns: int, *, n_fine: int = 0
) -> MarginalPlan:
    """Split a budget.

    Parameters
    ----------
    privacy : DPMarginals
        Checked.
    n_rows, n_columns : int
    n_fine : int
        Columns in which frequent single values are looked for.

    Returns
    -------
    MarginalPlan
        Steps that are not needed have no share; pairs get what is left.
    """
    delta = privacy.resolved_delta(n_rows)
    failure = _FAILURE * delta if privacy.infer == "spend" else 0.0
    every = n_columns * (n_columns - 1) // 2
    shares = {
        "schema": privacy.schema_share if privacy.infer == "spend" else 0.0,
        "atoms": privacy.atom_share if n_fine else 0.0,
        "one_way": privacy.one_way_share if every else 0.0,
        "scores": privacy.score_share if every > privacy.max_pairs else 0.0,
    }
    shares["pairs" if every else "one_way"] = 1.0 - math.fsum(shares.values())
    return MarginalPlan(
        mu=gaussian_mu(privacy.epsilon, delta - failure),
        failure=failure,
        shares={"pairs": 0.0} | shares,
        n_columns=n_columns,
        n_pairs=min(every, privacy.max_pairs),
    )


def plan_histograms(
    privacy: DPSGD, n_rows: int, n_columns: int, *, n_fine: int = 0
) -> MarginalPlan:
    """Split off what is released before private gradients.

    Parameters
    ----------
    privacy : DPSGD
        Checked.
    n_rows, n_columns : int
    n_fine : int
        Columns in which frequent single values are looked for.

    Returns
    -------
    MarginalPlan
        Without pairs; what its shares leave is for :func:`plan_gradients`.
    """
    delta = privacy.resolved_delta(n_rows)
    failure = _FAILURE * delta if privacy.infer == "spend" else 0.0
    shares = {
        "schema": privacy.schema_share if privacy.infer == "spend" else 0.0,
        "atoms": privacy.atom_share if n_fine else 0.0,
        "one_way": privacy.one_way_share,
    }
    return MarginalPlan(
        mu=gaussian_mu(privacy.epsilon, delta - failure),
        failure=failure,
        shares={"scores": 0.0, "pairs": 0.0} | shares,
        n_columns=n_columns,
        n_pairs=0,
    )


def plan_gradients(privacy: DPSGD, n_rows: int, before: Sequence[Event] = ()) -> Event:
    """Return the one event of private training: all steps, with the noise that they need.

    Its ``scale`` is the standard deviation of the noise on the sum of clipped gradients.

    Parameters
    ----------
    privacy : DPSGD
        Checked.
    n_rows : int
    before : sequence of Event
        Everything else that is released within the same budget.
    """
    sampling = privacy.sampling(n_rows)
    noise = noise_multiplier(
        privacy.epsilon,
        privacy.resolved_delta(n_rows),
        sampling=sampling,
        steps=privacy.steps,
        before=before,
    )
    return Event(
        "gaussian",
        "clipped gradients of the critic",
        sensitivity=float(privacy.max_grad_norm),
        scale=noise * float(privacy.max_grad_norm),
        count=privacy.steps,
        sampling=sampling,
    )
