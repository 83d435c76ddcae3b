"""Whole fits, training included, audited in one run each: many canaries, one model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen import Column, DPMarginals, GANSynthesizer, Schema
from synthgen.privacy.mechanism import audit_one_run
from synthgen.privacy.mechanism_result import MechanismAudit
from tests.privacy.proof import breaks, pipeline

CANARIES, OTHERS, EPSILON = 240, 600, 1.0

SCHEMA = Schema(
    (
        Column("town", "categorical", "object", categories=tuple(f"t{k}" for k in range(CANARIES))),
        Column("flag", "categorical", "object", categories=("no", "yes")),
    )
)


def table(took_part: np.ndarray) -> pd.DataFrame:
    """Return rows in which each canary is alone in its town, or empty: counted nowhere."""
    canaries = pd.DataFrame({"town": [f"t{k}" for k in range(CANARIES)], "flag": "yes"})
    canaries.loc[~took_part] = "?"
    others = pd.DataFrame({"town": ["?"] * OTHERS, "flag": ["no"] * OTHERS})
    return pd.concat([canaries, others], ignore_index=True)


def fit(took_part: np.ndarray) -> GANSynthesizer:
    return GANSynthesizer(
        schema=SCHEMA,
        privacy=DPMarginals(EPSILON, pipeline.DELTA),
        max_steps=20,
        random_state=0,
    ).fit(table(took_part))


def shares_of_towns(model: GANSynthesizer) -> np.ndarray:
    """Return how often the fitted model makes each town, as its encoder says."""
    encoder = model.sampler_.encoder.encoders[0]
    return np.asarray(encoder.shares[encoder.coarse.groups] * encoder.coarse.within)


def audit(seed: int) -> MechanismAudit:
    return audit_one_run(
        fit,
        CANARIES,
        epsilon=EPSILON,
        delta=pipeline.DELTA,
        scores=shares_of_towns,
        random_state=seed,
    )


def test_a_whole_fit_keeps_the_claim() -> None:
    found = audit(0)
    assert found.verdict == "not refuted"
    assert found.ceiling > 2 * EPSILON


def test_a_whole_fit_without_noise_is_caught() -> None:
    with breaks.no_noise():
        found = audit(1)
    assert found.refuted
    assert found.lower == pytest.approx(found.ceiling, abs=1.2)
