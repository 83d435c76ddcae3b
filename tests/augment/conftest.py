"""A table with a rare class, and generators that cost next to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def churn() -> tuple[pd.DataFrame, pd.Series]:
    """Return 240 rows of mixed types with gaps, and a label that a tenth of them has."""
    rng = np.random.default_rng(0)
    n = 240
    y = pd.Series(np.arange(n) % 10 == 0, name="churned")
    usage = rng.normal(0, 1, n) - 1.5 * y
    frame = pd.DataFrame(
        {
            "usage": usage.where(rng.random(n) > 0.1),
            "plan": pd.Categorical(rng.choice(["S", "M", "L"], n)),
            "calls": rng.integers(0, 30, n),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
        }
    )
    return frame, y


class Noise:
    """A generator of images: noise around a grey that is the code of the class."""

    def fit(self, X: Any, y: Any = None) -> Noise:
        self.shape_, self.dtype_ = X.shape[1:], X.dtype
        self.codes_ = np.asarray(y)
        return self

    def sample(
        self, n: int, y: Any = None, random_state: Any = None, *, return_labels: bool = False
    ) -> Any:
        rng = np.random.default_rng(random_state)
        codes = rng.choice(self.codes_, n) if y is None else np.asarray(y)
        grey = 100 * codes.reshape(-1, *[1] * len(self.shape_))
        images = (grey + rng.integers(0, 20, (n, *self.shape_))).astype(self.dtype_)
        return (images, codes) if return_labels else images


@pytest.fixture
def noise() -> Noise:
    return Noise()


@pytest.fixture(scope="session")
def shades() -> tuple[np.ndarray, np.ndarray]:
    """Return 40 images of two greys, and which grey; the second one is rare."""
    y = (np.arange(40) % 8 == 0).astype(int)
    images = np.random.default_rng(0).integers(0, 20, (40, 8, 8)) + 100 * y[:, None, None]
    return images.astype(np.uint8), y
