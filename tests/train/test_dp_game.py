"""Tests of the private game: who sees what, when, and which recipes are let in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from synthgen.dp.errors import PrivacyError
from synthgen.dp.events import Event
from synthgen.dp.moments import PairTables
from synthgen.dp.noise import SystemNoise, TestNoise
from synthgen.encode.layout import EncodedTable, Layout, StateBlock
from synthgen.models.presets import PRESETS
from synthgen.train import dp_game
from synthgen.train.dp_checks import RECIPE_REFUSALS, check_private_recipe
from synthgen.train.dp_game import CriticLadder, PrivateGame
from synthgen.train.dp_table import PrivateTableTask, filled
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.recipe import Recipe
from synthgen.train.terms import TermSpec
from synthgen.train.trainer import Budget, Trainer

ROWS = 300
TINY = Recipe(
    name="tiny",
    objective="non_saturating",
    terms=(TermSpec("moments"),),
    latent=4,
    width=8,
    blocks=1,
    critic_width=8,
    critic_blocks=1,
    batch_size=16,
    steps=12,
)


def states() -> Layout:
    rank = np.array([[-1.0], [0.0], [1.0]])
    return Layout(
        (
            StateBlock(0, np.array([0.5, 0.3, 0.2]), rank),
            StateBlock(1, np.array([0.6, 0.4]), np.empty((2, 0))),
        ),
        (),
    )


def released(n_rows: float = ROWS) -> PairTables:
    shares = (np.array([0.5, 0.3, 0.2]), np.array([0.6, 0.4]))
    return PairTables(shares, (np.full(3, 0.01), np.full(2, 0.01)), (), (), 0.0, n_rows)


def table(seed: int = 0) -> EncodedTable:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 3, ROWS)
    codes = np.stack([first, first % 2], axis=1).astype(np.int32)
    return EncodedTable(codes, np.empty((ROWS, 0), np.float32))


def task_of(recipe: Recipe = TINY, rows: EncodedTable | None = None) -> PrivateTableTask:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return PrivateTableTask(
            states(), table() if rows is None else rows, recipe, released(),
            device=torch.device("cpu"),
        )  # fmt: skip


def game_of(
    recipe: Recipe = TINY, *, task: Any = None, count: int = 12, sampling: float = 0.05,
    seed: int = 0, noise: int | None = None, **options: Any,
) -> PrivateGame:  # fmt: skip
    event = Event("gaussian", "test", scale=1.0, count=count, sampling=sampling)
    source = SystemNoise() if noise is None else TestNoise(noise)
    return PrivateGame(
        task or task_of(recipe), recipe, seed, event=event, source=source, **options
    )  # fmt: skip


def test_training_does_the_charged_updates_and_no_more() -> None:
    game = game_of(critic_steps=3)
    trainer = Trainer(game.task, TINY, Budget(steps=12, checks=3), seed=0, game=game)
    result = trainer.run()
    assert (game.private.updates, result.steps) == (12, 12)
    assert {"critic_fake", "critic_accuracy", "critic_steps"} <= set(result.history.records[-1])
    with pytest.raises(PrivacyError, match="all are done"):
        game.step(12, adversarial=True)


def test_steps_with_empty_batches_are_steps() -> None:
    game = game_of(sampling=1e-9)
    before = [p.clone() for p in game.task.critic.parameters()]
    for number in range(12):
        game.step(number, adversarial=True)
    assert game.private.updates == 12
    assert all((a != b).any() for a, b in zip(before, game.task.critic.parameters(), strict=True))


def test_the_warm_up_of_a_recipe_skips_no_update() -> None:
    game = game_of()
    game.step(0, adversarial=False)
    assert game.private.updates == 1


def test_fakes_and_generator_batches_do_not_follow_the_rows() -> None:
    task = task_of()
    sizes: list[tuple[str, int]] = []
    fake, real = task.fake, task.real

    def counted_fake(n: int, *args: Any, **options: Any) -> Any:
        sizes.append(("fake", n))
        return fake(n, *args, **options)

    def counted_real(rows: torch.Tensor, draw: Any) -> torch.Tensor:
        sizes.append(("real", len(rows)))
        return real(rows, draw)

    task.fake, task.real = counted_fake, counted_real  # type: ignore[method-assign]
    game = game_of(task=task, critic_steps=2, count=40)
    for number in range(40):
        game.step(number, adversarial=True)
    assert {n for kind, n in sizes if kind == "fake"} == {TINY.batch_size}
    assert len({n for kind, n in sizes if kind == "real"}) > 3
    assert [kind for kind, _ in sizes].count("real") == 40
    assert [kind for kind, _ in sizes].count("fake") == 60


def test_without_noise_from_rows_nothing_but_gradients_carries_them() -> None:
    """With the same noise and sample, other rows change the generator through the critic alone."""
    weights = []
    for rows in (table(0), table(1)):
        game = game_of(task=task_of(rows=rows), noise=5, sampling=1e-9, critic_steps=1)
        for number in range(6):
            game.step(number, adversarial=True)
        weights.append(
            torch.cat([p.detach().reshape(-1) for p in game.task.generator.parameters()])
        )
    # No row was ever sampled, so the runs are the same.
    assert torch.equal(weights[0], weights[1])


def test_the_seed_does_not_reach_noise_or_samples() -> None:
    critics = []
    for _ in range(2):
        game = game_of(seed=7)
        game.step(0, adversarial=True)
        critics.append(torch.cat([p.detach().reshape(-1) for p in game.task.critic.parameters()]))
    assert not torch.equal(critics[0], critics[1])


def test_the_ladder_climbs_by_fakes_alone() -> None:
    ladder = CriticLadder(2, 0.6)
    right, wrong = torch.full((8,), -1.0), torch.full((8,), 1.0)
    assert [ladder.observe(right) for _ in range(4)] == [False, True, False, True]
    for _ in range(2 * 400):
        ladder.observe(right)
    assert ladder.per_step == 2
    for _ in range(2 * 199):
        ladder.observe(wrong)
    assert ladder.per_step == 5
    steps = sum(ladder.observe(wrong) for _ in range(5 * 10))
    assert steps == 10


def test_the_ladder_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dp_game, "_GRACE", 1)
    ladder = CriticLadder(200, 1.0)
    rungs = []
    for _ in range(3):
        while not ladder.observe(torch.ones(1)):
            pass
        rungs.append(ladder.per_step)
    assert rungs == [500, 500, 500]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_that_may_be_private(name: str) -> None:
    allowed = {"vanilla", "lsgan", "wgan"}
    if name in allowed:
        check_private_recipe(PRESETS[name])
        return
    with pytest.raises(PrivacyError, match=f"'{PRESETS[name].name}' with .*use "):
        check_private_recipe(PRESETS[name])


CHANGES: dict[str, dict[str, Any]] = {
    "objective": {"objective": "relativistic"},
    "pack": {"pack": 2},
    "conditioning": {"conditioning": "sampling"},
    "terms": {"terms": (TermSpec("zero_centred_penalty"),)},
    "accumulate": {"accumulate": 4},
}


@pytest.mark.parametrize("name", CHANGES)
def test_recipes_that_cannot_be_private(name: str) -> None:
    with pytest.raises(PrivacyError, match=f"{name}=.*use"):
        game_of(TINY.replace(**CHANGES[name]), task=task_of())


def test_every_refusal_is_tested() -> None:
    # Recipes have no other optimiser than the two so far; two parts are of images only.
    own = {"optimiser", "grow_until", "balance"}
    assert {name for name, _, _ in RECIPE_REFUSALS} == {*CHANGES, *own}


def test_balanced_labels_are_refused() -> None:
    recipe = ImageRecipe(name="mine", objective="non_saturating", balance=0.5)
    with pytest.raises(PrivacyError, match=r"balance=0\.5 .*; use balance=0\.0"):
        check_private_recipe(recipe.check())


def test_networks_that_grow_are_refused() -> None:
    recipe = ImageRecipe(
        name="mine", objective="non_saturating", architecture="style", grow_until=0.5
    )
    with pytest.raises(PrivacyError, match=r"grow_until=0\.5 .*; use grow_until=0\.0"):
        check_private_recipe(recipe.check())


@pytest.mark.parametrize(
    "term",
    ["gradient_penalty", "zero_centred_penalty", "condition_match", "instance_noise"],
)
def test_terms_that_look_at_real_rows(term: str) -> None:
    recipe = TINY.replace(terms=(TermSpec(term),))
    with pytest.raises(PrivacyError, match=f"'{term}'"):
        check_private_recipe(recipe)


def test_targets_are_released_ones() -> None:
    targets = [task_of(rows=table(seed)).targets for seed in (0, 1)]
    for name, value in targets[0].items():
        assert torch.equal(value, targets[1][name])
    assert torch.allclose(targets[0]["singles"], torch.tensor([0.5, 0.3, 0.2, 0.6, 0.4]))
    assert not targets[0]["pair_weights"].any()


def test_unknown_cells_are_filled_by_released_shares() -> None:
    codes = np.full((4_000, 2), -1, np.int32)
    codes[0] = [2, 1]
    full = filled(EncodedTable(codes, np.empty((4_000, 0), np.float32)), released(), TestNoise(0))
    assert full.codes[0].tolist() == [2, 1]
    shares = np.bincount(full.codes[:, 0], minlength=3) / 4_000
    assert np.abs(shares - [0.5, 0.3, 0.2]).max() < 0.04
    assert (codes[1:] == -1).all()
