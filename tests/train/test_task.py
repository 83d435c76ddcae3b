from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.nn.layouts import linked_table, small_layout
from tests.train.tasks import TINY, task_of


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_real_records_show_the_rows_asked_for() -> None:
    task = task_of()
    rows = np.array([5, 0, 5])
    draw, picked = task.conditions(rows, np.random.default_rng(0))
    records = task.real(picked, draw)
    assert draw is None
    assert torch.equal(records[0], records[2])
    codes = linked_table(200).codes[rows]
    hot = records[:, :7]
    assert (hot.argmax(1) == torch.as_tensor(codes[:, 0])).all()
    assert (hot[:, 3:].argmax(1) == torch.as_tensor(codes[:, 1])).all()


@pytest.mark.parametrize("relaxation", ["reinmax", "softmax"])
def test_fake_records_carry_gradients_to_all_weights(relaxation: str) -> None:
    task = task_of(TINY.replace(relaxation=relaxation))
    fake = task.fake(16, None, rng())
    assert fake.records.shape == task.real(torch.arange(16), None).shape
    assert fake.view.cells is not None
    assert fake.view.cells.shape == (16, small_layout().n_cells)
    weights = torch.arange(fake.records.shape[1], dtype=torch.float32)
    (fake.records @ weights).sum().backward()
    for name, parameter in task.generator.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_nothing_is_drawn_without_the_critic() -> None:
    fake = task_of().fake(16, None, rng(), adversarial=False)
    assert fake.records.shape == (16, 0)


def test_generated_records_are_a_function_of_the_generator_of_random_numbers() -> None:
    task = task_of()
    first, second, other = (task.fake(8, None, rng(k)).records for k in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_conditions_reach_both_sides() -> None:
    task = task_of(TINY.replace(conditioning="sampling"))
    draw, rows = task.conditions(np.arange(32), np.random.default_rng(0))
    assert draw is not None
    for records in (task.real(rows, draw), task.fake(32, draw, rng()).records):
        assert torch.equal(records[:, -7:], draw.vector)
    view = task.fake(32, draw, rng()).view
    assert view.condition_loss is not None
    assert view.cells is not None
    chance = view.cells[torch.arange(32), draw.states]
    torch.testing.assert_close(view.condition_loss, -chance.log())


def test_targets_are_made_only_for_terms_that_need_them() -> None:
    task = task_of(TINY.replace(terms=(), warmup=0.0))
    assert task.targets == {}
    assert task.fake(4, None, rng()).view.cells is None
