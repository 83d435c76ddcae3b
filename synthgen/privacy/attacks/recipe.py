"""The recipe behind a fitted synthesizer: copies of it that know nothing yet."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from sklearn.base import clone

#: What a copy must not share with the model: a folder or a ledger that its fit would write to.
_OWN: Final = {
    "checkpoint_dir": None,
    "grid_path": None,
    "warm_start": False,
    "verbose": 0,
    "privacy__ledger": None,
}


def recipe_of(model: Any) -> Callable[[int], Any]:
    """Return what makes an unfitted copy of a synthesizer from a seed.

    A copy has the parameters of the model but for the seed; it writes to no folder and charges no
    shared ledger, since it will not be fitted on the rows that these are about.

    Parameters
    ----------
    model : object
        With ``get_params`` as scikit-learn has it, or one that can be fitted anew as it is.

    Raises
    ------
    TypeError or RuntimeError
        If it cannot be copied.

    Examples
    --------
    >>> from synthgen import GANSynthesizer
    >>> recipe_of(GANSynthesizer(max_steps=7, random_state=1))(5)
    GANSynthesizer(max_steps=7, random_state=5)
    """
    if not hasattr(model, "get_params"):
        return partial(_copy, copy.deepcopy(model))
    plain = clone(model)
    known = plain.get_params(deep=True)
    plain.set_params(**{name: value for name, value in _OWN.items() if name in known})
    return partial(_clone, plain, "random_state" in known)


def _copy(model: Any, _seed: int) -> Any:
    # A model without parameters takes no seed.
    return copy.deepcopy(model)


def _clone(model: Any, seeded: bool, seed: int) -> Any:
    own = clone(model)
    return own.set_params(random_state=seed) if seeded else own
