"""The game of one step: what the critic and the generator do to each other.

The trainer decides when and how fast; the game holds the networks, their optimisers and the terms.
A record is one row of numbers, whatever it stands for, with its condition behind. All random
numbers of step k are a function of the seed and k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from synthgen.core.random import generator, torch_generator
from synthgen.train.base_recipe import BaseRecipe
from synthgen.train.checkpoint import pack_state, unpack_state
from synthgen.train.loader import ShuffledRows
from synthgen.train.objective import OBJECTIVES
from synthgen.train.sides import Sides
from synthgen.train.terms import State
from synthgen.train.unrolling import unrolled_scores

#: Largest factor between the generator's and the critic's gradient at a fake record.
_MOST_RATIO: Final = 1e12


class Task(Protocol):
    """One kind of data: its networks and its batches (``train/table.py``, ``train/images.py``)."""

    generator: Any
    targets: State
    n_rows: int
    device: torch.device

    @property
    def critic(self) -> nn.Module:
        """What judges records."""

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
    recipe : BaseRecipe
    seed : int
    """

    def __init__(self, task: Task, recipe: BaseRecipe, seed: int) -> None:
        self.task, self.recipe, self.seed = task, recipe, seed
        #: Figures of the last step, for the history; tensors of one number.
        self.figures: dict[str, Any] = {}
        self._objective = OBJECTIVES[recipe.objective]
        self._sides = Sides([spec.build() for spec in recipe.terms])
        self._term_states = [term.start(task.targets) for term in self._sides.generator]
        self._input_states = [term.start() for term in self._sides.inputs]
        self._score_states = [term.start() for term in self._sides.scores]
        self._path_states = [term.start() for term in self._sides.paths]
        self.generator_optimiser = _optimiser(
            recipe.optimiser, task.generator, recipe.generator_rate, recipe.generator_betas
        )
        self.critic_optimiser = _optimiser(
            recipe.optimiser, task.critic, recipe.critic_rate, recipe.critic_betas
        )
        self._rows = ShuffledRows(task.n_rows, recipe.batch_size, seed)
        # Where scores depend on other records too, no factor per record gives the gradient.
        self._shares_pass = (
            self._objective.shares_pass
            and self._sides.leave_the_pass_alone
            and not getattr(task.critic, "couples_records", False)
        )
        self._share = 0.0

    @property
    def grows(self) -> bool:
        """Whether the networks are not as large yet as they will be."""
        return bool(getattr(self.task, "grows", False))

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
                f"{kind}.{k}.{name}": value.clone()
                for kind, states in self._states().items()
                for k, state in enumerate(states)
                for name, value in state.items()
            },
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take back what :meth:`state` returned; other tensors are ignored."""
        unpack_state("generator", self.task.generator, self.generator_optimiser, tensors)
        unpack_state("critic", self.task.critic, self.critic_optimiser, tensors)
        for kind, states in self._states().items():
            for k in range(len(states)):
                states[k] = with_prefix(tensors, f"{kind}.{k}.")

    def _states(self) -> dict[str, list[State]]:
        return {
            "term": self._term_states,
            "input": self._input_states,
            "score": self._score_states,
            "path": self._path_states,
        }

    def step(self, number: int, *, adversarial: bool, share: float = 0.0) -> float:
        """Update critic and generator once; return the sum of their losses.

        A loss that is not finite leaves the generator as it was. Terms that change during training
        go by `share`, the part of training that is done.
        """
        rng, pick = self._begin(number, share)
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
        further = self._path_losses(number, len(batch), draw, rng)
        return total + self._generator_step(fake, gradient, further)

    def _begin(self, number: int, share: float) -> tuple[torch.Generator, np.random.Generator]:
        """Take note of how much of training is done; return the random numbers of a step."""
        self._share = share
        if hasattr(self.task, "grow"):
            self.task.grow(share)
        rng = torch_generator(self.seed, "train", 1, number, device=self.task.device)
        return rng, generator(self.seed, "train", 2, number)

    def _critic_step(
        self, number: int, real: Tensor, records: Tensor, rng: torch.Generator, *, share: bool
    ) -> tuple[float, Tensor | None]:
        """Update the critic; return its loss and the generator's gradient at the fake records."""
        self.critic_optimiser.zero_grad(set_to_none=True)
        loss, scores, gradient = self._critic_backward(number, real, records, rng, share=share)
        self._update_critic(scores)
        if share and gradient is None:
            gradient = self._separate_gradient(real, records, rng)
        return float(loss), gradient

    def _critic_backward(
        self, number: int, real: Tensor, records: Tensor, rng: torch.Generator, *, share: bool
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Add to the critic's gradients; return loss, scores and the gradient if it is shared."""
        critic = self.task.critic
        leaf = records.detach().requires_grad_()
        seen, judged = self._seen(real, rng), self._seen(leaf, rng)
        scores = self._scores(seen, judged)
        loss = self._critic_loss(scores).mean()
        torch.autograd.backward(loss)
        gradient = None
        if share and self._shares_pass and leaf.grad is not None:
            gradient = self._shared_gradient(leaf.grad, scores.detach())
        judged = judged.detach()
        for term in self._sides.critic:
            if number % term.every == 0:
                torch.autograd.backward(term(critic, seen, judged, rng).mean())
        return loss.detach(), scores.detach(), gradient

    def _update_critic(self, scores: Tensor) -> None:
        """Follow the gradients, and tell the terms what the critic said."""
        self.critic_optimiser.step()
        for term in self._sides.clipping:
            term.after_step(self.task.critic)
        self._observe(scores)

    def _seen(self, records: Tensor, rng: torch.Generator) -> Tensor:
        """Return records as the critic sees them: augmented, with noise, or as they are."""
        for term, state in zip(self._sides.inputs, self._input_states, strict=True):
            records = term(self.task.critic, records, state, rng)
        return records

    def _scores(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the scores of real, then of fake records."""
        if getattr(self.task.critic, "judges_apart", False):
            return torch.cat([self.task.critic(real), self.task.critic(fake)])
        scores: Tensor = self.task.critic(torch.cat([real, fake]))
        return scores

    def _critic_loss(self, scores: Tensor) -> Tensor:
        """Return the critic's loss per record, and move the states of the terms about scores."""
        half = len(scores) // 2
        real, fake = scores[:half], scores[half:]
        per_record = self._objective.critic(real, fake)
        for k, term in enumerate(self._sides.scores):
            value, self._score_states[k] = term(real, fake, self._score_states[k])
            per_record = per_record + value
        return per_record

    def _observe(self, scores: Tensor) -> None:
        """Tell the terms about the critic's input what the critic said, and keep figures."""
        half = len(scores) // 2
        for k, term in enumerate(self._sides.inputs):
            self._input_states[k] = term.observe(scores[:half], self._share, self._input_states[k])
        if getattr(self.task, "keeps_figures", False):
            self.figures["critic_real"] = scores[:half].mean()
            self.figures["critic_fake"] = scores[half:].mean()
            for state in self._input_states:
                self.figures |= {"augment_p": state["p"]} if "p" in state else {}

    def _shared_gradient(self, gradient: Tensor, scores: Tensor) -> Tensor:
        """Return the generator's gradient from the critic's at the fake records."""
        ratio = self._gradient_ratio(scores)
        for term in self._sides.selection:
            ratio = ratio * term.weights(scores[len(scores) // 2 :], self._share)
        pack = getattr(self.task.critic, "pack", 1)
        return gradient * ratio.repeat_interleave(pack)[:, None]

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

    def _separate_gradient(self, real: Tensor, records: Tensor, rng: torch.Generator) -> Tensor:
        """Return the generator's gradient at the fake records from a pass of its own."""
        leaf = records.detach().requires_grad_()
        critic, sides = self.task.critic, self._sides
        with torch.no_grad():
            seen = self._seen(real, rng) if sides.need_real or self._objective.needs_real else real
        judged = self._seen(leaf, rng)
        if sides.ahead is None:
            scores = critic(judged)
        else:
            scores = unrolled_scores(critic, self._objective, sides.ahead, seen, judged)
        real_scores = torch.zeros_like(scores)
        if self._objective.needs_real:
            with torch.no_grad():
                real_scores = critic(seen)
        loss = self._objective.generator(real_scores, scores)
        for term in sides.selection:
            loss = loss * term.weights(scores.detach(), self._share)
        total = loss.mean()
        for term in sides.through:
            value = term(critic, seen if term.needs_real else None, judged, rng).mean()
            total = total + value
            if hasattr(term, "figure"):
                self.figures |= dict([term.figure(float(value.detach()))])
        return torch.autograd.grad(total, leaf)[0]

    def _path_losses(self, number: int, n: int, draw: Any, rng: torch.Generator) -> list[Tensor]:
        """Return the losses of terms about styles that are due, on half as many images."""
        losses: list[Tensor] = []
        task: Any = self.task
        for k, term in enumerate(self._sides.paths):
            if number % term.every:
                continue
            styles, images = task.styled(max(n // 2, 1), draw, rng)
            value, state = term(styles, images, self._path_states[k], rng)
            self._path_states[k] = state
            self.figures["path_length"] = state["length"]
            losses.append(value.mean())
        return losses

    def _generator_step(
        self, fake: Any, gradient: Tensor | None, further: Sequence[Tensor] = ()
    ) -> float:
        """Update the generator from its terms, the critic's gradient and further losses."""
        self.generator_optimiser.zero_grad(set_to_none=True)
        total = self._generator_backward(fake, gradient, further)
        if math.isfinite(total):
            self.generator_optimiser.step()
        return total

    def _generator_backward(
        self, fake: Any, gradient: Tensor | None, further: Sequence[Tensor] = ()
    ) -> float:
        """Add to the generator's gradients; return the sum of its losses."""
        roots: list[Tensor] = list(further)
        gradients: list[Tensor | None] = [None] * len(roots)
        total = sum((float(root.detach()) for root in roots), 0.0)
        for k, term in enumerate(self._sides.generator):
            value, self._term_states[k] = term(fake.view, self.task.targets, self._term_states[k])
            roots.append(value.mean())
            gradients.append(None)
            total += float(roots[-1].detach())
        if gradient is not None:
            roots.append(fake.records)
            gradients.append(gradient)
            total += float(gradient.sum())
        torch.autograd.backward(roots, gradients)
        return total


def _optimiser(
    name: str, module: nn.Module, rate: float, betas: tuple[float, float]
) -> torch.optim.Optimizer:
    parameters = [p for p in module.parameters() if p.requires_grad]
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate)
    return torch.optim.Adam(parameters, lr=rate, betas=betas, fused=True)


def with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return copies of the tensors whose key starts with `prefix`, without it."""
    return {k.removeprefix(prefix): v.clone() for k, v in tensors.items() if k.startswith(prefix)}
