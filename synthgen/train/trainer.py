"""The training loop: the only one.

A step is generator terms (while warming up), or generator terms and one round of the game. All
random numbers of step k are a function of the seed and k, so a run that stops and resumes ends with
the same weights as one that never stopped.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.core.random import generator, torch_generator
from synthgen.errors import TrainingError
from synthgen.train.checkpoint import Checkpoint, pack_state, unpack_state
from synthgen.train.ema import WeightAverage
from synthgen.train.history import History
from synthgen.train.loader import ShuffledRows
from synthgen.train.objective import OBJECTIVES
from synthgen.train.recipe import Recipe
from synthgen.train.terms import State, WeightClipping

logger = logging.getLogger(__name__)

#: Halvings of the learning rate after a non-finite loss before training gives up.
_MOST_RETREATS = 5
#: Largest factor between the generator's and the critic's gradient at a fake record.
_MOST_RATIO = 1e6


class Task(Protocol):
    """One kind of data: its networks and its batches (see :mod:`synthgen.train.table`)."""

    generator: Any
    critic: nn.Module
    targets: State
    n_rows: int
    device: torch.device

    def conditions(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[Any, Tensor]:
        """Draw conditions for a batch and the rows that match them."""

    def real(self, rows: Tensor, draw: Any) -> Tensor:
        """Return real records as the critic sees them."""

    def fake(self, n: int, draw: Any, rng: torch.Generator, *, adversarial: bool = True) -> Any:
        """Generate records: ``.records`` for the critic, ``.view`` for the generator's terms."""


#: Measures a generator; returns figures among which "score" is to be minimised.
Monitor = Callable[[nn.Module], dict[str, float]]
#: Told after each step: share of training done in [0, 1], step, latest figures.
Listener = Callable[[float, int, dict[str, float]], None]


@dataclass(frozen=True)
class TrainResult:
    """What training leaves behind.

    Parameters
    ----------
    generator : torch.nn.Module
        The averaged generator of the best check.
    history : History
    stopped_by : str
        "steps", "time", "patience" or "interrupt".
    steps : int
        Steps done.
    best_step : int
        Step of the check that the generator comes from.
    """

    generator: nn.Module
    history: History
    stopped_by: str
    steps: int
    best_step: int


@dataclass
class Budget:
    """How long to train.

    Parameters
    ----------
    steps : int
        At most this many steps.
    seconds : float
        At most this long; the schedule then follows the clock, so that it still ends at the end.
    checks : int
        How often the monitor looks, evenly spread over training.
    patience : int
        Checks without improvement after which training ends.
    """

    steps: int
    seconds: float = math.inf
    checks: int = 10
    patience: int = 5


@dataclass
class _Progress:
    """Everything about a run that is neither weights nor optimiser."""

    step: int = 0
    seconds: float = 0.0
    best_score: float = math.inf
    best_step: int = 0
    stale: int = 0
    checks: int = 0
    retreats: int = 0
    figures: dict[str, float] = field(default_factory=dict)


