"""Fitting any classifier to rows with weights, whether it takes weights or not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from synthgen.augment.checks import estimator_at_work

Array = NDArray[np.float64]


def weight_parameter(estimator: Any) -> str | None:
    """Return the name under which ``fit`` takes weights, or None if it takes none.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import Pipeline
    >>> weight_parameter(Pipeline([("clf", LogisticRegression())]))
    'clf__sample_weight'
    >>> weight_parameter(KNeighborsClassifier()) is None
    True
    >>> from sklearn.calibration import CalibratedClassifierCV
    >>> weight_parameter(CalibratedClassifierCV(KNeighborsClassifier())) is None
    True
    """
    if hasattr(estimator, "steps"):
        name, last = estimator.steps[-1]
        inner = weight_parameter(last) if last not in (None, "passthrough") else None
        return None if inner is None else f"{name}__{inner}"
    if has_fit_parameter(estimator, "sample_weight"):
        # What wraps a learner that takes no weights may accept them and leave them aside.
        inner = getattr(estimator, "estimator", None)
        used = not hasattr(inner, "fit") or weight_parameter(inner) == "sample_weight"
        return "sample_weight" if used else None
    # Searches hand parameters of fit on to what they wrap.
    wrapped = getattr(estimator, "estimator", None) if hasattr(estimator, "cv") else None
    return None if wrapped is None else weight_parameter(wrapped)


def fit_weighted(estimator: Any, X: Any, y: Any, weights: Array | None) -> Any:
    """Fit with weights if there are any that differ and the estimator takes them."""
    name = weight_parameter(estimator)
    with estimator_at_work(estimator):
        if weights is None or name is None or np.ptp(weights) == 0:
            return estimator.fit(X, y)
        return estimator.fit(X, y, **{name: weights})


def seeded(estimator: Any, state: int) -> Any:
    """Return an unfitted copy in which each ``random_state`` that is None is set, at any depth."""
    model = clone(estimator)
    for name, value in model.get_params(deep=True).items():
        if value is None and (name == "random_state" or name.endswith("__random_state")):
            model.set_params(**{name: state})
    return model


def balanced_weights(codes: NDArray[np.int64], weights: Array) -> Array:
    """Return weights under which all classes weigh the same, as much as before in all.

    Examples
    --------
    >>> balanced_weights(np.array([0, 0, 0, 1]), np.ones(4)).round(2).tolist()
    [0.67, 0.67, 0.67, 2.0]
    """
    totals = np.bincount(codes, weights)
    present = totals > 0
    factors = np.zeros(len(totals))
    factors[present] = weights.sum() / (present.sum() * totals[present])
    return np.asarray(weights * factors[codes])
