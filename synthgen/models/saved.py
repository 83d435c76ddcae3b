"""A trained sampler as facts, arrays and texts, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from synthgen.core.device import supports_bfloat16
from synthgen.core.random import isolated_torch_rng
from synthgen.core.serialize import Artifact
from synthgen.data.schema import Schema
from synthgen.encode.calibrate import Calibration
from synthgen.encode.layout import Layout
from synthgen.encode.table import TableEncoder
from synthgen.sample.correct import Corrections
from synthgen.sample.draw import RowSource
from synthgen.sample.rake import Raking
from synthgen.sample.refine import Refiner
from synthgen.sample.sampler import Sampler
from synthgen.train.conditioning import Conditioning
from synthgen.train.detection import gates_of
from synthgen.train.recipe import Recipe
from synthgen.train.table import build_generator

_REFINER = "refiner.txt"


def pack_sampler(
    sampler: Sampler, recipe: Recipe
) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, str]]:
    """Return JSON facts, arrays and text files that hold the sampler."""
    facts, arrays = sampler.encoder.to_state()
    weights = sampler.source.generator.state_dict()
    arrays |= {f"generator.{name}": value.cpu().numpy() for name, value in weights.items()}
    config: dict[str, Any] = {"recipe": recipe.to_json(), "encoders": facts, "refiner": None}
    texts = {}
    if sampler.refiner is not None:
        refiner = sampler.refiner
        config["refiner"] = {name: getattr(refiner, name) for name in ("pool", "scale", "temper")}
        arrays["refiner.shares"] = refiner.raking.shares
        arrays["refiner.factors"] = refiner.raking.log_factors
        if refiner.model is not None:
            texts[_REFINER] = refiner.model
    config["calibrated"] = sampler.calibration is not None
    if sampler.calibration is not None:
        arrays["calibration.generated"] = sampler.calibration.generated
        arrays["calibration.real"] = sampler.calibration.real
    config["corrections"] = []
    if sampler.corrections is not None:
        config["corrections"], curves, trees = sampler.corrections.to_state()
        arrays |= curves
        texts |= trees
    conditioning = sampler.source.conditioning
    config["condition_blocks"] = [] if conditioning is None else conditioning.blocks
    return config, arrays, texts


def unpack_sampler(
    artifact: Artifact, schema: Schema, device: torch.device
) -> tuple[Sampler, Recipe]:
    """Rebuild a sampler on `device` from what :func:`pack_sampler` returned.

    Raises
    ------
    KeyError, TypeError or ValueError
        If something is missing or does not fit; the caller turns it into an ``ArtifactError``.
    """
    config, arrays = artifact.config, artifact.arrays
    encoder = TableEncoder.from_state(schema, config["encoders"], arrays)
    layout = encoder.layout
    recipe = Recipe.from_json(config["recipe"])
    source = _source(layout, recipe, config["condition_blocks"], arrays, device)
    refiner = calibration = None
    if config["refiner"] is not None:
        raking = Raking(layout, arrays["refiner.shares"], arrays["refiner.factors"])
        refiner = Refiner(artifact.texts.get(_REFINER), raking, **config["refiner"])
    if config["calibrated"]:
        curves = (arrays["calibration.generated"], arrays["calibration.real"])
        calibration = Calibration(*curves, gates_of(layout))
    corrections = None
    if config.get("corrections"):  # models of earlier versions have none
        corrections = Corrections.from_state(layout, config["corrections"], arrays, artifact.texts)
    return Sampler(encoder, source, refiner, calibration, corrections), recipe


def _source(
    layout: Layout,
    recipe: Recipe,
    blocks: list[int],
    arrays: dict[str, np.ndarray],
    device: torch.device,
) -> RowSource:
    conditioning = Conditioning(layout, blocks) if blocks else None
    width = 0 if conditioning is None else conditioning.width
    with isolated_torch_rng(0, "weights"):
        network = build_generator(
            layout, recipe, condition=width, low_precision=supports_bfloat16(device)
        )
    weights = {
        name.removeprefix("generator."): torch.from_numpy(value.copy())
        for name, value in arrays.items()
        if name.startswith("generator.")
    }
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"the weights do not fit the networks: {error}") from error
    return RowSource(network.to(device).requires_grad_(False).eval(), conditioning)
