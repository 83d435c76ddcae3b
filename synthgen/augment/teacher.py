"""Soft labels: what several classifiers of the real rows, together, think of generated ones.

A generator that has seen forty rows of a class knows little about where the class ends, and its
hard labels teach just that mistake. What it does know is how rows look. So the labels come from a
committee of different classifiers trained on the real rows, as probabilities, and the generator
only says where in the space of features they are asked: knowledge distillation on generated rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from synthgen.augment.checks import estimator_at_work
from synthgen.augment.features import FrameNumbers
from synthgen.augment.fitting import balanced_weights, fit_weighted

Array = NDArray[np.float64]

#: Probabilities are kept this far from 0 and 1, so that no one member of a committee has a veto.
_LEAST: Final = 1e-4


@dataclass(frozen=True)
class Member:
    """One fitted classifier of a committee.

    Parameters
    ----------
    model : object
        With ``predict_proba``; its classes are codes.
    encoder : object or None
        Turns the rows into what the model takes.
    prior : numpy.ndarray or None
        Shares of the classes, if the model was trained with all classes weighing the same and its
        probabilities have to be corrected for that.
    """

    model: Any
    encoder: Any = None
    prior: Array | None = None

    def probabilities(self, rows: Any, n_classes: int) -> Array:
        """Return the probability of each class, shape (rows, classes)."""
        features = rows if self.encoder is None else self.encoder.transform(rows)
        shares = np.zeros((len(features), n_classes))
        with estimator_at_work(self.model):
            said = self.model.predict_proba(features)
        shares[:, np.asarray(self.model.classes_, dtype=np.int64)] = said
        if self.prior is not None:
            shares *= self.prior
            shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)
        return shares


def blend(probabilities: Sequence[Array]) -> Array:
    """Return the normalised geometric mean of probabilities: the mean of log-odds.

    Examples
    --------
    >>> blend([np.array([[0.2, 0.8]]), np.array([[0.8, 0.2]])]).tolist()
    [[0.5, 0.5]]
    """
    if len(probabilities) == 1:
        return probabilities[0]
    logs = np.mean([np.log(np.clip(p, _LEAST, 1.0)) for p in probabilities], axis=0)
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Committee:
    """Fitted classifiers that give one opinion."""

    members: tuple[Member, ...]
    n_classes: int

    def label(self, rows: Any) -> Array:
        """Return probabilities of the classes, shape (rows, classes)."""
        return blend([member.probabilities(rows, self.n_classes) for member in self.members])


def fit_committee(
    rows: Any, codes: NDArray[np.int64], weights: Array, n_classes: int, seed: int
) -> Committee:
    """Train the default teachers on real rows.

    Parameters
    ----------
    rows : pandas.DataFrame or numpy.ndarray of images
        Frames get logistic regression with and without balanced classes, a random forest and
        boosted trees; images logistic regression on pixels.
    codes : numpy.ndarray of int of shape (n,)
    weights : numpy.ndarray of shape (n,)
    n_classes : int
    seed : int
    """
    totals = np.bincount(codes, weights, minlength=n_classes)
    prior: Array = np.asarray(totals / totals.sum(), dtype=np.float64)
    table = isinstance(rows, pd.DataFrame)
    wide = FrameNumbers(one_hot=True) if table else Pixels()
    linear = wide.fit(rows)
    even = balanced_weights(codes, weights)
    members = [
        _fit(_linear(), linear, rows, codes, weights),
        _fit(_linear(), linear, rows, codes, even, prior),
    ]
    if table:
        narrow = FrameNumbers().fit(rows)
        members += [_fit(model, narrow, rows, codes, weights) for model in _trees(seed)]
    return Committee(tuple(members), n_classes)


class Pixels:
    """Flattens images and divides by the largest value."""

    def fit(self, images: NDArray[Any]) -> Pixels:
        """Learn the largest absolute value."""
        self.scale_ = max(1.0, float(np.abs(np.asarray(images, dtype=np.float64)).max(initial=0)))
        return self

    def transform(self, images: NDArray[Any]) -> Array:
        """Return one row of pixels per image."""
        flat = np.asarray(images, dtype=np.float64).reshape(len(images), -1)
        return flat / self.scale_


def _fit(
    model: Any,
    encoder: Any,
    rows: Any,
    codes: NDArray[np.int64],
    weights: Array,
    prior: Array | None = None,
) -> Member:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # A teacher need not have converged to the last digit.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = fit_weighted(clone(model), encoder.transform(rows), codes, weights)
    return Member(fitted, encoder, prior)


def _linear() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=200)


def _trees(seed: int) -> list[Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    state = seed % 2**32
    forest = RandomForestClassifier(100, random_state=state)
    boosting = HistGradientBoostingClassifier(random_state=state)
    return [make_pipeline(FunctionTransformer(_fill), forest), boosting]


def _fill(values: Array) -> Array:
    """Put missing numbers below all others."""
    return np.nan_to_num(values, nan=-1e6)
