"""A classifier that trains on real and generated rows."""

from __future__ import annotations

import warnings
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from synthgen.augment.checks import check_classifier, estimator_at_work
from synthgen.augment.choice import check_folds, check_scorer, choose_ratio
from synthgen.augment.fitting import balanced_weights, fit_weighted, seeded
from synthgen.augment.labels import Labels, read_labels
from synthgen.augment.mixing import Mixture, mix
from synthgen.augment.rows import is_images, read_features, read_rows, take_rows
from synthgen.augment.source import Source, fit_source
from synthgen.augment.teacher import Array, Member, blend
from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError, InvalidParameterError, SchemaMismatchError

#: What ``blend`` may name.
_BLENDS: Final = ("real", "balanced")
#: Ratios that ``ratio="auto"`` chooses from.
RATIOS: Final = (0.0, 0.5, 1.0, 3.0)


def _has_probabilities(self: AugmentedClassifier) -> bool:
    return hasattr(self.estimator, "predict_proba")


class AugmentedClassifier(ClassifierMixin, BaseEstimator):
    """Trains a classifier on real rows and on generated rows with soft labels.

    ``fit`` fits a copy of the synthesizer to the rows at hand, so that in cross-validation or in a
    grid every fold has its own, and nothing of a test fold gets in. Generated rows are then
    labelled with probabilities by a committee of classifiers of the real rows, and the estimator
    learns from both. By default its opinion is averaged with that of a copy that saw real rows
    only, which keeps what either gets right.

    Parameters
    ----------
    estimator : classifier
        Trained on the rows as they are: give a pipeline that encodes categories and gaps, if it
        cannot deal with them.
    synthesizer : object, optional
        Unfitted. By default ``GANSynthesizer()``, for images ``ImageGANSynthesizer()``.
    ratio : float or "auto", default=1.0
        Weight of all generated rows together divided by that of the real ones. 0 uses none and fits
        no synthesizer. "auto" chooses among 0, .5, 1 and 3 by cross-validation within ``fit``.
    labels : {"soft", "hard"}, default="soft"
        "soft": rows as the generator makes them, labelled by the committee. "hard": equally many
        rows of each class, labelled with the class they were made for.
    filter : float, optional
        With hard labels: least confidence, see :class:`SyntheticResampler`.
    balance : bool, default=False
        Let each class weigh the same in training on real and generated rows, and correct the
        probabilities for it.
    blend : tuple of str, default=("real",)
        With which fits to real rows alone the result is averaged: "real", as they are, "balanced",
        every class weighing the same and the probabilities corrected for it. Empty for none.
        Without effect if the estimator has no ``predict_proba``.
    n_synthetic : int or "auto", default="auto"
        Number of generated rows; by default three per real row, at least 2,000 and at most 50,000.
        If the estimator takes no weights, `ratio` alone decides.
    cv : int, splitter or list of splits, default=3
        Folds with which ``ratio="auto"`` chooses; a generator is fitted in each.
    scoring : str or callable, default="average_precision"
        What it maximises: a scorer of scikit-learn. With several classes "average_precision"
        is the mean over classes.
    random_state : None, int, numpy RandomState or Generator

    Attributes
    ----------
    classes_ : numpy.ndarray
    estimator_ : classifier
        Trained on real and generated rows.
    real_estimators_ : list
        The fits to real rows that are averaged in.
    synthesizer_ : object or None
        The fitted synthesizer.
    ratio_ : float
        The ratio in use.
    ratio_scores_ : dict
        With ``ratio="auto"``: ratio to the scores of the folds.
    n_synthetic_ : int
        Generated rows trained on.
    n_features_in_ : int
    feature_names_in_ : numpy.ndarray of str

    Notes
    -----
    Probabilities are those of the data at hand, not of balanced classes, so ``predict`` seldom says
    a rare class. Wrap it in ``TunedThresholdClassifierCV`` for decisions.

    References
    ----------
    Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv:1503.02531.
    Bucilă, Caruana & Niculescu-Mizil, "Model Compression", KDD 2006, doi:10.1145/1150402.1150464.
    Saerens, Latinne & Decaestecker, "Adjusting the Outputs of a Classifier to New a Priori
    Probabilities", Neural Computation 14 (2002), doi:10.1162/089976602753284446.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from synthgen import GaussianCopula
    >>> from synthgen.augment import AugmentedClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    >>> model = AugmentedClassifier(tree, GaussianCopula(), random_state=0).fit(X[:400], y[:400])
    >>> bool(model.score(X[400:], y[400:]) > 0.85)
    True
    """

    classes_: NDArray[Any]
    estimator_: Any
    real_estimators_: list[Any]
    synthesizer_: Any
    ratio_: float
    ratio_scores_: dict[float, list[float]]
    n_synthetic_: int
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    def __init__(
        self,
        estimator: Any,
        synthesizer: Any = None,
        *,
        ratio: float | str = 1.0,
        labels: str = "soft",
        filter: float | None = None,
        balance: bool = False,
        blend: tuple[str, ...] = ("real",),
        n_synthetic: int | str = "auto",
        cv: Any = 3,
        scoring: Any = "average_precision",
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.synthesizer = synthesizer
        self.ratio = ratio
        self.labels = labels
        self.filter = filter
        self.balance = balance
        self.blend = blend
        self.n_synthetic = n_synthetic
        self.cv = cv
        self.scoring = scoring
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the synthesizer, label generated rows, and train on both.

        Parameters
        ----------
        X : frame or array of shape (n, k), or images
        y : array-like of shape (n,)
            Labels of any type.
        sample_weight : array-like of shape (n,), optional
            Of the real rows. Rows of weight 0 are left out; the synthesizer sees the others as they
            are, since it knows no weights.

        Returns
        -------
        self

        Raises
        ------
        InvalidDataError
            If there is one class only, or the table cannot be modelled.
        InvalidParameterError
            If a parameter cannot work.
        """
        self._check_parameters()
        X, labels, weights = self._read(X, y, sample_weight)
        seed = root_seed(self.random_state)
        ratio = self._ratio(X, labels, weights, seed)
        source = None
        if ratio > 0.0:
            source = fit_source(read_rows(X), labels, self.synthesizer, seed)
        self.classes_ = labels.values(np.arange(len(labels.classes)))
        self.ratio_ = ratio
        self.synthesizer_ = None if source is None else source.model
        self._learn(X, labels, weights, source, ratio, seed)
        return self

    def fit_with_source(
        self, X: Any, y: Any, source: Source | None, sample_weight: Any = None
    ) -> Self:
        """Train on rows of a source that is fitted to these rows already, and nothing else.

        For comparisons that need several classifiers for one generator: the source must come from
        the same rows, or what a test set knows gets in.

        Parameters
        ----------
        X : frame or array
        y : array-like
        source : TableSource, ImageSource or None
            None uses no generated rows.
        sample_weight : array-like of shape (n,), optional

        Returns
        -------
        self
        """
        self._check_parameters()
        X, labels, weights = self._read(X, y, sample_weight)
        ratio = 0.0 if source is None else (1.0 if self.ratio == "auto" else float(self.ratio))
        self.classes_ = labels.values(np.arange(len(labels.classes)))
        self.ratio_, self.synthesizer_ = ratio, getattr(source, "model", None)
        self._learn(X, labels, weights, source, ratio, root_seed(self.random_state))
        return self

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]  # scikit-learn's, no types
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, shape (n, classes)."""
        check_is_fitted(self)
        X = self._features(X)
        n_classes = len(self.classes_)
        return blend([member.probabilities(X, n_classes) for member in self._members])

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]  # scikit-learn's, no types
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of :meth:`predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row."""
        check_is_fitted(self)
        if _has_probabilities(self):
            return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])
        features = self._features(X)
        with estimator_at_work(self.estimator_):
            codes = np.asarray(self.estimator_.predict(features), dtype=np.int64)
        return np.asarray(self.classes_[codes])

    def _check_parameters(self) -> None:
        check_classifier(self.estimator)
        if self.ratio != "auto":
            check_real("ratio", self.ratio, low=0.0)
        check_choice("labels", self.labels, ["soft", "hard"])
        check_choice("balance", self.balance, [True, False])
        check_integer("n_synthetic", self.n_synthetic, minimum=1, words=["auto"])
        check_folds(self.cv)
        check_scorer(self.scoring)
        listed = isinstance(self.blend, (tuple, list))
        if not listed or any(name not in _BLENDS for name in self.blend):
            raise InvalidParameterError(
                f"blend must be a tuple of {' and '.join(map(repr, _BLENDS))}, got {self.blend!r}."
            )
        if self.filter is not None:
            check_real("filter", self.filter, low=0.0, high=1.0, closed="low")
            if self.labels == "soft":
                raise InvalidParameterError(
                    "filter is for hard labels: soft ones already say how sure they are. Pass "
                    "labels='hard', or filter=None."
                )

    def _read(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Labels, Array]:
        """Check rows, labels and weights; leave out rows without weight."""
        if not is_images(X):
            X, _, _ = read_features(self, X, reset=True)
        self._image_shape = X.shape[1:] if is_images(X) else None
        if getattr(y, "ndim", 1) == 2 and y.shape[1] == 1:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Use y.ravel().",
                DataConversionWarning,
                stacklevel=3,
            )
        rows = len(X)
        labels = read_labels(y, rows)
        weights = np.ones(rows)
        if sample_weight is not None:
            weights = _read_weights(sample_weight, rows)
        if (weights <= 0).any():
            if (weights < 0).any():
                raise InvalidDataError("sample_weight must not be negative.")
            kept = np.flatnonzero(weights > 0)
            X, weights = take_rows(X, kept), weights[kept]
            labels = read_labels(labels.values(labels.codes[kept]), len(kept))
        return X, labels, weights

    def _ratio(self, X: Any, labels: Labels, weights: Array, seed: int) -> float:
        if hasattr(self, "ratio_scores_"):
            del self.ratio_scores_
        if self.ratio != "auto":
            return float(self.ratio)
        self.ratio_scores_ = choose_ratio(self, X, labels, weights, RATIOS, seed)
        means = {ratio: float(np.mean(scores)) for ratio, scores in self.ratio_scores_.items()}
        # The smallest of the best: no generator if it gains nothing.
        return min(means, key=lambda ratio: (-means[ratio], ratio))

    def _learn(
        self,
        X: Any,
        labels: Labels,
        weights: Array,
        source: Source | None,
        ratio: float,
        seed: int,
    ) -> None:
        if source is None:
            mixture = Mixture(X, labels.codes, weights, 0)
        else:
            mixture = mix(self, X, labels, weights, source, ratio, seed)
        self.n_synthetic_ = mixture.n_synthetic
        member_weights, prior = mixture.weights, None
        if self.balance:
            member_weights = balanced_weights(mixture.codes, mixture.weights)
            prior = _shares(labels.codes, weights, len(labels.classes))
        # The models learn codes, so that labels of any type reach any estimator.
        self.estimator_ = self._train(mixture.X, mixture.codes, member_weights, seed)
        members = [Member(self.estimator_, prior=prior)]
        self.real_estimators_ = []
        if _has_probabilities(self) and source is not None:
            members += self._real_members(X, labels, weights, seed)
        self._members = members

    def _real_members(self, X: Any, labels: Labels, weights: Array, seed: int) -> list[Member]:
        members = []
        for name in self.blend:
            own, prior = weights, None
            if name == "balanced":
                own = balanced_weights(labels.codes, weights)
                prior = _shares(labels.codes, weights, len(labels.classes))
            model = self._train(X, labels.codes, own, seed)
            self.real_estimators_.append(model)
            members.append(Member(model, prior=prior))
        return members

    def _train(self, X: Any, codes: NDArray[np.int64], weights: Array, seed: int) -> Any:
        model = seeded(self.estimator, int(generator(seed, "augment", 5).integers(2**31)))
        return fit_weighted(model, X, codes, weights)

    def _features(self, X: Any) -> Any:
        if self._image_shape is None:
            return read_features(self, X, reset=False)[0]
        shape = tuple(getattr(X, "shape", ()))
        if shape[1:] != self._image_shape:
            raise SchemaMismatchError(
                f"The classifier was fitted to images of shape {self._image_shape}, got "
                f"{type(X).__name__} of shape {shape}."
            )
        return X

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether ``fit`` has come to its end."""
        return hasattr(self, "_members")

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: what the estimator takes, but never sparse matrices."""
        from sklearn.utils import get_tags

        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        # Words get through to the estimator, which may be a pipeline that encodes them.
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = False
        if inner.classifier_tags is not None:
            tags.classifier_tags.poor_score = inner.classifier_tags.poor_score
        return tags


def _read_weights(sample_weight: Any, rows: int) -> Array:
    try:
        weights = _check_sample_weight(sample_weight, np.empty((rows, 1)), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"sample_weight must be a number for each row: {error}") from error
    return np.asarray(weights, dtype=np.float64)


def _shares(codes: NDArray[np.int64], weights: Array, n_classes: int) -> Array:
    totals = np.bincount(codes, weights, minlength=n_classes)
    return np.asarray(totals / totals.sum())
