"""Images spoilt on purpose, to see which methods notice.

Li et al., "CutPaste: Self-Supervised Learning for Anomaly Detection and Localization", CVPR 2021,
arXiv:2104.04015; Golan and El-Yaniv, "Deep Anomaly Detection Using Geometric Transformations",
NeurIPS 2018, arXiv:1805.10917.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.core.params import check_choice, check_integer
from synthgen.core.random import generator, root_seed

Images = NDArray[np.float32]

#: Kinds of spoilt images.
IMAGE_KINDS: Final = ("cut_paste", "noise", "halves", "turned")


def planted_images(images: Images, kind: str, n: int, *, random_state: Any = None) -> Images:
    """Return `n` anomalous images made from real ones.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (m, channels, height, width)
    kind : {"cut_paste", "noise", "halves", "turned"}
        A patch put elsewhere; a patch of noise; the left half of one image beside the right half
        of another that is upside down; the whole image upside down.
    n : int
    random_state : None, int, numpy RandomState or Generator

    Examples
    --------
    >>> images = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    >>> bool((planted_images(images, "turned", 1, random_state=0) == images).all())
    False
    """
    check_choice("kind", kind, IMAGE_KINDS)
    n = check_integer("n", n, minimum=1)
    rng = generator(root_seed(random_state), "plant", 8, IMAGE_KINDS.index(kind))
    spoilt = images[rng.integers(len(images), size=n)].copy()
    height, width = images.shape[2:]
    if kind == "turned":
        return np.ascontiguousarray(spoilt[:, :, ::-1])
    if kind == "halves":
        other = images[rng.integers(len(images), size=n)]
        spoilt[:, :, :, width // 2 :] = other[:, :, ::-1, width // 2 :]
        return spoilt
    tall, wide = max(height // 3, 2), max(width // 3, 2)
    tops = rng.integers(height - tall + 1, size=(n, 2))
    lefts = rng.integers(width - wide + 1, size=(n, 2))
    for image, (top, source), (left, origin) in zip(spoilt, tops, lefts, strict=True):
        patch = image[:, source : source + tall, origin : origin + wide].copy()
        if kind == "noise":
            patch = rng.uniform(-1.0, 1.0, patch.shape).astype(np.float32)
        image[:, top : top + tall, left : left + wide] = patch
    return spoilt
