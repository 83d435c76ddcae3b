"""Over-sampling by a generator, with the interface of imbalanced-learn."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from synthgen.augment.checks import check_methods
from synthgen.augment.confidence import Judge, draw_confident, fit_judge
from synthgen.augment.labels import Labels, read_labels
from synthgen.augment.rows import Rows, TableRows, joined, read_rows
from synthgen.augment.source import Source, fit_source
from synthgen.augment.strategy import resolve_strategy
from synthgen.core.params import check_integer, check_real
from synthgen.core.random import generator, root_seed


class SyntheticResampler(BaseEstimator):
    """Adds generated rows to classes that have too few.

    One conditional model of all classes is fitted to the rows and their labels; rows of each class
    are then drawn from it under the condition that they be of this class. It has the interface of
    imbalanced-learn's samplers and is a step of ``imblearn.pipeline.Pipeline``, but does not need
    that package.

    Before you use it: for learners that rank well by themselves, over-sampling of any kind seldom
    helps, and generated rows with hard labels can do harm.
    :func:`~synthgen.augment.augmentation_report` measures it on your data;
    :class:`~synthgen.augment.AugmentedClassifier` is the safer way to train on generated rows.

    Parameters
    ----------
    synthesizer : object, optional
        Unfitted; any object with ``fit`` and ``sample`` with conditions.
        By default ``GANSynthesizer()``, for images ``ImageGANSynthesizer()``.
    sampling_strategy : str, float, dict or callable, default="auto"
        ``"minority"``, ``"not minority"``, ``"not majority"`` (or ``"auto"``), ``"all"``: bring
        these classes to the size of the largest. A number in (0, 1] for two classes: size of the
        smaller divided by that of the larger one. A dict of classes to numbers of rows afterwards,
        or a callable from y to such a dict.
    filter : float, optional
        Keep only generated rows to which a classifier of the real rows, all classes weighing the
        same, gives at least this probability of their class; in [0, 1). None keeps all.
    judge : classifier, optional
        That classifier. By default boosted trees for tables, logistic regression for images.
    random_state : None, int, numpy RandomState or Generator
        An integer makes ``fit_resample`` repeatable, as far as the synthesizer is.

    Attributes
    ----------
    synthesizer_ : object
        The fitted synthesizer.
    sampling_strategy_ : dict
        Class to the number of rows generated.
    classes_ : numpy.ndarray
        The distinct labels.
    kept_ : dict
        With a filter: class to the share of candidates that passed.
    is_synthetic_ : numpy.ndarray of bool
        Which rows of the last result were generated.
    n_features_in_ : int
    feature_names_in_ : numpy.ndarray of str

    References
    ----------
    Douzas & Bacao, "Effective data generation for imbalanced learning using conditional generative
    adversarial networks", Expert Systems with Applications 91 (2018),
    doi:10.1016/j.eswa.2017.09.030. Elor & Averbuch-Elor, "To SMOTE, or not to SMOTE?", 2022,
    arXiv:2201.08528.

    Examples
    --------
    >>> import pandas as pd
    >>> from synthgen import IndependentColumns
    >>> from synthgen.augment import SyntheticResampler
    >>> X = pd.DataFrame({"age": [20, 30, 40] * 20, "city": ["Rome", "Oslo"] * 30})
    >>> y = pd.Series([True] * 6 + [False] * 54, name="churned")
    >>> resampler = SyntheticResampler(IndependentColumns(), sampling_strategy=0.5, random_state=0)
    >>> X_more, y_more = resampler.fit_resample(X, y)
    >>> X_more.shape, int(y_more.sum())
    ((81, 2), 27)
    """

    synthesizer_: Any
    sampling_strategy_: dict[Any, int]
    classes_: NDArray[Any]
    kept_: dict[Any, float]
    is_synthetic_: NDArray[np.bool_]
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    def __init__(
        self,
        synthesizer: Any = None,
        *,
        sampling_strategy: Any = "auto",
        filter: float | None = None,
        judge: Any = None,
        random_state: Any = None,
    ) -> None:
        self.synthesizer = synthesizer
        self.sampling_strategy = sampling_strategy
        self.filter = filter
        self.judge = judge
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the generator, and the judge if there is a filter.

        Parameters
        ----------
        X : frame, array or sparse matrix of shape (n, k), or images
        y : array-like of shape (n,)

        Returns
        -------
        self
        """
        rows = read_rows(X)
        self._fit(rows, read_labels(y, len(rows)), root_seed(self.random_state))
        return self

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Fit the generator and add rows to the classes that need them.

        Parameters
        ----------
        X : frame, array or sparse matrix of shape (n, k), or images
            Numbers, categories, dates and gaps as they are.
        y : array-like of shape (n,)
            Labels of any type.

        Returns
        -------
        X_resampled : like X
            The real rows in their order, then the generated ones; a pandas index is counted anew.
        y_resampled : like y

        Raises
        ------
        InvalidDataError
            If there is one class only, labels are missing, or the table cannot be modelled.
        InvalidParameterError
            If the strategy asks for fewer rows of a class than there are, or cannot work.
        """
        rows = read_rows(X)
        labels = read_labels(y, len(rows))
        seed = root_seed(self.random_state)
        wanted = resolve_strategy(self.sampling_strategy, labels)
        self._fit(rows, labels, seed)
        parts, codes = [], []
        for code, number in wanted.items():
            if number:
                parts.append(self._draw(code, number, seed))
                codes.append(np.full(number, code))
        classes = labels.classes
        self.sampling_strategy_ = {classes[code]: number for code, number in wanted.items()}
        added = np.concatenate(codes) if codes else np.empty(0, dtype=np.int64)
        self.is_synthetic_ = np.arange(len(rows) + len(added)) >= len(rows)
        return rows.extended(joined(parts) if parts else None), labels.extended(added)

    def sample(self, n_samples: int, label: Any, *, random_state: Any = None) -> Any:
        """Draw rows of one class from the fitted generator, filtered if there is a filter.

        Parameters
        ----------
        n_samples : int
        label : object
            One of ``classes_``.
        random_state : None, int, numpy RandomState or Generator

        Returns
        -------
        frame or array
            Rows in the container of X.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        InvalidDataError
            If there is no such class.
        """
        check_is_fitted(self)
        n_samples = check_integer("n_samples", n_samples, minimum=0)
        code = self._labels.code(label)
        return self._rows.native(self._draw(code, n_samples, root_seed(random_state)))

    def _fit(self, rows: Rows, labels: Labels, seed: int) -> None:
        if self.filter is not None:
            check_real("filter", self.filter, low=0.0, high=1.0, closed="low")
            if self.judge is not None:
                check_methods("judge", self.judge, "fit", "predict_proba")
        source = fit_source(rows, labels, self.synthesizer, seed)
        self._judge: Judge | None = None
        if self.filter is not None:
            self._judge = fit_judge(rows, labels, self.judge, generator(seed, "augment", 0))
        self._source: Source = source
        self._rows, self._labels = rows, labels
        self.synthesizer_ = source.model
        self.classes_ = labels.values(np.arange(len(labels.classes)))
        self.kept_ = {}
        if isinstance(rows, TableRows):
            self.n_features_in_ = rows.frame.shape[1]
            names = list(rows.frame.columns)
            if all(isinstance(name, str) for name in names):
                self.feature_names_in_ = np.asarray(names, dtype=object)
            elif hasattr(self, "feature_names_in_"):
                del self.feature_names_in_

    def _draw(self, code: int, number: int, seed: int) -> Any:
        own = int(generator(seed, "augment", 1, code).integers(2**62))
        if self._judge is None or self.filter is None:
            return self._source.draw(code, number, own)
        drawn, kept = draw_confident(self._source, self._judge, code, number, self.filter, own)
        self.kept_[self._labels.classes[code]] = kept
        return drawn

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a generator."""
        return hasattr(self, "synthesizer_")

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: a sampler that takes gaps, strings and sparse matrices."""
        tags = super().__sklearn_tags__()
        tags.estimator_type = "sampler"
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = True
        return tags
