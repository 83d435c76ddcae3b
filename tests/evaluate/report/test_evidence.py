"""The yardstick of chance."""

from __future__ import annotations

from math import inf, log, sqrt

import pandas as pd
import pytest

from synthgen.evaluate.report.evidence import Evidence, Scored, by_key, collect, weighed
from synthgen.evaluate.result import Result


def test_unit_counts_rows_with_values() -> None:
    evidence = Evidence(400, 100, present={"a": (0.25, 0.5), "empty": (1.0, 0.0)})
    assert evidence.unit() == pytest.approx(sqrt(1 / 400 + 1 / 100))
    assert evidence.unit("a") == pytest.approx(sqrt(1 / 100 + 1 / 50))
    assert evidence.unit("a", "b") == evidence.unit("a")
    assert evidence.chance("a") == pytest.approx(1.5 * evidence.unit("a"))
    # Where nothing is known or there, nothing is beyond chance.
    assert evidence.unit("empty") == inf
    assert Evidence(0, 0).unit() == inf


def test_news_by_hand() -> None:
    # As many fresh rows as real ones: each new extreme is fresh with the chance 1/2.
    assert Evidence(1000, 0).news(1000) == pytest.approx(log(10_000) / log(2))
    # Far fewer: hardly any is new.
    assert Evidence(100_000, 0).news(10) == pytest.approx(1, abs=0.01)
    assert Evidence(0, 0).news(10) == inf
    assert Evidence(10, 10).news(0) == inf


def test_collect() -> None:
    parts = {"column": ["a", ("b", 1)], "metric": ["1 - KS distance", "1 - total variation"]}
    made = Result(
        "shape", 0.8, breakdown=pd.DataFrame(parts | {"score": [0.9, 0.7]}),
        details={"real_rows": 200, "synthetic_rows": 50},
    )  # fmt: skip
    fresh = Result("shape", 0.9, breakdown=pd.DataFrame(parts | {"score": [0.95, 0.9]}))
    gaps = pd.DataFrame({"column": ["a"], "real": [0.25], "synthetic": [0.5]})
    missing = Result("missingness", 0.5, breakdown=gaps)
    evidence = collect({"shape": Scored(made, fresh), "missingness": Scored(missing, None)})
    assert (evidence.real_rows, evidence.synthetic_rows) == (200, 50)
    assert evidence.off == {"a": pytest.approx(0.05), ("b", 1): pytest.approx(0.2)}
    assert evidence.discrete == {("b", 1)}
    assert evidence.present == {"a": (0.75, 0.5)}


def test_collect_nothing() -> None:
    absent = Result("shape", None, details={"not_applicable": "no time"})
    assert collect({}) == collect({"shape": Scored(absent, None)}) == Evidence(0, 0)


def test_weighed() -> None:
    fields = {"metric": "m", "where": "w", "text": "t"}
    assert weighed(0.1, 0.1, 0.5, **fields) == []
    assert weighed(float("nan"), 0.1, 0.5, **fields) == []
    ((size, fair),) = weighed(0.2, 0.1, 0.5, **fields)
    assert (size, fair.severity) == (pytest.approx(0.4), "fair")
    ((size, poor),) = weighed(1.0, 0.1, 0.5, **fields)
    assert (size, poor.severity) == (pytest.approx(2.0), "poor")


def test_by_key_leaves_out_what_is_missing() -> None:
    frame = pd.DataFrame({"one": ["a", "b"], "two": [1, 2], "score": [0.5, None]})
    assert by_key(frame, ["one", "two"], "score") == {("a", 1): 0.5}
    assert by_key(pd.DataFrame(), ["one"], "score") == {}
