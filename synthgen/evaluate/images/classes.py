"""Labels of any type as numbers that all sides share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.errors import InvalidDataError
from synthgen.evaluate.images.pictures import to_array


def encode_labels(
    labels: Any, n_images: int, name: str = "labels"
) -> tuple[NDArray[np.int64], list[Any]]:
    """Return the number of every label's class, and the classes in order.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Numbers, strings, or both.
    n_images : int
        Number of images that they belong to.
    name : str, default="labels"
        Name of the parameter, for messages.

    Returns
    -------
    codes : numpy.ndarray of int of shape (n,)
    classes : list

    Raises
    ------
    InvalidDataError
        If there is not one label per image, or one is missing.

    Examples
    --------
    >>> encode_labels(["b", "a", "b"], 3)[1]
    ['a', 'b']
    """
    values = _checked(labels, n_images, name)
    codes, classes = pd.factorize(values, sort=_sortable(values))
    return codes.astype(np.int64), list(classes)


def apply_labels(labels: Any, n_images: int, classes: list[Any], name: str) -> NDArray[np.int64]:
    """Return the number of every label's class among known classes.

    Parameters
    ----------
    labels : array-like of shape (n,)
    n_images : int
        Number of images that they belong to.
    classes : list
        What :func:`encode_labels` found.
    name : str
        Name of the parameter, for messages.

    Returns
    -------
    numpy.ndarray of int of shape (n,)

    Raises
    ------
    InvalidDataError
        If a label is none of the classes.
    """
    values = _checked(labels, n_images, name)
    codes = pd.Index(classes, dtype=object).get_indexer(pd.Index(values, dtype=object))
    if (codes < 0).any():
        unknown = values[int(np.flatnonzero(codes < 0)[0])]
        raise InvalidDataError(f"{name} has the class {unknown!r}, which the real labels lack.")
    return np.asarray(codes, dtype=np.int64)


def _checked(labels: Any, n_images: int, name: str) -> NDArray[np.object_]:
    values = to_array(labels, name)
    if values.ndim != 1 or len(values) != n_images:
        raise InvalidDataError(
            f"{name} must hold one label for each of {n_images} images, got shape {values.shape}."
        )
    result = values.astype(object)
    if pd.isna(result).any():
        raise InvalidDataError(f"{name} must not have missing labels.")
    return result


def _sortable(values: NDArray[np.object_]) -> bool:
    # Numbers and text have no common order; then the order of appearance stands.
    return len({isinstance(value, str) for value in values}) == 1
