"""Shadow models: train many generators with and without records, and learn to tell their output.

The strongest attack there is without the model itself, and by far the dearest: dozens of fits. It
is for a few chosen records, with a generator that fits in seconds, or overnight.
"""

from __future__ import annotations

import warnings
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
from synthgen.measure.stats import auc
from synthgen.privacy.attacks.judge import Population, judge
from synthgen.privacy.attacks.result import AttackResult

#: Random sets of columns that rows like the record are counted by.
_N_QUERIES: Final = 64
#: Of every eight generators four teach the attack, two choose thresholds and two are reported.
_BLOCK: Final = 8
_TEACHING: Final = 4
_CHOOSING: Final = 6
#: Fewer generators leave too few to judge.
LEAST_FITS: Final = 2 * _BLOCK

_THREAT: Final = "synthetic rows, other real rows, and the recipe of the generator"


def shadow_attack(
    make: Callable[[int], Any],
    records: Any,
    background: Any,
    *,
    n_shadows: int = 64,
    n_rows: int | None = None,
    n_synthetic: int | None = None,
    schema: Any = None,
    delta: float = 0.0,
    level: float = 0.95,
    over: Callable[[], bool] | None = None,
    random_state: Any = 0,
) -> AttackResult:
    """Tell from synthetic rows whether a record was trained on, by training both ways.

    Each generator is trained on background rows and a random half of the records, so that all
    records share the fits.

    Parameters
    ----------
    make : callable
        Takes a seed and returns an unfitted synthesizer with ``fit`` and ``sample``.
    records : table
        The records under attack; some few.
    background : table
        Real rows to train on beside the records; disjoint from `records`.
    n_shadows : int, default=64
        Generators to train, 16 at least; they are used by eights. Half of them teach the attack, a
        quarter chooses thresholds, a quarter is reported.
    n_rows, n_synthetic : int, optional
        Rows to train on, records included, and to draw; by default half of the background, and as
        many.
    schema : Schema, optional
    delta : float, default=0
        Of the bound on epsilon.
    level : float, default=.95
        Coverage of intervals.
    over : callable, optional
        Asked before each fit whether to stop; whole eights that are done by then are judged.
    random_state : int, Generator or None, default=0

    Returns
    -------
    AttackResult
        Population ``"chosen"``; ``n_members`` counts pairs of a record and a generator that was
        trained on it and reported, ``n_holdout`` those that was not. ``details["by_record"]`` has
        the area of each record over all generators that did not teach. Without an area if it was
        over too soon.

    Raises
    ------
    InvalidDataError
        If the background is too small.

    References
    ----------
    Stadler, Oprisanu & Troncoso (2022), Synthetic data: anonymisation groundhog day,
    arXiv:2011.07018; queries as in Houssiau et al. (2022), TAPAS, arXiv:2211.06550; fits shared by
    records as in Carlini et al. (2022), arXiv:2112.03570.
    """
    n_shadows = check_integer("n_shadows", n_shadows, minimum=LEAST_FITS) // _BLOCK * _BLOCK
    seed = root_seed(random_state)
    real, chosen = align(background, records)
    size = len(real) // 2 if n_rows is None else check_integer("n_rows", n_rows, minimum=2)
    if size > len(real):
        raise InvalidDataError(f"n_rows is {size}, but the background has {len(real)} rows.")
    if len(chosen) >= size:
        raise InvalidDataError(f"There are {len(chosen)} records, but only {size} rows to fit on.")
    worlds = _Worlds(
        make, real, chosen, size, n_synthetic or size, column_roles(real, schema), seed
    )
    inside = _inside(n_shadows, len(chosen), seed)
    features = worlds.features(inside, over)
    done = len(features)
    facts = {"fits": done, "fits_wanted": n_shadows, "training_rows": size, "records": len(chosen)}
    notes = _notes(done, n_shadows, size)
    if done < LEAST_FITS:
        return AttackResult("shadow", "chosen", _THREAT, None, notes=notes, details=facts)
    scores, areas = _scores(features, inside[:done])
    judged = np.arange(done) % _BLOCK >= _TEACHING
    choosing = (np.arange(done) % _BLOCK < _CHOOSING)[judged]
    population = Population(
        "chosen",
        np.arange(scores.size),
        inside[:done][judged].ravel(),
        np.repeat(choosing, len(chosen)),
    )
    return judge(
        "shadow",
        _THREAT,
        {"ridge on counts and moments": scores.ravel()},
        population,
        delta=delta,
        level=level,
        n_synthetic=worlds.n_synthetic,
        n_reference=len(real),
        notes=notes,
        details={**facts, "by_record": areas},
    )


