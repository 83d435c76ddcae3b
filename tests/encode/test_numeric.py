from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from synthgen.encode.base import Resolution
from synthgen.encode.layout import FAR, REST
from synthgen.encode.numeric import NumericEncoder, bin_middles
from synthgen.encode.wanted import Between, Wanted
from synthgen.errors import ConditionError
from tests.encode.columns import RESOLUTION

FEW = Resolution(bins=8, few=4, spike=0.1, atom=0.05, knots=10_000)


def round_trip(values: np.ndarray, resolution: Resolution, seed: int | None = 0) -> np.ndarray:
    encoder = NumericEncoder.fit(values, resolution)
    rng = None if seed is None else np.random.default_rng(seed)
    return encoder.inverse(*encoder.transform(values, rng))


def normal(n: int = 2_000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n)


def test_few_values_get_a_state_each() -> None:
    values = np.array([3.0, 1.0, np.nan, 1.0])
    encoder = NumericEncoder.fit(values, RESOLUTION)
    assert encoder.levels.tolist() == [1.0, 3.0]
    assert encoder.frequencies.tolist() == [0.5, 0.25, 0.25]
    codes, scores = encoder.transform(values)
    assert codes.tolist() == [[1], [0], [2], [0]]
    assert scores.shape == (4, 0)
    assert encoder.heads == ()
    np.testing.assert_array_equal(encoder.inverse(codes, scores), values)


def test_many_values_get_a_head() -> None:
    values = normal()
    encoder = NumericEncoder.fit(values, RESOLUTION)
    assert encoder.blocks == ()
    (head,) = encoder.heads
    assert head.gate is None
    assert head.bins == RESOLUTION.bins
    assert (head.edges[0], head.edges[-1]) == (-FAR, FAR)
    codes, scores = encoder.transform(values)
    assert codes.shape == (2_000, 0)
    assert scores.mean() == pytest.approx(0.0, abs=1e-3)
    assert scores.std() == pytest.approx(1.0, abs=5e-3)
    assert np.corrcoef(scores[:, 0], values)[0, 1] > 0.99


def test_scores_are_normal_whatever_the_distribution() -> None:
    values = np.exp(3 * normal())
    _, scores = NumericEncoder.fit(values, RESOLUTION).transform(values)
    assert scores.std() == pytest.approx(1.0, abs=5e-3)
    shares = np.mean(scores < np.array([-1.0, 0.0, 1.0]), axis=0)
    assert shares == pytest.approx(ndtr([-1.0, 0.0, 1.0]), abs=5e-3)


def test_spikes_and_gaps_gate_the_head() -> None:
    values = normal(1_000)
    values[:300], values[300:400] = 0.0, np.nan
    encoder = NumericEncoder.fit(values, RESOLUTION)
    assert encoder.levels.tolist() == [0.0]
    assert encoder.frequencies.tolist() == pytest.approx([0.6, 0.3, 0.1])
    assert encoder.heads[0].gate == 0
    codes, scores = encoder.transform(values)
    assert set(codes[:300, 0]) == {1}
    assert set(codes[300:400, 0]) == {2}
    assert set(codes[400:, 0]) == {REST}
    assert (scores[:400] == 0).all()
    back = encoder.inverse(codes, scores)
    np.testing.assert_array_equal(back[:400], values[:400])
    np.testing.assert_allclose(back[400:], values[400:], rtol=1e-2, atol=2e-2)


def test_frequent_values_are_atoms() -> None:
    """A tenth of the rows is 7: one bin, in the middle of which they all sit."""
    resolution = Resolution(bins=8, few=4, spike=0.5, atom=0.05)
    values = np.append(np.random.default_rng(0).uniform(0, 10, 900), np.full(100, 7.0))
    encoder = NumericEncoder.fit(values, resolution)
    assert encoder.atoms.sum() == 1
    _, scores = encoder.transform(values, np.random.default_rng(0))
    at_seven = np.unique(scores[900:])
    assert len(at_seven) == 1
    middle = bin_middles(encoder.edges)[encoder.atoms]
    assert at_seven == pytest.approx(middle)
    assert encoder.inverse(np.empty((1, 0), np.int32), at_seven[:, None])[0] == 7.0


@given(
    st.lists(
        st.one_of(st.just(float("nan")), st.integers(-50, 50).map(float)), min_size=1, max_size=60
    )
)
def test_levels_round_trip(values: list[float]) -> None:
    array = np.array(values)
    resolution = Resolution(few=200)
    np.testing.assert_array_equal(round_trip(array, resolution), array)


@given(st.lists(st.integers(-20, 20).map(float), min_size=2, max_size=80), st.integers(0, 5))
def test_repeated_values_in_a_head_round_trip(values: list[float], seed: int) -> None:
    """With fewer rows than knots and values that many share, decoding is exact for any spread."""
    array = np.repeat(np.array(values), 10)
    np.testing.assert_array_equal(round_trip(array, FEW, seed), array)


