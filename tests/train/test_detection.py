from __future__ import annotations

import numpy as np
import pytest

from synthgen.encode.layout import EncodedTable
from synthgen.train.detection import detection_auc, features, features_of, gates_of
from tests.nn.layouts import random_table, small_layout


def test_features_of_a_column_are_its_blocks_and_heads() -> None:
    layout = small_layout()
    assert features_of(layout, [0]) == [0, 2]
    assert features_of(layout, [1]) == [1]
    assert features_of(layout, [1, 2]) == [1, 3]
    assert features_of(layout, []) == []


def test_hidden_features_are_zero_and_the_others_as_they_are() -> None:
    layout = small_layout()
    table = random_table(layout, 200)
    seen = features(table, gates_of(layout))
    blind = features(table, gates_of(layout), [0, 2])
    assert (blind[:, [0, 2]] == 0.0).all()
    np.testing.assert_array_equal(blind[:, [1, 3]], seen[:, [1, 3]])
    assert table.codes[:, 0].any()  # the rows themselves are left alone


def test_rows_cannot_be_told_by_a_feature_that_is_hidden() -> None:
    layout = small_layout()
    real, fake = random_table(layout, 4_000, 1), random_table(layout, 4_000, 2)
    fake = EncodedTable(np.column_stack([fake.codes[:, 0], 3 - fake.codes[:, 1]]), fake.values)
    gates = gates_of(layout)
    assert detection_auc(real, fake, gates, seed=0) > 0.65
    assert detection_auc(real, fake, gates, 0, hidden=[1]) == pytest.approx(0.5, abs=0.03)
