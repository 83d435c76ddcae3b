"""The training loop: the only one.

It decides when to step, how fast to learn, when to look at the result, what to keep and when to
stop; what a step is, :mod:`synthgen.train.game` says. All random numbers of step k are a function
of the seed and k, so a run that stops and resumes ends with the same weights as one that never
stopped.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from synthgen.errors import TrainingError
from synthgen.train.accumulation import game_of
from synthgen.train.base_recipe import BaseRecipe
from synthgen.train.checkpoint import Checkpoint
from synthgen.train.ema import WeightAverage
from synthgen.train.game import Game, Task, with_prefix
from synthgen.train.history import History

logger = logging.getLogger(__name__)

#: Halvings of the learning rate after a non-finite loss before training gives up.
_MOST_RETREATS = 5


#: Measures a generator; returns figures among which "score" is to be minimised.
Monitor = Callable[[Any], dict[str, float]]
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

    generator: Any
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
    recipe : BaseRecipe
    budget : Budget
    seed : int
    monitor : callable, optional
        Looks at the averaged generator every so often.
    listener : callable, optional
        Told about each step.
    checkpoint : Checkpoint, optional
        Where to keep the state; a matching one that is already there is continued.
    game : Game, optional
        What a step is; by default the recipe's on the task.
    """

    def __init__(
        self,
        task: Task,
        recipe: BaseRecipe,
        budget: Budget,
        *,
        seed: int,
        monitor: Monitor | None = None,
        listener: Listener | None = None,
        checkpoint: Checkpoint | None = None,
        game: Game | None = None,
    ) -> None:
        self.task, self.recipe, self.budget, self.seed = task, recipe, budget, seed
        self.monitor, self.listener, self.checkpoint = monitor, listener, checkpoint
        self.history = History()
        self.average = WeightAverage(task.generator, recipe.ema)
        self.game = game_of(task, recipe, seed) if game is None else game
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
        self.game.set_rates(self._rate_factor(share))
        loss = self.game.step(self.step, adversarial=share >= self.recipe.warmup, share=share)
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

    def _rate_factor(self, share: float) -> float:
        """Return 1 at first, falling linearly to ``final_rate``, halved by each retreat."""
        recipe = self.recipe
        late = max(share - recipe.decay_from, 0.0) / max(1.0 - recipe.decay_from, 1e-9)
        return (1.0 - (1.0 - recipe.final_rate) * late) * 0.5**self._progress.retreats

    def _check_due(self, share: float) -> bool:
        due = math.floor(share * self.budget.checks + 1e-9)
        return due > self._progress.checks

    def _look(self) -> bool:
        """Measure the averaged generator, keep it if it is the best; return whether to stop."""
        progress = self._progress
        progress.checks = math.floor(self._share() * self.budget.checks + 1e-9)
        figures = {} if self.monitor is None else self.monitor(self.average.module)
        figures = {name: round(float(v), 4) for name, v in self.game.figures.items()} | figures
        progress.figures = figures
        self.history.add(step=self.step, seconds=round(progress.seconds, 3), **figures)
        score = figures.get("score", -float(self.step))
        if self.game.grows:
            logger.debug("Step %d does not count: the networks still grow.", self.step)
        elif score < progress.best_score:
            progress.best_score, progress.best_step, progress.stale = score, self.step, 0
            self._best = _clone(self.average.module)
        else:
            progress.stale += 1
        self._good = self._snapshot()
        if self.checkpoint is not None:
            self.checkpoint.write(self._full_state(), self._facts())
        return progress.stale >= self.budget.patience

    def _snapshot(self) -> dict[str, Tensor]:
        average = self.average.module.state_dict()
        return self.game.state() | {f"average.{k}": v.clone() for k, v in average.items()}

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.game.restore(tensors)
        self.average.module.load_state_dict(with_prefix(tensors, "average."))

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
        self._best = with_prefix(tensors, "best.")
        self._restore(tensors)
        self._good = self._snapshot()
        logger.info("Resuming from step %d.", self.step)


def _clone(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}
