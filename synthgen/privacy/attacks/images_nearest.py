"""Memorised images: members that have a synthetic image nearer than chance explains."""

from __future__ import annotations

from typing import Final

import numpy as np

from synthgen.privacy.attacks.images_space import ImageArena
from synthgen.privacy.attacks.judge import judge
from synthgen.privacy.attacks.neighbours import nearest
from synthgen.privacy.attacks.result import AttackResult

_TINY: Final = 1e-9


def image_nearest(arena: ImageArena) -> AttackResult:
    """Score images by the distance to the nearest synthetic image, plain and calibrated.

    Parameters
    ----------
    arena : ImageArena
        From :func:`~synthgen.privacy.attacks.images_space.arena_of_images`.

    Returns
    -------
    AttackResult
        ``details["copy_share"]`` is the share of members that are three times nearer to a synthetic
        image than to any reference image, ``details["copy_share_holdout"]`` that of holdout images.

    References
    ----------
    Carlini et al. (2023), Extracting training data from diffusion models, arXiv:2301.13188: copies
    by relative distance; Chen et al. (2020), GAN-Leaks, arXiv:1909.03935: calibration.
    """
    made = nearest(arena.targets, arena.synthetic, 1).distances[:, 0]
    real = nearest(arena.targets, arena.reference, 1).distances[:, 0]
    copied = 3 * made < real
    member = arena.population.member
    return judge(
        "image nearest",
        "synthetic images and other real images",
        {"nearest": -made, "ratio": np.log((real + _TINY) / (made + _TINY))},
        arena.population,
        n_synthetic=len(arena.synthetic),
        n_reference=len(arena.reference),
        details={
            "copy_share": float(copied[member].mean()),
            "copy_share_holdout": float(copied[~member].mean()),
        },
    )
