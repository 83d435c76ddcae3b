"""What people do about rare classes: each a function from a fold to predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from synthgen.augment.checks import estimator_at_work
from synthgen.augment.classifier import AugmentedClassifier
from synthgen.augment.confidence import draw_confident, fit_judge
from synthgen.augment.fitting import balanced_weights, fit_weighted, seeded, weight_parameter
from synthgen.augment.labels import Labels, read_labels
from synthgen.augment.rows import ImageRows, Rows, TableRows, joined, read_rows, take_rows
from synthgen.augment.scores import Predictions
from synthgen.augment.source import Source, fit_source
from synthgen.augment.strategy import resolve_strategy
from synthgen.core.random import generator
from synthgen.errors import InvalidDataError


class NotApplicableError(Exception):
    """A method cannot be used here; the message says why."""


@dataclass
class Fold:
    """One split into training and test rows.

    Parameters
    ----------
    X : frame or array
        Training rows.
    codes : numpy.ndarray of int
        Their classes.
    X_test : frame or array
    estimator, synthesizer : object
        Unfitted.
    n_classes : int
    filter : float
    ratio : float
    seed : int
    """

    X: Any
    codes: NDArray[np.int64]
    X_test: Any
    estimator: Any
    synthesizer: Any
    n_classes: int
    filter: float
    ratio: float
    seed: int

    @cached_property
    def rows(self) -> Rows:
        """The training rows, read."""
        return read_rows(self.X)

    @cached_property
    def labels(self) -> Labels:
        """Their labels."""
        return read_labels(self.codes, len(self.codes))

    @cached_property
    def source(self) -> Source:
        """The generator, fitted to this fold's training rows only, once for all methods."""
        return fit_source(self.rows, self.labels, self.synthesizer, self.seed)

    def number(self, *key: int) -> int:
        """Return a seed."""
        return int(generator(self.seed, "augment", *key).integers(2**31))

    def fitted(self, X: Any, codes: NDArray[np.int64], weights: Any = None) -> Any:
        """Return a copy of the estimator, trained."""
        return fit_weighted(seeded(self.estimator, self.number(20)), X, codes, weights)

    def predict(self, model: Any) -> Predictions:
        """Return what a model of codes says about the test rows."""
        return predictions(model, self.X_test, self.n_classes)


def predictions(model: Any, X: Any, n_classes: int) -> Predictions:
    """Return classes, scores and probabilities, as far as the model has them."""
    with estimator_at_work(model):
        codes = np.asarray(model.predict(X), dtype=np.int64)
    places = np.asarray(model.classes_, dtype=np.int64)
    if hasattr(model, "predict_proba"):
        shares = np.zeros((len(codes), n_classes))
        shares[:, places] = model.predict_proba(X)
        return Predictions(codes, shares, shares)
    scores = np.full((len(codes), n_classes), -np.inf)
    if hasattr(model, "decision_function"):
        decided = np.asarray(model.decision_function(X), dtype=np.float64)
        scores[:, places] = np.stack([-decided, decided], 1) if decided.ndim == 1 else decided
        scores = np.where(np.isinf(scores), -1e300, scores)
    else:
        scores = np.eye(n_classes)[codes]
    return Predictions(codes, scores, None)


def _none(fold: Fold) -> Predictions:
    return fold.predict(fold.fitted(fold.X, fold.codes))


def _class_weights(fold: Fold) -> Predictions:
    if weight_parameter(fold.estimator) is None:
        raise NotApplicableError("the estimator takes no weights")
    weights = balanced_weights(fold.codes, np.ones(len(fold.codes)))
    return fold.predict(fold.fitted(fold.X, fold.codes, weights))


def _tuned_threshold(fold: Fold) -> Predictions:
    from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV

    if fold.n_classes != 2:
        raise NotApplicableError("thresholds are for two classes")
    if np.bincount(fold.codes).min() < 3:
        raise NotApplicableError("fewer than 3 training rows of a class to tune on")
    if not hasattr(fold.estimator, "predict_proba") and not hasattr(
        fold.estimator, "decision_function"
    ):
        raise NotApplicableError("the estimator has neither probabilities nor decisions")
    folds = StratifiedKFold(3, shuffle=True, random_state=fold.number(21))
    model = TunedThresholdClassifierCV(clone(fold.estimator), cv=folds)
    try:
        fitted = fit_weighted(model, fold.X, fold.codes, None)
    except InvalidDataError as error:
        # It refuses what "none" does not: predictions that are all the same, for instance.
        raise NotApplicableError(f"no threshold can be tuned: {error.__cause__}") from error
    return fold.predict(fitted)


