"""``synthgen audit`` and ``synthgen report``, run in this process."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from synthgen import IndependentColumns, evaluate
from synthgen.cli import app
from synthgen.core import files

FAST = ["--attack", "nearest", "--attack", "copies", "--attack", "calibrated"]


def table(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n).round(6)
    return pd.DataFrame(
        {
            "x": x,
            "y": (x + rng.normal(size=n)).round(6),
            "c": rng.choice(["a", "b"], n),
            "name": [f"person {seed}-{place}" for place in range(n)],
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables")
    real = table(300, 1).drop(columns="name")
    real.to_csv(path / "members.csv", index=False)
    table(1_200, 2).drop(columns="name").to_csv(path / "holdout.csv", index=False)
    synth = IndependentColumns(random_state=0).fit(real)
    synth.save(path / "model")
    table(300, 3).drop(columns="name").to_csv(path / "fresh.csv", index=False)
    real.sample(frac=1, random_state=0).to_csv(path / "copied.csv", index=False)
    table(300, 1).to_csv(path / "named.csv", index=False)
    table(1_200, 2).to_csv(path / "named_holdout.csv", index=False)
    return path


def run(command: str, folder: Path, synthetic: str, *options: object) -> Result:
    files = [folder / synthetic, "--members", folder / "members.csv"]
    files += ["--holdout", folder / "holdout.csv"]
    words = [command, *files, *(options if "--attack" in options else (*FAST, *options))]
    return CliRunner().invoke(app, [str(word) for word in words])


def assert_user_error(result: Result, *fragments: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = [line for line in result.stderr.splitlines() if "warning" not in line]
    assert line.startswith("synthgen: ")
    for fragment in fragments:
        assert fragment in line


def test_audit_lets_fresh_rows_pass(folder: Path, tmp_path: Path) -> None:
    page, document = tmp_path / "audit.html", tmp_path / "audit.json"
    result = run("audit", folder, "fresh.csv", "--html", page, "--json-file", document, "--seed", 3)
    assert result.exit_code == 0, result.output
    assert "nearest" in result.stdout
    assert "REVIEW: " in result.stdout
    assert "  R1   No formal guarantee" in result.stdout
    found = json.loads(document.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert found["settings"]["random_state"] == 3
    assert {each["attack"] for each in found["attacks"]} == {"nearest", "copies", "calibrated"}
    assert "Audit of fresh.csv" in page.read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"audit.html", "audit.json"}


def test_audit_blocks_copies(folder: Path, tmp_path: Path) -> None:
    result = run("audit", folder, "copied.csv", "--html", tmp_path / "audit.html")
    assert result.exit_code == 3
    assert "BLOCK: Do not release: rules B2, B4" in result.stdout
    # The evidence is there all the same.
    assert (tmp_path / "audit.html").is_file()


def test_audit_takes_a_model(folder: Path) -> None:
    result = run("audit", folder, "fresh.csv", "--model", folder / "model", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["splits"]["tables"]["synthetic"]["given"] == 300


def test_report(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = partial(evaluate.quality_report, budget_s=1e-9)
    monkeypatch.setattr(evaluate, "quality_report", quick)
    page, document = tmp_path / "r.html", tmp_path / "r.json"
    result = run(
        "report", folder, "fresh.csv", "--model", folder / "model", "--html", page,
        "--json-file", document, "--detail", "Purpose=teaching = fun", "--sign", "Owner=A. Name",
        "--condition", "No linking.", "--title", "My rows", "--target", "c",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-2:] == [f"written to {page}", f"written to {document}"]
    made = json.loads(document.read_text(encoding="utf-8"))
    assert made["title"] == "My rows"
    assert ["Purpose", "teaching = fun"] in made["identity"]
    assert made["sign_off"] == [["Owner", "A. Name"]]
    assert "No linking." in made["conditions"]
    assert made["utility"]["lines"]
    assert "My rows" in page.read_text(encoding="utf-8")


def test_report_blocks_and_speaks_json(folder: Path) -> None:
    result = run("report", folder, "copied.csv", "--no-quality", "--json")
    assert result.exit_code == 3
    made = json.loads(result.stdout, parse_constant=pytest.fail)
    assert made["verdict"] == "BLOCK"
    assert made["utility"] is None


def test_public_report(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    result = run("report", folder, "fresh.csv", "--no-quality", "--public", "--html", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert "Public version" in text
    assert "1,200" not in text


def test_identifiers(folder: Path) -> None:
    words = [
        "report", folder / "named.csv", "--members", folder / "named.csv", "--holdout",
        folder / "named_holdout.csv",
    ]  # fmt: skip
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert_user_error(result, "given twice")
    result = run("report", folder, "fresh.csv", "--no-quality", "--identifier", "c")
    assert result.exit_code == 3
    assert "  B1   Direct identifiers are in the table: c." in result.stdout
    result = run("report", folder, "fresh.csv", "--no-quality", "--identifier", "nmae")
    assert_user_error(result, "no column 'nmae'", "x, y, c")


class TestUserErrors:
    @pytest.mark.parametrize("command", ["audit", "report"])
    def test_missing_file(self, folder: Path, tmp_path: Path, command: str) -> None:
        page = tmp_path / "r.html"
        assert_user_error(run(command, folder, "gone.csv", "--html", page), "gone.csv")
        gone = folder / "gone"
        assert_user_error(run(command, folder, "fresh.csv", "--model", gone), "gone")
        assert_user_error(run(command, folder, "fresh.csv", "--schema", gone), "gone")
        assert_user_error(run(command, folder, "fresh.csv", "--reference", gone), "gone")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("command", ["audit", "report"])
    def test_bad_targets(self, folder: Path, tmp_path: Path, command: str) -> None:
        option = "--json-file"
        nowhere = tmp_path / "nowhere" / "r.html"
        assert_user_error(run(command, folder, "fresh.csv", "--html", nowhere), "no folder")
        assert_user_error(run(command, folder, "fresh.csv", "--html", tmp_path), "is a folder")
        same = tmp_path / "same"
        result = run(command, folder, "fresh.csv", "--html", same, option, same)
        assert_user_error(result, "a file of its own")

    def test_bad_options(self, folder: Path) -> None:
        assert_user_error(run("audit", folder, "fresh.csv", "--attack", "x"), "attacks must be")
        assert_user_error(run("audit", folder, "fresh.csv", "--budget-s", -1), "budget_s")
        assert_user_error(run("audit", folder, "fresh.csv", "--seed", -1), "random_state")
        assert_user_error(run("report", folder, "fresh.csv", "--detail", "x"), "name=text")
        assert_user_error(run("audit", folder, "fresh.csv", "--secret", "pay"), "pay")
        assert_user_error(run("audit", folder, "fresh.csv", "--group", "town"), "town")
        assert_user_error(run("report", folder, "fresh.csv", "--group", "x"), "no column of cat")

    def test_other_columns(self, folder: Path, tmp_path: Path) -> None:
        pd.read_csv(folder / "fresh.csv").drop(columns="c").to_csv(folder / "less.csv", index=False)
        page = tmp_path / "r.html"
        assert_user_error(run("audit", folder, "less.csv", "--html", page), "Missing", "['c']")
        assert list(tmp_path.iterdir()) == []

    def test_no_half_written_file(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(path: Path, raw: bytes) -> None:
            path.write_bytes(raw[:10])
            raise OSError(28, "No space left on device", str(path))

        monkeypatch.setattr(files, "write_synced", full)
        for option in ("--html", "--json-file"):
            target = tmp_path / "old"
            target.write_text("what was there")
            result = run("audit", folder, "fresh.csv", option, target)
            assert_user_error(result, "No space left")
            assert target.read_text() == "what was there"
            assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_shadow_fits_attack_chosen_rows(folder: Path) -> None:
    options = ("--model", folder / "model", "--shadow-fits", 16, "--seed", 0, "--json")
    result = run("audit", folder, "fresh.csv", *options)
    assert result.exit_code in (0, 3), result.output
    found = [line for line in json.loads(result.stdout)["attacks"] if line["attack"] == "shadow"]
    assert [line["population"] for line in found] == ["chosen"]
    assert_user_error(run("audit", folder, "fresh.csv", "--shadow-fits", 3), "shadow_fits")


def test_groups_are_judged(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    result = run("audit", folder, "copied.csv", "--group", "c", "--json-file", path)
    assert result.exit_code == 3
    assert "stand out most" in result.output
    assert "B9" in result.output
    groups = json.loads(path.read_text())["groups"]
    assert {group["column"] for group in groups} == {"c"}
    assert {group["level"] for group in groups} == {"a", "b"}


@pytest.mark.parametrize("name", ["members.csv", "holdout.csv", "fresh.csv"])
def test_what_is_read_is_not_written(folder: Path, name: str) -> None:
    before = (folder / name).read_bytes()
    for option in ("--html", "--json-file"):
        result = run("audit", folder, "fresh.csv", option, folder / name)
        assert_user_error(result, "is read; writing there would destroy it")
    assert (folder / name).read_bytes() == before
