from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen.measure import space as space_module
from synthgen.measure.columns import column_roles
from synthgen.measure.space import centre_distances, distance_blocks, place
from tests.evaluate.tables import related


def test_distances_by_hand() -> None:
    real = pd.DataFrame({"x": [0.0, 10.0] * 50, "c": ["a", "b"] * 50})
    rows = pd.DataFrame({"x": [0.0, 10.0, np.nan, np.nan], "c": ["a", "b", "z", None]})
    _, placed = place([real, rows], column_roles(real))
    ((_, (squared,)),) = distance_blocks(placed, placed)
    # One range apart and another category: 1 + 1. Missing stands at the median, half a range off.
    assert squared[0, 1] == pytest.approx(2.0)
    assert squared[0, 2] == pytest.approx(0.25 + 1 + 1)
    assert squared[2, 3] == pytest.approx(1.0)
    np.testing.assert_array_equal(np.diag(squared), 0)


def test_centre_distances_equal_one_hot_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = related(300, 1)
    first, second = place([frame, related(100, 2)], column_roles(frame))

    def one_hot(rows: space_module.Rows) -> np.ndarray:
        parts = [
            np.eye(n)[codes] / np.sqrt(2) for codes, n in zip(rows.codes, rows.n_codes, strict=True)
        ]
        return np.concatenate([rows.numbers, *parts], axis=1)

    expected = np.linalg.norm(one_hot(second) - one_hot(first).mean(axis=0), axis=1)
    np.testing.assert_allclose(centre_distances(second, first), expected, atol=1e-10)
    monkeypatch.setattr(space_module, "_BLOCK_CELLS", 1000)
    blocks = list(distance_blocks(second, first))
    assert len(blocks) > 30
    squared = np.concatenate([parts[0] for _, parts in blocks])
    apart = one_hot(second)[:, None, :] - one_hot(first)[None, :, :]
    np.testing.assert_allclose(squared, (apart**2).sum(axis=2), atol=1e-10)


def test_a_few_extreme_values_do_not_squeeze_the_others() -> None:
    values = np.concatenate([np.linspace(0, 1, 1000), [1e9]])
    frame = pd.DataFrame({"x": values})
    (placed,) = place([frame], column_roles(frame))
    assert np.ptp(placed.numbers[:1000]) == pytest.approx(1 / 0.95, rel=0.01)
    rare = pd.DataFrame({"x": [0.0] * 999 + [4.0]})
    (placed,) = place([rare], column_roles(rare))
    assert np.ptp(placed.numbers) == 1.0
