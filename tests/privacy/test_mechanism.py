"""Tests of the auditor on mechanisms whose privacy is known exactly."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from typing import Any

import numpy as np
import pytest

from synthgen.dp.gaussian import gaussian_epsilon, gaussian_mu
from synthgen.errors import InvalidParameterError
from synthgen.privacy.mechanism import audit_mechanism, audit_one_run
from synthgen.privacy.mechanism_bounds import (
    best_threshold,
    one_run_chance,
    one_run_epsilon,
    rate_at_least,
    rate_at_most,
    two_world_epsilon,
)
from synthgen.privacy.mechanism_power import two_world_detectable
from synthgen.privacy.mechanism_scores import Features, flatten


def test_interval_of_a_rate_covers_it() -> None:
    # 20 of 20: the rate p with p^20 = .025; none of 20: its mirror image.
    assert rate_at_least(20, 20, 0.025) == pytest.approx(0.025 ** (1 / 20))
    assert rate_at_most(0, 20, 0.025) == pytest.approx(1 - 0.025 ** (1 / 20))
    assert rate_at_least(0, 20, 0.025) == 0.0
    assert rate_at_most(20, 20, 0.025) == 1.0
    from scipy.stats import binom

    for hits in (1, 7, 19):
        low = float(rate_at_least(hits, 20, 0.05))
        assert binom.sf(hits - 1, 20, low) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("trials", "expected"), [(20, 1.60), (50, 2.57), (100, 3.28), (200, 3.98), (1000, 5.60)]
)
def test_bound_of_a_perfect_attack(trials: int, expected: float) -> None:
    bound = two_world_epsilon(trials, 0, trials, delta=1e-6, level=0.05)
    assert float(bound) == pytest.approx(expected, abs=0.011)


def test_delta_is_taken_off_the_hits() -> None:
    # Hits of delta alone prove nothing: .2 of 1000 at delta = .3.
    assert two_world_epsilon(200, 0, 1000, delta=0.3, level=0.05) == 0.0
    assert two_world_epsilon(200, 0, 1000, delta=0.0, level=0.05) > 3.5
    # Missing nothing proves as much as no false alarm.
    same = [two_world_epsilon(h, a, 500, delta=0.01, level=0.05) for h, a in ((100, 0), (500, 400))]
    assert float(same[0]) == pytest.approx(float(same[1]))


@pytest.mark.parametrize(
    ("right", "guesses", "canaries", "expected"),
    [
        (20, 20, 100, 1.82),
        (50, 50, 200, 2.78),
        (100, 100, 500, 3.48),
        (100, 100, 1000, 3.47),
        (180, 200, 200, 1.80),
        (150, 200, 200, 0.82),
    ],
)
def test_known_bounds_of_one_run(right: int, guesses: int, canaries: int, expected: float) -> None:
    found = one_run_epsilon(right, guesses, canaries, delta=1e-5, level=0.05)
    assert found == pytest.approx(expected, abs=0.011)


def test_one_run_chance_by_hand() -> None:
    # Two guesses, chance 2/3 each: both right 4/9. With delta, one more right guess than one
    # (probability 4/9) or two more than none (8/9 shared by two steps): at most 4/9 a step.
    chance = one_run_chance(2, 2, 5, math.log(2), 0.01)
    assert chance == pytest.approx(4 / 9 + 2 * 5 * 0.01 * max(4 / 9, (4 / 9 + 1 / 9) / 2))
    assert one_run_chance(0, 2, 5, 1.0, 0.01) == 1.0


def test_threshold_is_the_best_and_finds_the_direction() -> None:
    low, high = np.arange(100.0), np.arange(100.0) + 60
    sign, threshold, _ = best_threshold(low, high, trials=100, delta=0.0, level=0.05)
    assert sign == 1.0
    bounds = {
        cut: float(
            two_world_epsilon((high >= cut).sum(), (low >= cut).sum(), 100, delta=0, level=0.05)
        )
        for cut in np.arange(0, 160.5, 0.5)
    }
    assert bounds[threshold] == pytest.approx(max(bounds.values()))
    sign, _, worth = best_threshold(high, low, trials=100, delta=0.0, level=0.05)
    assert sign == -1.0
    assert worth == pytest.approx(max(bounds.values()), abs=2e-3)


def gaussian_mechanism(mu: float, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    return lambda world: world * mu + rng.normal()


def test_gaussian_release_is_nearly_reached_and_never_exceeded() -> None:
    mu = gaussian_mu(1.5, 0.01)
    found = audit_mechanism(
        gaussian_mechanism(mu, 1), 0.0, 1.0, epsilon=1.5, delta=0.01, n_runs=60_000,
        statistic=float, random_state=0,
    )  # fmt: skip
    assert 1.1 < found.lower <= 1.5
    assert found.verdict == "not refuted"
    assert found.detectable is not None
    assert 1.5 < found.detectable < 2.2
    refuted = audit_mechanism(
        gaussian_mechanism(gaussian_mu(3.0, 0.01), 1), 0.0, 1.0, epsilon=1.5, delta=0.01,
        n_runs=5_000, random_state=0,
    )  # fmt: skip
    assert refuted.refuted
    assert refuted.lower <= 3.0


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_randomised_response_is_nearly_exact(epsilon: float) -> None:
    rng = np.random.default_rng(0)
    truth = math.exp(epsilon) / (1 + math.exp(epsilon))

    def respond(world: str) -> str:
        return world if rng.random() < truth else {"yes": "no", "no": "yes"}[world]

    found = audit_mechanism(
        respond, "no", "yes", epsilon=epsilon, delta=0.0, n_runs=20_000, random_state=0
    )
    assert epsilon - 0.12 < found.lower <= epsilon


def test_randomised_response_about_each_canary_in_one_run() -> None:
    rng = np.random.default_rng(0)
    truth = math.exp(1.0) / (1 + math.exp(1.0))

    def respond(took_part: np.ndarray) -> np.ndarray:
        return took_part ^ (rng.random(len(took_part)) > truth)

    found = audit_one_run(respond, 20_000, epsilon=1.0, delta=0.0, n_guesses=20_000, random_state=0)
    assert 0.9 < found.lower <= 1.0
    less = audit_one_run(respond, 20_000, epsilon=0.5, delta=0.0, random_state=0)
    assert less.refuted
    assert less.counts["guesses"] <= 20_000


def test_gaussian_sums_in_one_run() -> None:
    rng = np.random.default_rng(0)
    broken = audit_one_run(
        lambda coins: coins + rng.normal(0, 0.3, len(coins)), 1_000, epsilon=1.0, delta=1e-6,
        random_state=1,
    )  # fmt: skip
    sound = audit_one_run(
        lambda coins: coins + rng.normal(0, 1 / gaussian_mu(1.0, 1e-6), len(coins)), 1_000,
        epsilon=1.0, delta=1e-6, random_state=1,
    )  # fmt: skip
    assert broken.refuted
    assert broken.lower > 2.5
    assert not sound.refuted
    assert sound.lower < 0.5


def test_random_scores_prove_nothing() -> None:
    rng = np.random.default_rng(0)
    runs = 200
    found = [
        audit_mechanism(
            lambda world: rng.normal(size=3), 0, 1, epsilon=1.0, delta=1e-6, n_runs=60,
            random_state=number,
        ).lower
        for number in range(runs)
    ]  # fmt: skip
    # At 95 % confidence 10 of 200 are expected at most; 21 have a chance below .001.
    assert sum(lower > 0 for lower in found) <= 20
    once = [
        audit_one_run(
            lambda coins: rng.normal(size=len(coins)), 100, epsilon=1.0, delta=1e-6, random_state=k
        ).lower
        for k in range(runs)
    ]
    assert sum(lower > 0 for lower in once) <= 20


def test_no_noise_at_all_gives_the_ceiling() -> None:
    found = audit_mechanism(lambda world: 17.0 + world, 0, 1, epsilon=1.0, delta=1e-6, n_runs=100)
    assert found.lower == pytest.approx(found.ceiling)
    assert found.ceiling == pytest.approx(2.57, abs=0.01)
    assert found.counts["hits"] == 50
    assert found.counts["false_alarms"] == 0


def forms() -> dict[str, tuple[Any, Any]]:
    return {
        "a text": ("int64", "float64"),
        "another key": ({"a": 1.0}, {"b": 1.0}),
        "a longer array": (np.ones(3), np.ones(4)),
        "a missing value": ([1.0, 2.0], [1.0, math.nan]),
        "a nested text": ({"columns": [{"kind": "a"}]}, {"columns": [{"kind": "b"}]}),
        "a truth value": ({"nullable": False}, {"nullable": True}),
        "None": ({"native": None}, {"native": "x"}),
    }


@pytest.mark.parametrize("leak", forms())
def test_leaks_of_any_form_are_learnt(leak: str) -> None:
    worlds = forms()[leak]
    rng = np.random.default_rng(0)
    found = audit_mechanism(
        lambda world: {"noise": rng.normal(size=20), "leak": worlds[world]}, 0, 1,
        epsilon=1.0, delta=1e-6, n_runs=200, random_state=0,
    )  # fmt: skip
    assert found.refuted
    assert found.lower == pytest.approx(found.ceiling)


def test_a_leak_of_spread_is_learnt() -> None:
    rng = np.random.default_rng(0)
    found = audit_mechanism(
        lambda world: rng.normal(0, 1 + 5 * world, 10), 0, 1, epsilon=1.0, delta=0.0, n_runs=600,
        random_state=0,
    )  # fmt: skip
    assert found.refuted


def test_a_leak_spread_over_many_numbers_is_learnt() -> None:
    rng = np.random.default_rng(0)
    found = audit_mechanism(
        lambda world: 0.3 * world + rng.normal(size=100), 0, 1, epsilon=1.0, delta=0.0,
        n_runs=1_000, random_state=0,
    )  # fmt: skip
    assert found.refuted


def test_runs_that_differ_in_form_only_later() -> None:
    counter = itertools.count()
    found = audit_mechanism(
        lambda world: np.zeros(2) if next(counter) < 100 else np.zeros(3), 0, 1, epsilon=1.0,
        delta=0.0, n_runs=100, random_state=0,
    )  # fmt: skip
    assert found.lower == 0.0


def test_power_is_what_it_says() -> None:
    runs, claim, delta = 600, 1.0, 1e-3
    leak = two_world_detectable(claim, runs // 2, delta=delta, level=0.05)
    assert leak is not None
    mu = gaussian_mu(leak, delta)
    rng = np.random.default_rng(0)
    refuted = [
        audit_mechanism(
            lambda world: world * mu + rng.normal(), 0.0, 1.0, epsilon=claim, delta=delta,
            n_runs=runs, statistic=float, random_state=number,
        ).refuted
        for number in range(40)
    ]  # fmt: skip
    # .8 for the best threshold; a threshold chosen on data is a little worse.
    assert np.mean(refuted) > 0.55
    assert gaussian_epsilon(mu, delta) == pytest.approx(leak, rel=1e-3)


def test_too_few_runs_have_no_power() -> None:
    found = audit_mechanism(float, 0, 1, epsilon=5.0, delta=1e-6, n_runs=20)
    assert (found.verdict, found.detectable) == ("no power", None)
    assert "larger n_runs" in found.describe()
    once = audit_one_run(lambda coins: coins, 20, epsilon=5.0, delta=1e-6, random_state=0)
    assert once.verdict == "no power"
    assert "larger n_canaries" in once.note


def test_result_is_frozen_and_json() -> None:
    found = audit_mechanism(float, 0, 1, epsilon=1.0, delta=0.0, n_runs=100)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.lower = 0.0
    facts = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert facts["verdict"] == "refuted"
    assert facts["counts"]["runs_to_report"] == 50
    assert "refuted" in found.describe()


def test_the_same_seed_gives_the_same_order() -> None:
    seen: list[list[int]] = []
    for _ in range(2):
        order: list[int] = []
        audit_mechanism(order.append, 0, 1, epsilon=1.0, delta=0.0, n_runs=20, random_state=3)
        seen.append(order)
    assert seen[0] == seen[1]
    assert sorted(seen[0]) == [0] * 20 + [1] * 20
    assert seen[0] != sorted(seen[0])


def test_flattening() -> None:
    found = flatten([1, {"a": [True, "x"]}, np.array([[1.0, np.nan]]), np.float32(2), None])
    assert found == {
        "#": 5.0,
        "[0]": 1.0,
        "[1]/'a'#": 2.0,
        "[1]/'a'[0]=True": 1.0,
        "[1]/'a'[1]='x'": 1.0,
        "[2]#": 2.0,
        "[2][0]": 1.0,
        "[2][1]=nan": 1.0,
        "[3]": 2.0,
        "[4]=None": 1.0,
    }
    features = Features([{"a": 1.0}])
    assert features.matrix([{"a": 2.0, "b": 3.0, "c": "d"}, {}]).tolist() == [
        [2.0, 2.0],
        [0.0, 0.0],
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": -1.0},
        {"epsilon": math.inf},
        {"delta": 1.0},
        {"confidence": 1.0},
        {"n_runs": 4},
        {"statistic": lambda output: math.nan},
        {"statistic": lambda output: [1.0, 2.0]},
    ],
)
def test_requests_that_make_no_sense(wrong: dict[str, Any]) -> None:
    facts: dict[str, Any] = {"epsilon": 1.0, "delta": 0.0, "n_runs": 20}
    with pytest.raises(InvalidParameterError):
        audit_mechanism(float, 0, 1, **facts | wrong)


@pytest.mark.parametrize(
    ("canaries", "facts"),
    [
        (1, {}),
        (10, {"n_guesses": 11}),
        (10, {"scores": lambda output: output[:3]}),
        (10, {"scores": lambda output: output * math.nan}),
    ],
)
def test_one_run_requests_that_make_no_sense(canaries: int, facts: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError):
        audit_one_run(lambda coins: coins, canaries, epsilon=1.0, delta=0.0, **facts)


def _tells(value: Any) -> Any:
    """Return a mechanism whose output is `value` of the world, beside noise."""
    rng = np.random.default_rng(0)
    return lambda world: [value(world), rng.normal()]


@pytest.mark.parametrize(
    "value",
    [
        lambda world: math.inf if world else 1.0,
        lambda world: -math.inf if world else math.inf,
        lambda world: np.array([math.inf if world else 1.0]),
        lambda world: 1e200 * (1 + world),
        lambda world: 1e308 * (1 if world else -1),
        lambda world: 10**400 if world else 1,
        lambda world: 5e-324 * world,
        lambda world: {1: world, "1": 0},
        lambda world: {"a/b": world, "a": {"b": 0}},
        lambda world: "1" if world else b"1",
    ],
)
def test_a_leak_in_an_odd_place_is_found(value: Any) -> None:
    found = audit_mechanism(
        _tells(value), 0, 1, epsilon=0.5, delta=1e-6, n_runs=400, random_state=0
    )
    assert found.refuted
    assert found.lower > 3.5


@pytest.mark.parametrize(
    "odd", [math.nan, "failed", None, np.zeros(3), [1.0, 2.0], 1e300, -math.inf, 10**400]
)
def test_an_output_of_another_form_late_in_the_run_is_no_error(odd: Any) -> None:
    rng, calls = np.random.default_rng(0), iter(range(1_000))

    def mechanism(world: float) -> Any:
        return odd if next(calls) == 190 else world * 4 + rng.normal()

    found = audit_mechanism(mechanism, 0.0, 1.0, epsilon=0.1, delta=1e-6, n_runs=100)
    assert found.refuted


def test_the_columns_of_outputs_are_those_of_the_first_ones() -> None:
    features = Features([[1.0, 2.0], [3.0, 4.0]])
    expected = [[2.0, 5.0, 6.0, 0.0], [2.0, 7.0, 8.0, 0.0]]
    assert features.matrix([[5.0, 6.0], [7.0, 8.0]]).tolist() == expected
    assert features.matrix([[5.0, 6.0], "x"]).tolist() == [expected[0], [0.0, 0.0, 0.0, 1.0]]
    assert Features([1.5]).matrix([2.5]).tolist() == [[2.5, 0.0]]
