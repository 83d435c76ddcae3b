"""What an attacker sees: synthetic rows, reference rows, and rows to judge, without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.random import generator
from synthgen.measure.columns import Matrices, Roles, cut_rows, matrices
from synthgen.measure.space import Rows, place_matrices
from synthgen.privacy.attacks.density import Projection, project
from synthgen.privacy.attacks.neighbours import Neighbours, nearest

#: Length of the lists of neighbours that the attacks share.
N_NEIGHBOURS: Final = 50
_N_RANGED: Final = 5

#: Share of values on each side that the width of a number's middle leaves out.
_MIDDLE_TAIL: Final = 0.025


@dataclass(frozen=True)
class Arena:
    """Everything that an attack on membership may look at.

    Whether a target is a member is not in here. Categories and scales are those of the reference
    and synthetic rows; a category that only targets have is *unseen* and equals nothing.

    Parameters
    ----------
    synthetic, reference, targets : numpy.ndarray of shape (rows, columns)
        Numbers or codes of categories, NaN where missing.
    scale : numpy.ndarray of shape (rows, columns)
        Rows that the widths of numbers are taken from.
    names : list
        Column names.
    n_levels : list of int
        Number of categories per column, 0 for numbers.
    seed : int
    target_frame : pandas.DataFrame, optional
        The targets as they were given, for white-box attacks.
    model : object, optional
        The fitted synthesizer, for white-box attacks.
    """

    synthetic: NDArray[np.float64]
    reference: NDArray[np.float64]
    targets: NDArray[np.float64]
    scale: NDArray[np.float64]
    names: list[Any]
    n_levels: list[int]
    seed: int = 0
    target_frame: pd.DataFrame | None = None
    model: Any = None
    critic: Any = field(default=None, repr=False)

    @property
    def categorical(self) -> list[int]:
        """Positions of the columns that hold codes."""
        return [place for place, levels in enumerate(self.n_levels) if levels]

    def rng(self, *index: int) -> np.random.Generator:
        """Return the random numbers of one part of an attack."""
        return generator(self.seed, "attack", *index)

    def seeing(
        self, synthetic: NDArray[np.float64], reference: NDArray[np.float64] | None = None
    ) -> Arena:
        """Return the same targets against other synthetic (and reference) rows."""
        reference = self.reference if reference is None else reference
        return replace(self, synthetic=synthetic, reference=reference)

    def without(self, column: int) -> Arena:
        """Return the arena without a column."""
        kept = [place for place in range(len(self.names)) if place != column]
        return replace(
            self,
            synthetic=self.synthetic[:, kept],
            reference=self.reference[:, kept],
            targets=self.targets[:, kept],
            scale=self.scale[:, kept],
            names=[self.names[place] for place in kept],
            n_levels=[self.n_levels[place] for place in kept],
        )

    @cached_property
    def placed(self) -> tuple[Rows, Rows, Rows]:
        """Synthetic, reference and target rows as points; numbers by the width of the middle."""
        return self._place(_MIDDLE_TAIL)

    @cached_property
    def ranged(self) -> tuple[Rows, Rows, Rows]:
        """The same with numbers divided by their full range."""
        return self._place(0.0)

    @cached_property
    def near_synthetic(self) -> Neighbours:
        """The synthetic rows nearest to every target."""
        return nearest(self.placed[2], self.placed[0], N_NEIGHBOURS)

    @cached_property
    def near_reference(self) -> Neighbours:
        """The reference rows nearest to every target."""
        return nearest(self.placed[2], self.placed[1], N_NEIGHBOURS)

    @cached_property
    def ranged_synthetic(self) -> Neighbours:
        """The synthetic rows nearest to every target where numbers are divided by their range."""
        return nearest(self.ranged[2], self.ranged[0], _N_RANGED)

    @cached_property
    def ranged_reference(self) -> Neighbours:
        """The reference rows nearest to every target where numbers are divided by their range."""
        return nearest(self.ranged[2], self.ranged[1], _N_RANGED)

    @cached_property
    def projection(self) -> Projection:
        """All rows in at most ten principal components of reference and synthetic rows."""
        return project(*self.placed, self.rng(1))

    def _place(self, tail: float) -> tuple[Rows, Rows, Rows]:
        arrays = [self.scale, self.synthetic, self.reference, self.targets]
        encoded = Matrices(arrays, self.names, self.n_levels)
        _, synthetic, reference, targets = place_matrices(encoded, tail=tail)
        return synthetic, reference, targets


def encode(
    synthetic: pd.DataFrame,
    reference: pd.DataFrame,
    others: Sequence[pd.DataFrame],
    roles: Roles,
    rng: np.random.Generator,
) -> tuple[Matrices, NDArray[np.float64]]:
    """Encode aligned tables by what synthetic and reference rows hold.

    Returns
    -------
    encoded : Matrices
        Synthetic, reference, and the others in their order.
    scale : numpy.ndarray
        Reference rows and at most as many synthetic ones.
    """
    encoded = matrices([synthetic, reference, *others], roles)
    n_levels = []
    for place, levels in enumerate(encoded.n_levels):
        if not levels:
            n_levels.append(0)
            continue
        # Codes are given in the order of appearance: what only the others hold comes last.
        seen = [array[:, place] for array in encoded.arrays[:2]]
        known = int(max(np.nanmax(own, initial=-1.0, where=~np.isnan(own)) for own in seen)) + 1
        for array in encoded.arrays[2:]:
            array[:, place] = np.minimum(array[:, place], known)
        n_levels.append(known + 1)
    made, real = encoded.arrays[:2]
    some = made[cut_rows(np.arange(len(made)), len(real), rng)]
    return Matrices(encoded.arrays, encoded.names, n_levels), np.concatenate([real, some])
