"""What the monitor of images looks at."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.models.image_monitor import ImageMonitor
from synthgen.train.image_recipe import ImageRecipe

RECIPE = ImageRecipe(name="mine", latent=4)


class Copies(nn.Module):
    """Returns real images of the label that is asked for, chosen by the latent vector."""

    def __init__(self, images: np.ndarray, labels: Tensor) -> None:
        super().__init__()
        self.images, self.labels = torch.as_tensor(images), labels.argmax(dim=1)
        self.asked = torch.empty(0, dtype=torch.int64)

    def forward(self, z: Tensor, condition: Tensor, rng: torch.Generator) -> Tensor:
        wanted = condition.argmax(dim=1)
        self.asked = torch.cat([self.asked, wanted])
        number = (z[:, 0].abs() * 1e4).long()
        chosen = [torch.nonzero(self.labels == k)[:, 0] for k in range(int(wanted.max()) + 1)]
        rows = [
            chosen[int(k)][int(n) % len(chosen[int(k)])]
            for k, n in zip(wanted, number, strict=True)
        ]
        return self.images[torch.stack(rows)]


def looks(size: int, seed: int) -> tuple[dict[str, float], Tensor]:
    rng = np.random.default_rng(0)
    kinds = np.arange(size) % 4 == 0
    images = rng.normal(size=(size, 1, 8, 8)).astype(np.float32) + kinds[:, None, None, None]
    labels = nn.functional.one_hot(torch.as_tensor(kinds.astype(np.int64)), 2).float()
    network = Copies(images, labels)
    monitor = ImageMonitor(images, labels, RECIPE, seed, torch.device("cpu"))
    return monitor(network), network.asked


def test_few_real_images_are_compared_with_many_generated_ones() -> None:
    found, asked = looks(40, 0)
    assert len(asked) == 1_000
    # Labels are asked for as often as real images have them.
    assert float(asked.float().mean()) == 0.25
    # A generator that repeats the real images is near them whatever it happened to draw.
    distances = [looks(40, seed)[0]["distance"] for seed in range(4)]
    assert max(distances) < 0.2
    assert found["diversity"] > 0.9


def test_many_real_images_are_compared_with_as_many() -> None:
    _, asked = looks(2_300, 0)
    assert len(asked) == 2_000
