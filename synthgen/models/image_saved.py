"""A trained sampler of images as facts and arrays, and back."""

from __future__ import annotations

import inspect
import os
from abc import abstractmethod
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from synthgen import __version__
from synthgen.core.device import resolve_device
from synthgen.core.documents import check_mapping, plain_json
from synthgen.core.params import check_choice
from synthgen.core.serialize import Artifact, load_artifact, save_artifact
from synthgen.data.image_labels import LabelSpec
from synthgen.data.images import ImageSpec
from synthgen.dp.ledger import Ledger
from synthgen.errors import ArtifactError, InvalidParameterError
from synthgen.models.guarantee import privacy_from_json, privacy_to_json
from synthgen.nn.image.geometry import Geometry
from synthgen.sample.images import ImageSampler
from synthgen.train.image_recipe import ImageRecipe


def pack_images(
    sampler: ImageSampler, spec: ImageSpec, critic: bool = True
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return JSON facts and arrays that hold the sampler, with its critic or without."""
    config = {
        "recipe": sampler.recipe.to_json(),
        "images": spec.to_json(),
        "labels": None if sampler.labels is None else sampler.labels.to_json(),
    }
    arrays = {
        f"{name}.{key}": value.cpu().numpy()
        for name, weights in sampler.weights().items()
        if critic or name == "generator"
        for key, value in weights.items()
    }
    return config, arrays


def unpack_images(
    config: dict[str, Any], arrays: dict[str, np.ndarray], device: torch.device
) -> tuple[ImageSampler, ImageSpec]:
    """Rebuild a sampler from what :func:`pack_images` returned.

    Raises
    ------
    KeyError, TypeError or ValueError
        If something is missing or does not fit; the caller turns it into an ``ArtifactError``.
    """
    recipe = ImageRecipe.from_json(config["recipe"])
    spec = ImageSpec.from_json(config["images"])
    labels = None if config["labels"] is None else LabelSpec.from_json(config["labels"])
    weights: dict[str, dict[str, torch.Tensor]] = {"generator": {}, "critic": {}}
    for key, value in arrays.items():
        network, _, name = key.partition(".")
        if network in weights:
            weights[network][name] = torch.from_numpy(value.copy())
    geometry = Geometry(*spec.shape)
    return ImageSampler.from_weights(weights, recipe, geometry, labels, device), spec


class SavedImages(BaseEstimator):
    """Saving and loading of fitted models."""

    sampler_: ImageSampler
    spec_: ImageSpec
    history_: pd.DataFrame
    grids_: np.ndarray
    n_steps_: int
    best_step_: int
    stopped_by_: str
    ledger_: Ledger

    @abstractmethod
    def _keep(self, sampler: ImageSampler, spec: ImageSpec) -> None:
        """Take a sampler and what its images are like."""

    def save(self, path: str | os.PathLike[str], *, critic: bool = True) -> None:
        """Write the fitted model to a directory of JSON and safetensors files.

        Parameters
        ----------
        path : path-like
        critic : bool
            Whether the critic is saved too. Scores, fine-tuning and ``reject="critic"`` need it;
            but it has seen the training images and tells some of them from others, so leave it out
            of a model that you give away.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        ArtifactError
            If it cannot be written; whatever was there stays as it was.
        """
        check_is_fitted(self)
        check_choice("critic", critic, (True, False))
        facts, arrays = pack_images(self.sampler_, self.spec_, critic)
        config = {
            "class": type(self).__name__,
            "synthgen": __version__,
            "parameters": self._json_parameters(),
            "training": {
                "steps": self.n_steps_,
                "best_step": self.best_step_,
                "stopped_by": self.stopped_by_,
            },
            **facts,
        }
        history = plain_json(self.history_.to_dict(orient="records"))
        arrays["grids"] = self.grids_
        documents = {"history": history}
        if hasattr(self, "ledger_"):
            documents["ledger"] = self.ledger_.to_json()
        save_artifact(path, Artifact(config, documents, arrays))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model written by :meth:`save`, on any machine.

        Raises
        ------
        ArtifactError
            If the directory is no such model, damaged, or written by a newer version.
        """
        return cls.from_artifact(load_artifact(path))

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """Rebuild a model from what :func:`~synthgen.core.serialize.load_artifact` read."""
        config = artifact.config
        if config.get("class") != cls.__name__:
            raise ArtifactError(
                f"The model is a {config.get('class')}, not a {cls.__name__}; use synthgen.load."
            )
        check_mapping(config, {"parameters": dict, "training": dict}, "The configuration")
        parameters = dict(config["parameters"])
        unknown = sorted(set(parameters) - set(inspect.signature(cls).parameters))
        if unknown:
            raise ArtifactError(f"{cls.__name__} has no parameter {unknown[0]!r}.")
        try:
            if isinstance(parameters.get("preset"), dict):
                parameters["preset"] = ImageRecipe.from_json(parameters["preset"])
            if isinstance(parameters.get("value_range"), list):
                parameters["value_range"] = tuple(parameters["value_range"])
            if isinstance(parameters.get("privacy"), dict):
                parameters["privacy"] = privacy_from_json(parameters["privacy"])
            model = cls(**parameters)
            device = resolve_device("auto")
            sampler, spec = unpack_images(config, artifact.arrays, device)
            model._keep(sampler, spec)
            model.history_ = pd.DataFrame.from_records(artifact.documents["history"])
            model.grids_ = artifact.arrays["grids"]
            training = config["training"]
            model.n_steps_, model.best_step_ = training["steps"], training["best_step"]
            model.stopped_by_ = training["stopped_by"]
            if "ledger" in artifact.documents:
                model.ledger_ = Ledger.from_json(artifact.documents["ledger"])
        except (KeyError, TypeError, IndexError, ValueError) as error:
            if isinstance(error, InvalidParameterError):
                raise
            raise ArtifactError(f"The model is incomplete: {error!r}.") from error
        return model

    def _json_parameters(self) -> dict[str, Any]:
        parameters = self.get_params(deep=False)
        if isinstance(parameters["preset"], ImageRecipe):
            parameters["preset"] = parameters["preset"].to_json()
        if parameters["privacy"] is not None:
            parameters["privacy"] = privacy_to_json(parameters["privacy"])
        if parameters["classes"] is not None:
            parameters["classes"] = np.asarray(parameters["classes"]).tolist()
        plain = (str, int, float, bool, dict, list, tuple, type(None))
        return {
            name: plain_json(value.item() if isinstance(value, np.generic) else value)
            for name, value in parameters.items()
            if isinstance(value, (*plain, np.generic))
        }
