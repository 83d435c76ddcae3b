from __future__ import annotations

import numpy as np
import pytest
import torch

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate.images.frechet import (
    Gaussian,
    frechet,
    frechet_distance,
    frechet_features,
    gaussian,
)

from .digits import halves, noisy


def rows(n: int, d: int, seed: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + shift


def test_commuting_covariances_in_closed_form() -> None:
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    first, second = rng.uniform(0.1, 4, (2, 5))
    shift = rng.normal(size=5)
    one = Gaussian(np.zeros(5), axes @ np.diag(first) @ axes.T)
    two = Gaussian(shift, axes @ np.diag(second) @ axes.T)
    expected = (shift**2).sum() + ((np.sqrt(first) - np.sqrt(second)) ** 2).sum()
    assert frechet_distance(one, two) == pytest.approx(expected)
    assert frechet_distance(two, one) == pytest.approx(expected)


def test_equal_gaussians_are_at_zero() -> None:
    own = gaussian(rows(50, 6, 0))
    assert frechet_distance(own, own) == pytest.approx(0, abs=1e-10)


def test_against_the_matrix_square_root() -> None:
    from scipy.linalg import sqrtm

    one, two = gaussian(rows(300, 8, 1)), gaussian(rows(300, 8, 2, 0.3))
    root = sqrtm(one.covariance @ two.covariance).real
    expected = ((one.mean - two.mean) ** 2).sum() + np.trace(
        one.covariance + two.covariance - 2 * root
    )
    assert frechet_distance(one, two) == pytest.approx(expected, rel=1e-8)


def test_against_torchmetrics() -> None:
    fid = pytest.importorskip("torchmetrics.image.fid")
    first, second = rows(500, 12, 3), rows(400, 12, 4, 0.5)
    parts = [torch.from_numpy(part) for part in (first, second)]
    moments = [value for part in parts for value in (part.mean(0), torch.cov(part.T))]
    expected = float(fid._compute_fid(*moments))
    assert frechet_features(first, second).value == pytest.approx(expected, rel=1e-6)


def test_a_shift_counts_with_its_square() -> None:
    own = rows(400, 4, 0)
    found = frechet_features(own, own + np.array([3.0, 0, 0, 0]))
    assert found.value == pytest.approx(9)
    assert found.direction == "lower"


def test_few_rows_are_refused_or_shrunk() -> None:
    own, other = rows(15, 8, 0), rows(15, 8, 0)
    refused = frechet_features(own, other)
    assert refused.value is None
    assert "16 images are needed on both sides, there are 15" in refused.details["not_applicable"]
    shrunk = frechet_features(own, other, few="shrink")
    assert shrunk.value == pytest.approx(0, abs=1e-8)
    assert shrunk.details["covariance"] == "shrunk (Ledoit-Wolf)"
    assert frechet_features(rows(16, 8, 0), rows(16, 8, 1)).details["covariance"] == "sample"
    assert frechet_features(own[:1], other[:1], few="shrink").value is None


def test_shrinking_ranks_where_few_rows_only_show_noise() -> None:
    rng = np.random.default_rng(0)
    own, same, far = (rng.normal(size=(40, 60)) + shift for shift in (0, 0, 0.5))
    near, apart = (frechet_features(own, side, few="shrink").value for side in (same, far))
    assert 3 * near < apart


def test_rank_deficient_covariances_stay_finite() -> None:
    constant = np.ones((50, 4))
    assert frechet_features(constant, constant).value == 0
    assert frechet_features(constant, rows(50, 4, 0)).value > 0


def test_the_line_to_infinitely_many_images_removes_bias() -> None:
    rng = np.random.default_rng(0)
    own, other, fresh = rng.normal(size=(60_000, 30)), *rng.normal(size=(2, 2_000, 30))
    found = frechet_features(own, other, fresh, rng.normal(1, 1, size=(2_000, 30)))
    assert found.value > 0.1
    assert abs(found.details["extrapolated"]) < 0.05
    assert found.ceiling == pytest.approx(found.value, rel=0.2)
    assert found.floor == pytest.approx(30, rel=0.1)


def test_only_inception_makes_a_fid() -> None:
    own = rows(50, 3, 0)
    assert frechet_features(own, own, extractor="pixels").name == "FD[pixels]"
    assert frechet_features(own, own, extractor="inception").name == "FID"


def test_wrong_use_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="few"):
        frechet_features(rows(9, 2, 0), rows(9, 2, 0), few="guess")
    with pytest.raises(InvalidDataError, match="n >= 2"):
        gaussian(np.ones((1, 3)))


def test_noise_moves_images_away() -> None:
    real, other = halves()
    found = [
        frechet(real, noisy(other, spread), holdout=other, extractor="pixels")
        for spread in (0.0, 0.2, 0.5)
    ]
    values = [result.value for result in found]
    assert values == sorted(values)
    for result in found:
        assert result.name == "FD[pixels]"
        assert result.ceiling < values[1] < result.floor
        assert result.details["extractor"] == "pixels"
        assert result.details["reference_images"] == 897


def test_one_image_is_not_applicable() -> None:
    real, _ = halves()
    assert frechet(real[:1], real[:1], extractor="pixels").value is None
