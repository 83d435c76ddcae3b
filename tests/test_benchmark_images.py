"""The image benchmark: its plan, its tables, what decides the default, and one small cell."""

from __future__ import annotations

import gzip
import json
import subprocess

import numpy as np
import pytest

from benchmarks.images import budget, cell, check, data, presets, run
from benchmarks.images.report import competes, ranking, regrets, report
from benchmarks.quality.results import append_result, key, read_config, read_results
from synthgen.train.image_recipe import ImageRecipe

CONFIG = {
    "threads": 1,
    "seeds": [0, 1],
    "figures": {"regret": "cas"},
    "datasets": {
        "one": {"source": "digits", "train": 10, "sample": 10, "cpu_seconds": 5},
        "two": {"source": "digits", "train": 10, "sample": 10, "cpu_seconds": 5},
    },
    "models": {"real": {}, "a": {"preset": "strided"}, "b": {"preset": "dcgan"}},
}


def line(model, seed, cas, dataset="one", **changed):
    scores = {"cas": cas, "diverged": changed.pop("diverged", 0.0)}
    base = {"data": dataset, "model": model, "seed": seed, "parameters": {}, "threads": 1}
    return base | {"scores": scores, "costs": {"steps": 7, "fit_cpu_seconds": 5.0}} | changed


# --- configuration and plan ---------------------------------------------------------------------


def test_every_configured_recipe_can_be_built_and_differs_from_the_others():
    config = read_config(run.CONFIG)
    images = np.zeros((600, 1, 28, 28), dtype=np.float32)
    images[:, :, 10:20] = 1.0
    recipes = {
        name: cell.recipe_of(model, images)
        for name, model in config["models"].items()
        if "preset" in model
    }
    assert len(recipes) >= 6
    assert len({json.dumps(r.to_json() | {"name": ""}) for r in recipes.values()}) == len(recipes)
    assert all(recipe.condition != "none" for recipe in recipes.values())
    assert {recipe.width for recipe in recipes.values()} == {32}
    names = {(t["data"], t["model"]) for t in config["thresholds"]}
    assert {data for data, _ in names} <= set(config["datasets"])
    assert {model for _, model in names} <= set(config["models"])


def test_the_plan_is_all_cells_and_a_longer_training_is_another_one():
    cells = run.plan(run.parse([]), CONFIG)
    assert len(cells) == 2 * 3 * 2
    chosen = run.plan(run.parse(["--data", "two", "--model", "a", "--seeds", "5"]), CONFIG)
    (plain,) = chosen
    assert plain == {"data": "two", "model": "a", "seed": 5, "parameters": {}, "threads": 1}
    options = run.parse(
        ["--data", "two", "--model", "real", "a", "--seeds", "5", "--seconds", "9",
         "--set", "width=48"]
    )  # fmt: skip
    real, longer = run.plan(options, CONFIG)
    assert real["parameters"] == {}
    assert longer["parameters"] == {"seconds": 9.0, "width": 48}
    assert key(longer) != key(plain)


def test_a_data_set_may_name_its_recipes_and_then_decides_nothing():
    few = CONFIG["datasets"] | {"two": CONFIG["datasets"]["two"] | {"models": ["real", "b"]}}
    config = CONFIG | {"datasets": few}
    cells = run.plan(run.parse(["--data", "two", "--seeds", "0"]), config)
    assert [cell["model"] for cell in cells] == ["real", "b"]
    assert list(regrets([line("a", 0, 0.8), line("b", 0, 0.9, "two")], config)) == ["one"]


def test_unknown_names_are_refused():
    with pytest.raises(SystemExit, match=r"--model: unknown \['c'\]"):
        run.plan(run.parse(["--model", "c"]), CONFIG)


def test_a_failed_cell_is_a_line_with_the_last_words(monkeypatch):
    def fail(command, **options):
        assert json.loads(command[3])["model"] == "a"
        assert options["env"]["OMP_NUM_THREADS"] == "1"
        return subprocess.CompletedProcess(command, 1, "", "Traceback\nKeyError: 'x'\n")

    monkeypatch.setattr(subprocess, "run", fail)
    failed = run.run_one(line("a", 0, 0.0), run.CONFIG, timeout=1)
    assert failed["error"] == "KeyError: 'x'"
    assert run.describe(failed) == "FAILED: KeyError: 'x'"


def test_cells_that_are_there_are_not_run_again(tmp_path, capsys, monkeypatch):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIG))
    monkeypatch.setattr(run, "run_one", lambda cell, *more: line("a", cell["seed"], 0.5))
    common = ["--config", str(config), "--results", str(tmp_path / "r"), "--data", "one"]
    assert run.main([*common, "--model", "a", "--seeds", "0"]) == 0
    assert run.main([*common, "--model", "a"]) == 0
    assert "seed 0: already there" in capsys.readouterr().out
    assert [c["seed"] for c in read_results(tmp_path / "r")] == [0, 1]


