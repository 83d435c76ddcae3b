"""Private training of a generator of images: mean features first, then a private critic if asked.

Real images are looked at in two places: where mean features are released, and in the clipped
gradients of :mod:`synthgen.train.dp`; each is charged to the ledger first.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.core.progress import ProgressBar
from synthgen.core.random import isolated_torch_rng, torch_generator
from synthgen.data.images import ImageData
from synthgen.dp.budget import DPEmbedding
from synthgen.dp.embedding import Embedding, embedding_sensitivity, release_embedding
from synthgen.dp.events import Event
from synthgen.dp.gaussian import gaussian_mu
from synthgen.dp.ledger import Ledger
from synthgen.dp.noise import NoiseSource
from synthgen.dp.plan import plan_gradients
from synthgen.dp.sgd_budget import DPSGD
from synthgen.dp.shared import SharedLedger
from synthgen.errors import TrainingWarning
from synthgen.models.image_announcer import Announcer
from synthgen.models.image_grid import Shown
from synthgen.models.image_training import Plan, Trained, trained_of
from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.public_features import PublicFeatures
from synthgen.sample.images import settle_norms
from synthgen.train.dp_checks import check_critic
from synthgen.train.dp_images import EMBEDDING_RECIPE, EmbeddedImages, feature_batches
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.images import critic_of
from synthgen.train.trainer import Budget, Trainer, TrainResult

_CHECKS: Final = 10
#: Images of a look at the generator, and of those, how many are kept.
_LOOKED_AT: Final = 500
_SHOWN: Final = 16
#: Features beside a private critic, and the share of the budget for counts.
_WAVES: Final = 1_000
_COUNT_SHARE: Final = 0.02


@dataclass(frozen=True)
class _Spending:
    """What a budget is spent on.

    Parameters
    ----------
    sigma : float
        Noise of the mean features.
    events : list of Event
        Mean features, at least as telling as they are, and private gradients if there are any.
    gradients : Event or None
    """

    sigma: float
    events: list[Event]
    gradients: Event | None


def _spending(privacy: DPEmbedding | DPSGD, n: int) -> _Spending:
    mu = gaussian_mu(privacy.epsilon, privacy.resolved_delta(n))
    if isinstance(privacy, DPSGD):
        mu *= math.sqrt(privacy.one_way_share)
    release = Event("gaussian", "mean features", sensitivity=mu, scale=1.0)
    gradients = plan_gradients(privacy, n, [release]) if isinstance(privacy, DPSGD) else None
    events = [release] if gradients is None else [release, gradients]
    return _Spending(embedding_sensitivity(privacy.adjacency) / mu, events, gradients)


def train_images_privately(
    data: ImageData, plan: Plan, privacy: DPEmbedding | DPSGD
) -> tuple[Trained, Ledger]:
    """Release mean features of images and train a generator on them.

    Parameters
    ----------
    data : ImageData
        With declared labels, -1 for others.
    plan : Plan
        Its seed is that of weights and generated images, never of noise.
    privacy : DPEmbedding or DPSGD

    Raises
    ------
    PrivacyError
        If the guarantee cannot be given; nothing is released then.
    """
    privacy.check(len(data))
    if isinstance(privacy, DPSGD):
        _check_critic(data, plan.recipe)
    spending = _spending(privacy, len(data))
    waves = privacy.n_waves if isinstance(privacy, DPEmbedding) else _WAVES
    with torch.no_grad():
        features = PublicFeatures(Geometry(*data.spec.shape), waves).to(plan.device)
    ledger = _opened(privacy, spending.events, len(data))
    released = _release(data, features, privacy, spending.sigma, ledger, plan.device)
    if spending.gradients is not None:
        ledger.charge(spending.gradients)
    source = ledger.source
    ledger.close()
    monitor = _Monitor(
        released,
        features,
        plan.recipe.latent,
        data.labels is not None,
        plan.seed,
        plan.device,
        Shown(plan.grid_path),
    )
    if data.labels is not None:
        shares = tuple(float(share) for share in released.shares)
        data = replace(data, labels=replace(data.labels, shares=shares))
    if not isinstance(privacy, DPSGD) or spending.gradients is None:
        task = _task(_without_images(data), plan, released, features)
        result = _run(task, plan, monitor)
    else:
        plan = replace(plan, recipe=_by_budget(plan.recipe, privacy), minutes=plan.minutes / 2)
        task = _task(_declared_only(data), plan, released, features)
        prepared = replace(plan, recipe=_on_release(plan.recipe))
        # What was released is free to use as often as one likes: noise comes after it.
        alone = _run(_task(_without_images(data), prepared, released, features), prepared, monitor)
        task.generator.load_state_dict(alone.generator.state_dict())
        result = _play(task, plan, monitor, privacy, spending.gradients, source)
    return trained_of(task, data, plan, result, monitor.shown.images), ledger


def _check_critic(data: ImageData, recipe: ImageRecipe) -> None:
    """Refuse a critic that could not be private before anything is spent."""
    sizes = () if data.labels is None else data.labels.sizes
    with isolated_torch_rng(0, "weights"):
        check_critic(critic_of(recipe, Geometry(*data.spec.shape), sizes))


def _release(
    data: ImageData,
    features: PublicFeatures,
    privacy: DPEmbedding | DPSGD,
    sigma: float,
    ledger: Ledger,
    device: torch.device,
) -> Embedding:
    codes = np.zeros(len(data), dtype=np.int64) if data.codes is None else data.codes[:, 0]
    return release_embedding(
        feature_batches(data.images, codes, features, device),
        n_classes=1 if data.labels is None else data.labels.sizes[0],
        n_features=features.length,
        count_share=privacy.count_share if isinstance(privacy, DPEmbedding) else _COUNT_SHARE,
        sigma=sigma,
        ledger=ledger,
        note="mean features of the images of each class, and how many there are",
    )


def _play(
    task: EmbeddedImages,
    plan: Plan,
    monitor: _Monitor,
    privacy: DPSGD,
    gradients: Event,
    source: NoiseSource,
) -> TrainResult:
    """Train against a private critic too."""
    # Opacus takes a while to load, which no other fit should wait for.
    from synthgen.train.dp_game import PrivateGame

    game = PrivateGame(
        task,
        plan.recipe,
        plan.seed,
        event=gradients,
        source=source,
        clipping=privacy.clipping,
        critic_steps=privacy.critic_steps,
        target_accuracy=privacy.target_accuracy,
    )
    result = _run(task, plan, monitor, game)
    game.private.release()
    if result.stopped_by != "steps":
        warnings.warn(
            f"Training ended by {result.stopped_by} after {result.steps} of {gradients.count} "
            "updates, which are all charged; raise max_minutes, or plan fewer with "
            "DPSGD(steps=...).",
            TrainingWarning,
            stacklevel=5,
        )
    return result


def _run(task: EmbeddedImages, plan: Plan, monitor: _Monitor, game: Any = None) -> TrainResult:
    """Train, showing how far it is."""
    recipe = plan.recipe
    with ProgressBar("fit", enabled=plan.verbose) as bar:
        return Trainer(
            task,
            recipe,
            Budget(recipe.steps, 60.0 * plan.minutes, checks=_CHECKS),
            seed=plan.seed,
            monitor=monitor,
            listener=Announcer(bar.update, recipe.steps, plan.minutes),
            game=game,
        ).run()


def _opened(privacy: DPEmbedding | DPSGD, events: list[Event], n: int) -> Ledger:
    """Open the ledger of a fit, once its whole budget is reserved."""
    if privacy.ledger is not None:
        shared = SharedLedger(privacy.ledger)
        shared.reserve(events, adjacency=privacy.adjacency, label=type(privacy).__name__)
    ledger = privacy.open_ledger(n)
    ledger.assume("A row is one image with its label; its parts are not protected one by one.")
    ledger.assume("Shape, type, range of values and classes of the images are public.")
    if isinstance(privacy, DPSGD):
        ledger.assume(
            "Rows are in a batch independently of each other (Poisson sampling), and nobody "
            "learns which ones were."
        )
        if privacy.sampling_rate is not None:
            ledger.assume("The probability with which a row is in a batch is public.")
    return ledger


def _by_budget(recipe: ImageRecipe, privacy: DPSGD) -> ImageRecipe:
    return recipe.replace(
        steps=privacy.steps, batch_size=privacy.batch_size, critic_steps=privacy.critic_steps
    )


def _on_release(recipe: ImageRecipe) -> ImageRecipe:
    """Return how the networks of a recipe learn from the release before the critic joins."""
    fields = ("batch_size", "steps", "terms", "warmup", "generator_rate", "generator_betas")
    return recipe.replace(critic_steps=1, **{k: getattr(EMBEDDING_RECIPE, k) for k in fields})


def _without_images(data: ImageData) -> ImageData:
    """Return the description alone: training on a release sees no image."""
    codes = None if data.codes is None else data.codes[:0]
    return replace(data, images=data.images[:0], codes=codes)


def _declared_only(data: ImageData) -> ImageData:
    """Leave out images of a class that was not declared: they are counted nowhere."""
    if data.codes is None:
        return data
    known = data.codes[:, 0] >= 0
    return replace(data, images=data.images[known], codes=data.codes[known])


def _task(
    data: ImageData, plan: Plan, released: Embedding, features: PublicFeatures
) -> EmbeddedImages:
    sizes = () if data.labels is None else data.labels.sizes
    with isolated_torch_rng(plan.seed, "weights"):
        return EmbeddedImages(
            data.images,
            data.codes,
            sizes,
            plan.recipe,
            device=plan.device,
            released=released,
            features=features,
        )


@dataclass
class _Monitor:
    """Looks at generated images and at what was released only, and chooses nothing by it."""

    released: Embedding
    features: PublicFeatures
    latent: int
    labelled: bool
    seed: int
    device: torch.device
    shown: Shown = field(default_factory=Shown)

    def __call__(self, generator: nn.Module) -> dict[str, float]:
        """Return how far mean features are from the released ones, 1 being the noise."""
        settle_norms(generator, lambda number: self._make(generator, number))
        with torch.inference_mode():
            images, classes = self._make(generator, 0)
            vectors = self.features(images).double().cpu().numpy()
        misses = []
        for place, (mean, spread) in enumerate(
            zip(self.released.means, self.released.deviations, strict=True)
        ):
            own = vectors[classes == place]
            if len(own) > 1:
                sampling = own.var(axis=0, ddof=1).sum() / len(own)
                miss = ((own.mean(axis=0) - mean) ** 2).sum() - sampling
                misses.append(miss / (len(mean) * spread**2))
        self.shown.add(images[:_SHOWN].cpu().numpy())
        # The last state is the best when the learning rate has come down.
        return {"misfit": round(float(np.mean(misses)), 4), "score": -float(len(self.shown.images))}

    def _make(self, generator: Any, number: int) -> tuple[Tensor, np.ndarray]:
        rng = torch_generator(self.seed, "monitor", 1, number, device=self.device)
        count = len(self.released.counts)
        classes = torch.arange(_LOOKED_AT, device=self.device) % count
        hot = nn.functional.one_hot(classes, count).float() if self.labelled else None
        z = torch.randn(_LOOKED_AT, self.latent, generator=rng, device=self.device)
        return generator(z, hot, rng), classes.cpu().numpy()