def test_values_of_few_rows_are_not_repeated() -> None:
    """Their neighbourhood is, and the values that many rows share are, as often as they were."""
    rng = np.random.default_rng(0)
    own = np.repeat(rng.uniform(0, 100, 300).round(4), rng.integers(1, 10, 300))
    values = np.append(own, np.repeat([25.5, 50.5], 40))
    encoder = NumericEncoder.fit(values, FEW)
    ranks = rng.uniform(0, 1, 20_000)
    none = np.zeros((len(ranks), 0), np.int32)
    drawn = encoder.inverse(none, ndtri(ranks)[:, None].astype(np.float32)).round(4)
    assert np.isin(drawn, own).mean() < 0.01
    expected = 40 / len(values)
    assert np.mean(drawn == 25.5) == pytest.approx(expected, rel=0.1)
    tenths = np.linspace(0, 1, 11)[1:-1]
    np.testing.assert_allclose(np.quantile(drawn, tenths), np.quantile(values, tenths), atol=2.0)
    assert own.min() <= drawn.min()
    assert drawn.max() <= own.max()


def test_members_of_a_dense_grid_are_no_likelier_than_others() -> None:
    """Every other row number was taken; those in between come back as often."""
    rng = np.random.default_rng(0)
    taken = np.sort(rng.choice(4_000, 2_000, replace=False)).astype(np.float64)
    encoder = NumericEncoder.fit(taken, RESOLUTION)
    ranks = rng.uniform(0, 1, 40_000)
    none = np.zeros((len(ranks), 0), np.int32)
    drawn = encoder.inverse(none, ndtri(ranks)[:, None].astype(np.float32))
    assert np.isin(drawn, taken).mean() == pytest.approx(0.5, abs=0.03)
    assert (drawn == np.round(drawn)).all()


@given(
    st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=10, max_size=60, unique=True)
)
def test_smooth_values_come_back_nearly(values: list[float]) -> None:
    """Each value decodes to itself, up to float32, or on a grid to one between its neighbours."""
    array = np.sort(np.array(values))
    back = round_trip(array, FEW, None)
    off = np.abs(back - array)
    close = off <= 1e-4 * np.ptp(array) + 1e-9
    span = array[9:] - array[:-9]
    grid = 100 * NumericEncoder.fit(array, FEW).step
    if not len(span) or span.min() > grid:
        assert close.all()
    places = np.arange(len(array))
    lowest, highest = (
        array[np.maximum(places - 10, 0)],
        array[np.minimum(places + 10, len(array) - 1)],
    )
    assert ((lowest - 1e-6 <= back) & (back <= highest + 1e-6) | close).all()


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50), st.floats(-6, 6))
def test_decoded_values_stay_within_the_range(values: list[float], score: float) -> None:
    array = np.array(values)
    encoder = NumericEncoder.fit(array, FEW)
    if encoder.has_head:
        codes = np.zeros((1, len(encoder.blocks)), np.int32)
        (value,) = encoder.inverse(codes, np.array([[score]], np.float32))
        assert np.isnan(value) or array.min() <= value <= array.max()


def test_quantiles_are_thinned_with_both_ends() -> None:
    values = normal(5_000)
    encoder = NumericEncoder.fit(values, RESOLUTION)
    assert len(encoder.knots) == RESOLUTION.knots
    assert (encoder.knots[0], encoder.knots[-1]) == (values.min(), values.max())


def test_unknown_values_have_no_state() -> None:
    encoder = NumericEncoder.fit(np.array([1.0, 2.0]), RESOLUTION)
    codes, _ = encoder.transform(np.array([1.5, np.nan, 2.0]))
    assert codes[:, 0].tolist() == [-1, -1, 1]


def test_values_beyond_the_range_have_extreme_scores() -> None:
    values = normal()
    encoder = NumericEncoder.fit(values, RESOLUTION)
    _, scores = encoder.transform(np.array([-1e9, 1e9]))
    assert scores[0, 0] < -3
    assert scores[1, 0] > 3
    assert np.isfinite(scores).all()


def test_a_column_of_only_gaps() -> None:
    values = np.full(5, np.nan)
    np.testing.assert_array_equal(round_trip(values, RESOLUTION), values)


