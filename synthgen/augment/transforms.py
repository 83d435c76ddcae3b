"""Generated images and albumentations, in both directions.

:class:`SyntheticMix` is a step of an albumentations pipeline that puts generated images in the
place of real ones or mixes them in. :class:`Albumentations` lets a pipeline serve the real side of
a :class:`~synthgen.augment.MixedDataset`. Neither imports albumentations: any callable with its
interface, ``f(image=array)["image"]``, will do; :func:`as_albumentations` does, to make a step that
``albumentations.Compose`` accepts.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.augment.checks import check_callable, check_methods
from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError, InvalidParameterError, MissingExtraError

#: Values may lie outside the generator's range by this share of it, as interpolation makes them.
_SLACK: Final = 0.5


def worker_seed() -> int:
    """Return the seed of this worker of a DataLoader, new in every epoch; 0 outside of one."""
    torch = sys.modules.get("torch")
    info = None if torch is None else torch.utils.data.get_worker_info()
    return 0 if info is None else int(info.seed)


class SyntheticMix:
    """Replaces an image by a generated one, or mixes one in, with probability `p`.

    Called as ``mix(image=array, label=...)`` it returns a dict with the same keys. With a label the
    generated image is of that class, so the label stays right; a model without labels must only be
    used on images of one class. In the workers of a DataLoader each has random numbers of its own,
    which follow from `random_state` and torch's seed.

    Parameters
    ----------
    synthesizer : object
        Fitted, of images: ``sample(n, y=..., random_state=...)``.
    p : float, default=0.5
        Probability that an image is touched.
    mode : {"replace", "mix"}, default="replace"
        "mix": weighted mean of both images with a weight from Beta(alpha, alpha).
    alpha : float, default=0.4
        As in mixup.
    pool : int, default=256
        Images generated at a time for each label.
    random_state : None, int, numpy RandomState or Generator

    References
    ----------
    Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, arXiv:1710.09412.

    Examples
    --------
    >>> import numpy as np
    >>> class Grey:
    ...     def sample(self, n, y=None, random_state=None):
    ...         return np.full((n, 8, 8), 100, dtype=np.uint8)
    >>> mix = SyntheticMix(Grey(), p=1.0, random_state=0)
    >>> int(mix(image=np.zeros((8, 8), np.uint8), label=3)["image"].max())
    100
    """

    def __init__(
        self,
        synthesizer: Any,
        *,
        p: float = 0.5,
        mode: str = "replace",
        alpha: float = 0.4,
        pool: int = 256,
        random_state: Any = None,
    ) -> None:
        check_methods("synthesizer", synthesizer, "sample")
        self.synthesizer = synthesizer
        self.p = check_real("p", p, low=0.0, high=1.0)
        self.mode = check_choice("mode", mode, ["replace", "mix"])
        self.alpha = check_real("alpha", alpha, low=0.0, closed="neither")
        self.pool = check_integer("pool", pool, minimum=1)
        self._seed = root_seed(random_state)
        self._begin(self._seed, 0)

    def _begin(self, seed: int, worker: int) -> None:
        """Start with random numbers and images of one process."""
        self._worker, self._root = worker, seed
        self._rng = generator(seed, "augment", 10)
        self._pools: dict[Any, tuple[int, NDArray[Any], int]] = {}

    def __call__(self, *, image: NDArray[Any], **others: Any) -> dict[str, Any]:
        """Return the image, touched or not, with everything else that was given."""
        return {"image": self.apply(image, others.get("label")), **others}

    def apply(self, image: NDArray[Any], label: Any = None) -> NDArray[Any]:
        """Return the image, or with probability `p` a generated one or a mixture.

        Raises
        ------
        InvalidDataError
            If generated images have another shape or other values, or this is no image.
        """
        if not isinstance(image, np.ndarray) or not isinstance(label, Hashable):
            raise InvalidDataError(
                "SyntheticMix takes an image as a numpy array and one label, got "
                f"{type(image).__name__} and {label!r}."
            )
        worker = worker_seed()
        if worker != self._worker:
            # A copy in a worker of a DataLoader: others have copies of the same state.
            self._begin(int(generator(self._seed, "augment", 12, worker).integers(2**62)), worker)
        if self._rng.random() >= self.p:
            return image
        made = self._next(label)
        if made.shape != image.shape:
            raise InvalidDataError(
                f"The generator makes images of shape {made.shape}, and the image has "
                f"{image.shape}. Put this step before those that change the shape."
            )
        self._check_values(made, image)
        if self.mode == "replace":
            return made.astype(image.dtype)
        weight = self._rng.beta(self.alpha, self.alpha)
        mixed = weight * made.astype(np.float64) + (1 - weight) * image.astype(np.float64)
        if image.dtype.kind in "iu":
            mixed = np.rint(mixed)
        return np.asarray(mixed.astype(image.dtype))

    def _check_values(self, made: NDArray[Any], image: NDArray[Any]) -> None:
        """Refuse images whose black and white are not those of the generator."""
        whole = made.dtype.kind in "iu"
        wrong = whole != (image.dtype.kind in "iu") or (whole and made.dtype != image.dtype)
        spec = getattr(self.synthesizer, "spec_", None)
        if not wrong and spec is not None and not whole:
            slack = _SLACK * (spec.high - spec.low)
            wrong = bool(image.min() < spec.low - slack or image.max() > spec.high + slack)
        if wrong:
            known = "" if spec is None else f" in [{spec.low:g}, {spec.high:g}]"
            raise InvalidDataError(
                f"The generator makes images of {made.dtype}{known}, and the image is of "
                f"{image.dtype} in [{image.min():g}, {image.max():g}]. Put this step before those "
                "that change values, or fit the generator to images like these."
            )

    def _next(self, label: Any) -> NDArray[Any]:
        """Return the next image of the label's pool, filling the pool if it is used up."""
        place, images, fills = self._pools.get(label, (0, np.empty(0), 0))
        if place >= len(images):
            key = len(self._pools) if fills == 0 else list(self._pools).index(label)
            state = int(generator(self._root, "augment", 11, key, fills).integers(2**62))
            wanted = {} if label is None else {"y": [label] * self.pool}
            images = np.asarray(self.synthesizer.sample(self.pool, random_state=state, **wanted))
            place, fills = 0, fills + 1
        self._pools[label] = (place + 1, images, fills)
        return np.asarray(images[place])


