"""What a quality report says, as plain values: the one thing that its writers read.

Every field is a number, a text or a list of them, so that the same content becomes JSON, HTML or a
frame. None stands for *not applicable*; there is never a NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Rating = Literal["good", "fair", "poor", "none"]

Matrix = list[list[float | None]]


@dataclass(frozen=True)
class Score:
    """One line of the table of scores.

    Parameters
    ----------
    name : str
        Name of the metric, for instance ``"c2st_trees"``.
    title : str
        Name for readers, for instance ``"Detection by boosted trees"``.
    question : str
        What the score answers, in one sentence.
    family : str
        Heading that it stands under: ``"Fidelity"``, ``"Utility"``, ``"Coverage"``, ...
    value : float or None
        None if it is not applicable; `note` then says why.
    direction : {"higher", "lower"}
        Which way is better.
    interval : tuple of float or None
        95 % interval (low, high).
    floor, ceiling : float or None
        What independent columns get, and what fresh real rows get.
    rating : {"good", "fair", "poor", "none"}
        Where the value lies between floor and ceiling.
    note : str
        Anything the reader must know to read the value.
    definition : str
        How it is computed, in a sentence or two.
    reference : str
        Source of the definition.
    """

    name: str
    title: str
    question: str
    family: str
    value: float | None
    direction: Literal["higher", "lower"] = "higher"
    interval: tuple[float, float] | None = None
    floor: float | None = None
    ceiling: float | None = None
    rating: Rating = "none"
    note: str = ""
    definition: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Finding:
    """Something wrong, where, which metric saw it, and what to do about it.

    Parameters
    ----------
    severity : {"poor", "fair"}
        How bad it is.
    metric : str
        Name of the score that caught it.
    where : str
        Column, pair of columns, or group.
    text : str
        What is wrong, with figures.
    advice : str
        What the user can do.
    """

    severity: Literal["poor", "fair"]
    metric: str
    where: str
    text: str
    advice: str = ""


@dataclass(frozen=True)
class Overlay:
    """The distribution of one column in all tables.

    Parameters
    ----------
    column : str
        Name of the column.
    role : {"continuous", "discrete"}
        Whether the bars are bins of numbers, in order, or categories, the most frequent first.
    score : float or None
        Shape of the column, 1 is best.
    labels : list of str
        One per bar: a category, ``"other (12)"``, or ``"missing"`` as the last one.
    edges : list of float, optional
        Bin edges of a continuous column, one more than bars (without the bar of missing values).
    edge_labels : list of str, optional
        The edges as readers know them (dates for datetimes).
    real, synthetic, holdout : list of float
        Share of rows per bar; `holdout` is None without one.
    """

    column: str
    role: Literal["continuous", "discrete"]
    score: float | None
    labels: list[str]
    real: list[float]
    synthetic: list[float]
    holdout: list[float] | None = None
    edges: list[float] | None = None
    edge_labels: list[str] | None = None


@dataclass(frozen=True)
class Associations:
    """How strongly columns depend on each other, as symmetric matrices with values in [0, 1].

    Parameters
    ----------
    columns : list of str
        Labels of rows and columns.
    real, synthetic : list of list
        Normalised mutual information.
    """

    columns: list[str]
    real: Matrix
    synthetic: Matrix


@dataclass(frozen=True)
class Roc:
    """How a classifier tells real from synthetic rows.

    Parameters
    ----------
    false_positive, true_positive : list of float
        The curve, from (0, 0) to (1, 1).
    auc : float
        Area under it; .5 is indistinguishable.
    giveaways : list of tuple
        Columns and the AUC that is lost without them, the largest first.
    """

    false_positive: list[float]
    true_positive: list[float]
    auc: float
    giveaways: list[tuple[str, float]]


@dataclass(frozen=True)
class UtilityBar:
    """One model family trained twice and tested on the same real holdout.

    Parameters
    ----------
    model : str
        Name of the family, for instance ``"logistic regression"``.
    measure : str
        ``"ROC AUC"``, ``"R2"``, ...
    synthetic, real : float
        Score after training on synthetic rows and on real rows.
    synthetic_interval, real_interval : tuple of float
        95 % intervals.
    """

    model: str
    measure: str
    synthetic: float
    real: float
    synthetic_interval: tuple[float, float]
    real_interval: tuple[float, float]


@dataclass(frozen=True)
class Projection:
    """Rows on the first two principal components of the real table.

    Parameters
    ----------
    real, synthetic : list of tuple
        Points (first, second component).
    explained : tuple of float
        Share of the variance of each component.
    """

    real: list[tuple[float, float]]
    synthetic: list[tuple[float, float]]
    explained: tuple[float, float]


@dataclass(frozen=True)
class ReportContent:
    """Everything that the report shows.

    Parameters
    ----------
    title : str
        Heading.
    rating : {"good", "fair", "poor", "none"}
        The verdict in a word.
    verdict : str
        The verdict in a sentence.
    tables : list of dict
        One per table: name, rows, columns, what it is used for.
    scores : list of Score
        In the order of the report.
    findings : list of Finding
        The worst first.
    overlays : list of Overlay
        The worst column first.
    associations, roc, projection : optional
        None where they do not apply.
    utility : list of UtilityBar
        Empty without a target and a holdout.
    history : dict, optional
        Training history of the synthesizer: name of a quantity to its list of values, with the
        steps under ``"step"``.
    left_out : dict
        Columns that no score looks at, and why.
    notes : list of str
        Sub-sampling, settings and seeds.
    """

    title: str
    rating: Rating
    verdict: str
    tables: list[dict[str, Any]]
    scores: list[Score]
    findings: list[Finding] = field(default_factory=list)
    overlays: list[Overlay] = field(default_factory=list)
    associations: Associations | None = None
    roc: Roc | None = None
    utility: list[UtilityBar] = field(default_factory=list)
    projection: Projection | None = None
    history: dict[str, list[float | None]] | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
