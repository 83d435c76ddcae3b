"""A small table to train on."""

from __future__ import annotations

from typing import Any

import torch

from synthgen.train.recipe import Recipe
from synthgen.train.table import TableTask
from synthgen.train.terms import TermSpec
from synthgen.train.trainer import Budget, Trainer
from tests.nn.layouts import linked_table, small_layout

TINY = Recipe(
    name="tiny",
    terms=(TermSpec("moments"), TermSpec("zero_centred_penalty")),
    warmup=0.3,
    latent=4,
    width=16,
    blocks=1,
    critic_width=16,
    critic_blocks=1,
    batch_size=32,
    steps=20,
    ema=0.9,
)


def task_of(recipe: Recipe = TINY, *, blocks: tuple[int, ...] = (0, 1)) -> TableTask:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return TableTask(
            small_layout(),
            linked_table(200),
            recipe,
            condition_blocks=list(blocks),
            device=torch.device("cpu"),
            low_precision=False,
        )


def trainer_of(recipe: Recipe = TINY, **options: Any) -> Trainer:
    budget = options.pop("budget", Budget(steps=recipe.steps))
    task = options.pop("task", None) or task_of(recipe)
    return Trainer(task, recipe, budget, seed=0, **options)
