"""Filling gaps with a synthesizer, as a transformer of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from synthgen.augment.checks import check_callable, check_methods
from synthgen.augment.pooling import PooledEstimate, pool
from synthgen.augment.rows import read_features
from synthgen.augment.source import fresh
from synthgen.core.params import check_choice, check_integer
from synthgen.core.random import generator, root_seed
from synthgen.data.frame import FrameSpec, read_frame, write_rows
from synthgen.errors import InvalidDataError, SchemaMismatchError

STRATEGIES: Final = ("draw", "best")


class SyntheticImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Fills missing cells from their distribution given the other cells of the row.

    Parameters
    ----------
    synthesizer : object, optional
        Unfitted, with ``fit`` and ``impute(X, random_state=...)``. By default ``GANSynthesizer()``.
    strategy : {"draw", "best"}, default="draw"
        "draw": one draw per cell. Distributions and relations among columns stay as they are;
        right for statistics, for training, and for multiple imputation. "best": the mean of
        `n_draws` draws for numbers and dates (rounded where the column is whole), the most frequent
        one for categories. Closer to the true cells on average, but with too little spread; right
        for filling in a form.
    n_draws : int, default=20
        For "best".
    random_state : None, int, numpy RandomState or Generator
        With an integer, ``transform`` fills the same rows with the same values each time.

    Attributes
    ----------
    synthesizer_ : object
    n_features_in_ : int
    feature_names_in_ : numpy.ndarray of str

    References
    ----------
    van Buuren, "Flexible Imputation of Missing Data", 2nd edition, CRC 2018, section 2.6: why the
    best guess of each cell is a bad completed table.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from synthgen import GaussianCopula
    >>> from synthgen.augment import SyntheticImputer
    >>> df = pd.DataFrame({"x": np.arange(100.0), "y": np.arange(100.0) * 2})
    >>> df.loc[:9, "y"] = np.nan
    >>> filled = SyntheticImputer(GaussianCopula(), random_state=0).fit_transform(df)
    >>> int(filled.isna().sum().sum())
    0
    """

    synthesizer_: Any
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    def __init__(
        self,
        synthesizer: Any = None,
        *,
        strategy: str = "draw",
        n_draws: int = 20,
        random_state: Any = None,
    ) -> None:
        self.synthesizer = synthesizer
        self.strategy = strategy
        self.n_draws = n_draws
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the synthesizer to rows that may have gaps themselves.

        Parameters
        ----------
        X : frame or array of shape (n, k)
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        InvalidDataError
            If the table cannot be modelled.
        InvalidParameterError
            If a parameter cannot work, or the synthesizer cannot impute.
        """
        self._check_parameters()
        if self.synthesizer is not None:
            check_methods("synthesizer", self.synthesizer, "fit", "impute")
        _, frame, _ = read_features(self, X, reset=True)
        seed = root_seed(self.random_state)
        self.synthesizer_ = self._model(seed).fit(frame)
        self._columns: tuple[Hashable, ...] = tuple(frame.columns)
        self._seed = seed
        return self

    def transform(self, X: Any) -> Any:
        """Return the rows with their gaps filled; cells that were present are as they were.

        Parameters
        ----------
        X : frame or array of shape (n, k)

        Returns
        -------
        like X
            Gaps remain in columns that had no value at all in ``fit``.

        Raises
        ------
        SchemaMismatchError
            If columns differ from those of ``fit``.
        """
        frame, spec = self._checked(X)
        if self.strategy == "draw":
            return _written(self._draw(frame, 0), spec, X)
        draws = [self._draw(frame, number) for number in range(self.n_draws)]
        return _written(_best(frame, draws), spec, X)

    def transform_multiple(self, X: Any, m: int = 5) -> list[Any]:
        """Return `m` completed tables that differ by what is not known.

        Parameters
        ----------
        X : frame or array of shape (n, k)
        m : int, default=5
            Number of tables; about the percentage of rows with gaps is a good choice.

        Returns
        -------
        list of frames or arrays
        """
        m = check_integer("m", m, minimum=1)
        frame, spec = self._checked(X)
        return [_written(self._draw(frame, number), spec, X) for number in range(m)]

    def pooled(
        self,
        X: Any,
        estimate: Callable[[Any], tuple[float, float]],
        *,
        m: int = 20,
        confidence: float = 0.95,
        complete_degrees: float = np.inf,
    ) -> PooledEstimate:
        """Estimate something on `m` completed tables and pool by Rubin's rules.

        The interval covers what is not known about the missing cells given the fitted model, not
        that the model itself was learned from few rows; with many gaps it is somewhat too narrow.

        Parameters
        ----------
        X : frame or array of shape (n, k)
        estimate : callable
            From a completed table to the estimate and its standard error.
        m : int, default=20
        confidence : float, default=0.95
        complete_degrees : float, default=inf
            See :func:`~synthgen.augment.pool`.

        Returns
        -------
        PooledEstimate

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from synthgen import GaussianCopula
        >>> df = pd.DataFrame({"x": np.arange(200.0)}).assign(y=lambda d: d["x"] + 1)
        >>> df.loc[::4, "y"] = np.nan
        >>> imputer = SyntheticImputer(GaussianCopula(), random_state=0).fit(df)
        >>> pooled = imputer.pooled(df, lambda table: (table["y"].mean(), table["y"].sem()))
        >>> pooled.interval[0] < 100.5 < pooled.interval[1]
        True
        """
        check_integer("m", m, minimum=2)
        check_callable("estimate", estimate)
        results = [estimate(table) for table in self.transform_multiple(X, m)]
        if not all(isinstance(found, (tuple, list)) and len(found) == 2 for found in results):
            raise InvalidDataError(
                "estimate must return two numbers, the estimate and its standard error, got "
                f"{results[0]!r}."
            )
        values, errors = zip(*results, strict=True)
        return pool(values, errors, confidence=confidence, complete_degrees=complete_degrees)

    def _check_parameters(self) -> None:
        check_choice("strategy", self.strategy, STRATEGIES)
        check_integer("n_draws", self.n_draws, minimum=1)

    def _model(self, seed: int) -> Any:
        if self.synthesizer is not None:
            return fresh(self.synthesizer, seed)
        from synthgen.models.tabular import GANSynthesizer

        return GANSynthesizer(random_state=seed)

    def _checked(self, X: Any) -> tuple[pd.DataFrame, FrameSpec]:
        check_is_fitted(self)
        self._check_parameters()  # they may have been set since
        _, frame, spec = read_features(self, X, reset=False)
        known = pd.Index(self._columns, tupleize_cols=False)
        if set(frame.columns) == set(known):
            return frame.loc[:, list(known)], spec
        # Columns without names go by their places, as everywhere in scikit-learn.
        if spec.container != "numpy" and self._columns != tuple(range(len(known))):
            raise SchemaMismatchError(
                f"The columns must be those of fit, {list(known)!r}, got {list(frame.columns)!r}."
            )
        return frame.set_axis(known, axis=1), spec

    def _draw(self, frame: pd.DataFrame, number: int) -> pd.DataFrame:
        state = int(generator(self._seed, "augment", 7, number).integers(2**62))
        filled, _ = read_frame(self.synthesizer_.impute(frame, random_state=state))
        if len(filled) != len(frame):
            raise InvalidDataError(
                f"{type(self.synthesizer_).__name__}.impute returned {len(filled)} rows for "
                f"{len(frame)}."
            )
        return filled.loc[:, list(self._columns)]

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether ``fit`` has come to its end."""
        return hasattr(self, "_seed")

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: gaps and strings are what this is for."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _written(filled: pd.DataFrame, spec: FrameSpec, X: Any) -> Any:
    """Return a filled table in the user's container, under the user's names and index."""
    if set(filled.columns) != set(spec.columns):
        filled = filled.set_axis(pd.Index(spec.columns, tupleize_cols=False), axis=1)
    return write_rows(filled, spec, X)