def _random_over(fold: Fold) -> Predictions:
    rng = generator(fold.seed, "augment", 22)
    places = [np.arange(len(fold.codes))]
    for code, number in resolve_strategy("auto", fold.labels).items():
        places.append(rng.choice(np.flatnonzero(fold.codes == code), number))
    chosen = np.concatenate(places)
    return fold.predict(fold.fitted(take_rows(fold.X, chosen), fold.codes[chosen]))


def _smote(fold: Fold) -> Predictions:
    if isinstance(fold.rows, ImageRows):
        raise NotApplicableError("SMOTE is for tables")
    try:
        package: Any = import_module("imblearn.over_sampling")
    except ImportError:
        raise NotApplicableError("imbalanced-learn is not installed") from None
    neighbours = min(5, int(np.bincount(fold.codes).min()) - 1)
    if neighbours < 1:
        raise NotApplicableError("a class has one training row, and SMOTE needs neighbours")
    frame, categories = _without_gaps(fold.rows.frame)
    options: dict[str, Any] = {"k_neighbors": neighbours, "random_state": fold.number(23)}
    if len(categories) == frame.shape[1]:
        raise NotApplicableError("SMOTE needs a column of numbers")
    sampler = package.SMOTENC(categories, **options) if categories else package.SMOTE(**options)
    mixed, codes = sampler.fit_resample(frame, fold.codes)
    added = pd.DataFrame(mixed).iloc[len(frame) :].reset_index(drop=True)
    added.columns = fold.rows.frame.columns
    for label, dtype in fold.rows.frame.dtypes.items():
        values = added[label]
        if pd.api.types.is_integer_dtype(dtype):
            values = values.astype(np.float64).round()
        added[label] = values.astype(dtype)
    return fold.predict(fold.fitted(fold.rows.extended(added), np.asarray(codes)))


def _without_gaps(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[int]]:
    """Return the frame as SMOTE takes it (gaps filled) and the places of categories."""
    columns, categories = [], []
    for place, label in enumerate(frame.columns):
        series = frame[label]
        dtype = series.dtype
        if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
            values = series.astype(np.float64)
            columns.append(values.fillna(values.median() if values.notna().any() else 0.0))
        elif pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(
            dtype
        ):
            raise NotApplicableError("SMOTE knows no dates")
        else:
            values = series.astype(object)
            most = values.mode()
            filler: Any = most.iloc[0] if len(most) else ""
            columns.append(values.where(values.notna(), filler))
            categories.append(place)
    filled = pd.concat(columns, axis=1)
    filled.columns = [f"c{place}" for place in range(frame.shape[1])]
    return filled, categories


def _classic(fold: Fold) -> Predictions:
    if isinstance(fold.rows, TableRows):
        raise NotApplicableError("classic augmentation is for images")
    rng = generator(fold.seed, "augment", 24)
    images, codes = [fold.rows.images], [fold.codes]
    for code, number in resolve_strategy("auto", fold.labels).items():
        chosen = rng.choice(np.flatnonzero(fold.codes == code), number)
        images.append(shifted(fold.rows.images[chosen], rng))
        codes.append(np.full(number, code))
    return fold.predict(fold.fitted(np.concatenate(images), np.concatenate(codes)))