class Trainer:
    """Plays a recipe on a task.

    Parameters
    ----------
    task : Task
    recipe : Recipe
    budget : Budget
    seed : int
    monitor : callable, optional
        Looks at the averaged generator every so often.
    listener : callable, optional
        Told about each step.
    checkpoint : Checkpoint, optional
        Where to keep the state; a matching one that is already there is continued.
    """

    def __init__(
        self,
        task: Task,
        recipe: Recipe,
        budget: Budget,
        *,
        seed: int,
        monitor: Monitor | None = None,
        listener: Listener | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.task, self.recipe, self.budget, self.seed = task, recipe, budget, seed
        self.monitor, self.listener, self.checkpoint = monitor, listener, checkpoint
        self.history = History()
        self.average = WeightAverage(task.generator, recipe.ema)
        self._objective = OBJECTIVES[recipe.objective]
        terms = [spec.build() for spec in recipe.terms]
        self._generator_terms = [term for term in terms if term.side == "generator"]
        self._clipping = [term for term in terms if isinstance(term, WeightClipping)]
        self._penalties = [
            term for term in terms if term.side == "critic" and term not in self._clipping
        ]
        self._term_states = [term.start(task.targets) for term in self._generator_terms]
        self._generator_optimiser = _adam(
            task.generator, recipe.generator_rate, recipe.generator_betas
        )
        self._critic_optimiser = _adam(task.critic, recipe.critic_rate, recipe.critic_betas)
        self._rows = ShuffledRows(task.n_rows, recipe.batch_size, seed)
        self._progress = _Progress()
        self._good = self._snapshot()
        self._best = _clone(self.average.module)

    def run(self) -> TrainResult:
        """Train until the budget is spent and return the best generator.

        Raises
        ------
        TrainingError
            If the loss keeps becoming infinite or undefined.
        """
        self._resume()
        reason = "steps"
        try:
            reason = self._loop()
        except KeyboardInterrupt:
            logger.warning("Interrupted after %d steps; keeping the best so far.", self.step)
            reason = "interrupt"
        if self._progress.best_step == 0:
            # Nothing was checked, or nothing was finite: the latest average is the best there is.
            self._best = _clone(self.average.module)
            self._progress.best_step = self.step
        best = self.average.module
        best.load_state_dict(self._best)
        return TrainResult(best, self.history, reason, self.step, self._progress.best_step)

    @property
    def step(self) -> int:
        """Steps done so far."""
        return self._progress.step

    def _loop(self) -> str:
        started = time.perf_counter() - self._progress.seconds
        while True:
            self._progress.seconds = time.perf_counter() - started
            share = self._share()
            if self._check_due(share) and self._look():
                return "patience"
            if share >= 1.0:
                return "steps" if self.step >= self.budget.steps else "time"
            self._advance(share)
            if self.listener is not None:
                self.listener(share, self.step, self._progress.figures)

    def _share(self) -> float:
        by_steps = self.step / self.budget.steps if self.budget.steps else 1.0
        return min(max(by_steps, self._progress.seconds / self.budget.seconds), 1.0)

    def _advance(self, share: float) -> None:
        """Do one step, or go back to the last good state if it failed."""
        self._set_rates(share)
        loss = self._train_step(adversarial=share >= self.recipe.warmup)
        if math.isfinite(loss):
            self.average.update(self.task.generator, self.step)
            self._progress.step += 1
            return
        self._progress.retreats += 1
        if self._progress.retreats > _MOST_RETREATS:
            raise TrainingError(
                f"The loss became {loss} at step {self.step} and again after "
                f"{_MOST_RETREATS} restarts with lower learning rates. Lower the recipe's "
                "generator_rate and critic_rate."
            )
        logger.warning("Loss %s at step %d: going back to the last good state.", loss, self.step)
        self._restore(self._good)
        # Another draw of random numbers than the one that failed.
        self._progress.step += 1

    def _set_rates(self, share: float) -> None:
        recipe = self.recipe
        late = max(share - recipe.decay_from, 0.0) / max(1.0 - recipe.decay_from, 1e-9)
        factor = (1.0 - (1.0 - recipe.final_rate) * late) * 0.5**self._progress.retreats
        for optimiser, rate in (
            (self._generator_optimiser, recipe.generator_rate),
            (self._critic_optimiser, recipe.critic_rate),
        ):
            optimiser.param_groups[0]["lr"] = rate * factor

    def _train_step(self, *, adversarial: bool) -> float:
        """Update critic and generator once; return the sum of their losses."""
        rng = torch_generator(self.seed, "train", 1, self.step, device=self.task.device)
        pick = generator(self.seed, "train", 2, self.step)
        total = 0.0
        gradient: Tensor | None = None
        rounds = self.recipe.critic_steps if adversarial else 1
        for number in range(rounds):
            batch = self._rows.batch(self.step * rounds + number)
            draw, rows = self.task.conditions(batch, pick)
            last = number == rounds - 1
            with torch.set_grad_enabled(last):
                fake = self.task.fake(len(batch), draw, rng, adversarial=adversarial)
            if adversarial:
                real = self.task.real(rows, draw)
                loss, gradient = self._critic_step(real, fake.records, rng, share=last)
                total += loss
        return total + self._generator_step(fake, gradient)

    def _critic_step(
        self, real: Tensor, records: Tensor, rng: torch.Generator, *, share: bool
    ) -> tuple[float, Tensor | None]:
        """Update the critic; return its loss and the generator's gradient at the fake records."""
        critic, objective = self.task.critic, self._objective
        leaf = records.detach().requires_grad_()
        scores = critic(torch.cat([real, leaf]))
        half = len(scores) // 2
        per_record = objective.critic(scores[:half], scores[half:])
        loss = per_record.mean()
        self._critic_optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        gradient = None
        if share and objective.shares_pass and leaf.grad is not None:
            ratio = self._gradient_ratio(scores.detach())
            gradient = leaf.grad * ratio.repeat_interleave(self.recipe.pack)[:, None]
        for term in self._penalties:
            if self.step % term.every == 0:
                torch.autograd.backward(term(critic, real, leaf.detach(), rng).mean())
        self._critic_optimiser.step()
        for term in self._clipping:
            term.after_step(critic)
        if share and gradient is None:
            gradient = self._separate_gradient(real, records)
        return float(loss.detach()), gradient

    def _gradient_ratio(self, scores: Tensor) -> Tensor:
        """Return d generator loss / d score over d critic loss / d score of each fake record.

        Both players differentiate the same critic at the same records, so the generator's gradient
        is the critic's times this factor: one backward pass serves both.
        """
        half = len(scores) // 2
        fake = scores[half:].requires_grad_()
        losses = (
            self._objective.critic(scores[:half], fake),
            self._objective.generator(scores[:half], fake),
        )
        by_critic, by_generator = (torch.autograd.grad(loss.sum(), fake)[0] for loss in losses)
        return (by_generator / by_critic).clamp(-_MOST_RATIO, _MOST_RATIO)

    def _separate_gradient(self, real: Tensor, records: Tensor) -> Tensor:
        leaf = records.detach().requires_grad_()
        with torch.no_grad():
            real_scores = self.task.critic(real)
        loss = self._objective.generator(real_scores, self.task.critic(leaf)).mean()
        return torch.autograd.grad(loss, leaf)[0]

    def _generator_step(self, fake: Any, gradient: Tensor | None) -> float:
        """Update the generator from its terms and the critic's gradient."""
        total = 0.0
        roots: list[Tensor] = []
        gradients: list[Tensor | None] = []
        for k, term in enumerate(self._generator_terms):
            value, self._term_states[k] = term(fake.view, self.task.targets, self._term_states[k])
            roots.append(value.mean())
            gradients.append(None)
            total += float(roots[-1].detach())
        if gradient is not None:
            roots.append(fake.records)
            gradients.append(gradient)
            total += float(gradient.sum())
        self._generator_optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(roots, gradients)
        if math.isfinite(total):
            self._generator_optimiser.step()
        return total

    def _check_due(self, share: float) -> bool:
        due = math.floor(share * self.budget.checks + 1e-9)
        return due > self._progress.checks

    def _look(self) -> bool:
        """Measure the averaged generator, keep it if it is the best; return whether to stop."""
        progress = self._progress
        progress.checks = math.floor(self._share() * self.budget.checks + 1e-9)
        figures = {} if self.monitor is None else self.monitor(self.average.module)
        progress.figures = figures
        self.history.add(step=self.step, seconds=round(progress.seconds, 3), **figures)
        score = figures.get("score", -float(self.step))
        if score < progress.best_score:
            progress.best_score, progress.best_step, progress.stale = score, self.step, 0
            self._best = _clone(self.average.module)
        else:
            progress.stale += 1
        self._good = self._snapshot()
        if self.checkpoint is not None:
            self.checkpoint.write(self._full_state(), self._facts())
        return progress.stale >= self.budget.patience

    def _snapshot(self) -> dict[str, Tensor]:
        return {
            **pack_state("generator", self.task.generator, self._generator_optimiser),
            **pack_state("critic", self.task.critic, self._critic_optimiser),
            **{f"average.{k}": v.clone() for k, v in self.average.module.state_dict().items()},
            **{
                f"term.{k}.{name}": value.clone()
                for k, state in enumerate(self._term_states)
                for name, value in state.items()
            },
        }

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        unpack_state("generator", self.task.generator, self._generator_optimiser, tensors)
        unpack_state("critic", self.task.critic, self._critic_optimiser, tensors)
        self.average.module.load_state_dict(_with_prefix(tensors, "average."))
        for k in range(len(self._term_states)):
            self._term_states[k] = _with_prefix(tensors, f"term.{k}.")

    def _full_state(self) -> dict[str, Tensor]:
        return {**self._good, **{f"best.{k}": v for k, v in self._best.items()}}

    def _facts(self) -> dict[str, Any]:
        progress = {k: v for k, v in vars(self._progress).items() if k != "figures"}
        if not math.isfinite(progress["best_score"]):
            progress["best_score"] = None
        return {"progress": progress, "history": self.history.records}

    def _resume(self) -> None:
        if self.checkpoint is None:
            return
        found = self.checkpoint.read(self.task.device)
        if found is None:
            return
        tensors, facts = found
        progress = dict(facts["progress"])
        if progress["best_score"] is None:
            progress["best_score"] = math.inf
        self._progress = _Progress(**progress)
        self.history.records = facts["history"]
        self._best = _with_prefix(tensors, "best.")
        self._restore(tensors)
        self._good = self._snapshot()
        logger.info("Resuming from step %d.", self.step)


def _adam(module: nn.Module, rate: float, betas: tuple[float, float]) -> torch.optim.Adam:
    return torch.optim.Adam(module.parameters(), lr=rate, betas=betas, fused=True)


def _clone(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v.clone() for k, v in tensors.items() if k.startswith(prefix)}
