"""How well detectors find what is known to be anomalous, and whether a generator was worth it."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from synthgen.anomaly.baselines import BASELINES
from synthgen.anomaly.detector import GANOutlierDetector
from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError, InvalidParameterError

#: Differences of the AUC that are not worth the time of a generator.
_WORTH: Final = 0.02


@dataclass(frozen=True)
class AnomalyReport:
    """What :func:`anomaly_report` found.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per method, what the detector says ("detector") first: ROC AUC with its 95 %
        interval (``low``, ``high``), average precision, share of anomalies among the rows that are
        as many as there are anomalies (``precision_at_n``), its role.
    n_normal, n_anomalous : int
    advice : str
        One sentence.
    """

    table: pd.DataFrame
    n_normal: int
    n_anomalous: int
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        rows = self.table.rename_axis("method").reset_index().to_dict(orient="records")
        return {
            "methods": rows,
            "n_normal": self.n_normal,
            "n_anomalous": self.n_anomalous,
            "advice": self.advice,
        }

    def to_html(self) -> str:
        """Return the table and the advice as a piece of HTML."""
        table = self.table.to_html(float_format="{:.3f}".format)
        return f"<p>{html.escape(self.advice)}</p>\n{table}"


def anomaly_report(
    detector: GANOutlierDetector,
    X: Any,
    y: Any,
    *,
    n_resamples: int = 200,
    random_state: Any = 0,
) -> AnomalyReport:
    """Compare a fitted detector with every method that was fitted beside it, on labelled rows.

    Parameters
    ----------
    detector : GANOutlierDetector
        Fitted, on other rows than these.
    X : frame or array
        Rows or images of the kind that it was fitted to.
    y : array-like of shape (n,)
        Truth: True, 1 for anomalies and False, 0 for the others; or -1 and 1 as ``predict`` says.
    n_resamples : int
        Bootstrap samples for the intervals.
    random_state : None, int, numpy RandomState or Generator
        Of the bootstrap.

    Returns
    -------
    AnomalyReport

    Raises
    ------
    InvalidDataError
        If `y` is not as long as `X`, has other values, or lacks one of the two.
    InvalidParameterError
        If `detector` is something else.

    Examples
    --------
    >>> from synthgen import GANSynthesizer
    >>> X = np.random.default_rng(0).normal(size=(120, 2))
    >>> synth = GANSynthesizer(max_steps=5, refine=False)
    >>> detector = GANOutlierDetector(synthesizer=synth, random_state=0).fit(X)
    >>> odd = np.concatenate([X[:20], X[:20] + 9])
    >>> anomaly_report(detector, odd, [0] * 20 + [1] * 20).table.loc["knn", "auc"]
    np.float64(1.0)
    """
    n_resamples = check_integer("n_resamples", n_resamples, minimum=1)
    if not isinstance(detector, GANOutlierDetector):
        raise InvalidParameterError(f"detector must be a GANOutlierDetector, got {detector!r}.")
    scores = detector.method_scores(X)
    truth = _truth(y, len(scores))
    said = pd.DataFrame({"detector": detector.anomaly_score(X)})
    scores = pd.concat([said, scores], axis=1)
    rng = generator(root_seed(random_state), "anomaly", 3)
    picks = [_resampled(truth, rng) for _ in range(n_resamples)]
    rows = {name: _measured(truth, scores[name].to_numpy(), picks) for name in scores}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table["role"] = [detector.method_.get(name, "") for name in table.index]
    table["adversarial"] = [name not in BASELINES for name in table.index]
    return AnomalyReport(table, int((~truth).sum()), int(truth.sum()), _advice(table))


def _truth(y: Any, n: int) -> NDArray[np.bool_]:
    try:
        values = np.asarray(y)
    except ValueError as error:
        raise InvalidDataError(f"y must have {n} values, one per row: {error}") from error
    if values.shape != (n,):
        raise InvalidDataError(
            f"y must have {n} values, one per row, got the shape {values.shape}."
        )
    found = set(pd.unique(values).tolist())
    if found == {-1, 1}:
        return np.asarray(values == -1)
    if found == {0, 1} or found == {False, True}:
        return np.asarray(values.astype(bool))
    raise InvalidDataError(
        "y must have both 0 (normal) and 1 (anomalous), or 1 (normal) and -1 (anomalous), got "
        f"{sorted(map(str, found))[:5]}."
    )


def _resampled(truth: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a bootstrap sample with as many anomalies as there are."""
    groups = [np.flatnonzero(truth == value) for value in (False, True)]
    return np.concatenate([rng.choice(group, len(group)) for group in groups])


def _measured(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], picks: list[NDArray[np.int64]]
) -> dict[str, float]:
    again = [roc_auc_score(truth[pick], scores[pick]) for pick in picks]
    low, high = np.quantile(again, [0.025, 0.975])
    most = np.argsort(-scores, kind="stable")[: int(truth.sum())]
    return {
        "auc": float(roc_auc_score(truth, scores)),
        "low": float(low),
        "high": float(high),
        "average_precision": float(average_precision_score(truth, scores)),
        "precision_at_n": float(truth[most].mean()),
    }


def _advice(table: pd.DataFrame) -> str:
    """Say in one sentence whether the vote beats the best of the usual detectors."""
    usual = table.loc[[name for name in BASELINES if name in table.index], "auc"]
    best, own = str(usual.idxmax()), float(table["auc"]["detector"])
    gain = own - float(usual.max())
    against = f"{own:.3f} against {usual.max():.3f} of {best}"
    if gain >= _WORTH:
        return f"The detector is ahead of the usual ones: {against}."
    if gain > -_WORTH:
        return f"No need for a generator here: the detector has an AUC of {against}, much the same."
    return f"Use {best} here: the detector has an AUC of {against}."
