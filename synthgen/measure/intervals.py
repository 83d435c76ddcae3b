"""Intervals that hold at small counts and for the area under a curve, at any level."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthgen.errors import InvalidDataError
from synthgen.measure.stats import auc


def clopper_pearson(successes: int, trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share, which never covers less often than it says.

    Parameters
    ----------
    successes, trials : int
    level : float, default=0.95
        Coverage; each side misses at most half of the rest.

    Returns
    -------
    low, high : float
        (0, 1) without trials.

    References
    ----------
    Clopper & Pearson (1934), The use of confidence or fiducial limits illustrated in the case of
    the binomial, Biometrika 26, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> tuple(round(end, 4) for end in clopper_pearson(0, 20))
    (0.0, 0.1684)
    """
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, tail))
    if successes == trials:
        return low, 1.0
    return low, float(betaincinv(successes + 1, trials - successes, 1 - tail))


def delong_interval(
    positive: ArrayLike, negative: ArrayLike, *, level: float = 0.95, on_logits: bool = False
) -> tuple[float, float, float]:
    """Return the area under the ROC curve and its interval, from the scores of two classes.

    Parameters
    ----------
    positive, negative : array-like of float of shape (m,) and (n,)
        Scores; higher means more likely positive. Ties count half.
    level : float, default=0.95
    on_logits : bool, default=False
        Take the logit of the area to be normal, and not the area itself: honest at the high levels
        of many comparisons and few rows, where the variance is too small when the area is large.

    Returns
    -------
    area, low, high : float
        Where the scores leave no variance (perfect separation, one class all ties), the interval is
        the exact one of as many trials as the smaller class has.

    Raises
    ------
    InvalidDataError
        If a class is empty or a score is no number.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, doi:10.2307/2531595; computed by ranks as
    in Sun & Xu (2014), IEEE Signal Processing Letters 21, doi:10.1109/LSP.2014.2337313.

    Examples
    --------
    >>> delong_interval([0.8, 0.4], [0.1, 0.5])[0]
    0.75
    """
    from scipy.special import expit, logit, ndtri

    ours = np.asarray(positive, dtype=np.float64)
    others = np.asarray(negative, dtype=np.float64)
    if np.isnan(ours).any() or np.isnan(others).any():
        raise InvalidDataError("A score is NaN; an attack must score every row.")
    labels = np.repeat([True, False], [len(ours), len(others)])
    area = auc(labels, np.concatenate([ours, others]))
    variance = _placement_variance(ours, others) + _placement_variance(others, ours)
    least = min(len(ours), len(others))
    # A constant score has placements without variance although the area is known to be .5.
    if variance <= 0 or least < 2:
        return area, *clopper_pearson(round(area * least), least, level=level)
    half = float(-ndtri((1 - level) / 2)) * math.sqrt(variance)
    if on_logits and 0.0 < area < 1.0:
        half /= area * (1 - area)
        return area, float(expit(logit(area) - half)), float(expit(logit(area) + half))
    return area, max(0.0, area - half), min(1.0, area + half)


def _placement_variance(own: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the variance of the mean share of `other` that lies below each of `own`."""
    if len(own) < 2:
        return 0.0
    ordered = np.sort(other)
    below = np.searchsorted(ordered, own, side="left")
    up_to = np.searchsorted(ordered, own, side="right")
    placements = (below + up_to) / (2 * len(other))
    return float(placements.var(ddof=1) / len(own))
