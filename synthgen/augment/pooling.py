"""Pooling of estimates from several completed tables: Rubin's rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgen.core.params import check_real
from synthgen.errors import InvalidDataError


@dataclass(frozen=True)
class PooledEstimate:
    """One estimate from several completed tables, with the uncertainty of the missing cells.

    Parameters
    ----------
    value : float
        Mean of the estimates.
    interval : tuple of float
        Confidence interval.
    standard_error : float
        Root of the total variance.
    within, between : float
        Mean of the squared standard errors, and variance of the estimates.
    degrees_of_freedom : float
        Of the t distribution behind the interval; may be infinite.
    missing_information : float
        Share of the total variance that is due to missing cells, in [0, 1].
    """

    value: float
    interval: tuple[float, float]
    standard_error: float
    within: float
    between: float
    degrees_of_freedom: float
    missing_information: float

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as JSON types; infinite degrees of freedom become None."""
        freedom = self.degrees_of_freedom
        return {
            "value": self.value,
            "interval": list(self.interval),
            "standard_error": self.standard_error,
            "within": self.within,
            "between": self.between,
            "degrees_of_freedom": freedom if math.isfinite(freedom) else None,
            "missing_information": self.missing_information,
        }


def pool(
    estimates: Sequence[float],
    standard_errors: Sequence[float],
    *,
    confidence: float = 0.95,
    complete_degrees: float = math.inf,
) -> PooledEstimate:
    """Pool an estimate made on each of several completed tables.

    Parameters
    ----------
    estimates : sequence of float
        The quantity of interest (a mean, a coefficient) on each table; at least two.
    standard_errors : sequence of float
        Its standard error on each table, as if the table had been complete.
    confidence : float, default=0.95
        Coverage of the interval, in (0, 1).
    complete_degrees : float, default=inf
        Degrees of freedom that the estimate would have without missing cells, for instance
        n - 1 for a mean; makes intervals of small tables wide enough.

    Returns
    -------
    PooledEstimate

    Raises
    ------
    InvalidDataError
        If there are fewer than two estimates, or not one standard error for each.

    References
    ----------
    Rubin, "Multiple Imputation for Nonresponse in Surveys", Wiley 1987, doi:10.1002/9780470316696.
    Barnard & Rubin, "Small-sample degrees of freedom with multiple imputation", Biometrika 86
    (1999), doi:10.1093/biomet/86.4.948.

    Examples
    --------
    >>> pooled = pool([1.0, 2.0, 3.0], [0.5, 0.5, 0.5])
    >>> pooled.value, round(pooled.standard_error**2, 4)  # 0.25 + (1 + 1/3) * 1
    (2.0, 1.5833)
    """
    from scipy import stats

    check_real("confidence", confidence, low=0.0, high=1.0, closed="neither")
    check_real("complete_degrees", complete_degrees, low=0.0, closed="high")
    values, errors = _checked(estimates, standard_errors)
    m = len(values)
    within, between = float(np.mean(errors**2)), float(values.var(ddof=1))
    extra = (1 + 1 / m) * between
    total = within + extra
    share = extra / total if total > 0 else 0.0
    freedom = (m - 1) / share**2 if share > 0 else math.inf
    if math.isfinite(complete_degrees):
        observed = (complete_degrees + 1) / (complete_degrees + 3) * complete_degrees * (1 - share)
        freedom = _harmonic(freedom, observed)
    quantile = (1 + confidence) / 2
    t = stats.t.ppf(quantile, freedom) if math.isfinite(freedom) else stats.norm.ppf(quantile)
    value, half = float(values.mean()), float(t) * math.sqrt(total)
    return PooledEstimate(
        value=value,
        interval=(value - half, value + half),
        standard_error=math.sqrt(total),
        within=within,
        between=between,
        degrees_of_freedom=freedom,
        missing_information=share,
    )


def _harmonic(first: float, second: float) -> float:
    """Return 1 / (1/first + 1/second), at least 1 so that an interval is finite."""
    if second <= 0:
        return 1.0
    return max(1.0, second if math.isinf(first) else first * second / (first + second))


def _checked(
    estimates: Sequence[float], standard_errors: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    try:
        values = np.asarray(estimates, dtype=np.float64)
        errors = np.asarray(standard_errors, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(
            f"Estimates and standard errors must be sequences of numbers: {error}"
        ) from error
    if values.ndim != 1 or values.shape != errors.shape or len(values) < 2:
        raise InvalidDataError(
            "Pooling needs one estimate and one standard error from each of at least two completed "
            f"tables, got shapes {values.shape} and {errors.shape}."
        )
    if not (np.isfinite(values).all() and np.isfinite(errors).all() and (errors >= 0).all()):
        raise InvalidDataError("Estimates must be finite, and standard errors not negative.")
    return values, errors
