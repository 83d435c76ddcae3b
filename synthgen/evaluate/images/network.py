"""The small convolutional networks behind the scores: one that is trained, one that is random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthgen.core.device import channels_last, supports_bfloat16
from synthgen.core.random import generator, isolated_torch_rng
from synthgen.evaluate.images.pictures import Images, shrink

#: Larger images are averaged down to this before they enter a network.
_SIDE: Final = 64

_WIDTHS: Final = (32, 64, 128, 128)
_FEATURES: Final = 64
#: Share of the features that training leaves out, and how far it moves images, as a share of them.
_DROPPED: Final = 0.2
_SHIFT: Final = 1 / 28

#: Images per step and learning rate, for this many images and for more.
_MANY: Final = 6_400
_BATCH: Final = (64, 128)
_RATE: Final = (2e-3, 4e-3)
_DECAY: Final = 1e-2
_SMOOTHING: Final = 0.05

#: Passes over the images, and optimiser steps at least and at most.
_PASSES: Final = 12
_STEPS: Final = (120, 2_400)

_WEIGHTS: Final = 63
_ORDER: Final = 64
_DROPS: Final = 65


class SmallNet(nn.Module):
    """Strided convolutions, a layer of features, a layer of classes.

    Parameters
    ----------
    channels, height, width : int
        Shape of an image.
    n_classes : int
        Number of outputs.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, channels: int, height: int, width: int, n_classes: int) -> None:
        super().__init__()
        body: list[nn.Module] = []
        for wide in _WIDTHS:
            conv = nn.Conv2d(channels, wide, 3, stride=2, padding=1, bias=False)
            body += [conv, nn.BatchNorm2d(wide), nn.ReLU()]
            channels, height, width = wide, (height + 1) // 2, (width + 1) // 2
            if min(height, width) <= 4:
                break
        rows, columns = min(height, 4), min(width, 4)
        self.body = nn.Sequential(*body, nn.AdaptiveAvgPool2d((rows, columns)), nn.Flatten())
        self.features = nn.Linear(channels * rows * columns, _FEATURES)
        self.dropped = nn.Dropout(_DROPPED)
        self.classes = nn.Linear(_FEATURES, n_classes)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))

    def embed(self, images: Tensor) -> Tensor:  # images: (n, C, H, W)
        """Return the features before the classes, (n, features)."""
        hidden: Tensor = self.features(self.body((images - self.mean) / self.spread))
        return nn.functional.relu(hidden)

    def forward(self, images: Tensor) -> Tensor:  # images: (n, C, H, W)
        """Return one logit per class, (n, classes)."""
        logits: Tensor = self.classes(self.dropped(self.embed(images)))
        return logits


@dataclass(frozen=True)
class Classifier:
    """A trained network.

    Parameters
    ----------
    net : SmallNet
    """

    net: SmallNet

    def features(self, images: Images) -> NDArray[np.float64]:
        """Return the layer before the last, (n, features)."""
        return in_batches(self.net.embed, images)

    def probabilities(self, images: Images) -> NDArray[np.float64]:
        """Return class probabilities, (n, classes)."""
        return in_batches(lambda batch: self.net(batch).double().softmax(dim=1), images)

    def predict(self, images: Images) -> NDArray[np.int64]:
        """Return the most probable class of every image."""
        return np.asarray(self.probabilities(images).argmax(axis=1), dtype=np.int64)


def train_classifier(
    images: Images,
    codes: NDArray[np.int64],
    n_classes: int,
    seed: int,
    *index: int,
    weights: NDArray[np.float64] | None = None,
) -> Classifier:
    """Train a small network to tell classes apart: the same seed, the same network.

    Parameters
    ----------
    images : numpy.ndarray of shape (n, C, H, W)
        In [0, 1].
    codes : numpy.ndarray of int of shape (n,)
        Classes 0..n_classes-1.
    n_classes : int
        Number of classes, among them those that no image has.
    seed : int
        Root seed.
    *index : int
        Which of several networks.
    weights : numpy.ndarray of shape (n,), optional
        What each image's loss is multiplied by; by default 1.

    Returns
    -------
    Classifier
        Trained for twelve passes, 120 to 2,400 batches, each moved by a pixel or so. Convolutions
        are trained in bfloat16 on processors that have it.
    """
    small = torch.from_numpy(shrink(images, _SIDE))
    targets = torch.from_numpy(codes)
    with isolated_torch_rng(seed, "score", _WEIGHTS, *index):
        net = SmallNet(small.shape[1], small.shape[2], small.shape[3], n_classes)
    net.mean.fill_(small.mean())
    net.spread.fill_(small.std(correction=0).clamp(min=1e-3))
    channels_last(net)
    _learn(net, small, targets, seed, index, None if weights is None else torch.tensor(weights))
    return Classifier(net.eval())


