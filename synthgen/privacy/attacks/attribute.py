"""Attribute inference: guess one value of a row from its others, against the same on holdout.

Synthetic data that are any good let everybody guess values: that is what statistics are for. Only
what is guessed better for members than for holdout rows was learned *from them*.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.measure.columns import cut_rows
from synthgen.privacy.attacks.arena import Arena
from synthgen.privacy.attacks.neighbours import nearest

#: A guess of a number is right if it is off by at most this share of the middle 95 % of the values.
_TOLERANCE: Final = 0.01
_SIZES: Final = (1, 10)


@dataclass(frozen=True)
class Attribute:
    """Guess a column from the synthetic rows that are nearest in all other columns.

    Parameters
    ----------
    column : hashable
        The secret.
    max_synthetic : int, default=200000
        Synthetic rows that are searched.

    References
    ----------
    Giomi, Boenisch, Wehmeyer & Tasnadi (2023), PoPETs 2023(2), arXiv:2211.10459, on measuring
    against a control; Stadler, Oprisanu & Troncoso (2022), arXiv:2011.07018.
    """

    column: Hashable
    max_synthetic: int = 200_000

    threat_model: ClassVar[str] = "synthetic rows and all other values of the row"

    @property
    def name(self) -> str:
        """Name of the attack with its secret."""
        return f"attribute: {self.column}"

    def missing(self, arena: Arena) -> str | None:
        """Say why the attack cannot be run, if so."""
        return "there is no other column to guess from" if len(arena.names) < 2 else None

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return how near the guess is to the truth: 1 or 0, or minus the error of a number."""
        place = arena.names.index(self.column)
        guesses = self._guesses(arena, place)
        truth = arena.targets[:, [place]]
        if arena.n_levels[place]:
            return {name: _agreement(own, truth) for name, own in guesses.items()}
        width = _width(arena.scale[:, place])
        return {name: -_error(own, truth, width) for name, own in guesses.items()}

    def success(
        self, arena: Arena, values: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which guesses count as right, and which values a blind guess gets right.

        The blind guess is the most common category of the reference rows, or their median.
        """
        place = arena.names.index(self.column)
        real = arena.reference[:, place]
        truth = arena.targets[:, place]
        if arena.n_levels[place]:
            filled = np.nan_to_num(real, nan=-1.0)
            levels, counts = np.unique(filled, return_counts=True)
            blind = np.nan_to_num(truth, nan=-1.0) == levels[counts.argmax()]
            return values > 0.5, blind
        width = _width(arena.scale[:, place])
        known = real[~np.isnan(real)]
        middle = np.full((len(truth), 1), np.median(known) if len(known) else np.nan)
        error = _error(middle, truth[:, None], width)
        return values >= -_TOLERANCE, error <= _TOLERANCE

    def _guesses(self, arena: Arena, place: int) -> dict[str, NDArray[np.float64]]:
        rng = arena.rng(21, place)
        rows = cut_rows(np.arange(len(arena.synthetic)), self.max_synthetic, rng)
        blind = arena.seeing(arena.synthetic[rows]).without(place)
        near = nearest(blind.placed[2], blind.placed[0], max(_SIZES)).rows
        secrets = arena.synthetic[rows, place][near]
        return {f"nearest {size}": secrets[:, :size] for size in _SIZES}


def secrets_by_default(arena: Arena, most: int = 3) -> tuple[Hashable, ...]:
    """Return the columns that are attacked if nobody says which are sensitive.

    The last column, which is the target of most tables; the number with the most distinct values,
    which identifies best; and the category with the most levels.
    """
    values = [len(np.unique(column)) for column in arena.reference.T]
    places = [len(arena.names) - 1]
    for discrete in (False, True):
        own = [p for p, levels in enumerate(arena.n_levels) if bool(levels) == discrete]
        own = [place for place in own if place not in places]
        if own:
            places.append(max(own, key=lambda place: values[place]))
    return tuple(arena.names[place] for place in places[:most])


def check_secrets(arena: Arena, wanted: Sequence[Hashable] | None) -> tuple[Hashable, ...]:
    """Return the columns to attack; those that are left out of the comparison are dropped."""
    if wanted is None:
        return secrets_by_default(arena)
    return tuple(name for name in wanted if name in arena.names)


def _agreement(guesses: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    same = (guesses == truth) | (np.isnan(guesses) & np.isnan(truth))
    share: NDArray[np.float64] = same.mean(axis=1)
    return share


def _error(
    guesses: NDArray[np.float64], truth: NDArray[np.float64], width: float
) -> NDArray[np.float64]:
    """Return the error of the mean guess in widths; 1 if one of the two is missing, 0 if both."""
    known = ~np.isnan(guesses)
    counts = known.sum(axis=1)
    mean = np.where(known, guesses, 0.0).sum(axis=1) / np.maximum(counts, 1)
    gap, own_gap = counts * 2 <= guesses.shape[1], np.isnan(truth[:, 0])
    error = np.abs(mean - np.where(own_gap, 0.0, truth[:, 0])) / width
    result: NDArray[np.float64] = np.where(gap | own_gap, np.where(gap & own_gap, 0.0, 1.0), error)
    return result


def _width(values: Any) -> float:
    known = values[~np.isnan(values)]
    if not len(known):
        return 1.0
    low, high = np.quantile(known, [0.025, 0.975])
    width = float(high - low) or float(np.ptp(known))
    return width or 1.0
