"""The synthesizer of images: reading, training and sampling together."""

from __future__ import annotations

import hashlib
import logging
import warnings
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted

from synthgen.core.device import resolve_device, supports_bfloat16
from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.core.progress import ProgressBar
from synthgen.core.random import isolated_torch_rng, root_seed
from synthgen.core.serialize import (
    plain_json,
)
from synthgen.data.images import LAYOUTS, ImageData, ImageSpec, as_images, read_images
from synthgen.errors import (
    ConditionError,
    DataWarning,
    InvalidDataError,
    InvalidParameterError,
    TrainingWarning,
)
from synthgen.models.image_announcer import Announcer
from synthgen.models.image_health import diagnose
from synthgen.models.image_latent import LatentWork
from synthgen.models.image_memory import check_image_memory
from synthgen.models.image_monitor import ImageMonitor
from synthgen.models.image_presets import image_recipe
from synthgen.models.image_saved import SavedImages
from synthgen.models.image_tuning import STRATEGIES, copy_weights, freeze
from synthgen.models.image_wishes import wanted_codes, wanted_judge, wanted_places
from synthgen.sample.images import BLOCK, ImageSampler, Wish
from synthgen.train.checkpoint import Checkpoint
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.images import ImageTask, one_hot, uses_labels
from synthgen.train.trainer import Budget, Trainer

logger = logging.getLogger(__name__)

#: How often the monitor looks; training is not cut short by it.
_CHECKS = 20


