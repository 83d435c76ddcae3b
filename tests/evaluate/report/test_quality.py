"""The quality report as a whole: what it holds, how it is written, and tables that are awkward."""

from __future__ import annotations

import errno
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from synthgen import IndependentColumns, Schema
from synthgen.errors import InvalidDataError, InvalidParameterError, SchemaMismatchError
from synthgen.evaluate import QualityReport, quality_report
from synthgen.evaluate.report.catalogue import ENTRIES

COLUMNS = ["family", "value", "low", "high", "floor", "ceiling", "direction", "rating", "note"]
NUMBERS = ["value", "low", "high", "floor", "ceiling"]
RATINGS = {"good", "fair", "poor", "none"}


def rows(n: int, seed: int) -> pd.DataFrame:
    """Numbers and categories that depend on each other, with gaps."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = np.round(x + rng.normal(size=n), 2)
    y[rng.random(n) < 0.1] = np.nan
    label = np.where(x + rng.normal(size=n) > 0, "yes", "no")
    return pd.DataFrame({"x": x, "y": y, "group": np.where(x > 0, "a", "b"), "label": label})


REAL, MADE, HELD = rows(80, 1), rows(60, 2), rows(50, 3)


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return frame.apply(lambda column: column.to_numpy()[rng.permutation(len(column))])


@pytest.fixture(scope="module")
def report() -> QualityReport:
    return quality_report(REAL, shuffled(MADE), HELD, "label", n_jobs=1)


def checked(report: QualityReport) -> QualityReport:
    """Check what must hold of every report."""
    names = [entry.name for entry in ENTRIES]
    assert report.scores.index.tolist() == names
    assert list(report.results) == names
    for score in report.content.scores:
        interval = score.interval or (None, None)
        for number in (score.value, score.floor, score.ceiling, *interval):
            assert number is None or math.isfinite(number), score
        assert score.rating in RATINGS
        if score.value is None:
            assert score.note.startswith("not applicable: ")
            assert score.rating == "none"
    text = report.to_json()
    document = json.loads(text, parse_constant=pytest.fail)
    assert document["report"]["verdict"] == report.verdict
    assert report.verdict.endswith(".")
    for finding in report.content.findings:
        assert "nan" not in finding.text.replace("'nan'", "").lower().split(), finding
    return report


def absent(report: QualityReport) -> set[str]:
    """Return the metrics without a value."""
    return {str(name) for name in report.scores.index[report.scores["value"].isna()]}


class TestStructure:
    def test_scores(self, report: QualityReport) -> None:
        checked(report)
        scores = report.scores
        assert scores.columns.tolist() == COLUMNS
        assert (scores[NUMBERS].dtypes == "float64").all()
        assert scores.index.name == "metric"
        assert set(scores["direction"]) == {"higher", "lower"}
        assert scores["family"].tolist() == [entry.family for entry in ENTRIES]
        value = scores["value"]
        assert value["shape"] == pytest.approx(report.results["shape"].value)
        # A shuffled table is a floor itself, and fresh real rows are better.
        assert value["trend"] < scores.loc["trend", "ceiling"]
        assert value["c2st_trees"] < scores.loc["c2st_trees", "ceiling"]

    def test_results_know_floor_and_ceiling(self, report: QualityReport) -> None:
        result, row = report.results["trend"], report.scores.loc["trend"]
        assert (result.value, result.floor, result.ceiling) == tuple(
            row[["value", "floor", "ceiling"]]
        )
        assert result.breakdown is not None

    def test_worst(self, report: QualityReport) -> None:
        worst = report.worst(1_000)
        assert worst.columns.tolist() == ["severity", "metric", "where", "text", "advice"]
        assert worst["severity"].is_monotonic_decreasing  # poor before fair
        assert worst["severity"].isin(["poor", "fair"]).all()
        assert worst["metric"].isin(report.scores.index).all()
        assert (worst[["where", "text", "advice"]] != "").all(axis=None)
        pd.testing.assert_frame_equal(report.worst(1), worst.head(1))
        with pytest.raises(InvalidParameterError, match="n must be an integer >= 1"):
            report.worst(0)

    def test_verdict(self, report: QualityReport) -> None:
        assert report.content.rating == "poor"
        assert report.verdict.startswith("Not good enough: a strong classifier")
        assert "What pulls it down: " in report.verdict

    def test_repr(self, report: QualityReport) -> None:
        text = repr(report)
        assert text.startswith(report.verdict)
        assert all(name in text for name in report.scores.index)

    def test_content(self, report: QualityReport) -> None:
        content = report.content
        assert [table["rows"] for table in content.tables] == [80, 60, 50]
        assert {overlay.column for overlay in content.overlays} == set(REAL.columns)
        scores = [overlay.score for overlay in content.overlays]
        assert scores == sorted(scores)
        assert content.associations is not None
        assert content.associations.columns == REAL.columns.tolist()
        assert {bar.model for bar in content.utility} == {"trees", "linear", "forest"}
        assert content.roc is not None
        assert content.projection is not None
        assert content.history is None
        assert any("Random seed: 0" in note for note in content.notes)

    def test_inputs_stay_as_they_were(self) -> None:
        frames = [REAL.copy(), MADE.copy(), HELD.copy()]
        quality_report(*frames, budget_s=1e-9)
        for frame, before in zip(frames, (REAL, MADE, HELD), strict=True):
            pd.testing.assert_frame_equal(frame, before)


class TestWriting:
    def test_same_seed_same_bytes_whatever_the_jobs(self, report: QualityReport) -> None:
        again = quality_report(REAL, shuffled(MADE), HELD, "label", n_jobs=2)
        assert again.to_json().encode() == report.to_json().encode()
        assert again.to_html().encode() == report.to_html().encode()
        # Another seed is another report, so that the test can fail.
        other = quality_report(REAL, shuffled(MADE), HELD, "label", n_jobs=1, random_state=1)
        assert other.to_json() != report.to_json()

    def test_json(self, report: QualityReport, tmp_path: Path) -> None:
        text = report.to_json(tmp_path / "report.json")
        assert (tmp_path / "report.json").read_text(encoding="utf-8") == text
        document = json.loads(text)
        assert document == report.to_dict() | {"report": document["report"]}
        assert document["results"]["shape"]["value"] == report.scores.loc["shape", "value"]
        assert [score["name"] for score in document["report"]["scores"]] == list(report.results)

    def test_html(self, report: QualityReport, tmp_path: Path) -> None:
        text = report.to_html(str(tmp_path / "report.html"))
        assert (tmp_path / "report.html").read_text(encoding="utf-8") == text
        assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
        assert all(score.title in text for score in report.content.scores)
        assert "<link" not in text
        assert "src=" not in text

    @pytest.mark.parametrize("method", ["to_html", "to_json"])
    @pytest.mark.parametrize("old", [None, "an older report"])
    def test_full_disk(
        self,
        report: QualityReport,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        method: str,
        old: str | None,
    ) -> None:
        path = tmp_path / "report"
        if old is not None:
            path.write_text(old)

        def full(_descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            getattr(report, method)(path)
        left = {file.name: file.read_text() for file in tmp_path.iterdir()}
        assert left == ({} if old is None else {"report": old})

    def test_missing_folder(self, report: QualityReport, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            report.to_html(tmp_path / "nowhere" / "report.html")

    def test_notebook(self, report: QualityReport) -> None:
        fragment = report._repr_html_()
        assert fragment.startswith("<iframe")
        assert fragment.count("<iframe") == 1


class TestOptions:
    def test_no_time(self) -> None:
        report = checked(quality_report(REAL, MADE, HELD, "label", budget_s=1e-9, n_jobs=1))
        assert absent(report) == set(report.results)
        assert set(report.scores["note"]) == {"not applicable: the time budget was used up"}
        assert report.content.rating == "none"
        assert report.verdict.startswith("No verdict: ")
        assert report.worst().empty
        assert "Time budget: 1e-09 s." in report.content.notes
        assert report.to_html().startswith("<!DOCTYPE html>")
        # Figures need no metric.
        assert len(report.content.overlays) == 4

    def test_no_holdout_and_no_target(self) -> None:
        report = checked(quality_report(REAL, MADE, n_jobs=1))
        notes = report.scores["note"]
        assert notes["utility"] == "not applicable: no target was given"
        for name in ("membership_auc", "nearest_share"):
            assert notes[name] == "not applicable: no holdout was given"
        assert [table["rows"] for table in report.content.tables] == [80, 60, 16]
        assert "a part of the real rows" in report.content.tables[2]["use"]
        assert any("No holdout was given" in note for note in report.content.notes)
        assert report.content.utility == []

    def test_cut_rows(self) -> None:
        real, made, held = (pd.concat([part] * 3) for part in (REAL, MADE, HELD))
        report = quality_report(real, made, held, max_rows=100, n_jobs=1)
        assert report.results["shape"].details["real_rows"] == 100
        assert report.results["shape"].details["synthetic_rows"] == 100
        # Copies are searched among all rows.
        assert report.results["copy_share"].details["synthetic_rows"] == 180
        assert "Scores use 100 real, 100 synthetic and 100 holdout rows" in report.content.notes[0]

    def test_history(self) -> None:
        class Trained:
            history_ = pd.DataFrame(
                {"step": [1, 2], "loss": [0.5, np.nan], "seconds": [1.0, 2.0], "note": ["a", "b"]}
            )

        def history(synthesizer: Any) -> Any:
            return quality_report(
                REAL, MADE, HELD, synthesizer=synthesizer, budget_s=1e-9
            ).content.history

        assert history(Trained()) == {"step": [1.0, 2.0], "loss": [0.5, None]}
        assert history(IndependentColumns().fit(REAL)) is None
        assert history("no synthesizer") is None

    def test_schema(self) -> None:
        schema = Schema.infer(REAL).with_column("group", kind="id")
        report = quality_report(REAL, MADE, HELD, schema=schema, budget_s=1e-9)
        assert list(report.content.left_out) == ["group"]
        assert "group" not in {overlay.column for overlay in report.content.overlays}
        with pytest.raises(SchemaMismatchError):
            quality_report(REAL, MADE, schema=Schema.infer(REAL[["x"]]))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"target": "nothing"}, "no column 'nothing' to be the target; the columns are"),
            ({"target": ["label"]}, "no column"),
            ({"max_rows": 5}, "max_rows must be an integer >= 100"),
            ({"n_jobs": 0}, "n_jobs must be an integer >= 1"),
            ({"budget_s": -1}, "budget_s must be a number"),
        ],
    )
    def test_bad_options(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidParameterError, match=message):
            quality_report(REAL, MADE, HELD, **options)


def each(change: Any) -> list[pd.DataFrame]:
    return [change(frame.copy()) for frame in (REAL, MADE, HELD)]


def with_column(values: Any) -> list[pd.DataFrame]:
    return each(lambda frame: frame.assign(extra=values(frame)))


def ids(frame: pd.DataFrame) -> list[str]:
    rng = np.random.default_rng(len(frame))
    return [f"id{number}" for number in rng.integers(10**9, size=len(frame))]


def sentences(frame: pd.DataFrame) -> list[str]:
    rng = np.random.default_rng(len(frame))
    return [" ".join(rng.choice(list("abcdefgh"), 12)) for _ in range(len(frame))]


def mixed(frame: pd.DataFrame) -> pd.Series:
    values = [1, "a", 2.5, None] * len(frame)
    return pd.Series(values[: len(frame)], dtype=object)


def renamed(*labels: Any) -> list[pd.DataFrame]:
    return each(lambda frame: frame.set_axis(pd.Index(labels, tupleize_cols=False), axis=1))


def moments(frame: pd.DataFrame) -> pd.Series:
    return pd.Timestamp("2024-01-01") + pd.to_timedelta((frame["x"] * 1e6).round(), "s")


class TestWrongInput:
    """One typed error that says what is wrong."""

    @pytest.mark.parametrize(
        ("frames", "message"),
        [
            ([REAL.iloc[:0], MADE, HELD], r"real table has shape \(0, 4\)"),
            ([REAL, MADE.iloc[:0], HELD], r"compared table has shape \(0, 4\)"),
            ([REAL.iloc[:1], MADE, HELD], "at least 10 rows of each table; the real table has 1"),
            ([REAL, MADE.iloc[:9], HELD], "the synthetic table has 9"),
            ([REAL, MADE, HELD.iloc[:1]], "the holdout table has 1"),
            ([REAL.iloc[:12], MADE], "Without a holdout.*at least 20; it has 12"),
            ([pd.concat([REAL, REAL[["x"]]], axis=1), MADE], "duplicate column names"),
            (with_column(mixed), "'extra' mixes values of different types"),
            ([REAL, MADE.assign(x=mixed(MADE)), HELD], "'x' .*could not convert string"),
            ([REAL, MADE.assign(x=np.inf), HELD], "'x' has .* infinite values"),
            (with_column(lambda frame: [[1]] * len(frame)), "'extra' holds nested values"),
            (with_column(lambda frame: frame["x"] * 1j), "'extra' holds complex numbers"),
            (each(lambda frame: pd.DataFrame({"a": ids(frame)})), "No column can be compared"),
            (each(lambda frame: pd.DataFrame({"a": sentences(frame)})), "No column can be"),
            (each(lambda frame: frame[["x"]] * np.nan), "No column can be compared"),
            (each(lambda frame: frame[["x"]] * 0), "No column can be compared"),
            ([None, MADE], "Expected a table"),
            (["real.csv", MADE], "Expected a table"),
        ],
    )  # fmt: skip
    def test_tables(self, frames: list[Any], message: str) -> None:
        with pytest.raises(InvalidDataError, match=message):
            quality_report(*frames, n_jobs=1)

    @pytest.mark.parametrize("place", [1, 2])
    def test_other_columns(self, place: int) -> None:
        frames = [REAL, MADE, HELD]
        frames[place] = frames[place].drop(columns="x").assign(z=1)
        with pytest.raises(SchemaMismatchError, match=r"Missing .*\['x'\].*\['z'\]"):
            quality_report(*frames)

    def test_target_that_is_an_id(self) -> None:
        with pytest.raises(InvalidParameterError, match="'extra' cannot be predicted: kind id"):
            quality_report(*with_column(ids), "extra", n_jobs=1)


class TestAwkwardInput:
    """A report all the same: a value, or the reason why there is none."""

    def test_ten_rows(self) -> None:
        checked(quality_report(REAL[:10], MADE[:10], HELD[:10], "label", n_jobs=1))

    @pytest.mark.parametrize(
        ("frames", "expected"),
        [
            (with_column(lambda frame: np.nan), set()),
            (with_column(lambda frame: None), set()),
            (with_column(lambda frame: 1), set()),
            (with_column(lambda frame: "same"), set()),
            (with_column(ids), set()),
            (with_column(sentences), set()),
            (each(lambda frame: frame.drop(columns="y")), {"missingness"}),
            (each(lambda frame: frame[["x", "label"]]), {"marginals", "missingness"}),
        ],
        ids=["missing", "None", "constant", "constant text", "ids", "text", "complete", "two"],
    )
    def test_columns(self, frames: list[pd.DataFrame], expected: set[str]) -> None:
        report = checked(quality_report(*frames, n_jobs=1))
        assert report.to_html().startswith("<!DOCTYPE html>")
        # No group has a hundred rows, no category is rare.
        assert absent(report) == {"rare_categories", "subgroup_fidelity", "utility"} | expected
        assert report.worst().empty

    def test_single_column(self) -> None:
        report = checked(quality_report(*each(lambda frame: frame[["x"]]), n_jobs=1))
        assert report.to_html().startswith("<!DOCTYPE html>")
        notes = report.scores["note"]
        assert "a pair needs two columns" in notes["trend"]
        assert {"trend", "marginals", "mutual_information", "utility"} < absent(report)
        assert "shape" not in absent(report)

    @pytest.mark.parametrize(
        ("values", "metric"),
        [
            ({"x": np.nan}, "missingness"),
            ({"group": None}, "missingness"),
            ({"x": 0.5}, "shape"),
            ({"group": "a"}, "shape"),
            ({"group": 1}, "validity"),
            ({"label": "yes"}, "utility"),
            ({"label": None}, "utility"),
        ],
        ids=str,
    )
    def test_spoilt_synthetic_column(self, values: dict[str, Any], metric: str) -> None:
        target = "label" if metric == "utility" else None
        report = checked(quality_report(REAL, MADE.assign(**values), HELD, target, n_jobs=1))
        assert report.content.rating == "poor"
        worst = report.worst(1_000)
        where = set(worst.loc[worst["metric"] == metric, "where"])
        assert where == set(values), worst.to_string()

    @pytest.mark.parametrize("place", [0, 2])
    def test_missing_in_one_real_table(self, place: int) -> None:
        frames = [REAL, MADE, HELD]
        frames[place] = frames[place].assign(x=np.nan)
        checked(quality_report(*frames, n_jobs=1))

    @pytest.mark.parametrize(
        ("frames", "target", "reason"),
        [
            (with_column(lambda frame: "same"), "extra", "at most one value in 'extra'"),
            (with_column(lambda frame: 3.0), "extra", "at most one value in 'extra'"),
            (with_column(lambda frame: np.nan), "extra", "at most one value in 'extra'"),
            ([REAL, MADE, HELD.assign(label=None)], "label", "holdout table has a value in"),
            (each(lambda frame: frame[["x"]]), "x", "no column beside 'x'"),
        ],
    )
    def test_target_without_a_task(
        self, frames: list[pd.DataFrame], target: str, reason: str
    ) -> None:
        report = checked(quality_report(*frames, target, n_jobs=1))
        assert reason in report.scores.loc["utility", "note"]

    def test_number_as_target(self) -> None:
        report = checked(quality_report(REAL, MADE, HELD, "y", n_jobs=1))
        assert {bar.measure for bar in report.content.utility} == {"R2"}

    @pytest.mark.parametrize(
        ("labels", "target"),
        [
            ((0, 1, 2, 3), 3),
            ((("a", 1), ("a", 2), ("b", 1), ("b", 2)), ("b", 2)),
            ((0, "1", ("b", 1), None), ("b", 1)),
        ],
        ids=["integers", "tuples", "of all types"],
    )
    def test_labels(self, labels: tuple[Any, ...], target: Any) -> None:
        real, made, held = renamed(*labels)
        made[labels[0]] = 0.5
        report = checked(quality_report(real, made, held, target, n_jobs=1))
        assert report.to_html().startswith("<!DOCTYPE html>")
        assert str(labels[0]) in set(report.worst()["where"])
        assert report.scores.loc["utility", "value"] > 0.5

    def test_containers(self) -> None:
        ours = each(lambda frame: frame.drop(columns="y"))
        expected = checked(quality_report(*ours, n_jobs=1))
        for wrap in (pl.from_pandas, pa.Table.from_pandas):
            report = quality_report(*(wrap(frame) for frame in ours), n_jobs=1)
            pd.testing.assert_frame_equal(report.scores, expected.scores)

    def test_different_containers(self) -> None:
        checked(quality_report(pl.from_pandas(REAL), MADE, pa.Table.from_pandas(HELD), n_jobs=1))

    @pytest.mark.parametrize(
        "change",
        [
            lambda frame: frame.convert_dtypes(),
            lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
            lambda frame: frame.astype({"group": "category", "label": "category"}),
            lambda frame: frame.assign(x=frame["x"] > 0, extra=moments(frame)),
            lambda frame: frame.assign(extra=moments(frame).dt.tz_localize("Europe/Paris")),
            lambda frame: frame.assign(extra=moments(frame) - pd.Timestamp("2024-01-01")),
            lambda frame: frame.assign(extra=moments(frame).dt.date),
            lambda frame: frame.assign(extra=moments(frame).dt.strftime("%Y-%m-%d")),
            lambda frame: frame.assign(x=(frame["x"] * 1e18).astype("int64")),
        ],
        ids=["nullable", "arrow", "category", "dates", "zones", "spans", "days", "text", "large"],
    )
    def test_dtypes(self, change: Any) -> None:
        report = checked(quality_report(*each(change), n_jobs=1))
        assert report.worst().empty, report.worst().to_string()

    def test_ten_thousand_categories(self) -> None:
        def many(n: int, seed: int) -> pd.DataFrame:
            code = np.random.default_rng(seed).integers(10_000, size=n)
            level = pd.Series([f"c{number}" for number in code]).astype("category")
            return pd.DataFrame({"level": level, "half": np.where(code < 5_000, "low", "high")})

        frames = [many(n, seed) for seed, n in enumerate((12_000, 1_000, 1_000))]
        report = checked(quality_report(*frames, "half", max_rows=500, n_jobs=1))
        assert report.to_html().startswith("<!DOCTYPE html>")
        assert report.worst().empty, report.worst().to_string()


def test_copies_are_never_denied() -> None:
    real = rows(400, 0)
    stolen = pd.concat([rows(195, 5), real.iloc[:5]])
    report = quality_report(real, stolen, rows(200, 6))
    assert "no copies" not in report.verdict
    assert "2.50% of the rows equal real ones, where 0.00% is usual" in report.verdict


def test_copies_of_rows_that_stand_for_a_holdout() -> None:
    real = rows(400, 0)
    report = quality_report(real, real.sample(frac=1, random_state=0))
    assert report.scores.loc["copy_share", "value"] == 1.0
    assert np.isnan(report.scores.loc["copy_share", "ceiling"])
    described = {line["name"]: line["rows"] for line in report.to_dict()["report"]["tables"]}
    assert described["real"] == 400
