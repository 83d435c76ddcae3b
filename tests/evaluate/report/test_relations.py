"""Findings about pairs and groups, from tables where the answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.evaluate import mutual_information, shape, subgroup_fidelity, trend
from synthgen.evaluate.report.content import Finding
from synthgen.evaluate.report.evidence import Evidence, Scored
from synthgen.evaluate.report.findings import find
from synthgen.evaluate.report.relations import lost_relations, subgroups
from synthgen.evaluate.result import Result


def rows(n: int, seed: int) -> pd.DataFrame:
    """Two numbers and two categories that go together, and one of each that do not."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    letter = np.where(x > 0, "p", "q")
    other = np.where(rng.random(n) < 0.9, letter, "r")
    return pd.DataFrame(
        {
            "x": x,
            "y": x + rng.normal(size=n),
            "letter": letter,
            "other": other,
            "alone": rng.normal(size=n),
            "coin": rng.choice(["h", "t"], n),
        }
    )


REAL, MADE, HELD = rows(2_000, 0), rows(1_000, 1), rows(1_000, 2)


def found(made: pd.DataFrame) -> list[Finding]:
    def scored(metric: Any) -> Scored:
        return Scored(metric(REAL, made), metric(REAL, HELD))

    names = {"shape": shape, "trend": trend, "mutual_information": mutual_information}
    results = {name: scored(metric) for name, metric in names.items()}
    groups = subgroup_fidelity(REAL, made, holdout=HELD)
    return find(results | {"subgroup_fidelity": Scored(groups, None)})


def places(findings: list[Finding], metric: str) -> list[str]:
    return [finding.where for finding in findings if finding.metric == metric]


def shuffled(column: str) -> pd.DataFrame:
    order = np.random.default_rng(0).permutation(len(MADE))
    return MADE.assign(**{column: MADE[column].to_numpy()[order]})


def test_nothing_without_a_defect() -> None:
    assert found(MADE) == []


@pytest.mark.parametrize("column", ["x", "letter"])
def test_a_shuffled_column_alone_is_to_blame(column: str) -> None:
    findings = found(shuffled(column))
    assert places(findings, "mutual_information") == [column]
    assert findings[0].severity == "poor"
    # Its pairs say nothing new.
    assert places(findings, "trend") == []


@pytest.mark.parametrize("column", ["alone", "coin"])
def test_a_column_without_relations_has_none_to_lose(column: str) -> None:
    assert places(found(shuffled(column)), "mutual_information") == []


def test_a_relation_turned_round() -> None:
    findings = found(MADE.assign(y=-MADE["y"]))
    assert places(findings, "mutual_information") == []
    (finding,) = [f for f in findings if f.metric == "trend"]
    assert (finding.where, finding.severity) == ("x x y", "poor")
    assert "correlation -0.7" in finding.text
    assert "instead of 0.7" in finding.text


def test_a_relation_too_many() -> None:
    findings = found(MADE.assign(alone=0.8 * MADE["x"] + 0.6 * MADE["alone"]))
    assert places(findings, "trend")[0] == "x x alone"


def test_categories_that_go_together_wrongly() -> None:
    swapped = MADE["letter"].map({"p": "q", "q": "p"})
    findings = found(MADE.assign(other=MADE["other"].where(MADE["other"] == "r", swapped)))
    assert "letter x other" in places(findings, "trend")


def test_outliers_are_no_relation() -> None:
    made = MADE.copy()
    made.loc[0, ["x", "alone"]] = 60.0
    correlation = made[["x", "alone"]].corr().iloc[0, 1]
    assert correlation > 0.6
    assert places(found(made), "trend") == []


def test_a_shifted_column_does_not_blame_its_pairs() -> None:
    made = MADE.copy()
    made.loc[:299, "coin"] = "h"
    findings = found(made)
    assert places(findings, "shape") == ["coin"]
    assert places(findings, "trend") == []


def test_chance_relations_are_none() -> None:
    pairs = pd.DataFrame(
        {
            "column_1": ["a", "a"],
            "column_2": ["b", "c"],
            "real": [0.3, 0.0],
            "synthetic": [0.0, 0.0],
        }
    )

    def lost(fresh: float, rows: int = 10_000) -> list[Any]:
        made = Result("mutual_information", 0.5, breakdown=pairs, details={"rows": rows})
        other = Result("mutual_information", 0.5, breakdown=pairs.assign(synthetic=[fresh, 0.0]))
        return [name for name, _ in lost_relations(Scored(made, other))]

    assert lost(0.3) == ["a"]
    # Fresh real rows do not have the relation either.
    assert lost(0.01) == []
    # In six rows, such a relation is chance.
    assert lost(0.3, rows=6) == []


class TestSubgroups:
    def lines(self, **changes: Any) -> list[tuple[float, Finding]]:
        line = {
            "column": "c", "level": "v", "real_rows": 500, "synthetic_rows": 500,
            "real_share": 0.1, "score": 0.6, "gap": 0.3, "worst_column": "w",
        } | changes  # fmt: skip
        result = Result("subgroup_fidelity", 0.6, breakdown=pd.DataFrame([line]))
        return subgroups(Scored(result, None), Evidence(5_000, 5_000))

    def test_gap(self) -> None:
        ((_, finding),) = self.lines()
        assert (finding.severity, finding.where) == ("poor", "c = v")
        assert finding.text.endswith("0.600; the worst is w.")
        assert [f.severity for _, f in self.lines(gap=0.1)] == ["fair"]
        assert self.lines(gap=0.04) == []
        # Twenty rows differ as much by chance.
        assert self.lines(gap=0.1, synthetic_rows=20) == []

    def test_no_row(self) -> None:
        ((_, finding),) = self.lines(synthetic_rows=0, level=None, worst_column=None)
        assert (finding.severity, finding.where) == ("poor", "c = missing")
        assert finding.text == "No synthetic row belongs to this group of 500 real rows."
        # Ten rows were due: none may be chance.
        assert self.lines(synthetic_rows=0, real_share=0.002) == []
