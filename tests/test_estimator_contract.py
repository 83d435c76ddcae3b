"""scikit-learn's own checks of what an estimator has to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from synthgen import GANSynthesizer, GaussianCopula, IndependentColumns
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

#: Checks that cannot hold, and why.
CANNOT_HOLD: Final[dict[str, str]] = {}


def expected_failures(estimator: Any) -> dict[str, str]:
    return CANNOT_HOLD


# Some checks fit two rows or columns of random numbers, which look like keys or are too many kinds.
@pytest.mark.filterwarnings("ignore::synthgen.errors.DataWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [
        GANSynthesizer(preset=SMALL, max_steps=2, refine=False, random_state=0),
        IndependentColumns(random_state=0),
        GaussianCopula(random_state=0),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_contract(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
