"""The command line, run in this process; a stand-in replaces the model where training would."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import synthgen
from synthgen import Between, Schema
from synthgen.cli import app
from synthgen.cli.files import Target, classify_target
from synthgen.cli.parsing import parse_conditions, parse_count
from synthgen.data import frame as frames
from synthgen.errors import (
    ArtifactError,
    ConditionError,
    InvalidDataError,
    InvalidParameterError,
    TrainingWarning,
)

ROOT = Path(synthgen.__file__).parent.parent


class StandIn:
    """A synthesizer that repeats its rows, and writes down how it was called."""

    calls: list[tuple[str, dict[str, Any]]]

    def __init__(self, **params: Any) -> None:
        type(self).calls.append(("init", params))
        self.interrupt = False

    def fit(self, X: pd.DataFrame) -> StandIn:
        self.frame_, self.schema_ = X, Schema.infer(X)
        self.history_ = pd.DataFrame({"step": [10, 20], "quality": [0.5, float("nan")]})
        return self

    def sample(self, n_samples: int, **options: Any) -> pd.DataFrame:
        self.calls.append(("sample", {"n_samples": n_samples, **options}))
        rows = [index % len(self.frame_) for index in range(n_samples)]
        return self.frame_.iloc[rows].reset_index(drop=True)

    def sample_iter(self, n_samples: int, **options: Any) -> Iterator[pd.DataFrame]:
        step = 65_536
        for start in range(0, n_samples, step):
            yield self.sample(min(step, n_samples - start))

    def sample_to(self, path: str, n_samples: int, **options: Any) -> None:
        self.calls.append(("sample_to", {"path": path, "n_samples": n_samples, **options}))

    def save(self, path: Path) -> None:
        self.calls.append(("save", {"path": path}))


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, people: pd.DataFrame) -> type[StandIn]:
    """Put the stand-in where the commands look for the model and for saved models."""
    kind = type("Model", (StandIn,), {"calls": []})
    monkeypatch.setitem(synthgen.__dict__, "GANSynthesizer", kind)
    monkeypatch.setitem(synthgen.__dict__, "load", lambda _path: kind().fit(people))
    return kind


@pytest.fixture
def table(tmp_path: Path, people: pd.DataFrame) -> Path:
    path = tmp_path / "people.csv"
    people.to_csv(path, index=False)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def assert_user_error(result: Result, *fragments: str) -> None:
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("synthgen: ")
    for fragment in fragments:
        assert fragment in line


class TestParsing:
    @pytest.mark.parametrize(
        ("text", "rows"),
        [("0", 0), ("12", 12), ("1e6", 1_000_000), ("2.5e3", 2_500), ("10_000", 10_000)],
    )
    def test_count(self, text: str, rows: int) -> None:
        assert parse_count("-n", text) == rows

    @pytest.mark.parametrize("text", ["-1", "1.5", "many", "", "inf", "nan", "-1e3"])
    def test_bad_count(self, text: str) -> None:
        with pytest.raises(InvalidParameterError, match="-n must be a whole number"):
            parse_count("-n", text)

    @pytest.mark.parametrize(
        ("item", "wanted"),
        [
            ("city=Paris", {"city": "Paris"}),
            ("city=a..b", {"city": "a..b"}),
            ("city=a=b", {"city": "a=b"}),
            ("age=30", {"age": 30}),
            ("age=30..40", {"age": Between(30, 40)}),
            ("age=-5..-1.5", {"age": Between(-5, -1.5)}),
            ("age=30..", {"age": Between(30, None)}),
            ("income=", {"income": None}),
            ("income=..1e4", {"income": Between(None, 10_000)}),
            ("member=True", {"member": True}),
            ("member=no", {"member": False}),
            ("joined=2020-02-01..2020-03-01", {"joined": Between("2020-02-01", "2020-03-01")}),
        ],
    )
    def test_condition(self, people: pd.DataFrame, item: str, wanted: dict[str, Any]) -> None:
        assert parse_conditions([item], Schema.infer(people)) == wanted

    def test_repeated_conditions(self, people: pd.DataFrame) -> None:
        items = ["city=Paris", "age=30..40", "city=Oslo", "city="]
        wanted = {"city": ["Paris", "Oslo", None], "age": Between(30, 40)}
        assert parse_conditions(items, Schema.infer(people)) == wanted

    def test_no_condition(self, people: pd.DataFrame) -> None:
        assert parse_conditions([], Schema.infer(people)) is None

    def test_column_labels_that_are_numbers(self) -> None:
        schema = Schema.infer(pd.DataFrame({0: [1, 2, 2, 5], 1: ["a", "b", "a", "b"]}))
        assert parse_conditions(["0=2", "1=a"], schema) == {0: 2, 1: "a"}

    def test_durations(self) -> None:
        schema = Schema.infer(pd.DataFrame({"wait": pd.to_timedelta([1, 2, 5, 7], "h")}))
        wanted = {"wait": Between(pd.Timedelta("1h"), pd.Timedelta("2h"))}
        assert parse_conditions(["wait=1h..2h"], schema) == wanted

    @pytest.mark.parametrize(
        ("items", "message"),
        [
            (["age"], "written column=value, got 'age'"),
            (["town=Paris"], "no column 'town'.*age, income, sex"),
            (["age=old"], "'age' holds numbers, got 'old'"),
            (["member=maybe"], "'member' is true or false, got 'maybe'"),
            (["age=1..2", "age=7"], "range on column 'age' cannot be combined"),
        ],
    )
    def test_bad_condition(self, people: pd.DataFrame, items: list[str], message: str) -> None:
        with pytest.raises(ConditionError, match=message):
            parse_conditions(items, Schema.infer(people))

    def test_targets(self, tmp_path: Path) -> None:
        assert classify_target("a.csv") is Target.FILE
        assert classify_target("a.CSV.GZ") is Target.FILE
        assert classify_target("rows") is Target.FOLDER
        assert classify_target("rows.v1/") is Target.FOLDER
        assert classify_target(str(tmp_path)) is Target.FOLDER
        with pytest.raises(InvalidParameterError, match=r"'a\.xlsx'"):
            classify_target("a.xlsx")


class TestFit:
    def test_passes_options_on(
        self, stand_in: type[StandIn], table: Path, tmp_path: Path, people: pd.DataFrame
    ) -> None:
        schema = Schema.infer(people).with_column("age", kind="numeric")
        schema.save(tmp_path / "schema.json")
        result = run(
            "fit", table, tmp_path / "model", "--schema", tmp_path / "schema.json", "--preset",
            "wgan", "--max-minutes", "0.5", "--max-steps", 20, "--seed", 3, "--checkpoint",
            tmp_path / "checkpoints",
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
        (_, params), *rest = stand_in.calls
        assert params.pop("schema")["age"].kind == "numeric"
        assert params == {
            "preset": "wgan",
            "max_minutes": 0.5,
            "max_steps": 20,
            "random_state": 3,
            "checkpoint_dir": str(tmp_path / "checkpoints"),
            "verbose": 1,
        }
        assert rest == [("save", {"path": tmp_path / "model"})]
        assert "fitted 300 rows x 6 columns" in result.stdout

    def test_json(self, stand_in: type[StandIn], table: Path, tmp_path: Path) -> None:
        result = run("fit", table, tmp_path / "model", "--json")
        report = json.loads(result.stdout)
        assert report["rows"] == 300
        assert report["columns"] == 6
        assert report["interrupted"] is False
        assert report["last"] == {"step": 20, "quality": 0.5}
        assert stand_in.calls[0][1]["max_steps"] == "auto"

    def test_bad_target_is_found_before_training(
        self, stand_in: type[StandIn], table: Path, tmp_path: Path
    ) -> None:
        assert_user_error(run("fit", table, table), "not a saved synthgen model")
        assert_user_error(run("fit", table, tmp_path), "not a saved synthgen model")
        assert stand_in.calls == []

    def test_ctrl_c_that_fit_handles_saves_the_model(
        self, stand_in: type[StandIn], table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fit(self: StandIn, X: pd.DataFrame) -> StandIn:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                StandIn.fit(self, X)
            return self

        monkeypatch.setattr(stand_in, "fit", fit)
        before = signal.getsignal(signal.SIGINT)
        result = run("fit", table, tmp_path / "model", "--json")
        assert result.exit_code == 130
        assert json.loads(result.stdout)["interrupted"] is True
        assert "best model so far was saved" in result.stderr
        assert stand_in.calls[-1][0] == "save"
        assert signal.getsignal(signal.SIGINT) is before

    def test_ctrl_c_before_there_is_a_model(
        self, stand_in: type[StandIn], table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fit(self: StandIn, X: pd.DataFrame) -> StandIn:
            raise KeyboardInterrupt

        monkeypatch.setattr(stand_in, "fit", fit)
        result = run("fit", table, tmp_path / "model")
        assert (result.exit_code, result.stderr) == (130, "synthgen: interrupted\n")
        assert not (tmp_path / "model").exists()
        assert "save" not in dict(stand_in.calls)

    def test_warnings_are_one_line(
        self, stand_in: type[StandIn], table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import warnings

        def fit(self: StandIn, X: pd.DataFrame) -> StandIn:
            warnings.warn("stopped\n  early", TrainingWarning, stacklevel=2)
            return StandIn.fit(self, X)

        monkeypatch.setattr(stand_in, "fit", fit)
        result = run("fit", table, tmp_path / "model")
        assert result.exit_code == 0
        assert result.stderr == "synthgen: warning: stopped early\n"

    def test_a_defect_keeps_its_traceback(
        self, stand_in: type[StandIn], table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fit(self: StandIn, X: pd.DataFrame) -> StandIn:
            raise ZeroDivisionError("a bug")

        monkeypatch.setattr(stand_in, "fit", fit)
        result = run("fit", table, tmp_path / "model")
        assert isinstance(result.exception, ZeroDivisionError)


class TestSample:
    @pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet", "out.feather"])
    def test_file(
        self, stand_in: type[StandIn], people: pd.DataFrame, tmp_path: Path, name: str
    ) -> None:
        target = tmp_path / "new" / name
        result = run("sample", "model", "-n", "5", "-o", target, "--seed", 1)
        assert result.exit_code == 0, result.stderr
        back = frames.read_path(target)
        assert back["city"].tolist() == people["city"].tolist()[:5]
        assert list(back.columns) == list(people.columns)
        assert stand_in.calls[-1] == (
            "sample",
            {"n_samples": 5, "conditions": None, "random_state": 1},
        )

    def test_conditions(self, stand_in: type[StandIn], tmp_path: Path) -> None:
        result = run(
            "sample", "model", "-n", 5, "-o", tmp_path / "out.csv", "--condition", "city=Paris",
            "--condition", "age=30..40",
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
        wanted = {"city": "Paris", "age": Between(30, 40)}
        assert stand_in.calls[-1][1]["conditions"] == wanted

    def test_many_rows_come_in_chunks(self, stand_in: type[StandIn], tmp_path: Path) -> None:
        target = tmp_path / "out.parquet"
        result = run("sample", "model", "-n", "1e5", "-o", target, "--json")
        assert json.loads(result.stdout)["rows"] == 100_000
        assert [call["n_samples"] for name, call in stand_in.calls if name == "sample"] == [
            65_536,
            34_464,
        ]
        assert len(frames.read_path(target)) == 100_000
        assert result.stderr == ""  # no progress bar where nobody looks at it

    def test_folder(self, stand_in: type[StandIn], tmp_path: Path) -> None:
        target = f"{tmp_path}/shards/"
        result = run("sample", "model", "-n", "1e9", "-o", target, "--rows-per-file", "2e6")
        assert result.exit_code == 0, result.stderr
        assert stand_in.calls[-1] == (
            "sample_to",
            {
                "path": target,
                "n_samples": 10**9,
                "rows_per_file": 2_000_000,
                "random_state": None,
            },
        )

    def test_standard_output(self, stand_in: type[StandIn], people: pd.DataFrame) -> None:
        result = run("sample", "model", "-n", 2)
        assert result.stdout == people.head(2).to_csv(index=False)
        records = json.loads(run("sample", "model", "-n", 2, "--json").stdout)
        assert [record["city"] for record in records] == people["city"].tolist()[:2]

    def test_user_errors(self, stand_in: type[StandIn], tmp_path: Path) -> None:
        assert_user_error(run("sample", "model", "-n", "few"), "--rows", "'few'")
        assert_user_error(run("sample", "model", "-n", 1, "-o", "x.xlsx"), "x.xlsx")
        assert_user_error(run("sample", "model", "-n", 1, "--condition", "town=A"), "'town'")
        assert_user_error(
            run("sample", "model", "-n", 1, "-o", f"{tmp_path}/", "--condition", "age=3"),
            "not a folder",
        )

    def test_ctrl_c_leaves_no_file(
        self, stand_in: type[StandIn], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def to_csv(self: pd.DataFrame, target: Any, **_options: Any) -> None:
            if hasattr(target, "write"):
                target.write("half")
            else:
                Path(target).write_text("half")
            raise KeyboardInterrupt

        monkeypatch.setattr(pd.DataFrame, "to_csv", to_csv)
        result = run("sample", "model", "-n", 5, "-o", tmp_path / "out.csv")
        assert result.exit_code == 130
        assert list(tmp_path.iterdir()) == []


class TestInspect:
    def test_schema(self, table: Path, tmp_path: Path) -> None:
        target = tmp_path / "schema.json"
        result = run("schema", table, "-o", target)
        assert result.exit_code == 0, result.stderr
        lines = result.stdout.splitlines()
        assert lines[0].split() == ["column", "kind", "dtype", "missing", "reason"]
        assert [line.split()[0] for line in lines[2:8]] == [
            "age", "income", "sex", "city", "member", "joined",
        ]  # fmt: skip
        assert Schema.load(target)["income"].kind == "numeric"

    def test_schema_json(self, table: Path) -> None:
        document = json.loads(run("schema", table, "--json").stdout)
        assert Schema.from_json(document) == Schema.infer(frames.read_path(table))

    def test_missing_file(self, tmp_path: Path) -> None:
        assert_user_error(run("schema", tmp_path / "no.csv"), "There is no file", "no.csv")

    @pytest.mark.parametrize("name", ["bad.csv", "bad.csv.gz", "bad.parquet", "bad.feather"])
    def test_malformed_file(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        path.write_bytes(b'a,b\n1,2\n3,"4,5,\x80\n6')
        assert_user_error(run("schema", path), name)

    def test_info(self, tmp_path: Path, people: pd.DataFrame) -> None:
        synthgen.IndependentColumns(random_state=0).fit(people).save(tmp_path / "model")
        result = run("info", tmp_path / "model")
        assert result.exit_code == 0, result.stderr
        assert "IndependentColumns" in result.stdout
        assert "joined" in result.stdout
        document = json.loads(run("info", tmp_path / "model", "--json").stdout)
        assert Schema.from_json(document["schema"]).names == Schema.infer(people).names

    def test_info_on_something_else(self, tmp_path: Path) -> None:
        assert_user_error(run("info", tmp_path), "not a saved synthgen model")

    def test_presets(self) -> None:
        from synthgen.models.presets import PRESETS

        lines = run("presets").stdout.splitlines()
        assert [line.split()[0] for line in lines[2:]] == list(PRESETS)
        assert set(json.loads(run("presets", "--json").stdout)) == set(PRESETS)


class TestWhole:
    def test_saved_model_to_rows(self, tmp_path: Path, people: pd.DataFrame) -> None:
        synthgen.IndependentColumns(random_state=0).fit(people).save(tmp_path / "model")
        target = tmp_path / "out.parquet"
        result = run("sample", tmp_path / "model", "-n", 50, "-o", target, "--seed", 0)
        assert result.exit_code == 0, result.stderr
        back = frames.read_path(target)
        assert back.shape == (50, 6)
        assert back["joined"].dtype.kind == "M"
        again = tmp_path / "again.parquet"
        run("sample", tmp_path / "model", "-n", 50, "-o", again, "--seed", 0)
        pd.testing.assert_frame_equal(frames.read_path(again), back)

    def test_fit_then_sample(self, table: Path, tmp_path: Path) -> None:
        result = run("fit", table, tmp_path / "model", "--max-steps", 5, "--seed", 0, "--json")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["rows"] == 300
        rows = run("sample", tmp_path / "model", "-n", 20, "--condition", "sex=Male", "--json")
        assert rows.exit_code == 0, rows.stderr
        records = json.loads(rows.stdout)
        assert len(records) == 20
        assert {record["sex"] for record in records} == {"Male"}

    @pytest.mark.slow
    def test_demo(self, tmp_path: Path) -> None:
        out = tmp_path / "demo"
        result = run("demo", "--out", out, "--max-minutes", 0.05, "--rows", 600, "--json")
        assert result.exit_code == 0, result.stderr
        report = json.loads(result.stdout)
        assert report["folder"] == str(out)
        assert report["synthetic_rows"] == 600
        assert {path.name for path in out.iterdir()} == {
            "model", "synthetic.csv", "quality.json", "quality.png",
        }  # fmt: skip
        assert len(frames.read_path(out / "synthetic.csv")) == 600
        assert (out / "quality.png").read_bytes().startswith(b"\x89PNG")
        trend = report["scores"]["trend"]
        assert trend["floor"] < trend["ceiling"] <= 1

    def test_as_a_process(self, tmp_path: Path) -> None:
        def call(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "synthgen.cli", *arguments],
                capture_output=True,
                text=True,
                check=False,
                cwd=ROOT,
            )

        version = call("--version")
        assert version.stdout == f"synthgen {synthgen.__version__}\n"
        missing = call("schema", str(tmp_path / "no.csv"))
        assert missing.returncode == 2
        assert missing.stderr == f"synthgen: There is no file '{tmp_path / 'no.csv'}'.\n"
        assert missing.stdout == ""

    @pytest.mark.parametrize(
        "error",
        [
            InvalidDataError("two\nlines"),
            ArtifactError("broken"),
            OSError(28, "No space left on device", "out"),
        ],
    )
    def test_errors_become_one_line(
        self, error: Exception, table: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_frame: Any) -> Schema:
            raise error

        monkeypatch.setattr(Schema, "infer", fail)
        assert_user_error(run("schema", table))
