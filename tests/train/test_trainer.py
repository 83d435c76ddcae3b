from __future__ import annotations

import logging
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from synthgen.errors import ArtifactError, TrainingError
from synthgen.train.checkpoint import Checkpoint
from synthgen.train.objective import OBJECTIVES
from synthgen.train.recipe import Recipe
from synthgen.train.table import Fake
from synthgen.train.terms import TermSpec
from synthgen.train.trainer import Budget, Trainer
from tests.train.tasks import TINY, task_of, trainer_of


def weights(module: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def assert_same_weights(first: Any, second: Any) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.mark.parametrize("name", [k for k, v in OBJECTIVES.items() if v.shares_pass])
def test_one_pass_serves_both_players(name: str) -> None:
    """The shared gradient is the one that the generator's own loss has."""
    trainer = trainer_of(TINY.replace(objective=name, terms=(), warmup=0.0))
    task = trainer.task
    real = task.real(torch.arange(32), None)
    records = task.fake(32, None, torch.Generator().manual_seed(0)).records.detach()
    scale_up(task.critic)
    leaf = records.clone().requires_grad_()
    loss = OBJECTIVES[name].generator(task.critic(real), task.critic(leaf)).mean()
    (expected,) = torch.autograd.grad(loss, leaf)
    _, found = trainer.game._critic_step(0, real, records, torch.Generator(), share=True)
    assert found is not None
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-7)
    assert found.abs().max() > 1e-3


def test_one_pass_serves_packed_records() -> None:
    trainer = trainer_of(TINY.replace(objective="non_saturating", terms=(), warmup=0.0, pack=4))
    task = trainer.task
    real = task.real(torch.arange(32), None)
    records = task.fake(32, None, torch.Generator().manual_seed(0)).records.detach()
    leaf = records.clone().requires_grad_()
    loss = trainer.game._objective.generator(task.critic(real), task.critic(leaf)).mean()
    (expected,) = torch.autograd.grad(loss, leaf)
    _, found = trainer.game._critic_step(0, real, records, torch.Generator(), share=True)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-8)


def scale_up(critic: torch.nn.Module) -> None:
    """Make scores differ by several units, where losses are curved."""
    with torch.no_grad():
        for parameter in list(critic.parameters())[-2:]:
            parameter.mul_(10.0)


def test_the_generators_own_pass_where_none_is_shared() -> None:
    trainer = trainer_of(TINY.replace(objective="least_squares", terms=(), warmup=0.0))
    task = trainer.task
    real = task.real(torch.arange(8), None)
    records = task.fake(8, None, torch.Generator().manual_seed(0)).records
    _, gradient = trainer.game._critic_step(0, real, records, torch.Generator(), share=True)
    leaf = records.detach().requires_grad_()
    (expected,) = torch.autograd.grad(((task.critic(leaf) - 1) ** 2 / 2).mean(), leaf)
    torch.testing.assert_close(gradient, expected)


def test_training_learns() -> None:
    """Moments of generated rows come nearer to the real ones."""
    recipe = TINY.replace(steps=150, generator_rate=5e-3)
    trainer = trainer_of(recipe)

    def distance(module: Any) -> float:
        with torch.no_grad():
            row = module(torch.randn(2_000, 4, generator=torch.Generator().manual_seed(1)))
            cells = module.cells
            seen = cells.cells(cells.softmax(row.logits), cells.bins(row.mean, row.spread))
            difference = seen.T @ seen / len(seen) - trainer.task.targets["pairs"]
            return float((difference * (trainer.task.targets["pair_weights"] > 0)).abs().mean())

    before = distance(trainer.average.module)
    result = trainer.run()
    assert result.stopped_by == "steps"
    assert result.steps == 150
    assert distance(result.generator) < 0.4 * before


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": "wasserstein", "terms": (TermSpec("weight_clipping"),), "warmup": 0.0},
        {
            "objective": "wasserstein",
            "terms": (TermSpec("gradient_penalty"),),
            "warmup": 0.0,
            "critic_steps": 3,
            "pack": 4,
        },
        {"objective": "least_squares", "terms": (), "warmup": 0.0, "relaxation": "softmax"},
        {
            "objective": "non_saturating",
            "terms": (TermSpec("condition_match"),),
            "conditioning": "sampling",
            "warmup": 0.0,
        },
    ],
)
def test_every_part_can_be_combined(changes: dict[str, Any]) -> None:
    recipe = TINY.replace(**changes).check()
    task = task_of(recipe)
    before = weights(task.generator), weights(task.critic)
    result = trainer_of(recipe, task=task).run()
    assert result.steps == 20
    for old, module in zip(before, (task.generator, task.critic), strict=True):
        changed = [not torch.equal(old[k], v) for k, v in module.state_dict().items()]
        # The bias of the critic's last layer cancels in differences of scores.
        assert all(changed[:-1])
    if "weight_clipping" in [spec.name for spec in recipe.terms]:
        assert max(p.abs().max().item() for p in task.critic.parameters()) <= 0.0100001


