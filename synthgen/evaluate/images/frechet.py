"""Frechet distance between the Gaussians fitted to two sets of features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthgen.core.params import check_choice
from synthgen.errors import InvalidDataError
from synthgen.evaluate.images.compared import compared
from synthgen.evaluate.images.extractors import frechet_name
from synthgen.evaluate.images.pictures import MAX_IMAGES
from synthgen.evaluate.result import Result

REFERENCE: Final = (
    "Dowson & Landau (1982), doi:10.1016/0047-259X(82)90077-X; Heusel et al. (2017), "
    "arXiv:1706.08500"
)

#: From this many images on, the distance is extrapolated to infinitely many.
_MANY: Final = 2_000

#: Shares of the images that the line through 1/N is drawn from.
_SHARES: Final = (0.4, 0.55, 0.7, 0.85, 1.0)


@dataclass(frozen=True)
class Gaussian:
    """Mean and covariance of features.

    Parameters
    ----------
    mean : numpy.ndarray of shape (d,)
    covariance : numpy.ndarray of shape (d, d)
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def gaussian(features: ArrayLike, *, shrink: bool = False) -> Gaussian:
    """Fit a Gaussian.

    Parameters
    ----------
    features : array-like of shape (n, d)
    shrink : bool, default=False
        Pull the covariance towards a multiple of the identity as far as few rows ask for.

    Returns
    -------
    Gaussian

    References
    ----------
    Ledoit & Wolf (2004), A well-conditioned estimator for large-dimensional covariance matrices,
    doi:10.1016/S0047-259X(03)00096-4.
    """
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < 2:
        raise InvalidDataError(
            f"A Gaussian needs features (n, d) with n >= 2, got shape {rows.shape}."
        )
    mean = rows.mean(axis=0)
    if shrink:
        from sklearn.covariance import ledoit_wolf

        return Gaussian(mean, np.asarray(ledoit_wolf(rows)[0], dtype=np.float64))
    centred = rows - mean
    return Gaussian(mean, centred.T @ centred / (len(rows) - 1))


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Return the squared 2-Wasserstein distance between two Gaussians.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2)``, by two symmetric eigenvalue problems:
    no complex numbers, and nothing breaks if the covariances have no full rank.

    Parameters
    ----------
    first, second : Gaussian

    Returns
    -------
    float
        At least 0.

    Examples
    --------
    >>> one = Gaussian(np.zeros(2), np.diag([1.0, 4.0]))
    >>> two = Gaussian(np.array([3.0, 0.0]), np.diag([4.0, 4.0]))
    >>> frechet_distance(one, two)
    10.0
    """
    return _distance(first, _root(first.covariance), second)


def _distance(first: Gaussian, root: NDArray[np.float64], second: Gaussian) -> float:
    inner = root @ second.covariance @ root
    values = np.linalg.eigvalsh((inner + inner.T) / 2)
    overlap = np.sqrt(np.maximum(values, 0.0)).sum()
    spread = np.trace(first.covariance) + np.trace(second.covariance)
    shift = ((first.mean - second.mean) ** 2).sum()
    return max(0.0, float(shift + spread - 2 * overlap))


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(covariance)
    root: NDArray[np.float64] = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root


def frechet_features(
    reference: ArrayLike,
    made: ArrayLike,
    fresh: ArrayLike | None = None,
    scrambled: ArrayLike | None = None,
    *,
    few: str = "refuse",
    extractor: str = "features",
) -> Result:
    """Return the Frechet distance between features.

    Parameters
    ----------
    reference, made : array-like of shape (n, d) and (m, d)
        Features of real and of synthetic images.
    fresh : array-like of shape (m, d), optional
        Features of other real images, as many as synthetic ones; they give the ceiling.
    scrambled : array-like of shape (m, d), optional
        Features of images of independent pixels; they give the floor.
    few : {"refuse", "shrink"}, default="refuse"
        What to do if a side has fewer than ``2 d`` rows, so that a covariance is mostly noise:
        give no value, or shrink both covariances (a smoother, smaller and smoothed-out distance,
        to be compared with equally shrunk ones only).
    extractor : str, default="features"
        Where the features come from; ``FD[extractor]`` becomes the name.

    Returns
    -------
    Result
        Lower is better. With 2,000 synthetic rows and five per feature, or more,
        ``details["extrapolated"]`` has the value of a line in 1/N at infinitely many synthetic
        images, which removes the bias of their number; that of the reference's number stays.

    References
    ----------
    Heusel et al. (2017), arXiv:1706.08500; Chong & Forsyth (2020), arXiv:1911.07023.
    """
    check_choice("few", few, ["refuse", "shrink"])
    own, other = (np.asarray(rows, dtype=np.float64) for rows in (reference, made))
    size, width = min(len(own), len(other)), own.shape[1]
    details: dict[str, Any] = {"features": width, "rows": [len(own), len(other)]}
    name = frechet_name(extractor)
    if size < 2 or (size < 2 * width and few == "refuse"):
        reason = f"{max(2, 2 * width)} images are needed on both sides, there are {size}"
        details["not_applicable"] = reason + "; use the kernel distance, or few='shrink'"
        return Result(name, None, "lower", reference=REFERENCE, details=details)
    shrink = size < 2 * width
    details["covariance"] = "shrunk (Ledoit-Wolf)" if shrink else "sample"
    first = gaussian(own, shrink=shrink)
    root = _root(first.covariance)

    def score(rows: NDArray[np.float64]) -> float:
        return _distance(first, root, gaussian(rows, shrink=shrink))

    if not shrink and len(other) >= max(_MANY, 5 * width):
        details["extrapolated"] = _extrapolated(other, score)
    floor, ceiling = (
        None if rows is None else score(np.asarray(rows, dtype=np.float64))
        for rows in (scrambled, fresh)
    )
    return Result(
        name,
        score(other),
        "lower",
        floor=floor,
        ceiling=ceiling,
        reference=REFERENCE,
        details=details,
    )


def _extrapolated(rows: NDArray[np.float64], score: Any) -> float:
    """Return the end of a line in 1/N through the scores of random parts; below 0 by chance."""
    order = np.random.default_rng(0).permutation(len(rows))
    sizes = [int(share * len(rows)) for share in _SHARES]
    scores = [score(rows[order[:size]]) for size in sizes]
    return float(np.polyfit(1 / np.array(sizes), scores, 1)[1])


def frechet(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    labels: Any = None,
    extractor: Any = "auto",
    few: str = "refuse",
    layout: str = "auto",
    max_images: int = MAX_IMAGES,
    random_state: Any = 0,
) -> Result:
    """Return how far the synthetic images' features are from those of real images.

    Parameters
    ----------
    real, synthetic, holdout : array-like
        Training images, synthetic images, and real images that nothing was trained on, as
        ``(n, H, W)``, ``(n, H, W, C)`` or ``(n, C, H, W)``. The reference is the holdout, or half
        of the real images without one.
    labels : array-like of shape (n,), optional
        Classes of the real images, for the domain extractor.
    extractor : str or Extractor, default="auto"
        See :func:`~synthgen.evaluate.images.extractors.make_extractor`.
    few : {"refuse", "shrink"}, default="refuse"
        What to do with fewer than twice as many images as features.
    layout : {"auto", "channels_first", "channels_last"}, default="auto"
        Where the channels stand.
    max_images : int, default=10000
        At most this many random images of a side are used.
    random_state : int, Generator or None, default=0
        Seed of the choice of images and of the extractor.

    Returns
    -------
    Result
        Named ``FD[extractor]``, and ``FID`` only with Inception weights. Lower is better; the
        ceiling is the distance of as many fresh real images, which is never 0, the floor that of
        images whose pixels are independent.

    References
    ----------
    Heusel et al. (2017), GANs trained by a two time-scale update rule, arXiv:1706.08500.
    """
    found = compared(real, synthetic, holdout, labels, extractor, layout, max_images, random_state)
    result = frechet_features(*found.features, few=few, extractor=found.extractor.name)
    return found.described(result)
