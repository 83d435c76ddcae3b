"""The private game: noisy updates of the critic, and a generator that sees the critic alone."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from synthgen.core.random import torch_generator
from synthgen.dp.events import Event
from synthgen.dp.noise import NoiseSource
from synthgen.train.base_recipe import BaseRecipe
from synthgen.train.dp import PrivateCritic
from synthgen.train.dp_checks import check_private_recipe
from synthgen.train.dp_loader import PoissonRows
from synthgen.train.game import Game, Task

#: Critic updates per generator step, in rising order.
LADDER: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
#: Weight of the past in the critic's accuracy, and generator steps before the next rung.
_MEMORY: Final = 0.99
_GRACE: Final = 200


class CriticLadder:
    """How many updates the critic gets for each of the generator's, by what it says of fakes.

    Noise slows the critic down and not the generator. When the critic does not tell fakes any more,
    it gets more updates. Fakes and their scores are made from noisy weights, so that this looks at
    nothing that was not released.

    Parameters
    ----------
    start : int
        Updates per generator step at first.
    target : float
        Accuracy on fakes below which the next rung is taken.

    References
    ----------
    Bie, Kamath, Zhang, "Private GANs, Revisited", TMLR 2023, arXiv:2302.02936.
    """

    def __init__(self, start: int, target: float) -> None:
        self.per_step, self.target = start, target
        self.accuracy = 1.0
        self._updates, self._steps = 0, 0

    def observe(self, fake_scores: Tensor) -> bool:
        """Take note of one update; return whether a generator step is due."""
        right = float((fake_scores < 0).float().mean())
        self.accuracy = _MEMORY * self.accuracy + (1 - _MEMORY) * right
        self._updates += 1
        if self._updates < self.per_step:
            return False
        self._updates = 0
        self._steps += 1
        if self._steps >= _GRACE and self.accuracy < self.target:
            self.per_step = next((rung for rung in LADDER if rung > self.per_step), self.per_step)
            self._steps = 0
        return True


class PrivateGame(Game):
    """A game in which each step is one noisy update of the critic, and at times a generator step.

    Parameters
    ----------
    task : Task
    recipe : BaseRecipe
        One that :func:`~synthgen.train.dp_checks.check_private_recipe` lets through.
    seed : int
        Of fake records; never of noise or of which rows are sampled.
    event : Event
        The charged updates.
    source : NoiseSource
        Of the ledger that `event` was charged to.
    clipping : {"ghost", "functorch"}
    critic_steps : int
        Critic updates per generator step at first.
    target_accuracy : float
        See :class:`CriticLadder`.

    Raises
    ------
    PrivacyError
        If the recipe or the critic cannot be private.
    """

    def __init__(
        self,
        task: Task,
        recipe: BaseRecipe,
        seed: int,
        *,
        event: Event,
        source: NoiseSource,
        clipping: str = "ghost",
        critic_steps: int = 5,
        target_accuracy: float = 0.6,
    ) -> None:
        check_private_recipe(recipe)
        super().__init__(task, recipe, seed)
        self.private = PrivateCritic(
            task.critic,
            self.critic_optimiser,
            event,
            # Real and fake records count the same; neither number depends on the rows.
            expected=2.0 * recipe.batch_size,
            source=source,
            objective=recipe.objective,
            clipping=clipping,
        )
        self.rows = PoissonRows(getattr(task, "n_private", task.n_rows), event.sampling, source)
        self.ladder = CriticLadder(critic_steps, target_accuracy)

    def step(self, number: int, *, adversarial: bool, share: float = 0.0) -> float:
        """Update the critic once, and the generator if it is due; return the generator's loss.

        The loss of real rows is neither returned nor looked at. A recipe's warm-up without a critic
        still does its charged updates.
        """
        del adversarial
        self._share = share
        device = self.task.device
        rng = torch_generator(self.seed, "train", 1, number, device=device)
        with torch.no_grad():
            fake = self.task.fake(self.recipe.batch_size, None, rng)
            real = self.task.real(torch.as_tensor(self.rows.batch(), device=device), None)
        scores = self.private.update(real, fake.records)
        for term in self._sides.clipping:
            term.after_step(self.task.critic)
        if not self.ladder.observe(scores):
            return 0.0
        self.figures["critic_fake"] = scores.mean()
        self.figures["critic_accuracy"] = torch.tensor(self.ladder.accuracy)
        self.figures["critic_steps"] = torch.tensor(float(self.ladder.per_step))
        fake = self.task.fake(self.recipe.batch_size, None, rng)
        nothing = fake.records.detach()[:0]
        return self._generator_step(fake, self._separate_gradient(nothing, fake.records, rng))
