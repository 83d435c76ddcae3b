"""Membership with the model in hand: its likelihood, and its critic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.errors import InvalidParameterError
from synthgen.measure.checks import check_numbers
from synthgen.measure.columns import cut_rows
from synthgen.privacy.attacks.arena import Arena
from synthgen.privacy.attacks.density import log_density, scott

#: What code of other packages may raise if it cannot do with these rows.
FAILURES: Final = (ValueError, TypeError, RuntimeError, LookupError)


@dataclass(frozen=True)
class Likelihood:
    """Score a row by its log-likelihood under the model, as it is and against the population's.

    Parameters
    ----------
    max_rows : int, default=8000
        Reference rows that carry a kernel of the population's density.

    References
    ----------
    Hilprecht, Haerterich & Bernau (2019), PoPETs 2019(4), doi:10.2478/popets-2019-0067; calibrated
    as in Watson, Guo, Cormode & Sablayrolles (2022), arXiv:2111.08440.
    """

    max_rows: int = 8_000

    name: ClassVar[str] = "likelihood"
    threat_model: ClassVar[str] = "the model and other real rows"

    def missing(self, arena: Arena) -> str | None:
        """Say why the attack cannot be run, if so."""
        if arena.model is None:
            return "no model was given, only synthetic rows"
        if not hasattr(arena.model, "score_samples"):
            return f"{type(arena.model).__name__} has no score_samples"
        return None

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return the log-likelihood, and its difference to the population's log-density."""
        own = _asked(arena.model.score_samples, "score_samples of the model", arena)
        real = arena.projection.reference
        real = real[cut_rows(np.arange(len(real)), self.max_rows, arena.rng(5))]
        common = log_density(arena.projection.targets, real, scott(len(real), real.shape[1]))
        return {"model": own, "model against population": own - common}


@dataclass(frozen=True)
class Critic:
    """Score a row by the word of the critic that the generator was trained with.

    References
    ----------
    Hayes, Melis, Danezis & De Cristofaro (2019), LOGAN, PoPETs 2019(1), arXiv:1705.07663.
    """

    name: ClassVar[str] = "critic"
    threat_model: ClassVar[str] = "the critic of the model"

    def missing(self, arena: Arena) -> str | None:
        """Say why the attack cannot be run, if so."""
        return None if arena.critic is not None else "no critic was given, and the model kept none"

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return what the critic says of every target; higher is more like a training row."""
        critic: Callable[[Any], Any] = arena.critic
        return {"critic": _asked(critic, "critic", arena)}


def _asked(function: Callable[[Any], Any], name: str, arena: Arena) -> NDArray[np.float64]:
    """Return the numbers that foreign code gives the targets."""
    n = len(arena.targets)
    expected = f"{name} must give one number for each of {n} rows"
    try:
        found = function(arena.target_frame)
    except FAILURES as error:
        message = f"{expected}; it failed: {type(error).__name__}: {error}"
        raise InvalidParameterError(message) from error
    return check_numbers(found, n, expected)


def own_critic(model: Any) -> Callable[[Any], Any] | None:
    """Return what scores rows by the critic that a fitted synthesizer kept, or None."""
    return getattr(getattr(model, "critic_", None), "scores", None)
