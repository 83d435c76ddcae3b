import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen.measure.space import Rows, distance_blocks
from synthgen.privacy.attacks import neighbours as module
from synthgen.privacy.attacks.neighbours import nearest, take


def rows(n, seed, levels=(3, 300)):
    rng = np.random.default_rng(seed)
    codes = np.array([rng.integers(0, k, n) for k in levels], dtype=np.int32).reshape(-1, n)
    return Rows(np.round(rng.normal(size=(n, 2)), 1), codes, list(levels))


def exact(queries, references, k):
    squared = np.concatenate([own[0] for _, own in distance_blocks(queries, references)])
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return order, np.sqrt(np.take_along_axis(squared, order, axis=1))


@pytest.mark.parametrize("block", [16_384, 100, 37])
def test_equals_exhaustive_search_over_any_blocks(monkeypatch, block):
    monkeypatch.setattr(module, "_REFERENCE_ROWS", block)
    monkeypatch.setattr(module, "_QUERY_ROWS", 13)
    queries, references = rows(40, 0), rows(500, 1)
    found = nearest(queries, references, 7)
    np.testing.assert_allclose(found.distances, exact(queries, references, 7)[1], atol=1e-12)


def test_fewer_references_than_neighbours():
    found = nearest(rows(3, 0), rows(4, 1), 10)
    assert found.rows.shape == (3, 4)
    assert (np.sort(found.rows, axis=1) == np.arange(4)).all()


def test_equal_rows_are_at_distance_zero_and_the_first_wins():
    own = rows(20, 0)
    both = take(own, np.concatenate([np.arange(20), np.arange(20)]))
    found = nearest(own, both, 1)
    assert (found.distances == 0).all()
    assert (found.rows[:, 0] == np.arange(20)).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(1, 8), st.integers(0, 99))
def test_distances_grow_and_are_true(n, k, seed):
    queries, references = rows(5, seed), rows(n, seed + 1, levels=(2, 5))
    queries = Rows(queries.numbers, queries.codes % 2, [2, 5])
    found = nearest(queries, references, k)
    expected = exact(queries, references, min(k, n))[1]
    np.testing.assert_allclose(found.distances, expected, atol=1e-12)
