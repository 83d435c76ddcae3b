"""From images back to latent vectors: an encoder trained beside a finished generator and critic.

Schlegl et al., "f-AnoGAN: Fast unsupervised anomaly detection with generative adversarial
networks", Medical Image Analysis 54, 2019, doi:10.1016/j.media.2019.01.010: generator and critic
stay as they are, and the encoder E minimises |x - G(E(x))|^2 / pixels + |f(x) - f(G(E(x)))|^2 /
features, f being the critic's features ("izif"). The encoder plays on the same engine as every
other model: it is the generator of a game in which no critic ever joins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthgen.core.random import isolated_torch_rng
from synthgen.models.image import ImageGANSynthesizer
from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.strided import StridedTrunk
from synthgen.sample.images import ImageSampler
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.table import Fake
from synthgen.train.terms import Generated, TermSpec
from synthgen.train.trainer import Budget, Trainer

_PASS: Final = 128


class Encoder(nn.Module):
    """Images to latent vectors.

    Parameters
    ----------
    geometry : Geometry
    latent : int
    width : int
        Channels of the finest features.
    """

    def __init__(self, geometry: Geometry, *, latent: int, width: int) -> None:
        super().__init__()
        self.trunk = StridedTrunk(geometry, channels=geometry.channels, width=width, norm="none")
        shape = (1, geometry.channels, geometry.height, geometry.width)
        with torch.no_grad():
            size = self.trunk(torch.zeros(shape)).flatten(1).shape[1]
        self.last = nn.Linear(size, latent)
        self.reach = latent**0.5

    def forward(self, images: Tensor) -> Tensor:  # images: (n, channels, height, width)
        """Return latent vectors no longer than those that the generator knows, (n, latent)."""
        z: Tensor = self.last(self.trunk(images).flatten(1))
        length = z.norm(dim=1, keepdim=True).clamp(min=1e-6)
        within: Tensor = z * (self.reach * torch.tanh(length / self.reach) / length)
        return within


@dataclass(frozen=True)
class Reconstruction:
    """How far images are from what encoder and generator make of them.

    Parameters
    ----------
    pixels : numpy.ndarray of shape (n,)
        Mean squared error.
    features : numpy.ndarray of shape (n,)
        Mean squared error of the critic's features, in units of their variance.
    map : numpy.ndarray of float32, shape (n, height, width)
        Absolute error, averaged over channels.
    """

    pixels: NDArray[np.float64]
    features: NDArray[np.float64]
    map: NDArray[np.float32]

    @property
    def total(self) -> NDArray[np.float64]:
        """The anomaly score of f-AnoGAN: both errors, equally weighted, (n,)."""
        return np.asarray(self.pixels + self.features)


class _EncoderTask:
    """What the trainer needs: batches of images, and what becomes of them."""

    def __init__(self, encoder: Encoder, judge: _Judge, images: NDArray[Any]) -> None:
        self.generator, self._judge = encoder, judge
        self.n_rows, self.device = len(images), judge.device
        self._images = torch.as_tensor(images).to(self.device)
        self.targets: dict[str, Tensor] = {}
        # It never joins the game, but every game has one.
        self.critic: nn.Module = nn.Linear(1, 1)

    def conditions(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return the rows of the batch: the image is the condition of its reconstruction."""
        places = torch.as_tensor(rows, device=self.device)
        return places, places

    def real(self, rows: Tensor, draw: Tensor) -> Tensor:
        """Return images as records."""
        return self._images[rows].flatten(1)

    def fake(self, n: int, draw: Tensor, rng: torch.Generator, *, adversarial: bool = True) -> Fake:
        """Reconstruct the batch; the term of the game is how far that misses its condition."""
        images = self._images[draw]
        drawn = self._judge.redrawn(self.generator(images))
        pixels, features = self._judge.errors(images, drawn)
        return Fake(drawn.flatten(1), Generated(condition_loss=pixels + features))


