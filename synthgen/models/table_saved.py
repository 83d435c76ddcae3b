"""A fitted synthesizer of tables as facts, documents and arrays, and back."""

from __future__ import annotations

from typing import Any, Self

import pandas as pd
import torch

from synthgen.core.device import resolve_device
from synthgen.core.documents import plain_json
from synthgen.core.serialize import Artifact
from synthgen.dp.budget import DPMarginals
from synthgen.dp.ledger import Ledger
from synthgen.dp.sgd_budget import DPSGD
from synthgen.models.encoded import EncodedSynthesizer
from synthgen.models.guarantee import privacy_from_json, privacy_to_json
from synthgen.models.saved import pack_sampler, unpack_sampler
from synthgen.sample.sampler import Sampler
from synthgen.train.recipe import Recipe


class SavedTables(EncodedSynthesizer):
    """The part of a synthesizer that writes what was learned, and reads it."""

    preset: str | Recipe
    privacy: DPMarginals | DPSGD | None
    sampler_: Sampler
    recipe_: Recipe
    history_: pd.DataFrame
    refinement_: dict[str, Any]
    n_steps_: int
    best_step_: int
    stopped_by_: str
    device_: torch.device
    ledger_: Ledger

    def _json_parameters(self) -> dict[str, Any]:
        parameters = super()._json_parameters()
        if isinstance(self.preset, Recipe):
            parameters["preset"] = self.preset.to_json()
        if self.privacy is not None:
            parameters["privacy"] = privacy_to_json(self.privacy)
        return parameters

    @classmethod
    def _from_parameters(cls, parameters: dict[str, Any]) -> Self:
        if isinstance(parameters.get("preset"), dict):
            parameters = {**parameters, "preset": Recipe.from_json(parameters["preset"])}
        if isinstance(parameters.get("privacy"), dict):
            parameters = {**parameters, "privacy": privacy_from_json(parameters["privacy"])}
        return cls(**parameters)

    def _state(self) -> Artifact:
        config, arrays, texts = pack_sampler(self.sampler_, self.recipe_)
        config["refinement"] = self.refinement_
        config["training"] = {
            "steps": self.n_steps_,
            "best_step": self.best_step_,
            "stopped_by": self.stopped_by_,
        }
        documents = {"history": plain_json(self.history_.to_dict(orient="records"))}
        if hasattr(self, "ledger_"):
            documents["ledger"] = self.ledger_.to_json()
        return Artifact(config, documents, arrays, texts)

    def _restore(self, artifact: Artifact) -> None:
        config = artifact.config
        self.device_ = resolve_device("auto")
        self.sampler_, self.recipe_ = unpack_sampler(artifact, self.schema_, self.device_)
        self.refinement_ = config["refinement"]
        self.history_ = pd.DataFrame.from_records(artifact.documents["history"])
        training = config["training"]
        self.n_steps_, self.best_step_ = training["steps"], training["best_step"]
        self.stopped_by_ = training["stopped_by"]
        if "ledger" in artifact.documents:
            self.ledger_ = Ledger.from_json(artifact.documents["ledger"])
