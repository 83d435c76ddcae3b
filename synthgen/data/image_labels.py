"""Labels of images: one or several attributes of any type, as places in lists and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.core.documents import decode_scalar, encode_scalar
from synthgen.errors import ConditionError, InvalidDataError, InvalidParameterError

#: Most different values of one attribute.
MOST_VALUES: Final = 10_000


@dataclass(frozen=True)
class LabelSpec:
    """The values that each attribute can have.

    Parameters
    ----------
    values : tuple of tuple
        For each attribute its values, in order.
    combinations : tuple of tuple of int
        The combinations of places that occur in the training data.
    shares : tuple of float
        How often each combination occurs.
    single : bool
        Whether labels came as one column.
    dtype : str or None
        Of the label array, as numpy spells it; None for mixed types.

    Examples
    --------
    >>> labels = LabelSpec.of(["cat", "dog", "cat"], 3)
    >>> labels.encode(["dog", "cat"]).tolist()
    [[1], [0]]
    >>> labels.decode(np.array([[1], [0]])).tolist()
    ['dog', 'cat']
    """

    values: tuple[tuple[Any, ...], ...]
    combinations: tuple[tuple[int, ...], ...]
    shares: tuple[float, ...]
    single: bool
    dtype: str | None

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of values of each attribute."""
        return tuple(len(column) for column in self.values)

    @classmethod
    def of(cls, y: Any, n: int, classes: Any = None) -> LabelSpec:
        """Learn the values from the labels of `n` images, or only how frequent given ones are.

        Raises
        ------
        InvalidDataError
            If there are not `n` of them, one is missing or none of `classes`, or an attribute has
            too many values.
        InvalidParameterError
            If `classes` are no list of different values.
        """
        columns, single, dtype = _columns(y)
        if len(columns[0]) != n:
            raise InvalidDataError(f"There are {n} images and {len(columns[0])} labels.")
        if classes is None:
            values = [_distinct(column, n) for column in columns]
            empty = cls(tuple(values), (), (), single, dtype)
        else:
            empty = cls.declared(classes)
            unknown = np.flatnonzero((empty.places(y) < 0).any(axis=1))
            if len(unknown):
                raise InvalidDataError(
                    f"The label {columns[0][unknown[0]]!r} is none of the declared classes "
                    f"{list(empty.values[0])[:10]!r}."
                )
        single, dtype = empty.single, empty.dtype
        rows, counts = np.unique(empty.encode(y), axis=0, return_counts=True)
        return cls(
            empty.values,
            tuple(tuple(int(place) for place in row) for row in rows),
            tuple(float(count) / n for count in counts),
            single,
            dtype,
        )

    @classmethod
    def declared(cls, classes: Any) -> LabelSpec:
        """Return one attribute whose values are given, all of them as frequent.

        Raises
        ------
        InvalidParameterError
            If they are no list of different values.

        Examples
        --------
        >>> LabelSpec.declared(["cat", "dog"]).places(["dog", "cow"]).tolist()
        [[1], [-1]]
        """
        listed = not isinstance(classes, (str, bytes)) and hasattr(classes, "__iter__")
        values = list(classes) if listed else []
        columns, single, dtype = _columns(values) if values else ([], False, None)
        if not single or len(set(columns[0])) < len(columns[0]):
            raise InvalidParameterError(
                f"classes must be a list of different labels, one or more, got {classes!r}."
            )
        places = tuple((place,) for place in range(len(values)))
        shares = (1.0 / len(values),) * len(values)
        return cls((tuple(columns[0]),), places, shares, True, dtype)

    def places(self, y: Any) -> np.ndarray:
        """Return the places of labels like :meth:`encode`, -1 for those that are not known."""
        columns, _, _ = _columns(y)
        if len(columns) != len(self.values):
            raise InvalidDataError(
                f"Expected {len(self.values)} label(s) for each image, got {len(columns)}."
            )
        index = [{value: k for k, value in enumerate(known)} for known in self.values]
        found = [
            [own.get(value, -1) for value in column]
            for own, column in zip(index, columns, strict=True)
        ]
        return np.asarray(found, dtype=np.int64).reshape(len(columns), -1).T

    def encode(self, y: Any) -> np.ndarray:
        """Return the places of labels, int64 of shape (n, attributes).

        Raises
        ------
        ConditionError
            If a label did not occur in the training data.
        """
        columns, _, _ = _columns(y)
        if len(columns) != len(self.values):
            raise ConditionError(
                f"The model was fitted with {len(self.values)} attribute(s) per image, got "
                f"{len(columns)}."
            )
        places = np.empty((len(columns[0]), len(columns)), dtype=np.int64)
        for k, (column, known) in enumerate(zip(columns, self.values, strict=True)):
            index = {value: place for place, value in enumerate(known)}
            for row, value in enumerate(column):
                if value not in index:
                    listed = ", ".join(repr(v) for v in known[:10])
                    raise ConditionError(f"Unknown label {value!r}; the model knows {listed}.")
                places[row, k] = index[value]
        return places

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the labels at places (n, attributes), in the form and type they came in."""
        dtype = object if self.dtype is None else np.dtype(self.dtype)
        out = np.empty(codes.shape, dtype=dtype)
        for k, known in enumerate(self.values):
            lookup = np.empty(len(known), dtype=dtype)
            lookup[:] = known
            out[:, k] = lookup[codes[:, k]]
        return out[:, 0] if self.single else out

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw places of labels as frequent as in the training data, (n, attributes)."""
        shares = np.asarray(self.shares)
        rows = rng.choice(len(shares), size=n, p=shares / shares.sum())
        return np.asarray(self.combinations, dtype=np.int64)[rows]

    def to_json(self) -> dict[str, Any]:
        """Return the specification as JSON."""
        return {
            "values": [[encode_scalar(v) for v in column] for column in self.values],
            "combinations": [list(row) for row in self.combinations],
            "shares": list(self.shares),
            "single": self.single,
            "dtype": self.dtype,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> LabelSpec:
        """Rebuild what :meth:`to_json` returned."""
        return cls(
            tuple(tuple(decode_scalar(v) for v in column) for column in document["values"]),
            tuple(tuple(row) for row in document["combinations"]),
            tuple(document["shares"]),
            document["single"],
            document["dtype"],
        )


def _distinct(column: list[Any], n: int) -> tuple[Any, ...]:
    """Return the values of one attribute in order."""
    if any(value is None or value is pd.NA or value != value for value in column):
        raise InvalidDataError("Labels must not be missing; give them a value of their own.")
    found = list(dict.fromkeys(column))
    if len(found) > min(MOST_VALUES, max(n // 2, 2)):
        raise InvalidDataError(
            f"The labels have {len(found)} different values for {n} images; they look like "
            "numbers or names, not like classes."
        )
    return tuple(_sorted(found))


def _columns(y: Any) -> tuple[list[list[Any]], bool, str | None]:
    """Return the labels by attribute, whether there is one column only, and their type."""
    y = y.detach().cpu().numpy() if hasattr(y, "detach") else y
    if isinstance(y, (list, tuple)) and any(hasattr(v, "detach") for v in y[:1]):
        y = [v.item() if v.ndim == 0 else v.tolist() for v in y]
    try:
        array = np.asarray(y, dtype=object if isinstance(y, (list, tuple)) else None)
        if isinstance(y, (list, tuple)) and len({type(v) for v in array.flat}) == 1:
            array = np.asarray(y)  # one type for all: an array of that type
    except ValueError as error:
        raise InvalidDataError(f"The labels are ragged: {error}.") from error
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] == 0):
        raise InvalidDataError(
            f"Labels must have the shape (n,) or (n, attributes), got {array.shape}."
        )
    dtype = None if array.dtype.kind == "O" else array.dtype.str
    single = array.ndim == 1
    rows: np.ndarray = array[:, None] if single else array
    return [list(column) for column in rows.T.tolist()], single, dtype


def _sorted(values: list[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda value: (type(value).__name__, repr(value)))
