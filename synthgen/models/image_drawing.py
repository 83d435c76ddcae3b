"""What a fitted model of images is asked for most: new images, and scores of given ones."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from synthgen.core.params import check_integer, check_real
from synthgen.core.random import root_seed
from synthgen.data.images import ImageSpec, as_images
from synthgen.errors import ConditionError, InvalidParameterError
from synthgen.models.image_wishes import wanted_codes, wanted_judge, wanted_places
from synthgen.sample.images import BLOCK, ImageSampler, Wish
from synthgen.train.image_recipe import ImageRecipe


class DrawnImages:
    """Methods of fitted models that generate images and judge them."""

    sampler_: ImageSampler
    recipe_: ImageRecipe
    spec_: ImageSpec

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

    def evaluate(
        self, X: Any, y: Any = None, holdout: Any = None, holdout_y: Any = None, **options: Any
    ) -> Any:
        """Measure as many new images as there are real ones, by every score that the data allow.

        Parameters
        ----------
        X : array-like
            The training images.
        y : array-like of shape (n,) or (n, attributes), optional
            Their labels.
        holdout : array-like, optional
            Real images that the model has not seen; without them, copies look good.
        holdout_y : array-like, optional
            Labels of `holdout`.
        **options
            Others of :func:`synthgen.evaluate.images.image_report`.

        Returns
        -------
        synthgen.evaluate.images.ImageReport
            With ``table()``, ``to_html(path)`` and ``to_json()``.
        """
        check_is_fitted(self)
        # By name, when asked for: reports stand above models, which know nothing of them.
        report = import_module("synthgen.evaluate.images").image_report
        return report(X, self, holdout, labels=y, holdout_labels=holdout_y, **options)
