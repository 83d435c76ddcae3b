"""From a trained generator to images, in blocks that are a function of the seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.core.random import generator as numpy_generator
from synthgen.core.random import isolated_torch_rng, torch_generator
from synthgen.data.image_labels import LabelSpec
from synthgen.errors import InvalidParameterError
from synthgen.nn.image.critic import ImageCritic
from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.style import StyleGenerator
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.images import critic_of, draw_codes, generator_of, one_hot

#: Images that are generated together; a block is a function of the seed and its number.
BLOCK: Final = 128
#: Candidates per image if some are rejected.
_CANDIDATES: Final = 4
#: Objectives whose critic's scores say, up to a constant, how much likelier an image is real.
_LOG_RATIOS: Final = ("non_saturating", "relativistic", "hinge", "f_js")

#: Says how good images (n, channels, height, width) with label places (n, attributes) are.
Judge = Callable[[Tensor, np.ndarray | None], Tensor]


@dataclass(frozen=True)
class Wish:
    """What images are wanted.

    Parameters
    ----------
    n : int
    seed : int
    codes : numpy.ndarray of int64, shape (n, attributes), or None
        Places of labels; None draws them as frequent as in the training data.
    truncation : float or None
        Largest absolute value of z; or, for style-based generators, how far w may go from its
        mean, as a factor.
    sigma : float
        Factor of z.
    judge : callable or None
        Chooses among candidates.
    factors : numpy.ndarray of float32, shape (n, codes), or None
        InfoGAN's codes; None draws them.
    """

    n: int
    seed: int
    codes: np.ndarray | None = None
    truncation: float | None = None
    sigma: float = 1.0
    judge: Judge | None = None
    factors: np.ndarray | None = None


@dataclass
class ImageSampler:
    """Draws images.

    Parameters
    ----------
    generator : torch.nn.Module
        In evaluation mode.
    critic : ImageCritic
    recipe : ImageRecipe
    labels : LabelSpec or None
        Of a conditional model.
    device : torch.device
    has_critic : bool
        Whether the critic was trained and kept; one that was not is there for its shape only.
    """

    generator: Any
    critic: ImageCritic
    recipe: ImageRecipe
    labels: LabelSpec | None
    device: torch.device
    has_critic: bool = True

    @classmethod
    def from_weights(
        cls,
        weights: dict[str, dict[str, Tensor]],
        recipe: ImageRecipe,
        geometry: Geometry,
        labels: LabelSpec | None,
        device: torch.device,
    ) -> ImageSampler:
        """Rebuild a sampler from the weights of its networks, by name; there may be no critic.

        Raises
        ------
        KeyError or ValueError
            If they do not fit the recipe.
        """
        sizes = () if labels is None else labels.sizes
        with isolated_torch_rng(0, "weights"):
            networks: dict[str, Any] = {
                "generator": generator_of(recipe, geometry, sizes),
                "critic": critic_of(recipe, geometry, sizes),
            }
        has_critic = bool(weights.get("critic"))
        for name, module in networks.items():
            try:
                if name == "generator" or has_critic:
                    module.load_state_dict(weights[name])
            except RuntimeError as error:
                raise ValueError(f"the weights do not fit the {name}: {error}") from error
            module.to(device).requires_grad_(False).eval()
        return cls(networks["generator"], networks["critic"], recipe, labels, device, has_critic)

    def weights(self) -> dict[str, dict[str, Tensor]]:
        """Return what :meth:`from_weights` takes."""
        found = {"generator": self.generator.state_dict()}
        return found | {"critic": self.critic.state_dict()} if self.has_critic else found

    @property
    def trained_critic(self) -> ImageCritic:
        """The critic.

        Raises
        ------
        InvalidParameterError
            If there is none: it was not saved, or the generator was trained without.
        """
        if not self.has_critic:
            raise InvalidParameterError(
                f"The model {self.recipe.name!r} has no critic: it was saved without, or trained "
                "on a private release alone. Use the model that was fitted, or a classifier."
            )
        return self.critic

    def __reduce__(self) -> tuple[Any, ...]:
        # Modules with spectral norm can be copied by their weights only.
        arguments = (self.weights(), self.recipe, self.critic.geometry, self.labels, self.device)
        return ImageSampler.from_weights, arguments

    def draw(self, wish: Wish) -> tuple[np.ndarray, np.ndarray | None]:
        """Return images in [-1, 1], (n, channels, height, width), and places of their labels."""
        images: list[np.ndarray] = []
        codes: list[np.ndarray] = []
        for number in range(-(-wish.n // BLOCK)):
            count = min(BLOCK, wish.n - number * BLOCK)
            block, block_codes = self._block(wish, number)
            images.append(block[:count].cpu().numpy())
            if block_codes is not None:
                codes.append(block_codes[:count])
        if not images:
            return np.empty((0, *self.critic.shape), dtype=np.float32), self._no_codes()
        return np.concatenate(images), np.concatenate(codes) if codes else None

    def generate(
        self,
        z: Tensor,
        condition: Tensor | None,
        rng: torch.Generator | None = None,
        psi: float | None = None,
    ) -> Tensor:
        """Return images of latent vectors."""
        with torch.inference_mode():
            if psi is not None and isinstance(self.generator, StyleGenerator):
                w = self.generator.map(z, condition, psi)
                styles = w[:, None].expand(-1, self.generator.n_layers, -1)
                return self.generator.synthesise(styles, rng)
            images: Tensor = self.generator(z, condition, rng)
        return images

    def condition(
        self, codes: np.ndarray | None, factors: np.ndarray | Tensor | None
    ) -> Tensor | None:
        """Return condition vectors: labels, then InfoGAN's codes."""
        parts = []
        if self.labels is not None and codes is not None:
            parts.append(one_hot(torch.as_tensor(codes), self.labels.sizes))
        if factors is not None:
            parts.append(torch.as_tensor(factors))
        return torch.cat(parts, dim=1).to(self.device) if parts else None

    def judge_by_critic(self) -> Judge:
        """Return a judge that takes the critic's word.

        Raises
        ------
        InvalidParameterError
            If the critic's scores do not say what is likely.
        """
        if self.recipe.objective not in _LOG_RATIOS:
            raise InvalidParameterError(
                f"reject='critic' needs a critic whose scores are log-ratios; that of the "
                f"objective {self.recipe.objective!r} is not. Pass a classifier instead."
            )

        def judge(images: Tensor, codes: np.ndarray | None) -> Tensor:
            return self.scores(images, codes)

        return judge

    def scores(self, images: Tensor, codes: np.ndarray | None) -> Tensor:
        """Return the critic's scores of images in [-1, 1].

        Raises
        ------
        InvalidParameterError
            If there is no critic.
        """
        critic = self.trained_critic
        condition = self.condition(codes, None)
        records = images.to(self.device).flatten(1)
        if condition is not None:
            records = torch.cat([records, condition], dim=1)
        with torch.inference_mode():
            scores: Tensor = critic(records)
        return scores

    def _no_codes(self) -> np.ndarray | None:
        if self.labels is None:
            return None
        return np.empty((0, len(self.labels.sizes)), dtype=np.int64)

    def _block(self, wish: Wish, number: int) -> tuple[Tensor, np.ndarray | None]:
        """Return one whole block; a last one that is not full is cut by the caller."""
        rng = torch_generator(wish.seed, "sample", number, device=self.device)
        pick = numpy_generator(wish.seed, "conditions", number)
        codes = None
        if self.labels is not None:
            codes = self.labels.draw(BLOCK, pick)
            if wish.codes is not None:
                codes = _slice(wish.codes, number)
        factors = None
        if sum(self.recipe.codes):
            factors = draw_codes(BLOCK, self.recipe.codes, pick).numpy()
            if wish.factors is not None:
                factors = _slice(wish.factors, number)
        condition = self.condition(codes, factors)
        if wish.judge is None:
            return self._images(wish, condition, rng), codes
        tries = [self._images(wish, condition, rng) for _ in range(_CANDIDATES)]
        worth = torch.stack([wish.judge(images, codes) for images in tries])
        # Resampling by the worth as a log-ratio: the Gumbel trick draws one candidate per place.
        uniform = torch.rand(worth.shape, generator=rng, device=self.device).clamp(1e-9, 1 - 1e-7)
        best = (worth.to(self.device) - (-uniform.log()).log()).argmax(0)
        stacked = torch.stack(tries)
        return stacked[best, torch.arange(BLOCK, device=self.device)], codes

    def _images(self, wish: Wish, condition: Tensor | None, rng: torch.Generator) -> Tensor:
        z = torch.randn(BLOCK, self.recipe.latent, generator=rng, device=self.device)
        psi = None
        if wish.truncation is not None:
            if isinstance(self.generator, StyleGenerator):
                psi = wish.truncation
            else:
                z = truncate(z, wish.truncation)
        return self.generate(z * wish.sigma, condition, rng, psi)


