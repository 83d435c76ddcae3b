"""The benchmark's scripts: planning, resuming, reporting, checking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.quality import check, report, results, run

from .tables import related

CONFIG: dict[str, Any] = {
    "threads": 1,
    "seeds": [0, 1],
    "datasets": {"toy": {"file": "toy.csv", "target": "label", "task": "classification"}},
    "models": {
        "ceiling": {},
        "broken": {"class": "NoSuchModel", "parameters": {"steps": 1}},
        "floor": {},
    },
    "thresholds": [
        {"data": "toy", "model": "floor", "figure": "c2st_trees", "maximum": 0.6},
        {"data": "toy", "model": "ceiling", "figure": "c2st_trees", "minimum": 0.8},
    ],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration and a small data set."""
    (tmp_path / "tabular").mkdir()
    related(1500, 1).to_csv(tmp_path / "tabular" / "toy.csv", index=False)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    monkeypatch.setenv("SYNTHGEN_DATA", str(tmp_path))
    return tmp_path


def options(folder: Path, *more: str) -> list[str]:
    return ["--config", str(folder / "config.json"), "--results", str(folder / "out"), *more]


def made_cell(model: str = "gan", seed: int = 0, **changes: Any) -> results.Cell:
    cell = {"data": "toy", "model": model, "seed": seed, "parameters": {}, "threads": 1}
    return cell | {"scores": {"shape": 0.9}, "costs": {"fit_seconds": 2.0}} | changes


@pytest.mark.slow
def test_from_run_to_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = options(folder, "--model", "floor", "ceiling", "--seeds", "0")
    assert run.main(wanted) == 0
    floor, ceiling = results.read_results(folder / "out")
    assert floor["scores"]["shape"] == pytest.approx(1.0)
    assert floor["scores"]["c2st_trees"] < 0.6 < 0.8 < ceiling["scores"]["c2st_trees"]
    assert floor["rows"] == {"train": 1350, "holdout": 150, "columns": 4}
    assert floor["versions"]["numpy"] == np.__version__
    assert "cores" in floor["machine"]

    capsys.readouterr()
    assert run.main(wanted) == 0
    assert capsys.readouterr().out.count("already there") == 2
    assert len((folder / "out" / "toy.jsonl").read_text().splitlines()) == 2

    assert report.main(options(folder)) == 0
    text = capsys.readouterr().out
    assert text.index("| ceiling |") < text.index("| floor |")
    assert check.main(options(folder)) == 0
    assert "2 thresholds: 2 met, 0 missed, 0 absent" in capsys.readouterr().out


@pytest.mark.slow
def test_a_failing_model_is_a_line_and_is_tried_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = options(folder, "--model", "broken", "--seeds", "0")
    assert run.main(wanted) == 1
    (cell,) = results.read_results(folder / "out")
    assert "NoSuchModel" in cell["error"]
    assert cell["parameters"] == {"steps": 1}
    assert run.main(wanted) == 1
    assert "already there" not in capsys.readouterr().out
    assert report.main(options(folder)) == 0
    assert "failed: AttributeError" in capsys.readouterr().out


def test_absent_data_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SYNTHGEN_DATA")
    assert run.main(options(folder)) == 0
    assert "SYNTHGEN_DATA does not name the folder" in capsys.readouterr().err
    assert run.main(options(folder, "--data", "toy")) == 1
    monkeypatch.setenv("SYNTHGEN_DATA", str(folder / "elsewhere"))
    assert run.main(options(folder)) == 0
    assert "there is no file" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_plan_takes_overrides_for_models_only(folder: Path) -> None:
    chosen = run.parse(options(folder, "--seeds", "5", "--set", "steps=20", "device=cpu", "x=[1]"))
    cells = {cell["model"]: cell for cell in run.plan(chosen, CONFIG)}
    assert cells["broken"]["parameters"] == {"steps": 20, "device": "cpu", "x": [1]}
    assert cells["floor"]["parameters"] == {}
    assert cells["floor"]["seed"] == 5
    with pytest.raises(SystemExit, match="unknown"):
        run.plan(run.parse(options(folder, "--model", "none")), CONFIG)
    with pytest.raises(SystemExit, match="NAME=VALUE"):
        run.plan(run.parse(options(folder, "--set", "steps")), CONFIG)


def test_the_last_line_of_a_cell_counts(tmp_path: Path) -> None:
    results.append_result(made_cell(error="too slow"), tmp_path)
    results.append_result(made_cell(scores={"shape": 0.5}), tmp_path)
    results.append_result(made_cell(seed=1), tmp_path)
    results.append_result(made_cell(parameters={"steps": 2}), tmp_path)
    cells = results.read_results(tmp_path)
    assert len(cells) == 3
    assert cells[0]["scores"]["shape"] == 0.5
    assert results.mean_and_spread(cells[:2], "shape") == pytest.approx((0.7, 0.2828, 2), abs=1e-3)
    assert results.mean_and_spread(cells, "nothing") is None


