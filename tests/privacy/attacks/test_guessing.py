"""Attacks that guess values: attribute inference and reconstruction."""

import numpy as np
import pandas as pd
import pytest

from synthgen.errors import InvalidDataError
from synthgen.privacy.attacks.arena import Arena
from synthgen.privacy.attacks.attribute import Attribute, check_secrets, secrets_by_default
from synthgen.privacy.attacks.reconstruction import Reconstruction


def arena(made, real, targets, levels=(0, 3)):
    sides = [np.asarray(own, dtype=float) for own in (made, real, targets)]
    return Arena(*sides, sides[1], ["x", "c"], list(levels))


def test_a_category_is_guessed_from_the_nearest_row():
    own = arena([[0.0, 1], [1.0, 0], [2.0, 0]], [[0.0, 1], [1.0, 1]], [[0.1, 1], [0.9, 1], [2, 0]])
    attack = Attribute("c")
    scores = attack.scores(own)
    assert scores["nearest 1"].tolist() == [1, 0, 1]
    np.testing.assert_allclose(scores["nearest 10"], [1 / 3, 1 / 3, 2 / 3])
    right, blind = attack.success(own, scores["nearest 1"])
    assert right.tolist() == [True, False, True]
    # The most common category of the reference rows is 1.
    assert blind.tolist() == [True, True, False]


def test_the_secret_itself_is_never_looked_at():
    made = [[0.0, 0], [1.0, 1]]
    first = arena(made, made, [[0.2, 0], [0.2, 1]])
    scores = Attribute("c").scores(first)["nearest 1"]
    assert scores.tolist() == [1, 0]


def test_a_number_is_guessed_within_a_tolerance():
    made = [[5.0, 0], [9.0, 1]]
    own = arena(made, [[0.0, 0], [10.0, 1]], [[5.0, 0], [np.nan, 1], [5.2, 0]])
    attack = Attribute("x")
    scores = attack.scores(own)["nearest 1"]
    np.testing.assert_allclose(scores, [0, -1, -0.2 / 9.5], atol=1e-9)
    right, blind = attack.success(own, scores)
    assert right.tolist() == [True, False, False]
    assert blind.tolist() == [True, False, False]


def test_default_secrets():
    made = np.column_stack([np.arange(9.0), np.arange(9) % 3, np.arange(9) % 2])
    own = Arena(made, made, made, made, ["n", "c", "last"], [0, 3, 2])
    assert secrets_by_default(own) == ("last", "n", "c")
    assert check_secrets(own, ["c", "nowhere"]) == ("c",)


def _secret_table(n, seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 4, size=(n, 6)).astype(float)
    table[:, 5] = rng.integers(0, 2, n)
    return table


def test_reconstruction_recovers_released_secrets_and_no_others():
    inside, outside, real = (_secret_table(150, seed) for seed in range(3))
    targets = np.concatenate([inside, outside])
    own = Arena(inside, real, targets, real, list("abcdes"), [4] * 5 + [2])
    groups = [np.arange(150), np.arange(150, 300)]
    attack = Reconstruction("s", n_queries=2_000)
    right = attack.margins(own, groups) > 0
    assert right[:150].mean() > 0.9
    assert right[150:].mean() < 0.65
    assert attack.blind(own).mean() == pytest.approx(0.5, abs=0.1)
    np.testing.assert_array_equal(attack.margins(own, groups), attack.margins(own, groups))
    with pytest.raises(InvalidDataError, match="two rows"):
        attack.margins(own, [np.arange(1)])


def test_reconstruction_of_an_all_missing_column_is_no_error():
    table = pd.DataFrame(_secret_table(40, 0)).to_numpy(copy=True)
    table[:, 5] = np.nan
    own = Arena(table, table, table, table, list("abcdes"), [4] * 5 + [1])
    groups = [np.arange(20), np.arange(20, 40)]
    assert np.isfinite(Reconstruction("s", n_queries=100).margins(own, groups)).all()
