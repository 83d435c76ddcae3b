"""The Inception v3 network of 2015 as the Frechet inception distance uses it.

Where it differs from the network of the paper (and of torchvision): average pooling leaves the
padding out, the last block takes a maximum where the others take a mean, images are resized by
TensorFlow 1's rule, and there are 1,008 classes. The weights come from a file of the user's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthgen.errors import InvalidDataError

_SIDE: Final = 299
_FEATURES: Final = 2_048
_CLASSES: Final = 1_008


@dataclass(frozen=True)
class Shape:
    """A convolution: its name in the file of weights, filters, kernel, stride, and padding."""

    name: str
    wide: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: tuple[int, int] = (0, 0)


#: Convolutions one after another; several at one place see the same maps and are joined.
Branch = Sequence[tuple[Shape, ...]]


class Unit(nn.Module):
    """Convolution, batch normalisation, rectifier."""

    def __init__(self, channels: int, shape: Shape) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels, shape.wide, shape.kernel, shape.stride, shape.padding, bias=False
        )
        self.bn = nn.BatchNorm2d(shape.wide, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:  # x: (n, channels, h, w)
        """Return the maps, (n, wide, h', w')."""
        return functional.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    """Branches side by side, and one of pooling.

    Parameters
    ----------
    channels : int
        Maps that come in.
    branches : sequence of branches
        Their convolutions.
    pooled : int
        Filters after the pooling; 0 for a maximum with stride 2 and nothing after it.
    maximum : bool, default=False
        Whether the pooling takes the maximum.
    """

    def __init__(
        self, channels: int, branches: Sequence[Branch], pooled: int, *, maximum: bool = False
    ) -> None:
        super().__init__()
        self.plan = [[[shape.name for shape in step] for step in branch] for branch in branches]
        self.wide = pooled or channels
        for branch in branches:
            coming = channels
            for step in branch:
                for shape in step:
                    self.add_module(shape.name, Unit(coming, shape))
                coming = sum(shape.wide for shape in step)
            self.wide += coming
        self.branch_pool = Unit(channels, Shape("branch_pool", pooled)) if pooled else None
        self.maximum = maximum

    def forward(self, x: Tensor) -> Tensor:  # x: (n, channels, h, w)
        """Return the branches' maps, joined."""
        outputs = []
        for steps in self.plan:
            hidden = x
            for names in steps:
                hidden = torch.cat([self.get_submodule(name)(hidden) for name in names], dim=1)
            outputs.append(hidden)
        if self.branch_pool is None:
            outputs.append(functional.max_pool2d(x, 3, stride=2))
        elif self.maximum:
            outputs.append(self.branch_pool(functional.max_pool2d(x, 3, stride=1, padding=1)))
        else:
            mean = functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
            outputs.append(self.branch_pool(mean))
        return torch.cat(outputs, dim=1)


