"""Inception score: images that are each clearly of one class, and together of many."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate.images.extractors import INCEPTION, make_extractor
from synthgen.evaluate.images.pictures import MAX_IMAGES, make_sides
from synthgen.evaluate.result import Result

REFERENCE: Final = "Salimans et al. (2016), arXiv:1606.03498"

_ORDER: Final = 67


def inception_score_of(probabilities: ArrayLike) -> float:
    """Return the exponential of the mean divergence of class probabilities from their mean.

    Parameters
    ----------
    probabilities : array-like of shape (n, classes)
        Rows that sum to 1.

    Returns
    -------
    float
        From 1 to the number of classes.

    Raises
    ------
    InvalidDataError
        If the rows are no probabilities.

    Examples
    --------
    >>> inception_score_of([[1.0, 0.0], [0.0, 1.0]]), inception_score_of([[0.5, 0.5]])
    (2.0, 1.0)
    """
    shares = np.asarray(probabilities, dtype=np.float64)
    if shares.ndim != 2 or not shares.size or not np.allclose(shares.sum(axis=1), 1, atol=1e-4):
        raise InvalidDataError("Probabilities must be rows (n, classes) that sum to 1.")
    if (shares < 0).any():
        raise InvalidDataError("Probabilities must not be negative.")
    mean = shares.mean(axis=0)
    # The limit of p log p at 0 is 0.
    ratio = np.divide(shares, mean, out=np.ones_like(shares), where=shares > 0)
    return float(np.exp((shares * np.log(ratio)).sum(axis=1).mean()))


def inception_score(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    labels: Any = None,
    extractor: Any = "domain",
    splits: int = 10,
    layout: str = "auto",
    max_images: int = MAX_IMAGES,
    random_state: Any = 0,
) -> Result:
    """Return the inception score of the synthetic images under a classifier.

    It never looks at real images: one perfect image of every class scores best of all. Read it
    only beside the scores that do.

    Parameters
    ----------
    real, synthetic, holdout, labels, layout, max_images, random_state
        As in :func:`~synthgen.evaluate.images.frechet.frechet`.
    extractor : str or Extractor, default="domain"
        One with class probabilities.
    splits : int, default=10
        Parts whose scores are averaged; fewer if there are fewer than ten images for a part.

    Returns
    -------
    Result
        Named ``IS[extractor]``, and ``IS`` only with Inception weights. Higher is better; the
        floor is 1, the ceiling the score of as many images of the reference (with a holdout, none
        that the classifier was trained on, which would score too well).

    Raises
    ------
    InvalidParameterError
        If the extractor has no class probabilities.

    References
    ----------
    Salimans et al. (2016), Improved techniques for training GANs, arXiv:1606.03498; Barratt &
    Sharma (2018), A note on the inception score, arXiv:1801.01973.
    """
    splits = check_integer("splits", splits, minimum=1)
    seed = root_seed(random_state)
    sides = make_sides(
        real, synthetic, holdout, layout=layout, max_images=max_images, random_state=seed
    )
    found = make_extractor(extractor, sides.train, labels, random_state=seed)
    if found.probabilities is None:
        raise InvalidParameterError(
            f"extractor must have class probabilities, which '{found.name}' lacks; "
            "use 'domain' with labels."
        )
    made, best = (found.probabilities(images) for images in (sides.made, sides.reference))
    return score_probabilities(
        made, best, splits=splits, extractor=found.name, seed=seed, details=sides.details
    )


def score_probabilities(
    made: NDArray[np.float64],
    best: NDArray[np.float64],
    *,
    splits: int,
    extractor: str,
    seed: int,
    details: dict[str, Any],
) -> Result:
    """Return the score of class probabilities, averaged over random parts."""
    # A part of a few images scores low, whatever they are: both sides have parts of the same size.
    size = min(len(made), len(best))
    parts = max(1, min(splits, size // 10))
    made, best = (
        rows[generator(seed, "score", _ORDER, number).permutation(len(rows))[:size]]
        for number, rows in enumerate((made, best), start=1)
    )
    values = _values(made, parts, seed)
    spread = float(values.std(ddof=1)) if parts > 1 else None
    name = "IS" if extractor == INCEPTION else f"IS[{extractor}]"
    return Result(
        name,
        float(values.mean()),
        floor=1.0,
        ceiling=float(_values(best, parts, seed).mean()),
        reference=REFERENCE,
        details=details
        | {"splits": parts, "deviation_of_splits": spread, "classes": made.shape[1]},
    )


def _values(rows: NDArray[np.float64], parts: int, seed: int) -> NDArray[np.float64]:
    order = generator(seed, "score", _ORDER).permutation(len(rows))
    return np.array([inception_score_of(rows[own]) for own in np.array_split(order, parts)])
