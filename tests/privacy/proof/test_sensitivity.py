"""No row moves a release by more than was charged for it: fuzzed through the real pipeline."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgen import DPMarginals
from synthgen.dp.events import ADJACENCIES
from synthgen.dp.ledger import Ledger
from tests.privacy.proof import breaks, pipeline
from tests.privacy.proof.transcripts import Transcript, moved, neighbours, recorded

#: Rows as bad as they get: undeclared, out of range, missing, huge, at the ends.
ROWS = st.fixed_dictionaries(
    {
        "group": st.sampled_from(["a", "c", "d", "CANARY", None]),
        "age": st.sampled_from([0.0, 40.0, 117.0, 1e9, -5.0, np.nan]),
        "pay": st.sampled_from([0.0, 98_765.0, 50_000.0, -1e300, 1e300, np.nan]),
        "score": st.sampled_from([0.0, 0.1, 59.0, 120.0, 1e-30, np.nan]),
    }
)


def transcripts(
    frame: pd.DataFrame, row: int, values: dict[str, Any], schema: Any, privacy: DPMarginals
) -> tuple[Transcript, Transcript]:
    first, second = neighbours(frame, row, values, privacy.adjacency)
    one = Transcript()
    with recorded(one):
        pipeline.published(first, schema, privacy)
    two = Transcript(given=one.steps)
    with recorded(two):
        pipeline.published(second, schema, privacy)
    return one, two


def largest(one: Transcript, two: Transcript) -> float:
    """Return the largest move of a release, in parts of what was charged for it."""
    assert [step.event for step in one.steps] == [step.event for step in two.steps]
    return max(
        moved(first, second) / first.event.sensitivity
        for first, second in zip(one.steps, two.steps, strict=True)
    )


SETTINGS: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "declared": (pipeline.people_schema, {}, ["frequent", "roundness", "histograms", "tables"]),
    "chosen pairs": (
        pipeline.people_schema,
        {"max_pairs": 3},
        ["frequent", "roundness", "histograms", "scores", "tables"],
    ),
    "bought": (
        pipeline.open_schema,
        {"infer": "spend"},
        ["categories", "ranges", "missing", "histograms", "tables"],
    ),
}


@pytest.mark.parametrize(
    ("name", "adjacency"),
    # Where gaps are bought, a missing value is one like others and no empty row.
    [pair for pair in product(SETTINGS, ADJACENCIES) if pair != ("bought", "zero_out")],
)
@settings(max_examples=6)
@given(values=ROWS, row=st.integers(0, 699))
def test_no_row_moves_more_than_is_charged(
    name: str, adjacency: str, values: dict[str, Any], row: int
) -> None:
    schema, facts, notes = SETTINGS[name]
    privacy = DPMarginals(2.0, pipeline.DELTA, adjacency=adjacency, **facts)
    one, two = transcripts(pipeline.people(), row, values, schema(), privacy)
    assert [step.event.note.split()[0] for step in one.steps] == notes
    assert largest(one, two) <= 1 + 1e-6


@pytest.mark.parametrize("adjacency", ADJACENCIES)
def test_the_worst_row_moves_as_much_as_is_charged(adjacency: str) -> None:
    """The charge is not larger than needed either, so a smaller one would have been noticed."""
    privacy = DPMarginals(2.0, pipeline.DELTA, adjacency=adjacency)
    frame = pipeline.worst_world(True)
    values = dict.fromkeys(frame, "1")
    one, two = transcripts(
        pipeline.worst_world(True).assign(**dict.fromkeys(frame, "0")),
        0,
        values,
        pipeline.worst_schema(),
        privacy,
    )
    assert largest(one, two) == pytest.approx(1.0)


@pytest.mark.parametrize("broken", [breaks.wrong_sensitivity, breaks.no_clip])
def test_wrong_sensitivities_are_found(broken: Any) -> None:
    privacy = DPMarginals(2.0, pipeline.DELTA)
    frame = pipeline.worst_world(True)
    with broken():
        one, two = transcripts(
            frame, 0, dict.fromkeys(frame, "1"), pipeline.worst_schema(), privacy
        )
    assert largest(one, two) > 1.5


def test_facts_from_the_data_change_what_is_asked() -> None:
    """Other lists of cells for neighbours: no noise can hide that."""
    privacy = DPMarginals(2.0, pipeline.DELTA)
    found = []
    for world in neighbours(pipeline.people(), 0, {"group": "CANARY"}, "zero_out"):
        found.append(Transcript())
        with breaks.categories_from_data(), recorded(found[-1]):
            pipeline.published(world, pipeline.people_schema(), privacy)
    assert largest(*found) == np.inf


def test_adjacency_decides_the_charge() -> None:
    n_rows = {"zero_out": 10, "add_remove": None, "replace_one": 10}
    found = {name: Ledger(1.0, 1e-6, name, n).sensitivity(9) for name, n in n_rows.items()}
    assert found == {
        "zero_out": 3.0,
        "add_remove": 3.0,
        "replace_one": pytest.approx(18**0.5),
    }
