"""Training on released mean features of images, alone or beside a private critic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from synthgen.dp.embedding import Batch, Embedding
from synthgen.nn.image.public_features import PublicFeatures
from synthgen.train.base_recipe import same_adam
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.images import ImageTask
from synthgen.train.table import Fake
from synthgen.train.terms import Generated, TermSpec

#: What ``preset="auto"`` stands for with ``DPEmbedding``.
EMBEDDING_RECIPE: Final = ImageRecipe(
    name="dp-embedding",
    objective="non_saturating",
    terms=(TermSpec("embedding"),),
    warmup=1.0,
    condition="concat",
    batch_size=256,
    steps=3_000,
    **same_adam(1e-3, (0.5, 0.99)),
    decay_from=0.5,
)
#: The same with ``DPSGD``, after training on the release alone: the critic, noisy as it is, moves
#: the generator a little. Steps and batches are those of the privacy parameters.
SGD_IMAGE_RECIPE: Final = EMBEDDING_RECIPE.replace(
    name="dp-sgd",
    warmup=0.0,
    generator_rate=2e-4,
    critic_rate=5e-4,
    critic_betas=(0.5, 0.999),
    terms=(TermSpec("embedding", {"weight": 100.0}),),
)
_CHUNK: Final = 500


class EmbeddedImages(ImageTask):
    """Images whose mean features are released, and which nothing but a private critic looks at.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (n, channels, height, width)
        Without images there is only the generator to train.
    codes : numpy.ndarray of int64, shape (n, 1), or None
    label_sizes : tuple of int
    recipe : ImageRecipe
    device : torch.device
    released : Embedding
    features : PublicFeatures
        What was released the means of.
    """

    def __init__(
        self,
        images: np.ndarray,
        codes: np.ndarray | None,
        label_sizes: tuple[int, ...],
        recipe: ImageRecipe,
        *,
        device: torch.device,
        released: Embedding,
        features: PublicFeatures,
    ) -> None:
        super().__init__(images, codes, label_sizes, recipe, device=device)
        # Gradients of single records come with the axes in this order.
        for parameter in self.critic.parameters():
            parameter.data = parameter.data.contiguous()
        self.n_private = len(images)
        # Batches of what is only generated are numbered like rows, of which there may be fewer.
        self.n_rows = max(len(images), recipe.batch_size)
        self._features = features
        self._shares = torch.as_tensor(released.shares, dtype=torch.float32, device=device)
        # Means of small classes are noisier, and weigh less.
        weights = released.counts / max(float(released.counts.max()), 1.0)
        self.targets = {
            "embedding": torch.as_tensor(released.means, dtype=torch.float32, device=device),
            "embedding_weights": torch.as_tensor(weights, dtype=torch.float32, device=device),
        }

    def conditions(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[Any, Tensor]:
        """Return nothing to go by: classes of generated images are drawn with them."""
        del rng
        return None, torch.as_tensor(rows, device=self.device)

    def real(self, rows: Tensor, draw: Tensor | None) -> Tensor:
        """Return real records with their own labels."""
        del draw
        return super().real(rows, None if self._labels is None else self._labels[rows])

    def fake(
        self, n: int, draw: Tensor | None, rng: torch.Generator, *, adversarial: bool = True
    ) -> Fake:
        """Generate `n` records of classes as frequent as was released."""
        del draw
        classes = self._classes(n, rng, evenly=not adversarial)
        hot = None
        if self.label_sizes:
            hot = torch.nn.functional.one_hot(classes, self.label_sizes[0]).float()
        made = super().fake(n, hot, rng)
        if not torch.is_grad_enabled():
            return made
        images = made.records[:, : self.geometry.n_pixels].reshape(n, *self.critic.shape)
        return Fake(made.records, Generated(vectors=self._features(images), classes=classes))

    def _classes(self, n: int, rng: torch.Generator, *, evenly: bool) -> Tensor:
        """Draw classes by their shares, or deal them out so that each is in both halves."""
        if not evenly:
            return torch.multinomial(self._shares, n, replacement=True, generator=rng)
        count = len(self._shares)
        start = torch.randint(count, (1,), generator=rng, device=self.device)
        return (torch.arange(n, device=self.device) // 2 + start) % count


def feature_batches(
    images: np.ndarray, codes: np.ndarray, features: PublicFeatures, device: torch.device
) -> Iterator[Batch]:
    """Yield the features of images and the places of their classes, some at a time."""
    for start in range(0, len(images), _CHUNK):
        part = slice(start, start + _CHUNK)
        with torch.no_grad():
            vectors = features(torch.as_tensor(images[part]).to(device))
        yield vectors.double().cpu().numpy(), codes[part]
