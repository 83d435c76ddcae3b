"""What was spent on one data set: charged before anything is released, composed once.

A ledger is the only door to noise: mechanisms ask it to charge an event, and draw from its source
afterwards. What cannot be charged is not released.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.core.documents import check_mapping
from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.dp.accounting import Guarantee, delta_at, guarantee, trade_off
from synthgen.dp.errors import BudgetExceededError, PrivacyError
from synthgen.dp.events import ADJACENCIES, Event
from synthgen.dp.noise import NoiseSource
from synthgen.errors import ArtifactError, InvalidParameterError

_FORMAT: Final = 1
#: By which a sum of floats may exceed the limit.
SLACK: Final = 1e-6

_ASSUMPTIONS: Final = {
    "zero_out": (
        "Neighbouring tables have the same number of rows; in one of them a row is empty and "
        "counted nowhere. The number of rows is therefore public."
    ),
    "add_remove": "Neighbouring tables differ by one row more or less.",
    "replace_one": (
        "Neighbouring tables have the same number of rows and differ in the values of one. The "
        "number of rows is therefore public."
    ),
}


@dataclass
class Ledger:
    """Events on one data set, and the limit that they must keep.

    Parameters
    ----------
    epsilon, delta : float
        The limit. A charge that would exceed it is refused.
    adjacency : str
        One of ``ADJACENCIES``.
    n_rows : int, optional
        Number of rows, if it is public; it must be None for ``"add_remove"``.
    noise : NoiseSource, optional
        None makes a ledger to read only.
    events : list of Event
        What was charged so far.
    assumptions : list of str
        What has to be true for the guarantee, in sentences.

    Examples
    --------
    >>> from synthgen.dp.noise import SystemNoise
    >>> ledger = Ledger(1.0, 1e-6, n_rows=1000, noise=SystemNoise())
    >>> ledger.charge(Event("gaussian", "histogram of age", scale=5.0))
    >>> round(ledger.spent().epsilon, 2)
    0.83
    >>> ledger.charge(Event("gaussian", "histogram of pay", scale=5.0))
    Traceback (most recent call last):
    ...
    synthgen.dp.errors.BudgetExceededError: 'histogram of pay' would raise epsilon from 0.834 to \
