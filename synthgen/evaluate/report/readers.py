"""Findings about single columns and about whole rows, read off the metrics' breakdowns."""

from __future__ import annotations

from collections.abc import Hashable
from math import sqrt
from typing import Any, Final

import pandas as pd

from synthgen.evaluate.report.evidence import Evidence, Scored, Sized, by_key, table, weighed
from synthgen.evaluate.result import Result

#: Standard errors that chance does not reach.
_ERRORS: Final = 4.0
#: Checks that fresh real rows may fail, and in how many ways: a range has two ends.
_NEW_BY_CHANCE: Final = {"missing": 1, "range": 2, "precision": 1, "category": 1}
#: The same for the AUC of a classifier, in the wider errors of cross-validation. The interval spans
#: two of them on either side.
_DETECTION_ERRORS: Final = 3.3
_LONGEST: Final = 60


def validity(scored: Scored, evidence: Evidence) -> Sized:
    """Name the columns with impossible values, or of another type."""
    found: Sized = []
    rows = scored.synthetic.details["rows"]
    for row in table(scored.synthetic).to_dict(orient="records"):
        if not row["counts"]:
            found += weighed(
                1.0, 0.0, 2.0, metric="validity", where=str(row["column"]),
                text=f"The column has another type: {row['example']}.",
                advice="Convert the column, or read both files with the same types.",
            )  # fmt: skip
            continue
        usual = row.get("holdout_share")
        usual = 0.0 if usual is None or pd.isna(usual) else usual
        slack = _slack(row["check"], usual * rows, rows, evidence) / rows
        found += weighed(
            row["share"] - usual, max(0.001, slack), max(0.01, slack),
            metric="validity", where=str(row["column"]),
            text=f"{row['share']:.2%} of the cells fail the check '{row['check']}', for instance "
            f"{_short(row['example'])}.",
            advice="Declare the range, categories or constraint in the schema, so that every row "
            "obeys it.",
        )  # fmt: skip
    return found


def _slack(check: str, usual: float, rows: int, evidence: Evidence) -> float:
    """Return how many cells may fail by chance: what real rows lack may come with fresh ones."""
    sides = _NEW_BY_CHANCE.get(check, 0)
    return sides * evidence.news(rows) + _ERRORS * sqrt(usual) if sides else 0.0


def _short(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "...")


def granularity(scored: Scored, evidence: Evidence) -> Sized:
    """Name the columns that are rounded in another way."""
    usual = by_key(table(scored.ceiling), ["column"], "score")
    found: Sized = []
    for row in table(scored.synthetic).to_dict(orient="records"):
        gap = usual.get((row["column"],), 1.0) - row["score"]
        chance = evidence.chance(row["column"])
        found += weighed(
            gap, max(0.02, chance), max(0.2, chance), metric="granularity",
            where=str(row["column"]),
            text=f"Numbers are rounded differently: {_steps(row)}.",
            advice="Set the column's decimals in the schema, or round the synthetic column.",
        )  # fmt: skip
    return found


def _steps(row: dict[Hashable, Any]) -> str:
    real = f"{row['real_share']:.0%} of the real values {_step(row['real_step'])}"
    if row["real_step"] == row["synthetic_step"]:
        return f"{real}, but {row['synthetic_share']:.0%} of the synthetic ones"
    made = f"{row['synthetic_share']:.0%} of the synthetic ones {_step(row['synthetic_step'])}"
    return f"{real}, {made}"


def _step(label: str) -> str:
    """Return the coarsest step that divides a value in words.

    Examples
    --------
    >>> _step("1e3"), _step("1e-2"), _step("day")
    ('are multiples of 1,000', 'are multiples of 0.01', 'are whole days')
    """
    if label in ("zero", "finer"):
        return {"zero": "are zero", "finer": "have more digits than any step"}[label]
    if not label.startswith("1e"):
        return f"are whole {label}s"
    return f"are multiples of {float(label):,.{max(0, -int(label[2:]))}f}"


def shape(scored: Scored, evidence: Evidence) -> Sized:
    """Name the columns with another distribution."""
    usual = by_key(table(scored.ceiling), ["column"], "score")
    found: Sized = []
    for row in table(scored.synthetic).dropna(subset=["score"]).to_dict(orient="records"):
        best = usual.get((row["column"],), 1.0)
        chance = evidence.chance(row["column"])
        found += weighed(
            best - row["score"], max(0.01, chance), max(0.1, chance),
            metric="shape", where=str(row["column"]),
            text=f"The column's distribution is off by {1 - row['score']:.3f} ({row['metric'][4:]};"
            f" real rows: {1 - best:.3f}).",
            advice="Look at its overlay: a shifted or missing part, or a category too many.",
        )  # fmt: skip
    return found


def missingness(scored: Scored, evidence: Evidence) -> Sized:
    """Name the columns with more or fewer gaps."""
    found: Sized = []
    for row in table(scored.synthetic).to_dict(orient="records"):
        share = (row["real"] + row["synthetic"]) / 2
        chance = _ERRORS * sqrt(share * (1 - share)) * evidence.unit()
        found += weighed(
            abs(row["synthetic"] - row["real"]), max(0.02, chance), max(0.1, chance),
            metric="missingness", where=str(row["column"]),
            text=f"{row['synthetic']:.1%} of the values are missing, {row['real']:.1%} in the real "
            "table.",
            advice="Check whether gaps were filled, or written as a text such as 'None'.",
        )  # fmt: skip
    return found