def _learn(
    net: SmallNet,
    images: Tensor,
    targets: Tensor,
    seed: int,
    index: tuple[int, ...],
    weights: Tensor | None,
) -> None:
    many = len(images) > _MANY
    batch, rate = _BATCH[many], _RATE[many]
    steps = int(np.clip(_PASSES * len(images) // batch, *_STEPS))
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=_DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    rng = generator(seed, "score", _ORDER, *index)
    order = _batches(len(images), steps, batch, rng)
    most = np.array([round(_SHIFT * side) for side in images.shape[2:]])
    shifts = rng.integers(-most, most + 1, (steps, 2)).tolist()
    fast = supports_bfloat16(torch.device("cpu"))
    with torch.enable_grad(), isolated_torch_rng(seed, "score", _DROPS, *index):
        for rows, shift in zip(order, shifts, strict=True):
            with torch.autocast("cpu", torch.bfloat16, enabled=fast):
                logits = net(images[rows].roll(shift, (2, 3)))
            losses = nn.functional.cross_entropy(
                logits.float(), targets[rows], label_smoothing=_SMOOTHING, reduction="none"
            )
            loss = (losses if weights is None else losses * weights[rows].float()).mean()
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()


def _batches(n: int, steps: int, batch: int, rng: np.random.Generator) -> list[Tensor]:
    """Return the rows of every batch: one random order after another, cut into pieces."""
    needed = steps * min(n, batch)
    orders = [rng.permutation(n) for _ in range(-(-needed // n))]
    rows = np.concatenate(orders)[:needed].reshape(steps, -1)
    return list(torch.from_numpy(rows))


def random_network(images: Images, seed: int) -> Callable[[Images], NDArray[np.float64]]:
    """Return the features of an untrained network: mean and spread over the picture of 32 filters.

    Parameters
    ----------
    images : numpy.ndarray of shape (n, C, H, W)
        Real images; they centre the pixels.
    seed : int
        Root seed.

    Returns
    -------
    callable
    """
    small = shrink(images, _SIDE)
    with isolated_torch_rng(seed, "score", _WEIGHTS, 1_000):
        layers: list[nn.Module] = []
        channels, side = small.shape[1], min(small.shape[2:])
        for wide in (32, 64, 32):
            layer = nn.Conv2d(channels, wide, 3, stride=2 if side > 8 else 1, padding=1)
            nn.init.kaiming_normal_(layer.weight)
            layers += [layer, nn.LeakyReLU(0.2)]
            channels, side = wide, -(-side // 2) if side > 8 else side
        net = nn.Sequential(*layers).eval()
    mean, spread = float(small.mean()), max(float(small.std()), 1e-3)

    def features(batch: Tensor) -> Tensor:
        maps: Tensor = net((batch - mean) / spread)
        return torch.cat([maps.mean(dim=(2, 3)), maps.std(dim=(2, 3), correction=0)], dim=1)

    return lambda pictures: in_batches(features, pictures)


def in_batches(
    function: Callable[[Tensor], Tensor], images: Images, *, batch: int = 512, side: int = _SIDE
) -> NDArray[np.float64]:
    """Return what a function of tensors gives for all images, without gradients.

    Parameters
    ----------
    function : callable
        From (n, C, H, W) to (n, d).
    images : numpy.ndarray of shape (n, C, H, W)
    batch : int, default=512
        Images at a time.
    side : int, default=64
        Larger images are averaged down to this.

    Returns
    -------
    numpy.ndarray of shape (n, d)
    """
    small = torch.from_numpy(shrink(images, side))
    with torch.no_grad():
        parts = [function(part).double() for part in torch.split(small, batch)]
    result: NDArray[np.float64] = torch.cat(parts).cpu().numpy()
    return result
