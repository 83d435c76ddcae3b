"""What a release report says, as plain values: the one thing that its writers read.

Every field is a number, a text or a list of them. None stands for *not known*, *not measured*, or
*not shown in this mode*; there is never a NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["RELEASE", "REVIEW", "BLOCK"]
Mode = Literal["internal", "public"]
#: What may be said of an assumption behind a guarantee.
Status = Literal["public", "paid", "unknown"]


@dataclass(frozen=True)
class Rule:
    """A condition that the verdict depends on.

    Parameters
    ----------
    id : str
        ``"B..."`` blocks a release, ``"R..."`` asks a person to decide.
    text : str
        When it trips, with the limit that was used.
    state : {"tripped", "clear", "not looked at", "does not apply"}
    """

    id: str
    text: str
    state: str = "clear"

    @property
    def tripped(self) -> bool:
        """Whether it did."""
        return self.state == "tripped"


@dataclass(frozen=True)
class Finding:
    """A rule that tripped, and why.

    Parameters
    ----------
    rule : str
    text : str
        With figures.
    public : str
        The same without any figure of the data.
    advice : str
    """

    rule: str
    text: str
    public: str
    advice: str = ""


@dataclass(frozen=True)
class Meaning:
    """What a guarantee allows an attacker at most.

    Parameters
    ----------
    epsilon, delta : float
    method : str
        How epsilon was found.
    check : float
        The same by Renyi divergences.
    limit : float
        What the ledger would have allowed.
    unit, adjacency : str
    n_rows : int, optional
        If it is public.
    belief : float
        Probability that a row took part, after seeing the release, of an attacker who gave it 50 %.
    hits : float or None
        Most members found at one false alarm in a hundred.
    auc : float or None
        Largest area under the curve of any attack.
    curve : list of (float, float)
        False alarms, and the most members that any attack can find.
    missing : str
        Why there is no curve.
    """

    epsilon: float
    delta: float
    method: str
    check: float
    limit: float
    unit: str
    adjacency: str
    n_rows: int | None
    belief: float
    hits: float | None = None
    auc: float | None = None
    curve: list[tuple[float, float]] = field(default_factory=list)
    missing: str = ""


@dataclass(frozen=True)
class Step:
    """What one kind of noisy release added to epsilon.

    Parameters
    ----------
    name : str
    before, after : float
        Epsilon of all releases up to it.
    mechanism : str
    noise : float or None
        Standard deviation (or scale) by sensitivity.
    sampling : float
    count : int
    """

    name: str
    before: float
    after: float
    mechanism: str
    noise: float | None
    sampling: float
    count: int


@dataclass(frozen=True)
class Assumption:
    """Something that has to be true for the guarantee, and who says so."""

    text: str
    status: Status


@dataclass(frozen=True)
class AttackLine:
    """One attack on one population, against the limits.

    Parameters
    ----------
    attack, population, threat_model : str
    outcome : {"above", "within", "no power", "no figure"}
        Where the lower bounds lie; the only thing that a public report shows.
    auc, low, high : float or None
        Area and interval; `low_all` and `high_all` hold for all attacks at once.
    hits, hits_low, hits_high, alarms : float or None
        Members, and holdout rows, found at the threshold of one false alarm in a hundred.
    success, control, baseline : float or None
        Shares of right guesses among members, among holdout rows, and by guessing blindly.
    risk, risk_low, risk_high : float or None
        What anonymeter calls the risk.
    n_members, n_holdout : int or None
    remarks : list of str
    """

    attack: str
    population: str
    threat_model: str
    outcome: str
    auc: float | None = None
    low: float | None = None
    high: float | None = None
    low_all: float | None = None
    high_all: float | None = None
    hits: float | None = None
    hits_low: float | None = None
    hits_high: float | None = None
    alarms: float | None = None
    success: float | None = None
    control: float | None = None
    baseline: float | None = None
    risk: float | None = None
    risk_low: float | None = None
    risk_high: float | None = None
    n_members: int | None = None
    n_holdout: int | None = None
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ControlLine:
    """A case with a known answer."""

    name: str
    expectation: str
    passed: bool
    auc: float | None = None
    low: float | None = None
    high: float | None = None
    attack: str | None = None


@dataclass(frozen=True)
class Power:
    """What the audit would have found.

    Parameters
    ----------
    controls : list of ControlLine
    planted : list of (float, float or None, bool)
        Share of members copied into the synthetic rows, area, whether it was found.
    smallest_leak : float or None
    detectable : float or None
        Largest area, over the attacks on random rows, that is missed one time in five.
    skipped : list of (str, str)
        Attacks that were not run, and why.
    """

    controls: list[ControlLine]
    planted: list[tuple[float, float | None, bool]]
    smallest_leak: float | None
    detectable: float | None
    skipped: list[tuple[str, str]]


@dataclass(frozen=True)
class Copied:
    """Shares of rows that equal a member.

    Parameters
    ----------
    synthetic, synthetic_low : float
        Of synthetic rows, and its one-sided lower bound.
    holdout, holdout_high : float or None
        Of fresh real rows, and its one-sided upper bound.
    source : str
        Where the figures come from.
    """

    synthetic: float
    synthetic_low: float
    holdout: float | None
    holdout_high: float | None
    source: str


@dataclass(frozen=True)
class Returned:
    """A column of identifiers: shares of its real values that stand in the synthetic table."""

    column: str
    reason: str
    members: float | None = None
    members_low: float | None = None
    holdout: float | None = None
    holdout_high: float | None = None


@dataclass(frozen=True)
class UtilityLine:
    """One score of the quality report."""

    score: str
    rating: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    ceiling: float | None = None
    better: str = ""


@dataclass(frozen=True)
class Utility:
    """What the quality report says."""

    rating: str
    verdict: str
    lines: list[UtilityLine]


@dataclass(frozen=True)
class Group:
    """One group of rows; `small` if fewer real rows than the limit are in it."""

    column: str
    level: str
    real_rows: int
    synthetic_rows: int
    score: float
    expected: float
    small: bool


@dataclass(frozen=True)
class Recognised:
    """How well members of one group were told from other rows of it; an interval for all groups."""

    column: str
    level: str
    members: int
    holdout: int
    attack: str
    area: float | None
    low: float | None
    high: float | None
    outcome: str


@dataclass(frozen=True)
class ReleaseContent:
    """Everything that the report shows."""

    title: str
    mode: Mode
    verdict: Verdict
    sentence: str
    findings: list[Finding]
    rules: list[Rule]
    identity: list[tuple[str, str]]
    columns: list[dict[str, str]]
    guarantee: Meaning | None
    no_guarantee: str
    steps: list[Step]
    assumptions: list[Assumption]
    attacks: list[AttackLine]
    roc: list[tuple[str, list[tuple[float, float]]]]
    epsilon_lower: float | None
    auc_limit: float
    power: Power
    copied: Copied | None
    returned: list[Returned]
    utility: Utility | None
    groups: list[Group]
    recognised: list[Recognised]
    group_limit: int
    conditions: list[str]
    sign_off: list[tuple[str, str]]
    settings: list[tuple[str, str]]
    notes: list[str]
    extra: dict[str, Any] = field(default_factory=dict)
