"""Copies: rows, and rare combinations of values, that come back as they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.privacy.attacks.arena import Arena

#: Distances below this share of the typical one between real rows are near copies.
_NEAR: Final = 0.1


@dataclass(frozen=True)
class Copies:
    """Score a row by whether it, or rare parts of it, stand in the synthetic table.

    Parameters
    ----------
    n_subsets : int, default=24
        Random sets of columns to look at.
    subset_size : int, default=3
        Columns in each.

    References
    ----------
    Unique exact matches and disclosive combinations: Task, Bhagat, Streat et al. (2023), SDNist
    v2; Yao et al. (2025), arXiv:2505.01524, on why passing a test of copies proves nothing.
    """

    n_subsets: int = 24
    subset_size: int = 3

    name: ClassVar[str] = "copies"
    threat_model: ClassVar[str] = "synthetic rows"

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return exact and near copies, unique combinations, and values that only copying explains.

        The last variant counts the columns where a row's value stands in the synthetic table but
        not in the reference table.
        """
        every = list(range(len(arena.names)))
        exact = matches(arena, every)[0].astype(np.float64)
        typical = float(np.median(arena.near_reference.distances[:, 0]))
        near = arena.near_synthetic.distances[:, 0] <= _NEAR * typical
        parts = np.zeros(len(arena.targets))
        rng = arena.rng(6)
        size = min(self.subset_size, len(every))
        for _ in range(self.n_subsets if size < len(every) else 0):
            chosen = sorted(rng.choice(len(every), size, replace=False))
            parts += matches(arena, chosen)[1]
        values = np.zeros(len(arena.targets))
        for place in every:
            values += matches(arena, [place])[2]
        return {
            "exact": exact,
            "near": near.astype(np.float64),
            "unique combinations": parts,
            "values not in reference": values,
        }


def matches(
    arena: Arena, columns: list[int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which targets occur in the synthetic table as far as some columns go.

    Returns
    -------
    found : numpy.ndarray of bool of shape (targets,)
        The combination stands in the synthetic table.
    unique : numpy.ndarray of bool of shape (targets,)
        It stands there once, and not in the reference table.
    fresh : numpy.ndarray of bool of shape (targets,)
        It stands there any number of times, and not in the reference table.
    """
    sides = [arena.synthetic, arena.reference, arena.targets]
    keys = np.zeros(sum(map(len, sides)), dtype=np.int64)
    for place in columns:
        codes, levels = pd.factorize(np.concatenate([side[:, place] for side in sides]))
        keys, _ = pd.factorize(keys * (len(levels) + 1) + codes + 1)
    made, real, own = np.split(keys, np.cumsum([len(side) for side in sides])[:-1])
    counts = np.bincount(made, minlength=int(keys.max()) + 1)[own]
    unknown = ~np.isin(own, real)
    return counts > 0, (counts == 1) & unknown, (counts > 0) & unknown
