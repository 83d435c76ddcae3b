"""Looks at a generator of images during training: how far its images are from real ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.core.random import generator as numpy_generator
from synthgen.core.random import isolated_torch_rng, torch_generator
from synthgen.models.image_grid import Shown
from synthgen.sample.images import settle_norms
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.images import draw_codes

#: Most real images per look, fewest generated ones, images per batch, and images kept to be looked
#: at. However few real images there are, of generated ones there are enough to tell states apart.
_MOST: Final = 2_000
_LEAST_MADE: Final = 1_000
_BATCH: Final = 100
_SHOWN: Final = 16
#: Principal components of pixels, and random filters, that the distance is taken in.
_COMPONENTS: Final = 40
_FILTERS: Final = 40


@dataclass
class ImageMonitor:
    """Frechet distance in cheap features: principal components, random filters and labels.

    It ranks states of one run; it is no measure to compare models by.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (n, channels, height, width)
    labels : Tensor of shape (n, condition), or None
        One-hot labels of the images, for conditional recipes.
    recipe : ImageRecipe
    seed : int
    device : torch.device
    shown : Shown
        Takes a small sample from the same latent vectors at every look.
    """

    images: np.ndarray
    labels: Tensor | None
    recipe: ImageRecipe
    seed: int
    device: torch.device
    shown: Shown = field(default_factory=Shown)

    def __post_init__(self) -> None:
        rng = numpy_generator(self.seed, "monitor")
        size = min(len(self.images), _MOST)
        self._rows = rng.choice(len(self.images), size=size, replace=False)
        self._made = np.resize(self._rows, max(size, _LEAST_MADE))
        real = torch.as_tensor(self.images[self._rows]).to(self.device)
        self._features = _Features(real, self.seed)
        self._real = self._moments(self._features(real), self._labels(self._rows))
        self._spread = float(real.std(0).mean())

    def _labels(self, rows: np.ndarray) -> Tensor | None:
        return None if self.labels is None else self.labels[rows].to(self.device)

    def __call__(self, generator: nn.Module) -> dict[str, float]:
        """Return the distance (score, best lowest) and the diversity (real images have 1).

        Running statistics of batch normalisation are settled for the network on the way.
        """
        settle_norms(generator, lambda number: self._make(generator, number))
        count = math.ceil(len(self._made) / _BATCH)
        with torch.inference_mode():
            fake = torch.cat([self._make(generator, k) for k in range(count)])[: len(self._made)]
            moments = self._moments(self._features(fake), self._labels(self._made))
            distance = frechet(self._real, moments)
        self.shown.add(fake[:_SHOWN].cpu().numpy())
        diversity = float(fake.std(0).mean()) / max(self._spread, 1e-9)
        return {"distance": round(distance, 4), "diversity": round(diversity, 3), "score": distance}

    def _make(self, generator: Any, number: int) -> Tensor:
        rng = torch_generator(self.seed, "monitor", 1, number, device=self.device)
        rows = self._made[np.arange(number * _BATCH, (number + 1) * _BATCH) % len(self._made)]
        parts = [] if self.labels is None else [self.labels[rows]]
        if sum(self.recipe.codes):
            pick = numpy_generator(self.seed, "monitor", 2, number)
            parts.append(draw_codes(_BATCH, self.recipe.codes, pick))
        condition = torch.cat(parts, dim=1).to(self.device) if parts else None
        z = torch.randn(_BATCH, self.recipe.latent, generator=rng, device=self.device)
        images: Tensor = generator(z, condition, rng)
        return images

    def _moments(self, features: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        if labels is not None:
            features = torch.cat([features, labels.double() * math.sqrt(labels.shape[1])], dim=1)
        return features.mean(0), torch.cov(features.T)


class _Features:
    """Standardised principal components of pixels, and means of random filters."""

    def __init__(self, real: Tensor, seed: int) -> None:
        small = self._small(real)
        self._mean = small.mean(0)
        rank = min(_COMPONENTS, *small.shape)
        with isolated_torch_rng(0, "monitor"):
            # The seed is fixed: runs with other seeds look through the same features.
            # On the processor, whose random numbers are the ones that are set.
            centred = (small - self._mean).cpu()
            _, scale, basis = torch.pca_lowrank(centred, q=rank, niter=4)
            scale, basis = scale.to(real.device), basis.to(real.device)
            self._filters = nn.Sequential(
                nn.Conv2d(real.shape[1], 24, 5, 2, 2),
                nn.ReLU(),
                nn.Conv2d(24, _FILTERS, 3, 2, 1),
                nn.ReLU(),
            ).to(real.device)
        # One scale for all components: those that hardly vary in real images count little.
        self._basis = basis / (scale[0] / math.sqrt(len(real)) + 1e-9)
        raw = self._raw(real)
        self._centre, self._scale = raw.mean(0), raw.std(0) + 1e-6

    def __call__(self, images: Tensor) -> Tensor:
        """Return features, float64 (n, features)."""
        pixels = (self._small(images) - self._mean) @ self._basis
        filters = (self._raw(images) - self._centre) / self._scale / math.sqrt(_FILTERS)
        return torch.cat([pixels, filters], dim=1).double()

    @staticmethod
    def _small(images: Tensor) -> Tensor:
        sides = (min(images.shape[2], 16), min(images.shape[3], 16))
        return nn.functional.adaptive_avg_pool2d(images, sides).flatten(1)

    def _raw(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat(
                [self._filters(part).mean((2, 3)) for part in torch.split(images, 500)]
            )


def frechet(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> float:
    """Return the Frechet distance of two normal distributions given as mean and covariance."""
    (mean_a, cov_a), (mean_b, cov_b) = first, second
    values, vectors = torch.linalg.eigh(cov_a)
    root = vectors @ (values.clamp(min=0).sqrt()[:, None] * vectors.T)
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    gap = (mean_a - mean_b).square().sum()
    return max(float(gap + cov_a.trace() + cov_b.trace() - 2 * cross), 0.0)
