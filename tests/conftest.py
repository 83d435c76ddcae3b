"""Settings and small tables that all tests share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from synthgen import GANSynthesizer
    from synthgen.train.recipe import Recipe

# Tensors of tests are tiny: more threads only wait for each other. Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run, and no limits in wall-clock time: machines differ.
settings.register_profile("synthgen", deadline=None, derandomize=True)
settings.load_profile("synthgen")


@pytest.fixture(scope="session")
def people() -> pd.DataFrame:
    """Return 300 rows of a small table with numbers, categories, dates and gaps."""
    rng = np.random.default_rng(0)
    size = 300
    age = rng.integers(18, 80, size)
    frame = pd.DataFrame(
        {
            "age": age,
            "income": np.round(20_000 + 400 * age + rng.normal(0, 5_000, size), 2),
            "sex": rng.choice(["Female", "Male"], size),
            "city": rng.choice(["Paris", "Oslo", "Rome", "Bern"], size, p=[0.4, 0.3, 0.2, 0.1]),
            "member": rng.random(size) < 0.3,
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, size), "D"),
        }
    )
    frame.loc[rng.random(size) < 0.1, "income"] = np.nan
    return frame


@pytest.fixture(scope="session")
def tiny() -> Recipe:
    """Return a recipe that trains in a moment."""
    from synthgen.train.recipe import Recipe
    from synthgen.train.terms import TermSpec

    return Recipe(
        name="tiny",
        terms=(TermSpec("moments"), TermSpec("zero_centred_penalty")),
        warmup=0.5,
        latent=8,
        width=16,
        blocks=1,
        critic_width=16,
        critic_blocks=1,
        batch_size=64,
        steps=60,
        generator_rate=5e-3,
        ema=0.9,
    )


@pytest.fixture(scope="session")
def gan(people: pd.DataFrame, tiny: Recipe) -> GANSynthesizer:
    """Return a small synthesizer fitted to ``people``. Tests must not change it."""
    from synthgen import GANSynthesizer

    return GANSynthesizer(preset=tiny, random_state=0).fit(people)
