from __future__ import annotations

import numpy as np
import pytest

from synthgen.evaluate.images.nearest import memorisation, nearest_rows

from .digits import digits, noisy


@pytest.mark.parametrize("same", [False, True])
def test_nearest_against_all_distances(same: bool) -> None:
    rng = np.random.default_rng(0)
    references = rng.normal(size=(90, 7)).astype(np.float32)
    queries = references[:40] if same else rng.normal(size=(40, 7)).astype(np.float32)
    every = np.linalg.norm(queries[:, None].astype(float) - references[None], axis=2)
    if same:
        every[np.arange(40), np.arange(40)] = np.inf
    rows, distances = nearest_rows(queries, references, same=same)
    np.testing.assert_array_equal(rows, every.argmin(axis=1))
    np.testing.assert_allclose(distances, every.min(axis=1))


def test_equal_rows_are_at_exactly_zero_however_far_from_the_origin() -> None:
    rows = (np.random.default_rng(0).random((50, 9)) + 1000).astype(np.float32)
    found, distances = nearest_rows(rows[::-1], rows)
    assert (distances == 0).all()
    np.testing.assert_array_equal(found, np.arange(50)[::-1])


def test_copies_are_caught() -> None:
    images, _ = digits()
    train, holdout = images[:900], images[900:]
    copies = noisy(train, 0.01)
    mixed = np.concatenate([copies[:300], holdout[:300]])
    found = memorisation(train, mixed, holdout=holdout[300:])
    assert found.value == pytest.approx(0.5, abs=0.03)
    assert found.ceiling == pytest.approx(0.01, abs=0.006)
    closest = found.breakdown.head(300)
    assert (closest["synthetic"] == closest["real"]).all()
    assert closest["relative"].max() < 0.3
    assert found.details["equal"] == 0
    assert memorisation(train, train[:50], holdout=holdout).details["equal"] == 50


def test_fresh_images_are_no_copies() -> None:
    images, _ = digits()
    for holdout in (None, images[1200:]):
        found = memorisation(images[:900], images[900:1200], holdout=holdout)
        assert found.value < 0.05
        assert found.interval[0] <= found.value <= found.interval[1]
    assert memorisation(images[:900], images[900:1200]).details["baseline"] == (
        "other training images"
    )


def test_images_unlike_any_are_no_copies() -> None:
    images, _ = digits()
    assert memorisation(images, 1 - images[:100]).value == 0


def test_rows_point_into_the_given_arrays() -> None:
    images, _ = digits()
    found = memorisation(images, images[::-1], max_images=40, random_state=3)
    assert len(found.breakdown) == 40
    pairs = found.breakdown
    np.testing.assert_array_equal(
        images[::-1][pairs["synthetic"].to_numpy()], images[pairs["real"].to_numpy()]
    )


def test_awkward_sizes() -> None:
    images, _ = digits()
    one = memorisation(images[:1], images[:1])
    assert one.value is None
    assert "alone" in one.details["not_applicable"]
    assert memorisation(images[:2], images[:1]).value == 1
    constant = np.ones((20, 1, 8, 8), dtype=np.float32)
    found = memorisation(constant, constant)
    assert (found.value, found.ceiling) == (1, 1)  # the real images are copies of each other
    assert memorisation(constant, constant / 2).value == 0
