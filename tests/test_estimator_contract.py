"""scikit-learn's own checks of what an estimator has to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

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

_MONTE_CARLO = "the copula integrates over categories with one stream of random numbers"
#: Checks that cannot hold, and why.
CANNOT_HOLD: Final[dict[str, dict[str, str]]] = {
    "GaussianCopula": {
        "check_methods_subset_invariance": _MONTE_CARLO,
        "check_methods_sample_order_invariance": _MONTE_CARLO,
    }
}


def expected_failures(estimator: Any) -> dict[str, str]:
    return CANNOT_HOLD.get(type(estimator).__name__, {})


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
