"""Shadow models: train many generators with and without a record, and learn to tell their output.

The strongest attack there is without the model itself, and by far the dearest: some tens of fits
*per record*. It is for a few chosen records, with a generator that fits in seconds, or overnight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError
from synthgen.measure.columns import Roles, align, column_roles, cut, matrices
from synthgen.privacy.attacks.judge import Population, judge
from synthgen.privacy.attacks.result import AttackResult

#: Random sets of columns that rows like the record are counted by.
_N_QUERIES: Final = 64

_THREAT: Final = "synthetic rows, other real rows, and the recipe of the generator"


def shadow_attack(
    make: Callable[[int], Any],
    records: Any,
    background: Any,
    *,
    n_shadows: int = 40,
    n_rows: int | None = None,
    n_synthetic: int | None = None,
    schema: Any = None,
    random_state: Any = 0,
) -> AttackResult:
    """Tell from synthetic rows whether a record was trained on, by training both ways.

    Parameters
    ----------
    make : callable
        Takes a seed and returns an unfitted synthesizer with ``fit`` and ``sample``.
    records : table
        The records under attack; some few.
    background : table
        Real rows to train on beside the record; disjoint from `records`.
    n_shadows : int, default=40
        Generators per record: in half of them the record takes the place of a background row.
        Half of them teach the attack, the other half are judged.
    n_rows, n_synthetic : int, optional
        Rows to train on and to draw; by default half of the background, and as many.
    schema : Schema, optional
    random_state : int, Generator or None, default=0

    Returns
    -------
    AttackResult
        Population ``"chosen"``; ``n_members`` counts generators that were judged, over all records.
        ``details["by_record"]`` has the area of each.

    Raises
    ------
    InvalidDataError
        If the background is too small.

    References
    ----------
    Stadler, Oprisanu & Troncoso (2022), Synthetic data: anonymisation groundhog day,
    arXiv:2011.07018; queries as in Houssiau et al. (2022), TAPAS, arXiv:2211.06550.
    """
    n_shadows = check_integer("n_shadows", n_shadows, minimum=8)
    seed = root_seed(random_state)
    real, chosen = align(background, records)
    size = len(real) // 2 if n_rows is None else check_integer("n_rows", n_rows, minimum=2)
    if size > len(real):
        raise InvalidDataError(f"n_rows is {size}, but the background has {len(real)} rows.")
    worlds = _Worlds(make, real, size, n_synthetic or size, column_roles(real, schema), seed)
    scores, member, choosing, areas = [], [], [], {}
    for number in range(len(chosen)):
        inside = np.arange(n_shadows) % 2 == 0
        teaching = np.arange(n_shadows) % 4 < 2
        features = worlds.features(chosen.iloc[[number]], number, inside)
        learned = _learn(features, inside, teaching)
        scores.append(learned[~teaching])
        member.append(inside[~teaching])
        # Of the generators that are judged, half choose thresholds and half are reported.
        choosing.append(np.arange((~teaching).sum()) % 4 < 2)
        areas[str(number)] = _area(learned[~teaching], inside[~teaching])
    everything = np.concatenate(scores)
    population = Population(
        "chosen", np.arange(len(everything)), np.concatenate(member), np.concatenate(choosing)
    )
    return judge(
        "shadow",
        _THREAT,
        {"ridge on counts and moments": everything},
        population,
        n_synthetic=worlds.n_synthetic,
        n_reference=len(real),
        details={"by_record": areas, "shadows_per_record": n_shadows, "training_rows": size},
    )


@dataclass(frozen=True)
class _Worlds:
    """Generators trained with and without one record."""

    make: Callable[[int], Any]
    background: pd.DataFrame
    n_rows: int
    n_synthetic: int
    roles: Roles
    seed: int

    def features(
        self, record: pd.DataFrame, number: int, inside: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return one row of features per generator."""
        subsets = self._subsets(number)
        rows = []
        for world, present in enumerate(inside):
            rng = generator(self.seed, "attack", 31, number, world)
            table = cut(self.background, self.n_rows, rng)
            if present:
                table = pd.concat([table.iloc[1:], record], ignore_index=True)
            model = self.make(int(rng.integers(2**31))).fit(table)
            made = model.sample(self.n_synthetic, random_state=int(rng.integers(2**31)))
            rows.append(_features(align(self.background, made)[1], record, self.roles, subsets))
        return np.vstack(rows)

    def _subsets(self, number: int) -> list[NDArray[np.int64]]:
        rng = generator(self.seed, "attack", 32, number)
        n_columns = len(self.roles.roles)
        sizes = rng.integers(1, min(4, n_columns) + 1, size=_N_QUERIES)
        return [rng.choice(n_columns, size=size, replace=False) for size in sizes]


def _features(
    made: pd.DataFrame, record: pd.DataFrame, roles: Roles, subsets: list[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Return means and spreads of columns, and how many rows are like the record in some columns.

    A number is like another if it is no further away than a twentieth of the standard deviation.
    """
    encoded = matrices([made, record.reset_index(drop=True)], roles)
    table, own = encoded.arrays[0], encoded.arrays[1][0]
    filled = np.where(np.isnan(table), 0.0, table)
    spread = filled.std(axis=0)
    near = np.empty(table.shape, dtype=bool)
    for place, levels in enumerate(encoded.n_levels):
        width = 0.0 if levels else 0.05 * spread[place]
        alike = np.abs(table[:, place] - own[place]) <= width
        near[:, place] = alike | (np.isnan(table[:, place]) & np.isnan(own[place]))
    continuous = [place for place, levels in enumerate(encoded.n_levels) if not levels]
    means = filled[:, continuous].mean(axis=0)
    counts = [near[:, subset].all(axis=1).mean() for subset in subsets]
    extremes = np.abs(filled[:, continuous]).max(axis=0, initial=0.0)
    return np.concatenate([means, spread[continuous], extremes, counts])


def _learn(
    features: NDArray[np.float64], inside: NDArray[np.bool_], teaching: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return a score per generator from a ridge regression on standardised features.

    Few generators teach, so a linear model with a strong penalty does better than trees.
    """
    known = features[teaching]
    spread = known.std(axis=0)
    scaled = (features - known.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    scaled[:, spread == 0] = 0.0
    own = scaled[teaching]
    target = np.where(inside[teaching], 1.0, -1.0)
    gram = own @ own.T + len(own) * np.eye(len(own))
    result: NDArray[np.float64] = scaled @ (own.T @ np.linalg.solve(gram, target))
    return result


def _area(scores: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    from synthgen.measure.stats import auc

    return auc(inside, scores)