class ImageGANSynthesizer(SavedImages, LatentWork):
    """Learns a set of images and generates as many new ones as you like.

    Parameters
    ----------
    preset : str or ImageRecipe, default="auto"
        A name of :func:`~synthgen.models.image_presets.list_image_presets`, or a recipe of your
        own.
    max_minutes : float, default=10
        Most minutes that training takes. Results repeat exactly only if steps end it, not the
        clock.
    max_steps : int or "auto", default="auto"
        Most training steps; by default what the recipe says.
    batch_size : int or "auto", default="auto"
        Images per step.
    augment : str or None, default="auto"
        Differentiable augmentations of real and fake images with commas between, for instance
        "translation,colour,cutout". By default those that the number of images calls for, as much
        as the critic overfits, if `preset` is "auto", and the preset's own otherwise. None switches
        them off.
    layout : {"NHW", "NHWC", "NCHW"}, optional
        Meaning of the axes of arrays; inferred where there is one reading only.
    value_range : tuple of float, optional
        Black and white; by default what the type and the data say.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Of convolutions in training. By default bfloat16 where the device is faster with it.
    device : str, default="auto"
        Where to train: "cpu", "cuda", "mps", ... By default the fastest there is.
    random_state : None, int, numpy RandomState or Generator
        An integer makes ``fit`` repeatable.
    verbose : int, default=0
        1 shows progress on the terminal.
    warm_start : bool, default=False
        Start from the weights of the previous ``fit`` on images of the same shape and labels.
    checkpoint_dir : str, optional
        Folder to keep the state of training in; ``fit`` with the same data and parameters
        continues from it exactly.

    Attributes
    ----------
    recipe_ : ImageRecipe
        What was trained.
    spec_ : ImageSpec
        Layout, shape, type and range of the images.
    classes_ : list of list
        Values of each attribute of the labels; empty for a model without labels.
    history_ : pandas.DataFrame
        One row per check: step, seconds, mean critic scores, distance to real images in cheap
        features, diversity (1 for real images).
    grids_ : numpy.ndarray of shape (checks, 16, ...)
        Images of the same latent vectors at each check, in the layout of the training images.
    n_steps_, best_step_ : int
        Steps done, and step of the state that was kept.
    stopped_by_ : str
        "steps", "time" or "interrupt".
    device_ : torch.device

    References
    ----------
    Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
    arXiv:1802.05957. Miyato and Koyama, "cGANs with Projection Discriminator", ICLR 2018,
    arXiv:1802.05637. Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training",
    NeurIPS 2020, arXiv:2006.10738.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from synthgen.models.image import ImageGANSynthesizer
    >>> X, y = load_digits(return_X_y=True)
    >>> synth = ImageGANSynthesizer(max_steps=5, random_state=0).fit(X.reshape(-1, 8, 8), y)
    >>> synth.sample(4, y=[3, 1, 4, 1]).shape
    (4, 8, 8)
    """

    sampler_: ImageSampler
    recipe_: ImageRecipe
    spec_: ImageSpec
    classes_: list[list[Any]]
    history_: pd.DataFrame
    grids_: np.ndarray
    n_steps_: int
    best_step_: int
    stopped_by_: str
    device_: torch.device

    def __init__(
        self,
        *,
        preset: str | ImageRecipe = "auto",
        max_minutes: float = 10.0,
        max_steps: int | str = "auto",
        batch_size: int | str = "auto",
        augment: str | None = "auto",
        layout: str | None = None,
        value_range: tuple[float, float] | None = None,
        precision: str = "auto",
        device: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
        warm_start: bool = False,
        checkpoint_dir: str | None = None,
    ) -> None:
        self.preset = preset
        self.max_minutes = max_minutes
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.augment = augment
        self.layout = layout
        self.value_range = value_range
        self.precision = precision
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.checkpoint_dir = checkpoint_dir

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from images.

        Parameters
        ----------
        X : array-like, torch Dataset or path-like
            See :func:`~synthgen.data.images.read_images`: arrays (n, H, W), (n, H, W, C) or
            (n, C, H, W), a dataset, or a folder whose subfolders name the classes.
        y : array-like of shape (n,) or (n, attributes), optional
            Labels of any type. Recipes that use none leave them aside with a warning.

        Returns
        -------
        self

        Raises
        ------
        InvalidDataError
            If the images or labels cannot be used.
        InvalidParameterError
            If a constructor parameter cannot work.
        ResourceError
            If the memory will not do.
        TrainingError
            If the loss stays undefined.
        """
        self._check_parameters()
        data = read_images(X, y, layout=self.layout, value_range=self.value_range)
        recipe = self._recipe(data)
        data = _with_labels_for(data, recipe)
        previous = self.sampler_ if self.warm_start and hasattr(self, "sampler_") else None
        self._learn(data, recipe, previous, resumable=True)
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Go on learning, from the state of the last call, on these images.

        Parameters
        ----------
        X : array-like, torch Dataset or path-like
            Images like those of the first call, which may be this one.
        y : array-like, optional
            Labels that the first call has seen.

        Returns
        -------
        self
        """
        if not hasattr(self, "sampler_"):
            return self.fit(X, y)
        return self.fine_tune(X, y)

    def fine_tune(
        self, X: Any, y: Any = None, strategy: str = "full", freeze_share: float = 0.5
    ) -> Self:
        """Adapt the fitted model to other images of the same shape, few of them perhaps.

        Parameters
        ----------
        X : array-like, torch Dataset or path-like
        y : array-like, optional
            Labels that ``fit`` has seen.
        strategy : {"full", "freeze_d", "scale_shift"}
            Train everything; keep the critic's first layers (Mo et al., arXiv:2002.10964); or train
            gains, biases and styles of the generator only (Noguchi and Harada, arXiv:1904.01774).
        freeze_share : float
            Share of the critic's layers that "freeze_d" keeps.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        self._check_parameters()
        check_choice("strategy", strategy, STRATEGIES)
        check_real("freeze_share", freeze_share, low=0.0, high=1.0)
        data = self._read_more(X, y)
        recipe = self._sized(self.recipe_)
        self._learn(data, recipe, self.sampler_, strategy=strategy, freeze_share=freeze_share)
        return self

    def sample(
        self,
        n: int | None = None,
        y: Any = None,
        truncation: float | None = None,
        sigma: float = 1.0,
        reject: Any = None,
        random_state: Any = None,
        *,
        codes: Any = None,
        return_labels: bool = False,
    ) -> Any:
        """Generate images.

        Parameters
        ----------
        n : int
            Number of images, >= 0. May be left out if `y` has one label per image.
        y : label or array-like of shape (n,) or (n, attributes), optional
            Labels of the images. One label stands for all; None draws them as frequent as in the
            training data.
        truncation : float, optional
            Fewer outliers, less variety: largest absolute value of z; or, for style-based
            recipes, the factor in [0, 1] that draws w towards its mean.
        sigma : float
            Factor of z; above 1 for more variety than in training.
        reject : "critic" or classifier, optional
            Draw four candidates per image and choose by the critic's word, or by what a classifier
            with ``predict_proba`` for images of this layout thinks of their label.
        random_state : None, int, numpy RandomState or Generator
            The same integer gives the same images, and fewer are the head of more. None draws
            fresh images at each call.
        codes : array-like of shape (n, codes), optional
            InfoGAN's codes: the categorical one as one-hot, then the continuous ones in [-1, 1].
        return_labels : bool
            Whether to return the labels too.

        Returns
        -------
        images : numpy.ndarray
            In the layout, type and range of the training images.
        labels : numpy.ndarray
            If `return_labels`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        ConditionError
            If a label is unknown, or the model knows none.
        """
        check_is_fitted(self)
        places = wanted_places(self.sampler_, y, n)
        if n is None:
            if places is None:
                raise InvalidParameterError("n is missing: how many images do you want?")
            n = len(places)
        n = check_integer("n", n, minimum=0)
        if truncation is not None:
            truncation = check_real("truncation", truncation, low=0.0, closed="neither")
        sigma = check_real("sigma", sigma, low=0.0)
        wish = Wish(
            n,
            root_seed(random_state),
            places,
            truncation,
            sigma,
            wanted_judge(self.sampler_, self.spec_, reject),
            wanted_codes(self.recipe_, codes, n),
        )
        images, drawn = self.sampler_.draw(wish)
        out = self.spec_.restore(images)
        if not return_labels:
            return out
        labels = self.sampler_.labels
        if labels is None or drawn is None:
            raise InvalidParameterError("The model has no labels to return.")
        return out, labels.decode(drawn)

    def score_samples(self, X: Any, y: Any = None) -> np.ndarray:
        """Return the critic's score of each image: the higher, the more like a real one.

        Parameters
        ----------
        X : array-like
            Images of the layout of the training images.
        y : array-like, optional
            Their labels, if the model was fitted with labels.

        Returns
        -------
        numpy.ndarray of shape (n,)
            On no particular scale; relativistic critics' scores mean something as differences.
        """
        check_is_fitted(self)
        images = torch.as_tensor(as_images(X, self.spec_))
        places = wanted_places(self.sampler_, y, len(images))
        if self.sampler_.labels is not None and places is None:
            raise ConditionError("The model was fitted with labels: score_samples needs y.")
        scores = []
        for start in range(0, len(images), BLOCK):
            mine = None if places is None else places[start : start + BLOCK]
            scores.append(self.sampler_.scores(images[start : start + BLOCK], mine).cpu().numpy())
        return np.concatenate(scores).astype(np.float64)

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether ``fit`` or ``load`` has come to its end."""
        return hasattr(self, "sampler_")

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: images have three or four axes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def _check_parameters(self) -> None:
        check_real("max_minutes", self.max_minutes, low=0.0, closed="neither")
        check_integer("max_steps", self.max_steps, minimum=1, words=["auto"])
        check_integer("batch_size", self.batch_size, minimum=2, words=["auto"])
        check_choice("precision", self.precision, ("auto", "float32", "bfloat16"))
        check_choice("warm_start", self.warm_start, [True, False])
        if self.layout is not None:
            check_choice("layout", self.layout, LAYOUTS)
        if self.augment is not None and not isinstance(self.augment, str):
            raise InvalidParameterError(
                f"augment must be names with commas between, 'auto' or None, got {self.augment!r}."
            )
        if not isinstance(self.verbose, bool):
            check_integer("verbose", self.verbose, minimum=0)
        if self.checkpoint_dir is not None and not isinstance(self.checkpoint_dir, (str, Path)):
            raise InvalidParameterError(
                f"checkpoint_dir must be a path or None, got {self.checkpoint_dir!r}."
            )

    def _recipe(self, data: ImageData) -> ImageRecipe:
        recipe = image_recipe(self.preset, data.images, self.augment)
        if recipe.needs_labels and data.labels is None:
            raise InvalidDataError(
                f"The preset {recipe.name!r} is about labels: pass fit(X, y), or choose another."
            )
        return self._sized(recipe)

    def _sized(self, recipe: ImageRecipe) -> ImageRecipe:
        if self.max_steps != "auto":
            recipe = recipe.replace(steps=int(self.max_steps))
        if self.batch_size != "auto":
            recipe = recipe.replace(batch_size=int(self.batch_size))
        return recipe.check()

    def _read_more(self, X: Any, y: Any) -> ImageData:
        """Read images that are like those of the fit."""
        spec, labels = self.spec_, self.sampler_.labels
        data = read_images(X, y, layout=spec.layout, value_range=(spec.low, spec.high))
        if data.spec.shape != spec.shape:
            raise InvalidDataError(
                f"The images are (channels, height, width) = {data.spec.shape}; the model was "
                f"fitted to {spec.shape}."
            )
        if labels is None:
            return ImageData(data.images, spec, None, None)
        if data.labels is None or data.codes is None:
            raise InvalidDataError("The model was fitted with labels: pass y too.")
        return ImageData(data.images, spec, labels.encode(data.labels.decode(data.codes)), labels)

    def _learn(
        self,
        data: ImageData,
        recipe: ImageRecipe,
        previous: ImageSampler | None,
        *,
        strategy: str = "full",
        freeze_share: float = 0.5,
        resumable: bool = False,
    ) -> None:
        device, seed = resolve_device(self.device), root_seed(self.random_state)
        check_image_memory(data, recipe)
        bfloat16 = self.precision == "bfloat16" or (
            self.precision == "auto" and supports_bfloat16(device)
        )
        sizes = () if data.labels is None else data.labels.sizes
        with isolated_torch_rng(seed, "weights"):
            task = ImageTask(
                data.images, data.codes, sizes, recipe, device=device, bfloat16=bfloat16
            )
        if previous is not None:
            copy_weights(previous, task)
        freeze(task, strategy, freeze_share)
        logger.info(
            "Training %r on %d images of %s for %g minutes or %d steps of %d images.",
            recipe.name,
            len(data),
            data.spec.shape,
            self.max_minutes,
            recipe.steps,
            recipe.batch_size,
        )
        checkpoint = self._checkpoint(data, recipe, seed) if resumable else None
        network = self._train(task, data, recipe, seed, checkpoint)
        critic: Any = task.critic.requires_grad_(False).eval()
        sampler = ImageSampler(network, critic.in_full_precision(), recipe, data.labels, device)
        self._keep(sampler, data.spec)
        for words in diagnose(self.history_, recipe):
            warnings.warn(f"{recipe.name!r}: {words}", TrainingWarning, stacklevel=3)

    def _train(
        self,
        task: ImageTask,
        data: ImageData,
        recipe: ImageRecipe,
        seed: int,
        checkpoint: Checkpoint | None,
    ) -> Any:
        labels = None
        if data.labels is not None and data.codes is not None:
            labels = one_hot(torch.as_tensor(data.codes), data.labels.sizes)
        monitor = ImageMonitor(data.images, labels, recipe, seed, task.device)
        budget = Budget(recipe.steps, 60.0 * self.max_minutes, checks=_CHECKS, patience=_CHECKS)
        with ProgressBar("fit", enabled=bool(self.verbose)) as bar:
            result = Trainer(
                task,
                recipe,
                budget,
                seed=seed,
                monitor=monitor,
                listener=Announcer(bar.update, recipe.steps, self.max_minutes),
                checkpoint=checkpoint,
            ).run()
        self.history_ = result.history.to_frame()
        self.n_steps_, self.best_step_ = result.steps, result.best_step
        self.stopped_by_ = result.stopped_by
        shown = monitor.shown or [np.empty((0, *data.spec.shape), dtype=np.float32)]
        self.grids_ = np.stack([data.spec.restore(images) for images in shown])
        if result.stopped_by == "interrupt":
            warnings.warn(
                f"Training was interrupted after {result.steps} steps; the best state so far is "
                "kept.",
                TrainingWarning,
                stacklevel=4,
            )
        return result.generator

    def _checkpoint(self, data: ImageData, recipe: ImageRecipe, seed: int) -> Checkpoint | None:
        if self.checkpoint_dir is None:
            return None
        digest = hashlib.sha256(data.images.tobytes())
        if data.codes is not None:
            digest.update(data.codes.tobytes())
        fingerprint = {
            "recipe": recipe.to_json(),
            "seed": seed,
            "data": digest.hexdigest(),
        }
        return Checkpoint(Path(self.checkpoint_dir), plain_json(fingerprint))

    def _keep(self, sampler: ImageSampler, spec: ImageSpec) -> None:
        self.spec_, self.recipe_, self.device_ = spec, sampler.recipe, sampler.device
        known = sampler.labels.values if sampler.labels is not None else ()
        self.classes_ = [list(column) for column in known]
        self.sampler_ = sampler


def _with_labels_for(data: ImageData, recipe: ImageRecipe) -> ImageData:
    """Leave labels aside if the recipe makes no use of them."""
    if data.labels is None or uses_labels(recipe):
        return data
    warnings.warn(
        f"The preset {recipe.name!r} makes no use of labels; y is left aside. Use another preset, "
        "or a recipe with condition='projection'.",
        DataWarning,
        stacklevel=3,
    )
    return ImageData(data.images, data.spec, None, None)
