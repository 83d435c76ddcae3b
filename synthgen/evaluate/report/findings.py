"""What is wrong, where, and what to do: read off the breakdowns of the metrics.

A part of a score (a column, a pair, a group) is a finding if it is clearly worse than the same part
scores with real rows of the holdout, so that chance in small tables is not reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from synthgen.evaluate.report.content import Finding
from synthgen.evaluate.result import Result

#: At most this many findings of one metric.
_MOST: Final = 8
#: Columns with less normalised mutual information with all others together have none to lose.
_RELATED: Final = 0.05


@dataclass(frozen=True)
class Scored:
    """A metric's result for the synthetic rows and, if there is one, for real rows."""

    synthetic: Result
    ceiling: Result | None


def find(results: Mapping[str, Scored]) -> list[Finding]:
    """Return all findings, the worst first.

    Parameters
    ----------
    results : mapping of str to Scored
        By name of the metric; metrics that were not computed may be absent.
    """
    findings: list[tuple[float, Finding]] = []
    for name, reader in _READERS.items():
        scored = results.get(name)
        if scored is not None and scored.synthetic.applicable:
            own = sorted(reader(scored), key=lambda pair: -pair[0])
            findings += own[:_MOST]
    ordered = sorted(findings, key=lambda pair: (pair[1].severity != "poor", -pair[0]))
    return [finding for _, finding in ordered]


def _frame(result: Result | None) -> pd.DataFrame:
    return pd.DataFrame() if result is None or result.breakdown is None else result.breakdown


def _weighed(size: float, fair: float, poor: float, **fields: Any) -> list[tuple[float, Finding]]:
    """Return a finding if `size` is large enough; sizes are comparable as multiples of `poor`."""
    if not size > fair:
        return []
    severity: Any = "poor" if size > poor else "fair"
    return [(size / poor, Finding(severity, **fields))]


def _validity(scored: Scored) -> list[tuple[float, Finding]]:
    found = []
    for row in _frame(scored.synthetic).to_dict(orient="records"):
        if not row["counts"]:
            found += _weighed(
                1.0, 0.0, 2.0, metric="validity", where=str(row["column"]),
                text=f"The column has another type: {row['example']}.",
                advice="Convert the column, or read both files with the same types.",
            )  # fmt: skip
            continue
        usual = row.get("holdout_share")
        excess = row["share"] - (0.0 if usual is None or pd.isna(usual) else usual)
        found += _weighed(
            excess, 0.001, 0.01, metric="validity", where=str(row["column"]),
            text=f"{row['share']:.2%} of the cells fail the check '{row['check']}', for instance "
            f"{row['example']!r}.",
            advice="Declare the range, categories or constraint in the schema, so that every row "
            "obeys it.",
        )  # fmt: skip
    return found


def _granularity(scored: Scored) -> list[tuple[float, Finding]]:
    usual = _by(_frame(scored.ceiling), ["column"], "score")
    found = []
    for row in _frame(scored.synthetic).to_dict(orient="records"):
        gap = usual.get((row["column"],), 1.0) - row["score"]
        found += _weighed(
            gap, 0.02, 0.2, metric="granularity", where=str(row["column"]),
            text=f"Numbers are rounded differently: most real values are multiples of "
            f"{row['real_step']} ({row['real_share']:.0%}), most synthetic ones of "
            f"{row['synthetic_step']} ({row['synthetic_share']:.0%}).",
            advice="Set the column's decimals in the schema, or round the synthetic column.",
        )  # fmt: skip
    return found


def _shape(scored: Scored) -> list[tuple[float, Finding]]:
    usual = _by(_frame(scored.ceiling), ["column"], "score")
    found = []
    for row in _frame(scored.synthetic).dropna(subset=["score"]).to_dict(orient="records"):
        best = usual.get((row["column"],), 1.0)
        gap = best - row["score"]
        # Twice the distance between two samples of real rows is beyond chance.
        noise = 2 * (1 - best)
        found += _weighed(
            gap, max(0.01, noise), max(0.1, noise), metric="shape", where=str(row["column"]),
            text=f"The column's distribution is off by {1 - row['score']:.3f} ({row['metric'][4:]};"
            f" real rows: {1 - best:.3f}).",
            advice="Look at its overlay: a shifted or missing part, or a category too many.",
        )  # fmt: skip
    return found


def _trend(scored: Scored) -> list[tuple[float, Finding]]:
    keys = ["column_1", "column_2"]
    usual = _by(_frame(scored.ceiling), keys, "score")
    found = []
    for row in _frame(scored.synthetic).dropna(subset=["score"]).to_dict(orient="records"):
        best = usual.get((row["column_1"], row["column_2"]), 1.0)
        gap = best - row["score"]
        noise = 2 * (1 - best)
        found += _weighed(
            gap, max(0.03, noise), max(0.15, noise), metric="trend",
            where=f"{row['column_1']} x {row['column_2']}",
            text=f"The two columns do not go together as in the real table: {row['score']:.3f} "
            f"({row['metric']}; real rows: {best:.3f}).",
            advice="Check whether one of the columns was shuffled, recoded or joined wrongly.",
        )  # fmt: skip
    return found


def _information(scored: Scored) -> list[tuple[float, Finding]]:
    """Name the columns that lost their relations to the others."""
    frame = _frame(scored.synthetic)
    ends = pd.concat([frame.assign(column=frame[key]) for key in ("column_1", "column_2")])
    found = []
    for name, pairs in ends.groupby("column", sort=False):
        whole = pairs["real"].sum()
        if whole < _RELATED:
            continue
        kept = pairs[["real", "synthetic"]].min(axis=1).sum()
        strongest = pairs.iloc[int(pairs["real"].to_numpy().argmax())]
        ends_of_it = strongest[["column_1", "column_2", "real", "synthetic"]].tolist()
        found += _weighed(
            1 - kept / whole, 0.3, 0.8, metric="mutual_information", where=str(name),
            text=f"The column kept {kept / whole:.0%} of its relations to the other columns; the "
            "strongest real one, {} x {}, has normalised mutual information {:.3f} in the real and "
            "{:.3f} in the synthetic table.".format(*ends_of_it),
            advice="A column that lost all its relations was shuffled, joined wrongly, or "
            "generated on its own.",
        )  # fmt: skip
    return found


