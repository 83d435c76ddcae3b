"""Generators that differ by their seed, and how long they take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sklearn.base import clone

from synthgen.core.random import generator, root_seed


class Timed:
    """Counts the processor seconds of what is made.

    Attributes
    ----------
    seconds : dict of str to float
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def _timed(self, name: str, make: Callable[[], Any]) -> Any:
        start = time.process_time()
        made = make()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start
        return made


def fresh_model(synthesizer: Any, seed: int, number: int) -> Any:
    """Return an unfitted copy with the seed of one of several models.

    Parameters
    ----------
    synthesizer : GANSynthesizer or ImageGANSynthesizer
    seed : int
        Of the detector; counts if the synthesizer has none of its own.
    number : int
        Which of the models.
    """
    model = clone(synthesizer)
    own = int(generator(seed, "anomaly", 0, number).integers(2**31))
    if model.random_state is not None:
        own = root_seed(model.random_state) + number
    return model.set_params(random_state=own)
