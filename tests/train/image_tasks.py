"""Digits to train on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits

from synthgen.data.images import ImageData, read_images
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.images import ImageTask
from synthgen.train.trainer import Budget, Trainer

SMALL = ImageRecipe(
    name="small",
    objective="hinge",
    latent=8,
    width=8,
    critic_width=8,
    batch_size=16,
    steps=6,
    spectral="critic",
    ema=0.9,
)


def digits(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    return images[:n].reshape(-1, 8, 8), labels[:n]


def digit_data(n: int = 400) -> ImageData:
    return read_images(*digits(n))


def image_task(recipe: ImageRecipe = SMALL) -> ImageTask:
    data = digit_data()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return ImageTask(data.images, data.codes, (10,), recipe, device=torch.device("cpu"))


def image_trainer(recipe: ImageRecipe = SMALL, **options: Any) -> Trainer:
    task = options.pop("task", None) or image_task(recipe)
    budget = options.pop("budget", Budget(steps=recipe.steps))
    return Trainer(task, recipe, budget, seed=0, **options)
