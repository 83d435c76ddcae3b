import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen.dp.embedding import Embedding, embedding_sensitivity, release_embedding
from synthgen.dp.events import Event
from synthgen.dp.gaussian import gaussian_epsilon
from synthgen.dp.ledger import Ledger
from synthgen.dp.noise import SystemNoise
from synthgen.errors import InvalidDataError
from synthgen.privacy import BudgetExceededError
from tests.privacy.proof.transcripts import Silent

CLASSES, FEATURES = 3, 5


def ledger(noise: Any = None, adjacency: str = "zero_out", n: int = 40) -> Ledger:
    rows = None if adjacency == "add_remove" else n
    source = Silent() if noise is None else noise
    return Ledger(1e6, 1e-6, adjacency=adjacency, n_rows=rows, noise=source)


def released(vectors: np.ndarray, codes: np.ndarray, own: Ledger, **options: Any) -> Embedding:
    asked = {"count_share": 0.25, "sigma": 1.0, "note": "test"} | options
    sizes = {"n_classes": CLASSES, "n_features": FEATURES}
    return release_embedding([(vectors, codes)], ledger=own, **sizes, **asked)


def vector_of(found: Embedding, share: float) -> np.ndarray:
    """Return the sums that were released, undoing the division; counts must not be cut."""
    inner = found.means * np.maximum(found.counts, 1.0)[:, None] * math.sqrt(1 - share)
    return np.column_stack([inner, found.counts * math.sqrt(share)])


def test_without_noise_means_and_counts_are_those_of_the_records() -> None:
    vectors = np.eye(FEATURES)[[0, 1, 1, 2]] * 0.5
    found = released(vectors, np.array([0, 0, 0, 2]), ledger(n=4))
    np.testing.assert_allclose(found.counts, [3, 0, 1], atol=1e-3)
    np.testing.assert_allclose(found.means[0, :3], [0.5 / 3, 1 / 3, 0], atol=1e-3)
    np.testing.assert_allclose(found.means[2, :3], [0, 0, 0.5], atol=1e-3)
    np.testing.assert_allclose(found.shares, [0.75, 0, 0.25], atol=1e-3)
    np.testing.assert_allclose(found.noise, 1 / math.sqrt(0.75))
    np.testing.assert_allclose(found.deviations[0], found.noise / 3, rtol=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    share=st.floats(0.01, 0.9),
    size=st.sampled_from([1e-6, 0.3, 1.0, 1e3, 1e30, math.inf, math.nan]),
    code=st.integers(-1, CLASSES - 1),
)
def test_one_record_moves_the_sums_by_its_sensitivity_at_most(
    seed: int, share: float, size: float, code: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(7, FEATURES))
    vectors[0] *= size
    codes = rng.integers(0, CLASSES, 7)
    codes[0] = code
    both = []
    for kept in (slice(0, None), slice(1, None)):
        own = ledger(adjacency="add_remove")
        both.append(vector_of(released(vectors[kept], codes[kept], own, count_share=share), share))
    moved = np.linalg.norm(both[0] - both[1])
    # The grid of the noise rounds each of the sums.
    rounding = 2.0**-10 * math.sqrt(both[0].size)
    assert moved <= embedding_sensitivity("add_remove") + rounding
    if code >= 0 and size >= 1:
        assert moved > 0.05
    if code < 0:
        assert moved <= rounding


def test_another_record_in_its_place_may_point_the_other_way() -> None:
    both = []
    for sign in (1.0, -1.0):
        vectors = np.zeros((1, FEATURES))
        vectors[0, 0] = sign
        own = ledger(adjacency="replace_one", n=1)
        both.append(vector_of(released(vectors, np.array([1]), own, count_share=0.01), 0.01))
    assert 1.9 < np.linalg.norm(both[0] - both[1]) <= embedding_sensitivity("replace_one") + 0.01


@pytest.mark.parametrize(("adjacency", "moved"), [("zero_out", 1.0), ("replace_one", 2.0)])
def test_what_is_charged_is_the_noise_by_the_sensitivity(adjacency: str, moved: float) -> None:
    own = ledger(SystemNoise(), adjacency)
    released(np.zeros((4, FEATURES)), np.zeros(4, dtype=np.int64), own, sigma=8.0)
    assert own.events == [Event("gaussian", "test", sensitivity=moved, scale=8.0)]
    expected = gaussian_epsilon(moved / 8.0, 1e-6)
    assert own.spent().epsilon == pytest.approx(expected, rel=1e-3)


def test_noise_has_the_size_that_was_charged() -> None:
    own = ledger(SystemNoise(), "add_remove")
    sizes = {"n_classes": 2, "n_features": 20_000}
    empty = (np.zeros((1, 20_000)), np.array([-1]))
    found = release_embedding(
        [empty], **sizes, count_share=0.5, sigma=3.0, ledger=own, note="noise"
    )
    sums = found.means * np.maximum(found.counts, 1.0)[:, None] * math.sqrt(0.5)
    assert sums.std() == pytest.approx(3.0, rel=0.03)


def test_nothing_is_read_if_it_costs_too_much() -> None:
    def batches() -> Any:
        raise AssertionError("records were read")
        yield

    own = Ledger(0.1, 1e-6, adjacency="zero_out", n_rows=10, noise=SystemNoise())
    with pytest.raises(BudgetExceededError):
        release_embedding(
            batches(), n_classes=1, n_features=2, count_share=0.1, sigma=1.0, ledger=own, note=""
        )
    assert not own.events


def test_features_must_fit() -> None:
    with pytest.raises(InvalidDataError, match="Expected 5 features for each of 2 records"):
        released(np.zeros((2, 4)), np.zeros(2, dtype=np.int64), ledger())


def test_no_records_give_equal_shares() -> None:
    found = released(np.zeros((0, FEATURES)), np.zeros(0, dtype=np.int64), ledger(n=0))
    np.testing.assert_allclose(found.shares, 1 / CLASSES)
