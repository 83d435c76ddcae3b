"""What a critic and a recipe must not have if the critic's updates are to be private."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from synthgen.dp.errors import PrivacyError
from synthgen.train.base_recipe import BaseRecipe

#: Objectives in which no record is paired with another; see ``train/dp.py``.
_UNPAIRED: Final = ("non_saturating", "wasserstein", "hinge", "least_squares")
#: Terms that look at no real record: released moments, and limits of the critic's weights.
_BLIND_TERMS: Final = ("moments", "embedding", "weight_clipping")
_TRIED: Final = 6


def check_critic(critic: nn.Module) -> None:
    """Refuse critics in which the gradient of one record depends on others.

    Raises
    ------
    PrivacyError
        Naming the part, and what to use instead.
    """
    if getattr(critic, "pack", 1) > 1:
        raise PrivacyError(
            f"A critic that judges {critic.pack} records together cannot be private: taking one "
            "out regroups all others. Use pack=1."
        )
    if getattr(critic, "low_precision", False):
        raise PrivacyError(
            "A critic in bfloat16 cannot be private: norms and gradients round differently. Use "
            "low_precision=False."
        )
    if getattr(critic, "couples_records", False):
        raise PrivacyError(
            "A critic that compares records of a batch (statistics of batches) cannot be private. "
            "Use one that judges each record by itself."
        )
    for name, part in critic.named_modules():
        if isinstance(part, _NormBase):
            raise PrivacyError(
                f"The critic's {name or 'network'!r} is a {type(part).__name__}, which mixes or "
                "remembers records. Use LayerNorm, GroupNorm or no norm."
            )
        own = list(part.parameters(recurse=False))
        if own and list(part.buffers(recurse=False)):
            raise PrivacyError(
                f"The critic's {name or 'network'!r} ({type(part).__name__}) has buffers beside "
                "its weights, as spectral norms have, whose gradient cannot be clipped by record. "
                "Use a plain layer."
            )
        if hasattr(part, "parametrizations"):
            raise PrivacyError(
                f"The critic's {name or 'network'!r} has weights that are computed (spectral or "
                "weight norm), whose gradient cannot be clipped by record. Use a plain layer."
            )


def check_optimiser(critic: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Check that an optimiser changes all trainable weights of a critic and no others.

    Raises
    ------
    PrivacyError
        If not: weights would keep a gradient without noise.
    """
    trained = {id(p) for p in critic.parameters() if p.requires_grad}
    given = [id(p) for group in optimiser.param_groups for p in group["params"]]
    if trained != set(given):
        raise PrivacyError(
            f"The optimiser has {len(given)} parameters and the critic {len(trained)} that are "
            "trained; noise is added to what the optimiser has, so they must be the same."
        )


def check_independence(critic: nn.Module, shape: torch.Size, device: torch.device) -> None:
    """Try out on made-up records that none changes the score of another.

    Raises
    ------
    PrivacyError
        If one does, or if there is not one score per record.
    """
    rng = torch.Generator().manual_seed(0)
    records = torch.randn(_TRIED, *shape, generator=rng).to(device)
    changed = records.clone()
    changed[0] = 10.0 * torch.randn(shape, generator=rng).to(device)
    scores, other = _scores(critic, records), _scores(critic, changed)
    if scores.shape != (_TRIED,):
        raise PrivacyError(
            f"A private critic gives one score per record, of shape ({_TRIED},) for {_TRIED} "
            f"records; got {tuple(scores.shape)}. Drop the last axis with scores[:, 0]."
        )
    if not torch.allclose(scores[1:], other[1:], rtol=1e-4, atol=1e-5):
        raise PrivacyError(
            "The critic's score of a record depends on other records of the batch (packing, batch "
            "norm, statistics of batches), so clipping by record means nothing. Use a critic that "
            "judges each record by itself."
        )


def _scores(critic: nn.Module, records: Tensor) -> Tensor:
    """Return scores in training mode; draws such as dropout's are the same at each call."""
    was_training = critic.training
    device = records.device
    places = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=places), torch.no_grad():
        torch.default_generator.manual_seed(0)
        if places:
            torch.cuda.manual_seed(0)
        critic.train()
        scores: Tensor = critic(records)
    critic.train(was_training)
    return scores


#: Part of a recipe, when it is refused, and why.
RECIPE_REFUSALS: Final[tuple[tuple[str, Callable[[Any], bool], str], ...]] = (
    (
        "objective",
        lambda recipe: recipe.objective not in _UNPAIRED,
        "it pairs real records with others or is not bounded by one record; use 'non_saturating'",
    ),
    (
        "pack",
        lambda recipe: getattr(recipe, "pack", 1) > 1,
        "taking one record out regroups all others; use pack=1",
    ),
    (
        "conditioning",
        lambda recipe: getattr(recipe, "conditioning", "none") != "none",
        "conditions would be drawn by their exact frequencies; use conditioning='none' and ask "
        "for conditions when sampling",
    ),
    (
        "terms",
        lambda recipe: any(spec.name not in _BLIND_TERMS for spec in recipe.terms),
        "penalties, augmentation by what the critic says of real records, and feature statistics "
        f"look at real records outside the clipped gradients; use only {', '.join(_BLIND_TERMS)}",
    ),
    (
        "optimiser",
        lambda recipe: recipe.optimiser not in ("adam", "rmsprop"),
        "use 'adam' or 'rmsprop', which see noisy gradients only",
    ),
    (
        "accumulate",
        lambda recipe: recipe.accumulate > 1,
        "its updates are of Poisson samples, whose size varies; use accumulate=1",
    ),
    (
        "balance",
        lambda recipe: getattr(recipe, "balance", 0.0) > 0,
        "the account needs every record to be drawn equally often; use balance=0.0",
    ),
    (
        "grow_until",
        lambda recipe: getattr(recipe, "grow_until", 0.0) > 0,
        "its steps do not let networks grow; use grow_until=0.0",
    ),
)


def check_private_recipe(recipe: BaseRecipe) -> None:
    """Refuse recipes that read real records anywhere but in clipped gradients.

    Raises
    ------
    PrivacyError
        Naming the field, why, and what to use.
    """
    for name, refused, why in RECIPE_REFUSALS:
        if refused(recipe):
            value = getattr(recipe, name)
            if name == "terms":
                value = tuple(spec.name for spec in value)
            raise PrivacyError(
                f"Recipe {recipe.name!r} with {name}={value!r} cannot be trained by DPSGD: {why}."
            )
