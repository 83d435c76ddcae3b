"""Scores of a critic some gradient steps ahead (Metz et al., arXiv:1611.02163)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from synthgen.train.feature_terms import Unrolled
from synthgen.train.objective import Objective


def unrolled_scores(
    critic: nn.Module, objective: Objective, ahead: Unrolled, real: Tensor, fake: Tensor
) -> Tensor:
    """Return the scores of fake records after the critic has answered them.

    Parameters
    ----------
    critic : torch.nn.Module
        Its weights stay as they are.
    objective : Objective
    ahead : Unrolled
    real, fake : Tensor of shape (batch, features)
        The result can be differentiated by `fake`, both as what is judged and as what the critic
        answers to.
    """
    weights: dict[str, Tensor] = {
        name: w for name, w in critic.named_parameters() if w.requires_grad
    }
    for _ in range(int(ahead.steps)):
        if getattr(critic, "judges_apart", False):
            # Statistics of a batch of both would tell it which side is which.
            scores = [functional_call(critic, weights, (side,)) for side in (real, fake)]
        else:
            both = functional_call(critic, weights, (torch.cat([real, fake]),))
            scores = [both[: len(both) // 2], both[len(both) // 2 :]]
        loss = objective.critic(*scores).mean()
        gradients = torch.autograd.grad(
            loss, list(weights.values()), create_graph=True, allow_unused=True
        )
        weights = {
            name: w if g is None else w - ahead.rate * g
            for (name, w), g in zip(weights.items(), gradients, strict=True)
        }
    ahead_scores: Tensor = functional_call(critic, weights, (fake,))
    return ahead_scores
