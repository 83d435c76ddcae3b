"""Scorers for model selection, on real rows that the synthesizer has not seen."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from synthgen.core.params import check_choice, check_integer
from synthgen.core.random import root_seed
from synthgen.data.frame import read_frame
from synthgen.errors import InvalidParameterError
from synthgen.evaluate.detection import c2st
from synthgen.evaluate.fidelity import shape, trend
from synthgen.evaluate.information import mutual_information
from synthgen.evaluate.marginals import marginals
from synthgen.evaluate.result import Result
from synthgen.evaluate.support import alpha_precision, beta_recall, coverage, density
from synthgen.evaluate.utility import utility

_METRICS: Final[dict[str, Callable[..., Result]]] = {
    "c2st": c2st,
    "shape": shape,
    "trend": trend,
    "marginals": marginals,
    "mutual_information": mutual_information,
    "alpha_precision": alpha_precision,
    "beta_recall": beta_recall,
    "density": density,
    "coverage": coverage,
    "utility": utility,
}


@dataclass(frozen=True)
class SynthesizerScorer:
    """A callable ``scorer(synthesizer, X, y=None)``; made by :func:`make_synthesizer_scorer`.

    Parameters
    ----------
    metric : str
        Name of the metric.
    n_samples : int or None
        Rows to sample; None for as many as in X.
    random_state : int
        Seed of sampling and of the metric.
    options : dict
        Further arguments of the metric.
    """

    metric: str
    n_samples: int | None = None
    random_state: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self, synthesizer: Any, X: Any, y: Any = None) -> float:
        """Sample from a fitted synthesizer and score the rows against X; higher is better.

        Parameters
        ----------
        synthesizer : synthesizer
            Fitted.
        X : table
            Real rows that it has not seen.
        y : array-like, optional
            The target, if it was given to ``fit``.

        Returns
        -------
        float
            NaN if the metric is not applicable to the table.
        """
        real, _ = read_frame(X, y)
        rows = synthesizer.sample(self.n_samples or len(real), random_state=self.random_state)
        made, _ = read_frame(rows)
        if isinstance(rows, np.ndarray):  # without names, the target is the last column
            made.columns = real.columns
        arguments: dict[str, Any] = {"random_state": self.random_state} | self.options
        if self.metric == "utility":
            arguments["holdout"] = real
        arguments.setdefault("schema", getattr(synthesizer, "schema_", None))
        result = _METRICS[self.metric](real, made, **arguments)
        if result.value is None:
            return float("nan")
        return result.value if result.direction == "higher" else -result.value


def make_synthesizer_scorer(
    metric: str = "c2st", *, n_samples: int | None = None, random_state: int = 0, **options: Any
) -> SynthesizerScorer:
    """Make a scorer that ``GridSearchCV``, ``cross_val_score`` and the like accept.

    Parameters
    ----------
    metric : str, default="c2st"
        ``"c2st"``, ``"shape"``, ``"trend"``, ``"marginals"``, ``"mutual_information"``,
        ``"alpha_precision"``, ``"beta_recall"``, ``"density"``, ``"coverage"`` or ``"utility"``
        (which needs ``target=``).
    n_samples : int, optional
        Rows to sample for each score; by default as many as there are rows to compare with.
    random_state : int, default=0
        Seed of sampling and of the metric.
    **options
        Further arguments of the metric, such as ``target="income"`` or ``n_estimators=50``.

    Returns
    -------
    SynthesizerScorer

    Raises
    ------
    InvalidParameterError
        If there is no such metric, or it has no such option.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from synthgen import GaussianCopula, datasets
    >>> from synthgen.evaluate import make_synthesizer_scorer
    >>> iris = datasets.load_frame("iris").sample(frac=1, random_state=0)
    >>> scoring = make_synthesizer_scorer("shape")
    >>> scores = cross_val_score(GaussianCopula(), iris, cv=2, scoring=scoring)
    >>> bool((scores > 0.7).all())
    True
    """
    check_choice("metric", metric, _METRICS)
    known = set(inspect.signature(_METRICS[metric]).parameters) - {"real", "synthetic", "holdout"}
    unknown = sorted(set(options) - known)
    if unknown:
        raise InvalidParameterError(
            f"The metric {metric!r} has no option {unknown[0]!r}; it has {sorted(known)}."
        )
    if metric == "utility" and "target" not in options:
        raise InvalidParameterError("The metric 'utility' needs target=, the column to predict.")
    if n_samples is not None:
        n_samples = check_integer("n_samples", n_samples, minimum=1)
    return SynthesizerScorer(metric, n_samples, root_seed(random_state), options)
