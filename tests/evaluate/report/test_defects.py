"""Planted defects are named, and nothing is said about rows that are fine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.quality import defects
from benchmarks.quality.defects import BEYOND, DEFECTS, Defect
from synthgen.evaluate.report import catalogue, quality

PAGE = Path(__file__).parents[3] / "docs" / "user_guide" / "defects.md"

#: No finding is read from these, or only of memorised rows that are no exact copies.
LEFT_OUT = (
    "marginals", "c2st_logistic", "global_utility", "alpha_precision", "beta_recall", "density",
    "coverage", "nearest_share", "membership_auc",
)  # fmt: skip


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return defects.tables()


@pytest.fixture
def only_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure only what findings are read from: a fifth of the time for the same findings."""
    entries = [
        replace(entry, floor=False, ceiling="own" if entry.name == "c2st_trees" else entry.ceiling)
        for entry in catalogue.ENTRIES
        if entry.name not in LEFT_OUT
    ]
    monkeypatch.setattr(quality, "ENTRIES", tuple(entries))


@pytest.mark.slow
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.id)
def test_defect_is_named(
    only_findings: None, frames: dict[str, pd.DataFrame], defect: Defect
) -> None:
    report = defects.report(defects.spoil(frames, defect), None, n_jobs=1)
    assert len(defects.findings(report, defect)) > 0, report.worst(1_000).to_string()
    # What is wrong is among the first that a reader sees.
    columns = {text.split(" = ")[0] for text in report.worst(3)["where"]}
    assert defect.where.split(" = ")[0] in columns


def test_nothing_is_named_without_a_defect(
    only_findings: None, frames: dict[str, pd.DataFrame]
) -> None:
    assert defects.report(frames, None, n_jobs=1).worst(1_000).empty


@pytest.mark.slow
def test_real_rows_are_good(frames: dict[str, pd.DataFrame]) -> None:
    report = defects.report(frames, n_jobs=1, max_rows=1_500)
    assert report.content.rating == "good"
    assert report.verdict.startswith("Good")
    assert report.worst(1_000).empty
    ratings = report.scores["rating"]
    assert not ratings.eq("poor").any(), report


def test_defects_are_planted(frames: dict[str, pd.DataFrame]) -> None:
    for defect in (*DEFECTS, *BEYOND):
        before = frames["synthetic"].copy()
        spoilt = defects.spoil(frames, defect)["synthetic"]
        pd.testing.assert_frame_equal(frames["synthetic"], before)
        assert spoilt.shape == before.shape, defect.name
        assert not spoilt.equals(before), defect.name


def test_page_shows_every_defect() -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in text.splitlines()}
    for defect in DEFECTS:
        assert f"`{defect.metric}` | **{defect.where}**" in lines[defect.name]
    for defect in BEYOND:
        assert defect.name in lines
    assert "verdict *good*, 0 poor, 0 fair findings" in text
    assert "not found" not in text
