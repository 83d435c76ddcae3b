"""What cannot be private, by name and with the alternative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from synthgen.dp.budget import DPSGD, DPMarginals
from synthgen.dp.errors import PrivacyError
from synthgen.errors import InvalidParameterError

_MARGINAL_PRESETS: Final = ("auto", "moments")


def _preset(value: Any) -> bool:
    return not (isinstance(value, str) and value in _MARGINAL_PRESETS)


#: Parameter, when it is refused, and why.
REFUSALS: Final[tuple[tuple[str, Callable[[Any], bool], str], ...]] = (
    (
        "preset",
        _preset,
        "a critic that looks at real rows (its penalties, pairs of rows, packing and statistics of "
        "batches) is not covered by DPMarginals; use preset='auto', which trains on noisy tables",
    ),
    (
        "refine",
        lambda value: value is True,
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
        "monitor looks at released tables only",
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
        "takes a minute",
    ),
)


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
    if isinstance(privacy, DPSGD):
        raise PrivacyError(
            "DPSGD is not available for tables; use DPMarginals(epsilon=...), which gave better "
            "rows at every epsilon."
        )
    if not isinstance(privacy, DPMarginals):
        raise InvalidParameterError(
            f"privacy must be None or DPMarginals(...), got {type(privacy).__name__}."
        )
    for name, refused, why in REFUSALS:
        value = getattr(synthesizer, name)
        if refused(value):
            raise PrivacyError(f"{name}={value!r} cannot be private: {why}.")
