from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synthgen.errors import RecipeError
from synthgen.nn.image.growing import Stage
from synthgen.train.checkpoint import Checkpoint
from synthgen.train.game import Game
from synthgen.train.growth import grown_by
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.terms import TermSpec
from synthgen.train.trainer import Budget
from tests.train.image_tasks import SMALL, image_task, image_trainer
from tests.train.test_images import Interrupt, assert_same, weights

GROWING = SMALL.replace(
    architecture="style", spectral="none", objective="non_saturating", grow_until=0.5
)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.01, 0.99), st.integers(1, 6))
def test_networks_never_shrink(first: float, second: float, until: float, doublings: int) -> None:
    first, second = sorted((first, second))
    before, after = (grown_by(share, until, doublings) for share in (first, second))
    assert 0.0 <= before <= after <= doublings
    assert grown_by(until, until, doublings) == doublings
    assert grown_by(0.0, until, doublings) == 0.0


def test_each_size_rests_as_long_as_it_fades() -> None:
    sizes = np.array([grown_by(share, 0.5, 3) for share in np.linspace(0, 0.5, 6_001)])
    for size in (0, 1, 2):
        assert (sizes == size).mean() == pytest.approx(1 / 6, abs=1e-3)
        assert ((sizes > size) & (sizes < size + 1)).mean() == pytest.approx(1 / 6, abs=1e-3)


def test_real_images_are_as_coarse_as_generated_ones() -> None:
    task = image_task(GROWING)
    draw, places = task.conditions(np.arange(6), np.random.default_rng(0))
    real = task.real(places, draw)
    whole = task.pixels(places).reshape(-1, 1, 8, 8)
    means = whole.reshape(-1, 1, 4, 2, 4, 2).mean((3, 5))
    expected = means.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(real[:, :64].reshape(-1, 1, 8, 8), expected)
    assert draw is not None
    assert torch.equal(real[:, 64:], draw)
    fake = task.fake(6, draw, torch.Generator()).records[:, :64].reshape(-1, 1, 8, 8)
    assert torch.equal(fake[:, :, ::2, ::2], fake[:, :, 1::2, 1::2])
    task.grow(0.375)  # half-way from 4 x 4 to 8 x 8
    torch.testing.assert_close(
        task.real(places, draw)[:, :64].reshape(-1, 1, 8, 8), (expected + whole) / 2
    )
    task.grow(0.5)
    assert torch.equal(task.real(places, draw)[:, :64], whole.flatten(1))
    assert not task.grows


def test_the_game_lets_both_networks_grow() -> None:
    task = image_task(GROWING)
    game = Game(task, GROWING, 0)
    trunk: Any = task.critic.trunk
    sizes = []
    for number, share in enumerate((0.0, 0.3, 0.4, 0.2, 0.6)):
        game.step(number, adversarial=True, share=share)
        assert torch.equal(task.generator.grown, trunk.grown)
        sizes.append(round(float(task.generator.grown), 6))
        assert game.grows == (sizes[-1] < 1.0)
    assert sizes == [0.0, 0.2, 0.6, 0.6, 1.0]


def test_layers_learn_once_they_are_there() -> None:
    task = image_task(GROWING)
    before = weights(task.generator), weights(task.critic)
    game = Game(task, GROWING, 0)

    def changed(share: float, number: int) -> set[str]:
        game.step(number, adversarial=True, share=share)
        now = weights(task.generator), weights(task.critic)
        return {
            name
            for old, new in zip(before, now, strict=True)
            for name, value in old.items()
            if not torch.equal(value, new[name])
        }

    early, late = changed(0.0, 0), changed(0.9, 1)
    fine = {"convs.3.conv.weight", "outputs.1.weight", "trunk.entries.0.weight"}
    assert not fine & early
    assert {"convs.1.conv.weight", "outputs.0.weight", "trunk.entries.1.weight"} <= early
    assert fine <= late


def test_only_states_of_full_size_can_be_the_best() -> None:
    scores = iter([1.0, 2.0, 4.0, 3.0])
    shapes: list[float] = []

    def monitor(generator: Any) -> dict[str, float]:
        shapes.append(float(generator.grown))
        return {"score": next(scores)}

    recipe = GROWING.replace(steps=8, grow_until=0.6)
    budget = Budget(steps=8, checks=4, patience=1)
    result = image_trainer(recipe, monitor=monitor, budget=budget).run()
    assert shapes[0] < shapes[1] < 1.0 == shapes[-1]
    assert result.best_step == 8
    assert float(result.generator.grown) == 1.0


@pytest.mark.parametrize("step", [2, 5])
@pytest.mark.parametrize(
    "changes",
    [
        {"minibatch_std": True, "terms": (TermSpec("r1"), TermSpec("ada", {"images": 100}))},
        {"architecture": "style2", "terms": (TermSpec("path_length", {"every": 2}),)},
        {"accumulate": 2, "condition": "concat"},
    ],
)
def test_an_interrupted_run_resumes_exactly(
    changes: dict[str, Any], step: int, tmp_path: Path
) -> None:
    recipe = GROWING.replace(steps=8, grow_until=0.7, **changes).check()
    budget = Budget(steps=8, checks=8, patience=9)
    whole = image_trainer(recipe, budget=budget)
    expected = whole.run()
    assert float(expected.generator.grown) == 1.0
    place = Checkpoint(tmp_path / "run", {"seed": 0})
    cut = image_trainer(recipe, budget=budget, listener=Interrupt(step), checkpoint=place).run()
    assert float(cut.generator.grown) < 1.0
    resumed = image_trainer(recipe, budget=budget, checkpoint=place)
    assert_same(weights(resumed.run().generator), weights(expected.generator))
    assert_same(weights(resumed.task.generator), weights(whole.task.generator))
    assert_same(weights(resumed.task.critic), weights(whole.task.critic))


def test_a_grown_model_stays_grown() -> None:
    """Weights of a fitted model bring their size with them."""
    grown, again = image_task(GROWING), image_task(GROWING)
    grown.grow(1.0)
    for old, new in ((grown.generator, again.generator), (grown.critic, again.critic)):
        new.load_state_dict(old.state_dict())
    again.grow(0.0)
    assert not again.grows
    assert Stage.of(float(again.generator.grown)) == Stage(1, 1.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grow_until": 1.0}, "grow_until must be a number in"),
        ({"grow_until": -0.1}, "grow_until must be a number in"),
        ({"architecture": "strided"}, "grow_until needs 'style' or 'style2' networks; 'strided'"),
        ({"architecture": "residual"}, "grow_until needs"),
    ],
)
def test_what_cannot_grow_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        GROWING.replace(**changes).check()
    assert issubclass(RecipeError, ValueError)
    assert ImageRecipe.from_json(GROWING.to_json()) == GROWING