def _chain(name: str, *links: tuple[int, int, int], last_stride: int = 1) -> Branch:
    """Return the branch of convolutions (filters, height, width), numbered from 1."""
    shapes = []
    for number, (wide, height, width) in enumerate(links, 1):
        stride = last_stride if number == len(links) else 1
        padding = (height // 2, width // 2) if stride == 1 else (0, 0)
        own = f"{name}_{number}" if len(links) > 1 else name
        shapes.append((Shape(own, wide, (height, width), stride, padding),))
    return shapes


def _forked(name: str, chain: Branch) -> Branch:
    """Return a chain that ends in a flat and an upright convolution side by side."""
    flat = Shape(f"{name}a", 384, (1, 3), 1, (0, 1))
    upright = Shape(f"{name}b", 384, (3, 1), 1, (1, 0))
    return [*chain, (flat, upright)]


def _block_a(channels: int, pooled: int) -> Mixed:
    branches = [
        _chain("branch1x1", (64, 1, 1)),
        _chain("branch5x5", (48, 1, 1), (64, 5, 5)),
        _chain("branch3x3dbl", (64, 1, 1), (96, 3, 3), (96, 3, 3)),
    ]
    return Mixed(channels, branches, pooled)


def _block_b(channels: int) -> Mixed:
    branches = [
        _chain("branch3x3", (384, 3, 3), last_stride=2),
        _chain("branch3x3dbl", (64, 1, 1), (96, 3, 3), (96, 3, 3), last_stride=2),
    ]
    return Mixed(channels, branches, 0)


def _block_c(channels: int, inner: int) -> Mixed:
    flat, upright = (inner, 1, 7), (inner, 7, 1)
    branches = [
        _chain("branch1x1", (192, 1, 1)),
        _chain("branch7x7", (inner, 1, 1), flat, (192, 7, 1)),
        _chain("branch7x7dbl", (inner, 1, 1), upright, flat, upright, (192, 1, 7)),
    ]
    return Mixed(channels, branches, 192)


def _block_d(channels: int) -> Mixed:
    branches = [
        _chain("branch3x3", (192, 1, 1), (320, 3, 3), last_stride=2),
        _chain("branch7x7x3", (192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3), last_stride=2),
    ]
    return Mixed(channels, branches, 0)


def _block_e(channels: int, *, maximum: bool) -> Mixed:
    narrow = [(Shape("branch3x3_1", 384),)]
    double = _chain("branch3x3dbl", (448, 1, 1), (384, 3, 3))
    branches = [
        _chain("branch1x1", (320, 1, 1)),
        _forked("branch3x3_2", narrow),
        _forked("branch3x3dbl_3", double),
    ]
    return Mixed(channels, branches, 192, maximum=maximum)


class Inception(nn.Module):
    """The network; the names of its parts are those in files of weights."""

    def __init__(self) -> None:
        super().__init__()
        stem = (
            (3, Shape("Conv2d_1a_3x3", 32, (3, 3), 2)),
            (32, Shape("Conv2d_2a_3x3", 32, (3, 3))),
            (32, Shape("Conv2d_2b_3x3", 64, (3, 3), 1, (1, 1))),
            (64, Shape("Conv2d_3b_1x1", 80)),
            (80, Shape("Conv2d_4a_3x3", 192, (3, 3))),
        )
        for channels, shape in stem:
            self.add_module(shape.name, Unit(channels, shape))
        blocks = {
            "Mixed_5b": _block_a(192, 32),
            "Mixed_5c": _block_a(256, 64),
            "Mixed_5d": _block_a(288, 64),
            "Mixed_6a": _block_b(288),
            "Mixed_6b": _block_c(768, 128),
            "Mixed_6c": _block_c(768, 160),
            "Mixed_6d": _block_c(768, 160),
            "Mixed_6e": _block_c(768, 192),
            "Mixed_7a": _block_d(768),
            "Mixed_7b": _block_e(1280, maximum=False),
            "Mixed_7c": _block_e(2048, maximum=True),
        }
        self.plan = [shape.name for _, shape in stem] + list(blocks)
        for name, block in blocks.items():
            self.add_module(name, block)
        self.fc = nn.Linear(_FEATURES, _CLASSES)

    def features(self, images: Tensor) -> Tensor:  # images: (n, 3, H, W) in [0, 1]
        """Return the pooled features, (n, 2048)."""
        pixels = resize((images * 255).round(), _SIDE)
        hidden = (pixels - 128) / 128
        for name in self.plan:
            hidden = self.get_submodule(name)(hidden)
            if name in ("Conv2d_2b_3x3", "Conv2d_4a_3x3"):
                hidden = functional.max_pool2d(hidden, 3, stride=2)
        return hidden.mean(dim=(2, 3))

    def probabilities(self, images: Tensor) -> Tensor:  # images: (n, 3, H, W) in [0, 1]
        """Return class probabilities, (n, 1008), without the bias, as the original score does."""
        return (self.features(images) @ self.fc.weight.T).double().softmax(dim=1)


def resize(images: Tensor, side: int) -> Tensor:
    """Resize to a square as TensorFlow 1 did: linear, pixels at their corners, no anti-aliasing.

    Parameters
    ----------
    images : torch.Tensor of shape (n, C, H, W)
    side : int

    Returns
    -------
    torch.Tensor of shape (n, C, side, side)

    Examples
    --------
    >>> resize(torch.tensor([[[[0.0, 1.0]]]]), 4)[0, 0, 0].tolist()
    [0.0, 0.5, 1.0, 1.0]
    """
    for axis in (2, 3):
        size = images.shape[axis]
        places = torch.arange(side, device=images.device, dtype=images.dtype) * (size / side)
        low = places.floor().long().clamp(max=size - 1)
        weight = (places - low).view([-1, 1] if axis == 2 else [-1])
        first = images.index_select(axis, low)
        second = images.index_select(axis, (low + 1).clamp(max=size - 1))
        images = first + (second - first) * weight
    return images


def load_inception(weights: str | Path) -> Inception:
    """Return the network with weights from a file.

    Parameters
    ----------
    weights : path
        State dict, as ``.safetensors`` or in torch's own format (read as data only).

    Returns
    -------
    Inception

    Raises
    ------
    InvalidDataError
        If the file is missing or holds the weights of another network.
    """
    path = Path(weights)
    if not path.is_file():
        raise InvalidDataError(f"There is no file of Inception weights at {path}.")
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    # The building of the network draws random weights that the file's replace.
    with torch.random.fork_rng(devices=[]):
        network = Inception()
    own = network.state_dict()
    state = {name: value for name, value in state.items() if name in own or "Aux" not in name}
    counters = {name: value for name, value in own.items() if name.endswith("num_batches_tracked")}
    try:
        network.load_state_dict(counters | state)
    except RuntimeError as error:
        raise InvalidDataError(
            f"{path} does not hold the Inception v3 weights of 2015 (with 1,008 classes): {error}"
        ) from error
    network.requires_grad_(False)
    return network.eval()
