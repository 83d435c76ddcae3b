"""The quality report: every metric beside floor and ceiling, a verdict, and what to look at."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from synthgen.core.params import check_integer, check_real
from synthgen.core.random import generator, root_seed
from synthgen.errors import MissingExtraError
from synthgen.evaluate.information import nmi_matrices
from synthgen.evaluate.report import panels
from synthgen.evaluate.report.catalogue import ENTRIES
from synthgen.evaluate.report.content import (
    Associations,
    Overlay,
    ReportContent,
    Roc,
    UtilityBar,
)
from synthgen.evaluate.report.findings import Scored, find
from synthgen.evaluate.report.measuring import measure_all, score_of
from synthgen.evaluate.report.tables import Tables, make_tables
from synthgen.evaluate.report.verdict import decide
from synthgen.evaluate.result import Result
from synthgen.measure.checks import check_schema, check_text
from synthgen.measure.columns import column_roles, cut
from synthgen.measure.records import record_table
from synthgen.page.files import write_report

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

#: Rows of each table that the metrics look at; checks of cells and copies look at all.
_MAX_ROWS: Final = 50_000
_PANEL_ROWS: Final = 20_000
_MOST_OVERLAYS: Final = 300
_MOST_GIVEAWAYS: Final = 10
_BREAKDOWN_ROWS: Final = 200


@dataclass(frozen=True)
class QualityReport:
    """How good a synthetic table is; made by :func:`quality_report`.

    Parameters
    ----------
    content : ReportContent
        Everything that the report shows, as plain values.
    results : mapping of str to Result
        By name of the metric, with the full breakdowns.
    """

    content: ReportContent
    results: Mapping[str, Result]

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row per metric, named by the index.

        The columns are family, value, low and high (95 % interval), floor, ceiling, direction,
        rating and note.
        """
        records = [
            {
                "family": score.family,
                "value": score.value,
                "low": None if score.interval is None else score.interval[0],
                "high": None if score.interval is None else score.interval[1],
                "floor": score.floor,
                "ceiling": score.ceiling,
                "direction": score.direction,
                "rating": score.rating,
                "note": score.note,
            }
            for score in self.content.scores
        ]
        names = [score.name for score in self.content.scores]
        frame = record_table(records, index=pd.Index(names, name="metric"))
        numbers = ["value", "low", "high", "floor", "ceiling"]
        return frame.astype(dict.fromkeys(numbers, "float64"))

    @property
    def verdict(self) -> str:
        """One sentence."""
        return self.content.verdict

    def worst(self, n: int = 10) -> pd.DataFrame:
        """Return the `n` worst findings: where, which metric, how bad, what to do.

        Returns
        -------
        pandas.DataFrame
            Columns severity, metric, where, text and advice; empty if nothing was found.
        """
        n = check_integer("n", n, minimum=1)
        names = ["severity", "metric", "where", "text", "advice"]
        return record_table([asdict(f) for f in self.content.findings[:n]], columns=names)

    def to_dict(self) -> dict[str, Any]:
        """Return the content and the results as JSON types; long breakdowns are cut."""
        results = {}
        for name, result in self.results.items():
            document = result.to_dict()
            rows = document["breakdown"]
            if rows is not None and len(rows) > _BREAKDOWN_ROWS:
                document["breakdown"] = rows[:_BREAKDOWN_ROWS]
                document["breakdown_rows"] = len(rows)
            results[name] = document
        return {"report": asdict(self.content), "results": results}

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the report as JSON, and write it to `path` if one is given.

        The same tables and seed give the same bytes.
        """
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
        write_report(path, text)
        return text

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the report as one HTML page, and write it to `path` if one is given.

        The page needs no network and no other file.

        Raises
        ------
        MissingExtraError
            If jinja2 is not installed.
        """
        from synthgen.evaluate.report.html import render_html

        text = render_html(self.content)
        write_report(path, text)
        return text

    def _repr_html_(self) -> str | None:
        from synthgen.evaluate.report.html import render_fragment

        try:
            return render_fragment(self.content)
        except MissingExtraError:
            return None  # a notebook then shows the text

    def __repr__(self) -> str:
        columns = ["value", "floor", "ceiling", "rating"]
        return f"{self.verdict}\n\n{self.scores[columns].round(3).to_string()}"


