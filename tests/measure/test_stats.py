from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from synthgen.errors import InvalidDataError
from synthgen.measure.stats import auc, auc_interval, share_interval, stratified_folds


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=60))
def test_auc_equals_sklearn(rows: list[tuple[bool, int]]) -> None:
    labels, scores = [row[0] for row in rows], [row[1] for row in rows]
    if len(set(labels)) == 2:
        assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    else:
        with pytest.raises(InvalidDataError, match="both classes"):
            auc(labels, scores)


def test_auc_interval_covers() -> None:
    # Normal scores, one standard deviation apart, have AUC Phi(1 / sqrt 2) = .7602.
    rng = np.random.default_rng(0)
    labels = np.repeat([True, False], 200)
    hits = 0
    for _ in range(300):
        low, high = auc_interval(auc(labels, rng.normal(labels)), 200, 200)
        hits += low <= 0.7602 <= high
    assert 0.92 <= hits / 300 <= 0.98


def test_intervals_stay_inside() -> None:
    low, high = auc_interval(1.0, 10, 10)
    assert 0.5 < low < high == 1.0
    assert share_interval(0.0, 50)[0] == 0.0
    assert share_interval(1.0, 50)[1] == 1.0
    assert share_interval(0.0, 50)[1] > 0.03


def test_folds_spread_every_label() -> None:
    labels = np.array([0] * 10 + [1] * 7)
    folds = stratified_folds(labels, 5, np.random.default_rng(0))
    assert np.bincount(folds[labels == 0], minlength=5).tolist() == [2] * 5
    assert sorted(np.bincount(folds[labels == 1], minlength=5)) == [1, 1, 1, 2, 2]


def test_an_auc_without_variance_has_a_width_all_the_same() -> None:
    assert auc_interval(1.0, 5, 80) == share_interval(1.0, 5)
    assert auc_interval(0.0, 80, 5) == share_interval(0.0, 5)


def test_folds_that_share_training_rows_widen_the_interval() -> None:
    plain, folds = auc_interval(0.6, 300, 300), auc_interval(0.6, 300, 300, n_folds=5)
    assert folds[1] - folds[0] == pytest.approx(1.5 * (plain[1] - plain[0]))
