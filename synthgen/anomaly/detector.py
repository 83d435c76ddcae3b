"""The outlier detector: methods fitted side by side, one scale, and a vote."""

from __future__ import annotations

import logging
import time
from typing import Any, Final, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from synthgen.anomaly.baselines import BASELINES
from synthgen.anomaly.choose import PANEL, detection_table, roles, strangeness
from synthgen.anomaly.pyod import PyODAdapter
from synthgen.anomaly.scale import Scale, left_out, rare_below
from synthgen.anomaly.views import ImageView, TableView, View
from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError, InvalidParameterError

logger = logging.getLogger(__name__)

Vector = NDArray[np.float64]

#: Fewer rows than this are not split: calibration rows are then the training rows.
_LEAST_TO_SPLIT: Final = 8
_FEW: Final = 100
#: Calibration rows that are wanted even if they are more than a quarter, but never half, of all.
_WANTED: Final = 20
#: Calibration rows, and spoilt rows of each kind, at most.
_MOST_CALIBRATION, _MOST_PLANTED = 5_000, 500
#: ``contamination="auto"``: this share of calibration rows raises an alarm.
_FALSE_ALARMS: Final = 0.05
#: Where so many calibration rows should raise an alarm, one has to.
_EXPECTED: Final = 2.0


class Methods(Protocol):
    """What detectors of tables and of images have in common."""

    seconds: dict[str, float]
    panel: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Methods that can be asked for."""

    def request(self, name: str) -> None:
        """Offer a method that is left out unless asked for."""

    def fit(self, data: Any) -> Any:
        """Fit everything."""

    def abnormality(self, data: Any, names: tuple[str, ...]) -> dict[str, Vector]:
        """Return scores of methods, the higher the stranger."""

    def planted(self, data: Any, n: int) -> dict[str, Any]:
        """Return spoilt rows by kind."""


class GANOutlierDetector(OutlierMixin, BaseEstimator):
    """Finds rows or images that do not belong, by generators, critics and the usual detectors.

    Every ``fit`` fits all methods, the usual ones among them, and measures each on rows spoilt on
    purpose (:attr:`comparison_`); `method` says which of them speak.

    Parameters
    ----------
    method : str, default="auto"
        "auto" averages three usual detectors and lets those that rest on a generator or critic
        overrule them, where these are better at finding rows spoilt on purpose (see
        :mod:`synthgen.anomaly.choose`); "ensemble" averages all that rest
        on a generator or critic; or one method. Tables: "likelihood" (of the row, with tails),
        "surprisal" (of each cell given the others), "dependence" (joint over independent
        probability), "tree_critic" (boosted trees against independent columns), "critic",
        "critic_features" (neighbours). Images: "fanogan", "anogan", "critic", "critic_features"
        (neighbours), "critic_mahalanobis". Both: "isolation_forest", "knn", "pca", and "ecod" for
        tables.
    contamination : float or "auto", default="auto"
        Share of outliers among the training rows in (0, .5], which sets the threshold; "auto" sets
        it where one in twenty rows that no method learned from raises an alarm.
    synthesizer : GANSynthesizer or ImageGANSynthesizer, optional
        Unfitted; cloned. By default one that takes some minutes.
    n_models : int, default=1
        Generators that differ by their seed, whose scores are averaged.
    max_minutes : float, default=2
        Most minutes for each generator, if `synthesizer` is not given.
    random_state : None, int, numpy RandomState or Generator

    Attributes
    ----------
    offset_ : float
        ``decision_function(X) = score_samples(X) - offset_``.
    method_ : dict of str to str
        Methods that speak, and whether they belong to the "panel" or are a "specialist".
    comparison_ : pandas.DataFrame
        One row per method: AUC against each kind of spoilt calibration rows and their mean, role,
        whether a generator or critic is behind it, processor seconds to fit.
    n_features_in_ : int
    feature_names_in_ : numpy.ndarray of str

    References
    ----------
    Han et al., "ADBench: Anomaly Detection Benchmark", NeurIPS 2022, arXiv:2206.09426. Schlegl et
    al., "f-AnoGAN", Medical Image Analysis 54, 2019, doi:10.1016/j.media.2019.01.010.

    Examples
    --------
    >>> import numpy as np
    >>> from synthgen import GANSynthesizer
    >>> from synthgen.anomaly import GANOutlierDetector
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> synth = GANSynthesizer(max_steps=20, refine=False)
    >>> detector = GANOutlierDetector(synthesizer=synth, random_state=0).fit(X)
    >>> detector.predict([[0.1, 0.2], [9.0, -9.0]])
    array([ 1, -1])
    """

    offset_: float
    method_: dict[str, str]
    comparison_: pd.DataFrame
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    def __init__(
        self,
        *,
        method: str = "auto",
        contamination: float | str = "auto",
        synthesizer: Any = None,
        n_models: int = 1,
        max_minutes: float = 2.0,
        random_state: Any = None,
    ) -> None:
        self.method = method
        self.contamination = contamination
        self.synthesizer = synthesizer
        self.n_models = n_models
        self.max_minutes = max_minutes
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what belongs.

        Parameters
        ----------
        X : frame, array of shape (n, k), or images of shape (n, H, W), (n, H, W, C), (n, C, H, W)
            Rows or images, most of which are normal.
        y : None
            Ignored: no label is ever looked at.

        Returns
        -------
        self

        Raises
        ------
        InvalidDataError
            If the data cannot be modelled.
        InvalidParameterError
            If a constructor parameter cannot work.
        """
        self._check_parameters()
        seed = root_seed(self.random_state)
        view: View = ImageView() if ImageView.suits(X) else TableView()
        data = view.learn(X)
        if view.length(data) < _FEW:
            logger.warning(
                "%d rows are few: the threshold of contamination='auto' is rough.",
                view.length(data),
            )
        methods = view.methods(self.synthesizer, self.n_models, self.max_minutes, seed)
        self._check_method(view.names)
        methods.request(self.method)
        train, calibration = _split(view, data, seed)
        methods.fit(train)
        if self.method not in ("auto", "ensemble", *methods.names):
            raise InvalidParameterError(
                f"method={self.method!r} needs the critic of a recipe that judges single rows "
                f"without conditions; this one offers {list(methods.names)}."
            )
        before = dict(self.__dict__)
        try:
            self._view, self._methods = view, methods
            self._name_features(data)
            normal = self._calibrate(calibration, seed)
            if self.contamination == "auto":
                self.offset_ = self._alarm(calibration, normal)
            else:
                share = 100.0 * float(self.contamination)
                self.offset_ = float(np.percentile(self._scores(data), share))
        except BaseException:
            # Whatever was fitted before is as it was.
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        return self

    def score_samples(self, X: Any) -> Vector:
        """Return how normal rows are: the higher, the more normal.

        Parameters
        ----------
        X : frame or array
            With the columns, or of the shape, of the training data. Columns may stand in any order.

        Returns
        -------
        numpy.ndarray of shape (n,)
            Minus -log of the share of calibration rows that are as strange, see
            :mod:`synthgen.anomaly.scale` and :func:`synthgen.anomaly.choose.strangeness`.

        Raises
        ------
        SchemaMismatchError
            If columns are missing, new or of another type.
        """
        return self._scores(self._read(X))

    def decision_function(self, X: Any) -> Vector:
        """Return ``score_samples(X) - offset_``: negative for outliers.

        Parameters
        ----------
        X : frame or array
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return 1 for rows that belong and -1 for outliers.

        Parameters
        ----------
        X : frame or array
        """
        return np.where(self.decision_function(X) < 0.0, -1, 1)

    def anomaly_score(self, X: Any) -> Vector:
        """Return ``-score_samples(X)``: the higher, the stranger.

        Parameters
        ----------
        X : frame or array
        """
        return -self.score_samples(X)

    def method_scores(self, X: Any) -> pd.DataFrame:
        """Return the abnormality under every method on the common scale, one column each.

        Parameters
        ----------
        X : frame or array
        """
        data = self._read(X)
        names = self._methods.names
        found = self._methods.abnormality(data, names)
        return pd.DataFrame({name: self._scales[name](found[name]) for name in names})

    def explain(self, X: Any) -> pd.DataFrame:
        """Return what makes each row strange: one column per column of the table.

        Parameters
        ----------
        X : frame or array
            Rows of a table.

        Returns
        -------
        pandas.DataFrame
            Nats: the surprise of each cell given the others, and how far out in its own column it
            is, less the median among calibration rows. Positive cells speak against the row.
        """
        data = self._read(X)
        if not isinstance(self._view, TableView):
            raise InvalidDataError("explain is about tables; anomaly_map(X) explains images.")
        found: pd.DataFrame = self._methods.explain(data) - self._usual
        return found.set_axis(X.index, axis=0) if isinstance(X, pd.DataFrame) else found

    def anomaly_map(self, X: Any) -> NDArray[np.float32]:
        """Return how strange each pixel of each image is, (n, height, width).

        Parameters
        ----------
        X : array
            Images.

        Returns
        -------
        numpy.ndarray of float32
            Absolute difference between the image and its reconstruction by encoder and generator,
            averaged over channels, in [0, 2].
        """
        data = self._read(X)
        if not isinstance(self._view, ImageView):
            raise InvalidDataError("anomaly_map is about images; explain(X) explains rows.")
        found: NDArray[np.float32] = self._methods.anomaly_map(data)
        return found

    def to_pyod(self) -> PyODAdapter:
        """Return this detector with the names and signs of PyOD's detectors."""
        return PyODAdapter(self)

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether ``fit`` has come to its end."""
        return hasattr(self, "offset_")

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: gaps and strings are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def _name_features(self, data: Any) -> None:
        """Set what scikit-learn wants to know about columns; labels may be of any type."""
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                delattr(self, name)
        if isinstance(data, pd.DataFrame):
            self.n_features_in_ = data.shape[1]
            if all(isinstance(name, str) for name in data.columns):
                self.feature_names_in_ = np.asarray(data.columns, dtype=object)

    def _check_parameters(self) -> None:
        if self.contamination != "auto":
            check_real("contamination", self.contamination, low=0.0, high=0.5, closed="high")
        check_integer("n_models", self.n_models, minimum=1)
        check_real("max_minutes", self.max_minutes, low=0.0, closed="neither")
        if not isinstance(self.method, str):
            raise InvalidParameterError(f"method must be a name, got {self.method!r}.")

    def _check_method(self, names: tuple[str, ...]) -> None:
        check_choice("method", self.method, ("auto", "ensemble", *names))

    def _read(self, X: Any) -> Any:
        check_is_fitted(self)
        return self._view.read(X)

    def _calibrate(self, calibration: Any, seed: int) -> dict[str, Vector]:
        """Put all methods on one scale, measure them, and choose; return how strange rows are."""
        names = self._methods.names
        normal: dict[str, Vector] = self._methods.abnormality(calibration, names)
        self._scales = {name: Scale.fit(normal[name]) for name in names}
        count = max(1, min(_MOST_PLANTED, self._view.length(calibration)))
        spoilt = self._methods.planted(calibration, count)
        start = time.process_time()
        table = detection_table(
            normal, {kind: self._methods.abnormality(rows, names) for kind, rows in spoilt.items()}
        )
        logger.info("Measured %d methods in %.1f s.", len(names), time.process_time() - start)
        usual = [name for name in names if name in BASELINES]
        if self.method == "auto":
            self.method_ = roles(table, usual, self._methods.panel)
        elif self.method == "ensemble":
            self.method_ = {name: PANEL for name in names if name not in BASELINES}
        else:
            self.method_ = {self.method: PANEL}
        if isinstance(self._view, TableView):
            self._usual = self._methods.explain(calibration).median()
        shared = sum(s for name, s in self._methods.seconds.items() if name.startswith("generator"))
        self.comparison_ = table.assign(
            mean=table.mean(axis=1),
            role=[self.method_.get(name, "") for name in table.index],
            adversarial=[name not in BASELINES for name in table.index],
            seconds=[
                self._methods.seconds.get(name, 0.0)
                + (shared if name not in (*BASELINES, "tree_critic") else 0.0)
                for name in table.index
            ],
        )
        return normal

    def _alarm(self, calibration: Any, normal: dict[str, Vector]) -> float:
        """Return the score below which one in twenty rows lies that no method learned from."""
        fresh = {name: left_out(normal[name]) for name in self.method_}
        threshold = rare_below(-strangeness(fresh, self.method_), _FALSE_ALARMS)
        if self._view.length(calibration) * _FALSE_ALARMS < _EXPECTED:
            return threshold
        # Where several calibration rows should raise an alarm, one does: known rows seem less
        # strange than new ones, and of a long tail no known row would be beyond the threshold.
        return max(threshold, float(np.nextafter(self._scores(calibration).min(), np.inf)))

    def _scores(self, data: Any) -> Vector:
        found = self._methods.abnormality(data, tuple(self.method_))
        scaled = {name: self._scales[name](found[name]) for name in self.method_}
        return -strangeness(scaled, self.method_)


def _split(view: View, data: Any, seed: int) -> tuple[Any, Any]:
    """Return training and calibration rows; of few rows, all serve as both."""
    n = view.length(data)
    if n < _LEAST_TO_SPLIT:
        return data, data
    count = min(max(n // 4, min(n // 2, _WANTED)), _MOST_CALIBRATION)
    order = generator(seed, "anomaly").permutation(n)
    return view.take(data, np.sort(order[count:])), view.take(data, np.sort(order[:count]))
