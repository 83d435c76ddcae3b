"""How many rows to generate per class: imbalanced-learn's ``sampling_strategy``."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, Final

import numpy as np

from synthgen.augment.labels import Labels
from synthgen.errors import InvalidParameterError

WORDS: Final = ("auto", "minority", "not minority", "not majority", "all")


def resolve_strategy(strategy: Any, labels: Labels) -> dict[int, int]:
    """Return how many rows each class needs.

    Parameters
    ----------
    strategy : str, float, dict or callable
        ``"minority"``, ``"not minority"``, ``"not majority"`` (or ``"auto"``), ``"all"``: bring
        these classes to the size of the largest. A number: for two classes, the size of the smaller
        one divided by that of the larger one afterwards. A dict: class to its number of rows
        afterwards. A callable gets y and returns such a dict.
    labels : Labels

    Returns
    -------
    dict of int to int
        Code of a class to the number of rows to generate, in the order of the classes. Classes
        that need none are there too if the strategy names them.

    Raises
    ------
    InvalidParameterError
        If the strategy is unknown, names no class of y, or asks for fewer rows than there are.

    References
    ----------
    Lemaître, Nogueira & Aridas, "Imbalanced-learn", JMLR 18 (2017).

    Examples
    --------
    >>> from synthgen.augment.labels import read_labels
    >>> resolve_strategy(0.5, read_labels([0] * 8 + [1], 9))
    {1: 3}
    """
    if callable(strategy):
        strategy = strategy(labels.given)
        if not isinstance(strategy, Mapping):
            raise InvalidParameterError(
                "The callable given as sampling_strategy must return a dict of classes to numbers "
                f"of rows, got {strategy!r}."
            )
    if isinstance(strategy, str):
        return _by_word(strategy, labels)
    if isinstance(strategy, Mapping):
        return _by_dict(strategy, labels)
    if isinstance(strategy, Real) and not isinstance(strategy, bool):
        return _by_ratio(float(strategy), labels)
    raise InvalidParameterError(
        f"sampling_strategy must be one of {', '.join(map(repr, WORDS))}, a number in (0, 1], a "
        f"dict or a callable, got {strategy!r}."
    )


def _by_word(word: str, labels: Labels) -> dict[int, int]:
    if word not in WORDS:
        raise InvalidParameterError(
            f"sampling_strategy must be one of {', '.join(map(repr, WORDS))}, got {word!r}."
        )
    counts = labels.counts
    largest, smallest = int(np.argmax(counts)), int(np.argmin(counts))
    everything = range(len(counts))
    chosen = {
        "minority": [smallest],
        "not minority": [code for code in everything if code != smallest],
        "all": list(everything),
    }.get(word, [code for code in everything if code != largest])
    return {code: int(counts[largest] - counts[code]) for code in chosen}


def _by_ratio(ratio: float, labels: Labels) -> dict[int, int]:
    if not 0.0 < ratio <= 1.0:
        raise InvalidParameterError(f"sampling_strategy must be in (0, 1], got {ratio!r}.")
    counts = labels.counts
    if len(counts) != 2:
        raise InvalidParameterError(
            f"A number as sampling_strategy is for two classes, and y has {len(counts)}. Give a "
            "dict of classes to numbers of rows, or a word."
        )
    smallest = int(np.argmin(counts))
    wanted = int(ratio * counts.max())
    if wanted < counts[smallest]:
        raise InvalidParameterError(
            f"sampling_strategy={ratio!r} asks for {wanted} rows of {labels.classes[smallest]!r}, "
            f"and there are {counts[smallest]} already. Generating rows cannot shrink a class: "
            f"raise the ratio above {counts[smallest] / counts.max():.3g}, or remove rows first."
        )
    return {smallest: wanted - int(counts[smallest])}


def _by_dict(wanted: Mapping[Any, Any], labels: Labels) -> dict[int, int]:
    counts = labels.counts
    extra: dict[int, int] = {}
    for label, number in wanted.items():
        if not isinstance(number, Integral) or isinstance(number, bool) or number < 0:
            raise InvalidParameterError(
                f"sampling_strategy: the number of rows of class {label!r} must be an integer "
                f">= 0, got {number!r}."
            )
        try:
            code = labels.code(label)
        except ValueError as error:
            raise InvalidParameterError(f"sampling_strategy: {error}") from error
        if number < counts[code]:
            raise InvalidParameterError(
                f"sampling_strategy asks for {number} rows of class {label!r}, and there are "
                f"{counts[code]} already. Generating rows cannot shrink a class: ask for at least "
                "as many, or remove rows first, for instance with imbalanced-learn's "
                "RandomUnderSampler."
            )
        extra[code] = int(number) - int(counts[code])
    return dict(sorted(extra.items()))
