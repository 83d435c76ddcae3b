from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from synthgen.errors import RecipeError
from synthgen.models.image_presets import IMAGE_PRESETS
from synthgen.train.accumulation import AccumulatingGame, game_of
from synthgen.train.checkpoint import Checkpoint
from synthgen.train.game import Game
from synthgen.train.recipe import Recipe
from synthgen.train.terms import TermSpec
from synthgen.train.trainer import Budget
from tests.train.image_tasks import SMALL, image_task, image_trainer
from tests.train.tasks import TINY, task_of
from tests.train.test_images import Interrupt, assert_same, weights

#: No batch norm in the generator, and no random numbers but z.
WHOLE = SMALL.replace(
    architecture="plain",
    spectral="none",
    objective="non_saturating",
    batch_size=32,
    generator_rate=1e-4,
    critic_rate=1e-4,
)


def gradients(module: Any) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}


def assert_close(first: Any, second: Any) -> None:
    """Compare tensors by name, each within a ten-thousandth of its largest number."""
    assert first
    assert first.keys() == second.keys()
    for name, value in first.items():
        gap = float((value - second[name]).abs().max())
        assert gap <= 2e-4 * float(value.abs().max()) + 1e-7, name


def one_step(recipe: Any, task: Any) -> tuple[Any, Any, float]:
    """Return the gradients of both players at the same weights, and the loss."""
    game = game_of(task, recipe, 0)
    # A critic that does not move: the generator's pass sees the same one in both ways.
    game.set_rates(1e-12)
    loss = game.step(0, adversarial=True, share=0.5)
    return gradients(task.critic), gradients(task.generator), loss


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"objective": "hinge"},
        {"objective": "relativistic"},
        {"objective": "wasserstein", "critic_steps": 2},
        {"terms": (TermSpec("r1", {"every": 1}), TermSpec("lecam"))},
        {"terms": (TermSpec("ada"), TermSpec("label_smoothing"))},
        {"terms": (TermSpec("auxiliary_classes"),)},
        {"minibatch_std": True},
        {"minibatch_discrimination": True},
    ],
)
def test_gradients_of_parts_are_those_of_the_batch(changes: dict[str, Any]) -> None:
    recipe = WHOLE.replace(**changes).check()
    whole = one_step(recipe, image_task(recipe))
    parts = recipe.replace(accumulate=2).check()
    in_parts = one_step(parts, image_task(parts))
    assert_close(whole[0], in_parts[0])
    assert_close(whole[1], in_parts[1])
    assert in_parts[2] == pytest.approx(whole[2], rel=1e-4)


def test_states_of_terms_move_as_with_the_batch() -> None:
    recipe = WHOLE.replace(terms=(TermSpec("lecam"), TermSpec("ada", {"images": 100.0}))).check()
    states = []
    for accumulate in (1, 2):
        game = game_of(image_task(recipe), recipe.replace(accumulate=accumulate), 0)
        game.set_rates(1e-12)
        for number in range(3):
            game.step(number, adversarial=True, share=0.5)
            # What is augmented depends on the order of random numbers.
            game._input_states[0]["p"] = torch.zeros(())
        states.append({**game._score_states[0], **game._input_states[0]})
    assert_close(states[0], states[1])
    assert states[0]["real"].abs() > 0


def test_several_steps_stay_near_those_of_the_batch() -> None:
    recipe = WHOLE.replace(terms=(TermSpec("r1"),)).check()
    tasks = []
    for accumulate in (1, 2):
        parts = recipe.replace(accumulate=accumulate)
        tasks.append(image_task(parts))
        start = weights(tasks[-1].generator)
        game = game_of(tasks[-1], parts, 0)
        for number in range(4):
            game.step(number, adversarial=True)
    for name, value in weights(tasks[0].generator).items():
        moved = (value - start[name]).norm()
        assert (value - tasks[1].generator.state_dict()[name]).norm() <= 0.02 * moved + 1e-9


def test_packs_of_rows_stay_whole() -> None:
    """With z given, one step on a table equals that of the batch."""
    recipe = TINY.replace(
        objective="wasserstein", terms=(), warmup=0.0, batch_size=32, pack=4, accumulate=2
    ).check()
    task = task_of(recipe)
    game = game_of(task, recipe, 0)
    game.set_rates(1e-12)
    game.step(0, adversarial=True)
    found = gradients(task.critic)
    game = AccumulatingGame(task, recipe, 0)
    rng, pick = game._begin(0, 0.0)
    parts = game._parts(0, pick, rng, adversarial=True)
    task.critic.zero_grad(set_to_none=True)
    records = torch.cat([*(part.real for part in parts), *(part.records for part in parts)])
    scores = task.critic(records)
    (scores[8:].mean() - scores[:8].mean()).backward()
    assert_close(gradients(task.critic), found)


