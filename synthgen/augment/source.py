"""A synthesizer fitted to rows and their classes, from which rows of a class can be drawn.

Any object of the public contract will do: ``fit(frame)`` and
``sample(n, conditions={column: value}, random_state=...)`` for tables; ``fit(X, y)`` and
``sample(n, y=..., random_state=...)`` for images. One model learns all classes together, so that a
class with few rows borrows from the others what they have in common.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from synthgen.augment.checks import check_methods
from synthgen.augment.labels import Labels
from synthgen.augment.rows import ImageRows, Rows, TableRows
from synthgen.data.column import Column
from synthgen.data.frame import read_frame
from synthgen.data.schema import Schema
from synthgen.errors import ConditionError, InvalidDataError


@dataclass(frozen=True)
class TableSource:
    """A fitted synthesizer of tables whose column `target` holds the class.

    Parameters
    ----------
    model : object
        The fitted synthesizer.
    target : hashable
        Label of the column of classes.
    values : tuple
        What that column holds for each class.
    columns : tuple
        The features.
    """

    model: Any
    target: Hashable
    values: tuple[Any, ...]
    columns: tuple[Hashable, ...]

    def draw(self, code: int, n: int, seed: int) -> pd.DataFrame:
        """Return `n` rows of one class.

        Raises
        ------
        ConditionError
            If the synthesizer cannot make rows of this class.
        InvalidDataError
            If it returns something else than was asked for.
        """
        value = self.values[code]
        options: dict[str, Any] = {"conditions": {self.target: value}, "random_state": seed}
        if "on_rare" in inspect.signature(self.model.sample).parameters:
            options["on_rare"] = "approximate"
        try:
            drawn = self.model.sample(n, **options)
        except ConditionError as error:
            raise ConditionError(
                f"The synthesizer cannot make rows of the class {value!r}: {error}"
            ) from error
        frame, labels = self._parts(drawn, n)
        wrong = int((labels.astype(str) != str(value)).sum())
        if wrong:
            raise InvalidDataError(
                f"{wrong} of {n} rows that {type(self.model).__name__} drew under the condition "
                f"{self.target!r} = {value!r} are of another class. It has to obey conditions."
            )
        return frame

    def draw_any(self, n: int, seed: int) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """Return `n` rows of any class, as frequent as the model has them, and their codes."""
        frame, labels = self._parts(self.model.sample(n, random_state=seed), n)
        places = {str(value): code for code, value in enumerate(self.values)}
        codes = labels.astype(str).map(places)
        if codes.isna().any():
            raise InvalidDataError(
                f"{type(self.model).__name__} drew the class "
                f"{labels[codes.isna()].iloc[0]!r}, which is not in y."
            )
        return frame, np.asarray(codes, dtype=np.int64)

    def _parts(self, drawn: Any, n: int) -> tuple[pd.DataFrame, pd.Series]:
        name = type(self.model).__name__
        if len(drawn) != n:
            raise InvalidDataError(f"{name} was asked for {n} rows and returned {len(drawn)}.")
        if n == 0:
            return pd.DataFrame(columns=list(self.columns)), pd.Series(dtype=object)
        frame, _ = read_frame(drawn)
        missing = [label for label in (*self.columns, self.target) if label not in frame.columns]
        if missing:
            raise InvalidDataError(f"{name} returned rows without the column {missing[0]!r}.")
        return frame.loc[:, list(self.columns)], frame[self.target]


@dataclass(frozen=True)
class ImageSource:
    """A fitted synthesizer of images whose labels are the codes of the classes."""

    model: Any

    def draw(self, code: int, n: int, seed: int) -> NDArray[Any]:
        """Return `n` images of one class."""
        labels = np.full(n, code)
        return np.asarray(self.model.sample(n, y=labels, random_state=seed))

    def draw_any(self, n: int, seed: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return `n` images of any class and their codes."""
        images, codes = self.model.sample(n, random_state=seed, return_labels=True)
        return np.asarray(images), np.asarray(codes, dtype=np.int64)


Source = TableSource | ImageSource


def fit_source(rows: Rows, labels: Labels, synthesizer: Any, seed: int) -> Source:
    """Fit a copy of the synthesizer to rows and their classes.

    Parameters
    ----------
    rows : TableRows or ImageRows
    labels : Labels
    synthesizer : object or None
        None stands for ``GANSynthesizer()``, or ``ImageGANSynthesizer()`` for images.
    seed : int
        Taken as ``random_state`` if the synthesizer has that parameter and it is None.

    Raises
    ------
    InvalidParameterError
        If the object does not have the methods it needs.
    """
    if synthesizer is not None:
        check_methods("synthesizer", synthesizer, "fit", "sample")
    model = fresh(_default(rows) if synthesizer is None else synthesizer, seed)
    if isinstance(rows, ImageRows):
        return ImageSource(model.fit(rows.images, labels.codes))
    return _fit_table(rows, labels, model)


def fresh(synthesizer: Any, seed: int) -> Any:
    """Return an unfitted copy of any synthesizer, with a seed if it takes one and has none."""
    plain = not hasattr(synthesizer, "get_params")
    model = copy.deepcopy(synthesizer) if plain else clone(synthesizer)
    if hasattr(model, "get_params") and model.get_params().get("random_state", 0) is None:
        model.set_params(random_state=seed)
    return model


def _default(rows: Rows) -> Any:
    if isinstance(rows, ImageRows):
        from synthgen.models.image import ImageGANSynthesizer

        return ImageGANSynthesizer()
    from synthgen.models.tabular import GANSynthesizer

    return GANSynthesizer()


def _fit_table(rows: TableRows, labels: Labels, model: Any) -> TableSource:
    """Append the classes as the last column: words, unless a schema says what the column holds."""
    columns = tuple(rows.frame.columns)
    schema = getattr(model, "schema", None)
    if labels.name is not None and isinstance(schema, Schema) and labels.name in schema:
        target, values = labels.name, labels.classes
        column = pd.Series(labels.values(labels.codes))
    else:
        target = _free_name(labels.name, columns)
        values = tuple(f"class {code}" for code in range(len(labels.classes)))
        column = pd.Series([values[code] for code in labels.codes], dtype=object)
        if isinstance(schema, Schema):
            model.set_params(schema=_with_target(schema, target))
    frame = pd.concat([rows.frame, column], axis=1)
    frame.columns = pd.Index([*columns, target], tupleize_cols=False)
    return TableSource(model.fit(frame), target, values, columns)


def _with_target(schema: Schema, target: Hashable) -> Schema:
    column = Column(target, "categorical", "object", False, "the class")
    return replace(schema, columns=(*schema.columns, column))


def _free_name(name: Hashable | None, columns: tuple[Hashable, ...]) -> Hashable:
    """Return a label for the column of classes that no feature has."""
    if name is not None and name not in columns:
        return name
    free = "target"
    while free in columns:
        free += "_"
    return free
