"""Every method for tables, fitted on the same rows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.anomaly.baselines import BASELINES, Detector, Neighbours
from synthgen.anomaly.contrast import ContrastCritic
from synthgen.anomaly.margins import Margins
from synthgen.anomaly.models import Timed, fresh_model
from synthgen.anomaly.planted import KINDS, planted_anomalies
from synthgen.anomaly.space import Space
from synthgen.core.random import generator
from synthgen.models.surprisal import CellLikelihood, cell_likelihood

Vector = NDArray[np.float64]

#: Methods that rest on a generator or a critic, in the order in which they are listed.
TABLE_METHODS: Final = (
    "likelihood", "surprisal", "dependence", "tree_critic", "critic", "critic_features"
)  # fmt: skip
#: Latent vectors of likelihoods, times columns, at most: it bounds the time per row.
_POOL, _LEAST_POOL, _POOL_COLUMNS = 8_192, 2_048, 131_072
#: A column's surprise counts up to this many nats, so that one impossible cell is not everything.
_MOST_SURPRISE: Final = 30.0


class TableMethods(Timed):
    """Generators and the detectors beside them.

    Parameters
    ----------
    synthesizer : GANSynthesizer
        Unfitted; cloned for each of the models.
    n_models : int
        Generators that differ by their seed; their scores are averaged.
    seed : int
    """

    panel = ("isolation_forest", "knn", "ecod")

    def __init__(self, synthesizer: Any, n_models: int, seed: int) -> None:
        super().__init__()
        self._synthesizer, self._n_models, self._seed = synthesizer, n_models, seed

    def request(self, name: str) -> None:
        """Offer a method that is left out unless asked for: there is none for tables."""

    def fit(self, frame: pd.DataFrame) -> TableMethods:
        """Fit everything to the training rows."""
        self.models = [self._fitted(frame, k) for k in range(self._n_models)]
        self.schema = self.models[0].schema_
        self.space = Space(self.schema, frame)
        self.margins = self._timed("margins", lambda: Margins(self.space.scaled(frame)))
        rng = generator(self._seed, "anomaly", 1)
        self.contrast = self._timed("tree_critic", lambda: ContrastCritic(self.space, frame, rng))
        self.baselines = {name: self._baseline(name, frame) for name in BASELINES}
        self.features = self._timed("critic_features", lambda: self._feature_search(frame))
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Methods that can be asked for."""
        own = TABLE_METHODS if self.features is not None else TABLE_METHODS[:-2]
        return (*own, *BASELINES)

    def abnormality(self, frame: pd.DataFrame, names: tuple[str, ...]) -> dict[str, Vector]:
        """Return scores of the given methods, the higher the stranger."""
        found: dict[str, Vector] = {}
        if {"likelihood", "surprisal", "dependence"} & set(names):
            cells = [self.cells(frame, k) for k in range(self._n_models)]
            found["surprisal"] = self.surprise(frame, cells).sum(axis=1)
            found["dependence"] = -np.mean([own.dependence for own in cells], axis=0)
            tails = self.margins.surprise(self.space.scaled(frame)).sum(axis=1)
            found["likelihood"] = tails - np.mean([own.joint for own in cells], axis=0)
        for name in names:
            if name in self.baselines:
                points = getattr(self.space, BASELINES[name][1])(frame)
                found[name] = self.baselines[name].abnormality(points)
        if "tree_critic" in names:
            found["tree_critic"] = self.contrast.abnormality(frame)
        if "critic" in names:
            found["critic"] = -np.mean([own.critic_.scores(frame) for own in self.models], axis=0)
        if "critic_features" in names and self.features is not None:
            found["critic_features"] = self._feature_distance(frame)
        return {name: np.nan_to_num(found[name], posinf=1e30, neginf=-1e30) for name in names}

    def planted(self, frame: pd.DataFrame, n: int) -> dict[str, pd.DataFrame]:
        """Return calibration rows spoilt in each way."""
        return {
            kind: planted_anomalies(frame, kind, n, schema=self.schema, random_state=self._seed)
            for kind in KINDS
        }

    def cells(self, frame: pd.DataFrame, number: int) -> CellLikelihood:
        """Return the log probabilities of cells under one of the models."""
        size = max(_LEAST_POOL, min(_POOL, _POOL_COLUMNS // max(frame.shape[1], 1)))
        return cell_likelihood(self.models[number], frame, pool_size=size, seed=self._seed)

    def surprise(self, frame: pd.DataFrame, cells: list[CellLikelihood]) -> Vector:
        """Return how surprising each cell is given the others and in itself, (rows, columns).

        Columns are those of ``cells[0].columns``.
        """
        given = -np.mean([np.clip(own.conditional, -_MOST_SURPRISE, None) for own in cells], axis=0)
        tails = self.margins.surprise(self.space.scaled(frame))
        place = {name: j for j, name in enumerate(cells[0].columns)}
        for j, name in enumerate(self.space.numbers):
            if name in place:
                given[:, place[name]] += tails[:, j]
        return np.asarray(given)

    def explain(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return how surprising each cell is, one column per modelled column."""
        cells = [self.cells(frame, k) for k in range(self._n_models)]
        result = pd.DataFrame(self.surprise(frame, cells))
        result.columns = pd.Index(list(cells[0].columns), tupleize_cols=False)
        return result

    def _fitted(self, frame: pd.DataFrame, number: int) -> Any:
        model = fresh_model(self._synthesizer, self._seed, number)
        name = f"generator {number}"
        fitted: Any = self._timed(name, lambda: model.fit(frame))
        return fitted

    def _baseline(self, name: str, frame: pd.DataFrame) -> Detector:
        make, view = BASELINES[name]
        seed = int(generator(self._seed, "anomaly", 2).integers(2**31))
        fitted: Detector = self._timed(
            name, lambda: make(seed).fit(getattr(self.space, view)(frame))
        )
        return fitted

    def _feature_search(
        self, frame: pd.DataFrame
    ) -> list[tuple[Vector, Vector, Neighbours]] | None:
        """Return centre, spread and neighbours in the features of each model's critic."""
        if any(getattr(model, "critic_", None) is None for model in self.models):
            return None
        found = []
        for model in self.models:
            features = model.critic_.features(frame).astype(np.float64)
            middle, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
            search = Neighbours(self._seed).fit((features - middle) / spread)
            found.append((middle, spread, search))
        return found

    def _feature_distance(self, frame: pd.DataFrame) -> Vector:
        distances = [
            search.abnormality((model.critic_.features(frame) - middle) / spread)
            for model, (middle, spread, search) in zip(
                self.models, self.features or (), strict=True
            )
        ]
        return np.asarray(np.mean(distances, axis=0))
