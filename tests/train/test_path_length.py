from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from synthgen.errors import RecipeError
from synthgen.train.checkpoint import Checkpoint
from synthgen.train.game import Game
from synthgen.train.path_length import PathLength, path_lengths
from synthgen.train.terms import TERMS, TermSpec
from synthgen.train.trainer import Budget
from tests.train.image_tasks import SMALL, image_task, image_trainer
from tests.train.test_images import Interrupt, assert_same, weights

STYLE = SMALL.replace(architecture="style2", spectral="none", objective="non_saturating")


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear(n: int, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return styles, and images (1, 2, 2) that are a matrix times them."""
    styles = torch.randn(n, matrix.shape[1], generator=rng(1)).requires_grad_()
    return styles, (styles @ matrix.T).reshape(n, 1, 2, 2)


def test_lengths_of_a_linear_generator_are_those_of_the_products() -> None:
    """J is the matrix for every w: the lengths are |J'y| / 2 for four pixels."""
    matrix = torch.randn(4, 3, generator=rng(2))
    noise = torch.randn(5, 1, 2, 2, generator=rng())
    expected = (noise.flatten(1) @ matrix).norm(dim=1) / 2
    torch.testing.assert_close(path_lengths(*linear(5, matrix), rng()), expected)


def test_expected_lengths_go_by_the_size_of_the_derivative() -> None:
    """Over y, E|J'y|^2 is the squared Frobenius norm of J."""
    matrix = torch.randn(4, 3, generator=rng(2))
    squares = path_lengths(*linear(20_000, matrix), rng()).square().mean() * 4
    assert squares.item() == pytest.approx(matrix.square().sum().item(), rel=0.05)


def test_the_first_call_measures_and_the_next_ones_penalise() -> None:
    term = PathLength(weight=2.0, every=3, decay=0.9)
    styles, images = linear(6, torch.randn(4, 3, generator=rng(2)))
    value, state = term(styles, images, term.start(), rng())
    lengths = path_lengths(styles, images, rng()).detach()
    assert value.abs().max() == 0
    assert state["length"].item() == pytest.approx(lengths.mean().item())
    value, after = term(styles, images, {"length": torch.tensor(1.0), "seen": torch.tensor(1.0)},
                        rng())  # fmt: skip
    torch.testing.assert_close(value, 6.0 * (lengths - 1.0) ** 2)
    assert after["length"].item() == pytest.approx((1.0 + lengths.mean().item()) / 2)
    _, late = term(styles, images, {"length": torch.tensor(1.0), "seen": torch.tensor(500.0)},
                   rng())  # fmt: skip
    assert late["length"].item() == pytest.approx(0.9 + 0.1 * lengths.mean().item())


def test_the_penalty_makes_lengths_equal() -> None:
    """A generator with a direction that is bent differently by w is straightened."""
    scale = torch.nn.Parameter(torch.tensor(1.0))
    term, state = PathLength(weight=1.0, every=1), PathLength().start()
    optimiser = torch.optim.Adam([scale], lr=0.05)
    for step in range(120):
        styles = torch.randn(64, 1, generator=rng(step)).requires_grad_()
        bent = styles + scale * styles**2
        images = bent.reshape(64, 1, 1, 1).expand(-1, 1, 4, 4)
        value, state = term(styles, images, state, rng(step))
        optimiser.zero_grad()
        torch.autograd.backward(value.mean())
        optimiser.step()
    assert abs(scale.item()) < 0.1


@pytest.mark.parametrize("architecture", ["style", "style2"])
def test_it_reaches_mapping_and_synthesis(architecture: str) -> None:
    recipe = STYLE.replace(architecture=architecture)
    task = image_task(recipe)
    draw, _ = task.conditions(torch.arange(8).numpy(), None)  # type: ignore[arg-type] # no codes
    state = {"length": torch.tensor(0.1), "seen": torch.tensor(3.0)}
    value, _ = PathLength()(*task.styled(4, draw, rng()), state, rng())
    assert value.shape == (4,)
    torch.autograd.backward(value.mean())
    for name in ("mapping.layers.0.weight", "convs.1.style.weight", "convs.1.conv.weight"):
        gradient = dict(task.generator.named_parameters())[name].grad
        assert gradient is not None, name
        assert gradient.abs().max() > 0, name


def test_the_game_applies_it_every_few_steps() -> None:
    recipe = STYLE.replace(terms=(TermSpec("path_length", {"every": 3}),)).check()
    game = Game(image_task(recipe), recipe, 0)
    seen = []
    for number in range(7):
        game.step(number, adversarial=True)
        seen.append(game._path_states[0]["seen"].item())
    assert seen == [1, 1, 1, 2, 2, 2, 3]
    assert game.figures["path_length"] > 0
    other = Game(image_task(recipe), recipe, 0)
    other.restore(game.state())
    assert other._path_states[0]["seen"].item() == 3
    assert torch.equal(other._path_states[0]["length"], game._path_states[0]["length"])


def test_its_weight_changes_the_generator_and_nothing_else() -> None:
    """Critic and random numbers of the first step are those of a game without the term."""
    critics, generators = [], []
    for terms in ((), (TermSpec("path_length", {"weight": 1e3, "every": 1}),)):
        recipe = STYLE.replace(terms=terms)
        task = image_task(recipe)
        game = Game(task, recipe, 0)
        game.step(0, adversarial=True)
        critics.append(weights(task.critic))
        game.step(1, adversarial=True)
        generators.append(weights(task.generator))
    assert_same(critics[0], critics[1])
    assert any(not torch.equal(v, generators[1][k]) for k, v in generators[0].items())


def test_an_interrupted_run_resumes_exactly(tmp_path: Path) -> None:
    recipe = STYLE.replace(steps=8, terms=(TermSpec("path_length", {"every": 2}),)).check()
    budget = Budget(steps=8, checks=4, patience=9)
    whole = image_trainer(recipe, budget=budget)
    expected = whole.run()
    assert "path_length" in expected.history.records[-1]
    place = Checkpoint(tmp_path / "run", {"seed": 0})
    image_trainer(recipe, budget=budget, listener=Interrupt(5), checkpoint=place).run()
    resumed = image_trainer(recipe, budget=budget, checkpoint=place)
    assert_same(weights(resumed.run().generator), weights(expected.generator))
    assert_same(weights(resumed.task.generator), weights(whole.task.generator))


@pytest.mark.parametrize("architecture", ["strided", "residual", "plain", "skip", "dense"])
def test_it_needs_styles(architecture: str) -> None:
    recipe = STYLE.replace(architecture=architecture, terms=(TermSpec("path_length"),))
    with pytest.raises(RecipeError, match="the term 'path_length' needs 'styles'"):
        recipe.check()


def test_it_is_registered() -> None:
    built: Any = TermSpec("path_length", {"weight": 2.0}).build()
    assert built == PathLength(weight=2.0)
    assert TERMS["path_length"] is PathLength
