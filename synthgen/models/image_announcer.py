"""Says how long training will take."""

from __future__ import annotations

import logging
import time

from synthgen.train.trainer import Listener

logger = logging.getLogger(__name__)

#: Steps after which the time that training will take is foreseen.
_TIMED_STEPS = 20


class Announcer:
    """Passes steps on to the progress bar, and logs how long training will take."""

    def __init__(self, update: Listener, steps: int, max_minutes: float) -> None:
        self._update, self._steps, self._limit = update, steps, max_minutes
        self._started: tuple[float, int] | None = None

    def __call__(self, share: float, step: int, figures: dict[str, float]) -> None:
        """Take note of a step."""
        if self._started is None:
            self._started = time.perf_counter(), step
        elif step == self._started[1] + _TIMED_STEPS:
            seconds = (time.perf_counter() - self._started[0]) / _TIMED_STEPS
            minutes = min(seconds * self._steps / 60.0, self._limit)
            logger.info("%.3f s per step: training takes about %.1f minutes.", seconds, minutes)
        self._update(share, step, figures)
