"""What an audit of a mechanism found, and what it could have found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class MechanismAudit:
    """A lower bound on epsilon beside the claim.

    An audit can refute a claim and never prove it: a bound of 0 says that this attack, with so many
    runs, found nothing.

    Parameters
    ----------
    method : {"two worlds", "one run"}
        How the mechanism was attacked.
    lower : float
        The mechanism is not (epsilon, `delta`)-private for any smaller epsilon, unless chance
        misled the audit, with probability 1 - `confidence` at most. 0 if nothing was found.
    epsilon, delta : float
        The claim.
    confidence : float
    ceiling : float
        The bound that a perfect attack would have given; no claim above it can be refuted.
    detectable : float or None
        The smallest epsilon of a truly leaking mechanism that this audit would have refuted the
        claim for, four times in five; None if there is none, see `note`.
    counts : dict of str to int
        Runs, canaries and guesses.
    note : str
        What `detectable` refers to, or why there is none.
    """

    method: str
    lower: float
    epsilon: float
    delta: float
    confidence: float
    ceiling: float
    detectable: float | None
    counts: Mapping[str, int]
    note: str

    @property
    def refuted(self) -> bool:
        """Whether the claim is false at this confidence."""
        return self.lower > self.epsilon

    @property
    def verdict(self) -> str:
        """``"refuted"``, ``"not refuted"``, or ``"no power"`` if no result could have refuted."""
        if self.refuted:
            return "refuted"
        return "not refuted" if self.detectable is not None else "no power"

    def describe(self) -> str:
        """Return the result in words.

        Examples
        --------
        >>> counts = {"runs": 200, "hits": 0, "false_alarms": 0}
        >>> note = "a Gaussian release"
        >>> MechanismAudit("two worlds", 0.0, 1.0, 1e-6, 0.95, 3.3, 1.8, counts, note).describe()
        'Lower bound 0 on epsilon (95 % confidence) against a claim of 1: not refuted. This is not \
evidence of privacy: a leak below 1.8 (a Gaussian release) would probably have gone unseen.'
        """
        surely = f"{100 * self.confidence:.6g}%"
        text = (
            f"Lower bound {self.lower:.3g} on epsilon ({surely} confidence) against a "
            f"claim of {self.epsilon:g}: {self.verdict}."
        ).replace("%", " %")
        if self.refuted:
            return text
        if self.detectable is None:
            return f"{text} {self.note}"
        return (
            f"{text} This is not evidence of privacy: a leak below {self.detectable:.3g} "
            f"({self.note}) would probably have gone unseen."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON facts."""
        facts = asdict(self)
        facts["counts"] = dict(self.counts)
        return facts | {"refuted": self.refuted, "verdict": self.verdict}
