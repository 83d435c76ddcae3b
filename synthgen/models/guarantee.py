"""What a fitted synthesizer promises, and what it was asked for, as facts to save."""

from __future__ import annotations

from typing import Any, Final

from sklearn.utils.validation import check_is_fitted

from synthgen.dp.budget import DPEmbedding, DPMarginals
from synthgen.dp.ledger import Ledger
from synthgen.dp.parameters import PrivacyParameters
from synthgen.dp.sgd_budget import DPSGD

_KINDS: Final[dict[str, Any]] = {
    "DPMarginals": DPMarginals,
    "DPEmbedding": DPEmbedding,
    "DPSGD": DPSGD,
}


class Guaranteed:
    """The guarantee of a fitted model, read off its ledger."""

    ledger_: Ledger

    @property
    def is_private_(self) -> bool:
        """Whether a guarantee of differential privacy holds."""
        check_is_fitted(self)
        return hasattr(self, "ledger_") and self.ledger_.is_private

    @property
    def epsilon_(self) -> float:
        """The epsilon that was spent, at :attr:`delta_`; infinite without privacy."""
        return self.ledger_.spent().epsilon if self.is_private_ else float("inf")

    @property
    def delta_(self) -> float:
        """The delta of the guarantee; 1 without privacy."""
        return self.ledger_.delta if self.is_private_ else 1.0


def privacy_to_json(privacy: PrivacyParameters) -> dict[str, Any]:
    """Return what was asked for as facts; paths belong to the machine that it was fitted on."""
    return {"kind": type(privacy).__name__, **privacy.get_params(), "ledger": None}


def privacy_from_json(facts: dict[str, Any]) -> PrivacyParameters:
    """Rebuild what was asked for; files of the first format have no kind.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    kind = facts.get("kind", "DPMarginals")
    if kind not in _KINDS:
        raise ValueError(f"there is no privacy of the kind {kind!r}")
    asked: PrivacyParameters = _KINDS[kind](**{k: v for k, v in facts.items() if k != "kind"})
    return asked
