"""What every attack returns: how well it told members apart, and how much that is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from synthgen.errors import InvalidParameterError


@dataclass(frozen=True)
class Rate:
    """A share with its exact interval.

    Parameters
    ----------
    value : float
    low, high : float
        Clopper-Pearson interval at the level of the result.
    count, total : int
    """

    value: float
    low: float
    high: float
    count: int
    total: int


@dataclass(frozen=True)
class AttackResult:
    """The outcome of one attack on one population of rows.

    Every figure but ``auc_choosing`` is measured on the reporting half of the rows; the variant and
    all thresholds were chosen on the other half.

    Parameters
    ----------
    attack : str
        Name of the attack.
    population : str
        Which rows were attacked: ``"random"``, ``"vulnerable"``, or ``"chosen"`` by shadow models.
    threat_model : str
        What the attacker is assumed to have.
    auc : float or None
        Area under the ROC curve of telling members from holdout rows; .5 is guessing. None if the
        attack could not be run; `notes` say why.
    auc_interval : tuple of float, optional
        DeLong interval at `level`.
    auc_simultaneous : tuple of float, optional
        The same, wide enough to hold for all attacks of an audit at once (Bonferroni).
    auc_choosing : float, optional
        The area on the half that variant and thresholds were chosen on.
    tpr_at_1pct, tpr_at_01pct : Rate, optional
        Members found at the threshold where 1 % and .1 % of the holdout rows of the choosing half
        are taken for members. None if there are too few holdout rows; `notes` say so.
    fpr_at_1pct, fpr_at_01pct : Rate, optional
        Holdout rows that were taken for members at those thresholds.
    advantage : float, optional
        True minus false positive rate at the threshold that is best on the choosing half.
    advantage_interval : tuple of float, optional
    epsilon_lower : float, optional
        No mechanism with a smaller epsilon (at `delta`) could have shown these error rates, at
        `level`. 0 is no evidence of privacy.
    delta : float
    baseline : float
        What guessing scores on the same scale as `auc`, or as `success` if there is one.
    control : float, optional
        The same attack where nothing can be found: its area when fresh real rows take the place of
        the synthetic ones, or its success on holdout rows if there is a `success`.
    success : float, optional
        For attacks that guess a value: share of members guessed right.
    n_members, n_holdout : int
        Rows of the reporting half.
    n_synthetic, n_reference : int
        Rows that the attack learned from.
    detectable_auc : float, optional
        The smallest area that would have been found with 80 % probability.
    level : float
        Coverage of all intervals.
    variant : str
        The variant that was chosen.
    variants : tuple of str
        All that were tried.
    roc : tuple of two lists, optional
        False and true positive rates.
    warnings : tuple of str
        Reasons not to trust the result; a result without power has one.
    notes : tuple of str
        Further remarks.
    details : dict
        What only this attack has.

    Examples
    --------
    >>> AttackResult("nearest", "random", "synthetic rows", auc=0.5).has_power
    True
    """

    attack: str
    population: str
    threat_model: str
    auc: float | None
    auc_interval: tuple[float, float] | None = None
    auc_simultaneous: tuple[float, float] | None = None
    auc_choosing: float | None = None
    tpr_at_1pct: Rate | None = None
    fpr_at_1pct: Rate | None = None
    tpr_at_01pct: Rate | None = None
    fpr_at_01pct: Rate | None = None
    advantage: float | None = None
    advantage_interval: tuple[float, float] | None = None
    epsilon_lower: float | None = None
    delta: float = 0.0
    baseline: float = 0.5
    control: float | None = None
    success: float | None = None
    n_members: int = 0
    n_holdout: int = 0
    n_synthetic: int = 0
    n_reference: int = 0
    detectable_auc: float | None = None
    level: float = 0.95
    variant: str = ""
    variants: tuple[str, ...] = ()
    roc: tuple[list[float], list[float]] | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise InvalidParameterError(
                    f"{entry.name} of the attack {self.attack!r} must be finite or None, "
                    f"got {value!r}."
                )

    @property
    def has_power(self) -> bool:
        """Whether the result says anything: no warning was raised."""
        return not self.warnings

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON types."""
        return {entry.name: plain(getattr(self, entry.name)) for entry in fields(self)}


def plain(value: Any) -> Any:
    """Turn numpy scalars, tuples, rates and labels of any type into what JSON knows."""
    if isinstance(value, Rate):
        return {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        # Twelve digits are beyond any sampling error and below differences between machines.
        return float(f"{value:.12g}") if math.isfinite(value) else None
    return value if value is None or isinstance(value, (str, bool, int)) else str(value)
