from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from synthgen.train.checkpoint import Checkpoint
from synthgen.train.game import Game
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.images import ImageTask
from synthgen.train.terms import TermSpec
from synthgen.train.trainer import Budget
from tests.train.image_tasks import SMALL, digit_data, image_task, image_trainer

PLAIN = SMALL.replace(spectral="none", objective="non_saturating")


def weights(module: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def assert_same(first: Any, second: Any) -> None:
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_records_are_pixels_then_labels() -> None:
    task, data = image_task(), digit_data()
    rows = np.array([5, 0, 7])
    draw, places = task.conditions(rows, np.random.default_rng(0))
    assert draw is not None
    real = task.real(places, draw)
    assert real.shape == (3, 74)
    np.testing.assert_array_equal(real[:, :64].numpy().reshape(3, 1, 8, 8), data.images[rows])
    assert data.codes is not None
    assert real[:, 64:].argmax(1).tolist() == data.codes[rows, 0].tolist()
    fake = task.fake(3, draw, torch.Generator().manual_seed(0)).records
    assert torch.equal(fake[:, 64:], draw)
    assert fake[:, :64].abs().max() <= 1


def test_balance_shows_rare_labels_as_often_as_others() -> None:
    codes = (np.arange(100) % 10 == 0).astype(np.int64)[:, None]
    images = np.zeros((100, 1, 8, 8), dtype=np.float32)
    seen = {}
    for balance in (0.0, 0.5, 1.0):
        task = ImageTask(
            images, codes, (2,), SMALL.replace(balance=balance), device=torch.device("cpu")
        )
        draw, places = task.conditions(np.arange(100).repeat(50), np.random.default_rng(0))
        assert draw is not None
        # Each row comes with its own label.
        assert draw.argmax(dim=1).tolist() == codes[places.numpy(), 0].tolist()
        seen[balance] = float(draw[:, 1].mean())
    # Ten rows of one label, ninety of the other: shares 1:9, 1:3 and 1:1.
    assert seen[0.0] == pytest.approx(0.1)
    assert seen[0.5] == pytest.approx(0.25, abs=0.03)
    assert seen[1.0] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    "changes",
    [
        {"terms": (TermSpec("r1"), TermSpec("lecam"), TermSpec("consistency"))},
        {"terms": (TermSpec("feature_matching"), TermSpec("top_k"), TermSpec("ada"))},
        {"terms": (TermSpec("instance_noise"), TermSpec("label_smoothing"))},
        {"terms": (TermSpec("unrolled", {"steps": 2}),), "minibatch_std": True},
        {"terms": (TermSpec("auxiliary_classes"),), "critic_norm": "batch"},
        {"terms": (TermSpec("mutual_information"),), "condition": "concat"},
        {"terms": (TermSpec("mutual_information"),), "condition": "none"},
        {"terms": (TermSpec("reconstruction"), TermSpec("diffaug")), "architecture": "skip"},
        {"condition": "embedding", "by_norm": False, "minibatch_discrimination": True},
        {"objective": "relativistic", "terms": (TermSpec("zero_centred_penalty"),)},
        {"objective": "wasserstein", "terms": (TermSpec("dragan"),), "critic_steps": 2},
        {"objective": "wasserstein", "terms": (TermSpec("weight_clipping"),), "solver": "rmsprop"},
        {"architecture": "residual", "attention": True, "chunks": True, "latent": 16},
    ],
)
def test_every_part_can_be_combined(changes: dict[str, Any]) -> None:
    recipe = PLAIN.replace(**changes).check()
    assert ImageRecipe.from_json(recipe.to_json()) == recipe
    task = image_task(recipe)
    before = weights(task.generator), weights(task.critic)
    result = image_trainer(recipe, task=task).run()
    assert result.steps == recipe.steps
    for old, module in zip(before, (task.generator, task.critic), strict=True):
        assert any(not torch.equal(old[k], v) for k, v in module.state_dict().items())
        assert all(torch.isfinite(v).all() for v in module.state_dict().values())


def test_history_has_the_critics_scores() -> None:
    record = image_trainer(PLAIN.replace(terms=(TermSpec("ada"),))).run().history.records[-1]
    assert {"critic_real", "critic_fake", "augment_p"} <= record.keys()


@pytest.mark.parametrize(
    ("changes", "shared"),
    [
        ({}, True),
        ({"minibatch_std": True}, False),
        ({"critic_norm": "batch"}, False),
        ({"terms": (TermSpec("top_k", {"least": 0.25}),)}, True),
        ({"terms": (TermSpec("lecam"),)}, False),
    ],
)
def test_the_generators_gradient_is_that_of_its_loss(changes: dict[str, Any], shared: bool) -> None:
    """Whether the critic's pass serves both players or the generator has one of its own."""
    recipe = PLAIN.replace(critic_rate=1e-12, **changes)
    task = image_task(recipe)
    game = Game(task, recipe, 0)
    game._share = 1.0
    draw, rows = task.conditions(np.arange(16), np.random.default_rng(0))
    real = task.real(rows, draw)
    records = task.fake(16, draw, torch.Generator().manual_seed(0)).records
    leaf = records.detach().requires_grad_()
    scores = task.critic(leaf)
    loss = torch.nn.functional.softplus(-scores)
    if game._sides.selection:
        loss = loss * (scores >= scores.topk(4).values.min()) * 4
    (expected,) = torch.autograd.grad(loss.mean(), leaf)
    _, found = game._critic_step(0, real, records, torch.Generator(), share=True)
    assert game._shares_pass == shared
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-6)
    assert expected.abs().max() > 1e-5


class Interrupt:
    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, share: float, step: int, figures: dict[str, float]) -> None:
        if step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "changes",
    [
        {"spectral": "both", "terms": (TermSpec("lecam"),)},
        {"terms": (TermSpec("ada", {"images": 100}), TermSpec("instance_noise"))},
        {"objective": "wasserstein", "terms": (TermSpec("weight_clipping"),), "solver": "rmsprop"},
        {"architecture": "style2", "terms": (TermSpec("r1"),), "minibatch_std": True},
    ],
)
def test_an_interrupted_run_resumes_exactly(changes: dict[str, Any], tmp_path: Path) -> None:
    recipe = PLAIN.replace(steps=8, **changes).check()
    budget = Budget(steps=8, checks=4, patience=9)
    whole = image_trainer(recipe, budget=budget)
    expected = whole.run()
    place = Checkpoint(tmp_path / "run", {"seed": 0})
    cut = image_trainer(recipe, budget=budget, listener=Interrupt(5), checkpoint=place).run()
    assert cut.steps == 5
    resumed = image_trainer(recipe, budget=budget, checkpoint=place)
    result = resumed.run()
    assert_same(weights(result.generator), weights(expected.generator))
    assert_same(weights(resumed.task.generator), weights(whole.task.generator))
    assert_same(weights(resumed.task.critic), weights(whole.task.critic))
