"""How many steps fit into seconds of processor time, which other programs cannot take away."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from synthgen.core.random import isolated_torch_rng
from synthgen.models.image_monitor import ImageMonitor
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.images import ImageTask, one_hot, uses_labels
from synthgen.train.trainer import Budget, Trainer

#: Looks of the monitor in one fit.
LOOKS = 20
_WARM_UP = 3
_LEAST_SECONDS = 2.0


@dataclass(frozen=True)
class Pace:
    """What a recipe costs.

    Parameters
    ----------
    step_seconds, look_seconds : float
        Processor time of one generator step, critic steps included, and of one look of the monitor.
    """

    step_seconds: float
    look_seconds: float

    def steps(self, seconds: float) -> int:
        """Return how many steps fit, at least one for each look.

        >>> Pace(step_seconds=0.1, look_seconds=0.5).steps(20.0)
        100
        """
        left = seconds - LOOKS * self.look_seconds
        return max(int(left / self.step_seconds), LOOKS)


def measure(images: np.ndarray, codes: np.ndarray, recipe: ImageRecipe, *, bfloat16: bool) -> Pace:
    """Return the pace of a recipe on images (n, channels, height, width) with one label each."""
    device, sizes = torch.device("cpu"), (int(codes.max()) + 1,)
    used = codes[:, None] if uses_labels(recipe) else None
    with isolated_torch_rng(0, "weights"):
        task = ImageTask(
            images, used, sizes if used is not None else (), recipe, device=device,
            bfloat16=bfloat16,
        )  # fmt: skip
    trainer = Trainer(task, recipe, Budget(recipe.steps), seed=0)
    for number in range(_WARM_UP):
        trainer.game.step(number, adversarial=True)
    start, number = time.process_time(), 0
    while time.process_time() - start < _LEAST_SECONDS:
        trainer.game.step(_WARM_UP + number, adversarial=True)
        trainer.average.update(task.generator, number)
        number += 1
    step_seconds = (time.process_time() - start) / number
    labels = one_hot(torch.as_tensor(used), sizes) if used is not None else None
    monitor = ImageMonitor(images, labels, recipe, 0, device)
    start = time.process_time()
    monitor(trainer.average.module)
    return Pace(step_seconds, time.process_time() - start)
