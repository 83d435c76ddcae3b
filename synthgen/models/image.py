"""The synthesizer of images: reading, training and sampling together."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted

from synthgen.core.device import resolve_device, supports_bfloat16
from synthgen.core.params import check_choice, check_real
from synthgen.core.random import root_seed
from synthgen.data.images import ImageData, ImageSpec, read_images
from synthgen.dp.budget import DPEmbedding
from synthgen.dp.errors import PrivacyError
from synthgen.dp.sgd_budget import DPSGD
from synthgen.errors import TrainingWarning
from synthgen.models.guarantee import Guaranteed
from synthgen.models.image_checks import (
    check_image_parameters,
    chosen_recipe,
    read_more,
    sized_recipe,
    with_labels_for,
)
from synthgen.models.image_drawing import DrawnImages
from synthgen.models.image_health import diagnose
from synthgen.models.image_latent import LatentWork
from synthgen.models.image_presets import patient
from synthgen.models.image_private import train_images_privately
from synthgen.models.image_refusals import private_recipe, read_private_images
from synthgen.models.image_saved import SavedImages
from synthgen.models.image_training import Plan, Trained, train_images
from synthgen.models.image_tuning import STRATEGIES
from synthgen.sample.images import ImageSampler
from synthgen.train.image_recipe import ImageRecipe


class ImageGANSynthesizer(Guaranteed, SavedImages, DrawnImages, LatentWork):
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
    balance : float, optional
        In [0, 1]: how far rare labels are seen in training as often as frequent ones. 0 as they
        come, 1 all alike; ``sample`` draws labels by their true shares either way. By default what
        the preset says, which is 0. Without effect on images without labels.
    transform : callable, optional
        Changes each real image whenever the critic is shown it, seeded: anything that is called as
        ``transform(image=array)["image"]``, as in albumentations, or as ``transform(array)``, with
        arrays (H, W) or (H, W, C) of uint8, or of float32 in [0, 1] if the training images are no
        uint8. What it does is learned as if it were in the data: generated images will look so too,
        so let it make only images that might be real. It is not saved with the model.
    layout : {"NHW", "NHWC", "NCHW"}, optional
        Meaning of the axes of arrays; inferred where there is one reading only.
    value_range : tuple of float, optional
        Black and white; by default what the type and the data say.
    classes : array-like, optional
        Labels that there can be, in order; by default those in `y`. With privacy they have to be
        declared.
    privacy : DPEmbedding or DPSGD, optional
        Train with differential privacy; see :class:`~synthgen.privacy.DPEmbedding` and
        :class:`~synthgen.privacy.DPSGD`. Labels need `classes`, and images of another type than
        uint8 or bool need `value_range`, since neither may be read off the data.
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
    grid_path : str, optional
        PNG file that shows sixteen images, of the same latent vectors, while training goes on.

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
    epsilon_, delta_ : float
        With privacy: the guarantee that was spent, from the ledger.
    ledger_ : Ledger
        With privacy: every release, its noise, and what the guarantee assumes.
    is_private_ : bool

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
        balance: float | None = None,
        transform: Any = None,
        layout: str | None = None,
        value_range: tuple[float, float] | None = None,
        classes: Any = None,
        privacy: DPEmbedding | DPSGD | None = None,
        precision: str = "auto",
        device: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
        warm_start: bool = False,
        checkpoint_dir: str | None = None,
        grid_path: str | None = None,
    ) -> None:
        self.preset = preset
        self.max_minutes = max_minutes
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.augment = augment
        self.balance = balance
        self.transform = transform
        self.layout = layout
        self.value_range = value_range
        self.classes = classes
        self.privacy = privacy
        self.precision = precision
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.checkpoint_dir = checkpoint_dir
        self.grid_path = grid_path

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
        PrivacyError
            With `privacy`: if the guarantee cannot be given.
        """
        check_image_parameters(self)
        if self.privacy is not None:
            return self._fit_privately(X, y, self.privacy)
        data = read_images(
            X, y, layout=self.layout, value_range=self.value_range, classes=self.classes
        )
        recipe = chosen_recipe(self, data)
        data = with_labels_for(data, recipe)
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
        check_image_parameters(self)
        if self.privacy is not None or hasattr(self, "ledger_"):
            raise PrivacyError(
                "A private model was charged for one fit; more images or steps would need a budget "
                "of their own. Fit anew on all images, with DPEmbedding(ledger=...) if they were "
                "used before."
            )
        check_choice("strategy", strategy, STRATEGIES)
        check_real("freeze_share", freeze_share, low=0.0, high=1.0)
        data = read_more(X, y, self.spec_, self.sampler_.labels)
        recipe = sized_recipe(self, patient(self.recipe_, len(data)))
        self._learn(data, recipe, self.sampler_, strategy=strategy, freeze_share=freeze_share)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether ``fit`` or ``load`` has come to its end."""
        return hasattr(self, "sampler_")

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: images have three or four axes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

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
        plan = self._plan(recipe, resumable, strategy, freeze_share)
        trained = train_images(data, plan, previous)
        if hasattr(self, "ledger_"):
            del self.ledger_
        self._take(trained, data.spec)
        for words in diagnose(self.history_, recipe):
            warnings.warn(f"{recipe.name!r}: {words}", TrainingWarning, stacklevel=3)

    def _fit_privately(self, X: Any, y: Any, privacy: DPEmbedding | DPSGD) -> Self:
        recipe = sized_recipe(self, private_recipe(self))
        data = read_private_images(self, X, y)
        plan = self._plan(recipe)
        trained, ledger = train_images_privately(data, plan, privacy)
        self._take(trained, data.spec)
        self.ledger_ = ledger
        return self

    def _plan(
        self,
        recipe: ImageRecipe,
        resumable: bool = False,
        strategy: str = "full",
        freeze_share: float = 0.5,
    ) -> Plan:
        device = resolve_device(self.device)
        low = self.precision == "auto" and supports_bfloat16(device)
        return Plan(
            recipe,
            root_seed(self.random_state),
            device,
            self.precision == "bfloat16" or low,
            self.max_minutes,
            bool(self.verbose),
            self.transform,
            self.checkpoint_dir if resumable else None,
            strategy,
            freeze_share,
            self.grid_path,
        )

    def _take(self, trained: Trained, spec: ImageSpec) -> None:
        """Keep what training left behind."""
        self.history_, self.grids_ = trained.history, trained.grids
        self.n_steps_, self.best_step_ = trained.steps, trained.best_step
        self.stopped_by_ = trained.stopped_by
        self._keep(trained.sampler, spec)
        if trained.stopped_by == "interrupt":
            warnings.warn(
                f"Training was interrupted after {trained.steps} steps; the best state so far is "
                "kept.",
                TrainingWarning,
                stacklevel=4,
            )

    def _keep(self, sampler: ImageSampler, spec: ImageSpec) -> None:
        self.spec_, self.recipe_, self.device_ = spec, sampler.recipe, sampler.device
        known = sampler.labels.values if sampler.labels is not None else ()
        self.classes_ = [list(column) for column in known]
        self.sampler_ = sampler
