"""From the outputs of a mechanism to one number each that tells two worlds apart.

An output may be a number, text, an array, or a (nested) mapping or sequence of such things, and
need not have the same form in each run: that a key, a length or a text occurs in one world more
often than in the other is a leak like any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Features with fewer standard errors of difference than these are left out, in turn.
LEAST_CLEAR: Final = (0.0, 2.5, 5.0)
#: Differences without any spread count as this many times clearer than a spread of the same size.
_CONSTANT: Final = 1e-6
#: Numbers further off than this, in units of the largest that was seen before, are all alike.
_FAR: Final = 1e100


def flatten(output: Any) -> dict[str, float]:
    """Return an output as named numbers.

    Texts and other things that are no numbers become ``"place=value": 1``, and so do NaN and what
    is infinite or too large for a float.

    Examples
    --------
    >>> flatten({"kind": "int64", 7: [1.5, -math.inf]})
    {"/'kind'='int64'": 1.0, '/7#': 2.0, '/7[0]': 1.5, '/7[1]=-inf': 1.0}
    """
    return dict(_walk("", output))


def _walk(place: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            # Keys as they are written in code: 1 and "1", or "a/b" and "b" within "a", differ.
            yield from _walk(f"{place}/{key!r}", part)
    elif isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "biuf":
        # A length is a feature of its own, since few elements may differ by one place.
        yield f"{place}#", float(value.size)
        numbers = value.astype(np.float64).ravel().tolist()
        for number, element in enumerate(numbers):
            yield _named(f"{place}[{number}]", element)
    elif isinstance(value, np.ndarray) and not value.ndim:
        yield from _walk(place, value.item())
    elif isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, (str, bytes)):
        yield f"{place}#", float(len(value))
        for number, part in enumerate(value):
            yield from _walk(f"{place}[{number}]", part)
    elif isinstance(value, Real) and not isinstance(value, (bool, np.bool_)):
        yield _named(place, _as_float(value))
    else:
        yield f"{place}={value!r}", 1.0


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # of an integer or a fraction
        return math.copysign(math.inf, 1 if value > 0 else -1)


def _named(place: str, number: float) -> tuple[str, float]:
    """Return a number under its place; one that nothing can be computed with as a text."""
    return (place, number) if math.isfinite(number) else (f"{place}={number}", 1.0)


class Features:
    """The numbers of outputs as a matrix, by the names that some outputs have.

    Parameters
    ----------
    outputs : sequence
        Whose names become the columns; in :meth:`matrix` other outputs' further names are counted
        in a column of their own.
    """

    def __init__(self, outputs: Sequence[Any]) -> None:
        self._shape = _common_shape(outputs)
        self._names: dict[str, int] = {}
        for output in outputs if self._shape is None else [np.zeros(self._shape)]:
            for name in flatten(output):
                self._names.setdefault(name, len(self._names))

    def matrix(self, outputs: Sequence[Any]) -> Floats:
        """Return one row for each output."""
        width = len(self._names)
        found = np.zeros((len(outputs), width + 1))
        if self._shape is not None and _common_shape(outputs) == self._shape:
            numbers = np.stack([np.asarray(out, dtype=np.float64).ravel() for out in outputs])
            # The size of an array comes before its elements, and is the same in every run.
            found[:, width - numbers.shape[1] : width] = numbers
            found[:, : width - numbers.shape[1]] = numbers.shape[1]
            return found
        for row, output in zip(found, outputs, strict=True):
            for name, value in flatten(output).items():
                place = self._names.get(name)
                if place is None:
                    row[width] += 1.0
                else:
                    row[place] = value
        return found


def _common_shape(outputs: Sequence[Any]) -> tuple[int, ...] | None:
    """Return the shape of outputs that are all finite numbers of one shape."""
    shapes = set()
    for output in outputs:
        if isinstance(output, (Mapping, str, bytes)):
            return None
        if isinstance(output, Sequence) and not all(isinstance(part, Real) for part in output):
            return None
        array = np.asarray(output)
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            return None
        shapes.add(array.shape)
    return shapes.pop() if len(shapes) == 1 else None


def learn_statistics(
    outputs_0: Sequence[Any], outputs_1: Sequence[Any]
) -> list[Callable[[Sequence[Any]], Floats]]:
    """Learn statistics that are high in world 1 and low in world 0.

    A linear score of all numbers and of their squares, weighed by the difference of their means
    over their variance, which is the likelihood ratio of independent Gaussians; one score for each
    of several limits of how clear a difference must be.

    Parameters
    ----------
    outputs_0, outputs_1 : sequence
        Of runs that are used for nothing else.

    Returns
    -------
    list of callable
        Each gives the scores of a sequence of outputs.
    """
    features = Features([*outputs_0, *outputs_1])
    raw_0, raw_1 = features.matrix(outputs_0), features.matrix(outputs_1)
    # In units of the largest number seen, whose square may be too large for a float.
    unit = np.maximum(np.abs(raw_0).max(axis=0), np.abs(raw_1).max(axis=0))
    unit = np.where(unit > 0, unit, 1.0)
    raw_0, raw_1 = raw_0 / unit, raw_1 / unit
    centre = (raw_0.mean(axis=0) + raw_1.mean(axis=0)) / 2
    found_0, found_1 = _with_squares(raw_0, centre), _with_squares(raw_1, centre)
    difference = found_1.mean(axis=0) - found_0.mean(axis=0)
    spread = np.sqrt((found_0.var(axis=0) + found_1.var(axis=0)) / 2)
    # What rounding makes of equal numbers is no difference.
    size = np.abs(found_0).max(axis=0) + np.abs(found_1).max(axis=0)
    difference = np.where(np.abs(difference) > 1e-12 * size, difference, 0.0)
    spread = np.maximum(spread, np.maximum(_CONSTANT * np.abs(difference), 1e-100))
    clear = np.abs(difference) / (spread * np.sqrt(2.0 / len(raw_0)))
    weights = difference / spread**2

    def statistic(least: float) -> Callable[[Sequence[Any]], Floats]:
        used = np.where(clear >= least, weights, 0.0)
        # Only the order counts; this keeps the sums in range.
        used = used / max(float(np.abs(used).max(initial=0.0)), 1e-300)

        def scores(outputs: Sequence[Any]) -> Floats:
            with np.errstate(over="ignore"):
                numbers = np.clip(features.matrix(outputs) / unit, -_FAR, _FAR)
            return np.asarray(_with_squares(numbers, centre) @ used)

        return scores

    return [statistic(least) for least in LEAST_CLEAR]


def _with_squares(numbers: Floats, centre: Floats) -> Floats:
    centred = numbers - centre
    return np.concatenate([centred, centred**2], axis=1)
