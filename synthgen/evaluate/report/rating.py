"""Ratings: where a value lies between its floor and its ceiling."""

from __future__ import annotations

from typing import Final, Protocol

from synthgen.evaluate.report.content import Rating
from synthgen.evaluate.result import Result

#: A floor this near to the ceiling says that the score cannot tell good from bad by it.
_NARROW: Final = 0.02
#: Gaps to the ceiling that count for nothing, or for little, on a scale that is too narrow.
_GOOD, _FAIR = 0.02, 0.08

_ORDER: Final[tuple[Rating, ...]] = ("none", "good", "fair", "poor")


class Rated(Protocol):
    """What says how a score is rated: an entry of a catalogue."""

    @property
    def scale(self) -> str:
        """Whether its place between floor and ceiling counts ("between") or its gap ("near")."""

    @property
    def good(self) -> float:
        """Largest gap to the ceiling that is good."""

    @property
    def fair(self) -> float:
        """Largest gap to the ceiling that is fair."""


def rate(entry: Rated, result: Result, floor: float | None, ceiling: float | None) -> Rating:
    """Return ``"good"``, ``"fair"``, ``"poor"`` or, without a value, ``"none"``.

    A value as good as that of real rows, within its own interval, is good. Otherwise its gap to
    the ceiling decides, as a share of the distance between floor and ceiling where the entry says
    so and the two lie apart.
    """
    if result.value is None:
        return "none"
    best = ceiling if ceiling is not None else float(result.direction == "higher")
    sign = 1.0 if result.direction == "higher" else -1.0
    gap = sign * (best - result.value)
    good, fair = entry.good, entry.fair
    if entry.scale == "between":
        width = sign * (best - floor) if floor is not None else 0.0
        if width > _NARROW:
            gap /= width
        else:
            good, fair = _GOOD, _FAIR
    if gap <= good or _within(result, best, sign):
        return "good"
    return "fair" if gap <= fair else "poor"


def worse(first: Rating, second: Rating) -> Rating:
    """Return the worse of two ratings."""
    return max(first, second, key=_ORDER.index)


def _within(result: Result, best: float, sign: float) -> bool:
    """Whether the interval reaches the ceiling."""
    if result.interval is None:
        return False
    end = result.interval[1] if sign > 0 else result.interval[0]
    return sign * (best - end) <= 0
