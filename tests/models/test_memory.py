from __future__ import annotations

import pytest

from synthgen.errors import ResourceError
from synthgen.models import memory
from synthgen.train.recipe import Recipe
from tests.nn.layouts import small_layout

RECIPE = Recipe(name="mine")


def test_the_estimate_grows_with_rows_and_networks() -> None:
    base = memory.estimate_memory(small_layout(), 1_000, RECIPE)
    # 1,000 more rows of two codes and two scores, four bytes each, held twice.
    assert memory.estimate_memory(small_layout(), 2_000, RECIPE) - base == 1_000 * 4 * 8
    assert memory.estimate_memory(small_layout(), 1_000, RECIPE.replace(width=512)) > base
    assert memory.estimate_memory(small_layout(), 1_000, RECIPE.replace(batch_size=4_096)) > base


def test_too_little_memory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    need = memory.estimate_memory(small_layout(), 10**9, RECIPE)
    monkeypatch.setattr(memory, "available_memory", lambda: need)
    memory.check_memory(small_layout(), 10**9, RECIPE)
    monkeypatch.setattr(memory, "available_memory", lambda: need // 2)
    with pytest.raises(ResourceError, match=r"1,000,000,000 rows .* needs about 3\d\.\d GB"):
        memory.check_memory(small_layout(), 10**9, RECIPE)
    assert issubclass(ResourceError, MemoryError)


def test_free_memory_is_a_number_or_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    free = memory.available_memory()
    assert free is None or free > 10_000_000

    def nothing(self: object) -> str:
        raise OSError

    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr("pathlib.Path.read_text", nothing)
    monkeypatch.setattr("os.sysconf", unknown)
    assert memory.available_memory() is None