# --- data ---------------------------------------------------------------------------------------


def test_idx_files_are_read_by_their_header(tmp_path):
    path = tmp_path / "x.gz"
    header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (2, 1, 3))
    path.write_bytes(gzip.compress(header + bytes(range(6))))
    assert data.read_idx(path).tolist() == [[[0, 1, 2]], [[3, 4, 5]]]
    path.write_bytes(gzip.compress(b"\x00\x00\x0d\x01"))
    with pytest.raises(ValueError, match="no IDX file of bytes"):
        data.read_idx(path)


def test_absent_data_is_named(tmp_path, monkeypatch):
    entry = {"source": "fashion_mnist"}
    monkeypatch.delenv("SYNTHGEN_DATA", raising=False)
    assert "SYNTHGEN_DATA" in str(data.missing(entry, "f"))
    monkeypatch.setenv("SYNTHGEN_DATA", str(tmp_path))
    assert str(tmp_path) in str(data.missing(entry, "f"))
    assert data.missing({"source": "digits"}, "d") is None


def test_digits_are_split_by_the_seed_without_overlap():
    entry = {"source": "digits", "train": 1400}
    first, again, other = (data.load(entry, seed) for seed in (0, 0, 1))
    assert (len(first.images), len(first.holdout)) == (1400, 397)
    assert first.images.dtype == np.uint8
    assert first.images.max() == 255
    assert (first.images == again.images).all()
    assert (first.labels != other.labels).any()
    total = np.bincount(first.labels) + np.bincount(first.holdout_labels)
    assert total.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


# --- what decides -------------------------------------------------------------------------------


def test_regret_is_the_gap_to_the_best_recipe_on_common_seeds():
    cells = [
        line("real", 0, 0.99), line("a", 0, 0.8), line("a", 1, 0.6), line("b", 0, 0.7),
        line("a", 0, 0.5, "two"), line("b", 0, 0.9, "two"),
    ]  # fmt: skip
    found = regrets(cells, CONFIG)
    assert found["one"] == pytest.approx({"a": 0.0, "b": 0.1})  # seed 1 is a's alone
    assert found["two"] == pytest.approx({"a": 0.4, "b": 0.0})
    (first, second) = ranking(cells, CONFIG)
    assert first[:3] == ("b", pytest.approx(0.05), 0)
    assert second[:3] == ("a", pytest.approx(0.2), 0)
    text = report(cells, CONFIG)
    assert "| b | **0.050** | 0 | 0.100 | 0.000 |" in text
    assert "| a | 0.200 | 0 | 0.000 | 0.400 |" in text


def test_recipes_with_all_seeds_leave_the_others_out():
    cells = [line("a", seed, 0.8) for seed in (0, 1)] + [line("b", seed, 0.7) for seed in (0, 1)]
    assert regrets([*cells, line("c", 0, 0.9)], CONFIG)["one"] == pytest.approx({"a": 0, "b": 0.1})


def test_a_recipe_that_diverged_once_comes_last():
    cells = [
        line("a", 0, 0.9), line("a", 1, 0.9, diverged=1.0), line("b", 0, 0.4), line("b", 1, 0.4),
    ]  # fmt: skip
    entries = ranking(cells, {**CONFIG, "datasets": {"one": CONFIG["datasets"]["one"]}})
    assert [(entry[0], entry[2]) for entry in entries] == [("b", 0), ("a", 1)]


def test_failed_partial_and_changed_recipes_have_no_regret():
    failed = {k: v for k, v in line("b", 0, 0).items() if k != "scores"} | {
        "error": "TrainingError"
    }
    cells = [line("a", 0, 0.9), failed, line("a", 0, 1.0, parameters={"width": 64})]
    assert regrets(cells, CONFIG) == {"one": {"a": 0.0}}
    assert not competes("b", [failed])
    assert "- b, seed 0: failed: TrainingError" in report(cells, CONFIG)
    only_one = [line("a", 0, 0.9), line("b", 0, 0.9), line("a", 0, 0.9, "two")]
    assert [entry[0] for entry in ranking(only_one, CONFIG)] == ["a"]
    assert ranking([line("a", 0, None)], CONFIG) == []


def test_the_report_marks_the_best_recipe_but_never_the_real_images():
    cells = [line("real", 0, 0.99), line("a", 0, 0.8), line("b", 0, 0.7)]
    text = report(cells, CONFIG)
    assert "| real | 1 | 0.990 |" in text
    assert "| a | 1 | **0.800** |" in text
    assert "| b | 1 | 0.700 |" in text


