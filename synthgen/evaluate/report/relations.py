"""Findings about pairs of columns and about groups of rows, read off the metrics' breakdowns."""

from __future__ import annotations

from collections.abc import Hashable
from math import sqrt
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.evaluate.report.evidence import Evidence, Scored, Sized, by_key, table, weighed

_PAIR: Final = ["column_1", "column_2"]
#: Columns with less normalised mutual information with all others together have none to lose.
_RELATED: Final = 0.05
#: Loss of relations that is a finding, and that is a bad one.
_FAIR_LOSS, _POOR_LOSS = 0.3, 0.8
#: Units of chance that the correlations of two samples differ by at most; heavy tails need more
#: than the three or four of a normal distribution.
_CORRELATION_UNITS: Final = 5.0
#: Correlations that are too weak for their sign to mean anything.
_WEAK: Final = 0.1
#: Mutual information that is as good as none.
_TINY: Final = 0.01
#: What the mean distance within the groups of two samples differs by at most, in units of chance:
#: less than the distance of one column, since many are averaged.
_GROUP_UNITS: Final = 0.75
#: Of a group that should have more rows than this, one is drawn for sure.
_CERTAIN_ROWS: Final = 12


def strengths(scored: Scored) -> dict[tuple[Hashable, Hashable], tuple[float, float, float]]:
    """Return the mutual information of all pairs in the real, fresh real and synthetic rows."""
    pairs = _with_fresh(scored)
    columns = [*_PAIR, "real", "fresh", "synthetic"]
    return {
        (one, two): (real, fresh, made)
        for one, two, real, fresh, made in zip(*(pairs[name] for name in columns), strict=True)
    }


def information(scored: Scored, _evidence: Evidence) -> Sized:
    """Name the columns that lost their relations to the others, one after the other.

    A column that lost all of them takes the relations of its partners with it; so it is set aside
    before the next one is looked for.
    """
    return [finding for _, finding in lost_relations(scored)]


def lost_relations(scored: Scored) -> list[tuple[Hashable, tuple[float, Any]]]:
    """Return the columns that lost their relations, and the findings that say so."""
    pairs, rows = _with_fresh(scored), scored.synthetic.details["rows"]
    found: list[tuple[Hashable, tuple[float, Any]]] = []
    while len(pairs):
        losses = {
            name: _loss(own, rows)
            for name in dict.fromkeys([*pairs["column_1"], *pairs["column_2"]])
            if len(own := pairs[_ends_in(pairs, name)])
        }
        name = max(losses, key=lambda label: losses[label])
        if losses[name] <= 0:
            break
        own = pairs[_ends_in(pairs, name)]
        found += [(name, finding) for finding in _lost(name, losses[name], own)]
        pairs = pairs[~_ends_in(pairs, name)]
    return found


def _ends_in(pairs: pd.DataFrame, name: Hashable) -> Any:
    # Labels can be tuples, which pandas would compare element by element.
    ends = zip(pairs["column_1"], pairs["column_2"], strict=True)
    return np.fromiter((name in (one, two) for one, two in ends), dtype=bool, count=len(pairs))


def _with_fresh(scored: Scored) -> pd.DataFrame:
    """Return the pairs with the strength of their relation in fresh real rows as well."""
    pairs = table(scored.synthetic)
    usual = by_key(table(scored.ceiling), _PAIR, "synthetic")
    fresh = [
        usual.get((one, two), real)
        for one, two, real in zip(*(pairs[key] for key in [*_PAIR, "real"]), strict=True)
    ]
    return pairs.assign(fresh=fresh)


def _loss(pairs: pd.DataFrame, rows: int) -> float:
    """Return the share of a column's relations that is lost, 0 if chance may have done it.

    Only what both samples of real rows agree on is a relation. How far they disagree says what a
    third sample may lack.
    """
    both = pairs[["real", "fresh"]].min(axis=1)
    whole = float(both.sum())
    # Without any relation, a pair has information of the order of 1 / rows.
    if whole < _RELATED + 2 * len(pairs) / rows:
        return 0.0
    agreement = whole / float(pairs[["real", "fresh"]].max(axis=1).sum())
    kept = float(np.minimum(both, pairs["synthetic"]).sum()) / whole
    return 1 - kept if kept < agreement**2 and 1 - kept > _FAIR_LOSS else 0.0


