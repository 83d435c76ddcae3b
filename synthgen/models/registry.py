"""Synthesizers by the name of their class, for loading saved models."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from synthgen.core.serialize import load_artifact
from synthgen.errors import ArtifactError

if TYPE_CHECKING:
    from synthgen.models.base import BaseSynthesizer

SYNTHESIZERS: Final[dict[str, str]] = {
    "GANSynthesizer": "synthgen.models.tabular",
    "ImageGANSynthesizer": "synthgen.models.image",
    "IndependentColumns": "synthgen.models.baseline",
    "GaussianCopula": "synthgen.models.baseline",
}


def load_synthesizer(path: str | os.PathLike[str], **options: Any) -> BaseSynthesizer:
    """Load a saved model of whichever class it is.

    Parameters
    ----------
    path : path-like
        Directory written by ``save``.
    **options
        Passed to the class's ``load``.

    Returns
    -------
    BaseSynthesizer
        The fitted synthesizer.

    Raises
    ------
    ArtifactError
        If it is not a saved synthesizer, or damaged.
    """
    artifact = load_artifact(path)
    name = artifact.config.get("class")
    if not isinstance(name, str) or name not in SYNTHESIZERS:
        raise ArtifactError(f"'{Path(path)}' holds no synthesizer but a {name!r}.")
    synthesizer = getattr(import_module(SYNTHESIZERS[name]), name)
    loaded: BaseSynthesizer = synthesizer.from_artifact(artifact, **options)
    return loaded