def truncate(z: Tensor, limit: float) -> Tensor:
    """Turn normal numbers into such of a normal cut off at +-limit, keeping their order.

    Examples
    --------
    >>> truncate(torch.tensor([0.0, 8.0]), 1.0)
    tensor([0., 1.])
    """
    mass = math.erf(limit / math.sqrt(2.0))
    share = torch.erf(z.double().cpu() / math.sqrt(2.0)) * mass
    return (torch.erfinv(share) * math.sqrt(2.0)).clamp(-limit, limit).to(z)


def settle_norms(module: nn.Module, make: Callable[[int], object], batches: int = 8) -> None:
    """Replace running statistics of batch normalisation by those of this very network.

    Averaged weights have other statistics than those that the training network collected.

    Parameters
    ----------
    module : torch.nn.Module
    make : callable
        Runs the network on the batch of a number.
    batches : int
    """
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    if not norms:
        return
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over batches
        norm.train()
    with torch.no_grad():
        for number in range(batches):
            make(number)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
        norm.eval()


def _slice(wanted: np.ndarray, number: int) -> np.ndarray:
    """Return the part of a block; a last one that is not full is filled up with its last row."""
    part = wanted[number * BLOCK : (number + 1) * BLOCK]
    missing = BLOCK - len(part)
    return np.concatenate([part, np.repeat(part[-1:], missing, axis=0)]) if missing else part
