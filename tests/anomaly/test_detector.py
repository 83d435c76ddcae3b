"""The detector on tables: order, signs, explanations, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from synthgen import GANSynthesizer
from synthgen.anomaly import GANOutlierDetector, anomaly_report, planted_anomalies
from synthgen.errors import InvalidDataError, InvalidParameterError, SchemaMismatchError


def small(tiny: Any, **parameters: Any) -> GANOutlierDetector:
    synthesizer = GANSynthesizer(preset=tiny, max_steps=5, refine=False)
    return GANOutlierDetector(synthesizer=synthesizer, random_state=0, **parameters)


def test_far_rows_are_stranger_than_near_ones(
    table_detector: GANOutlierDetector, related: pd.DataFrame
) -> None:
    odd = related.head(5).assign(height=900.0, count=10_000)
    scores = table_detector.score_samples(related)
    assert table_detector.score_samples(odd).max() < np.quantile(scores, 0.05)
    assert (table_detector.predict(odd) == -1).all()
    assert (table_detector.predict(related) == 1).mean() > 0.85


def test_broken_relations_are_found(
    table_detector: GANOutlierDetector, related: pd.DataFrame
) -> None:
    odd = planted_anomalies(related, "dependency", 200, random_state=3)
    rows = pd.concat([related.head(200), odd], ignore_index=True)
    report = anomaly_report(table_detector, rows, np.repeat([0, 1], 200), n_resamples=20)
    usual = report.table.loc[["isolation_forest", "knn", "ecod"], "auc"].max()
    assert report.table.loc["tree_critic", "auc"] > usual
    assert report.table.loc["detector", "auc"] > usual - 0.01
    low, value, high = report.table.loc["detector", ["low", "auc", "high"]].astype(float)
    assert low <= value <= high
    assert report.to_dict()["methods"][0]["method"] == "detector"
    assert "<table" in report.to_html()


def test_signs_and_offset(table_detector: GANOutlierDetector, related: pd.DataFrame) -> None:
    scores = table_detector.score_samples(related)
    decisions = table_detector.decision_function(related)
    np.testing.assert_allclose(decisions, scores - table_detector.offset_)
    np.testing.assert_array_equal(table_detector.predict(related), np.where(decisions < 0, -1, 1))
    np.testing.assert_array_equal(table_detector.anomaly_score(related), -scores)


def test_the_column_order_does_not_matter(
    table_detector: GANOutlierDetector, related: pd.DataFrame
) -> None:
    turned = related[related.columns[::-1]]
    np.testing.assert_array_equal(
        table_detector.score_samples(turned), table_detector.score_samples(related)
    )


def test_a_row_has_the_same_score_alone(
    table_detector: GANOutlierDetector, related: pd.DataFrame
) -> None:
    alone = [table_detector.score_samples(related.iloc[[k]])[0] for k in range(3)]
    np.testing.assert_allclose(alone, table_detector.score_samples(related.head(3)), rtol=1e-4)


def test_unseen_categories_are_strange(
    table_detector: GANOutlierDetector, related: pd.DataFrame
) -> None:
    odd = related.head(20).assign(kind="never seen")
    before = table_detector.score_samples(related.head(20))
    assert (table_detector.score_samples(odd) < before).mean() > 0.9
    assert table_detector.explain(odd)["kind"].min() > 0.0


def test_gaps_where_there_were_none_can_be_scored(
    table_detector: GANOutlierDetector, related: pd.DataFrame
) -> None:
    empty = related.head(4).astype({"count": "Float64"}).assign(height=np.nan, kind=None)
    assert np.isfinite(table_detector.score_samples(empty.assign(count=np.nan))).all()


def test_explanations_point_at_the_cell(
    table_detector: GANOutlierDetector, related: pd.DataFrame
) -> None:
    rows = related.head(10).set_index(np.arange(100, 110))
    odd = rows.assign(height=260.0)
    found = table_detector.explain(odd)
    assert list(found.index) == list(odd.index)
    assert list(found.columns) == list(related.columns)
    assert (found["height"] > found[["kind", "count"]].max(axis=1)).mean() > 0.8


def test_comparison_lists_all_methods(table_detector: GANOutlierDetector) -> None:
    table = table_detector.comparison_
    assert {"isolation_forest", "knn", "ecod", "pca", "likelihood", "critic"} <= set(table.index)
    assert (table["role"] == "panel").sum() == 3
    assert table[["local", "global", "dependency", "clustered"]].to_numpy().min() >= 0.0
    assert not table.isna().to_numpy().any()


def test_pyod_has_the_other_signs(
    table_detector: GANOutlierDetector, related: pd.DataFrame
) -> None:
    adapter = table_detector.to_pyod()
    np.testing.assert_array_equal(
        adapter.predict(related), (table_detector.predict(related) == -1).astype(int)
    )
    np.testing.assert_allclose(adapter.predict_proba(related).sum(axis=1), 1.0)
    assert adapter.threshold_ == -table_detector.offset_


def test_the_same_seed_gives_the_same_scores(related: pd.DataFrame, tiny: Any) -> None:
    rows = related.head(60)
    first, second = (small(tiny).fit(rows).score_samples(rows) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_contamination_is_a_share_of_the_training_rows(related: pd.DataFrame, tiny: Any) -> None:
    rows = related.head(80)
    adapter = small(tiny, contamination=0.1, method="knn").to_pyod().fit(rows)
    assert adapter.labels_.sum() == 8


@pytest.mark.parametrize("method", ["ensemble", "likelihood", "critic_features", "ecod"])
def test_methods_can_be_chosen(method: str, related: pd.DataFrame, tiny: Any) -> None:
    detector = small(tiny, method=method).fit(related.head(60))
    assert set(detector.method_.values()) == {"panel"}
    assert ("ecod" in detector.method_) == (method == "ecod")
    assert np.isfinite(detector.score_samples(related)).all()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"contamination": 0.7}, "contamination must be a number in"),
        ({"contamination": 0.0}, "contamination must be a number in"),
        ({"contamination": "some"}, "contamination must be a number in"),
        ({"method": "magic"}, "method must be one of"),
        ({"method": "fanogan"}, "method must be one of"),
        ({"n_models": 0}, "n_models must be an integer"),
    ],
)
def test_bad_parameters(
    parameters: dict[str, Any], words: str, related: pd.DataFrame, tiny: Any
) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        small(tiny, **parameters).fit(related)


def test_bad_tables(related: pd.DataFrame, tiny: Any, table_detector: GANOutlierDetector) -> None:
    with pytest.raises(InvalidDataError, match="1 sample"):
        small(tiny).fit(related.head(1))
    with pytest.raises(InvalidDataError, match="nothing to learn"):
        small(tiny).fit(pd.DataFrame({"a": [1] * 50, "b": ["x"] * 50}))
    with pytest.raises(SchemaMismatchError, match=r"missing \['count'\]"):
        table_detector.score_samples(related.drop(columns="count"))
    with pytest.raises(SchemaMismatchError, match=r"extra \['more'\]"):
        table_detector.score_samples(related.assign(more=1))
    with pytest.raises(InvalidDataError, match="about images"):
        table_detector.anomaly_map(related)
    with pytest.raises(NotFittedError):
        clone(table_detector).score_samples(related)


def test_columns_without_content_do_no_harm(related: pd.DataFrame, tiny: Any) -> None:
    rows = related.head(60).assign(empty=np.nan, same=1)
    detector = small(tiny).fit(rows)
    assert np.isfinite(detector.score_samples(rows)).all()


def test_labels_can_be_integers(related: pd.DataFrame, tiny: Any) -> None:
    rows = related.head(60).copy()
    rows.columns = pd.Index([3, 1, 4, 15, 9])
    detector = small(tiny).fit(rows)
    assert list(detector.explain(rows).columns) == [3, 1, 4, 15, 9]


def test_reports_want_both_kinds(table_detector: GANOutlierDetector, related: pd.DataFrame) -> None:
    with pytest.raises(InvalidDataError, match="y must have both"):
        anomaly_report(table_detector, related, np.zeros(len(related)))
    with pytest.raises(InvalidDataError, match="one per row"):
        anomaly_report(table_detector, related, [0, 1])


def test_explanations_of_lists_and_frames(
    table_detector: GANOutlierDetector, related: pd.DataFrame
) -> None:
    rows = related.head(3).set_axis([7, 5, 9], axis=0)
    assert table_detector.explain(rows).index.tolist() == [7, 5, 9]


def test_lists_can_be_explained(tiny: Any) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    detector = small(tiny).fit(rows)
    assert detector.explain([[0.0, 1.0]]).shape == (1, 2)


@pytest.mark.parametrize("n", [20, 40, 200])
def test_few_rows_do_not_make_the_others_outliers(n: int, tiny: Any) -> None:
    flagged = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        rows, fresh = rng.normal(size=(n, 3)), rng.normal(size=(400, 3))
        detector = small(tiny, method="isolation_forest")
        flagged.append((detector.fit(rows).predict(fresh) == -1).mean())
    assert np.mean(flagged) < 0.15


def test_the_largest_numbers_can_be_spoilt() -> None:
    frame = pd.DataFrame({"a": [1e308, -1e308, 0.0, 5e307]})
    for kind in ("local", "global", "clustered"):
        found = planted_anomalies(frame, kind, 3, random_state=0)["a"]
        assert np.isfinite(found).all()


def test_an_array_goes_by_position(tiny: Any, related: pd.DataFrame) -> None:
    numbers = related.select_dtypes("number")
    detector = small(tiny).fit(numbers)
    expected = detector.score_samples(numbers.head(20))
    np.testing.assert_allclose(detector.score_samples(numbers.head(20).to_numpy()), expected)


def test_a_fit_that_is_cut_short_leaves_the_old_one(
    tiny: Any, related: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = small(tiny).fit(related)
    before = detector.score_samples(related.head(50))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(GANOutlierDetector, "_calibrate", stop)
    with pytest.raises(KeyboardInterrupt):
        detector.fit(related.iloc[::2])
    np.testing.assert_array_equal(detector.score_samples(related.head(50)), before)
