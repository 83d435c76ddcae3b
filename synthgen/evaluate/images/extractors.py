"""What turns images into the features that distances are measured in.

A score is only as good as its features, and scores of different features cannot be compared: every
result names its extractor and has its fingerprint.

* ``"domain"``: a small network trained on the real labelled images; what tells the classes apart.
* ``"random"``: a fixed untrained network; it needs no labels, and ranks generators much like
  trained ones do (Lee, Kim & Lee 2022, arXiv:2208.09218).
* ``"pixels"``: the 64 strongest principal components of the real images' pixels.
* :func:`inception`, :func:`from_module`, :func:`custom`: whatever weights the user has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthgen.core.params import check_choice, check_integer
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate.images.classes import encode_labels
from synthgen.evaluate.images.pictures import Images, choose, shrink
from synthgen.measure.checks import check_callable

Features = NDArray[np.float64]

INCEPTION: Final = "inception"

#: Accuracy above chance that makes a domain classifier's features worth anything.
_LEAST_SKILL: Final = 0.2

_FIT_IMAGES: Final = 20_000
_SCALE_IMAGES: Final = 2_000
_COMPONENTS: Final = 64
_PIXEL_SIDE: Final = 32
_FIT: Final = 65


@dataclass(frozen=True)
class Extractor:
    """A named map from images to features.

    Parameters
    ----------
    name : str
        Stands in the names of the scores, as in ``FD[name]``.
    function : callable
        From images ``(n, C, H, W)`` in [0, 1] to features ``(n, d)``.
    probabilities : callable, optional
        From the same images to class probabilities ``(n, classes)``, for the inception score.
    details : dict
        What a result says about the extractor.
    """

    name: str
    function: Callable[[Images], Any]
    probabilities: Callable[[Images], Features] | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def __call__(self, images: Images) -> Features:
        """Return the features of images.

        Raises
        ------
        InvalidDataError
            If there is not one finite row of features per image.
        """
        made = self.function(images)
        features = np.asarray(made.detach().cpu() if hasattr(made, "detach") else made)
        if features.ndim != 2 or len(features) != len(images) or not np.isfinite(features).all():
            raise InvalidDataError(
                f"Extractor '{self.name}' must give finite features of shape ({len(images)}, d), "
                f"got shape {features.shape}."
            )
        return features.astype(np.float64)

    def fingerprint(self, images: Images) -> str:
        """Return a hash of the features of a few images; equal ones mean comparable scores."""
        rounded = np.round(self(images[:4]), 3) + 0.0
        return hashlib.sha256(rounded.tobytes()).hexdigest()[:12]


def make_extractor(
    extractor: Any, images: Images, labels: ArrayLike | None = None, *, random_state: Any = 0
) -> Extractor:
    """Return an extractor by name, or wrap what the user has.

    Parameters
    ----------
    extractor : str, Extractor, torch.nn.Module or callable
        ``"auto"`` is ``"domain"`` if there are labels that a small network can learn, else
        ``"random"``. A module or callable gets images ``(n, C, H, W)`` in [0, 1]; use
        :func:`from_module` or :func:`custom` where it needs more than that.
    images : numpy.ndarray of shape (n, C, H, W)
        Real training images in [0, 1]; they train ``"domain"``, and scale the others.
    labels : array-like of shape (n,), optional
        Their classes.
    random_state : int, Generator or None, default=0
        Seed of the networks.

    Returns
    -------
    Extractor

    Raises
    ------
    InvalidParameterError
        If the name is unknown, or ``"domain"`` has no labels of at least two classes.
    """
    if isinstance(extractor, Extractor):
        return extractor
    seed = root_seed(random_state)
    if not isinstance(extractor, str):
        check_callable("extractor", extractor, "a name, an Extractor, a module or a callable")
        name = str(getattr(extractor, "__name__", type(extractor).__name__)).strip("<>")
        if hasattr(extractor, "state_dict"):
            return from_module(extractor, name)
        return custom(name, extractor)
    check_choice("extractor", extractor, ["auto", "domain", "random", "pixels"])
    if extractor == "pixels":
        return _pixels(images)
    if extractor == "random":
        return _random(images, seed)
    if labels is None and extractor == "auto":
        return _random(images, seed)
    if labels is None:
        raise InvalidParameterError("extractor='domain' needs labels of the real images.")
    codes, classes = encode_labels(labels, len(images))
    if len(classes) < 2:
        if extractor == "auto":
            return _random(images, seed)
        raise InvalidParameterError("extractor='domain' needs labels of at least two classes.")
    found = _domain(images, codes, len(classes), seed)
    chance = float(np.bincount(codes).max() / len(codes))
    if extractor == "auto" and found.details["domain_accuracy"] < chance + _LEAST_SKILL:
        return _random(images, seed)
    return found


def custom(
    name: str,
    function: Callable[[Any], Any],
    *,
    layout: str = "channels_first",
    value_range: tuple[float, float] = (0.0, 1.0),
    batch: int = 256,
) -> Extractor:
    """Return any function of arrays as an extractor.

    Parameters
    ----------
    name : str
        Name of the features.
    function : callable
        From float32 images to features ``(n, d)``, an array or a tensor.
    layout : {"channels_first", "channels_last"}, default="channels_first"
        What it gets: ``(n, C, H, W)`` or ``(n, H, W, C)``.
    value_range : tuple of float, default=(0, 1)
        Values of black and white that it expects.
    batch : int, default=256
        Images at a time.

    Returns
    -------
    Extractor

    Raises
    ------
    InvalidParameterError
        If the name is empty or claims to be Inception.

    Examples
    --------
    >>> extractor = custom("mean", lambda images: images.mean(axis=(2, 3)))
    >>> extractor(np.ones((3, 2, 8, 8), dtype=np.float32)).shape
    (3, 2)
    """
    check_choice("layout", layout, ["channels_first", "channels_last"])
    check_integer("batch", batch, minimum=1)
    if not name or INCEPTION in name.lower() or name.lower() == "fid":
        raise InvalidParameterError(
            f"name must be a word other than {name!r}: only inception() makes a FID."
        )
    low, high = value_range

    def features(images: Images) -> Features:
        parts = []
        for start in range(0, len(images), batch):
            part = (images[start : start + batch] * (high - low) + low).astype(np.float32)
            made = function(part if layout == "channels_first" else part.transpose(0, 2, 3, 1))
            parts.append(np.asarray(made.detach().cpu() if hasattr(made, "detach") else made))
        return np.concatenate(parts)

    return Extractor(name, features)


def from_module(
    module: Any,
    name: str,
    *,
    size: int | None = None,
    mean: tuple[float, ...] = (0.0,),
    std: tuple[float, ...] = (1.0,),
    channels: int | None = None,
    batch: int = 64,
) -> Extractor:
    """Return a torch module, such as DINOv2 or CLIP's image side, as an extractor.

    Parameters
    ----------
    module : torch.nn.Module or callable of tensors
        From ``(n, C, H, W)`` to ``(n, d)``, or to maps ``(n, d, h, w)``, which are averaged.
    name : str
        Name of the features, for instance ``"dinov2-s14"``.
    size : int, optional
        Side of the square that images are resized to, with a filter against aliasing.
    mean, std : tuple of float
        Subtracted from, and then divided into, images in [0, 1].
    channels : int, optional
        Channels that it needs: one channel is repeated, a fourth (transparency) is dropped.
    batch : int, default=64
        Images at a time.

    Returns
    -------
    Extractor
    """
    if hasattr(module, "eval"):
        module.eval()

    def features(images: Images) -> Features:
        import torch

        from synthgen.evaluate.images.network import in_batches

        centre, spread = (torch.tensor(values).view(1, -1, 1, 1) for values in (mean, std))

        def run(part: torch.Tensor) -> torch.Tensor:
            if size is not None:
                part = torch.nn.functional.interpolate(
                    part, size=(size, size), mode="bicubic", antialias=True
                ).clamp(0, 1)
            out: torch.Tensor = module((part - centre) / spread)
            return out if out.ndim == 2 else out.flatten(2).mean(dim=2)

        adapted = images if channels is None else with_channels(images, channels)
        return in_batches(run, adapted, batch=batch, side=max(images.shape))

    return replace(custom(name, len), function=features)


def inception(weights: str | Path) -> Extractor:
    """Return the network of the Frechet *inception* distance, with weights from a file.

    Parameters
    ----------
    weights : path
        State dict of the Inception v3 of 2015 in torch's format, for instance
        ``weights-inception-2015-12-05-6726825d.pth`` of torch-fidelity, or
        ``pt_inception-2015-12-05-6726825d.pth`` of pytorch-fid. It is never downloaded.

    Returns
    -------
    Extractor
        2,048 features; images of one channel are repeated to three.
    """
    from synthgen.evaluate.images.inception import load_inception

    network = load_inception(weights)

    def run(images: Images, probabilities: bool) -> Features:
        from synthgen.evaluate.images.network import in_batches

        function = network.probabilities if probabilities else network.features
        return in_batches(function, with_channels(images, 3), batch=32, side=max(images.shape))

    digest = hashlib.sha256(Path(weights).read_bytes()).hexdigest()[:12]
    return Extractor(
        INCEPTION,
        lambda images: run(images, False),
        lambda images: run(images, True),
        {"weights": digest},
    )


def frechet_name(extractor: str) -> str:
    """Return the name of the distance: FID with Inception weights only."""
    return "FID" if extractor == INCEPTION else f"FD[{extractor}]"


def with_channels(images: Images, channels: int) -> Images:
    """Return images with so many channels: one is repeated, a transparency is dropped."""
    found = images.shape[1]
    if found == channels:
        return images
    if found == 1:
        return np.repeat(images, channels, axis=1)
    if found == channels + 1:
        return images[:, :channels]
    raise InvalidDataError(
        f"The extractor needs {channels} channels and the images have {found}; "
        "use custom() with a function that takes them."
    )


def _pixels(images: Images) -> Extractor:
    rows = _flat(images[:_FIT_IMAGES])
    axes = np.eye(rows.shape[1])
    if rows.shape[1] > _COMPONENTS:
        centred = rows - rows.mean(axis=0)
        _, vectors = np.linalg.eigh(centred.T @ centred)
        axes = vectors[:, ::-1][:, :_COMPONENTS]
    scaled = _scaled(lambda pictures: _flat(pictures) @ axes, images[:_FIT_IMAGES], each=False)
    return Extractor("pixels", scaled)


def _flat(images: Images) -> Features:
    return shrink(images, _PIXEL_SIDE).reshape(len(images), -1).astype(np.float64)


def _random(images: Images, seed: int) -> Extractor:
    from synthgen.evaluate.images.network import random_network

    fitted = choose(images, _SCALE_IMAGES, generator(seed, "score", _FIT))
    return Extractor("random", _scaled(random_network(fitted, seed), fitted, each=True))


def _domain(images: Images, codes: NDArray[np.int64], n_classes: int, seed: int) -> Extractor:
    from synthgen.evaluate.images.network import train_classifier

    rng = generator(seed, "score", _FIT)
    order = rng.permutation(len(images))[:_FIT_IMAGES]
    # Every tenth image is held out, to know whether the classes can be told apart at all.
    test, train = order[::10], np.delete(order, np.s_[::10])
    if not len(train):
        train = test
    classifier = train_classifier(images[train], codes[train], n_classes, seed, 0)
    accuracy = float((classifier.predict(images[test]) == codes[test]).mean())
    scaled = _scaled(classifier.features, images[test if len(test) > 1 else order], each=False)
    details = {"domain_accuracy": accuracy, "domain_images": len(train)}
    return Extractor("domain", scaled, classifier.probabilities, details)


def _scaled(
    function: Callable[[Images], Features], images: Images, *, each: bool
) -> Callable[[Images], Features]:
    """Centre features and divide them by their spread over real images, each alone or together.

    Pixels and networks have no unit of their own. After this, all features of real images together
    have a variance of their number, so that the kernel's powers all count, from the middle out.
    """
    found = function(images)
    mean, variance = found.mean(axis=0), found.var(axis=0)
    if not each:
        variance = np.full_like(variance, variance.mean())
    unit = np.sqrt(np.where(variance > 1e-12, variance, 1.0))
    return lambda pictures: (function(pictures) - mean) / unit
