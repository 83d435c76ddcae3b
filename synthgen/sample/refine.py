"""Refinement: draw more rows than needed and keep them by how real a boosted-tree critic finds them.

The log-odds of a classifier of real against generated rows estimate the log density ratio; keeping
rows in proportion to the ratio corrects what the generator got wrong where it has support (Azadi et
al., "Discriminator Rejection Sampling", ICLR 2019, arXiv:1810.06758; Turner et al., ICML 2019,
arXiv:1811.11357). The critic is small and stops on rows it was not fitted to, and the whole step is
dropped unless held-out rows say that it helps.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import lightgbm as lgb
import numpy as np

from synthgen.encode.layout import EncodedTable, Layout
from synthgen.errors import ArtifactError
from synthgen.train.detection import detection_auc, features, tree_parameters

logger = logging.getLogger(__name__)

#: Fewest training rows for which a density ratio can be learned.
LEAST_ROWS: Final = 1_000
#: Refinement is dropped if fewer than this share of drawn rows would remain effective.
LEAST_EFFECTIVE: Final = 0.3
#: Most training rows that the critic looks at.
MOST_ROWS: Final = 200_000

#: Draws rows: number of rows and number of the draw, to make draws different.
Draw = Callable[[int, int], EncodedTable]


@dataclass(frozen=True)
class Refiner:
    """A density-ratio critic.

    Parameters
    ----------
    model : str
        Boosted trees in LightGBM's text format.
    gates : tuple of int
        For each head the block that gates it, -1 for none.
    pool : int
        Rows to draw for each row kept; weights above this multiple of their mean are cut.
    scale : float
        Mean weight of generated rows.
    """

    model: str
    gates: tuple[int, ...]
    pool: int
    scale: float

    @cached_property
    def _booster(self) -> lgb.Booster:
        try:
            return lgb.Booster(model_str=self.model)
        except lgb.basic.LightGBMError as error:
            raise ArtifactError(f"The refinement critic cannot be read: {error}.") from error

    def weights(self, table: EncodedTable) -> np.ndarray:
        """Return the weight of each row, in (0, pool], with mean about 1."""
        logits = self._booster.predict(features(table, self.gates), raw_score=True)
        return np.minimum(np.exp(np.asarray(logits)) / self.scale, self.pool)

    def keep(self, table: EncodedTable, n: int, rng: np.random.Generator) -> np.ndarray:
        """Choose `n` of the rows in proportion to their weights, in order.

        Systematic sampling: no row is chosen more often than its share of `n` rounded up.
        """
        return systematic(self.weights(table), n, rng)

    def to_state(self) -> tuple[dict[str, Any], str]:
        """Return JSON facts and the model's text."""
        return {"gates": list(self.gates), "pool": self.pool, "scale": self.scale}, self.model

    @classmethod
    def from_state(cls, facts: dict[str, Any], model: str) -> Refiner:
        """Rebuild a critic from :meth:`to_state`."""
        return cls(model, tuple(facts["gates"]), facts["pool"], facts["scale"])


