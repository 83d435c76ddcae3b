from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import normalized_mutual_info_score

from synthgen.errors import InvalidParameterError
from synthgen.evaluate.information import mutual_information, nmi_matrices, nmi_matrix

from .tables import related, unrelated


def test_nmi_equals_the_reference_up_to_the_correction() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, 50_000)
    y = (x + rng.integers(0, 3, 50_000)) % 5
    codes = np.stack([x, y, x])
    matrix = nmi_matrix(codes, [4, 5, 4])
    assert matrix[0, 1] == pytest.approx(normalized_mutual_info_score(x, y), abs=2e-4)
    assert matrix[0, 2] == pytest.approx(1.0)
    np.testing.assert_array_equal(matrix, matrix.T)


def test_nmi_by_hand_with_the_correction() -> None:
    # 8 rows, two coins that agree in 6: I = H(1/2) + H(1/2) - H(3/8, 3/8, 1/8, 1/8).
    codes = np.array([[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1, 0]])
    single = np.log(2) + 1 / 16
    joint = -(2 * 3 / 8 * np.log(3 / 8) + 2 / 8 * np.log(1 / 8)) + 3 / 16
    expected = (2 * single - joint) / single
    assert nmi_matrix(codes, [2, 2])[0, 1] == pytest.approx(expected)


def test_independent_columns_with_many_levels_are_not_biased() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 20, (2, 2000))
    plain = normalized_mutual_info_score(first, second)
    corrected = nmi_matrix(np.stack([first, second]), [20, 20])[0, 1]
    assert plain > 0.025
    assert corrected < plain / 5


def test_constant_columns_tell_nothing() -> None:
    matrix = nmi_matrix(np.array([[0, 0, 0], [0, 1, 2]]), [1, 3])
    np.testing.assert_array_equal(matrix, np.eye(2))


def test_weighted_by_hand() -> None:
    base = pd.DataFrame({"a": ["x", "y"] * 200, "c": ["u", "u", "v", "v"] * 100})
    real = base.assign(b=base["a"], d=base["c"])
    fake = base.assign(b=base["a"], d=["q", "q", "q", "q", "r", "r", "r", "r"] * 50)
    # Only a-b and c-d depend on each other in the real table (1 each); fake keeps a-b alone.
    result = mutual_information(real, fake)
    assert result.value == pytest.approx(0.5)
    worst = result.breakdown.iloc[0]
    assert (worst["column_1"], worst["column_2"]) == ("c", "d")
    assert worst["weight"] == pytest.approx(0.5)
    assert worst["real"] == pytest.approx(1.0)
    assert result.details["unweighted"] == pytest.approx(5 / 6, abs=1e-3)


def test_real_rows_beat_independent_columns() -> None:
    train, holdout = related(3000, 1), related(3000, 2)
    floor = mutual_information(train, unrelated(3000, 3), holdout=holdout)
    assert floor.ceiling > 0.97
    assert floor.value < 0.85
    assert mutual_information(train, related(3000, 4)).value > 0.97


def test_matrices_agree_with_the_breakdown() -> None:
    train, fake = related(1000, 1), unrelated(1000, 2)
    matrices = nmi_matrices(train, fake)
    assert matrices.names == list(train.columns)
    for row in mutual_information(train, fake).breakdown.itertuples():
        place = matrices.names.index(row.column_1), matrices.names.index(row.column_2)
        assert matrices.real[place] == row.real
        assert matrices.synthetic[place] == row.synthetic
    assert (matrices.real >= 0).all()
    assert (matrices.real <= 1).all()


def test_cut_to_one_size() -> None:
    train, holdout, fake = related(900, 1), related(200, 2), related(500, 3)
    assert mutual_information(train, fake).details["rows"] == 500
    assert mutual_information(train, fake, holdout=holdout).details["rows"] == 200
    assert mutual_information(train, fake, max_rows=50).details["rows"] == 50


def test_seeded() -> None:
    train, fake = related(400, 1), related(400, 2)

    def scored(seed: int) -> str:
        result = mutual_information(train, fake, max_rows=100, random_state=seed)
        return json.dumps(result.to_dict())

    assert scored(1) == scored(1)
    assert scored(1) != scored(2)


def test_not_applicable() -> None:
    single = pd.DataFrame({"a": [1, 2]})
    assert "two columns" in mutual_information(single, single).details["not_applicable"]
    for frame in (
        pd.DataFrame({"a": ["k"] * 5, "b": [None] * 5}),
        pd.DataFrame({"a": [1], "b": ["x"]}),
    ):
        result = mutual_information(frame, frame)
        assert result.value is None
        assert "depend" in result.details["not_applicable"]


def test_a_collapsed_column_lowers_the_score() -> None:
    train, fake = related(1000, 1), related(1000, 2)
    fake["x"] = 0.0
    assert mutual_information(train, fake).value < 0.8


def test_awkward_tables() -> None:
    rng = np.random.default_rng(0)
    real = pd.DataFrame(
        {
            0: rng.normal(size=20_000),
            ("a", 1): [f"v{value}" for value in np.arange(20_000) % 10_000],
            "flag": pd.array(rng.choice([True, False, None], 20_000), dtype="boolean"),
            "empty": [None] * 20_000,
        }
    )
    real["copy"] = real["flag"].astype(object)
    result = mutual_information(real, real.iloc[::-1])
    assert result.value == pytest.approx(1.0)
    json.dumps(result.to_dict())


def test_wrong_use_is_refused() -> None:
    frame = related(20, 1)
    for options in ({"n_bins": 1}, {"max_levels": 0}, {"max_rows": 0}):
        with pytest.raises(InvalidParameterError, match=next(iter(options))):
            mutual_information(frame, frame, **options)