def shifted(images: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Shift each image by up to a twelfth of its sides, repeating the edges.

    Flips and turns change what many images mean; a shift changes it for hardly any.
    """
    first = 2 if images.ndim == 4 and images.shape[1] <= 4 < images.shape[3] else 1
    out = images
    for axis in (first, first + 1):
        size = images.shape[axis]
        most = max(1, size // 12)
        steps = rng.integers(-most, most + 1, len(images))
        places = np.clip(np.arange(size)[None, :] - steps[:, None], 0, size - 1)
        shape = [len(images), *[1] * (images.ndim - 1)]
        shape[axis] = size
        out = np.take_along_axis(out, places.reshape(shape), axis=axis)
    return out


def _generated(fold: Fold, least: float | None) -> Predictions:
    judge = None
    if least is not None:
        judge = fit_judge(fold.rows, fold.labels, None, generator(fold.seed, "augment", 25))
    parts, codes = [], [fold.codes]
    for code, number in resolve_strategy("auto", fold.labels).items():
        if not number:
            continue
        seed = fold.number(26, code)
        if judge is None or least is None:
            parts.append(fold.source.draw(code, number, seed))
        else:
            parts.append(draw_confident(fold.source, judge, code, number, least, seed)[0])
        codes.append(np.full(number, code))
    X = fold.rows.extended(joined(parts)) if parts else fold.X
    return fold.predict(fold.fitted(X, np.concatenate(codes)))


def _even(fold: Fold) -> Predictions:
    """Real rows, and as many generated rows of every class, all classes weighing the same.

    Where only rare classes get generated rows, what gives those away tells the class.
    """
    if weight_parameter(fold.estimator) is None:
        raise NotApplicableError("the estimator takes no weights")
    counts = np.bincount(fold.codes)
    present = np.flatnonzero(counts)
    number = -(-len(fold.codes) // len(present))
    parts = [fold.source.draw(int(code), number, fold.number(29, int(code))) for code in present]
    codes = np.concatenate([fold.codes, np.repeat(present, number)])
    weights = np.ones(len(codes))
    weights[: len(fold.codes)] = balanced_weights(fold.codes, weights[: len(fold.codes)])
    return fold.predict(fold.fitted(fold.rows.extended(joined(parts)), codes, weights))


def _augmented(fold: Fold) -> Predictions:
    model = AugmentedClassifier(
        fold.estimator, fold.synthesizer, ratio=fold.ratio, random_state=fold.number(20)
    )
    return fold.predict(model.fit_with_source(fold.X, fold.codes, fold.source))


def _blend_control(fold: Fold) -> Predictions:
    """Two fits to real rows, the second to a bootstrap of them: what averaging alone gives."""
    rng = generator(fold.seed, "augment", 27)
    places = np.concatenate(
        [
            rng.choice(np.flatnonzero(fold.codes == code), number)
            for code, number in enumerate(np.bincount(fold.codes))
        ]
    )
    models = [fold.fitted(fold.X, fold.codes)]
    models.append(fold.fitted(take_rows(fold.X, places), fold.codes[places]))
    said = [fold.predict(model) for model in models]
    if said[0].probabilities is None or said[1].probabilities is None:
        raise NotApplicableError("the estimator has no probabilities to average")
    from synthgen.augment.teacher import blend

    shares = blend([said[0].probabilities, said[1].probabilities])
    return Predictions(np.argmax(shares, axis=1), shares, shares)


def _tstr(fold: Fold) -> Predictions:
    drawn: Any
    drawn, codes = fold.source.draw_any(len(fold.codes), fold.number(28))
    if len(np.unique(codes)) < 2:
        raise NotApplicableError("all generated rows are of one class")
    return fold.predict(fold.fitted(fold.rows.native(drawn), codes))


#: All methods by name, simple ones first.
METHODS: Final[dict[str, Callable[[Fold], Predictions]]] = {
    "none": _none,
    "class_weights": _class_weights,
    "tuned_threshold": _tuned_threshold,
    "random_over": _random_over,
    "smote": _smote,
    "classic_images": _classic,
    "averaged_real": _blend_control,
    "gan": lambda fold: _generated(fold, None),
    "gan_filter": lambda fold: _generated(fold, fold.filter),
    "gan_even": _even,
    "gan_soft": _augmented,
    "tstr": _tstr,
}
#: Those that train on generated rows beside real ones.
GENERATED: Final = ("gan", "gan_filter", "gan_even", "gan_soft")
#: Those that a generator has to beat: no generator, and the estimator as it is, once.
SIMPLE: Final = ("none", "class_weights", "random_over", "smote", "classic_images")
