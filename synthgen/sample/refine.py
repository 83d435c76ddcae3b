"""Refinement: draw more rows than needed and keep them by how real they look.

The log-odds of a classifier of real against generated rows estimate the log density ratio; keeping
rows in proportion to the ratio corrects what the generator got wrong where it has support (Azadi et
al., "Discriminator Rejection Sampling", ICLR 2019, arXiv:1810.06758; Turner et al., ICML 2019,
arXiv:1811.11357). The critic is small and stops on rows it was not fitted to, and it is dropped
unless held-out rows say that it helps. Raking then makes the marginals exact.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import lightgbm as lgb
import numpy as np

from synthgen.encode.layout import EncodedTable, Layout
from synthgen.sample.rake import Raking, fit_raking, rake_to
from synthgen.sample.trees import raw_scores, read_trees
from synthgen.train.detection import (
    detection_auc,
    features,
    features_of,
    gates_of,
    tree_parameters,
    unordered_features,
)

logger = logging.getLogger(__name__)

#: Fewest training rows for which a density ratio can be learned.
LEAST_ROWS: Final = 1_000
#: The critic's ratio is flattened until this share of the rows drawn is effective.
LEAST_EFFECTIVE: Final = 0.3
#: Most training rows that the critic looks at, and generated rows for each.
MOST_ROWS: Final = 60_000
_FAKE_PER_REAL: Final = 4
#: Rows drawn to measure weights and marginals.
_MEASURED: Final = 200_000
#: Drawing takes most of the time: the most of both if it is late.
_LATE: Final = (20_000, 50_000)
#: Trees of the critic.
_MOST_TREES: Final = 100
#: Rows drawn for each row kept: as few as cut no more than this share of the weights. A row that
#: weighs more than this multiple of the mean would have to be kept twice, so its weight is cut.
_POOLS: Final = (1.25, 1.5, 2.0, 3.0)
_CUT: Final = 0.055
#: The critic must make held-out rows likelier by so many standard errors.
_STANDARD_ERRORS: Final = 2.0

#: Draws rows: number of rows and number of the draw, to make draws different.
Draw = Callable[[int, int], EncodedTable]


@dataclass(frozen=True)
class Refiner:
    """Weights for generated rows.

    Parameters
    ----------
    model : str or None
        Boosted trees in LightGBM's text format, whose raw score is a log density ratio.
    raking : Raking
        Factors that make the marginals right.
    pool : float
        Rows to draw for each row kept.
    scale : float
        Mean of the raw weights of generated rows.
    temper : float
        Factor of the log density ratio, in (0, 1]; below 1 where the full ratio would leave too
        few effective rows.
    """

    model: str | None
    raking: Raking
    pool: float
    scale: float
    temper: float = 1.0

    @cached_property
    def _booster(self) -> lgb.Booster | None:
        return None if self.model is None else read_trees(self.model)

    def log_weights(self, table: EncodedTable) -> np.ndarray:
        """Return the logarithm of each row's weight, unbounded, with mean weight about 1."""
        total = self.raking.log_weights(table)
        if self._booster is not None:
            total = total + self.temper * _log_ratio(self._booster, table, self.raking.layout)
        return np.asarray(total - np.log(self.scale))

    def weights(self, table: EncodedTable) -> np.ndarray:
        """Return the weight of each row, in (0, pool]."""
        return np.asarray(np.minimum(np.exp(self.log_weights(table)), self.pool))

    def keep(self, table: EncodedTable, n: int, rng: np.random.Generator) -> np.ndarray:
        """Choose `n` of the rows in proportion to their weights, in order.

        Sampling is systematic: with ``pool`` times as many rows as are kept, hardly any row is
        chosen twice. Marginals are balanced, so that they vary less than by chance.
        """
        logs = self.raking.balanced(table, self.log_weights(table), self.pool)
        return systematic(_capped(np.exp(logs), self.pool), n, rng)

    def choose(self, table: EncodedTable, n: int, rng: np.random.Generator) -> np.ndarray:
        """Choose as :meth:`keep` does, for rows drawn under conditions: marginals stay free."""
        return systematic(_capped(np.exp(self.log_weights(table)), self.pool), n, rng)


def _capped(weights: np.ndarray, pool: float) -> np.ndarray:
    """Cut weights to `pool` times the mean of what is left, so that no row is due twice."""
    capped = weights
    for _ in range(4):
        capped = np.minimum(weights, pool * capped.mean())
    return capped


