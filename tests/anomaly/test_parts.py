"""Tails, scales, planted rows and votes: what small numbers can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen import Schema
from synthgen.anomaly.baselines import Components, Forest, Neighbours
from synthgen.anomaly.choose import detection_table, roles, strangeness
from synthgen.anomaly.contrast import ContrastCritic
from synthgen.anomaly.ecod import TailDetector
from synthgen.anomaly.margins import Margins
from synthgen.anomaly.planted import KINDS, planted_anomalies
from synthgen.anomaly.planted_images import IMAGE_KINDS, planted_images
from synthgen.anomaly.scale import Scale
from synthgen.anomaly.space import Space
from synthgen.errors import InvalidParameterError


def test_tails_are_those_of_the_paper() -> None:
    X = np.array([[1.0, 10.0], [2.0, 10.0], [3.0, 10.0], [10.0, 20.0]])
    found = TailDetector().fit(X).abnormality(X)
    # The last row: right tails 1/4 and 1/4; both columns are skewed to the right.
    assert found[3] == pytest.approx(2 * np.log(4))
    # The first: left tail 1/4 of the first column, 3/4 of the second.
    assert found[0] == pytest.approx(np.log(4) + np.log(4 / 3))


def test_a_scale_is_the_share_of_rows_as_strange() -> None:
    scale = Scale.fit(np.arange(99.0))
    # As strange as the strangest of 99: half a row ties, one in 100 at most.
    assert scale(np.array([98.0]))[0] == pytest.approx(-np.log(1.0 / 100))
    assert scale(np.array([-1.0]))[0] == pytest.approx(-np.log(99.5 / 100))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.floats(-1e7, 1e7))
def test_a_scale_keeps_the_order(known: list[float], other: float) -> None:
    scale = Scale.fit(np.array(known))
    values = np.sort(np.append(known, other))
    scaled = scale(values)
    assert np.isfinite(scaled).all()
    assert (np.diff(scaled) >= -1e-9).all()


def test_scores_that_are_all_equal_have_a_scale() -> None:
    scaled = Scale.fit(np.zeros(5))(np.array([-1.0, 0.0, 1.0]))
    assert scaled[0] < scaled[1] < scaled[2]


def test_margins_go_on_beyond_the_training_values() -> None:
    margins = Margins(np.column_stack([np.arange(100.0), np.full(100, np.nan)]))
    found = margins.surprise(np.array([[50.0, 1.0], [99.0, 1.0], [150.0, 1.0], [-500.0, np.nan]]))
    assert found[0, 0] < 0.02
    assert 0.0 < found[1, 0] < found[2, 0] < found[3, 0]
    assert (found[:, 1] == 0.0).all()


@pytest.mark.parametrize("make", [Forest, Neighbours, Components])
def test_each_baseline_finds_what_is_far_off(make: type) -> None:
    rng = np.random.default_rng(0)
    line = rng.normal(size=(200, 1))
    X = np.hstack([line, line]) + 0.01 * rng.normal(size=(200, 2))
    odd = make(0).fit(X).abnormality(np.array([[0.0, 0.0], [4.0, -4.0]]))
    assert odd[1] > odd[0]


def test_components_explain_a_line() -> None:
    X = np.outer(np.arange(5.0), [3.0, 4.0])
    components = Components(0).fit(X)
    # (1, 0) lies .8 away from the line through (0, 0) and (3, 4).
    assert components.abnormality(np.array([[1.0, 0.0]]))[0] == pytest.approx(0.64)


def test_places_of_categories_that_were_never_seen() -> None:
    frame = pd.DataFrame({"c": ["a", "a", "b", None], "n": [1.0, 2.0, np.nan, 4.0]})
    space = Space(Schema.infer(frame), frame)
    other = pd.DataFrame({"c": ["new", "a"], "n": [np.nan, 1e300]})
    assert space.table(other)[:, 1].tolist() == [-1.0, 0.0]
    points = space.points(other)
    assert np.isfinite(points).all()
    assert points[0].sum() == pytest.approx(1.0 + np.sqrt(0.5))
    assert (space.marks(other)[0] > space.marks(frame)[0]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_planted_rows_keep_types_and_gaps(kind: str, related: pd.DataFrame) -> None:
    odd = planted_anomalies(related, kind, 200, random_state=0)
    assert list(odd.dtypes) == list(related.dtypes)
    assert set(odd["kind"]) <= set(related["kind"])
    pd.testing.assert_frame_equal(odd, planted_anomalies(related, kind, 200, random_state=0))
    if kind != "clustered":
        assert 0.03 < odd["weight"].isna().mean() < 0.2


def test_dependency_anomalies_have_the_right_columns_only(related: pd.DataFrame) -> None:
    odd = planted_anomalies(related, "dependency", 2000, random_state=0)
    assert abs(odd["height"].mean() - related["height"].mean()) < 1.0
    assert odd["height"].isin(related["height"]).all()
    assert abs(odd["height"].corr(odd["weight"])) < 0.1 < related["height"].corr(related["weight"])


def test_an_unknown_kind_is_refused(related: pd.DataFrame) -> None:
    with pytest.raises(InvalidParameterError, match="kind must be one of"):
        planted_anomalies(related, "odd", 3)


@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_planted_images_differ(kind: str) -> None:
    images = np.random.default_rng(0).uniform(-1, 1, (6, 3, 12, 9)).astype(np.float32)
    odd = planted_images(images, kind, 5, random_state=0)
    assert odd.shape == (5, 3, 12, 9)
    assert odd.dtype == np.float32
    assert all(not (image == other).all() for image in odd for other in images)
    assert np.abs(odd).max() <= 1.0


def test_the_tree_critic_knows_what_goes_together(related: pd.DataFrame) -> None:
    space = Space(Schema.infer(related), related)
    critic = ContrastCritic(space, related.iloc[:300], np.random.default_rng(0))
    odd = planted_anomalies(related, "dependency", 100, random_state=1)
    table = detection_table(
        {"tree_critic": critic.abnormality(related.iloc[300:])},
        {"dependency": {"tree_critic": critic.abnormality(odd)}},
    )
    assert table.loc["tree_critic", "dependency"] > 0.85


def test_specialists_are_those_that_are_clearly_better_at_something() -> None:
    table = pd.DataFrame(
        {
            "local": {"gan": 0.9, "critic": 0.7, "knn": 0.895, "pca": 0.2},
            "global": {"gan": 0.9, "critic": 0.95, "knn": 0.7, "pca": 0.96},
        },
    )
    assert roles(table, ["knn", "pca"], ["knn"]) == {"knn": "panel"}
    table.loc["critic", "global"] = 0.98
    assert roles(table, ["knn", "pca"], ["knn"]) == {"knn": "panel", "critic": "specialist"}


def test_specialists_overrule_the_mean_of_the_panel() -> None:
    scaled = {"a": np.array([1.0, 5.0]), "b": np.array([3.0, 5.0]), "c": np.array([4.0, 0.0])}
    found = strangeness(scaled, {"a": "panel", "b": "panel", "c": "specialist"})
    assert found.tolist() == pytest.approx([4.0 - np.log(2.0), 5.0])