class Albumentations:
    """Applies an albumentations pipeline to one image.

    Parameters
    ----------
    pipeline : callable
        Called as ``pipeline(image=array)["image"]`` with the channels last.
    channels_first : bool, default=False
        Whether images come, and are to go, with the channels first.

    Examples
    --------
    >>> import numpy as np
    >>> flip = Albumentations(lambda image: {"image": image[:, ::-1]})
    >>> flip(np.array([[1, 2]])).tolist()
    [[2, 1]]
    """

    def __init__(self, pipeline: Any, *, channels_first: bool = False) -> None:
        self.pipeline = check_callable("pipeline", pipeline)
        self.channels_first = channels_first

    def __call__(self, image: Any) -> NDArray[Any]:
        """Return the transformed image."""
        array = np.asarray(image)
        if array.ndim < 2 or array.dtype.kind not in "biuf":
            raise InvalidDataError(
                f"An image has at least two axes of numbers, got {type(image).__name__} of shape "
                f"{array.shape} and dtype {array.dtype}."
            )
        if self.channels_first:
            array = np.ascontiguousarray(np.moveaxis(array, 0, -1))
        made = self.pipeline(image=array)
        if not isinstance(made, Mapping) or "image" not in made:
            raise InvalidDataError(
                f"The pipeline must return a dict with the key 'image', got {type(made).__name__}."
            )
        out = np.asarray(made["image"])
        return np.moveaxis(out, -1, 0) if self.channels_first else out


def as_albumentations(mix: SyntheticMix) -> Any:
    """Return the step as an ``albumentations.ImageOnlyTransform``, for ``albumentations.Compose``.

    Inside ``Compose`` the label has to be given as ``pipeline(image=..., label=...)``.

    Parameters
    ----------
    mix : SyntheticMix

    Raises
    ------
    InvalidParameterError
        If it is something else.
    MissingExtraError
        If albumentations is not installed.
    """
    if not isinstance(mix, SyntheticMix):
        raise InvalidParameterError(f"mix must be a SyntheticMix, got {mix!r}.")
    try:
        base: Any = import_module("albumentations.core.transforms_interface").ImageOnlyTransform
    except ImportError as error:
        raise MissingExtraError("This transform", "albumentations", "images") from error

    class _Step(base):
        """Hands images on to the mix, which draws its own probability."""

        def __init__(self) -> None:
            super().__init__(p=1.0)

        @property
        def targets_as_params(self) -> list[str]:
            return ["label"]

        def get_params_dependent_on_data(
            self, params: dict[str, Any], data: dict[str, Any]
        ) -> dict[str, Any]:
            return {"label": data.get("label")}

        def apply(self, img: NDArray[Any], label: Any = None, **params: Any) -> NDArray[Any]:
            return mix.apply(img, label)

    return _Step()