1.21 at delta = 1e-06; the limit is 1. Nothing was released.
    """

    epsilon: float
    delta: float
    adjacency: str = "zero_out"
    n_rows: int | None = None
    noise: NoiseSource | None = None
    events: list[Event] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    seeded: bool = False

    def __post_init__(self) -> None:
        check_real("epsilon", self.epsilon, low=0.0, high=1e6, closed="high")
        check_real("delta", self.delta, low=0.0, high=1.0, closed="neither")
        check_choice("adjacency", self.adjacency, ADJACENCIES)
        if (self.n_rows is None) != (self.adjacency == "add_remove"):
            raise InvalidParameterError(
                "n_rows must be given if it is public (adjacency 'zero_out' or 'replace_one') and "
                f"None otherwise, got {self.n_rows!r} with {self.adjacency!r}."
            )
        if self.n_rows is not None:
            check_integer("n_rows", self.n_rows, minimum=0)
        self.assume(_ASSUMPTIONS[self.adjacency])
        if self.noise is not None and not self.noise.is_private:
            self.seeded = True

    @property
    def is_private(self) -> bool:
        """Whether the guarantee holds: no noise came from a seed."""
        return not self.seeded

    @property
    def source(self) -> NoiseSource:
        """The source of noise.

        Raises
        ------
        PrivacyError
            If the ledger is closed.
        """
        if self.noise is None:
            raise PrivacyError("A ledger that was loaded or closed releases nothing more.")
        return self.noise

    def charge(self, event: Event) -> None:
        """Write `event` down, before what it stands for is released.

        Raises
        ------
        BudgetExceededError
            If the limit would be exceeded; then nothing is written.
        PrivacyError
            If the ledger is closed, or the event does not go with the adjacency.
        """
        _ = self.source
        check_fits(event, self.adjacency)
        check_limit([*self.events, event], self.epsilon, self.delta, before=self.events)
        self.events.append(event)

    def assume(self, sentence: str) -> None:
        """Add a sentence to :attr:`assumptions`, once."""
        if sentence not in self.assumptions:
            self.assumptions.append(sentence)

    def close(self) -> None:
        """Forget the source of noise; nothing can be charged afterwards."""
        self.noise = None

    def spent(self) -> Guarantee:
        """Return what all events together keep, at the ledger's delta."""
        return guarantee(self.events, self.delta)

    def delta_at(self, epsilon: float) -> float:
        """Return the smallest delta at another epsilon."""
        return delta_at(self.events, epsilon)

    def trade_off(self, false_alarm: Any) -> NDArray[np.float64]:
        """Return the least rate of misses of an attack, by its rate of false alarms."""
        return trade_off(self.events, false_alarm)

    def sensitivity(self, tables: int) -> float:
        """Return how far a row moves the counts of `tables` tables together, in Euclidean norm.

        A row is in at most one cell of each table. Taking it out changes that many cells by one;
        giving it other values changes two cells of each table.
        """
        moved = 2 * tables if self.adjacency == "replace_one" else tables
        return float(np.sqrt(moved))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document, see :meth:`from_json`."""
        return {
            "format": _FORMAT,
            "epsilon": self.epsilon,
            "delta": self.delta,
            "adjacency": self.adjacency,
            "n_rows": self.n_rows,
            "seeded": self.seeded,
            "assumptions": list(self.assumptions),
            "events": [event.to_json() for event in self.events],
        }

    @classmethod
    def from_json(cls, document: Any) -> Ledger:
        """Read what :meth:`to_json` wrote, as a ledger that nothing can be charged to.

        Raises
        ------
        ArtifactError
            If it is not a ledger, or of a newer format.
        """
        required = {"format": int, "adjacency": str, "seeded": bool}
        check_mapping(document, required | {"assumptions": list, "events": list}, "The ledger")
        if document["format"] > _FORMAT:
            raise ArtifactError(
                f"The ledger has format {document['format']}, newer than {_FORMAT}; upgrade "
                "synthgen."
            )
        facts = {key: value for key, value in document.items() if key != "format"}
        try:
            return cls(**facts | {"events": [Event.from_json(item) for item in facts["events"]]})
        except (TypeError, InvalidParameterError) as error:
            raise ArtifactError(f"Not a privacy ledger: {error}") from error


def check_fits(event: Event, adjacency: str) -> None:
    """Check that an event can be composed under an adjacency.

    Raises
    ------
    PrivacyError
        For sampled events if a neighbour has other values in a row: amplification by sampling is
        computed for rows that are there or not.
    """
    if event.sampling < 1 and adjacency == "replace_one":
        raise PrivacyError(
            "Releases on Poisson samples are accounted for with adjacency 'zero_out' or "
            "'add_remove', not with 'replace_one'."
        )


def check_limit(
    events: list[Event], epsilon: float, delta: float, *, before: Iterable[Event]
) -> None:
    """Check that `events` keep (epsilon, delta).

    Raises
    ------
    BudgetExceededError
        If they do not; the message tells what the last event would do.
    """
    name = events[-1].note
    try:
        after = guarantee(events, delta).epsilon
    except PrivacyError as error:
        raise BudgetExceededError(f"{name!r} cannot be afforded: {error}") from error
    if after > epsilon * (1 + SLACK):
        now = guarantee(list(before), delta).epsilon
        raise BudgetExceededError(
            f"{name!r} would raise epsilon from {now:.3g} to {after:.3g} at delta = {delta:g}; "
            f"the limit is {epsilon:g}. Nothing was released."
        )
