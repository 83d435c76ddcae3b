"""How many generated rows help: chosen by cross-validation within the training rows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.metrics import average_precision_score, check_scoring, get_scorer_names
from sklearn.model_selection import StratifiedKFold, check_cv

from synthgen.augment.labels import Labels, read_labels
from synthgen.augment.rows import read_rows, take_rows
from synthgen.augment.source import fit_source
from synthgen.core.params import check_integer
from synthgen.core.random import generator
from synthgen.errors import InvalidDataError, InvalidParameterError, SynthgenError

if TYPE_CHECKING:
    from synthgen.augment.classifier import AugmentedClassifier


def choose_ratio(
    settings: AugmentedClassifier,
    X: Any,
    labels: Labels,
    weights: NDArray[np.float64],
    ratios: Sequence[float],
    seed: int,
) -> dict[float, list[float]]:
    """Return the scores of each ratio in each fold; one generator per fold serves all ratios.

    Raises
    ------
    InvalidDataError
        If a class has fewer rows than there are folds.
    """
    fewest = int(labels.counts.min())
    whole = isinstance(settings.cv, int)
    if whole and fewest < settings.cv:
        raise InvalidDataError(
            f"ratio='auto' needs at least cv={settings.cv} rows of each class to choose by "
            f"cross-validation; the class {labels.classes[int(labels.counts.argmin())]!r} has "
            f"{fewest}. Give a number as ratio."
        )
    state = int(generator(seed, "augment", 6).integers(2**31))
    shuffled = StratifiedKFold(settings.cv, shuffle=True, random_state=state) if whole else None
    folds = shuffled or check_cv(settings.cv, labels.codes, classifier=True)
    scores: dict[float, list[float]] = {ratio: [] for ratio in ratios}
    y = labels.values(labels.codes)
    if isinstance(settings.scoring, str):
        # Before any generator is fitted: does it go with these labels at all?
        unlearned = DummyClassifier(strategy="prior").fit(np.zeros((len(y), 1)), y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _score(unlearned, settings.scoring, np.zeros((len(y), 1)), y)
    for train, test in folds.split(np.zeros(len(y)), labels.codes):
        part = take_rows(X, train)
        # Folds of somebody's own choice need not have every class.
        own = read_labels(y[train], len(train), least_classes=1)
        own = replace(own, name=labels.name)
        source = fit_source(read_rows(part), own, settings.synthesizer, seed)
        for ratio in ratios:
            model = clone(settings).set_params(ratio=ratio, random_state=seed)
            model.fit_with_source(part, y[train], source if ratio else None, weights[train])
            scores[ratio].append(_score(model, settings.scoring, take_rows(X, test), y[test]))
    return scores


def check_folds(cv: Any) -> None:
    """Check that `cv` is a number of folds, a splitter or a list of splits.

    Raises
    ------
    InvalidParameterError
        If it is none of them.
    """
    if isinstance(cv, list):
        pairs = [isinstance(split, (tuple, list)) and len(split) == 2 for split in cv]
        if not pairs or not all(pairs):
            raise InvalidParameterError(
                f"cv as a list must hold pairs of training and test rows, got {cv!r}."
            )
    elif isinstance(cv, (str, type)) or not hasattr(cv, "split"):
        check_integer("cv", cv, minimum=2)


def check_scorer(scoring: Any) -> None:
    """Check that `scoring` is the name of a scorer, a callable, or None for the model's own.

    Raises
    ------
    InvalidParameterError
        If it is none of them.
    """
    named = isinstance(scoring, str) and scoring in get_scorer_names()
    if scoring is not None and not named and (not callable(scoring) or isinstance(scoring, type)):
        raise InvalidParameterError(
            "scoring must be None, a callable, or one of the names that "
            f"sklearn.metrics.get_scorer_names() lists, got {scoring!r}."
        )


def _score(model: Any, scoring: Any, X: Any, y: NDArray[Any]) -> float:
    if scoring != "average_precision":
        try:
            return float(check_scoring(model, scoring)(model, X, y))
        except SynthgenError:
            raise
        except ValueError as error:
            raise InvalidParameterError(
                f"scoring={scoring!r} cannot score these classes: {error}. For other labels than 0 "
                "and 1, or several classes, take for instance 'f1_macro' or 'balanced_accuracy'."
            ) from error
    shares = model.predict_proba(X)
    places = range(1, 2) if shares.shape[1] == 2 else range(shares.shape[1])
    return float(
        np.mean([average_precision_score(y == model.classes_[p], shares[:, p]) for p in places])
    )
