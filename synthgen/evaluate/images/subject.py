"""What an image report is about: arrays of any tool, or a fitted synthesizer that makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.core.random import generator
from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate.images.content import Stage
from synthgen.evaluate.images.pictures import Images, to_array
from synthgen.measure.checks import check_synthesizer

_DRAW: Final = 78
#: Moments of training, and images of each, that are shown.
_STAGES: Final = 6


@dataclass(frozen=True)
class Subject:
    """The sides of a report, as users gave them or as a synthesizer's images are.

    Parameters
    ----------
    real, synthetic, holdout : array-like
        `holdout` may be None.
    labels, synthetic_labels, holdout_labels : numpy.ndarray of shape (n,), or None
    layout : str
        See :func:`~synthgen.evaluate.images.pictures.as_images`.
    """

    real: Any
    synthetic: Any
    holdout: Any
    labels: Any
    synthetic_labels: Any
    holdout_labels: Any
    layout: str


def makes_images(value: Any) -> bool:
    """Return whether this is a fitted synthesizer of images and no array of them.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is a synthesizer that is not fitted.
    InvalidParameterError
        If it is the class of one.
    """
    if callable(getattr(value, "sample", None)) and callable(getattr(value, "fit", None)):
        check_synthesizer(value)
    return callable(getattr(value, "sample", None)) and hasattr(value, "spec_")


def subject_of(
    real: Any,
    synthetic: Any,
    holdout: Any,
    labels: tuple[Any, Any, Any],
    layout: str,
    most: int,
    seed: int,
) -> Subject:
    """Return the sides of a report.

    Parameters
    ----------
    real, synthetic, holdout : array-like
        `synthetic` may be a fitted synthesizer: then it makes as many images as there are real
        ones, and all sides are brought to its range of values.
    labels : tuple
        Those of the three sides, each None or array-like of shape (n,) or (n, attributes).
    layout : str
    most : int
        Most images that a synthesizer makes.
    seed : int

    Raises
    ------
    InvalidParameterError
        If some sides have labels and others lack them.
    """
    own, made_labels, held_labels = labels
    if makes_images(synthetic):
        if made_labels is not None:
            raise InvalidParameterError(
                "synthetic_labels are given beside a synthesizer, which brings its own."
            )
        spec = synthetic.spec_
        real = _unit(spec.unify(to_array(real, "Images")))
        holdout = None if holdout is None else _unit(spec.unify(to_array(holdout, "Images")))
        made, made_labels = _drawn(synthetic, min(len(real), most), seed)
        made_labels = None if own is None else made_labels
        synthetic = _unit(spec.unify(made))
        layout = "channels_first"
    for name, values in (("synthetic_labels", made_labels), ("holdout_labels", held_labels)):
        if own is None and values is not None:
            raise InvalidParameterError(f"{name} are given, but no labels of the real images.")
    if holdout is not None and made_labels is not None and held_labels is None:
        raise InvalidParameterError("A holdout needs holdout_labels if the others have labels.")
    own, made_labels, held_labels = (
        None if values is None else _one_column(values)
        for values in (own, made_labels, held_labels)
    )
    return Subject(real, synthetic, holdout, own, made_labels, held_labels, layout)


def stages_of(synthesizer: Any) -> list[Stage]:
    """Return how the images of a fitted synthesizer changed during training.

    Parameters
    ----------
    synthesizer : object
        Anything; ``grids_``, ``history_`` and ``spec_`` are looked for.
    """
    grids, history = getattr(synthesizer, "grids_", None), getattr(synthesizer, "history_", None)
    spec = getattr(synthesizer, "spec_", None)
    if grids is None or spec is None or not isinstance(history, pd.DataFrame):
        return []
    if "step" not in history or len(grids) != len(history) or not grids.shape[1]:
        return []
    places = np.unique(np.linspace(0, len(grids) - 1, _STAGES).round().astype(int))
    return [
        Stage(f"Step {int(history['step'].iloc[at]):,}", _unit(spec.unify(grids[at])))
        for at in places
    ]


def _drawn(synthesizer: Any, n: int, seed: int) -> tuple[np.ndarray, Any]:
    state = int(generator(seed, "score", _DRAW).integers(2**31))
    if not synthesizer.classes_:
        return synthesizer.sample(n, random_state=state), None
    images, labels = synthesizer.sample(n, random_state=state, return_labels=True)
    return images, labels


def _unit(images: np.ndarray) -> Images:
    """Return images of [-1, 1] in [0, 1]."""
    return np.asarray((images + 1.0) / 2.0, dtype=np.float32)


def _one_column(labels: Any) -> Any:
    """Return labels of several attributes as one text each."""
    values = to_array(labels, "Labels")
    if values.ndim < 2:
        return values
    if values.ndim > 2:
        raise InvalidDataError(
            f"Labels must have the shape (n,) or (n, attributes), got {values.shape}."
        )
    return np.array([", ".join(map(str, row)) for row in values.tolist()], dtype=object)
