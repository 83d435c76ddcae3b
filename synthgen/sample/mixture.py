"""Conditions that allow several values of a number: a mixture of conditions that allow one each.

A head is restricted to one interval of scores. An interval that holds several values holds all
between them as well, whose rows would then be moved onto the nearest one, with the other columns
of a value that was not asked for.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np

from synthgen.encode.layout import EncodedTable
from synthgen.encode.table import TableEncoder
from synthgen.encode.wanted import Wanted
from synthgen.errors import ConditionError

#: Conditions with more alternatives than this restrict a head to the interval of all its values.
_MOST: Final = 64


class Demand(Protocol):
    """What rows must obey, prepared for the sampler that draws them."""

    @property
    def wanted(self) -> Mapping[Any, Wanted]:
        """Conditions by column."""

    @property
    def probability(self) -> float:
        """How probable it is under the model."""


DemandT = TypeVar("DemandT", bound=Demand)


@dataclass(frozen=True)
class Mixture(Generic[DemandT]):
    """Any of several demands, each as often as it is probable.

    Parameters
    ----------
    wanted : dict of label to Wanted
        All values of all alternatives, by column.
    parts : tuple of Demand
    """

    wanted: Mapping[Any, Wanted]
    parts: tuple[DemandT, ...]

    @property
    def probability(self) -> float:
        """How probable any of them is."""
        return sum(part.probability for part in self.parts)

    def draw(
        self,
        n: int,
        rng: np.random.Generator,
        draw: Callable[[int, int, DemandT], EncodedTable],
    ) -> EncodedTable:
        """Draw rows, each of an alternative chosen by its probability.

        Parameters
        ----------
        n : int
        rng : numpy.random.Generator
        draw : callable
            Draws so many encoded rows of the alternative at a place, which it is given as well.

        Returns
        -------
        EncodedTable
            With `n` rows.
        """
        shares = np.array([max(part.probability, 1e-300) for part in self.parts])
        chosen = rng.choice(len(shares), size=n, p=shares / shares.sum())
        counts = np.bincount(chosen, minlength=len(shares))
        drawn = [
            draw(int(count), place, part)
            for place, (count, part) in enumerate(zip(counts, self.parts, strict=True))
            if count
        ]
        # Rows of the first alternative come first; each goes where it was chosen.
        order = np.empty(n, dtype=np.int64)
        order[np.argsort(chosen, kind="stable")] = np.arange(n)
        return EncodedTable.concatenate(drawn).take(order)


def alternatives(encoder: TableEncoder, wanted: Mapping[Any, Wanted]) -> list[dict[Any, Wanted]]:
    """Return conditions of which rows must obey one, each with one value at most for any head.

    Raises
    ------
    ConditionError
        If a column is unknown or no value can be.
    """
    choices = [_choices(encoder, name, asked) for name, asked in wanted.items()]
    if math.prod(len(own) for own in choices) > _MOST:
        return [dict(wanted)]
    return [dict(zip(wanted, chosen, strict=True)) for chosen in itertools.product(*choices)]


def _choices(encoder: TableEncoder, name: Any, asked: Wanted) -> Sequence[Wanted]:
    """Divide the values of one column: each that needs a head, and all others together."""
    if asked.between is not None or len(asked.values) < 2 or len(asked.values) > _MOST:
        return [asked]
    if not encoder.condition({name: asked}).intervals:
        return [asked]
    single, rest = [], []
    for value in asked.values:
        try:
            alone = encoder.condition({name: Wanted((value,))})
        except ConditionError:
            continue  # Others can be, or the condition on all of them had been refused.
        if alone.intervals:
            single.append(Wanted((value,)))
        else:
            rest.append(value)
    if rest or asked.missing:
        single.append(Wanted(tuple(rest), asked.missing))
    return single