def test_a_part_is_generated_twice_from_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where networks keep numbers of their own, as spectral norms do."""
    recipe = SMALL.replace(accumulate=2, batch_size=32, spectral="both").check()
    task = image_task(recipe)
    made: list[torch.Tensor] = []
    fake = task.fake

    def record(*arguments: Any, **options: Any) -> Any:
        result = fake(*arguments, **options)
        made.append(result.records.detach())
        return result

    monkeypatch.setattr(task, "fake", record)
    AccumulatingGame(task, recipe, 0).step(0, adversarial=True)
    assert len(made) == 4
    torch.testing.assert_close(made[:2], made[2:])
    assert not torch.equal(made[0], made[1])
    assert made[0].shape[0] == 16


def test_what_exists_at_a_time_is_a_part() -> None:
    seen: list[int] = []
    recipe = WHOLE.replace(accumulate=4).check()
    task = image_task(recipe)
    for module in (task.critic, task.generator):
        module.register_forward_hook(lambda *call: seen.append(len(call[2])))
    AccumulatingGame(task, recipe, 0).step(0, adversarial=True)
    # Real and fake records share a pass of the critic.
    assert max(seen) == 2 * recipe.part_size == 16


def test_the_warm_up_without_a_critic() -> None:
    recipe = Recipe(
        name="mine", terms=(TermSpec("condition_match"),), conditioning="label", warmup=0.5,
        batch_size=32, accumulate=4, latent=4, width=8, critic_width=8,
    ).check()  # fmt: skip
    task = task_of(recipe)
    before = weights(task.generator), weights(task.critic)
    assert AccumulatingGame(task, recipe, 0).step(0, adversarial=False) > 0
    assert_same(before[1], weights(task.critic))
    assert any(not torch.equal(v, task.generator.state_dict()[k]) for k, v in before[0].items())


def test_one_part_is_the_plain_game() -> None:
    assert type(game_of(image_task(), SMALL, 0)) is Game


@pytest.mark.parametrize(
    "changes",
    [
        {"terms": (TermSpec("lecam"), TermSpec("ada", {"images": 100}))},
        {"architecture": "style2", "terms": (TermSpec("path_length", {"every": 2}),)},
    ],
)
def test_an_interrupted_run_resumes_exactly(changes: dict[str, Any], tmp_path: Path) -> None:
    recipe = WHOLE.replace(steps=6, accumulate=2, **changes).check()
    budget = Budget(steps=6, checks=3, patience=9)
    whole = image_trainer(recipe, budget=budget)
    expected = whole.run()
    place = Checkpoint(tmp_path / "run", {"seed": 0})
    image_trainer(recipe, budget=budget, listener=Interrupt(3), checkpoint=place).run()
    resumed = image_trainer(recipe, budget=budget, checkpoint=place)
    assert_same(weights(resumed.run().generator), weights(expected.generator))
    assert_same(weights(resumed.task.critic), weights(whole.task.critic))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accumulate": 0}, "accumulate must be an integer >= 1"),
        ({"accumulate": 5}, "batch_size of 64 cannot be cut into 5 parts"),
        ({"accumulate": 2, "critic_norm": "batch"}, "critic_norm='batch' and accumulate > 1"),
        ({"accumulate": 8, "minibatch_std": True}, "'minibatch_std' compares images in groups"),
        (
            {"accumulate": 8, "minibatch_discrimination": True},
            "'minibatch_discrimination' compares .* 16 must divide the 8 images",
        ),
        *(
            (
                {"accumulate": 2, "terms": (TermSpec(name),)},
                f"'{name}' and 'accumulate' cannot be combined",
            )
            for name in ("feature_matching", "top_k", "dragan", "unrolled")
        ),
    ],
)
def test_what_compares_records_is_refused_by_name(changes: dict[str, Any], words: str) -> None:
    recipe = WHOLE.replace(architecture="strided", batch_size=64).replace(**changes)
    with pytest.raises((RecipeError, ValueError), match=words):
        recipe.check()


def test_tables_too() -> None:
    plain = Recipe(name="mine", batch_size=64, accumulate=4)
    with pytest.raises(RecipeError, match="'moments' and 'accumulate' cannot be combined"):
        plain.replace(terms=(TermSpec("moments"),)).check()
    with pytest.raises(
        RecipeError, match="parts of 16 records, which is not a multiple of pack 32"
    ):
        plain.replace(pack=32).check()
    assert plain.replace(pack=8).check().part_size == 16


def test_presets_that_can_be_cut_up() -> None:
    """All but those that compare images of a batch."""
    refused = set()
    for name, recipe in IMAGE_PRESETS.items():
        try:
            recipe.replace(accumulate=4).check()
        except RecipeError:
            refused.add(name)
    assert "strided" not in refused
    assert {"dcgan", "dragan"} <= refused
    assert not {"stylegan", "stylegan2-ada", "biggan", "r3gan", "fastgan", "wgan-gp"} & refused
