"""The real private fit with everything that it would publish, but for the training.

Training sees released numbers only, so it adds nothing to what an attacker knows; leaving it out
makes a fit a matter of milliseconds, and hundreds of fits a test. All else is the product's code,
from the frame that a user hands over to the files that ``save`` would write.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch

from synthgen import Column, DPMarginals, GANSynthesizer, Schema
from synthgen.core.serialize import Artifact
from synthgen.models import base, private, private_table
from synthgen.train.history import History

DELTA = 1e-6


class Untrained(torch.nn.Module):
    """Stands in for the generator: no weights that depend on anything."""


@contextmanager
def untrained(seen: dict[str, Any]) -> Iterator[None]:
    """Skip training and raking; what training would have been given is put into `seen`."""

    def train(encoder: Any, release: Any, *rest: Any) -> SimpleNamespace:
        seen["release"] = release
        history = History()
        history.add(step=1, seconds=0.0, score=0.0)
        return SimpleNamespace(
            generator=Untrained(), steps=1, best_step=1, stopped_by="steps", history=history
        )

    with (
        patch.object(private, "_train", train),
        patch.object(private_table, "_raked", lambda *_: None),
    ):
        yield


def published(frame: Any, schema: Schema, privacy: DPMarginals) -> dict[str, Any]:
    """Fit, and return every file that would be written and every number that trains the network."""
    seen: dict[str, Any] = {}
    model = GANSynthesizer(schema=schema, privacy=privacy, max_steps=1, random_state=0)
    with untrained(seen):
        model.fit(frame)
    written: list[Artifact] = []
    with patch.object(base, "save_artifact", lambda path, artifact: written.append(artifact)):
        model.save("nowhere")
    (artifact,) = written
    config = {k: v for k, v in artifact.config.items() if k not in ("recipe", "parameters")}
    release = seen["release"]
    return {
        "config": config,
        "documents": artifact.documents,
        "arrays": artifact.arrays,
        "texts": artifact.texts,
        "histograms": list(release.histograms.counts),
        "n_rows": release.histograms.n_rows,
        "pairs": [list(pair) for pair in release.tables.pairs],
        "singles": list(release.tables.singles),
        "tables": list(release.tables.tables),
        "groups": [part.groups for part in release.coarse],
    }


# The worst case for tables of counts: one row alone in its cell of every table.

#: Wide enough that noise cannot hide a sensitivity without its root from one audit.
_WIDTH = 18
_ROWS = 520


def worst_schema() -> Schema:
    return Schema(
        tuple(
            Column(f"c{k}", "categorical", "object", categories=("0", "1")) for k in range(_WIDTH)
        )
    )


def worst_world(present: bool) -> pd.DataFrame:
    """All rows alike but the first, which is unlike all others or empty (counted nowhere)."""
    frame = pd.DataFrame({f"c{k}": ["0"] * _ROWS for k in range(_WIDTH)})
    frame.loc[0] = "1" if present else "?"
    return frame


def worst_statistic(output: dict[str, Any]) -> float:
    """Return the likelihood ratio's logarithm but for scales: what is in the lone row's cells."""
    events = output["documents"]["ledger"]["events"]
    single, pair = (event["scale"] for event in events)
    rows = output["n_rows"]
    alone = sum(counts[-1] for counts in output["histograms"]) / single**2
    return float(alone + sum(table[-1, -1] for table in output["tables"]) * rows / pair**2)


def worst_privacy(epsilon: float = 1.0) -> DPMarginals:
    return DPMarginals(epsilon, DELTA)


# A realistic table, and a person who stands out in every way: there or not.


def people(n: int = 700, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    age = np.clip(rng.normal(40, 10, n) + 12 * (group == "b"), 18, 90).round()
    pay = np.where(rng.random(n) < 0.4, 0.0, rng.integers(1, 60, n) * 1_000.0)
    return pd.DataFrame({"group": group, "age": age, "pay": pay, "score": (pay / 1e3).round(1)})


OUTLIER = {"group": "CANARY-4711", "age": 117.0, "pay": 98_765.0, "score": np.nan}


def people_schema() -> Schema:
    return Schema(
        (
            Column("group", "categorical", "object", categories=("a", "b", "c", "d")),
            Column("age", "integer", "float64", minimum=0, maximum=120),
            Column("pay", "integer", "float64", minimum=0, maximum=100_000),
            Column("score", "numeric", "float64", minimum=0, maximum=120, decimals=1),
        )
    )


def people_world(present: bool, group: str = "CANARY-4711") -> pd.DataFrame:
    """Return the table with or without the person, whose group is not declared or is, as "d"."""
    frame = people()
    if not present:
        return frame
    return pd.concat([frame, pd.DataFrame([OUTLIER | {"group": group}])], ignore_index=True)


def people_privacy(epsilon: float = 1.0, **facts: Any) -> DPMarginals:
    return DPMarginals(epsilon, DELTA, adjacency="add_remove", **facts)


def open_schema() -> Schema:
    """Kinds only: domains are to be bought."""
    return Schema(
        (
            Column("group", "categorical", "object"),
            Column("age", "integer", "float64"),
            Column("pay", "integer", "float64"),
            Column("score", "numeric", "float64"),
        )
    )
