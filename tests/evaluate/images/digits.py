"""Small images to measure: scikit-learn's digits, and spoiled ones."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from synthgen.evaluate.images.pictures import Images


@cache
def digits() -> tuple[Images, NDArray[np.int64]]:
    """Return 1,797 digits (n, 1, 8, 8) in [0, 1], shuffled, and their classes."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    images = (data.images[order] / 16).astype(np.float32)[:, None]
    return images, data.target[order].astype(np.int64)


def halves() -> tuple[Images, Images]:
    """Return two halves of the digits."""
    images, _ = digits()
    return images[:900], images[900:]


def noisy(images: Images, spread: float, seed: int = 0) -> Images:
    """Return images with noise."""
    noise = np.random.default_rng(seed).normal(0, spread, images.shape)
    return np.clip(images + noise, 0, 1).astype(np.float32)
