"""The variants of corrections that are compared change constants that there are."""

from __future__ import annotations

import json
from importlib import import_module

import pytest

from benchmarks.quality.corrections import CONFIG
from synthgen import GANSynthesizer

VARIANTS = json.loads(CONFIG.read_text())["variants"]


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_changes_something_that_there_is(name):
    variant = VARIANTS[name]
    assert set(variant) <= {"constants", "parameters"}
    for module, constants in variant.get("constants", {}).items():
        known = import_module(f"synthgen.{module}")
        for constant, value in constants.items():
            assert getattr(known, constant) != value
    assert set(variant.get("parameters", {})) <= set(GANSynthesizer().get_params())
