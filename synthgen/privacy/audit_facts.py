"""Facts beside the attacks: claimed guarantee, reproduced identifiers, versions."""

from __future__ import annotations

import hashlib
import math
from importlib import metadata
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api import types as ptypes

from synthgen.privacy.attacks.membership import Prepared
from synthgen.privacy.attacks.splits import Splits

#: Names of the distances that an audit keeps.
MEMBERS_NEAR: Final = "members to synthetic rows"
FRESH_NEAR: Final = "holdout to synthetic rows"
REAL_NEAR: Final = "holdout to reference rows"

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
    """Return how many values of columns that are left out come back, among members and holdout.

    Shares are of the values that are present, whose numbers stand beside them.
    """
    result = {}
    for name in splits.roles.left_out:
        values = splits.synthetic[name].dropna().astype(str).unique()
        found: dict[str, float] = {}
        for side, frame in (("members", splits.members), ("holdout", splits.holdout)):
            present = frame[name].dropna()
            returned = present.astype(str).isin(values)
            found[side] = float(returned.mean()) if len(present) else 0.0
            found[f"{side}_present"] = len(present)
        result[str(name)] = found
    return result


def distances(ready: Prepared) -> dict[str, list[float]]:
    """Return how near random rows are to synthetic ones, and fresh ones to reference rows.

    Per cent by per cent from the nearest to the furthest, in widths of the columns.
    """
    arena, population = ready.arena, ready.populations[0]
    inside, outside = (population.rows[population.member == side] for side in (True, False))
    made, real = (near.distances[:, 0] for near in (arena.near_synthetic, arena.near_reference))
    pairs = {
        MEMBERS_NEAR: made[inside],
        FRESH_NEAR: made[outside],
        REAL_NEAR: real[outside],
    }
    shares = np.linspace(0, 1, 101)
    return {
        name: np.quantile(own, shares, method="inverted_cdf").tolist()
        for name, own in pairs.items()
    }


def checksum(frame: pd.DataFrame) -> str:
    """Return a checksum of the rows of a table, in any order of rows and columns.

    Numbers count by their value, everything else by its text, so that a table has the checksum of
    its own copy on the disk.

    Examples
    --------
    >>> table = pd.DataFrame({"a": [1, 2, None], "b": ["x", "y", "z"]})
    >>> checksum(table) == checksum(table[["b", "a"]][::-1]) != checksum(table[:2])
    True
    """
    columns = sorted(range(frame.shape[1]), key=lambda place: str(frame.columns[place]))
    plain = {str(at): _comparable(frame.iloc[:, place]) for at, place in enumerate(columns)}
    rows = pd.util.hash_pandas_object(pd.DataFrame(plain), index=False).to_numpy()
    names = "\0".join(str(frame.columns[place]) for place in columns)
    return hashlib.sha256(names.encode() + b"\0\0" + np.sort(rows).tobytes()).hexdigest()


def _comparable(values: pd.Series[Any]) -> Any:
    if ptypes.is_numeric_dtype(values.dtype) and values.dtype.kind in "iuf":
        # Zero has two signs, and NaN many forms.
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0
        return np.where(np.isnan(numbers), np.nan, numbers)
    return values.astype(object).map(str).where(values.notna().to_numpy(), None).to_numpy()


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
