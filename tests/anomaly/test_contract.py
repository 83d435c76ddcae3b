"""scikit-learn's own checks of what an outlier detector has to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from synthgen import GANSynthesizer
from synthgen.anomaly import GANOutlierDetector
from synthgen.train.recipe import Recipe
from synthgen.train.terms import TermSpec

SMALL: Final = Recipe(
    name="small",
    terms=(TermSpec("moments"),),
    warmup=0.5,
    latent=4,
    width=8,
    blocks=1,
    critic_width=8,
    critic_blocks=1,
    batch_size=32,
)


# Some forty checks, each of which fits ten methods several times.
@pytest.mark.slow
@parametrize_with_checks(
    [
        GANOutlierDetector(
            synthesizer=GANSynthesizer(preset=SMALL, max_steps=2, refine=False, random_state=0),
            random_state=0,
        )
    ],
)
def test_outlier_contract(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