class TestConditions:
    encoder = NumericEncoder.fit(np.array([1.0, 2.0, 2.0, np.nan]), RESOLUTION)

    @pytest.mark.parametrize(
        ("wanted", "weights"),
        [
            (Wanted((2.0,)), [0, 1, 0]),
            (Wanted((1.0,), missing=True), [1, 0, 1]),
            (Wanted(missing=True), [0, 0, 1]),
            (Wanted(between=Between(1.5, None)), [0, 1, 0]),
            (Wanted(between=Between(None, 5)), [1, 1, 0]),
        ],
    )
    def test_states(self, wanted: Wanted, weights: list[float]) -> None:
        (states,) = self.encoder.condition("c", wanted).states
        assert states is not None
        assert states.tolist() == weights

    @pytest.mark.parametrize("wanted", [Wanted((5.0,)), Wanted(between=Between(1.1, 1.9))])
    def test_impossible(self, wanted: Wanted) -> None:
        with pytest.raises(ConditionError, match=r"column 'c'.*values lie between 1 and 2"):
            self.encoder.condition("c", wanted)

    def test_missing_without_gaps(self) -> None:
        encoder = NumericEncoder.fit(np.array([1.0, 2.0]), RESOLUTION)
        with pytest.raises(ConditionError, match="'c' had no missing cells"):
            encoder.condition("c", Wanted(missing=True))


@pytest.fixture(scope="module")
def gated() -> NumericEncoder:
    values = normal(3_000)
    values[:600], values[600:900] = 0.0, np.nan
    return NumericEncoder.fit(values, RESOLUTION)


def test_a_range_cuts_the_head_and_keeps_spikes_inside(gated: NumericEncoder) -> None:
    cells = gated.condition("c", Wanted(between=Between(-1, 1)))
    assert cells.states[0] is not None
    assert cells.states[0].tolist() == [1, 1, 0]
    low, high = cells.intervals[0] or (0.0, 0.0)
    assert ndtr(high) - ndtr(low) == pytest.approx(0.68, abs=0.03)
    outside = gated.condition("c", Wanted(between=Between(1, 2)))
    assert outside.states[0] is not None
    assert outside.states[0].tolist() == [1, 0, 0]


def test_scores_in_the_interval_decode_into_the_range(gated: NumericEncoder) -> None:
    cells = gated.condition("c", Wanted(between=Between(0.5, 0.9)))
    low, high = cells.intervals[0] or (0.0, 0.0)
    scores = np.linspace(low, high, 101)[1:-1, None]
    values = gated.inverse(np.zeros((99, 1), np.int32), scores)
    assert values.min() >= 0.5 - 0.01
    assert values.max() <= 0.9 + 0.01


def test_an_open_range_reaches_the_ends(gated: NumericEncoder) -> None:
    cells = gated.condition("c", Wanted(between=Between(None, 100)))
    assert cells.intervals == ((-np.inf, np.inf),)


def test_a_single_number_gets_a_narrow_interval(gated: NumericEncoder) -> None:
    cells = gated.condition("c", Wanted((0.5,)))
    low, high = cells.intervals[0] or (0.0, 0.0)
    assert 0 < ndtr(high) - ndtr(low) < 0.01
    middle = np.array([[(low + high) / 2]])
    assert gated.inverse(np.zeros((1, 1), np.int32), middle)[0] == pytest.approx(0.5, abs=0.02)


def test_a_spike_alone_closes_the_head(gated: NumericEncoder) -> None:
    cells = gated.condition("c", Wanted((0.0,)))
    assert cells.states[0] is not None
    assert cells.states[0].tolist() == [0, 1, 0]


def test_beyond_the_range_nothing_is_found(gated: NumericEncoder) -> None:
    for wanted in (Wanted(between=Between(50, 60)), Wanted((50.0,))):
        with pytest.raises(ConditionError, match="No value of column 'c'"):
            gated.condition("c", wanted)


@pytest.mark.parametrize(
    "values", [np.array([1.0, np.nan, 2.0]), normal(), np.append(normal(), np.full(400, np.nan))]
)
def test_an_encoder_comes_back_from_its_state(values: np.ndarray) -> None:
    encoder = NumericEncoder.fit(values, RESOLUTION)
    again = NumericEncoder.from_state(*encoder.to_state())
    for first, second in zip(encoder.transform(values), again.transform(values), strict=True):
        np.testing.assert_array_equal(first, second)
    state: dict[str, Any] = again.to_state()[0]
    assert state == encoder.to_state()[0]


@given(st.lists(st.integers(0, 6).map(float), min_size=5, max_size=200))
def test_bins_cover_all_ranks_and_atoms_fit(values: list[float]) -> None:
    resolution = Resolution(bins=8, few=1, spike=2.0, atom=0.1)
    encoder = NumericEncoder.fit(np.array(values), resolution)
    if encoder.has_head:
        assert (np.diff(encoder.edges) > 0).all()
        assert len(encoder.atoms) == len(encoder.edges) - 1
        array = np.array(values)
        back = encoder.inverse(*encoder.transform(array, np.random.default_rng(0)))
        shared = np.isin(array, encoder.knots[encoder.shared])
        np.testing.assert_array_equal(back[shared], array[shared])
