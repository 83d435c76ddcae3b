"""Does it help? Every common way to treat rare classes, side by side, with intervals."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from synthgen.augment.advice import advise
from synthgen.augment.checks import check_classifier
from synthgen.augment.labels import Labels, read_labels
from synthgen.augment.methods import METHODS, Fold, NotApplicableError
from synthgen.augment.rows import as_container, read_rows, take_rows
from synthgen.augment.scores import SCORES, corrected_interval, score
from synthgen.core.params import check_integer, check_real
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError, InvalidParameterError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AugmentationReport:
    """What each method reached.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per method and score: value, low, high (95 % interval), difference to "none" with
        its interval, and folds. A method that does not apply has no rows here.
    folds : pandas.DataFrame
        One row per method and fold.
    advice : str
        One sentence.
    notes : dict
        Method to the reason why it does not apply.
    facts : dict
        Sizes, rarest class, folds.
    """

    scores: pd.DataFrame
    folds: pd.DataFrame
    advice: str
    notes: dict[str, str]
    facts: dict[str, Any]

    def table(self) -> pd.DataFrame:
        """Return one row per method and one column per score."""
        wide = self.scores.pivot_table(index="method", columns="score", values="value")
        order = [name for name in METHODS if name in wide.index]
        return wide.loc[order, [name for name in SCORES if name in wide.columns]]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        scores = self.scores.astype(object).where(self.scores.notna(), None)
        folds = self.folds.astype(object).where(self.folds.notna(), None)
        return {
            "advice": self.advice,
            "facts": self.facts,
            "notes": self.notes,
            "scores": scores.to_dict(orient="records"),
            "folds": folds.to_dict(orient="records"),
        }

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write the report to a JSON file."""
        Path(path).write_text(json.dumps(self.to_dict(), indent=1, default=str), encoding="utf-8")

    def __str__(self) -> str:
        notes = "".join(f"\n{name}: not applicable, {why}" for name, why in self.notes.items())
        return f"{self.advice}\n\n{self.table().round(3).to_string()}{notes}"


def augmentation_report(
    X: Any,
    y: Any,
    estimator: Any,
    *,
    synthesizer: Any = None,
    methods: Sequence[str] | None = None,
    n_splits: int = 5,
    n_repeats: int = 2,
    filter: float = 0.5,
    ratio: float = 1.0,
    precision: float = 0.5,
    random_state: Any = 0,
) -> AugmentationReport:
    """Compare ways to treat rare classes by repeated stratified cross-validation.

    The generator is fitted inside each fold, once for all methods that use it.

    Parameters
    ----------
    X : frame or array of shape (n, k), or images
    y : array-like of shape (n,)
    estimator : classifier
        Takes rows of X as they are: give a pipeline if they need encoding.
    synthesizer : object, optional
        Unfitted. By default ``GANSynthesizer()``, for images ``ImageGANSynthesizer()``; give one
        with a small ``max_minutes`` if there are many folds.
    methods : sequence of str, optional
        Names of :data:`~synthgen.augment.methods.METHODS`; by default all: ``none``,
        ``class_weights``, ``tuned_threshold`` (for balanced accuracy), ``random_over``, ``smote``
        (needs imbalanced-learn), ``classic_images`` (shifts), ``averaged_real`` (two fits to real
        rows averaged: the control of ``gan_soft``), ``gan`` (all classes brought to the size of the
        largest), ``gan_filter``, ``gan_even`` (as many generated rows of every class, all classes
        weighing the same), ``gan_soft`` (:class:`AugmentedClassifier`), ``tstr`` (trained on
        generated rows only).
    n_splits, n_repeats : int, default=5 and 2
    filter : float, default=0.5
        Least confidence of ``gan_filter``.
    ratio : float, default=1.0
        Of ``gan_soft``.
    precision : float, default=0.5
        At which the recall of the rarest class is given.
    random_state : None, int, numpy RandomState or Generator

    Returns
    -------
    AugmentationReport

    Raises
    ------
    InvalidDataError
        If a class has fewer rows than there are folds.
    InvalidParameterError
        If a method is unknown.

    References
    ----------
    Nadeau & Bengio, "Inference for the Generalization Error", Machine Learning 52 (2003),
    doi:10.1023/A:1024068626366. Elor & Averbuch-Elor, "To SMOTE, or not to SMOTE?", 2022,
    arXiv:2201.08528.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from synthgen import GaussianCopula
    >>> from synthgen.augment import augmentation_report
    >>> X, y = make_classification(300, weights=[0.9], random_state=0)
    >>> report = augmentation_report(
    ...     X, y, LogisticRegression(), synthesizer=GaussianCopula(), n_splits=3, n_repeats=1,
    ...     methods=["none", "class_weights", "gan"],
    ... )
    >>> report.table().index.tolist()
    ['none', 'class_weights', 'gan']
    """
    names = _checked(methods, n_splits, n_repeats, filter, ratio, precision)
    check_classifier(estimator)
    X = as_container(X)
    rows = read_rows(X)
    labels = read_labels(y, len(rows))
    _check_sizes(labels, n_splits)
    seed = root_seed(random_state)
    lines: list[dict[str, Any]] = []
    notes: dict[str, str] = {}
    for number, (train, test) in enumerate(_splits(labels, n_splits, n_repeats, seed)):
        fold = Fold(
            take_rows(X, train),
            labels.codes[train],
            take_rows(X, test),
            estimator,
            synthesizer,
            len(labels.classes),
            filter,
            ratio,
            int(generator(seed, "augment", 30, number).integers(2**62)),
        )
        for name in names:
            if name in notes:
                continue
            try:
                said = METHODS[name](fold)
            except NotApplicableError as reason:
                notes[name] = str(reason)
                continue
            reached = score(labels.codes[test], said, labels.rarest, precision)
            lines.append({"method": name, "fold": number, **reached})
            logger.info("fold %d, %s: PR-AUC %.4f", number, name, reached["pr_auc"])
    if len(notes) == len(names):
        raise InvalidParameterError(
            "None of the methods can be used here: "
            + "; ".join(f"{name}: {reason}" for name, reason in notes.items())
        )
    folds = pd.DataFrame([line for line in lines if line["method"] not in notes])
    share = 1 / (n_splits - 1)
    scores = _summary(folds, share)
    facts = {
        "rows": len(rows),
        "classes": {str(c): int(n) for c, n in zip(labels.classes, labels.counts, strict=True)},
        "rarest": str(labels.classes[labels.rarest]),
        "folds": n_splits * n_repeats,
        "precision": precision,
    }
    return AugmentationReport(scores, folds, advise(folds, share), notes, facts)