def test_the_critic_waits_for_the_end_of_the_warm_up() -> None:
    task = task_of()
    initial = weights(task.critic)
    moved = []

    def listen(share: float, step: int, figures: dict[str, float]) -> None:
        moved.append(not torch.equal(task.critic.net[0].weight, initial["net.0.weight"]))

    trainer_of(task=task, listener=listen).run()
    assert moved == [False] * 6 + [True] * 14


def test_learning_rates_fall_linearly() -> None:
    recipe = TINY.replace(decay_from=0.5, final_rate=0.1, generator_rate=1.0, critic_rate=2.0)
    trainer = trainer_of(recipe)
    for share, factor in ((0.0, 1.0), (0.5, 1.0), (0.75, 0.55), (1.0, 0.1)):
        trainer.game.set_rates(trainer._rate_factor(share))
        assert trainer.game.generator_optimiser.param_groups[0]["lr"] == pytest.approx(factor)
        assert trainer.game.critic_optimiser.param_groups[0]["lr"] == pytest.approx(2 * factor)


def test_the_best_state_is_kept() -> None:
    seen: list[dict[str, torch.Tensor]] = []
    scores = iter([5.0, 2.0, 3.0, 4.0])

    def monitor(generator: Any) -> dict[str, float]:
        seen.append(weights(generator))
        return {"score": next(scores)}

    result = trainer_of(monitor=monitor, budget=Budget(steps=20, checks=4)).run()
    assert result.best_step == 10
    assert_same_weights(weights(result.generator), seen[1])
    assert [record["step"] for record in result.history.records] == [5, 10, 15, 20]
    assert result.history.to_frame()["score"].tolist() == [5.0, 2.0, 3.0, 4.0]


def test_patience_ends_training() -> None:
    scores = iter([1.0, 2.0, 0.5, 0.6, 0.7, 0.8])
    result = trainer_of(
        monitor=lambda generator: {"score": next(scores)},
        budget=Budget(steps=20, checks=10, patience=2),
    ).run()
    assert result.stopped_by == "patience"
    assert (result.steps, result.best_step) == (10, 6)


def test_the_clock_ends_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """One tick a step: of 1,000 steps, 50 fit into 50 ticks, and the schedule follows the clock."""
    ticks = iter(range(10_000))
    clock = SimpleNamespace(perf_counter=lambda: float(next(ticks)))
    monkeypatch.setattr("synthgen.train.trainer.time", clock)
    shares = []
    trainer = trainer_of(
        TINY.replace(steps=1_000),
        budget=Budget(steps=1_000, seconds=50.0, checks=5),
        listener=lambda share, step, figures: shares.append(share),
    )
    result = trainer.run()
    assert result.stopped_by == "time"
    assert result.steps < 51
    assert shares == sorted(shares)
    assert 0.95 < shares[-1] < 1.0
    assert len(result.history.records) == 5
    rate = trainer.game.generator_optimiser.param_groups[0]["lr"]
    assert rate == pytest.approx(TINY.generator_rate * TINY.final_rate, rel=2.0)


def test_runs_repeat_exactly() -> None:
    first, second = trainer_of().run(), trainer_of().run()
    assert_same_weights(weights(first.generator), weights(second.generator))


