"""Small detectors that tests share; tests must not change them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen import GANSynthesizer
from synthgen.anomaly import GANOutlierDetector
from synthgen.models.image import ImageGANSynthesizer
from synthgen.train.recipe import Recipe


@pytest.fixture(scope="session")
def related() -> pd.DataFrame:
    """Return 800 rows in which columns depend on each other, with gaps."""
    rng = np.random.default_rng(0)
    size = 800
    height = rng.normal(170.0, 10.0, size)
    kind = rng.choice(["a", "b", "c"], size)
    frame = pd.DataFrame(
        {
            "height": height,
            "weight": 0.9 * height - 85.0 + rng.normal(0.0, 2.0, size),
            "kind": kind,
            "group": np.where(kind == "a", "x", np.where(kind == "b", "y", "z")),
            "count": rng.integers(0, 50, size),
        }
    )
    frame.loc[rng.random(size) < 0.1, "weight"] = np.nan
    return frame


@pytest.fixture(scope="session")
def table_detector(related: pd.DataFrame, tiny: Recipe) -> GANOutlierDetector:
    synthesizer = GANSynthesizer(preset=tiny, refine=False)
    return GANOutlierDetector(synthesizer=synthesizer, random_state=0).fit(related)


@pytest.fixture(scope="session")
def pictures() -> np.ndarray:
    """Return 120 images of one bright bar on the left half."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 30, (120, 8, 8)).astype(np.uint8)
    for image in images:
        image[:, rng.integers(1, 4)] += np.uint8(200)
    return images


@pytest.fixture(scope="session")
def image_detector(pictures: np.ndarray) -> GANOutlierDetector:
    synthesizer = ImageGANSynthesizer(max_steps=20, batch_size=16, random_state=0)
    return GANOutlierDetector(synthesizer=synthesizer, random_state=0).fit(pictures)