def _best(frame: pd.DataFrame, draws: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the centre of the draws of each missing cell."""
    best = draws[0].copy()
    for label in frame.columns:
        gaps = frame[label].isna().to_numpy()
        if gaps.any():
            columns = [draw[label][gaps].reset_index(drop=True) for draw in draws]
            whole = _all_whole([draws[0][label], *columns])
            centre = _centre(columns, draws[0][label].dtype, whole)
            best[label] = _with_cells(best[label], gaps, centre)
    return best


def _centre(columns: list[pd.Series], dtype: Any, whole: bool) -> pd.Series:
    """Return the mean of drawn numbers and dates, and the most frequent of other draws."""
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _middle_date(columns)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
        means = np.mean([column.to_numpy(dtype=np.float64) for column in columns], axis=0)
        return pd.Series(np.rint(means) if whole else means)
    return _most_frequent(columns)


def _middle_date(columns: list[pd.Series]) -> pd.Series:
    """Return the mean of drawn dates, in their own unit and time zone."""
    ticks = np.stack([column.astype("int64").to_numpy() for column in columns], axis=1)
    # Dates of a missing column are the least integer in all draws, and stay that.
    middle = ticks[:, 0] + np.rint((ticks - ticks[:, :1]).mean(axis=1)).astype("int64")
    zone = columns[0].dt.tz
    dates = pd.Series(middle.view(f"M8[{columns[0].dt.unit}]"))
    return dates if zone is None else dates.dt.tz_localize("UTC").dt.tz_convert(zone)


def _all_whole(columns: list[pd.Series]) -> bool:
    """Whether all numbers are whole: a column of whole numbers is of floats if it has gaps."""
    if not all(pd.api.types.is_numeric_dtype(column.dtype) for column in columns):
        return False
    drawn = np.concatenate([column.to_numpy(dtype=np.float64) for column in columns])
    present = drawn[~np.isnan(drawn)]
    return bool((present == np.rint(present)).all())


def _most_frequent(columns: list[pd.Series]) -> pd.Series:
    """Return the value that most of the draws have; the one drawn first among equals."""
    n = len(columns[0])
    values = pd.concat([column.astype(object) for column in columns], ignore_index=True)
    codes = pd.factorize(values)[0].reshape(len(columns), n)
    votes = np.stack([(codes == codes[place]).sum(axis=0) for place in range(len(columns))])
    best = votes.argmax(axis=0)
    return pd.Series(values.to_numpy(dtype=object).reshape(len(columns), n)[best, np.arange(n)])


def _with_cells(series: pd.Series, gaps: NDArray[np.bool_], values: pd.Series) -> pd.Series:
    cells = series.astype(object)
    cells[gaps] = list(values)
    filled: pd.Series = cells.astype(series.dtype)
    return filled
