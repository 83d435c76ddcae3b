"""Linear reconstruction: solve for a secret of every member from counts in the synthetic table."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.errors import InvalidDataError
from synthgen.privacy.attacks.arena import Arena

#: Cells that a column is cut into for the queries.
_CELLS: Final = 8

#: Weight of the prior: every secret is drawn to the common share.
_DAMP: Final = 1.0


@dataclass(frozen=True)
class Reconstruction:
    """Recover a yes-or-no secret of every row from random counting queries.

    The attacker knows everything about all rows but the secret, asks the synthetic table how many
    rows with given values in a few columns have the secret, and solves the linear system for the
    secrets. The same is done for as many holdout rows, of which the synthetic table knows nothing.

    Parameters
    ----------
    column : hashable
        The secret. A category is made yes-or-no by its most common value, a number by its median.
    n_queries : int, default=3000
    n_columns : int, default=3
        Columns in a query.

    References
    ----------
    Annamalai, Gadotti & Rocher (2024), A linear reconstruction approach for attribute inference
    attacks against synthetic data, USENIX Security, arXiv:2301.10053.
    """

    column: Hashable
    n_queries: int = 3_000
    n_columns: int = 3

    threat_model: ClassVar[str] = "synthetic rows and all other values of all rows"

    @property
    def name(self) -> str:
        """Name of the attack with its secret."""
        return f"reconstruction: {self.column}"

    def missing(self, arena: Arena) -> str | None:
        """Say why the attack cannot be run, if so."""
        return "there is no other column to ask about" if len(arena.names) < 2 else None

    def scores(
        self, arena: Arena, groups: list[NDArray[np.int64]]
    ) -> dict[str, NDArray[np.float64]]:
        """Return :meth:`margins` as the only variant."""
        return {"least squares": self.margins(arena, groups)}

    def margins(self, arena: Arena, groups: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Return by how much each secret was recovered.

        Parameters
        ----------
        arena : Arena
        groups : list of numpy.ndarray of int
            Targets that the attacker takes for the table: members, and holdout rows. Each group is
            solved by itself.

        Returns
        -------
        numpy.ndarray of shape (targets,)
            Positive where the recovered secret is on the side of the true one; 0 outside groups.
        """
        place = arena.names.index(self.column)
        secret = _binary(arena, place)
        cells = _cells(arena, place)
        share = float(secret[0].mean())
        margins = np.zeros(len(arena.targets))
        for rows in groups:
            if len(rows) < 2:
                raise InvalidDataError("Reconstruction needs at least two rows of each side.")
            solved = self._solve(arena, cells, secret[0], rows, share)
            margins[rows] = (solved - 0.5) * np.where(secret[1][rows], 1.0, -1.0)
        return margins

    def blind(self, arena: Arena) -> NDArray[np.bool_]:
        """Return which targets have the more common secret of the reference rows."""
        place = arena.names.index(self.column)
        real, secret = _binary(arena.seeing(arena.reference), place)
        common = float(real.mean()) >= 0.5
        found: NDArray[np.bool_] = secret == common
        return found

    def _solve(
        self,
        arena: Arena,
        cells: tuple[NDArray[np.int64], NDArray[np.int64]],
        secret: NDArray[np.bool_],
        rows: NDArray[np.int64],
        share: float,
    ) -> NDArray[np.float64]:
        """Solve ``A s = answers`` for the secrets `s`, drawn to the common share."""
        from scipy.sparse.linalg import lsqr

        made, own = cells[0], cells[1][rows]
        system, answers = _system(made, own, secret, self.n_queries, self.n_columns, arena.rng(22))
        prior = np.full(len(rows), share)
        found = lsqr(system, answers - system @ prior, damp=_DAMP, iter_lim=60)[0]
        solved: NDArray[np.float64] = prior + found
        return solved


def _system(
    made: NDArray[np.int64],
    own: NDArray[np.int64],
    secret: NDArray[np.bool_],
    n_queries: int,
    n_columns: int,
    rng: np.random.Generator,
) -> tuple[Any, NDArray[np.float64]]:
    """Return which rows each query counts, and the answers of the synthetic table, scaled."""
    from scipy import sparse

    n_columns = min(n_columns, own.shape[1])
    parts, answers = [], []
    asked = 0
    while asked < n_queries:
        columns = rng.choice(own.shape[1], n_columns, replace=False)
        stacked = np.concatenate([made[:, columns], own[:, columns]])
        keys, _ = pd.factorize(stacked @ (_CELLS + 1) ** np.arange(n_columns))
        theirs, ours = keys[: len(made)], keys[len(made) :]
        present = np.unique(ours)
        number = np.searchsorted(present, ours)
        counts = np.bincount(theirs[secret], minlength=int(keys.max()) + 1)[present]
        ones = np.ones(len(own))
        shape = (len(present), len(own))
        parts.append(sparse.csr_array((ones, (number, np.arange(len(own)))), shape=shape))
        answers.append(counts * (len(own) / len(made)))
        asked += len(present)
        # Every column set has been asked many times over where there are few columns.
        if len(parts) >= n_queries:
            break
    return sparse.csr_array(sparse.vstack(parts)), np.concatenate(answers).astype(np.float64)


def _binary(arena: Arena, place: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the secret of synthetic rows and of targets."""
    real = arena.reference[:, place]
    known = real[~np.isnan(real)]
    if not len(known):
        return np.isnan(arena.synthetic[:, place]), np.isnan(arena.targets[:, place])
    if arena.n_levels[place]:
        levels, counts = np.unique(known, return_counts=True)
        common = levels[counts.argmax()]
        return arena.synthetic[:, place] == common, arena.targets[:, place] == common
    middle = np.median(known)
    return arena.synthetic[:, place] > middle, arena.targets[:, place] > middle


def _cells(arena: Arena, secret: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return every other column of synthetic rows and of targets in few cells."""
    made, own = [], []
    for place, levels in enumerate(arena.n_levels):
        if place == secret:
            continue
        real = arena.reference[:, place]
        if levels:
            kinds, counts = np.unique(real[~np.isnan(real)], return_counts=True)
            kept = np.sort(kinds[np.argsort(-counts, kind="stable")][: _CELLS - 1])
            both = [
                np.where(
                    np.isin(side[:, place], kept), np.searchsorted(kept, side[:, place]), _CELLS - 1
                )
                for side in (arena.synthetic, arena.targets)
            ]
        else:
            known = real[~np.isnan(real)]
            edges = (
                np.unique(np.quantile(known, np.linspace(0, 1, _CELLS + 1)[1:-1]))
                if len(known)
                else np.zeros(0)
            )
            both = [
                np.searchsorted(edges, side[:, place], side="right")
                for side in (arena.synthetic, arena.targets)
            ]
        gaps = [np.isnan(side[:, place]) for side in (arena.synthetic, arena.targets)]
        filled = [np.where(gap, _CELLS, codes) for gap, codes in zip(gaps, both, strict=True)]
        made.append(filled[0])
        own.append(filled[1])
    return np.column_stack(made).astype(np.int64), np.column_stack(own).astype(np.int64)