def test_check_judges() -> None:
    config = {"threads": 1, "models": {"gan": {"parameters": {}}}}
    threshold = {"data": "toy", "model": "gan", "figure": "shape", "minimum": 0.8}
    good = [made_cell(seed=0), made_cell(seed=1, scores={"shape": 0.72})]
    assert check.judge(threshold, good, config)[0] == "ok"
    assert check.judge(threshold | {"minimum": 0.82}, good, config)[0] == "MISSED"
    upper = {"data": "toy", "model": "gan", "figure": "fit_seconds", "maximum": 2.0}
    assert check.judge(upper, good, config)[0] == "ok"
    assert check.judge(upper | {"maximum": 1.9}, good, config)[0] == "MISSED"
    assert check.judge(threshold, [], config)[0] == "absent"
    other = [made_cell(parameters={"steps": 9}), made_cell(threads=8)]
    assert check.judge(threshold, other, config)[0] == "absent"
    verdict, line = check.judge(threshold, [*good, made_cell(seed=2, error="died")], config)
    assert verdict == "MISSED"
    assert "1 of 3 seeds failed: died" in line


def test_check_exits_1_on_absent_unless_told(folder: Path) -> None:
    assert check.main(options(folder)) == 1
    assert check.main(options(folder, "--present")) == 0
    assert check.main(options(folder, "--data", "other")) == 0


def test_report_puts_the_best_model_in_bold() -> None:
    cells = [
        made_cell("a", scores={"shape": 0.91, "c2st_trees": 0.8}),
        made_cell("a", seed=1, scores={"shape": 0.93, "c2st_trees": 0.8}),
        made_cell("b", scores={"shape": 0.5}),
        made_cell("floor", scores={"shape": 0.99}, costs={}),
    ]
    text = report.report(cells, CONFIG)
    assert "| a | 2 | **0.9200 ± 0.1271** | **0.800 ± 0.000** |" not in text
    assert "| a | 2 | **0.9200 ± 0.1271** | 0.800 ± 0.000 |" in text
    assert "| b | 1 | 0.5000 | n/a |" in text
    assert "| floor | 1 | 0.9900 | n/a | n/a |" in text


def test_split_by_seed(folder: Path) -> None:
    from benchmarks.quality import cell

    entry = CONFIG["datasets"]["toy"]
    train, holdout = cell.load(entry, 0)
    table = pd.read_csv(folder / "tabular" / "toy.csv")
    assert (len(train), len(holdout)) == (1350, 150)
    assert sorted([*train["x"], *holdout["x"]]) == sorted(table["x"])
    assert not holdout.equals(cell.load(entry, 1)[1])
    assert holdout.equals(cell.load(entry, 0)[1])


class Repeater:
    """A model that gives its training rows back."""

    def __init__(self, *, random_state: int, extra: int = 0) -> None:
        self.settings = (random_state, extra)

    def fit(self, table: pd.DataFrame) -> None:
        self.table = table

    def sample(self, n_samples: int, *, random_state: int) -> pd.DataFrame:
        assert self.settings == (random_state, 7)
        return self.table.iloc[:n_samples]


def test_a_model_is_fitted_sampled_and_scored(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import synthgen
    from benchmarks.quality import cell

    monkeypatch.setattr(synthgen, "Repeater", Repeater, raising=False)
    config = CONFIG | {"models": {"gan": {"class": "Repeater"}}}
    plan = {"data": "toy", "model": "gan", "seed": 3, "parameters": {"extra": 7}, "threads": 1}
    line = cell.run(config, plan)
    scores, costs = line["scores"], line["costs"]
    assert (scores["shape"], scores["copy_share"], scores["missing_gap"]) == (1.0, 1.0, 0.0)
    assert scores["copy_excess"] == 1.0 - scores["copy_share_holdout"]
    assert scores["membership_auc"] > 0.9
    # Only a ninth of the training rows enters this one, as many as there are holdout rows.
    assert scores["nearest_share"] > 0.52
    assert scores["utility"] == scores["utility_real"]
    assert costs["sample_rows_per_second"] == pytest.approx(1350 / costs["sample_seconds"])
    assert 0 < costs["loaded_peak_mb"] <= costs["fit_peak_mb"] <= costs["peak_mb"]
    assert json.loads(json.dumps(line, allow_nan=False))["parameters"] == {"extra": 7}


def test_peak_memory_is_that_of_this_process() -> None:
    from benchmarks.quality import cell

    before = cell.peak_mb()
    block = np.ones(30_000_000)
    grown = cell.peak_mb()
    assert block.nbytes / 2**20 < grown < before + 400


def test_the_committed_configuration_is_consistent() -> None:
    config = results.read_config()
    for threshold in config["thresholds"]:
        assert threshold["data"] in config["datasets"]
        assert threshold["model"] in config["models"]
        assert ("minimum" in threshold) != ("maximum" in threshold)
    import synthgen

    classes = {
        model["class"]
        for model in config["models"].values()
        if "class" in model and "peer" not in model
    }
    assert classes <= set(dir(synthgen))