class _Judge:
    """A finished generator and critic, and the errors that they see."""

    def __init__(self, sampler: ImageSampler, images: NDArray[Any]) -> None:
        self.sampler, self.device = sampler, sampler.device
        some = torch.as_tensor(images[:: max(len(images) // 500, 1)]).to(self.device)
        with torch.no_grad():
            self._spread = self._features(some).var(dim=0).mean().clamp(min=1e-6)

    def redrawn(self, z: Tensor) -> Tensor:
        codes = self.sampler.recipe.codes
        factors = np.zeros((len(z), sum(codes)), dtype=np.float32) if sum(codes) else None
        images: Tensor = self.sampler.generator(z, self.sampler.condition(None, factors))
        return images

    def errors(self, images: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean squared errors of pixels and of features, (n,) each."""
        pixels = (images - drawn).square().flatten(1).mean(1)
        features = (self._features(images) - self._features(drawn)).square().mean(1)
        return pixels, features / self._spread

    def _features(self, images: Tensor) -> Tensor:
        records = images.flatten(1)
        codes = self.sampler.recipe.codes
        if sum(codes):
            records = torch.cat([records, records.new_zeros(len(records), sum(codes))], dim=1)
        return self.sampler.trained_critic.features(records)


class ImageEncoder:
    """An encoder beside a fitted synthesizer.

    Parameters
    ----------
    synthesizer : ImageGANSynthesizer
        Fitted without labels.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().images.astype("float32")[:64, None] / 8 - 1
    >>> synth = ImageGANSynthesizer(max_steps=2, random_state=0).fit(X[:, 0])
    >>> ImageEncoder(synth).fit(X, steps=2).reconstruct(X[:3]).map.shape
    (3, 8, 8)
    """

    def __init__(self, synthesizer: ImageGANSynthesizer) -> None:
        self.sampler = synthesizer.sampler_

    def fit(
        self, images: NDArray[Any], *, steps: int = 2_000, seconds: float = 60.0, seed: int = 0
    ) -> ImageEncoder:
        """Train on images in [-1, 1], (n, channels, height, width)."""
        recipe = ImageRecipe(
            name="encoder",
            terms=(TermSpec("condition_match"),),
            warmup=1.0,
            batch_size=min(64, len(images)),
            steps=steps,
            generator_rate=1e-3,
            decay_from=0.5,
            ema=0.99,
        )
        geometry = Geometry(*(int(size) for size in images.shape[1:]))
        self._judge = _Judge(self.sampler, images)
        with isolated_torch_rng(seed, "weights", 1):
            encoder = Encoder(geometry, latent=self.sampler.recipe.latent, width=recipe.width)
        task: Any = _EncoderTask(encoder.to(self.sampler.device), self._judge, images)
        result = Trainer(task, recipe, Budget(steps, seconds), seed=seed).run()
        self.encoder = result.generator.requires_grad_(False).eval()
        return self

    def reconstruct(self, images: NDArray[Any]) -> Reconstruction:
        """Encode, generate and compare."""
        parts = []
        with torch.no_grad():
            for start in range(0, len(images), _PASS):
                own = torch.as_tensor(images[start : start + _PASS]).to(self.sampler.device)
                parts.append((own, self._judge.redrawn(self.encoder(own))))
            return _compared(self._judge, parts)

    def search(
        self, images: NDArray[Any], *, steps: int = 50, rate: float = 0.05
    ) -> Reconstruction:
        """Look for the latent vector of each image by gradient steps from where the encoder says.

        Schlegl et al., "Unsupervised Anomaly Detection with Generative Adversarial Networks to
        Guide Marker Discovery", IPMI 2017, arXiv:1703.05921, who start at random.
        """
        parts = []
        for start in range(0, len(images), _PASS):
            own = torch.as_tensor(images[start : start + _PASS]).to(self.sampler.device)
            with torch.no_grad():
                first = self.encoder(own)
            z = first.clone().requires_grad_()
            optimiser = torch.optim.Adam([z], lr=rate)
            for _ in range(steps):
                loss = torch.stack(self._judge.errors(own, self._judge.redrawn(z))).sum()
                optimiser.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                optimiser.step()
            with torch.no_grad():
                parts.append((own, self._judge.redrawn(z)))
        with torch.no_grad():
            return _compared(self._judge, parts)


def _compared(judge: _Judge, parts: list[tuple[Tensor, Tensor]]) -> Reconstruction:
    pixels, features, maps = [], [], []
    for own, drawn in parts:
        by_pixel, by_feature = judge.errors(own, drawn)
        pixels.append(by_pixel.double().cpu().numpy())
        features.append(by_feature.double().cpu().numpy())
        maps.append((own - drawn).abs().mean(1).cpu().numpy())
    return Reconstruction(np.concatenate(pixels), np.concatenate(features), np.concatenate(maps))