def _checked(
    methods: Sequence[str] | None,
    n_splits: int,
    n_repeats: int,
    least: float,
    ratio: float,
    precision: float,
) -> list[str]:
    check_integer("n_splits", n_splits, minimum=2)
    check_integer("n_repeats", n_repeats, minimum=1)
    check_real("filter", least, low=0.0, high=1.0, closed="low")
    check_real("ratio", ratio, low=0.0, closed="neither")
    check_real("precision", precision, low=0.0, high=1.0, closed="high")
    names = METHODS if methods is None else methods
    listed = isinstance(names, Collection) and not isinstance(names, str)
    known = listed and all(isinstance(name, str) and name in METHODS for name in names)
    if not known or not names:
        raise InvalidParameterError(
            f"methods must be a list of some of {', '.join(map(repr, METHODS))}, got {methods!r}."
        )
    return [name for name in METHODS if name in names]


def _check_sizes(labels: Labels, n_splits: int) -> None:
    counts = labels.counts
    if counts.min() < n_splits:
        label = labels.classes[int(counts.argmin())]
        raise InvalidDataError(
            f"The class {label!r} has {counts.min()} rows, fewer than n_splits={n_splits} folds, "
            "so some test folds would have none. Lower n_splits, or leave the class out."
        )


def _splits(labels: Labels, n_splits: int, n_repeats: int, seed: int) -> Any:
    for repeat in range(n_repeats):
        state = int(generator(seed, "augment", 31, repeat).integers(2**31))
        folds = StratifiedKFold(n_splits, shuffle=True, random_state=state)
        yield from folds.split(np.zeros(len(labels.codes)), labels.codes)


def _summary(folds: pd.DataFrame, test_share: float) -> pd.DataFrame:
    """Return mean, interval and difference to "none" of each method and score."""
    wide = folds.set_index(["method", "fold"])
    base = wide.loc["none"] if "none" in folds["method"].to_numpy() else None
    lines = []
    for name in dict.fromkeys(folds["method"]):
        for metric in SCORES:
            values = wide.loc[name][metric]
            if values.isna().any():
                continue
            line = {"method": name, "score": metric, "value": float(values.mean())}
            line |= _ends("", values.to_numpy(dtype=np.float64), test_share)
            if base is not None and not base[metric].isna().any():
                gaps = (values - base[metric]).to_numpy(dtype=np.float64)
                line["difference"] = float(gaps.mean())
                line |= _ends("difference_", gaps, test_share)
            lines.append(line | {"better": SCORES[metric], "folds": len(values)})
    return pd.DataFrame(lines)


def _ends(prefix: str, values: Any, test_share: float) -> dict[str, float | None]:
    ends = corrected_interval(values, test_share)
    low, high = (None, None) if ends is None else ends
    return {f"{prefix}low": low, f"{prefix}high": high}