def rare(scored: Scored, _evidence: Evidence) -> Sized:
    """Name the rare categories that got lost."""
    found: Sized = []
    frame = table(scored.synthetic)
    for row in frame.to_dict(orient="records"):
        # Many categories are looked at: one of them is lost by chance soon.
        if row["chance"] > 0.01 / max(10, len(frame)):
            continue
        found += weighed(
            1 - row["coverage"], 0.3, 0.9, metric="rare_categories",
            where=f"{row['column']} = {row['level']}",
            text=f"The category has {row['synthetic']:.3%} of the synthetic and {row['real']:.3%} "
            "of the real rows.",
            advice="Train longer, or draw rows of it with sample(conditions=...).",
        )  # fmt: skip
    return found


def detection(scored: Scored, _evidence: Evidence) -> Sized:
    """Name the columns by which a classifier knows synthetic rows."""
    details = scored.synthetic.details
    auc, (low, _) = details["auc"], details["auc_interval"]
    if auc - 0.5 < max(0.05, _DETECTION_ERRORS / 2 * (auc - low)):
        return []
    found: Sized = []
    for row in table(scored.synthetic).head(3).to_dict(orient="records"):
        found += weighed(
            row["auc_drop"], 0.01, 0.1, metric="c2st_trees", where=str(row["column"]),
            text=f"The column gives synthetic rows away: with its values shuffled the classifier's "
            f"AUC falls from {auc:.3f} to {auc - row['auc_drop']:.3f}.",
            advice="Compare its values, and its relations to other columns, with the real ones.",
        )  # fmt: skip
    return found or weighed(
        auc - 0.5, 0.05, 0.25, metric="c2st_trees", where="several columns together",
        text=f"A classifier tells synthetic rows with an AUC of {auc:.3f}, and does about as "
        "well when any single column is shuffled.",
        advice="Look for combinations of values that do not occur in real rows.",
    )  # fmt: skip


def utility(scored: Scored, _evidence: Evidence) -> Sized:
    """Name the models that learn less from synthetic rows."""
    details = scored.synthetic.details
    found: Sized = []
    for note in details["notes"]:
        found += weighed(
            1.0, 0.0, 0.5, metric="utility", where=details["target"],
            text=f"Models cannot be trained on the synthetic rows: {note}.",
            advice="Look for what happened to the target's column.",
        )  # fmt: skip
    # Resampled test rows do not tell how much a model depends on the choice of training rows.
    rows = max(details["training_rows"])
    chance = 15 / rows + 0.5 / sqrt(rows)
    for row in table(scored.synthetic).to_dict(orient="records"):
        if row["difference_high"] >= 0:
            continue
        found += weighed(
            row["real"] - row["synthetic"], max(0.03, chance), max(0.1, chance),
            metric="utility", where=str(row["model"]),
            text=f"Trained on synthetic rows it reaches {row['synthetic']:.3f} ({row['measure']}), "
            f"on real rows {row['real']:.3f}.",
            advice="Look for pairs with the target among the other findings.",
        )  # fmt: skip
    return found


def copies(scored: Scored, _evidence: Evidence) -> Sized:
    """Say whether training rows were copied."""
    result = scored.synthetic
    usual = result.ceiling or 0.0
    chance = _share_chance(result, usual, result.details["synthetic_rows"])
    others = "" if result.ceiling is None else f"; {usual:.2%} of the holdout rows do"
    return weighed(
        (result.value or 0.0) - usual, max(0.001, chance), max(0.01, chance),
        metric="copy_share", where="whole rows",
        text=f"{result.details['copies']:,} synthetic rows ({result.value:.2%}) equal a real row "
        f"in every column{others}.",
        advice="Do not release this table: it contains training rows.",
    )  # fmt: skip


def repeats(scored: Scored, _evidence: Evidence) -> Sized:
    """Say whether synthetic rows repeat each other."""
    result = scored.synthetic
    usual = result.ceiling or 0.0
    chance = _share_chance(result, usual, result.details["rows"])
    return weighed(
        (result.value or 0.0) - usual, max(0.005, chance), max(0.05, chance),
        metric="repeats", where="whole rows",
        text=f"{result.value:.2%} of {result.details['rows']:,} synthetic rows repeat an earlier "
        f"one, {usual:.2%} of as many real rows do.",
        advice="Look for a collapsed generator, or for a table that was stacked on itself.",
    )  # fmt: skip


def _share_chance(result: Result, usual: float, rows: int) -> float:
    """Return what the shares of two samples of so many rows may differ by."""
    share = ((result.value or 0.0) + usual) / 2
    return _ERRORS * sqrt(2 * share * (1 - share) / rows)


def membership(scored: Scored, _evidence: Evidence) -> Sized:
    """Say whether training rows can be told from others."""
    result = scored.synthetic
    low = result.interval[0] if result.interval else result.value or 0.0
    return weighed(
        low - 0.5, 0.02, 0.06, metric="membership_auc", where="whole rows",
        text=f"Whether a row was in the training table can be guessed: AUC {result.value:.3f} "
        f"(at least {low:.3f}).",
        advice="Train for fewer steps or with differential privacy, and audit before release.",
    )  # fmt: skip