def quality_report(
    real: Any,
    synthetic: Any,
    holdout: Any = None,
    target: Hashable | None = None,
    schema: Schema | None = None,
    *,
    synthesizer: Any = None,
    max_rows: int = _MAX_ROWS,
    budget_s: float | None = None,
    title: str = "Quality of synthetic data",
    random_state: Any = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> QualityReport:
    """Score a synthetic table by every metric, each beside its floor and its ceiling.

    Works for tables made by any tool.

    Parameters
    ----------
    real : table
        The rows that the generator was trained on (pandas, polars, pyarrow).
    synthetic : table
        The rows that it made, with the same columns.
    holdout : table, optional
        Real rows that it has not seen. Without them a fifth of `real` takes their place: then
        detection and utility flatter a generator that repeats its training rows, and membership is
        not measured.
    target : hashable, optional
        A column that models should predict; needed for utility.
    schema : Schema, optional
        Kinds of the columns; inferred from `real` by default.
    synthesizer : object, optional
        The fitted synthesizer; its ``history_`` is shown.
    max_rows : int, default=50000
        Look at no more than this many random rows of each table; validity and copies look at all
        rows, repeats at as many as the smaller table has.
    budget_s : float, optional
        Start no metric after so many seconds; those left out say so. Without it the report does
        not depend on the machine's speed.
    title : str
        Heading of the page.
    random_state : int, Generator or None, default=0
        Seed of everything random.
    n_jobs : int, optional
        Metrics computed at a time; by default one per processor. The result does not depend on it.
    verbose : int, default=0
        1 shows a progress bar on a terminal.

    Returns
    -------
    QualityReport

    Raises
    ------
    InvalidDataError
        If a table is empty, has fewer than ten rows (`real` fewer than twenty without a holdout),
        or holds what cannot be compared.
    InvalidParameterError
        If there is no column `target`, or a parameter cannot work.
    SchemaMismatchError
        If the columns differ.

    Examples
    --------
    >>> from synthgen import datasets, evaluate
    >>> iris = datasets.load_frame("iris")
    >>> report = evaluate.quality_report(iris[::2], iris[1::2], target="target")
    >>> bool(report.scores.loc["shape", "value"] > 0.8)
    True
    """
    check_text("title", title)
    seed = root_seed(random_state)
    n_jobs = (os.cpu_count() or 1) if n_jobs is None else check_integer("n_jobs", n_jobs, minimum=1)
    tables = make_tables(
        real, synthetic, holdout,
        target=target, schema=check_schema(schema), seed=seed, n_jobs=1,
        max_rows=check_integer("max_rows", max_rows, minimum=100),
    )  # fmt: skip
    deadline = None
    if budget_s is not None:
        deadline = time.monotonic() + check_real("budget_s", budget_s, low=0, closed="neither")
    scores, results, scored = [], {}, {}
    outcomes = measure_all(ENTRIES, tables, n_jobs, deadline, verbose)
    for entry in ENTRIES:
        outcome = outcomes[entry.name]
        score = score_of(entry, outcome)
        scores.append(score)
        results[entry.name] = replace(outcome.synthetic, floor=score.floor, ceiling=score.ceiling)
        scored[entry.name] = Scored(outcome.synthetic, outcome.ceiling)
    findings = find(scored)
    rating, verdict = decide(scores, findings, results["c2st_trees"].details.get("auc"))
    content = ReportContent(
        title=title,
        rating=rating,
        verdict=verdict,
        tables=_described(tables),
        scores=scores,
        findings=findings,
        roc=_roc(results["c2st_trees"]),
        utility=_bars(results["utility"]),
        history=panels.history(synthesizer),
        notes=_notes(tables, budget_s),
        **_figures(tables, results["shape"]),
    )
    return QualityReport(content, results)


def _described(tables: Tables) -> list[dict[str, Any]]:
    uses = {
        "real": (tables.given(), "the rows that the generator was trained on"),
        "synthetic": (tables.all_synthetic, "the rows that it made"),
        "holdout": (
            tables.all_holdout,
            "a part of the real rows, since no holdout was given"
            if tables.borrowed
            else "real rows that it has not seen",
        ),
    }
    return [
        {"name": name, "rows": len(frame), "columns": frame.shape[1], "use": use}
        for name, (frame, use) in uses.items()
    ]


def _figures(tables: Tables, shape: Result) -> dict[str, Any]:
    """Return what the figures show, of at most some thousand rows."""
    rng = generator(tables.seed, "score", 8)
    frames = [
        cut(frame, _PANEL_ROWS, rng) for frame in (tables.real, tables.synthetic, tables.holdout)
    ]
    roles = column_roles(tables.real, tables.schema)
    by_column: dict[Hashable, float] = {}
    if shape.breakdown is not None:
        known = shape.breakdown.dropna(subset=["score"])
        by_column = dict(zip(known["column"], known["score"].astype(float), strict=True))
    overlays: list[Overlay] = []
    # A column without a score has values in one table only, or was not scored: it comes first.
    ordered = sorted(roles.names(), key=lambda name: by_column.get(name, 0.0))
    for name in ordered[:_MOST_OVERLAYS]:
        overlays.append(panels.overlay(frames, name, roles, by_column.get(name)))
    return {
        "overlays": overlays,
        "associations": _associations(frames, tables),
        "projection": panels.projection(frames[0], frames[1], roles, rng),
        "left_out": {str(name): reason for name, reason in roles.left_out.items()},
    }


def _associations(frames: list[pd.DataFrame], tables: Tables) -> Associations | None:
    found = nmi_matrices(frames[0], frames[1], schema=tables.schema)
    if len(found.names) < 2:
        return None
    matrices = [
        [[None if np.isnan(cell) else round(float(cell), 4) for cell in row] for row in matrix]
        for matrix in (found.real, found.synthetic)
    ]
    return Associations([str(name) for name in found.names], matrices[0], matrices[1])


def _roc(result: Result) -> Roc | None:
    if not result.applicable:
        return None
    false, true = result.details["roc"]
    drops = pd.DataFrame() if result.breakdown is None else result.breakdown
    giveaways = [
        (str(row["column"]), float(row["auc_drop"]))
        for row in drops.head(_MOST_GIVEAWAYS).to_dict(orient="records")
    ]
    return Roc(false, true, float(result.details["auc"]), giveaways)


def _bars(result: Result) -> list[UtilityBar]:
    if not result.applicable or result.breakdown is None:
        return []
    return [
        UtilityBar(
            model=str(row["model"]),
            measure=str(row["measure"]),
            synthetic=float(row["synthetic"]),
            real=float(row["real"]),
            synthetic_interval=(float(row["synthetic_low"]), float(row["synthetic_high"])),
            real_interval=(float(row["real_low"]), float(row["real_high"])),
        )
        for row in result.breakdown.to_dict(orient="records")
    ]


def _notes(tables: Tables, budget_s: float | None) -> list[str]:
    notes = [
        f"Scores use {len(tables.real):,} real, {len(tables.synthetic):,} synthetic and "
        f"{len(tables.holdout):,} holdout rows, chosen at random where a table has more, so that "
        "value, floor and ceiling have the same sampling noise. Some metrics look at fewer rows; "
        "validity and copies look at all, repeats at as many as the smaller table has.",
        "Floor: the real rows with every column permuted on its own. Ceiling: real rows in the "
        "place of the synthetic ones.",
        f"Random seed: {tables.seed}.",
    ]
    if tables.borrowed:
        notes.append(
            "No holdout was given: a fifth of the real rows takes its place. The generator may "
            "have seen them, so detection and utility can flatter."
        )
    if budget_s is not None:
        notes.append(f"Time budget: {budget_s:g} s.")
    return notes
