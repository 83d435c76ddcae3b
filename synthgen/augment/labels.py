"""Class labels of any type as codes, and back in the container that they came in."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets

from synthgen.data.target import target_series
from synthgen.errors import InvalidDataError


@dataclass(frozen=True)
class Labels:
    """Labels of rows as places in the list of classes.

    Parameters
    ----------
    classes : tuple
        The distinct labels in order.
    codes : numpy.ndarray of int64 of shape (n,)
        Place of each row's label among the classes.
    name : hashable or None
        Name of the column, if it has one.
    given : object
        The labels as the user gave them.

    Examples
    --------
    >>> labels = read_labels(["b", "a", "b"], 3)
    >>> labels.classes, labels.codes.tolist(), labels.counts.tolist()
    (('a', 'b'), [1, 0, 1], [1, 2])
    """

    classes: tuple[Any, ...]
    codes: NDArray[np.int64]
    name: Hashable | None
    given: Any

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of rows per class."""
        return np.bincount(self.codes, minlength=len(self.classes))

    @property
    def rarest(self) -> int:
        """Code of the class with the fewest rows; the last one among equals."""
        return len(self.classes) - 1 - int(np.argmin(self.counts[::-1]))

    def code(self, label: Any) -> int:
        """Return the place of a label.

        Raises
        ------
        InvalidDataError
            If there is no such class.
        """
        for place, known in enumerate(self.classes):
            same = known == label
            alike = isinstance(known, str) == isinstance(label, str)
            # Of an array, equality is an array.
            if alike and isinstance(same, (bool, np.bool_)) and same:
                return place
        listed = ", ".join(repr(known) for known in self.classes[:20])
        raise InvalidDataError(f"There is no class {label!r} in y; the classes are {listed}.")

    def values(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """Return labels as an array; of objects if they are not numbers."""
        return _as_array(self.classes)[codes]

    def extended(self, codes: NDArray[np.int64]) -> Any:
        """Return the labels as given with more behind them, in the same container and dtype."""
        more = [self.classes[code] for code in codes]
        given = self.given
        if isinstance(given, pd.DataFrame):
            series = given.iloc[:, 0]
            return _extended_series(series, more).to_frame(series.name)
        if isinstance(given, pd.Series):
            return _extended_series(given, more)
        if type(given).__module__.partition(".")[0] == "polars":
            return _extended_polars(given, more)
        if isinstance(given, (list, tuple)):
            if isinstance(given[0], (list, tuple)):  # one label in each
                more = [type(given[0])([label]) for label in more]
            return type(given)([*given, *more])
        array = np.asarray(given)
        if not more:
            return array.copy()
        dtype = None if array.dtype.kind in "US" else array.dtype
        added = np.asarray(more, dtype=dtype).reshape(-1, *array.shape[1:])
        return np.concatenate([array, added])


def read_labels(y: Any, rows: int, *, least_classes: int = 2) -> Labels:
    """Read class labels: strings, booleans, integers or categories, in any container.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, 1)
    rows : int
        How many labels there have to be.
    least_classes : int, default=2

    Raises
    ------
    InvalidDataError
        If labels are missing, are measurements rather than classes, or have too few classes.
    """
    if y is None:
        raise InvalidDataError("requires y to be passed, but the target y is None.")
    with _class_labels():
        series = target_series(y, rows)
    if len(series) == 0:
        raise InvalidDataError("Found array with 0 sample(s): there are no labels.")
    gaps = int(series.isna().sum())
    if gaps:
        raise InvalidDataError(
            f"y contains NaN: {gaps} of {rows} labels are missing. Drop these rows."
        )
    plain = series.astype(object)
    with _class_labels():
        codes, uniques = _factorize(plain)
    values = np.asarray(_as_array(tuple(uniques)))
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InvalidDataError("y contains infinity. Labels are classes.")
    with _class_labels():
        check_classification_targets(values[codes] if values.dtype.kind != "O" else codes)
    if len(uniques) < least_classes:
        raise InvalidDataError(
            f"The target 'y' needs to have at least {least_classes} classes, got 1 class: "
            f"{uniques[0]!r}. There is nothing to balance or to tell apart."
        )
    name = None if not hasattr(y, "name") and not isinstance(y, pd.DataFrame) else series.name
    return Labels(tuple(uniques), codes.astype(np.int64), name, y)


@contextmanager
def _class_labels() -> Iterator[None]:
    """Let what numpy, pandas and scikit-learn refuse be refused with our error."""
    try:
        yield
    except InvalidDataError:
        raise
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"y must hold one class label for each row: {error}") from error


def _factorize(plain: pd.Series) -> tuple[NDArray[np.int64], list[Any]]:
    """Return codes and ordered distinct values; mixed types are ordered by type, then as text."""
    codes, uniques = pd.factorize(plain)
    values = [value.item() if isinstance(value, np.generic) else value for value in uniques]
    try:
        order = sorted(range(len(values)), key=lambda place: values[place])
    except TypeError:
        order = sorted(
            range(len(values)), key=lambda place: (str(type(values[place])), str(values[place]))
        )
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks[codes], [values[place] for place in order]


def _as_array(values: tuple[Any, ...]) -> NDArray[Any]:
    """Return an array of numbers or booleans if they are all that, of strings, or of objects."""
    kinds = {type(value) for value in values}
    if kinds in ({bool}, {int}, {float}, {str}):
        return np.asarray(values)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _extended_polars(given: Any, more: list[Any]) -> Any:
    """Return a series, or a frame of one column, with labels behind it."""
    series = given.to_series() if hasattr(given, "to_series") else given
    longer = series.clone().append(type(series)(series.name, more, series.dtype))
    return longer.to_frame() if hasattr(given, "to_series") else longer


def _extended_series(series: pd.Series, more: list[Any]) -> pd.Series:
    added = pd.Series(more, dtype=series.dtype, name=series.name)
    if not more:
        return series.reset_index(drop=True)
    return pd.concat([series, added], ignore_index=True)