def _notes(done: int, wanted: int, size: int) -> tuple[str, ...]:
    words = (
        f"generators of the same recipe, each trained on {size:,} rows; the fewer rows, the more "
        "one of them weighs",
    )
    if done == wanted:
        return words
    return (*words, f"the time was over after {done} of {wanted} generators")


def _inside(n_shadows: int, n_records: int, seed: int) -> NDArray[np.bool_]:
    """Return which generator is trained on which record, (generators, records).

    Every record is in half of those that teach, that choose and that are reported, of every eight.
    """
    parts = []
    for block in range(n_shadows // _BLOCK):
        rng = generator(seed, "attack", 33, block)
        for size in (_TEACHING, _CHOOSING - _TEACHING, _BLOCK - _CHOOSING):
            half = np.repeat(np.arange(size)[:, None] % 2 == 0, n_records, axis=1)
            parts.append(rng.permuted(half, axis=0))
    return np.concatenate(parts)


def _scores(
    features: NDArray[np.float64], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], dict[str, float]]:
    """Return a score per generator that did not teach and record, and the area of each record."""
    teaching = np.arange(len(features)) % _BLOCK < _TEACHING
    columns, areas = [], {}
    for number in range(inside.shape[1]):
        own = inside[:, number]
        learned = _learn(features[:, number], own, teaching)[~teaching]
        columns.append(learned)
        areas[str(number)] = auc(own[~teaching], learned)
    return np.column_stack(columns), areas


@dataclass(frozen=True)
class _Worlds:
    """Generators, each trained with some of the records."""

    make: Callable[[int], Any]
    background: pd.DataFrame
    records: pd.DataFrame
    n_rows: int
    n_synthetic: int
    roles: Roles
    seed: int

    def features(
        self, inside: NDArray[np.bool_], over: Callable[[], bool] | None
    ) -> NDArray[np.float64]:
        """Return the features of every record under every generator, whole eights of generators."""
        subsets = [self._subsets(number) for number in range(len(self.records))]
        found: list[NDArray[np.float64]] = []
        for world, present in enumerate(inside):
            if over is not None and over():
                break
            made = align(self.background, self._made(world, present))[1]
            found.append(_features(made, self.records, self.roles, subsets))
        kept = found[: len(found) // _BLOCK * _BLOCK]
        return np.stack(kept) if kept else np.empty((0, len(self.records), 0))

    def _made(self, world: int, present: NDArray[np.bool_]) -> Any:
        """Return the rows of one generator."""
        rng = generator(self.seed, "attack", 31, world)
        own = self.records[present]
        table = pd.concat([cut(self.background, self.n_rows - len(own), rng), own])
        with warnings.catch_warnings():
            # What a fit on fewer rows complains of is nothing that the user did.
            warnings.simplefilter("ignore")
            model = self.make(int(rng.integers(2**31))).fit(table.reset_index(drop=True))
            return model.sample(self.n_synthetic, random_state=int(rng.integers(2**31)))

    def _subsets(self, number: int) -> list[NDArray[np.int64]]:
        rng = generator(self.seed, "attack", 32, number)
        n_columns = len(self.roles.roles)
        sizes = rng.integers(1, min(4, n_columns) + 1, size=_N_QUERIES)
        return [rng.choice(n_columns, size=size, replace=False) for size in sizes]


def _features(
    made: pd.DataFrame,
    records: pd.DataFrame,
    roles: Roles,
    subsets: list[list[NDArray[np.int64]]],
) -> NDArray[np.float64]:
    """Return means and spreads of columns, and how many rows are like a record in some columns.

    A number is like another if it is no further away than a twentieth of the standard deviation.
    """
    encoded = matrices([made, records.reset_index(drop=True)], roles)
    table, targets = encoded.arrays
    filled = np.where(np.isnan(table), 0.0, table)
    spread = filled.std(axis=0)
    discrete = np.array([bool(levels) for levels in encoded.n_levels])
    widths = np.where(discrete, 0.0, 0.05 * spread)
    numbers = filled[:, ~discrete]
    extremes = np.abs(numbers).max(axis=0, initial=0.0)
    common = [numbers.mean(axis=0), spread[~discrete], extremes]
    rows = []
    for own, sets in zip(targets, subsets, strict=True):
        near = (np.abs(table - own) <= widths) | (np.isnan(table) & np.isnan(own))
        counts = [near[:, subset].all(axis=1).mean() for subset in sets]
        rows.append(np.concatenate([*common, counts]))
    return np.stack(rows)


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
