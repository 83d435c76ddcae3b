"""Real and generated rows as one weighted training set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.augment.confidence import draw_confident, fit_judge
from synthgen.augment.fitting import weight_parameter
from synthgen.augment.labels import Labels
from synthgen.augment.rows import Rows, TableRows, joined, read_rows, take_rows
from synthgen.augment.source import Source
from synthgen.augment.teacher import fit_committee
from synthgen.core.random import generator

if TYPE_CHECKING:
    from synthgen.augment.classifier import AugmentedClassifier

Array = NDArray[np.float64]

_PER_ROW: Final = 3
_FEWEST: Final = 2_000
_MOST: Final = 50_000
#: A generated row is not repeated for classes that have less than this share of it.
_LEAST_SHARE: Final = 1e-3


@dataclass(frozen=True)
class Mixture:
    """Rows to train on.

    Parameters
    ----------
    X : frame or array
        Real rows, then generated ones; those with soft labels once per class.
    codes : numpy.ndarray of int of shape (n,)
    weights : numpy.ndarray of shape (n,)
    n_synthetic : int
        Number of generated rows, each counted once.
    """

    X: Any
    codes: NDArray[np.int64]
    weights: Array
    n_synthetic: int


def mix(
    settings: AugmentedClassifier,
    X: Any,
    labels: Labels,
    weights: Array,
    source: Source,
    ratio: float,
    seed: int,
) -> Mixture:
    """Return real rows and generated rows of `ratio` times their weight."""
    rows = read_rows(X)
    weighted = weight_parameter(settings.estimator) is not None
    n = _how_many(settings.n_synthetic, ratio, len(rows), weighted)
    if settings.labels == "hard":
        generated, codes = _hard(settings, rows, labels, source, n, seed)
        shares = np.ones(n)
        places = np.arange(n)
    else:
        generated, _ = source.draw_any(n, _seed(seed, 2))
        real = rows.frame if isinstance(rows, TableRows) else rows.images
        committee = fit_committee(real, labels.codes, weights, len(labels.classes), seed)
        places, codes, shares = _repeat(committee.label(generated), weighted, seed)
    parts = rows.extended(generated)
    chosen = np.concatenate([np.arange(len(rows)), len(rows) + places])
    factor = ratio * weights.sum() / n
    return Mixture(
        take_rows(parts, chosen),
        np.concatenate([labels.codes, codes]),
        np.concatenate([weights, factor * shares]),
        n,
    )


def _how_many(wanted: int | str, ratio: float, rows: int, weighted: bool) -> int:
    if not weighted:
        # Numbers of rows are the only weights that such an estimator knows.
        return max(1, round(ratio * rows))
    if wanted == "auto":
        return max(_FEWEST, min(_PER_ROW * rows, _MOST))
    return int(wanted)


def _repeat(
    probabilities: Array, weighted: bool, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Return rows, their classes and weights that stand for rows with soft labels.

    Each row occurs once per class with the probability as its weight; or once with a class drawn
    by these probabilities if the estimator knows no weights.
    """
    n, n_classes = probabilities.shape
    if not weighted:
        sums = np.cumsum(probabilities, axis=1)
        points = generator(seed, "augment", 3).random((n, 1)) * sums[:, -1:]
        codes = (points > sums).sum(axis=1).clip(0, n_classes - 1)
        return np.arange(n), codes.astype(np.int64), np.ones(n)
    places, codes = np.nonzero(probabilities >= _LEAST_SHARE)
    return places, codes, probabilities[places, codes]


def _hard(
    settings: AugmentedClassifier,
    rows: Rows,
    labels: Labels,
    source: Source,
    n: int,
    seed: int,
) -> tuple[Any, NDArray[np.int64]]:
    """Draw the same number of rows of each class."""
    classes = len(labels.classes)
    numbers = [(n + place) // classes for place in range(classes)]
    judge = None
    if settings.filter is not None:
        judge = fit_judge(rows, labels, None, generator(seed, "augment", 0))
    parts: list[Any] = []
    for code, number in enumerate(numbers):
        own = _seed(seed, 4, code)
        if judge is None or settings.filter is None:
            parts.append(source.draw(code, number, own))
        else:
            parts.append(draw_confident(source, judge, code, number, settings.filter, own)[0])
    codes = np.repeat(np.arange(classes), numbers)
    return joined(parts), codes


def _seed(seed: int, *key: int) -> int:
    return int(generator(seed, "augment", *key).integers(2**62))
