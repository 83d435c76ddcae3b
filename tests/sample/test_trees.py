"""Tests of trees kept as text."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from synthgen.errors import ArtifactError
from synthgen.sample import trees as module
from synthgen.sample.trees import raw_scores, read_trees


@pytest.mark.parametrize("text", ["", "garbage", "tree\nversion=v4\n"])
def test_text_that_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(ArtifactError, match="refinement critic cannot be read"):
        read_trees(text)


@pytest.mark.parametrize("states", [2, 3])
def test_rows_shared_out_have_the_same_sums(states: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((1_000, 4))
    labels = np.digitize(matrix[:, 0] + matrix[:, 1], [-0.5, 0.5][: states - 1])
    objective = {"objective": "binary"} if states == 2 else {"objective": "multiclass"}
    parameters = objective | {"verbosity": -1} | ({} if states == 2 else {"num_class": states})
    trees = lgb.train(parameters, lgb.Dataset(matrix, labels), 5)
    whole = raw_scores(trees, matrix)
    assert whole.shape == ((1_000,) if states == 2 else (1_000, states))
    monkeypatch.setattr(module, "_SHARED", 300)
    np.testing.assert_array_equal(raw_scores(trees, matrix), whole)
