"""What cannot be private, by name and with the alternative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from synthgen.dp.budget import DPMarginals
from synthgen.dp.errors import PrivacyError
from synthgen.dp.sgd_budget import DPSGD
from synthgen.errors import InvalidParameterError
from synthgen.models.presets import resolve_recipe
from synthgen.train.dp_checks import check_private_recipe
from synthgen.train.dp_table import SGD_RECIPE
from synthgen.train.recipe import Recipe

Refusal = tuple[str, Callable[[Any], bool], str]

_MARGINAL_PRESETS: Final = ("auto", "moments")


def _preset(value: Any) -> bool:
    return not (isinstance(value, str) and value in _MARGINAL_PRESETS)


#: Parameter, when it is refused whichever way a model is made private, and why.
_COMMON: Final[tuple[Refusal, ...]] = (
    (
        "refine",
        lambda value: value is True or value == "weights",
        "refinement fits a classifier to real rows; use refine='auto' or False",
    ),
    (
        "calibrate",
        lambda value: value is True,
        "calibration maps columns onto their exact distribution; use calibrate=False, since the "
        "noisy histograms are matched anyway",
    ),
    (
        "validation_fraction",
        lambda value: value != "auto",
        "choosing a state by real rows would tell about them; use validation_fraction='auto': the "
        "monitor looks at nothing but what was released",
    ),
    (
        "warm_start",
        lambda value: value is True,
        "the weights of an earlier fit may hold real rows; use warm_start=False",
    ),
    (
        "checkpoint_dir",
        lambda value: value is not None,
        "a checkpoint holds a fingerprint of the data; use checkpoint_dir=None: a private fit "
        "takes minutes",
    ),
)

#: What is refused with ``DPMarginals``.
REFUSALS: Final[tuple[Refusal, ...]] = (
    (
        "preset",
        _preset,
        "a critic that looks at real rows (its penalties, pairs of rows, packing and statistics of "
        "batches) is not covered by DPMarginals; use preset='auto', which trains on noisy tables",
    ),
    *_COMMON,
)

#: What ``DPSGD`` charges before the first update, of tables and of images.
CHARGED: Final[tuple[Refusal, ...]] = (
    (
        "max_steps",
        lambda value: value != "auto",
        "the number of updates is charged before the first one; use max_steps='auto' and "
        "DPSGD(steps=...)",
    ),
    (
        "batch_size",
        lambda value: value != "auto",
        "batches are Poisson samples, whose expected size is charged; use batch_size='auto' and "
        "DPSGD(batch_size=...)",
    ),
)

#: What is refused with ``DPSGD``, beside recipes (``train/dp_checks.py``).
GRADIENT_REFUSALS: Final[tuple[Refusal, ...]] = (*_COMMON, *CHARGED)


def gradient_recipe(preset: str | Recipe) -> Recipe:
    """Return the recipe that a preset stands for with ``DPSGD``.

    Raises
    ------
    InvalidParameterError
        If there is no such preset.
    """
    return SGD_RECIPE if preset == "auto" else resolve_recipe(preset, 0, 0)


def refuse(synthesizer: Any, refusals: tuple[Refusal, ...]) -> None:
    """Refuse the first parameter that cannot be private.

    Raises
    ------
    PrivacyError
        Naming the parameter, why, and what to use.
    """
    for name, refused, why in refusals:
        value = getattr(synthesizer, name)
        if refused(value):
            raise PrivacyError(f"{name}={value!r} cannot be private: {why}.")


def check_refusals(synthesizer: Any) -> None:
    """Refuse parameters that cannot be combined with ``privacy``.

    Raises
    ------
    PrivacyError
        Naming the parameter, why, and what to use.
    InvalidParameterError
        If `privacy` is not a value object for privacy.
    """
    privacy = synthesizer.privacy
    if not isinstance(privacy, (DPMarginals, DPSGD)):
        raise InvalidParameterError(
            f"privacy must be None, DPMarginals(...) or DPSGD(...), got {type(privacy).__name__}."
        )
    by_gradients = isinstance(privacy, DPSGD)
    refuse(synthesizer, GRADIENT_REFUSALS if by_gradients else REFUSALS)
    if by_gradients:
        check_private_recipe(gradient_recipe(synthesizer.preset))