def _lost(name: Hashable, loss: float, pairs: pd.DataFrame) -> Sized:
    strongest = pairs.iloc[int(pairs["real"].to_numpy().argmax())]
    return weighed(
        loss, _FAIR_LOSS, _POOR_LOSS, metric="mutual_information", where=str(name),
        text=f"The column kept {1 - loss:.0%} of its relations to the other columns; the strongest "
        f"real one, {strongest['column_1']} x {strongest['column_2']}, has normalised mutual "
        f"information {strongest['real']:.3f} in the real and {strongest['synthetic']:.3f} in the "
        "synthetic table.",
        advice="A column that lost all its relations was shuffled, joined wrongly, or generated on "
        "its own.",
    )  # fmt: skip


def trend(scored: Scored, evidence: Evidence) -> Sized:
    """Name the pairs that do not go together, as far as their single columns do not explain it.

    Two-way tables with a column of numbers do not count: there the bins end at the extremes of each
    table, so that a single outlier moves all of them. Relations of such pairs show in the mutual
    information and within groups.
    """
    usual = by_key(table(scored.ceiling), _PAIR, "score")
    found: Sized = []
    for row in table(scored.synthetic).dropna(subset=["score"]).to_dict(orient="records"):
        ends = (row["column_1"], row["column_2"])
        if evidence.unrelated.intersection(ends):
            continue
        best = usual.get(ends, 1.0)
        gap = best - row["score"]
        if row["metric"] == "correlation":
            if _outliers_only(row, evidence):
                continue
            chance = _CORRELATION_UNITS / 2 * evidence.unit(*ends)
        elif evidence.discrete.issuperset(ends):
            chance = evidence.chance()
            gap -= sum(max(0.0, evidence.off.get(name, 0.0)) for name in ends)
        else:
            continue
        found += weighed(
            gap, max(0.03, chance), max(0.15, chance), metric="trend",
            where=f"{ends[0]} x {ends[1]}",
            text=f"The two columns do not go together as in the real table: {_apart(row, best)}.",
            advice="Check whether one of the columns was shuffled, recoded or joined wrongly.",
        )  # fmt: skip
    return found


def _apart(row: dict[Hashable, Any], best: float) -> str:
    if row["metric"] == "correlation":
        return f"correlation {row['synthetic']:.2f} instead of {row['real']:.2f}"
    return f"their two-way table is off by {1 - row['score']:.3f} (real rows: {1 - best:.3f})"


def _outliers_only(row: dict[Hashable, Any], evidence: Evidence) -> bool:
    """Return whether nothing but the correlation says that a relation changed.

    A few outliers can decide on a correlation. If the ranks, too, go together in another way, the
    mutual information differs, unless it is the sign that changed.
    """
    known = evidence.relations.get((row["column_1"], row["column_2"]))
    if known is None:
        return False
    real, fresh, synthetic = known
    same_sign = min(row["real"] * row["synthetic"], 0.0) > -(_WEAK**2)
    low, high = min(real, fresh) / 2 - _TINY, max(real, fresh) * 2 + _TINY
    return same_sign and low <= synthetic <= high


def subgroups(scored: Scored, evidence: Evidence) -> Sized:
    """Name the groups of rows that are worse than chance and the whole table explain."""
    found: Sized = []
    for row in table(scored.synthetic).to_dict(orient="records"):
        level = "missing" if row["level"] is None else row["level"]
        where = f"{row['column']} = {level}"
        if not row["synthetic_rows"]:
            # The chance to draw no row of a group is about exp(-expected rows).
            due = row["real_share"] * evidence.synthetic_rows
            found += weighed(
                float(due > _CERTAIN_ROWS), 0.5, 0.5, metric="subgroup_fidelity", where=where,
                text=f"No synthetic row belongs to this group of {row['real_rows']:,} real rows.",
                advice="Draw rows of it with sample(conditions=...), or train longer.",
            )  # fmt: skip
            continue
        chance = _GROUP_UNITS * sqrt(1 / row["real_rows"] + 1 / row["synthetic_rows"])
        found += weighed(
            row["gap"], max(0.05, chance), max(0.2, chance), metric="subgroup_fidelity",
            where=where,
            text=f"Within this group ({row['real_rows']:,} real rows) columns agree less than "
            f"chance explains: {row['score']:.3f}; the worst is {row['worst_column']}.",
            advice="Do not draw conclusions about this group from the synthetic rows.",
        )  # fmt: skip
    return found
