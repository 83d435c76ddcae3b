"""scikit-learn's own checks of classifier and imputer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from synthgen import IndependentColumns
from synthgen.augment import AugmentedClassifier, SyntheticImputer

_GENERATOR = "the generator knows no weights, so repeating a row is not the same as weighing it"
#: Checks that cannot hold, and why.
CANNOT_HOLD: Final = {
    "check_sample_weight_equivalence_on_dense_data": _GENERATOR,
}


@parametrize_with_checks(
    [
        AugmentedClassifier(
            LogisticRegression(),
            IndependentColumns(),
            labels="hard",
            blend=("real", "balanced"),
            n_synthetic=20,
            random_state=0,
        ),
        SyntheticImputer(IndependentColumns(), random_state=0),
    ],
    expected_failed_checks=lambda estimator: CANNOT_HOLD,
)
def test_estimator_contract(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
