"""Real images changed on the fly by a callable of the user's, for instance of albumentations."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from synthgen.data.images import ImageSpec
from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.train.images import ImageTask

#: Largest number that seeds of numpy's and Python's generators may have.
_MOST: Final = 2**32 - 1


class Transform:
    """A callable as a function of an image and of a seed.

    Parameters
    ----------
    function : callable
        Takes an image as an array (H, W) or (H, W, C): uint8 if the training images are, and
        float32 in [0, 1] otherwise. Called as ``function(image=array)["image"]`` if it has a
        parameter of that name, as ``function(array)`` if it has not; either way an array and a
        mapping with the key "image" are understood.
    spec : ImageSpec
        What the training images are like.

    Raises
    ------
    InvalidParameterError
        If it is no callable.
    """

    def __init__(self, function: Any, spec: ImageSpec) -> None:
        if not callable(function):
            raise InvalidParameterError(
                "transform must be None or a callable that takes an image and returns one, got "
                f"{function!r}."
            )
        self._call: Callable[[np.ndarray], Any] = function
        if _takes_image_by_name(function):
            self._call = lambda image: function(image=image)
        self._reseed = getattr(function, "set_random_seed", None)
        self._bytes = spec.dtype == "uint8"
        low, high = (spec.low, spec.high) if self._bytes else (0.0, 1.0)
        layout = "NHW" if spec.layout == "NHW" else "NHWC"
        dtype = "uint8" if self._bytes else "float32"
        self._spec = ImageSpec(layout, *spec.shape, dtype, low, high)

    def __call__(self, images: np.ndarray, seed: int) -> np.ndarray:
        """Return images changed.

        Parameters
        ----------
        images : numpy.ndarray of float32, shape (n, channels, height, width)
            In [-1, 1].
        seed : int
            Of whatever is random in the callable.

        Returns
        -------
        numpy.ndarray of float32, shape (n, channels, height, width)
            In [-1, 1].

        Raises
        ------
        InvalidDataError
            If the callable returns something that is no image of the same shape and type.
        """
        if callable(self._reseed):
            self._reseed(seed % _MOST)
        with _seeded(seed):
            changed = [self._one(image) for image in self._spec.restore(images)]
        return self._spec.unify(np.stack(changed))

    def _one(self, image: np.ndarray) -> np.ndarray:
        # A copy: some callables write into what they get.
        result = self._call(image.copy())
        if isinstance(result, Mapping):
            result = result.get("image")
        changed = _array(result)
        if changed.ndim == 2 and image.ndim == 3 and image.shape[2] == 1:
            changed = changed[:, :, None]
        kinds = "iu" if self._bytes else "f"
        fits = changed.shape == image.shape and changed.dtype.kind in kinds
        if not fits or not np.isfinite(changed).all():
            raise InvalidDataError(
                f"transform must return an image like the one it gets, {image.dtype} of the shape "
                f"{image.shape} without NaN; it returned {_described(result, changed)}. Leave "
                "resizing and normalising out of it."
            )
        return np.clip(changed, 0, 255).astype(np.uint8) if self._bytes else changed


class TransformedTask(ImageTask):
    """Images that a callable changes each time they are shown to the critic."""

    transform: Transform
    _seed = 0

    def conditions(
        self, rows: np.ndarray, rng: np.random.Generator
    ) -> tuple[Tensor | None, Tensor]:
        """Return condition vectors for a batch, and its rows; draw the seed of its changes."""
        # Of the step's own numbers, so that a run that resumes sees the same images.
        self._seed = int(rng.integers(_MOST))
        return super().conditions(rows, rng)

    def pixels(self, rows: Tensor) -> Tensor:
        """Return the pixels of changed real images, (batch, pixels)."""
        pixels = super().pixels(rows)
        images = pixels.reshape(-1, *self.critic.shape).cpu().numpy()
        return torch.as_tensor(self.transform(images, self._seed)).to(pixels).flatten(1)


def transform_name(function: Any) -> str | None:
    """Return what a checkpoint remembers of a callable."""
    if function is None:
        return None
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _takes_image_by_name(function: Any) -> bool:
    """Return whether to call a callable with ``image=``."""
    try:
        # What modules of torch take is said by their forward.
        parameters = inspect.signature(getattr(function, "forward", function)).parameters
    except (TypeError, ValueError):
        return False  # written in C, for instance
    if "image" in parameters:
        return parameters["image"].kind is not inspect.Parameter.POSITIONAL_ONLY
    kinds = {parameter.kind for parameter in parameters.values()}
    positional = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    return inspect.Parameter.VAR_KEYWORD in kinds and not kinds & positional


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the generators that callables draw from, and leave them as they were."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002 - put back below
    random.setstate(random.Random(seed).getstate())  # noqa: S311 - no secrets here
    own = np.random.RandomState(seed % _MOST).get_state()
    np.random.set_state(own)  # noqa: NPY002 - the same
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002 - as it was


def _array(result: Any) -> np.ndarray:
    try:
        return np.asarray(result.detach().cpu() if hasattr(result, "detach") else result)
    except ValueError:  # rows of several lengths
        return np.asarray(None)


def _described(result: Any, array: np.ndarray) -> str:
    if array.dtype.kind not in "biuf":
        return f"a {type(result).__name__}"
    return f"{array.dtype} of the shape {array.shape}"
