"""LOGAN on images: a classifier of synthetic against real ones, and the model's own critic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from synthgen.core.random import generator
from synthgen.measure.checks import check_numbers
from synthgen.measure.columns import cut_rows
from synthgen.measure.trees import fit_trees
from synthgen.privacy.attacks.images_space import ImageArena
from synthgen.privacy.attacks.judge import judge
from synthgen.privacy.attacks.result import AttackResult


def image_logan_black_box(arena: ImageArena, *, n_estimators: int = 100) -> AttackResult:
    """Score images by how synthetic they look to boosted trees on the features.

    Parameters
    ----------
    arena : ImageArena
    n_estimators : int, default=100

    References
    ----------
    Hayes, Melis, Danezis & De Cristofaro (2019), LOGAN, PoPETs 2019(1), arXiv:1705.07663.
    """
    size = min(len(arena.synthetic), len(arena.reference))
    # Equally many of both, at random: images often come class by class.
    rng = generator(arena.seed, "attack", 44)
    sides = [
        own.numbers[cut_rows(np.arange(len(own)), size, rng)]
        for own in (arena.synthetic, arena.reference)
    ]
    model = fit_trees(
        np.concatenate(sides),
        np.repeat([1, 0], size),
        objective="binary",
        n_estimators=n_estimators,
        seed=arena.seed,
    )
    scores = model.predict(arena.targets.numbers, raw_score=True, num_threads=1)
    return judge(
        "image classifier",
        "synthetic images and other real images",
        {"trees": np.asarray(scores, dtype=np.float64)},
        arena.population,
        n_synthetic=size,
        n_reference=size,
    )


def image_logan_white_box(arena: ImageArena, critic: Callable[[Any], Any]) -> AttackResult:
    """Score images by the critic that the generator was trained with.

    Parameters
    ----------
    arena : ImageArena
    critic : callable
        Takes images and returns a score each, higher for training images; for instance
        ``synth.score_samples`` of an :class:`~synthgen.ImageGANSynthesizer` without labels. With
        labels: ``lambda images: synth.score_samples(images, labels)``, where labels are those of
        ``arena.places``.

    References
    ----------
    Hayes, Melis, Danezis & De Cristofaro (2019), LOGAN, PoPETs 2019(1), arXiv:1705.07663.
    """
    n = len(arena.pictures)
    expected = f"critic must give one number for each of {n} images"
    scores = check_numbers(critic(arena.pictures), n, expected)
    return judge(
        "image critic",
        "the critic of the model",
        {"critic": scores},
        arena.population,
        n_synthetic=len(arena.synthetic),
        n_reference=len(arena.reference),
    )
