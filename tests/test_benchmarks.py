"""The pure parts of the quality benchmark, and how it calls a peer's process."""

from __future__ import annotations

import sys
import time
from argparse import Namespace

import pandas as pd
import pytest

from benchmarks.privacy.peers import PEER as PRIVATE_PEER
from benchmarks.quality.peers import call, install
from benchmarks.quality.report import half_width, report
from benchmarks.quality.results import read_config
from benchmarks.quality.run import missing_peers, plan, seconds_for


def options(**changed):
    default = {"data": None, "model": None, "seeds": [0], "overrides": [], "threads": None}
    return Namespace(**default | changed)


def test_peers_run_only_when_they_are_named():
    config = read_config()
    models = {cell["model"] for cell in plan(options(), config)}
    assert {"gan", "floor", "ceiling"} <= models
    assert not any("peer" in config["models"][model] for model in models)
    (cell,) = plan(options(data=["adult"], model=["sdv-ctgan"]), config)
    assert cell["parameters"] == {}
    assert seconds_for(cell, config, 10.0) == 10.0 + config["peer_limits"]["whole"]


def test_every_peer_has_a_driver_and_requirements():
    config = read_config()
    named = {entry["peer"] for entry in config["models"].values() if "peer" in entry}
    named |= {PRIVATE_PEER}
    assert named == set(install.peers())
    assert all((install.HERE / f"drive_{peer}.py").is_file() for peer in named)


def test_requirements_are_pinned():
    for peer in install.peers():
        lines = install.requirements(peer).read_text().splitlines()
        assert all("==" in line for line in lines if not line.startswith("#"))


def test_a_peer_is_installed_once_its_stamp_equals_its_requirements(tmp_path, monkeypatch):
    requirements = tmp_path / "requirements-x.txt"
    requirements.write_text("a==1\n")
    stamp = tmp_path / "venvs" / "x" / "requirements.txt"
    assert not install.installed("x", tmp_path, tmp_path / "venvs")
    stamp.parent.mkdir(parents=True)
    stamp.write_text("a==1\n")
    assert install.installed("x", tmp_path, tmp_path / "venvs")
    requirements.write_text("a==2\n")
    assert not install.installed("x", tmp_path, tmp_path / "venvs")
    config = {"models": {"m": {"peer": "x"}, "gan": {}}}
    monkeypatch.setattr("benchmarks.quality.run.installed", lambda peer: False)
    assert missing_peers(config, ["m", "gan"]) == ["x"]
    assert missing_peers(config, ["gan"]) == []


def test_rows_of_a_peer_must_be_those_asked_for():
    train = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert list(call.check_rows(train[["b", "a"]], train)) == ["a", "b"]
    with pytest.raises(call.PeerError, match=r"lack the columns \['b'\]"):
        call.check_rows(train[["a"]], train)
    with pytest.raises(call.PeerError, match="1 synthetic rows where 2"):
        call.check_rows(train.head(1), train)


def test_the_error_of_a_peer_is_its_last_line(tmp_path):
    with pytest.raises(call.PeerError, match=r"^ValueError: no NaN$"):
        call.run_group([sys.executable, "-c", "raise ValueError('no NaN')"], tmp_path, {}, 60)


def test_a_peer_and_its_workers_end_with_the_limit(tmp_path):
    beat = tmp_path / "beat"
    worker = (
        f"import time, pathlib\nwhile True: pathlib.Path({str(beat)!r}).touch(); time.sleep(0.01)"
    )
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {worker!r}])"
    with pytest.raises(call.PeerError, match="not finished after 2 seconds"):
        call.run_group([sys.executable, "-c", program], tmp_path, {}, 2)
    beat.unlink()
    time.sleep(0.2)
    assert not beat.exists()


def test_last_error_prefers_the_limit_to_what_follows_it():
    assert call.last_error("not finished after 5 seconds\nwarnings.warn(\n", 124) == (
        "not finished after 5 seconds"
    )


def cell(model, seed, **changed):
    base = {"data": "d", "model": model, "seed": seed, "parameters": {}, "threads": 1}
    return base | changed


def test_report_shows_peers_beside_ours_and_failures_with_their_error():
    def done(model, seed, value):
        return cell(model, seed, scores={"shape": value}, costs={"fit_seconds": 1.0})

    cells = [
        done("gan", 0, 0.9), done("gan", 1, 0.8), done("sdv-copula", 0, 0.95),
        cell("arf", 0, error="ValueError: Domain error"),
        cell("floor", 0, scores={"shape": 0.99}, costs={}),
    ]  # fmt: skip
    config = {
        "datasets": {"d": {}},
        "models": {"gan": {}, "sdv-copula": {}, "arf": {}, "floor": {}},
    }
    text = report(cells, config)
    assert "| gan | 2 | 0.8500 ± 0.6353 |" in text  # 12.706 * 0.0707 / sqrt 2
    assert "| sdv-copula | 1 | **0.9500** |" in text
    assert "| arf | 0 | failed |" in text
    assert "| floor | 1 | 0.9900 |" in text
    assert "- arf, seed 0: failed: ValueError: Domain error" in text


def test_half_width_beyond_the_table_is_that_of_its_end():
    assert half_width(1.0, 100) == pytest.approx(0.2228)
