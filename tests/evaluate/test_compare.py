"""Several generators on the same rows, with the same floor and ceiling."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from synthgen import GaussianCopula, IndependentColumns
from synthgen.errors import InvalidDataError, InvalidParameterError, SchemaMismatchError
from synthgen.evaluate import Comparison, compare, quality_report

from .tables import related, unrelated

REAL, HELD = related(120, 1), related(80, 2)


class Repeats(IndependentColumns):
    """Gives its training rows back, and writes down who was fitted."""

    fitted: ClassVar[list[Repeats]] = []

    def fit(self, X: Any, y: Any = None) -> Repeats:
        self.fitted.append(self)
        self.rows = X
        return super().fit(X)

    def sample(self, n_samples: int = 1, **options: Any) -> pd.DataFrame:
        return self.rows.iloc[np.arange(n_samples) % len(self.rows)].reset_index(drop=True)


class Broken(IndependentColumns):
    """Cannot be fitted."""

    def fit(self, X: Any, y: Any = None) -> Broken:
        raise InvalidDataError("too few rows for it")


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    candidates = {
        "table": related(100, 3),
        "shuffled": unrelated(100, 3),
        "fitted": GaussianCopula(random_state=0).fit(REAL),
        "unfitted": IndependentColumns(random_state=0),
        "broken": Broken(),
    }
    return compare(candidates, REAL, HELD, n_jobs=1)


def test_one_row_per_candidate(comparison: Comparison) -> None:
    scores = comparison.scores
    names = ["table", "shuffled", "fitted", "unfitted", "broken"]
    assert scores.index.tolist() == [*names, "floor", "ceiling"]
    assert (scores.dtypes == "float64").all()
    assert list(comparison.reports) == names[:-1]
    for name, report in comparison.reports.items():
        pd.testing.assert_series_equal(scores.loc[name], report.scores["value"], check_names=False)
        assert report.content.title == name
    first = comparison.reports["table"].scores
    for bound in ("floor", "ceiling"):
        pd.testing.assert_series_equal(scores.loc[bound], first[bound], check_names=False)


def test_failures_are_outcomes(comparison: Comparison) -> None:
    assert comparison.errors == {"broken": "InvalidDataError: too few rows for it"}
    assert comparison.scores.loc["broken"].isna().all()
    assert "broken failed: InvalidDataError: too few rows for it" in repr(comparison)


def test_best(comparison: Comparison) -> None:
    best, scores = comparison.best, comparison.scores
    assert best.index.tolist() == scores.columns.tolist()
    own = scores.drop(index=["floor", "ceiling"])
    for metric in ("trend", "mutual_information", "c2st_trees"):
        assert best[metric] in ("table", "fitted")
        assert scores.loc[best[metric], metric] > scores.loc["shuffled", metric]
        # Beyond the ceiling there is nothing to win.
        enough = min(own[metric].max(), scores.loc["ceiling", metric])
        assert scores.loc[best[metric], metric] >= enough
    # Of the attack's scores, low ones are good.
    attack = scores["membership_auc"]
    assert attack[best["membership_auc"]] <= max(attack["ceiling"], own["membership_auc"].min())
    # Nobody has a value: there is no target.
    assert best["utility"] is None
    assert not {"floor", "ceiling", "broken"} & set(best)


def test_markdown(comparison: Comparison) -> None:
    lines = comparison.to_markdown(2).splitlines()
    assert (
        lines[0] == "| metric | table | shuffled | fitted | unfitted | broken | floor | ceiling |"
    )
    assert set(lines[1]) == set("| -")
    assert len(lines) == 2 + len(comparison.scores.columns)
    assert len({line.count("|") for line in lines}) == 1
    trend = next(line for line in lines if line.startswith("| trend |"))
    assert trend.count("**") == 2
    best = comparison.scores.drop(index=["floor", "ceiling"])["trend"].max()
    assert f"**{best:.2f}**" in trend
    assert not any("nan" in line for line in lines)


def test_same_as_the_report() -> None:
    made = related(100, 3)
    scores = compare({"a": made}, REAL, HELD, "label", n_jobs=1, random_state=4).scores
    report = quality_report(REAL, made, HELD, "label", n_jobs=1, random_state=4)
    pd.testing.assert_series_equal(scores.loc["a"], report.scores["value"], check_names=False)


def test_an_unfitted_candidate_stays_so_and_a_fitted_one_is_not_fitted_again() -> None:
    Repeats.fitted.clear()
    ready, new = Repeats().fit(REAL), Repeats()
    result = compare({"ready": ready, "new": new}, REAL, HELD, budget_s=1e-9, n_samples=50)
    assert len(Repeats.fitted) == 2
    assert Repeats.fitted[0] is ready
    assert Repeats.fitted[1] is not new
    assert not hasattr(new, "rows")
    sizes = [report.content.tables[1]["rows"] for report in result.reports.values()]
    assert sizes == [50, 50]
    # By default, as many rows as there are real ones.
    result = compare({"ready": ready}, REAL, HELD, budget_s=1e-9)
    assert result.reports["ready"].content.tables[1]["rows"] == len(REAL)


def test_seed() -> None:
    def scores(seed: int) -> pd.DataFrame:
        candidates = {"independent": IndependentColumns()}
        return compare(candidates, REAL, HELD, n_jobs=1, random_state=seed).scores

    first = scores(0)
    pd.testing.assert_frame_equal(first, scores(0))
    assert not first.equals(scores(1))


def test_wrong_use() -> None:
    with pytest.raises(InvalidParameterError, match="at least one candidate, got none"):
        compare({}, REAL)
    with pytest.raises(InvalidParameterError, match=r"must not be called \['floor'\]"):
        compare({"floor": HELD}, REAL)
    with pytest.raises(InvalidDataError, match=r"Every candidate failed: .*too few rows for it"):
        compare({"broken": Broken()}, REAL)


@pytest.mark.parametrize(
    ("real", "options", "error"),
    [
        (REAL.iloc[:3], {}, InvalidDataError),
        (REAL, {"target": "nothing"}, InvalidParameterError),
        (REAL, {"holdout": HELD[["x"]]}, SchemaMismatchError),
        (REAL, {"max_rows": 1}, InvalidParameterError),
        (REAL, {"n_samples": 0}, InvalidParameterError),
        (REAL, {"speed": 1}, TypeError),
    ],
)
def test_what_is_wrong_for_all_is_no_outcome(
    real: pd.DataFrame, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        compare({"one": IndependentColumns(), "two": related(30, 3)}, real, **options)


def test_the_best_does_not_depend_on_the_order() -> None:
    tables = {"few": related(60, 3), "many": related(400, 4), "bad": unrelated(100, 5)}
    forward = compare(tables, REAL, HELD)
    backward = compare(dict(reversed(tables.items())), REAL, HELD)
    pd.testing.assert_series_equal(forward.best, backward.best)
