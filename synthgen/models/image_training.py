"""From images and a recipe to a trained sampler: what ``fit`` and ``fine_tune`` have in common."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import torch

from synthgen.core.documents import plain_json
from synthgen.core.progress import ProgressBar
from synthgen.core.random import isolated_torch_rng
from synthgen.data.images import ImageData
from synthgen.models.image_announcer import Announcer
from synthgen.models.image_grid import Shown
from synthgen.models.image_memory import check_image_memory
from synthgen.models.image_monitor import ImageMonitor
from synthgen.models.image_transform import Transform, TransformedTask, transform_name
from synthgen.models.image_tuning import check_labels, copy_weights, freeze, going_on
from synthgen.sample.images import ImageSampler
from synthgen.train.checkpoint import Checkpoint
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.images import ImageTask, one_hot
from synthgen.train.trainer import Budget, Trainer, TrainResult

logger = logging.getLogger(__name__)

#: How often the monitor looks; training is not cut short by it.
_CHECKS: Final = 20


@dataclass(frozen=True)
class Plan:
    """How to train.

    Parameters
    ----------
    recipe : ImageRecipe
    seed : int
    device : torch.device
    bfloat16 : bool
        Whether convolutions run in that precision.
    minutes : float
        Most minutes that training takes.
    verbose : bool
        Whether to show a progress bar.
    transform : callable or None
        Changes real images on the fly.
    checkpoint_dir : str or None
        Where to keep the state of training.
    strategy : str
        What of a previous model is trained, see :mod:`synthgen.models.image_tuning`.
    freeze_share : float
        Share of the critic's layers that "freeze_d" keeps.
    grid_path : str or None
        Where to keep a picture of the newest images.
    """

    recipe: ImageRecipe
    seed: int
    device: torch.device
    bfloat16: bool = False
    minutes: float = 10.0
    verbose: bool = False
    transform: Any = None
    checkpoint_dir: str | Path | None = None
    strategy: str = "full"
    freeze_share: float = 0.5
    grid_path: str | Path | None = None


@dataclass(frozen=True)
class Trained:
    """What training leaves behind.

    Parameters
    ----------
    sampler : ImageSampler
    history : pandas.DataFrame
        One row per check.
    grids : numpy.ndarray of shape (checks, images, ...)
        Images of the same latent vectors at each check, in the layout of the training images.
    steps, best_step : int
    stopped_by : str
    """

    sampler: ImageSampler
    history: pd.DataFrame
    grids: np.ndarray
    steps: int
    best_step: int
    stopped_by: str


def train_images(data: ImageData, plan: Plan, previous: ImageSampler | None = None) -> Trained:
    """Train a recipe on images.

    Parameters
    ----------
    data : ImageData
    plan : Plan
    previous : ImageSampler, optional
        A model to start from.

    Raises
    ------
    ResourceError
        If the memory will not do.
    TrainingError
        If the loss stays undefined.
    """
    if previous is not None:
        check_labels(previous, data)
        plan = replace(plan, seed=going_on(plan.seed, previous))
    recipe = plan.recipe
    check_image_memory(data, recipe)
    with isolated_torch_rng(plan.seed, "weights"):
        task = _task(data, plan)
    if previous is not None:
        copy_weights(previous, task)
    freeze(task, plan.strategy, plan.freeze_share)
    logger.info(
        "Training %r on %d images of %s for %g minutes or %d steps of %d images.",
        recipe.name,
        len(data),
        data.spec.shape,
        plan.minutes,
        recipe.steps,
        recipe.batch_size,
    )
    return _run(task, data, plan)


def _task(data: ImageData, plan: Plan) -> ImageTask:
    sizes = () if data.labels is None else data.labels.sizes
    kind = ImageTask if plan.transform is None else TransformedTask
    task = kind(
        data.images, data.codes, sizes, plan.recipe, device=plan.device, bfloat16=plan.bfloat16
    )
    if isinstance(task, TransformedTask):
        task.transform = Transform(plan.transform, data.spec)
        # What the callable cannot do is found before the first step.
        task.transform(data.images[:1], plan.seed)
    return task


def _run(task: ImageTask, data: ImageData, plan: Plan) -> Trained:
    labels = None
    if data.labels is not None and data.codes is not None:
        labels = one_hot(torch.as_tensor(data.codes), data.labels.sizes)
    recipe = plan.recipe
    shown = Shown(plan.grid_path)
    monitor = ImageMonitor(data.images, labels, recipe, plan.seed, task.device, shown)
    budget = Budget(recipe.steps, 60.0 * plan.minutes, checks=_CHECKS, patience=_CHECKS)
    with ProgressBar("fit", enabled=plan.verbose) as bar:
        result = Trainer(
            task,
            recipe,
            budget,
            seed=plan.seed,
            monitor=monitor,
            listener=Announcer(bar.update, recipe.steps, plan.minutes),
            checkpoint=_checkpoint(data, plan),
        ).run()
    return trained_of(task, data, plan, result, monitor.shown.images)


def trained_of(
    task: ImageTask, data: ImageData, plan: Plan, result: TrainResult, shown: list[np.ndarray]
) -> Trained:
    """Return what a finished training leaves behind; `shown` are small samples of its looks."""
    critic: Any = task.critic.requires_grad_(False).eval()
    sampler = ImageSampler(
        result.generator,
        critic.in_full_precision(),
        plan.recipe,
        data.labels,
        task.device,
        # Where the whole training is a warm-up, nobody trained it.
        has_critic=plan.recipe.warmup < 1.0,
    )
    shown = shown or [np.empty((0, *data.spec.shape), dtype=np.float32)]
    return Trained(
        sampler,
        result.history.to_frame(),
        np.stack([data.spec.restore(images) for images in shown]),
        result.steps,
        result.best_step,
        result.stopped_by,
    )


def _checkpoint(data: ImageData, plan: Plan) -> Checkpoint | None:
    if plan.checkpoint_dir is None:
        return None
    digest = hashlib.sha256(data.images.tobytes())
    if data.codes is not None:
        digest.update(data.codes.tobytes())
    fingerprint = {
        "recipe": plan.recipe.to_json(),
        "seed": plan.seed,
        "data": digest.hexdigest(),
    }
    if plan.transform is not None:
        fingerprint["transform"] = transform_name(plan.transform)
    return Checkpoint(Path(plan.checkpoint_dir), plain_json(fingerprint))
