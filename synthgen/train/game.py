"""The game of one step: what the critic and the generator do to each other.

The trainer decides when and how fast; the game holds the networks, their optimisers and the terms.
All random numbers of step k are a function of the seed and k.
"""

from __future__ import annotations

import math
from typing import Any, Final, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.core.random import generator, torch_generator
from synthgen.train.checkpoint import pack_state, unpack_state
from synthgen.train.loader import ShuffledRows
from synthgen.train.objective import OBJECTIVES
from synthgen.train.recipe import Recipe
from synthgen.train.terms import State, WeightClipping

#: Largest factor between the generator's and the critic's gradient at a fake record.
_MOST_RATIO: Final = 1e12


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


class Game:
    """Networks, optimisers and terms of a recipe, one step at a time.

    Parameters
    ----------
    task : Task
    recipe : Recipe
    seed : int
    """

    def __init__(self, task: Task, recipe: Recipe, seed: int) -> None:
        self.task, self.recipe, self.seed = task, recipe, seed
        self._objective = OBJECTIVES[recipe.objective]
        terms = [spec.build() for spec in recipe.terms]
        self._generator_terms = [term for term in terms if term.side == "generator"]
        self._clipping = [term for term in terms if isinstance(term, WeightClipping)]
        self._penalties = [
            term for term in terms if term.side == "critic" and term not in self._clipping
        ]
        self._term_states = [term.start(task.targets) for term in self._generator_terms]
        self.generator_optimiser = _adam(
            task.generator, recipe.generator_rate, recipe.generator_betas
        )
        self.critic_optimiser = _adam(task.critic, recipe.critic_rate, recipe.critic_betas)
        self._rows = ShuffledRows(task.n_rows, recipe.batch_size, seed)

    def set_rates(self, factor: float) -> None:
        """Set the learning rates to `factor` times the recipe's."""
        self.generator_optimiser.param_groups[0]["lr"] = self.recipe.generator_rate * factor
        self.critic_optimiser.param_groups[0]["lr"] = self.recipe.critic_rate * factor

    def state(self) -> dict[str, Tensor]:
        """Return copies of all weights, of the optimisers' and of the terms' states."""
        return {
            **pack_state("generator", self.task.generator, self.generator_optimiser),
            **pack_state("critic", self.task.critic, self.critic_optimiser),
            **{
                f"term.{k}.{name}": value.clone()
                for k, state in enumerate(self._term_states)
                for name, value in state.items()
            },
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take back what :meth:`state` returned; other tensors are ignored."""
        unpack_state("generator", self.task.generator, self.generator_optimiser, tensors)
        unpack_state("critic", self.task.critic, self.critic_optimiser, tensors)
        for k in range(len(self._term_states)):
            self._term_states[k] = with_prefix(tensors, f"term.{k}.")

    def step(self, number: int, *, adversarial: bool) -> float:
        """Update critic and generator once; return the sum of their losses.

        A loss that is not finite leaves the generator as it was.
        """
        rng = torch_generator(self.seed, "train", 1, number, device=self.task.device)
        pick = generator(self.seed, "train", 2, number)
        total = 0.0
        gradient: Tensor | None = None
        rounds = self.recipe.critic_steps if adversarial else 1
        for turn in range(rounds):
            batch = self._rows.batch(number * rounds + turn)
            draw, rows = self.task.conditions(batch, pick)
            last = turn == rounds - 1
            with torch.set_grad_enabled(last):
                fake = self.task.fake(len(batch), draw, rng, adversarial=adversarial)
            if adversarial:
                real = self.task.real(rows, draw)
                loss, gradient = self._critic_step(number, real, fake.records, rng, share=last)
                total += loss
        return total + self._generator_step(fake, gradient)

    def _critic_step(
        self, number: int, real: Tensor, records: Tensor, rng: torch.Generator, *, share: bool
    ) -> tuple[float, Tensor | None]:
        """Update the critic; return its loss and the generator's gradient at the fake records."""
        critic, objective = self.task.critic, self._objective
        leaf = records.detach().requires_grad_()
        scores = critic(torch.cat([real, leaf]))
        half = len(scores) // 2
        per_record = objective.critic(scores[:half], scores[half:])
        loss = per_record.mean()
        self.critic_optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        gradient = None
        if share and objective.shares_pass and leaf.grad is not None:
            ratio = self._gradient_ratio(scores.detach())
            gradient = leaf.grad * ratio.repeat_interleave(self.recipe.pack)[:, None]
        for term in self._penalties:
            if number % term.every == 0:
                torch.autograd.backward(term(critic, real, leaf.detach(), rng).mean())
        self.critic_optimiser.step()
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
        self.generator_optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(roots, gradients)
        if math.isfinite(total):
            self.generator_optimiser.step()
        return total


def _adam(module: nn.Module, rate: float, betas: tuple[float, float]) -> torch.optim.Adam:
    return torch.optim.Adam(module.parameters(), lr=rate, betas=betas, fused=True)


def with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return copies of the tensors whose key starts with `prefix`, without it."""
    return {k.removeprefix(prefix): v.clone() for k, v in tensors.items() if k.startswith(prefix)}