def systematic(weights: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Choose `n` places with expected counts in proportion to `weights`, ascending."""
    running = np.cumsum(weights, dtype=np.float64)
    points = (np.arange(n) + rng.random()) * (running[-1] / n)
    return np.minimum(np.searchsorted(running, points, "right"), len(weights) - 1)


@dataclass(frozen=True)
class RefineReport:
    """What fitting a refiner found.

    Parameters
    ----------
    refiner : Refiner or None
        None if it would not have helped.
    facts : dict
        Detection AUC on held-out rows before and after, effective share of rows, trees, and the
        reason if there is no refiner.
    """

    refiner: Refiner | None
    facts: dict[str, Any]


def fit_refiner(
    layout: Layout,
    train: EncodedTable,
    holdout: EncodedTable,
    draw: Draw,
    *,
    seed: int,
    pool: int = 2,
    insist: bool = False,
) -> RefineReport:
    """Fit a critic and decide by held-out rows whether to use it.

    Parameters
    ----------
    layout : Layout
    train : EncodedTable
        Real rows that the critic learns from.
    holdout : EncodedTable
        Real rows that neither generator nor critic learn from; they stop the boosting and judge.
    draw : callable
        Draws generated rows.
    seed : int
    pool : int
        Rows to draw for each row kept.
    insist : bool
        Try however few rows there are; without held-out rows, the last tenth of the training rows
        stands in for them.

    Returns
    -------
    RefineReport
    """
    if insist and not len(holdout):
        cut = max(len(train) - len(train) // 10, 1)
        train, holdout = train.take(slice(0, cut)), train.take(slice(cut, None))
    few = len(train) < LEAST_ROWS or len(holdout) < LEAST_ROWS // 10
    if (few and not insist) or not len(holdout):
        return RefineReport(None, {"reason": "too few rows"})
    gates = tuple(-1 if head.gate is None else head.gate for head in layout.heads)
    train = train.take(slice(0, MOST_ROWS))
    booster, auc = _fit_critic(train, holdout, draw, gates, seed)
    facts: dict[str, Any] = {"auc_before": auc, "trees": booster.num_trees()}
    fresh = draw(4 * max(len(holdout), 2_000), 3)
    raw = np.exp(np.asarray(booster.predict(features(fresh, gates), raw_score=True)))
    cut = np.minimum(raw, pool * raw.mean())
    refiner = Refiner(booster.model_to_string(), gates, pool, float(cut.mean()))
    weights = refiner.weights(fresh)
    facts["effective"] = float(weights.sum() ** 2 / (weights**2).sum() / len(weights))
    if booster.num_trees() <= 1 or auc < 0.505:
        return RefineReport(None, facts | {"reason": "the critic finds nothing to correct"})
    if facts["effective"] < LEAST_EFFECTIVE:
        return RefineReport(None, facts | {"reason": "too few rows would remain effective"})
    kept = fresh.take(refiner.keep(fresh, len(fresh) // pool, np.random.default_rng(seed)))
    before = detection_auc(holdout, fresh, gates, seed)
    after = detection_auc(holdout, kept, gates, seed)
    facts |= {"detection_before": before, "detection_after": after}
    if after > before + 0.005:
        return RefineReport(None, facts | {"reason": "held-out rows are easier to tell after it"})
    return RefineReport(refiner, facts)


def _fit_critic(
    train: EncodedTable,
    holdout: EncodedTable,
    draw: Draw,
    gates: tuple[int, ...],
    seed: int,
) -> tuple[lgb.Booster, float]:
    """Fit trees to real against generated rows; the held-out rows decide when to stop."""
    fake = draw(2 * len(train), 1)
    other = draw(2 * len(holdout), 2)
    sets = [
        _labelled(real, generated, gates)
        for real, generated in ((train, fake), (holdout, other))
    ]
    least = 60 if len(train) < 10_000 else 40
    parameters = tree_parameters(seed) | {"min_data_in_leaf": least, "learning_rate": 0.1}
    result: dict[str, Any] = {}
    booster = lgb.train(
        parameters | {"metric": ["binary_logloss", "auc"]},
        sets[0],
        num_boost_round=200,
        valid_sets=[sets[1]],
        callbacks=[
            lgb.early_stopping(15, first_metric_only=True, verbose=False),
            lgb.record_evaluation(result),
        ],
    )
    best = max(booster.best_iteration, 1)
    auc = result["valid_0"]["auc"][best - 1]
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=best)), float(auc)


def _labelled(real: EncodedTable, fake: EncodedTable, gates: tuple[int, ...]) -> lgb.Dataset:
    rows = np.concatenate([features(real, gates), features(fake, gates)])
    labels = np.repeat([1.0, 0.0], [len(real), len(fake)])
    # Both sides weigh the same, so that the log-odds are the log density ratio.
    weights = np.repeat([1.0, len(real) / len(fake)], [len(real), len(fake)])
    return lgb.Dataset(rows, labels, weight=weights, free_raw_data=False)
