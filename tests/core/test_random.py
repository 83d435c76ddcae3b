from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from synthgen.core.random import (
    STREAMS,
    generator,
    isolated_torch_rng,
    root_seed,
    torch_generator,
)
from synthgen.errors import InvalidParameterError


def test_an_integer_is_its_own_seed() -> None:
    assert root_seed(7) == 7
    assert root_seed(np.int32(7)) == 7
    assert root_seed(0) == 0


def test_none_is_fresh_every_time() -> None:
    assert root_seed(None) != root_seed(None)


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_generators_are_advanced(make: Any) -> None:
    state = make(3)
    first, second = root_seed(state), root_seed(state)
    assert first != second
    assert first == root_seed(make(3))


@pytest.mark.parametrize("value", [-1, 1.5, True, "0", [1], np.random])
def test_other_seeds_are_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match="random_state must be"):
        root_seed(value)


def test_streams_and_indices_are_independent() -> None:
    keys = [(s, stream, k) for s in (0, 1) for stream in STREAMS for k in range(3)]
    draws = {generator(s, stream, k).integers(2**62) for s, stream, k in keys}
    assert len(draws) == len(keys)
    assert len(set(STREAMS.values())) == len(STREAMS)


def test_a_part_is_the_same_whenever_it_is_drawn() -> None:
    late = [generator(5, "sample", k).random() for k in (2, 1, 0)]
    assert late[::-1] == [generator(5, "sample", k).random() for k in range(3)]


def test_streams_keep_their_numbers() -> None:
    """Saved seeds mean the same rows in later versions."""
    assert STREAMS["sample"] == 7
    expected = np.random.default_rng(np.random.SeedSequence(5, spawn_key=(7, 2))).random()
    assert generator(5, "sample", 2).random() == expected


def test_torch_generators_follow_the_same_keys() -> None:
    first = torch.rand(3, generator=torch_generator(0, "sample", 1))
    again = torch.rand(3, generator=torch_generator(0, "sample", 1))
    other = torch.rand(3, generator=torch_generator(0, "sample", 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_global_torch_generator_is_restored() -> None:
    before = torch.get_rng_state()
    with isolated_torch_rng(3, "weights"):
        first = torch.rand(2)
    assert torch.equal(torch.get_rng_state(), before)
    with isolated_torch_rng(3, "weights"):
        assert torch.equal(torch.rand(2), first)


def test_the_global_torch_generator_is_restored_after_an_error() -> None:
    before = torch.get_rng_state()
    with pytest.raises(TypeError), isolated_torch_rng(3, "weights"):
        torch.rand(2) + "text"
    assert torch.equal(torch.get_rng_state(), before)
