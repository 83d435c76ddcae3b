"""Tests of the drawing of quality over processor time."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from benchmarks.quality.curve import HERE, curve_of, main, picture
from benchmarks.quality.results import read_config


def cell(model: str, seconds: float, score: float, **parameters: int) -> dict:
    return {
        "data": "t", "model": model, "seed": 0, "parameters": parameters, "threads": 2,
        "scores": {"c2st_trees": score, "utility": score / 2},
        "costs": {"fit_cpu_seconds": seconds},
    }  # fmt: skip


def test_a_curve_is_its_points_and_the_fit_with_defaults_in_order_of_time():
    points = [cell("gan", 40, 0.5, max_steps=9), cell("gan", 10, 0.2, max_steps=3)]
    whole = [cell("gan", 90, 0.9), cell("gan", 50, 0.7, latent=3), cell("arf", 20, 0.1)]
    found = curve_of("gan", "t", "c2st_trees", points, whole, 0)
    assert found == [(10, 0.2), (40, 0.5), (90, 0.9)]
    assert curve_of("gan", "t", "c2st_trees", points, whole, 1) == []


def test_failed_cells_are_no_points():
    failed = {name: cell("arf", 1, 1)[name] for name in ("data", "model", "seed", "parameters")}
    assert curve_of("arf", "t", "utility", [], [failed | {"error": "no"}], 0) == []


def test_a_fit_in_no_time_has_a_place_on_the_axis():
    assert curve_of("copula", "t", "utility", [], [cell("copula", 0, 0.5)], 0) == [(0.1, 0.25)]


def test_the_drawing_names_every_model_and_has_a_dot_for_every_point():
    config = {"data": ["t"], "seed": 0, "budgets": {"gan": {"max_steps": [3]}}, "whole": ["arf"]}
    points = [cell("gan", 10, 0.2, max_steps=3)]
    whole = [cell("gan", 90, 0.9), cell("arf", 20, -0.1)]
    root = ET.fromstring(picture(points, whole, config))
    name = "{http://www.w3.org/2000/svg}"
    assert len(list(root.iter(f"{name}circle"))) == 2 * 3
    words = [text.text for text in root.iter(f"{name}text")]
    assert {"gan", "arf", "t: C2ST", "t: utility", "10", "100"} <= set(words)


def test_the_configured_models_exist_and_the_drawing_is_written(tmp_path):
    config, known = json.loads((HERE / "curve.json").read_text()), read_config()
    assert {*config["budgets"], *config["whole"]} <= set(known["models"])
    assert set(config["data"]) <= set(known["datasets"])
    target = tmp_path / "curve.svg"
    assert main(["--only-draw", "--picture", str(target)]) == 0
    assert target.read_text().startswith("<svg ")


@pytest.mark.parametrize("place", ["budgets", "whole"])
def test_no_model_is_drawn_twice(place):
    config = json.loads((HERE / "curve.json").read_text())
    assert not set(config["budgets"]) & set(config["whole"])
    assert config[place]
