"""Images inside records: a record is one row of numbers, its pixels first, its condition after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def pixel_count(critic: Any, records: Tensor) -> int:
    """Return how many leading columns of the records are data; the others are the condition."""
    return int(getattr(critic, "n_pixels", records.shape[1]))


def map_images(critic: Any, records: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a function of images (n, channels, height, width) to the pixels of records."""
    count = critic.n_pixels
    images = function(records[:, :count].reshape(-1, *critic.shape))
    return torch.cat([images.flatten(1), records[:, count:]], dim=1)
