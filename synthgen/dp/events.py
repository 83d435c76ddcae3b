"""What was released, as facts from which any accountant can derive the guarantee.

An event stores the mechanism and its parameters and never an epsilon of its own, except for
mechanisms that are defined by one. The meaning of a mechanism's name must never change, since saved
models carry events.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

from synthgen.core.documents import check_mapping
from synthgen.errors import ArtifactError, InvalidParameterError

#: ``gaussian``: noise N(0, scale^2) on a vector; ``laplace``: Laplace(scale) on a number;
#: ``pure``: any mechanism that is (epsilon, 0)-private by itself, epsilon = sensitivity / scale;
#: ``failure``: something that goes wrong with probability at most `delta`, nothing else.
MECHANISMS: Final = ("gaussian", "laplace", "pure", "failure")

#: Which tables are neighbours. ``zero_out``: one row is replaced by an empty one that is counted
#: nowhere, so the number of rows is public; ``add_remove``: one row more or less; ``replace_one``:
#: one row has other values.
ADJACENCIES: Final = ("zero_out", "add_remove", "replace_one")


@dataclass(frozen=True)
class Event:
    """One or several equal releases.

    Parameters
    ----------
    mechanism : str
        One of ``MECHANISMS``.
    note : str
        What it was for, in words.
    sensitivity : float
        Largest change between neighbours: Euclidean for ``gaussian``, absolute otherwise.
    scale : float
        Standard deviation (``gaussian``) or scale of the noise, in the units of `sensitivity`.
    count : int
        How many times it was done.
    sampling : float
        Probability with which each row took part, independently of the others; 1 for all rows.
    delta : float
        Probability of failure that is added to that of the noise.
    """

    mechanism: str
    note: str
    sensitivity: float = 1.0
    scale: float = math.inf
    count: int = 1
    sampling: float = 1.0
    delta: float = 0.0

    def __post_init__(self) -> None:
        if self.mechanism not in MECHANISMS:
            raise InvalidParameterError(
                f"mechanism must be one of {', '.join(MECHANISMS)}, got {self.mechanism!r}."
            )
        sound = (
            self.scale > 0
            and 0 < self.sensitivity < math.inf
            and isinstance(self.count, int)
            and self.count >= 1
            and 0 < self.sampling <= 1
            and 0 <= self.delta < 1
            and (self.mechanism == "failure" or math.isfinite(self.scale))
            and (self.sampling == 1 or self.mechanism == "gaussian")
        )
        if not sound:
            raise InvalidParameterError(f"Not the parameters of a private release: {self}.")

    @property
    def ratio(self) -> float:
        """Sensitivity by scale: mu of one Gaussian release, epsilon of a pure one."""
        return self.sensitivity / self.scale

    def to_json(self) -> dict[str, Any]:
        """Return JSON facts, see :meth:`from_json`."""
        facts = asdict(self)
        if self.mechanism == "failure":
            del facts["scale"]
        return facts

    @classmethod
    def from_json(cls, facts: Any) -> Event:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ArtifactError
            If it is not an event.
        """
        check_mapping(facts, {"mechanism": str, "note": str, "count": int}, "An event")
        try:
            return cls(**facts)
        except (TypeError, InvalidParameterError) as error:
            raise ArtifactError(f"Not an event of a privacy ledger: {error}") from error
