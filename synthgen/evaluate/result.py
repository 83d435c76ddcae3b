"""What every metric returns: one value with everything needed to read it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from synthgen.errors import InvalidParameterError

Direction = Literal["higher", "lower"]


@dataclass(frozen=True)
class Result:
    """The outcome of one metric.

    Parameters
    ----------
    name : str
        Name of the metric, for instance ``"shape"``.
    value : float or None
        The score. None means *not applicable*; then ``details["not_applicable"]`` says why. It is
        never NaN.
    direction : {"higher", "lower"}
        Which way is better.
    interval : tuple of float, optional
        95 % interval of the value (low, high).
    floor, ceiling : float, optional
        The value that independent columns get, and the value that fresh real rows get, if computed.
    breakdown : pandas.DataFrame, optional
        The score's parts: one row per column, per pair of columns, or per fold.
    reference : str
        Where the definition comes from.
    details : dict
        Further facts: sizes, the underlying AUC, what was left out and why.

    Raises
    ------
    InvalidParameterError
        If `value` is NaN or infinite, or is None without a reason.

    Examples
    --------
    >>> Result("shape", 0.5, details={"columns": 2}).to_dict()["value"]
    0.5
    >>> Result("shape", float("nan"))
    Traceback (most recent call last):
    ...
    synthgen.errors.InvalidParameterError: The value of 'shape' must be finite or None, got nan.
    """

    name: str
    value: float | None
    direction: Direction = "higher"
    interval: tuple[float, float] | None = None
    floor: float | None = None
    ceiling: float | None = None
    breakdown: pd.DataFrame | None = None
    reference: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            raise InvalidParameterError(
                f"The value of '{self.name}' must be finite or None, got {self.value!r}."
            )
        if self.value is None and not self.details.get("not_applicable"):
            raise InvalidParameterError(
                f"'{self.name}' has no value; details['not_applicable'] must say why."
            )

    @property
    def applicable(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON types; parts that are not applicable become None.

        Returns
        -------
        dict
            The fields by name, the breakdown as a list of records.
        """
        records = None
        if self.breakdown is not None:
            records = [_plain(record) for record in self.breakdown.to_dict(orient="records")]
        return {
            "name": self.name,
            "value": _plain(self.value),
            "direction": self.direction,
            "interval": _plain(self.interval),
            "floor": _plain(self.floor),
            "ceiling": _plain(self.ceiling),
            "breakdown": records,
            "reference": self.reference,
            "details": _plain(self.details),
        }


def _plain(value: Any) -> Any:
    """Turn numpy scalars, tuples and labels of any type into what JSON knows."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, bool, int)) else str(value)