def systematic(weights: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Choose `n` places with expected counts in proportion to `weights`, ascending."""
    running = np.cumsum(weights, dtype=np.float64)
    points = (np.arange(n) + rng.random()) * (running[-1] / n)
    return np.asarray(np.minimum(np.searchsorted(running, points, "right"), len(weights) - 1))


@dataclass(frozen=True)
class RefineReport:
    """What fitting a refiner found.

    Parameters
    ----------
    refiner : Refiner or None
        None if too few rows would remain effective.
    facts : dict
        Whether trees are used and why not, their number, the effective share of rows, and the
        detection AUC on held-out rows before and after.
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
    hidden: Collection[int] = (),
    late: bool = False,
    insist: bool = False,
) -> RefineReport:
    """Fit a critic and factors, and decide by held-out rows whether to use the critic.

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
    hidden : collection of int
        Encoded columns not to go by: they are worked out from others later.
    late : bool
        Whether time is short: fewer rows are drawn, and the critic looks at fewer.
    insist : bool
        Fit a critic however few rows there are; without held-out rows, the last tenth of the
        training rows stands in for them.

    Returns
    -------
    RefineReport
    """
    if insist and len(holdout) == 0:
        cut = max(len(train) - max(len(train) // 10, 1), 1)
        train, holdout = train.take(slice(0, cut)), train.take(slice(cut, None))
    fresh = draw(_measured(len(train), late=late), 3)
    real = EncodedTable.concatenate([train, holdout])
    plain = _with_raking(None, layout, real, fresh, hidden)
    few = len(train) < LEAST_ROWS or len(holdout) < LEAST_ROWS // 10
    if len(holdout) == 0 or (few and not insist):
        return _report(plain, fresh, {"trees": 0, "reason": "too few rows for a critic"})
    unseen = features_of(layout, hidden)
    shown = train.take(slice(0, _shown(len(train), late=late)))
    model, facts = _fit_critic(layout, shown, holdout, draw, unseen, seed)
    if facts["trees"] <= 1:
        return _report(plain, fresh, facts | {"reason": "the critic finds nothing to correct"})
    refiner = _with_raking(model, layout, real, fresh, hidden)
    judged = [_detection(holdout, fresh, choice, unseen, seed) for choice in (plain, refiner)]
    gain, error = _gain(holdout, fresh, plain, refiner)
    facts |= {"detection_before": judged[0], "detection_after": judged[1], "gain": round(gain, 4)}
    if gain < _STANDARD_ERRORS * error:
        reason = "it does not make held-out rows likelier"
        return _report(plain, fresh, facts | {"trees": 0, "reason": reason})
    report = _report(refiner, fresh, facts)
    return report if report.refiner is not None else _report(plain, fresh, report.facts)


def rows_drawn(n_train: int, n_holdout: int, *, late: bool) -> int:
    """Return how many generated rows :func:`fit_refiner` draws of so many real ones."""
    learned = _FAKE_PER_REAL * (_shown(n_train, late=late) + n_holdout)
    return _measured(n_train, late=late) + learned


def _measured(n_train: int, *, late: bool) -> int:
    """Return how many generated rows weights and marginals are measured on."""
    return min(max(10 * n_train, 5_000), _LATE[1] if late else _MEASURED)


def _shown(n_train: int, *, late: bool) -> int:
    """Return how many training rows the critic looks at."""
    return min(n_train, _LATE[0] if late else MOST_ROWS)


def raked(layout: Layout, shares: np.ndarray, n_rows: float, generated: EncodedTable) -> Refiner:
    """Return a refiner that only gives rows the given shares of cells.

    Parameters
    ----------
    layout : Layout
    shares : numpy.ndarray of shape (cells,)
        Of a layout without heads; each column's sum to 1.
    n_rows : float
        Number of rows that they come from.
    generated : EncodedTable
        Many generated rows.
    """
    pool = _POOLS[0]
    even = np.ones(len(generated))
    raking = rake_to(layout, np.append(shares, 0.0), n_rows, generated, even, cap=pool)
    raw = np.exp(raking.log_weights(generated))
    return Refiner(None, raking, pool, float(raw.mean()))


def _with_raking(
    model: str | None,
    layout: Layout,
    real: EncodedTable,
    fresh: EncodedTable,
    hidden: Collection[int],
) -> Refiner:
    logs = np.zeros(len(fresh))
    if model is not None:
        logs = _log_ratio(read_trees(model), fresh, layout)
    temper = _temper(logs)
    logs = logs * temper
    pool = _smallest_pool(np.exp(logs))
    raking = fit_raking(layout, real, fresh, np.exp(logs), pool, hidden)
    raw = np.exp(logs + raking.log_weights(fresh))
    scale = float(np.minimum(raw, pool * raw.mean()).mean())
    return Refiner(model, raking, pool, scale, temper)


def _temper(logs: np.ndarray) -> float:
    """Return the largest factor in (0, 1] that leaves enough rows effective."""
    for factor in np.linspace(1.0, 0.1, 10):
        weights = np.exp(factor * (logs - logs.max()))
        if weights.sum() ** 2 >= LEAST_EFFECTIVE * len(weights) * (weights**2).sum():
            return float(factor)
    return 0.05


def _smallest_pool(weights: np.ndarray) -> float:
    for pool in _POOLS:
        if np.minimum(weights, pool * weights.mean()).sum() >= (1.0 - _CUT) * weights.sum():
            return pool
    return _POOLS[-1]


def _report(refiner: Refiner, fresh: EncodedTable, facts: dict[str, Any]) -> RefineReport:
    weights = refiner.weights(fresh)
    effective = float(weights.sum() ** 2 / (weights**2).sum() / len(weights))
    facts = facts | {"effective": round(effective, 4)}
    if effective < LEAST_EFFECTIVE:
        reason = "too few rows would remain effective"
        return RefineReport(None, facts | {"trees": 0, "reason": reason})
    return RefineReport(refiner, facts)


def _gain(
    holdout: EncodedTable, fresh: EncodedTable, plain: Refiner, refiner: Refiner
) -> tuple[float, float]:
    """Return how much likelier the critic makes held-out rows, in nats a row, and its error.

    The mean log weight of real rows, where weights of generated rows have mean 1, is by how much
    reweighting brings generated rows closer to the real ones in the Kullback-Leibler sense.
    """
    logs = [
        np.log(choice.weights(holdout)) - np.log(choice.weights(fresh).mean())
        for choice in (plain, refiner)
    ]
    gains = logs[1] - logs[0]
    return float(gains.mean()), float(gains.std() / np.sqrt(len(gains)))


def _detection(
    holdout: EncodedTable, fresh: EncodedTable, refiner: Refiner, unseen: list[int], seed: int
) -> float:
    rng = np.random.default_rng(seed)
    kept = fresh.take(rng.permutation(refiner.keep(fresh, int(len(fresh) / refiner.pool), rng)))
    gates = gates_of(refiner.raking.layout)
    return round(detection_auc(holdout, kept, gates, seed, hidden=unseen), 4)


def _fit_critic(
    layout: Layout,
    train: EncodedTable,
    holdout: EncodedTable,
    draw: Draw,
    unseen: list[int],
    seed: int,
) -> tuple[str, dict[str, Any]]:
    """Fit trees to real against generated rows; the held-out rows decide when to stop."""
    count = len(train) + len(holdout)
    sets = [
        _labelled(layout, real, draw(_FAKE_PER_REAL * len(real), number), unseen, count)
        for number, real in enumerate((train, holdout), start=1)
    ]
    parameters = tree_parameters(seed) | {
        "metric": "binary_logloss",
        "learning_rate": 0.3,
        "min_data_in_leaf": min(60 if len(train) < 10_000 else 40, max(len(train) // 20, 1)),
    }
    stop = lgb.early_stopping(15, verbose=False)
    booster = lgb.train(parameters, sets[0], _MOST_TREES, valid_sets=[sets[1]], callbacks=[stop])
    best = max(booster.best_iteration, 1)
    return booster.model_to_string(num_iteration=best), {"trees": best}


def _labelled(
    layout: Layout, real: EncodedTable, fake: EncodedTable, unseen: list[int], n_rows: int
) -> lgb.Dataset:
    gates = gates_of(layout)
    rows = np.concatenate([features(side, gates, unseen) for side in (real, fake)])
    labels = np.repeat([1.0, 0.0], [len(real), len(fake)])
    # Both sides weigh the same, so that the log-odds are the log density ratio.
    weights = np.repeat([1.0, len(real) / len(fake)], [len(real), len(fake)])
    unordered = unordered_features(layout, n_rows)
    return lgb.Dataset(rows, labels, weight=weights, categorical_feature=unordered)


def _log_ratio(booster: lgb.Booster, table: EncodedTable, layout: Layout) -> np.ndarray:
    return raw_scores(booster, features(table, gates_of(layout)))
