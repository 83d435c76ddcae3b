"""The pure parts of the ablation: its variants can be trained, its table says what was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import synthgen
from benchmarks.quality.ablation import HERE, changes, recipe_of, report
from benchmarks.quality.trial_terms import triples
from synthgen.encode.base import Resolution
from synthgen.models.presets import resolve_recipe
from synthgen.train import moments

CONFIGS = ("ablation.json", "small.json", "sizes.json")


def variants() -> list[Any]:
    return [
        pytest.param(variant, id=f"{name}: {key}")
        for name in CONFIGS
        for key, variant in json.loads((HERE / name).read_text())["variants"].items()
    ]


@pytest.mark.parametrize("variant", variants())
def test_every_variant_can_be_fitted(variant):
    if "class" in variant:
        assert hasattr(synthgen, variant["class"])
        return
    for name in variant.get("terms", {}):
        assert name in {term.name for term in resolve_recipe("auto", 5_000, 0).terms}
    wish = variant.get("triples", {"groups": 1})
    with changes(variant), triples(wish["groups"], None):
        assert recipe_of(variant, 5_000, 300, 100).check()
    known = synthgen.GANSynthesizer().get_params()
    assert set(variant.get("parameters", {})) <= set(known)


def test_the_steps_of_a_variant_come_before_those_of_the_configuration():
    assert recipe_of({"recipe": {"steps": 7}}, 5_000, 300, 100).steps == 7
    assert recipe_of({}, 5_000, 300, 100).steps == 100
    assert recipe_of({}, 5_000, 300, None).steps == resolve_recipe("auto", 5_000, 300).steps


def test_constants_and_resolution_are_changed_for_a_while():
    variant = {"constants": {"train.moments": {"MOST_CELLS": 7}}, "resolution": {"few": 9}}
    before = moments.MOST_CELLS, Resolution.for_table(5_000, 10)
    with changes(variant):
        assert moments.MOST_CELLS == 7
        assert Resolution.for_table(5_000, 10) == replace(before[1], few=9)
    assert (moments.MOST_CELLS, Resolution.for_table(5_000, 10)) == before


def test_the_recipe_is_that_of_the_size_of_the_table():
    assert recipe_of({}, 300_000, 1_400, None) == resolve_recipe("auto", 300_000, 1_400)
    assert recipe_of({}, 300_000, 1_400, None) != recipe_of({}, 300_000, 400, None)


def line(variant: str, seed: int, score: float, seconds: float) -> dict[str, Any]:
    names = ("c2st_train", "c2st_trees", "utility", "trend", "membership_auc")
    return {
        "variant": variant, "data": "t", "seed": seed,
        "scores": dict.fromkeys(names, score), "costs": {"fit_cpu_seconds": seconds},
    }  # fmt: skip


def test_differences_are_from_the_base_of_the_same_table_and_seed():
    config = {"variants": {"base": {}, "other": {}, "alone": {}}}
    lines = [line("base", 0, 0.5, 10), line("base", 1, 0.7, 10), line("alone", 2, 0.9, 5)]
    lines += [line("other", 0, 0.6, 20), line("other", 1, 0.8, 30)]
    header, _, base, other = report(lines, config).splitlines()
    assert header.split("|")[1].strip() == "variant"
    assert base.split("|")[3].strip() == "0.600"
    assert [cell.strip() for cell in other.split("|")[1:4]] == ["other", "2 on 1", "+0.100 ± 0.000"]
    assert other.split("|")[-2].strip() == "x 2.50"
