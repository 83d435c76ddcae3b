"""Findings about columns and rows, from breakdowns written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from synthgen.evaluate.report import readers
from synthgen.evaluate.report.content import Finding
from synthgen.evaluate.report.evidence import Evidence, Scored
from synthgen.evaluate.report.findings import find
from synthgen.evaluate.result import Result

#: Large tables: one unit of chance is 0.002.
LARGE = Evidence(500_000, 500_000)


def result(
    lines: list[dict[str, Any]] | None = None,
    value: float | None = 0.5,
    details: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Scored:
    breakdown = None if lines is None else pd.DataFrame(lines)
    return Scored(
        Result("m", value, breakdown=breakdown, details=dict(details or {}), **fields), None
    )


def severities(found: list[tuple[float, Finding]]) -> list[str]:
    return [finding.severity for _, finding in found]


class TestValidity:
    def found(self, evidence: Evidence, rows: int, **changes: Any) -> list[tuple[float, Finding]]:
        line = {"column": "c", "check": "type", "share": 0.05, "example": "x", "counts": True}
        scored = result([line | {"holdout_share": 0.0} | changes], details={"rows": rows})
        return readers.validity(scored, evidence)

    def test_type(self) -> None:
        ((_, finding),) = self.found(LARGE, 500_000)
        assert finding.severity == "poor"
        assert finding.text == "5.00% of the cells fail the check 'type', for instance 'x'."
        assert severities(self.found(LARGE, 500_000, share=0.005)) == ["fair"]
        assert self.found(LARGE, 500_000, share=0.0005) == []

    def test_what_the_holdout_does_too(self) -> None:
        assert self.found(LARGE, 500_000, check="category", holdout_share=0.05) == []

    @pytest.mark.parametrize("check", ["missing", "range", "precision", "category"])
    def test_new_values_in_small_tables(self, check: str) -> None:
        few, many = Evidence(100, 100), Evidence(100_000, 100)
        assert self.found(few, 100, check=check) == []
        assert severities(self.found(many, 100, check=check)) == ["poor"]

    def test_types_are_never_wrong_by_chance(self) -> None:
        assert severities(self.found(Evidence(100, 100), 100)) == ["poor"]

    def test_dtype(self) -> None:
        found = self.found(LARGE, 100, check="dtype", counts=False, example="object instead of int")
        ((_, finding),) = found
        assert (finding.severity, finding.where) == ("fair", "c")
        assert finding.text == "The column has another type: object instead of int."

    def test_long_examples_are_cut(self) -> None:
        ((_, finding),) = self.found(LARGE, 100, example="x" * 1_000)
        assert len(finding.text) < 150


class TestGranularity:
    def found(self, **changes: Any) -> list[tuple[float, Finding]]:
        line = {
            "column": "c", "score": 0.1, "real_step": "1e-2", "real_share": 0.9,
            "synthetic_step": "1e3", "synthetic_share": 0.8,
        } | changes  # fmt: skip
        return readers.granularity(result([line]), LARGE)

    def test_text(self) -> None:
        ((_, finding),) = self.found()
        assert finding.text == (
            "Numbers are rounded differently: 90% of the real values are multiples of 0.01, 80% of "
            "the synthetic ones are multiples of 1,000."
        )
        ((_, finding),) = self.found(real_step="day", synthetic_step="day")
        assert "90% of the real values are whole days, but 80% of the synthetic" in finding.text
        ((_, finding),) = self.found(synthetic_step="finer")
        assert "ones have more digits than any step" in finding.text

    def test_size(self) -> None:
        assert severities(self.found(score=0.9)) == ["fair"]
        assert self.found(score=0.99) == []


class TestShape:
    def found(self, evidence: Evidence, score: float, best: float) -> list[tuple[float, Finding]]:
        parts = {"column": ["c", "d"], "metric": ["1 - KS distance"] * 2}
        made, fresh = (
            Result("shape", 0.5, breakdown=pd.DataFrame(parts | {"score": [own, float("nan")]}))
            for own in (score, best)
        )
        return readers.shape(Scored(made, fresh), evidence)

    def test_size(self) -> None:
        ((_, finding),) = self.found(LARGE, 0.7, 0.98)
        assert finding.severity == "poor"
        assert "off by 0.300 (KS distance; real rows: 0.020)" in finding.text
        assert severities(self.found(LARGE, 0.93, 0.98)) == ["fair"]
        assert self.found(LARGE, 0.975, 0.98) == []

    def test_chance(self) -> None:
        # 1.5 sqrt(2 / 200) = 0.15
        assert self.found(Evidence(200, 200), 0.80, 0.94) == []
        assert len(self.found(Evidence(200, 200), 0.78, 0.94)) == 1


def test_missingness() -> None:
    def found(real: float, synthetic: float, evidence: Evidence) -> list[str]:
        line = {"column": "c", "real": real, "synthetic": synthetic}
        return severities(readers.missingness(result([line]), evidence))

    assert found(0.0, 1.0, LARGE) == ["poor"]
    assert found(0.5, 0.45, LARGE) == ["fair"]
    assert found(0.5, 0.49, LARGE) == []
    assert found(0.5, 0.45, Evidence(500, 500)) == []


def test_rare_categories() -> None:
    def found(chance: float, coverage: float, n_levels: int = 1) -> list[str]:
        line = {"column": "c", "level": "v", "coverage": coverage, "chance": chance}
        lines = [line | {"synthetic": 0.0, "real": 0.01}]
        lines += [lines[0] | {"chance": 0.5}] * (n_levels - 1)
        return severities(readers.rare(result(lines), LARGE))

    assert found(1e-6, 0.0) == ["poor"]
    assert found(1e-6, 0.5) == ["fair"]
    assert found(0.01, 0.0) == []
    # Among ten thousand levels, one is lost as easily.
    assert found(1e-5, 0.0, n_levels=10_000) == []


class TestDetection:
    def found(self, auc: float, low: float, *drops: float) -> list[tuple[float, Finding]]:
        lines = [{"column": f"c{k}", "auc_drop": drop} for k, drop in enumerate(drops)]
        details = {"auc": auc, "auc_interval": (low, 2 * auc - low)}
        return readers.detection(result(lines, details=details), LARGE)

    def test_columns(self) -> None:
        found = self.found(0.8, 0.79, 0.2, 0.05, 0.001, 0.0)
        assert [(f.where, f.severity) for _, f in found] == [("c0", "poor"), ("c1", "fair")]
        assert "falls from 0.800 to 0.600" in found[0][1].text

    def test_no_single_column(self) -> None:
        ((_, finding),) = self.found(0.8, 0.79, 0.001)
        assert (finding.where, finding.severity) == ("several columns together", "poor")

    def test_chance(self) -> None:
        assert self.found(0.54, 0.53, 0.2) == []
        assert self.found(0.7, 0.55, 0.2) == []
        assert self.found(0.7, 0.65, 0.2) != []


class TestUtility:
    def found(self, synthetic: float, high: float, rows: int, *notes: str) -> list[Finding]:
        line = {
            "model": "trees", "measure": "ROC AUC", "real": 0.9, "synthetic": synthetic,
            "difference_high": high,
        }  # fmt: skip
        details = {"training_rows": [rows, rows], "notes": list(notes), "target": "t"}
        return [f for _, f in readers.utility(result([line], details=details), LARGE)]

    def test_size(self) -> None:
        assert [f.severity for f in self.found(0.7, -0.1, 10_000)] == ["poor"]
        assert [f.severity for f in self.found(0.85, -0.01, 10_000)] == ["fair"]
        assert self.found(0.89, -0.005, 10_000) == []

    def test_chance(self) -> None:
        assert self.found(0.85, 0.01, 10_000) == []
        assert self.found(0.7, -0.1, 50) == []

    def test_nothing_to_train_on(self) -> None:
        (finding,) = self.found(0.5, 0.1, 10_000, "no synthetic row has a label")
        assert (finding.severity, finding.where) == ("poor", "t")
        assert "no synthetic row has a label" in finding.text


@pytest.mark.parametrize(
    ("reader", "rows_name"), [(readers.copies, "synthetic_rows"), (readers.repeats, "rows")]
)
def test_copies_and_repeats(reader: Any, rows_name: str) -> None:
    def found(value: float, usual: float | None, rows: int) -> list[str]:
        details = {rows_name: rows, "copies": 1}
        return severities(reader(result(value=value, ceiling=usual, details=details), LARGE))

    assert found(0.2, 0.0, 10_000) == ["poor"]
    assert found(0.2, None, 10_000) == ["poor"]
    assert found(0.0, 0.0, 10_000) == []
    # Where real rows repeat as often, it is no trace.
    assert found(0.9, 0.9, 10_000) == []
    assert found(0.9, 0.88, 1_000) == []


def test_membership() -> None:
    def found(value: float, low: float) -> list[str]:
        scored = result(value=value, interval=(low, 1.0))
        return severities(readers.membership(scored, LARGE))

    assert found(0.6, 0.58) == ["poor"]
    assert found(0.55, 0.53) == ["fair"]
    assert found(0.6, 0.51) == []


class TestFind:
    def test_order(self) -> None:
        parts = {"metric": ["1 - KS distance"] * 3, "column": ["a", "b", "c"]}
        shape = Result(
            "shape", 0.5, breakdown=pd.DataFrame(parts | {"score": [0.95, 0.5, 0.8]}),
            details={"real_rows": 10**6, "synthetic_rows": 10**6},
        )  # fmt: skip
        copies = Result("copy_share", 0.5, details={"synthetic_rows": 1_000, "copies": 500})
        found = find({"shape": Scored(shape, None), "copy_share": Scored(copies, None)})
        assert [(f.severity, f.where) for f in found] == [
            ("poor", "whole rows"), ("poor", "b"), ("poor", "c"), ("fair", "a"),
        ]  # fmt: skip

    def test_at_most_eight_of_one_metric(self) -> None:
        lines = [
            {"column": k, "metric": "1 - KS distance", "score": 0.5 - k / 100} for k in range(20)
        ]
        details = {"real_rows": 10**6, "synthetic_rows": 10**6}
        found = find({"shape": result(lines, details=details)})
        assert [f.where for f in found] == [str(k) for k in range(19, 11, -1)]

    def test_nothing_measured(self) -> None:
        assert find({}) == []
        absent = Result("shape", None, details={"not_applicable": "no time"})
        assert find({"shape": Scored(absent, None), "trend": Scored(absent, None)}) == []

    def test_without_rows_nothing_is_beyond_chance(self) -> None:
        line = {"column": "c", "real": 0.0, "synthetic": 1.0}
        assert find({"missingness": result([line])}) == []