class Interrupt:
    """Listens, and presses Ctrl-C after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, share: float, step: int, figures: dict[str, float]) -> None:
        if step == self.step:
            raise KeyboardInterrupt


def score_by_weights(generator: Any) -> dict[str, float]:
    """Measure something that depends on the weights and has several minima."""
    return {"score": math.sin(1e3 * float(generator.heads.weight.abs().sum()))}


@pytest.mark.parametrize("step", [1, 5, 13, 19])
def test_an_interrupted_run_resumes_exactly(step: int, tmp_path: Path) -> None:
    """Weights, the choice of the best, and history equal those of a run without a break."""
    options = {"monitor": score_by_weights, "budget": Budget(steps=20, checks=5, patience=99)}
    whole = trainer_of(**options)
    expected = whole.run()
    place = Checkpoint(tmp_path / "run", {"seed": 0})
    cut = trainer_of(listener=Interrupt(step), checkpoint=place, **options).run()
    assert cut.stopped_by == "interrupt"
    assert cut.steps == step
    resumed = trainer_of(checkpoint=place, **options)
    result = resumed.run()
    assert result.stopped_by == "steps"
    assert result.best_step == expected.best_step
    assert_same_weights(weights(result.generator), weights(expected.generator))
    assert_same_weights(weights(resumed.task.generator), weights(whole.task.generator))
    assert_same_weights(weights(resumed.task.critic), weights(whole.task.critic))
    columns = ["step", "score"]
    records = result.history.to_frame()[columns]
    assert records.equals(expected.history.to_frame()[columns])


def test_a_finished_run_is_not_repeated(tmp_path: Path) -> None:
    place = Checkpoint(tmp_path / "run", {"seed": 0})
    expected = trainer_of(checkpoint=place).run()
    steps: list[int] = []
    again = trainer_of(checkpoint=place, listener=lambda s, step, f: steps.append(step)).run()
    assert steps == []
    assert_same_weights(weights(again.generator), weights(expected.generator))


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "run"
    trainer_of(checkpoint=Checkpoint(place, {"seed": 0, "data": "a"})).run()
    with pytest.raises(ArtifactError, match=r"another run: data, seed differ"):
        trainer_of(checkpoint=Checkpoint(place, {"seed": 1, "data": "b"})).run()
    (place / "weights.safetensors").write_bytes(b"")
    with pytest.raises(ArtifactError, match="damaged"):
        trainer_of(checkpoint=Checkpoint(place, {"seed": 0, "data": "a"})).run()


def test_an_interrupt_keeps_what_was_learned() -> None:
    result = trainer_of(listener=Interrupt(7)).run()
    assert result.stopped_by == "interrupt"
    assert result.steps == 7
    assert result.best_step in (6, 7)
    assert all(torch.isfinite(value).all() for value in weights(result.generator).values())


def poison(task: Any, when: Callable[[int], bool]) -> list[int]:
    """Make the generator's records undefined in some calls; return the calls so far."""
    calls: list[int] = []
    healthy = task.fake

    def fake(n: int, draw: Any, rng: torch.Generator, *, adversarial: bool = True) -> Fake:
        calls.append(len(calls))
        batch = healthy(n, draw, rng, adversarial=adversarial)
        if not when(calls[-1]):
            return batch
        return Fake(batch.records * math.nan, batch.view)

    task.fake = fake
    return calls


def test_training_recovers_from_an_undefined_loss(caplog: pytest.LogCaptureFixture) -> None:
    task = task_of()
    poison(task, lambda call: call == 12)
    trainer = trainer_of(task=task)
    with caplog.at_level(logging.WARNING):
        result = trainer.run()
    assert "going back to the last good state" in caplog.text
    assert result.stopped_by == "steps"
    for module in (result.generator, task.generator, task.critic):
        assert all(torch.isfinite(value).all() for value in weights(module).values())
    rate = trainer.game.generator_optimiser.param_groups[0]["lr"]
    assert rate < 0.5 * TINY.generator_rate


def test_going_back_restores_the_last_good_state() -> None:
    task = task_of()
    trainer = trainer_of(task=task, budget=Budget(steps=20, checks=2))
    states: dict[int, dict[str, torch.Tensor]] = {}

    def listen(share: float, step: int, figures: dict[str, float]) -> None:
        states[step] = weights(task.critic)

    trainer.listener = listen
    poison(task, lambda call: call == 14)
    trainer.run()
    # The check after step 10 was the last one; step 15 failed.
    assert_same_weights(states[15], states[10])
    assert not torch.equal(states[14]["net.0.weight"], states[10]["net.0.weight"])


def test_training_gives_up_if_the_loss_stays_undefined() -> None:
    task = task_of(TINY.replace(warmup=0.0))
    poison(task, lambda call: True)
    with pytest.raises(TrainingError, match=r"loss became nan .* Lower the recipe's"):
        trainer_of(TINY.replace(warmup=0.0), task=task).run()


def test_no_step_at_all() -> None:
    recipe: Recipe = TINY.replace(steps=0)
    trainer = trainer_of(recipe)
    assert isinstance(trainer, Trainer)
    result = trainer.run()
    assert result.steps == 0
    assert_same_weights(weights(result.generator), weights(trainer.task.generator))
