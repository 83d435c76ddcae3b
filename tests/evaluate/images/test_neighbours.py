from __future__ import annotations

import numpy as np
import pytest

from synthgen.errors import InvalidParameterError
from synthgen.evaluate.images.neighbours import neighbourhood_features, neighbourhoods

from .digits import digits, halves, noisy


def values(*parts: np.ndarray, k: int = 5) -> dict[str, float]:
    return {name: result.value for name, result in neighbourhood_features(*parts, k=k).items()}


def normal(n: int, seed: int, shift: float = 0.0, spread: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, spread, (n, 4))


def test_by_hand() -> None:
    real = np.array([[0.0], [1.0], [3.0], [7.0]])
    fake = np.array([[0.5], [0.6], [4.0], [30.0]])
    # Balls of the real: [-1, 1], [0, 2], [1, 5], [3, 11]; of the synthetic: [.4, .6], [.5, .7],
    # [.6, 7.4], [4, 56].
    assert values(real, fake, k=1) == {
        "precision": 0.75,
        "recall": 0.75,
        "density": 1.5,
        "coverage": 1.0,
    }


def test_against_the_definitions() -> None:
    """Precision and recall with all distances at once."""
    real, fake = normal(120, 0), normal(110, 1, 0.8)
    across = np.linalg.norm(real[:, None] - fake[None], axis=2)

    def radii(rows: np.ndarray) -> np.ndarray:
        own = np.linalg.norm(rows[:, None] - rows[None], axis=2)
        return np.sort(own, axis=1)[:, 3]

    found = values(real, fake, k=3)
    inside_real = across <= radii(real)[:, None]
    assert found["precision"] == pytest.approx(inside_real.any(axis=0).mean())
    assert found["recall"] == pytest.approx((across <= radii(fake)[None]).any(axis=1).mean())
    assert found["density"] == pytest.approx(inside_real.sum() / (3 * len(fake)))
    assert found["coverage"] == pytest.approx(inside_real.any(axis=1).mean())


def test_the_same_source() -> None:
    found = values(normal(800, 0), normal(800, 1))
    assert found["precision"] > 0.9
    assert found["recall"] > 0.9
    assert found["density"] == pytest.approx(1, abs=0.07)
    assert found["coverage"] == pytest.approx(1 - 2**-5, abs=0.03)


def test_collapse_costs_recall_and_outliers_cost_precision() -> None:
    real = normal(600, 0)
    narrow, wide = values(real, normal(600, 1, spread=0.2)), values(real, normal(600, 1, spread=4))
    assert narrow["precision"] > 0.95
    assert narrow["recall"] < 0.3
    assert narrow["coverage"] < 0.5
    assert wide["precision"] < 0.3
    assert wide["recall"] > 0.8
    assert wide["density"] < 0.5


def test_ends_and_intervals() -> None:
    scores = neighbourhood_features(
        normal(300, 0), normal(300, 1, 1), normal(300, 2), normal(300, 3, 9)
    )
    for name, result in scores.items():
        assert result.floor == 0
        assert result.floor < result.value < result.ceiling
        assert result.name == f"{name}[features]"
        assert (result.interval is None) == (name == "density")
    low, high = scores["recall"].interval
    assert low < scores["recall"].value < high


def test_constant_features_are_all_at_home() -> None:
    same = np.zeros((20, 3))
    assert values(same, same)["precision"] == values(same, same)["coverage"] == 1
    assert values(same, same + 1) == dict.fromkeys(
        ("precision", "recall", "density", "coverage"), 0
    )


def test_few_rows_are_not_applicable() -> None:
    for result in neighbourhood_features(normal(5, 0), normal(50, 1)).values():
        assert result.value is None
        assert "6 images" in result.details["not_applicable"]
    assert values(normal(6, 0), normal(6, 1))["recall"] is not None
    with pytest.raises(InvalidParameterError, match="k"):
        neighbourhood_features(normal(9, 0), normal(9, 1), k=0)


def test_a_missing_class_shows_in_images() -> None:
    _, codes = digits()
    real, other = halves()
    whole = neighbourhoods(real, other, extractor="pixels")
    part = neighbourhoods(real, other[codes[900:] < 4], extractor="pixels")
    spoiled = neighbourhoods(real, noisy(other, 0.4), extractor="pixels")
    assert part["coverage"].value < 0.6 * whole["coverage"].value
    assert part["precision"].value > 0.85
    assert spoiled["precision"].value < 0.5
    assert whole["density"].details["extractor"] == "pixels"


def test_sides_have_one_size_and_the_seed_decides() -> None:
    real, other = halves()
    found = [
        neighbourhoods(real, other[:100], holdout=other, extractor="pixels", random_state=seed)
        for seed in (0, 0, 1)
    ]
    coverage = [scores["coverage"].value for scores in found]
    assert coverage[0] == coverage[1] != coverage[2]
    # About as good as real images of the same number: with the whole holdout it would be lower.
    assert found[0]["coverage"].value > 0.85
