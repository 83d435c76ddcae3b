from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen.errors import InvalidParameterError
from synthgen.evaluate.discretize import check_levels, discretize, learn_bins
from synthgen.measure.columns import column_roles


def codes_of(values: list[float], learned_from: list[float], n_bins: int) -> list[int]:
    return learn_bins(np.array(learned_from), n_bins).codes(np.array(values)).tolist()


def test_quantile_bins_hold_equally_many_rows() -> None:
    real = [float(value) for value in range(1, 9)]
    bins = learn_bins(np.array(real), 4)
    assert bins.atoms.tolist() == []
    assert bins.edges.tolist() == [2.0, 4.0, 6.0]
    assert codes_of([1, 2, 2.5, 4, 6.1, 8, 99, -5, np.nan], real, 4) == [1, 1, 2, 2, 4, 4, 4, 1, 0]


def test_a_value_with_many_rows_has_its_own_level() -> None:
    real = [0.0] * 50 + [float(value) for value in range(1, 51)]
    bins = learn_bins(np.array(real), 8)
    assert bins.atoms.tolist() == [0.0]
    # Half the rows are left, so half of the bins: 4 intervals of 12 or 13 rows.
    assert len(bins.edges) == 3
    counts = np.bincount(bins.codes(np.array(real)))
    assert counts.tolist() == [0, 13, 12, 13, 12, 50]
    # Near zero is not zero.
    assert bins.codes(np.array([0.0, 1e-9])).tolist() == [5, 1]


def test_few_values_are_levels_and_others_share_one() -> None:
    assert codes_of([1, 2, 3, 2.5, np.nan], [1, 1, 1, 2, 2, 3, 3], 8) == [2, 3, 4, 1, 0]


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [5.0], [5.0, 5.0, 5.0]])
def test_bins_without_spread(values: list[float]) -> None:
    bins = learn_bins(np.array(values), 8)
    assert bins.edges.tolist() == []
    assert set(bins.codes(np.array([5.0, 6.0, np.nan])).tolist()) <= {0, 1, 2}


def test_levels_of_categories_by_frequency_in_the_real_table() -> None:
    real = pd.DataFrame({"c": ["z", "a", "b", "b", "a", "b", "y", None]})
    fake = pd.DataFrame({"c": ["y", "b", "q", None, "a", "a", "a", "a"]})
    levels = discretize([real, fake], column_roles(real), max_levels=2)
    assert levels.labels == [["missing", "b", "a", "other"]]
    assert levels.codes[0].tolist() == [[3, 2, 1, 1, 2, 1, 3, 0]]
    assert levels.codes[1].tolist() == [[3, 1, 3, 0, 2, 2, 2, 2]]
    assert levels.folded == {"c": 2}
    assert levels.sizes == [4]


def test_unseen_values_do_not_pass_for_real_ones() -> None:
    real = pd.DataFrame({"c": ["a", "b"]})
    fake = pd.DataFrame({"c": ["q", "q"]})
    levels = discretize([real, fake], column_roles(real))
    assert not set(levels.codes[0][0]) & set(levels.codes[1][0])
    assert levels.folded == {}


def test_labels_say_what_a_level_is() -> None:
    real = pd.DataFrame(
        {
            "day": pd.date_range("2020-01-01", periods=20, freq="D"),
            "wait": pd.to_timedelta([1, 2] * 10, unit="h"),
            "x": [0.5] * 10 + list(range(1, 11)),
        }
    )
    real["date"] = real["day"].dt.date.astype(object)
    levels = discretize([real], column_roles(real), n_bins=2)
    assert levels.labels[3] == levels.labels[0]
    assert levels.labels[0] == ["missing", "<= 2020-01-10 00:00:00", "> 2020-01-10 00:00:00"]
    assert levels.labels[1] == ["missing", "other", "0 days 01:00:00", "0 days 02:00:00"]
    assert levels.labels[2][-1] == "0.5"


def test_every_code_has_a_label() -> None:
    rng = np.random.default_rng(0)
    real = pd.DataFrame(
        {
            0: rng.integers(0, 30, 200),
            ("a", 1): pd.Categorical(rng.choice(list("abc"), 200)),
            "flag": pd.array(rng.choice([True, False, None], 200), dtype="boolean"),
            "empty": [None] * 200,
            "gap": np.full(200, np.nan),
            "many": rng.integers(0, 150, 200).astype(str),
        }
    )
    fake = real.sample(frac=1, replace=True, random_state=1).reset_index(drop=True)
    levels = discretize([real, fake], column_roles(real))
    assert levels.names == list(real.columns)
    for codes in levels.codes:
        assert (codes >= 0).all()
        assert (codes.max(axis=1) < levels.sizes).all()
    assert len(levels.labels[5]) == 22


def test_bad_numbers_are_refused() -> None:
    assert check_levels(np.int64(8), 20) == (8, 20)
    for n_bins in (1, 51, 2.5, True, "8"):
        with pytest.raises(InvalidParameterError, match="n_bins must be an integer from 2 to 50"):
            check_levels(n_bins, 20)
    with pytest.raises(InvalidParameterError, match="max_levels must be an integer from 1 to 100"):
        check_levels(8, 0)
