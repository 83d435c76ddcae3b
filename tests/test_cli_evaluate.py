"""``synthgen evaluate``, run in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from synthgen import Schema
from synthgen.cli import app
from synthgen.evaluate import quality_report

from .evaluate.tables import related, unrelated


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real, synthetic and holdout rows, as CSV and as Parquet."""
    path = tmp_path_factory.mktemp("tables")
    frames = {"real": related(90, 1), "made": unrelated(70, 2), "held": related(60, 3)}
    for name, frame in frames.items():
        frame.to_csv(path / f"{name}.csv", index=False)
        frame.to_parquet(path / f"{name}.parquet", index=False)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *(str(argument) for argument in arguments)])


def assert_user_error(result: Result, *fragments: str) -> None:
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("synthgen: ")
    for fragment in fragments:
        assert fragment in line


def files(folder: Path, *names: str, suffix: str = "csv") -> list[Path]:
    return [folder / f"{name}.{suffix}" for name in names]


def test_text(folder: Path) -> None:
    real, made, held = files(folder, "real", "made", "held")
    result = run(real, made, "--holdout", held, "--target", "label")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""  # no progress bar where nobody looks at it
    frames = [pd.read_csv(path) for path in (real, made, held)]
    report = quality_report(*frames, "label")
    verdict, scores, findings = result.stdout.rstrip("\n").split("\n\n")
    assert verdict == report.verdict
    header, _, *lines = scores.splitlines()
    assert header.split() == ["score", "value", "floor", "ceiling", "rating", "note"]
    assert [line.split()[0] for line in lines] == report.scores.index.tolist()
    shape = next(line for line in lines if line.startswith("shape "))
    assert shape.split()[1] == f"{report.scores.loc['shape', 'value']:.4g}"
    rare = next(line for line in lines if line.startswith("rare_categories "))
    assert "not applicable: " in rare
    assert findings.splitlines()[0].split() == ["finding", "where", "what"]
    assert len(findings.splitlines()) == 2 + len(report.worst(10))
    assert "nan" not in scores.lower()


def test_json(folder: Path) -> None:
    real, made = files(folder, "real", "made")
    result = run(real, made, "--json", "--seed", 5, "--max-rows", 100)
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout, parse_constant=pytest.fail)
    report = quality_report(
        pd.read_csv(real),
        pd.read_csv(made),
        random_state=5,
        max_rows=100,
        title="Quality of made.csv",
    )
    assert document == json.loads(report.to_json())


def test_files(folder: Path, tmp_path: Path) -> None:
    page, document = tmp_path / "report.html", tmp_path / "report.json"
    result = run(
        *files(folder, "real", "made"), "--html", page, "--json-file", document, "--budget", 1e-9
    )
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-2:] == [f"written to {page}", f"written to {document}"]
    assert "Quality of made.csv" in page.read_text(encoding="utf-8")
    assert json.loads(document.read_text(encoding="utf-8"))["report"]["rating"] == "none"
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "report.json"}
    # With --json, standard output is one document and nothing else.
    result = run(*files(folder, "real", "made"), "--html", page, "--json", "--budget", 1e-9)
    assert json.loads(result.stdout)["report"]["title"] == "Quality of made.csv"


def test_parquet_and_csv(folder: Path) -> None:
    real, held = files(folder, "real", "held", suffix="parquet")
    (made,) = files(folder, "made")
    result = run(real, made, "--holdout", held, "--json", "--budget", 1e-9)
    assert result.exit_code == 0, result.stderr
    tables = json.loads(result.stdout)["report"]["tables"]
    assert [table["rows"] for table in tables] == [90, 70, 60]


def test_schema(folder: Path, tmp_path: Path) -> None:
    real, made = files(folder, "real", "made")
    schema = Schema.infer(pd.read_csv(real)).with_column("group", kind="id")
    schema.save(tmp_path / "schema.json")
    result = run(real, made, "--schema", tmp_path / "schema.json", "--json", "--budget", 1e-9)
    assert list(json.loads(result.stdout)["report"]["left_out"]) == ["group"]


class TestUserErrors:
    def test_missing_file(self, folder: Path) -> None:
        (real,) = files(folder, "real")
        assert_user_error(run(real, folder / "gone.csv"), "no file", "gone.csv")
        assert_user_error(run(folder / "gone.parquet", real), "gone.parquet")
        assert_user_error(run(real, real, "--holdout", folder / "gone.csv"), "gone.csv")
        assert_user_error(run(real, real, "--schema", folder / "gone.json"), "gone.json")

    def test_unknown_target(self, folder: Path) -> None:
        result = run(*files(folder, "real", "made"), "--target", "income")
        assert_user_error(result, "no column 'income'", "'group', 'label'")

    def test_unknown_format(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "rows.xlsx").write_bytes(b"")
        assert_user_error(run(*files(folder, "real"), tmp_path / "rows.xlsx"), "rows.xlsx")

    def test_no_table(self, folder: Path, tmp_path: Path) -> None:
        (real,) = files(folder, "real")
        (tmp_path / "empty.csv").write_text("")
        (tmp_path / "broken.parquet").write_text("no parquet")
        (tmp_path / "short.csv").write_text("x,y,group,label\n1,2,low,yes\n")
        assert_user_error(run(real, tmp_path / "empty.csv"), "empty.csv")
        assert_user_error(run(real, tmp_path / "broken.parquet"), "broken.parquet")
        assert_user_error(run(real, tmp_path / "short.csv"), "at least 10 rows")

    def test_other_columns(self, folder: Path, tmp_path: Path) -> None:
        real, made = files(folder, "real", "made")
        pd.read_csv(made).drop(columns="x").to_csv(tmp_path / "less.csv", index=False)
        assert_user_error(run(real, tmp_path / "less.csv"), "Missing", "['x']")

    def test_nowhere_to_write(self, folder: Path, tmp_path: Path) -> None:
        tables = files(folder, "real", "made")
        page = tmp_path / "nowhere" / "report.html"
        assert_user_error(run(*tables, "--html", page), "no folder", "nowhere")
        assert_user_error(run(*tables, "--json-file", page), "no folder", "nowhere")

    def test_bad_options(self, folder: Path) -> None:
        tables = files(folder, "real", "made")
        assert_user_error(run(*tables, "--max-rows", 5), "max_rows must be an integer >= 100")
        assert_user_error(run(*tables, "--budget", 0), "budget_s must be a number")
        assert_user_error(run(*tables, "--seed", -1), "random_state")


def test_what_is_read_is_not_written(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": range(40), "c": list("ab") * 20})
    for name in ("a.csv", "b.csv"):
        table.to_csv(tmp_path / name, index=False)
    words = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for options in (("--html", words[0]), ("--json-file", words[1])):
        result = run(*words, *options)
        assert result.exit_code == 2
        assert "writing there would destroy it" in result.stderr
    both = run(*words, "--html", tmp_path / "r", "--json-file", tmp_path / "r")
    assert both.exit_code == 2
    assert "a file of its own" in both.stderr
    schema = CliRunner().invoke(app, ["schema", str(words[0]), "-o", str(words[0])])
    assert schema.exit_code == 2
    for name in ("a.csv", "b.csv"):
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / name), table)
