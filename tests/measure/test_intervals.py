import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from synthgen.errors import InvalidDataError
from synthgen.measure.intervals import clopper_pearson, delong_interval


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (7, 400)])
def test_clopper_pearson_equals_scipy(k, n):
    expected = stats.binomtest(k, n).proportion_ci(0.9, method="exact")
    np.testing.assert_allclose(clopper_pearson(k, n, level=0.9), expected, atol=1e-9)


def test_clopper_pearson_without_trials_says_nothing():
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_delong_by_hand():
    # Placements: of .8 below both (1), of .4 above one of two (.5); of .1: 1, of .5: .5.
    area, low, high = delong_interval([0.8, 0.4], [0.1, 0.5])
    half = 1.959963984540054 * np.sqrt(0.125 / 2 + 0.125 / 2)
    assert area == 0.75
    np.testing.assert_allclose([low, high], [max(0, 0.75 - half), min(1, 0.75 + half)], atol=1e-9)


def test_perfect_separation_has_an_exact_interval():
    area, low, high = delong_interval([2.0] * 20, [1.0] * 30)
    assert area == 1.0
    assert high == 1.0
    np.testing.assert_allclose(low, 0.025 ** (1 / 20), atol=1e-9)


def test_nan_is_refused():
    with pytest.raises(InvalidDataError, match="NaN"):
        delong_interval([np.nan, 1.0], [0.0, 1.0])


def test_coverage_of_delong():
    rng = np.random.default_rng(0)
    truth = stats.norm.cdf(1 / np.sqrt(2))
    inside = 0
    for _ in range(400):
        _, low, high = delong_interval(rng.normal(1, 1, 80), rng.normal(0, 1, 60))
        inside += low <= truth <= high
    assert 0.92 <= inside / 400 <= 0.98


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=2, max_size=12),
    st.lists(st.integers(0, 5), min_size=2, max_size=12),
)
def test_swapping_the_classes_mirrors_the_interval(first, second):
    area, low, high = delong_interval(first, second)
    other, below, above = delong_interval(second, first)
    np.testing.assert_allclose([area, low, high], [1 - other, 1 - above, 1 - below], atol=1e-9)


def test_many_comparisons_of_few_rows_raise_no_more_alarms_than_they_may() -> None:
    rng = np.random.default_rng(0)
    level = 1 - 0.05 / 40
    alarms = {True: 0, False: 0}
    for _ in range(2_000):
        inside, outside = rng.normal(size=10), rng.normal(size=10)
        for on_logits in alarms:
            alarms[on_logits] += (
                delong_interval(inside, outside, level=level, on_logits=on_logits)[1] > 0.5
            )
    assert alarms[True] <= 4
    assert alarms[False] > 6
    large = rng.normal(0.3, size=4_000), rng.normal(size=4_000)
    plain, logits = (delong_interval(*large, on_logits=on) for on in (False, True))
    assert logits == pytest.approx(plain, abs=1e-4)
