"""Black-box audits of the whole pipeline: the healthy one passes, every planted mistake is caught.

Healthy and broken pipelines go through the same audit with as many runs. An attacker sees every
file of the saved model and every number that trains the network. The audited claim is epsilon 1; a
perfect attack with 40 runs of each world would give a bound above it.
"""

from __future__ import annotations

from typing import Any

import pytest

from synthgen.privacy.mechanism import audit_mechanism
from synthgen.privacy.mechanism_result import MechanismAudit
from tests.privacy.proof import breaks, pipeline

EPSILON = 1.0
#: Runs of each world: for leaks that show in every run, and for those that need counting.
FEW, MANY = 60, 240


def worst(n_runs: int, present_first: bool = False, epsilon: float = EPSILON) -> MechanismAudit:
    """Audit the worst case with the best statistic for sound noise."""
    schema, privacy = pipeline.worst_schema(), pipeline.worst_privacy(epsilon)
    worlds = [pipeline.worst_world(present) for present in (present_first, not present_first)]
    return audit_mechanism(
        lambda frame: pipeline.worst_statistic(pipeline.published(frame, schema, privacy)),
        *worlds,
        epsilon=epsilon,
        delta=pipeline.DELTA,
        n_runs=n_runs,
        statistic=float,
        random_state=0,
    )


def realistic(
    n_runs: int, schema: Any = None, group: str = "CANARY-4711", **facts: Any
) -> MechanismAudit:
    """Audit a person who stands out, with a statistic learnt from everything published."""
    schema = schema or pipeline.people_schema()
    privacy = pipeline.people_privacy(EPSILON, **facts)
    return audit_mechanism(
        lambda frame: pipeline.published(frame, schema, privacy),
        pipeline.people_world(False),
        pipeline.people_world(True, group),
        epsilon=EPSILON,
        delta=pipeline.DELTA,
        n_runs=n_runs,
        random_state=0,
    )


def test_worst_case_keeps_the_claim() -> None:
    found = worst(MANY)
    assert not found.refuted
    assert found.verdict == "not refuted"
    assert found.detectable is not None
    assert found.detectable < 12


def test_realistic_table_keeps_the_claim() -> None:
    for group in ("CANARY-4711", "d"):
        found = realistic(FEW, group=group)
        assert found.verdict == "not refuted"
        assert found.ceiling > EPSILON


def test_bought_domain_keeps_the_claim() -> None:
    # With a tenth for the domain one fit in 2,600 finds no range that enough rows share.
    found = realistic(FEW, pipeline.open_schema(), infer="spend", schema_share=0.4)
    assert found.verdict == "not refuted"


COUNTED = {
    "noise divided": breaks.noise_divided,
    "wrong sensitivity": breaks.wrong_sensitivity,
    "no clip": breaks.no_clip,
}


@pytest.mark.parametrize("name", COUNTED)
def test_too_little_noise_is_caught(name: str) -> None:
    with COUNTED[name]():
        found = worst(MANY)
    assert found.refuted, found.describe()


PLAIN = {"no noise": breaks.no_noise, "seeded noise": breaks.seeded_noise}


@pytest.mark.parametrize("name", PLAIN)
def test_repeatable_noise_is_caught(name: str) -> None:
    with PLAIN[name]():
        found = worst(FEW)
    assert found.refuted, found.describe()
    assert found.lower == pytest.approx(found.ceiling)


FROM_DATA = {
    "categories": breaks.categories_from_data,
    "bounds": breaks.bounds_from_data,
    "missing flag": breaks.missing_flag_from_data,
    "single values": breaks.granularity_from_data,
    "class prior": breaks.exact_prior,
    "joined cells": breaks.pairs_from_data,
    "number of rows": breaks.exact_rows,
    "an exact mean": breaks.rows_in_the_model,
}


@pytest.mark.parametrize("name", FROM_DATA)
def test_facts_from_the_data_are_caught(name: str) -> None:
    with FROM_DATA[name]():
        # Only a declared category is counted in a prior.
        found = realistic(FEW, group="d" if name == "class prior" else "CANARY-4711")
    assert found.refuted, found.describe()
