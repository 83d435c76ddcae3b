"""What a trained critic of images sees: its score, and the features under it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthgen.models.image import ImageGANSynthesizer

_PASS: Final = 128
#: Layers are pooled to this many places in each direction.
_PLACES: Final = 3


def critic_scores(synthesizer: ImageGANSynthesizer, images: NDArray[Any]) -> NDArray[np.float64]:
    """Return the critic's scores of images in [-1, 1], (n,): the higher, the more like real ones.

    Parameters
    ----------
    synthesizer : ImageGANSynthesizer
        Fitted without labels.
    images : numpy.ndarray of float32, shape (n, channels, height, width)
    """
    critic = synthesizer.sampler_.trained_critic
    return _passes(synthesizer, images, lambda x: critic(x)[:, None])[:, 0]


def critic_features(synthesizer: ImageGANSynthesizer, images: NDArray[Any]) -> NDArray[np.float64]:
    """Return the outputs of all convolutions of the critic, pooled to a coarse grid, (n, features).

    Early layers know texture and edges, late ones parts; which of them a defect shows in, nobody
    knows beforehand.

    Parameters
    ----------
    synthesizer : ImageGANSynthesizer
        Fitted without labels.
    images : numpy.ndarray of float32, shape (n, channels, height, width)
    """
    critic: Any = synthesizer.sampler_.trained_critic
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _given: Any, grid: Tensor) -> None:
        height, width = (min(_PLACES, int(side)) for side in grid.shape[2:])
        active = nn.functional.leaky_relu(grid, 0.2)
        pooled = nn.functional.adaptive_avg_pool2d(active, (height, width))
        seen.append(pooled.flatten(1).float())

    layers = [module for module in critic.trunk.modules() if isinstance(module, nn.Conv2d)]
    handles = [layer.register_forward_hook(keep) for layer in layers]

    def look(records: Tensor) -> Tensor:
        seen.clear()
        last: Tensor = critic.features(records)
        return torch.cat([*seen, last], dim=1)

    try:
        return _passes(synthesizer, images, look)
    finally:
        for handle in handles:
            handle.remove()


def _passes(
    synthesizer: ImageGANSynthesizer, images: NDArray[Any], look: Callable[[Tensor], Tensor]
) -> NDArray[np.float64]:
    device = synthesizer.sampler_.device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), _PASS):
            records = torch.as_tensor(images[start : start + _PASS]).to(device).flatten(1)
            # The condition of models with codes: any will do, as long as it is the same for all.
            condition = synthesizer._condition(None, len(records))
            if condition is not None:
                records = torch.cat([records, condition], dim=1)
            parts.append(look(records).double().cpu().numpy())
    return np.concatenate(parts)
