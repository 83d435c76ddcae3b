"""Facts beside the attacks: claimed guarantee, reproduced identifiers, versions."""

from __future__ import annotations

import math
from importlib import metadata
from typing import Any, Final

from synthgen.privacy.attacks.splits import Splits

_PACKAGES: Final = ("numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "anonymeter")


def guarantee_of(model: Any) -> dict[str, Any]:
    """Return what a model claims; None for what it does not say."""
    private = getattr(model, "is_private_", None) if model is not None else None
    if not private:
        return {"is_private": private, "epsilon": None, "delta": None}
    epsilon, delta = float(model.epsilon_), float(model.delta_)
    return {
        "is_private": True,
        "epsilon": epsilon if math.isfinite(epsilon) else None,
        "delta": delta,
    }


def reproduced(splits: Splits) -> dict[str, dict[str, float]]:
    """Return how many values of columns that are left out come back, among members and holdout."""
    result = {}
    for name in splits.roles.left_out:
        values = splits.synthetic[name].dropna().astype(str).unique()
        sides = {"members": splits.members, "holdout": splits.holdout}
        result[str(name)] = {
            side: float(present.astype(str).isin(values).mean()) if len(present) else 0.0
            for side, present in ((key, frame[name].dropna()) for key, frame in sides.items())
        }
    return result


def versions() -> dict[str, str]:
    """Return the versions of everything that the figures depend on."""
    from synthgen import __version__

    found = {"synthgen": __version__}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