def test_the_check_reads_its_own_results(tmp_path, capsys):
    config = CONFIG | {
        "thresholds": [{"data": "one", "model": "a", "figure": "cas", "minimum": 0.7}]
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    common = ["--config", str(path), "--results", str(tmp_path / "r")]
    assert check.main(common) == 1
    assert check.main([*common, "--present"]) == 0
    append_result(line("a", 0, 0.8), tmp_path / "r")
    assert check.main(common) == 0
    append_result(line("a", 1, 0.5), tmp_path / "r")
    assert check.main(common) == 1
    assert "MISSED" in capsys.readouterr().out


# --- cells --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "expected"),
    [((1.9, 0.9), False), ((2.1, 0.9), True), ((1.0, 0.2), True), ((float("nan"), 0.9), True)],
)
def test_divergence_is_a_fall_back_or_a_loss_of_variety(last, expected):
    first = {"distance": 1.0, "diversity": 0.9}
    history = [first, {"distance": last[0], "diversity": last[1]}]
    assert cell.has_diverged(history) is expected


def test_steps_fit_the_processor_time_after_the_monitors_share():
    pace = budget.Pace(step_seconds=0.5, look_seconds=1.0)
    assert pace.steps(120.0) == 200
    assert pace.steps(1.0) == budget.LOOKS


def test_pace_is_measured(monkeypatch):
    monkeypatch.setattr(budget, "_LEAST_SECONDS", 0.05)
    images = np.random.default_rng(0).uniform(-1, 1, (40, 1, 8, 8)).astype(np.float32)
    recipe = ImageRecipe(name="r", objective="hinge", batch_size=8, width=4, critic_width=4)
    pace = budget.measure(images, np.arange(40) % 4, recipe.check(), bfloat16=False)
    assert 0 < pace.step_seconds < 5
    assert 0 < pace.look_seconds < 5


def test_one_cell_from_data_to_line(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "_LEAST_SECONDS", 0.05)
    config = CONFIG | {
        "datasets": {"one": {"source": "digits", "train": 400, "sample": 200, "cpu_seconds": 0.1}},
        "models": {
            "real": {},
            "a": {"preset": "strided", "samplings": {"critic": {"reject": "critic"}}},
            "gan": {"preset": "gan"},
        },
    }
    wanted = {"data": "one", "seed": 0, "threads": 1}
    picture = tmp_path / "picture.png"
    found = cell.run(config, wanted | {"model": "a", "parameters": {"width": 8}}, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["costs"]["steps"] >= budget.LOOKS
    assert found["costs"]["images_seen"] == 64 * found["costs"]["steps"]
    assert {"cas", "cas_last", "cas_critic", "fd", "kid", "coverage", "diverged"} <= set(
        found["scores"]
    )
    real = cell.run(config, wanted | {"model": "real", "parameters": {}})
    assert real["scores"]["cas"] > 0.8 > found["scores"]["cas"]
    assert real["scores"]["fd"] < found["scores"]["fd"]
    assert real["scores"]["class_coverage"] == 1.0
    unlabelled = cell.run(config, wanted | {"model": "gan", "parameters": {"width": 8}})
    assert unlabelled["scores"]["cas"] is None


# --- presets ------------------------------------------------------------------------------------


def preset(model="a", **scores):
    default = {"fd_untrained": 100.0, "fd": 5.0, "class_coverage": 1.0, "diversity": 0.9,
               "regress": 1.0, "diverged": 0.0}  # fmt: skip
    found = line(model, 0, None, presets.DATA)
    return found | {"scores": default | scores, "costs": {"steps": 5, "fit_cpu_seconds": 9.0}}


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ({}, "holds"),
        ({"fd": 50.0}, "holds"),
        ({"fd": 50.1}, "**fails**: distance not halved"),
        ({"class_coverage": 0.9}, "**fails**: digits are missing"),
        ({"diverged": 1.0}, "**fails**: collapsed or went astray"),
        ({"fd": None}, "**fails**: training ended without a result"),
    ],
)
def test_a_preset_holds_if_it_halves_its_distance_and_makes_all_digits(scores, words):
    assert presets.verdict(preset(**scores)) == words


def test_the_table_shows_failing_presets_below_the_others():
    rows = presets.table([preset("bad", fd=None), preset("poor", fd=80.0), preset("good")])
    lines = rows.splitlines()[2:]
    assert [text.split(" | ")[0] for text in lines] == ["| good", "| poor", "| bad"]
    assert lines[0] == "| good | 100.0 | 5.00 | 20.0 | 10 | 0.90 | 1.00 | 5 | 9 | holds |"
    assert "| n/a |" in lines[2]


def test_the_documentation_shows_what_became_of_every_preset():
    cells = presets.chosen(read_results(run.RESULTS))
    assert presets.PAGE.read_text() == presets.table(cells) + "\n"
