"""The state of a run on disk, from which it resumes exactly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from synthgen.core.serialize import Artifact, load_artifact, save_artifact
from synthgen.errors import ArtifactError


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint directory.

    Parameters
    ----------
    path : pathlib.Path
    fingerprint : dict
        JSON facts that identify the run (recipe, seed, data). A checkpoint of another run is
        refused, not overwritten.
    """

    path: Path
    fingerprint: dict[str, Any]

    def write(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Replace the checkpoint.

        Raises
        ------
        ArtifactError
            If it cannot be written; the previous one stays.
        """
        arrays = {name: value.cpu().numpy() for name, value in tensors.items()}
        config = {"class": "checkpoint", "fingerprint": self.fingerprint}
        save_artifact(self.path, Artifact(config, {"progress": facts}, arrays))

    def read(self, device: torch.device) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return tensors and facts, or None if there is no checkpoint yet.

        Raises
        ------
        ArtifactError
            If the checkpoint is damaged or belongs to another run.
        """
        if not (self.path / "config.json").exists():
            return None
        artifact = load_artifact(self.path)
        found = artifact.config.get("fingerprint")
        if found != self.fingerprint:
            different = sorted(
                key
                for key in {*self.fingerprint, *(found or {})}
                if (found or {}).get(key) != self.fingerprint.get(key)
            )
            raise ArtifactError(
                f"The checkpoint in '{self.path}' is of another run: {', '.join(different)} "
                "differ. Give another checkpoint_dir, or delete this one."
            )
        tensors = {
            name: torch.from_numpy(value.copy()).to(device)
            for name, value in artifact.arrays.items()
        }
        return tensors, artifact.documents["progress"]


def pack_state(name: str, module: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return copies of a module's weights and Adam's state, under keys that start with `name`."""
    tensors = {f"{name}.{key}": value.clone() for key, value in module.state_dict().items()}
    for k, parameter in enumerate(module.parameters()):
        for key, value in optimiser.state.get(parameter, {}).items():
            tensors[f"{name}-adam.{k}.{key}"] = value.clone()
    return tensors


def unpack_state(
    name: str, module: nn.Module, optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]
) -> None:
    """Reverse :func:`pack_state`."""
    prefix = f"{name}."
    module.load_state_dict(
        {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    )
    optimiser.state.clear()
    for k, parameter in enumerate(module.parameters()):
        prefix = f"{name}-adam.{k}."
        state = {
            key.removeprefix(prefix): _laid_out_as(parameter, value)
            for key, value in tensors.items()
            if key.startswith(prefix)
        }
        if state:
            optimiser.state[parameter] = state


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """Return a copy with the strides of the parameter: fused optimisers go by memory, not index."""
    if value.shape != parameter.shape:
        return value.clone()
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value).detach()
