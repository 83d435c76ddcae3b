"""Features of images that nobody had to look at data for: frequencies, edges, and random waves.

They are what a private release of images sums up (:mod:`synthgen.dp.embedding`), so nothing in them
may depend on images: filters are written down, random directions come from a constant seed, and
widths of the waves follow from the size of the images alone.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, conv2d

from synthgen.nn.image.geometry import Geometry

#: Random directions are public: anybody may know them.
_SEED: Final = 2207
#: Frequencies whose products are features, over all channels.
_FREQUENCIES: Final = 80
#: Longest side of the images that waves and edges are found in.
_SMALL: Final = 32
#: Widths of the waves: by the largest distance of two images, and for edge maps of length 1.
_PIXEL_WIDTHS: Final = (1 / 7, 2 / 7)
_EDGE_WIDTHS: Final = (0.35, 0.7)
#: Scales (in pixels) and sizes of the filters; directions of each.
_SCALES: Final = ((1.0, 7), (2.0, 11))
_DIRECTIONS: Final = 8
#: Finest grid on which edges are averaged.
_GRID: Final = 8
#: Share of each kind of feature in the squared length: pixels, products, waves, waves of edges.
_SHARES: Final = (0.2, 0.2, 0.2, 0.4)


class PublicFeatures(nn.Module):
    """Maps images to vectors of Euclidean length at most 1, differentiably.

    Four kinds, whose squared lengths are in fixed shares: the pixels themselves; products of two
    low frequencies (whose mean is a covariance); random Fourier features of the pixels, whose means
    determine the distribution in a Gaussian kernel's space; and random Fourier features of edge
    maps, two layers of oriented filters with moduli and local averages.

    Parameters
    ----------
    geometry : Geometry
    n_waves : int
        Random directions of each of the two kinds of waves; an even number.

    References
    ----------
    Rahimi and Recht, "Random Features for Large-Scale Kernel Machines", NeurIPS 2007. Bruna and
    Mallat, "Invariant Scattering Convolution Networks", PAMI 2013, arXiv:1203.1513. Tramer and
    Boneh, "Differentially Private Learning Needs Better Features", ICLR 2021, arXiv:2011.11660.

    Examples
    --------
    >>> features = PublicFeatures(Geometry(1, 8, 8), n_waves=16)
    >>> vectors = features(torch.zeros(3, 1, 8, 8))
    >>> bool((vectors.norm(dim=1) <= 1 + 1e-6).all())
    True
    """

    cosines_down: Tensor
    cosines_across: Tensor
    rows: Tensor
    columns: Tensor
    first: Tensor
    second: Tensor
    twice: Tensor
    waves: Tensor
    edge_waves: Tensor

    def __init__(self, geometry: Geometry, n_waves: int = 1_000) -> None:
        super().__init__()
        channels, height, width = geometry.channels, geometry.height, geometry.width
        longest = max(height, width)
        ratio = min(1.0, _SMALL / longest)
        self.small = (max(round(height * ratio), 1), max(round(width * ratio), 1))
        down, across = (min(max(side // 4, 2), _GRID) for side in self.small)
        self.grid = (down, across)
        rng = torch.Generator().manual_seed(_SEED)
        n_small = channels * self.small[0] * self.small[1]
        places = _lowest(*self.small, max(_FREQUENCIES // channels, 1))
        chosen = len(places) * channels
        first, second = torch.triu_indices(chosen, chosen)
        rows, columns = torch.tensor(places).T
        filters = {f"filters_{k}": _filters(*scale) for k, scale in enumerate(_SCALES)}
        widths = tuple(math.sqrt(n_small) * share for share in _PIXEL_WIDTHS)
        buffers = {
            **filters,
            "cosines_down": _cosines(self.small[0]),
            "cosines_across": _cosines(self.small[1]),
            "rows": rows,
            "columns": columns,
            "first": first,
            "second": second,
            "twice": torch.where(first == second, 1.0, math.sqrt(2.0)),
            "waves": _directions(n_small, n_waves, widths, rng),
        }
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)
        edges = self._edges(torch.zeros(1, channels, *self.small)).shape[1]
        #: Number of features.
        self.length = channels * height * width + len(first) + 4 * n_waves
        waves = _directions(edges, n_waves, _EDGE_WIDTHS, rng)
        self.register_buffer("edge_waves", waves, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return vectors (n, features) of images (n, channels, height, width) in [-1, 1]."""
        light = (images + 1.0) / 2.0
        small = adaptive_avg_pool2d(light, self.small)
        parts = (
            _unit(images.flatten(1)),
            self._products(small),
            _fourier(small.flatten(1), self.waves),
            _fourier(_unit(self._edges(small)), self.edge_waves),
        )
        scaled = [math.sqrt(share) * part for share, part in zip(_SHARES, parts, strict=True)]
        return torch.cat(scaled, dim=1)

    def _products(self, small: Tensor) -> Tensor:
        """Return products of two low frequencies: squared lengths of 1 as well."""
        spectrum = self.cosines_down @ small @ self.cosines_across.T
        low = _unit(spectrum[:, :, self.rows, self.columns].flatten(1))
        return low[:, self.first] * low[:, self.second] * self.twice

    def _edges(self, light: Tensor) -> Tensor:
        """Return local averages of light, of edges, and of edges in edge maps of grey images."""
        fine, coarse = self._modulus(light, 0), self._modulus(light, 1)
        grey = fine.view(len(fine), -1, _DIRECTIONS, *fine.shape[2:]).mean(1)
        again = self._modulus(grey[:, :, ::2, ::2], 1)
        # Light on its scale of old: as much as all four by four pixels together would give.
        parts = (4.0 * light, fine, coarse, again)
        return torch.cat([adaptive_avg_pool2d(part, self.grid).flatten(1) for part in parts], 1)

    def _modulus(self, planes: Tensor, scale: int) -> Tensor:
        """Return how strong edges of each direction are, (n, planes x directions, h, w)."""
        n, count, height, width = planes.shape
        filters = getattr(self, f"filters_{scale}")
        each = planes.reshape(n * count, 1, height, width)
        # Coarse edges do not change within a pixel, and averages are taken anyway.
        answers = conv2d(each, filters, stride=1 + scale, padding=filters.shape[-1] // 2)
        even, odd = answers.view(n, count * _DIRECTIONS, 2, *answers.shape[2:]).unbind(2)
        return (even.square() + odd.square() + 1e-6).sqrt()


def _cosines(size: int) -> Tensor:
    """Return the orthonormal discrete cosine transform of `size` numbers."""
    place, frequency = torch.arange(size), torch.arange(size)[:, None]
    matrix = torch.cos(math.pi * (2 * place + 1) * frequency / (2 * size))
    matrix *= math.sqrt(2.0 / size)
    matrix[0] /= math.sqrt(2.0)
    return matrix


def _lowest(height: int, width: int, count: int) -> list[tuple[int, int]]:
    """Return the `count` lowest pairs of frequencies."""
    every = [(row, column) for row in range(height) for column in range(width)]
    return sorted(every, key=lambda pair: (sum(pair), max(pair), pair))[:count]


def _filters(scale: float, size: int) -> Tensor:
    """Return even and odd oriented filters, (directions x 2, 1, size, size)."""
    reach = torch.arange(size) - size // 2
    down, across = torch.meshgrid(reach, reach, indexing="ij")
    window = torch.exp(-(down**2 + across**2) / (2 * (1.2 * scale) ** 2))
    found = []
    for number in range(_DIRECTIONS):
        angle = math.pi * number / _DIRECTIONS
        phase = (across * math.cos(angle) + down * math.sin(angle)) * (0.6 * math.pi / scale)
        even, odd = window * torch.cos(phase), window * torch.sin(phase)
        # Even light all over gives no answer.
        even = even - window * (even.sum() / window.sum())
        found += [even / even.norm(), odd / odd.norm()]
    return torch.stack(found)[:, None]


def _directions(size: int, count: int, widths: tuple[float, ...], rng: torch.Generator) -> Tensor:
    """Return random directions, (size, count), for waves of several widths."""
    parts = torch.randn(size, count, generator=rng).tensor_split(len(widths), dim=1)
    return torch.cat([part / width for part, width in zip(parts, widths, strict=True)], dim=1)


def _fourier(vectors: Tensor, directions: Tensor) -> Tensor:
    """Return cosines and sines of vectors along directions: length 1."""
    phases = vectors @ directions
    return torch.cat([phases.cos(), phases.sin()], dim=1) / math.sqrt(directions.shape[1])


def _unit(vectors: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return vectors / lengths.clamp_min(1e-6)