def _missingness(scored: Scored) -> list[tuple[float, Finding]]:
    found = []
    for row in _frame(scored.synthetic).to_dict(orient="records"):
        found += _weighed(
            abs(row["synthetic"] - row["real"]), 0.02, 0.1, metric="missingness",
            where=str(row["column"]),
            text=f"{row['synthetic']:.1%} of the values are missing, {row['real']:.1%} in the real "
            "table.",
            advice="Check whether gaps were filled, or written as a text such as 'None'.",
        )  # fmt: skip
    return found


def _detection(scored: Scored) -> list[tuple[float, Finding]]:
    auc = scored.synthetic.details["auc"]
    found = []
    for row in _frame(scored.synthetic).head(3).to_dict(orient="records"):
        if auc < 0.55:
            break
        found += _weighed(
            row["auc_drop"], 0.01, 0.1, metric="c2st_trees", where=str(row["column"]),
            text=f"The column gives synthetic rows away: without it the classifier's AUC falls "
            f"from {auc:.3f} to {auc - row['auc_drop']:.3f}.",
            advice="Compare its values, and its relations to other columns, with the real ones.",
        )  # fmt: skip
    return found


def _rare(scored: Scored) -> list[tuple[float, Finding]]:
    found = []
    for row in _frame(scored.synthetic).to_dict(orient="records"):
        if row["chance"] > 0.001:
            continue
        found += _weighed(
            1 - row["score"], 0.3, 0.9, metric="rare_categories",
            where=f"{row['column']} = {row['level']}",
            text=f"The category has {row['synthetic']:.3%} of the synthetic and {row['real']:.3%} "
            "of the real rows.",
            advice="Train longer, or draw rows of it with sample(conditions=...).",
        )  # fmt: skip
    return found


def _subgroups(scored: Scored) -> list[tuple[float, Finding]]:
    found = []
    for row in _frame(scored.synthetic).to_dict(orient="records"):
        found += _weighed(
            row["gap"], 0.05, 0.2, metric="subgroup_fidelity",
            where=f"{row['column']} = {row['level']}",
            text=f"Within this group ({row['real_rows']:,} real rows) columns agree less than by "
            f"chance: {row['score']:.3f}; the worst is {row['worst_column']}.",
            advice="Do not draw conclusions about this group from the synthetic rows.",
        )  # fmt: skip
    return found


def _utility(scored: Scored) -> list[tuple[float, Finding]]:
    found = []
    for row in _frame(scored.synthetic).to_dict(orient="records"):
        found += _weighed(
            row["real"] - row["synthetic"], 0.03, 0.1, metric="utility", where=str(row["model"]),
            text=f"Trained on synthetic rows it reaches {row['synthetic']:.3f} ({row['measure']}), "
            f"on real rows {row['real']:.3f}.",
            advice="Look for pairs with the target among the findings above.",
        )  # fmt: skip
    return found


def _copies(scored: Scored) -> list[tuple[float, Finding]]:
    result = scored.synthetic
    usual = result.ceiling or 0.0
    return _weighed(
        (result.value or 0.0) - usual, 0.001, 0.01, metric="copy_share", where="whole rows",
        text=f"{result.details['copies']:,} synthetic rows ({result.value:.2%}) equal a real row "
        f"in every column; {usual:.2%} of the holdout rows do.",
        advice="Do not release this table: it contains training rows.",
    )  # fmt: skip


def _repeats(scored: Scored) -> list[tuple[float, Finding]]:
    result = scored.synthetic
    usual = result.ceiling or 0.0
    return _weighed(
        (result.value or 0.0) - usual, 0.005, 0.05, metric="repeats", where="whole rows",
        text=f"{result.value:.2%} of the synthetic rows repeat another one, {usual:.2%} of the "
        "real rows do.",
        advice="Look for a collapsed generator, or for a table that was stacked on itself.",
    )  # fmt: skip


def _membership(scored: Scored) -> list[tuple[float, Finding]]:
    result = scored.synthetic
    low = result.interval[0] if result.interval else result.value or 0.0
    return _weighed(
        low - 0.5, 0.02, 0.06, metric="membership_auc", where="whole rows",
        text=f"Whether a row was in the training table can be guessed: AUC {result.value:.3f} "
        f"(at least {low:.3f}).",
        advice="Train for fewer steps or with differential privacy, and audit before release.",
    )  # fmt: skip


def _by(frame: pd.DataFrame, keys: list[str], value: str) -> dict[tuple[Any, ...], float]:
    if frame.empty:
        return {}
    labels = zip(*(frame[key] for key in keys), strict=True)
    return {
        tuple(label): float(score)
        for label, score in zip(labels, frame[value], strict=True)
        if not pd.isna(score)
    }


_READERS: Final[dict[str, Callable[[Scored], list[tuple[float, Finding]]]]] = {
    "copy_share": _copies,
    "repeats": _repeats,
    "membership_auc": _membership,
    "validity": _validity,
    "granularity": _granularity,
    "shape": _shape,
    "missingness": _missingness,
    "mutual_information": _information,
    "trend": _trend,
    "c2st_trees": _detection,
    "utility": _utility,
    "rare_categories": _rare,
    "subgroup_fidelity": _subgroups,
}
