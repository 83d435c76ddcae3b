"""How much is left of the time that something may take."""

from __future__ import annotations

import time
from typing import Final


class Clock:
    """Runs from its making on.

    Parameters
    ----------
    seconds : float
        How long the whole may take.

    Examples
    --------
    >>> Clock(3_600.0).left(0.5) > 1_790.0
    True
    >>> Clock(0.0).left() <= 0.0
    True
    """

    def __init__(self, seconds: float) -> None:
        self.seconds: Final = seconds
        self._start = time.perf_counter()

    def left(self, share: float = 1.0) -> float:
        """Return the seconds until so large a share has passed, negative afterwards."""
        return share * self.seconds - (time.perf_counter() - self._start)
