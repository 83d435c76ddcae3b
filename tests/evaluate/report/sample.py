"""Contents of reports for the tests: one from real rows, and some that are hard to show."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import normalized_mutual_info_score

from synthgen.data.datasets import load_adult
from synthgen.evaluate.report.content import (
    Associations,
    Finding,
    Overlay,
    Projection,
    ReportContent,
    Roc,
    Score,
    UtilityBar,
)

#: A name that breaks whatever does not escape it.
NASTY = "<script>document.title='taken'</script>\"'&\n\u202e\x00\U0001f600" + "long" * 60


def adult_content(rows: int = 4_000) -> ReportContent:
    """A report on Adult against its columns permuted one by one."""
    real, holdout = (load_adult(split).iloc[:rows] for split in ("train", "test"))
    rng = np.random.default_rng(0)
    synthetic = real.apply(lambda column: column.to_numpy()[rng.permutation(len(column))])
    synthetic["age"] = (synthetic["age"] * 1.04).round()
    overlays = [_overlay(name, real, synthetic, holdout) for name in real.columns]
    overlays.sort(key=lambda overlay: overlay.score or 0.0)
    return ReportContent(
        title="Adult census against shuffled columns",
        rating="poor",
        verdict=(
            "The columns look right one by one, but the relations between them are gone: a "
            "classifier finds 94 % of the synthetic rows, and a model trained on them is no better "
            "than guessing."
        ),
        tables=[
            {"name": "real", "rows": 32561, "columns": 15, "used for": "training the synthesizer"},
            {"name": "synthetic", "rows": 32561, "columns": 15, "used for": "everything"},
            {"name": "holdout", "rows": 16281, "columns": 15, "used for": "ceiling and utility"},
        ],
        scores=_scores(),
        findings=_findings(),
        overlays=overlays,
        associations=_associations(real, synthetic),
        roc=_roc(),
        utility=[
            UtilityBar("boosted trees", "ROC AUC", 0.512, 0.927, (0.49, 0.53), (0.921, 0.933)),
            UtilityBar("logistic regression", "ROC AUC", 0.5, 0.905, (0.48, 0.52), (0.9, 0.911)),
            UtilityBar("nearest neighbours", "ROC AUC", 0.497, 0.861, (0.47, 0.52), (0.85, 0.87)),
        ],
        projection=_projection(real, synthetic),
        history=_history(),
        left_out={"row_id": "strings that are all different: regenerated, not learned"},
        notes=["Metrics of neighbours use 10,000 rows drawn at random.", "Seed 0."],
    )


def _scores() -> list[Score]:
    def score(name: str, title: str, question: str, family: str, *rest: Any, **more: Any) -> Score:
        value, direction, interval, floor, ceiling, rating = rest
        return Score(
            name, title, question, family, value, direction, interval, floor, ceiling, rating,
            definition=more.get("definition", "Mean over the columns of one minus the distance."),
            reference=more.get("reference", "Lopez-Paz and Oquab (2017), arXiv:1610.06545."),
            note=more.get("note", ""),
        )  # fmt: skip

    fidelity, utility = "Fidelity", "Utility"
    return [
        score("shape", "Column shapes", "Does each column look right on its own?", fidelity,
              0.981, "higher", (0.979, 0.983), 0.999, 0.994, "good",
              note="Independent columns are perfect here by construction."),
        score("trend", "Pair trends", "Do pairs of columns move together as they should?",
              fidelity, 0.842, "higher", (0.838, 0.846), 0.84, 0.985, "poor"),
        score("three_way", "Three-way marginals", "Are combinations of three columns as frequent "
              "as in the real table?", fidelity, 0.9, "higher", None, 0.71, 0.98, "fair"),
        score("c2st_trees", "Detection by boosted trees", "Can a strong classifier tell real from "
              "synthetic rows?", "Detection", 0.987, "lower", (0.985, 0.989), 0.99, 0.502, "poor"),
        score("c2st_linear", "Detection by logistic regression", "Can a simple classifier tell?",
              "Detection", 0.531, "lower", (0.522, 0.54), 0.54, 0.5, "poor"),
        score("utility", "Train on synthetic, test on real", "Is a model trained on synthetic rows "
              "as good as one trained on real rows?", utility,
              0.512, "higher", (0.49, 0.53), 0.5, 0.927, "poor",
              reference="Esteban, Hyland and Rätsch (2017), https://arxiv.org/abs/1706.02633."),
        score("importance", "Agreement of importances", "Do models rely on the same columns?",
              utility, None, "higher", None, None, None, "none",
              note="Not applicable: the model trained on synthetic rows uses no column."),
        score("coverage", "Coverage", "Is every part of the real table represented?", "Coverage",
              0.871, "higher", (0.86, 0.88), 0.52, 0.95, "fair",
              reference="Naeem et al. (2020), doi:10.48550/arXiv.2002.09797"),
        score("copies", "Share of copies", "How many synthetic rows are real training rows?",
              "Smoke tests", 0.0, "lower", (0.0, 0.0004), 0.0, 0.0, "good"),
    ]  # fmt: skip


def _findings() -> list[Finding]:
    return [
        Finding("poor", "c2st_trees", "education and education-num",
                "The association fell from 1.00 to 0.01: a level of education no longer has one "
                "number.", "Declare the two columns as a fixed combination."),
        Finding("poor", "utility", "income", "Models trained on synthetic rows reach ROC AUC 0.51, "
                "on real rows 0.93.", "Use a synthesizer that learns relations between columns."),
        Finding("fair", "shape", "age", "Real and synthetic shares differ most at 17 to 20: 6.1 % "
                "against 3.9 %.", "Train longer, or check how ages are rounded."),
    ]  # fmt: skip


def _overlay(
    name: str, real: pd.DataFrame, synthetic: pd.DataFrame, holdout: pd.DataFrame
) -> Overlay:
    tables = [table[name] for table in (real, synthetic, holdout)]
    if pd.api.types.is_numeric_dtype(tables[0]):
        edges = np.histogram_bin_edges(np.concatenate(tables), bins=24)
        shares = [np.histogram(table, edges)[0] / len(table) for table in tables]
        labels = [f"{low:,.0f} to {high:,.0f}" for low, high in pairwise(edges)]
        return _finished(name, "continuous", labels, shares, [float(edge) for edge in edges])
    shown = list(tables[0].value_counts().index[:11])
    rest = [value for value in tables[0].dropna().unique() if value not in shown]
    counted = [[float((table == value).mean()) for value in shown] for table in tables]
    labels = [str(value) for value in shown]
    for words, test in (("other", lambda column: column.isin(rest)), ("missing", pd.Series.isna)):
        more = [float(test(table).mean()) for table in tables]
        if max(more) > 0:
            labels.append(f"other ({len(rest)})" if words == "other" else words)
            for shares_of_table, share in zip(counted, more, strict=True):
                shares_of_table.append(share)
    return _finished(name, "discrete", labels, [np.array(part) for part in counted], None)


def _finished(
    name: str, role: Any, labels: list[str], shares: list[NDArray[Any]], edges: list[float] | None
) -> Overlay:
    real, synthetic, holdout = ([float(share) for share in part] for part in shares)
    score = 1 - sum(abs(a - b) for a, b in zip(real, synthetic, strict=True)) / 2
    return Overlay(name, role, score, labels, real, synthetic, holdout, edges)


def _associations(real: pd.DataFrame, synthetic: pd.DataFrame) -> Associations:
    matrices = []
    for table in (real, synthetic):
        codes = [
            pd.cut(table[name], 12, labels=False).fillna(-1)
            if pd.api.types.is_numeric_dtype(table[name])
            else pd.factorize(table[name])[0]
            for name in table.columns
        ]
        matrices.append([[float(normalized_mutual_info_score(a, b)) for a in codes] for b in codes])
    return Associations([str(name) for name in real.columns], matrices[0], matrices[1])


def _roc() -> Roc:
    false = np.linspace(0, 1, 200)
    giveaways = [("education-num", 0.141), ("relationship", 0.083), ("marital-status", 0.041),
                 ("sex", 0.022), ("occupation", 0.008), ("age", 0.0004)]  # fmt: skip
    return Roc([float(x) for x in false], [float(x) for x in false**0.12], 0.987, giveaways)


def _projection(real: pd.DataFrame, synthetic: pd.DataFrame) -> Projection:
    numbers = [table.select_dtypes("number").to_numpy(dtype=float) for table in (real, synthetic)]
    mean, spread = numbers[0].mean(axis=0), numbers[0].std(axis=0)
    axes = np.linalg.svd((numbers[0] - mean) / spread, full_matrices=False)[2][:2]
    clouds = [((part - mean) / spread @ axes.T)[:1_500].tolist() for part in numbers]
    return Projection(
        [(x, y) for x, y in clouds[0]], [(x, y) for x, y in clouds[1]], (0.231, 0.178)
    )


def _history() -> dict[str, list[float | None]]:
    rng = np.random.default_rng(1)
    step = np.arange(0, 3_000, 10)
    loss = np.exp(-step / 800) + rng.normal(0, 0.03, len(step))
    score: list[float | None] = [None] * len(step)
    for place in range(0, len(step), 30):
        score[place] = float(0.9 - 0.3 * np.exp(-place / 90))
    return {
        "step": [float(value) for value in step],
        "generator_loss": [float(value) for value in loss],
        "critic_loss": [float(value) for value in 1.4 - loss / 2],
        "quality": score,
        "learning_rate": [float(2e-4 * 0.999**value) for value in range(len(step))],
    }


def nasty_content() -> ReportContent:
    """A report whose every text is hostile."""
    shares = [0.5, 0.3, 0.2]
    names = [NASTY, f"{NASTY}2", "\ud83d\ude00", "", "\ud800"]
    overlays = [
        Overlay(name, "discrete", None, [NASTY, "", "missing"], shares, shares, None)
        for name in names
    ]
    matrix: list[list[float | None]] = [[None] * 5 for _ in names]
    matrix[0][1] = matrix[1][0] = 0.4
    return ReportContent(
        title=NASTY,
        rating="none",
        verdict=NASTY,
        tables=[{NASTY: NASTY, "rows": None}, {"flag": True}],
        scores=[Score(NASTY, NASTY, NASTY, NASTY, 1.5, "lower", (1.0, 2.0), 0.9, 0.5, "poor",
                      NASTY, NASTY, f"{NASTY} https://example.org/<b>\"x doi:10.1/x arXiv:1.2")],
        findings=[Finding("fair", NASTY, NASTY, NASTY, NASTY)],
        overlays=overlays,
        associations=Associations(names, matrix, matrix),
        roc=Roc([0.0, 1.0], [0.0, 1.0], 0.5, [(NASTY, 0.1), ("", -0.1)]),
        utility=[UtilityBar(NASTY, NASTY, -40.0, 0.1, (-60.0, -20.0), (0.05, 0.15))],
        projection=Projection([(0.0, 0.0)], [], (0.5, 0.0)),
        history={NASTY: [1.0, None, 2.0], "constant": [3.0], "nothing": [None]},
        left_out={NASTY: NASTY},
        notes=[NASTY],
    )  # fmt: skip


def empty_content() -> ReportContent:
    """A report that has nothing to say."""
    return ReportContent("Nothing", "none", "No score applies.", tables=[], scores=[])


def wide_content(columns: int = 300) -> ReportContent:
    """A report on many columns with many categories each."""
    rng = np.random.default_rng(2)
    overlays = []
    for place in range(columns):
        real, synthetic, holdout = (rng.dirichlet(np.ones(30)).tolist() for _ in range(3))
        labels = [f"category number {bar} of column {place}" for bar in range(30)]
        edges = [float(edge) for edge in range(31)] if place % 2 else None
        role: Any = "continuous" if edges else "discrete"
        name = f"a column with a rather long name {place}"
        overlays.append(Overlay(name, role, 0.5, labels, real, synthetic, holdout, edges))
    matrices: list[Any] = [rng.random((columns, columns)) ** 4 for _ in range(2)]
    matrices = [((matrix + matrix.T) / 2).tolist() for matrix in matrices]
    return dataclasses.replace(
        empty_content(),
        overlays=overlays,
        associations=Associations([overlay.column for overlay in overlays], *matrices),
    )
