import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.privacy.attacks.judge import Population, halves, judge
from synthgen.privacy.attacks.result import AttackResult, plain
from tests.privacy.attacks.toys import population


def test_halves_have_half_of_each_side():
    member = np.repeat([True, False], [10, 7])
    chosen = halves(member, np.random.default_rng(0))
    assert (chosen & member).sum() == 5
    assert (chosen & ~member).sum() == 3


def test_a_perfect_attack_by_hand():
    rows = population(200, 200)
    result = judge("a", "t", {"one": rows.member.astype(float)}, rows)
    assert result.auc == 1.0
    assert result.advantage == 1.0
    # A hundred of a hundred found, none taken: both rates by Clopper-Pearson at half the error.
    bound = 1 - 0.025 ** (1 / 100)
    assert result.epsilon_lower == pytest.approx(math.log((1 - bound) / bound), abs=1e-9)
    # Known power of a perfect attack with a hundred rows on each side.
    assert result.epsilon_lower == pytest.approx(3.28, abs=0.01)
    assert result.tpr_at_1pct.value == 1.0
    assert result.tpr_at_1pct.low == pytest.approx(betaincinv(100, 1, 0.025))
    assert result.fpr_at_1pct.count == 0
    assert result.tpr_at_01pct is None
    assert any("needs 2000 holdout rows" in note for note in result.notes)


def test_variant_and_thresholds_come_from_the_choosing_half():
    rows = population(40, 40)
    good = np.where(rows.choosing, rows.member, ~rows.member).astype(float)
    fair = np.where(rows.choosing, 0.0, rows.member.astype(float))
    result = judge("a", "t", {"fair": fair, "good": good}, rows)
    assert result.variant == "good"
    assert result.auc_choosing == 1.0
    assert result.auc == 0.0
    assert result.advantage == -1.0
    assert result.epsilon_lower == 0.0


def test_a_threshold_without_false_alarms_still_gives_a_bound():
    rows = population(400, 400)
    scores = rows.member.astype(float) + np.linspace(0, 0.5, 800)
    assert judge("a", "t", {"s": scores}, rows).epsilon_lower > 3.9


def test_delta_lowers_the_bound():
    rows = population(200, 200)
    scores = {"s": rows.member.astype(float)}
    with_delta = judge("a", "t", scores, rows, delta=0.1).epsilon_lower
    assert with_delta < judge("a", "t", scores, rows).epsilon_lower


def test_more_comparisons_widen_the_simultaneous_interval():
    rows = population(100, 100)
    scores = {"s": np.random.default_rng(0).normal(size=200)}
    one, many = (judge("a", "t", scores, rows, comparisons=n) for n in (1, 20))
    assert one.auc_simultaneous == one.auc_interval == many.auc_interval
    assert many.auc_simultaneous[0] < one.auc_interval[0]
    assert many.auc_simultaneous[1] > one.auc_interval[1]


def test_random_scores_are_no_leak():
    bounds, inside = [], []
    for seed in range(100):
        rows = population(100, 100, seed)
        scores = np.random.default_rng(seed).normal(size=200)
        result = judge("a", "t", {"s": scores, "t": scores**2}, rows)
        bounds.append(result.epsilon_lower == 0)
        inside.append(result.auc_interval[0] <= 0.5 <= result.auc_interval[1])
    assert np.mean(bounds) >= 0.95
    assert np.mean(inside) >= 0.9


def test_no_power_is_said():
    rows = population(100, 100)
    constant = judge("a", "t", {"s": np.zeros(200)}, rows)
    assert constant.auc == 0.5
    assert not constant.has_power
    small = judge("a", "t", {"s": np.arange(20.0)}, population(10, 10))
    assert "only areas above" in small.warnings[0]


def test_too_few_rows_and_nan_are_refused():
    rows = Population("r", np.arange(4), np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool))
    with pytest.raises(InvalidDataError, match="two members"):
        judge("a", "t", {"s": np.arange(4.0)}, rows)
    with pytest.raises(InvalidDataError, match="left 1 scores"):
        judge("a", "t", {"s": np.append(np.arange(39.0), np.nan)}, population(20, 20))


def test_results_are_never_nan_and_plain():
    with pytest.raises(InvalidParameterError, match="finite"):
        AttackResult("a", "r", "t", auc=float("nan"))
    rows = population(100, 100)
    document = judge("a", "t", {"s": np.arange(200.0)}, rows).to_dict()
    assert document["tpr_at_1pct"] is None
    assert document["roc"][0][0] == 0.0
    assert plain({1: np.float64("inf"), "b": (np.int64(2), object)})["1"] is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 50), st.floats(-5, 5))
def test_a_monotone_change_of_scores_changes_nothing(seed, factor, shift):
    rows = population(30, 30)
    scores = np.round(np.random.default_rng(seed).normal(size=60), 2)
    first, second = (judge("a", "t", {"s": own}, rows) for own in (scores, factor * scores + shift))
    assert first.auc == second.auc
    assert first.epsilon_lower == second.epsilon_lower
    assert first.advantage == second.advantage


def test_the_curve_is_kept_where_false_alarms_are_few():
    # Of 2,000 reported holdout rows just two are above the members that are surely found.
    member = np.repeat([True, False], 4_000)
    scores = np.random.default_rng(0).normal(size=8_000)
    scores[:400] += 100
    scores[4_000:4_008] += 200
    choosing = np.arange(8_000) % 2 == 0
    own = Population("random", np.arange(8_000), member, choosing)
    false, true = map(np.array, judge("a", "", {"s": scores}, own).roc)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert (np.diff(false) >= 0).all()
    assert (np.diff(true) >= 0).all()
    assert true[np.flatnonzero(false == 0.002)[-1]] == pytest.approx(0.1, abs=0.002)
    # Even steps alone would have one point or two here.
    assert ((false >= 1e-3) & (false <= 1e-2)).sum() > 8


def test_every_interval_has_the_level_that_was_asked_for():
    rows = population(200, 200)
    rng = np.random.default_rng(0)
    scores = {"one": rows.member + rng.normal(0, 2, 400)}
    low, usual, high = (judge("a", "t", scores, rows, level=level) for level in (0.6, 0.95, 0.999))
    for name in ("auc_interval", "advantage_interval"):
        widths = [np.ptp(getattr(each, name)) for each in (low, usual, high)]
        assert widths[0] < widths[1] < widths[2]


def test_many_comparisons_make_less_detectable():
    rows = population(400, 400)
    scores = {"one": np.random.default_rng(0).normal(size=800)}
    one, many = (judge("a", "t", scores, rows, comparisons=n) for n in (1, 12))
    error = math.sqrt(401 / (12 * 200 * 200))
    assert one.detectable_auc == pytest.approx(0.5 + (1.959964 + 0.841621) * error)
    # 1 - .05 / 12 on both sides, and 80 % of the findings.
    assert many.detectable_auc == pytest.approx(0.5 + (2.865201 + 0.841621) * error, abs=1e-5)
