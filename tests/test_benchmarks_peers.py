"""The table of peers in the documentation: what it shows, and that it is up to date."""

from __future__ import annotations

from benchmarks.quality.compare_peers import PAGE, page
from benchmarks.quality.results import read_config, read_results


def cell(model, **changed):
    scores = {"c2st_trees": 0.5, "utility": 0.9}
    found = {"data": "d", "model": model, "seed": 0, "parameters": {}, "threads": 2}
    rows = {"train": 1000, "holdout": 100, "columns": 5}
    return found | {"scores": scores, "costs": {"fit_seconds": 60.0}, "rows": rows} | changed


def config():
    chosen = {"datasets": ["d"], "models": ["gan", "peer"], "seeds": [0]}
    return {"peers_table": chosen, "models": {"gan": {}, "peer": {}}, "datasets": {"d": {}}}


def test_a_peer_that_fails_is_shown_with_its_own_message():
    failed = cell("peer", error="ValueError: Input contains NaN")
    del failed["scores"], failed["costs"]
    text = page([cell("gan"), failed], config())
    assert "| peer | 0 | failed |" in text
    assert "- peer, seed 0: failed: ValueError: Input contains NaN" in text
    assert "1,000 training rows, 100 holdout rows, 5 columns." in text


def test_the_best_fitted_model_is_bold_and_others_are_not():
    text = page([cell("gan"), cell("peer", scores={"c2st_trees": 0.4, "utility": 0.91})], config())
    gan, peer = (line for line in text.splitlines() if line.startswith(("| gan", "| peer")))
    assert "**0.500**" in gan
    assert "| 0.900 |" in gan
    assert "| 0.400 |" in peer
    assert "**0.910**" in peer


def test_changed_parameters_and_other_models_stay_out():
    cells = [cell("gan", parameters={"max_steps": 5}), cell("other"), cell("peer")]
    text = page(cells, config())
    assert "gan" not in text
    assert "other" not in text


def test_the_documentation_shows_the_committed_results():
    assert PAGE.read_text() == page(read_results(), read_config())
