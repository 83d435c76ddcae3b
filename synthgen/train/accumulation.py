"""Batches larger than memory: the gradients of their parts are summed before networks are updated.

A part's fake records are generated twice: without a gradient for the critic, and again, from the
same random numbers, once the critic is updated. So no more than one part's tensors exist at a time,
whatever the game.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.train.base_recipe import BaseRecipe
from synthgen.train.game import Game, Task
from synthgen.train.terms import State


@dataclass(frozen=True)
class _Part:
    """Records of a part, and the state of the random numbers that its fake ones are made from."""

    n: int
    draw: Any
    state: Tensor
    real: Tensor
    records: Tensor


class AccumulatingGame(Game):
    """A game whose batches are worked through in parts, with one update for all.

    It equals the game of whole batches, up to rounding and to the order in which random numbers
    are drawn, for what judges each record by itself; a recipe's ``check`` refuses what does not.

    Parameters
    ----------
    task : Task
    recipe : BaseRecipe
    seed : int

    References
    ----------
    Hoffer, Hubara, Soudry, "Train longer, generalize better", NeurIPS 2017, arXiv:1705.08741, of
    batch normalisation by parts, which is what generators with batch norm do here.
    """

    def step(self, number: int, *, adversarial: bool, share: float = 0.0) -> float:
        """Update critic and generator once; return the sum of their losses."""
        rng, pick = self._begin(number, share)
        rounds = self.recipe.critic_steps if adversarial else 1
        total = 0.0
        gradients: list[Tensor | None] = []
        for turn in range(rounds):
            last = turn == rounds - 1
            buffers = [buffer.clone() for buffer in self.task.generator.buffers()]
            parts = self._parts(number * rounds + turn, pick, rng, adversarial=adversarial)
            if adversarial:
                loss, gradients = self._critic_in_parts(number, parts, rng, share=last)
                total += loss
        # The same records once more: nothing of the first time may be left.
        for buffer, before in zip(self.task.generator.buffers(), buffers, strict=True):
            buffer.copy_(before)
        if not adversarial:
            gradients = [None] * len(parts)
        return total + self._generator_in_parts(
            number, parts, gradients, rng, adversarial=adversarial
        )

    def _parts(
        self, number: int, pick: np.random.Generator, rng: torch.Generator, *, adversarial: bool
    ) -> list[_Part]:
        parts: list[_Part] = []
        for rows in np.split(self._rows.batch(number), self.recipe.accumulate):
            draw, matching = self.task.conditions(rows, pick)
            state = rng.get_state()
            with torch.no_grad():
                records = self.task.fake(len(rows), draw, rng, adversarial=adversarial).records
            real = self.task.real(matching, draw) if adversarial else records
            parts.append(_Part(len(rows), draw, state, real, records))
        return parts

    def _critic_in_parts(
        self, number: int, parts: Sequence[_Part], rng: torch.Generator, *, share: bool
    ) -> tuple[float, list[Tensor | None]]:
        """Update the critic; return its loss and the generator's gradient at each part's fakes."""
        self.critic_optimiser.zero_grad(set_to_none=True)
        states, moved = self._score_states, []
        losses, scores = [], []
        gradients: list[Tensor | None] = []
        for part in parts:
            # Each part goes by the state before the batch.
            self._score_states = list(states)
            loss, said, gradient = self._critic_backward(
                number, part.real, part.records, rng, share=share
            )
            moved.append(self._score_states)
            losses.append(float(loss))
            scores.append(said.view(2, -1))
            gradients.append(gradient)
        self._score_states = _mean_states(moved)
        _average_gradients(self.task.critic, len(parts))
        self._update_critic(torch.cat(scores, dim=1).flatten())
        if share and not self._shares_pass:
            gradients = [self._separate_gradient(part.real, part.records, rng) for part in parts]
        return sum(losses) / len(losses), gradients

    def _generator_in_parts(
        self,
        number: int,
        parts: Sequence[_Part],
        gradients: Sequence[Tensor | None],
        rng: torch.Generator,
        *,
        adversarial: bool,
    ) -> float:
        """Update the generator; return its loss."""
        self.generator_optimiser.zero_grad(set_to_none=True)
        states, moved = self._path_states, []
        total = 0.0
        again = torch.Generator(device=self.task.device)
        for part, gradient in zip(parts, gradients, strict=True):
            again.set_state(part.state)
            fake = self.task.fake(part.n, part.draw, again, adversarial=adversarial)
            self._path_states = list(states)
            further = self._path_losses(number, part.n, part.draw, rng)
            moved.append(self._path_states)
            total += self._generator_backward(fake, gradient, further)
        self._path_states = _mean_states(moved)
        if math.isfinite(total):
            _average_gradients(self.task.generator, len(parts))
            self.generator_optimiser.step()
        return total / len(parts)


def game_of(task: Task, recipe: BaseRecipe, seed: int) -> Game:
    """Return the game of a recipe, in whole batches or in parts."""
    kind = AccumulatingGame if recipe.accumulate > 1 else Game
    return kind(task, recipe, seed)


def _mean_states(states: Sequence[Sequence[State]]) -> list[State]:
    """Return the mean over parts of each term's state."""
    return [
        {name: torch.stack([part[name] for part in term]).mean(0) for name in term[0]}
        for term in zip(*states, strict=True)
    ]


def _average_gradients(module: nn.Module, parts: int) -> None:
    """Turn sums of the gradients of means over parts into those of the mean over the batch."""
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    if gradients:
        torch._foreach_div_(gradients, float(parts))
