"""What of a fitted model stays as it is while it learns other images."""

from __future__ import annotations

import hashlib
from typing import Final

from torch import nn

from synthgen.core.random import generator
from synthgen.data.images import ImageData
from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.sample.images import ImageSampler
from synthgen.train.images import ImageTask

#: What ``fine_tune`` offers.
STRATEGIES: Final = ("full", "freeze_d", "scale_shift")


def going_on(seed: int, previous: ImageSampler) -> int:
    """Return the seed of a training that goes on from a model: another one for every state of it.

    With the same seed every call would choose the same images and latent vectors again.
    """
    digest = hashlib.sha256()
    for value in previous.generator.state_dict().values():
        digest.update(value.detach().cpu().float().numpy().tobytes())
    state = int.from_bytes(digest.digest()[:4], "big")
    return int(generator(seed, "weights", state).integers(2**62))


def check_labels(previous: ImageSampler, data: ImageData) -> None:
    """Check that labels mean what they meant to the previous model.

    Raises
    ------
    InvalidDataError
        If they have other values.
    """
    if previous.labels is None or data.labels is None:
        return
    if previous.labels.values != data.labels.values:
        raise InvalidDataError(
            f"warm_start needs the labels of the previous fit, {previous.labels.values}, got "
            f"{data.labels.values}. Set warm_start=False."
        )


def copy_weights(previous: ImageSampler, task: ImageTask) -> None:
    """Start from the weights of a fitted model.

    Raises
    ------
    InvalidDataError
        If its networks have another shape.
    InvalidParameterError
        If it has no critic.
    """
    for old, new in ((previous.generator, task.generator), (previous.trained_critic, task.critic)):
        weights, wanted = old.state_dict(), new.state_dict()
        same = weights.keys() == wanted.keys() and all(
            weights[name].shape == value.shape for name, value in wanted.items()
        )
        if not same:
            raise InvalidDataError(
                "warm_start needs images of the same shape and labels as the previous fit, and the "
                "same recipe. Set warm_start=False."
            )
        new.load_state_dict(weights)


def freeze(task: ImageTask, strategy: str, share: float) -> None:
    """Take the weights out of training that a strategy keeps.

    Raises
    ------
    InvalidParameterError
        If the generator has no gains, biases or styles to train.
    """
    if strategy == "freeze_d":
        layers = [m for m in task.critic.trunk.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        for layer in layers[: round(share * len(layers))]:
            layer.requires_grad_(False)
    elif strategy == "scale_shift":
        found = False
        for name, parameter in task.generator.named_parameters():
            kept = any(part in name for part in ("norm", "style", "mapping"))
            parameter.requires_grad_(kept)
            found = found or kept
        if not found:
            raise InvalidParameterError(
                f"strategy='scale_shift' needs a generator with norms or styles; that of "
                f"{task.recipe.name!r} has none. Use 'freeze_d'."
            )
