import numpy as np
import pandas as pd
import pytest

from synthgen.evaluate.report import panels
from synthgen.measure.columns import column_roles

RNG = np.random.default_rng(0)


def draw(frames, name):
    return panels.overlay(frames, name, column_roles(frames[0]), 0.9)


def test_shares_of_numbers_add_up_and_tails_stay_in() -> None:
    real = pd.DataFrame({"x": np.append(RNG.normal(50, 10, 999), 1e6)})
    fake = pd.DataFrame({"x": np.append(RNG.normal(50, 10, 398), [np.nan, np.nan])})
    made = draw([real, fake], "x")
    assert made.labels[-1] == "missing"
    assert (made.real[-1], made.synthetic[-1]) == (0.0, 0.005)
    assert sum(made.real) == pytest.approx(1, abs=1e-4)
    assert sum(made.synthetic) == pytest.approx(1, abs=1e-4)
    assert len(made.edges) == len(made.labels)
    assert max(made.edges) < 200
    steps = np.diff(made.edges)
    assert set(steps.round(9)) <= {1.0, 2.0, 5.0, 10.0}
    assert made.edge_labels is None
    assert made.holdout is None


def test_few_values_get_a_bar_each() -> None:
    real = pd.DataFrame({"x": [1, 1, 2, 4]})
    made = draw([real, real, real], "x")
    assert made.edges == [0.5, 1.5, 3.0, 5.0]
    assert made.real == made.holdout == [0.5, 0.25, 0.25]


def test_dates_are_labelled() -> None:
    real = pd.DataFrame({"t": pd.date_range("2020-01-01", periods=100, freq="D")})
    made = draw([real, real], "t")
    assert made.edge_labels[0].startswith("2020-01-0")
    times = pd.DataFrame({"t": pd.to_timedelta(RNG.integers(0, 1000, 90), unit="min")})
    assert draw([times, times], "t").edge_labels is not None


def test_long_tails_of_categories_are_counted() -> None:
    values = [f"c{k}" for k in range(40) for _ in range(40 - k)]
    real = pd.DataFrame({"c": values})
    fake = pd.DataFrame({"c": ["c0", None]})
    made = draw([real, fake], "c")
    assert made.labels[0] == "c0"
    assert made.labels[-2:] == ["other (28)", "missing"]
    assert made.synthetic[0] == made.synthetic[-1] == 0.5
    assert sum(made.real) == pytest.approx(1, abs=1e-4)


def test_a_constant_and_an_empty_column_have_a_bar() -> None:
    frame = pd.DataFrame({"x": [3.0, 3.0], "y": [np.nan, np.nan]})
    assert draw([frame, frame], "x").real == [1.0]
    assert draw([frame, frame], "y").real[-1] == 1.0


def test_projection_is_of_the_real_table_and_seeded() -> None:
    x = RNG.normal(size=300)
    real = pd.DataFrame({"x": x, "y": x + RNG.normal(size=300) / 9, "z": -x})
    far = real + 20
    roles = column_roles(real)
    made, again = (panels.projection(real, far, roles, np.random.default_rng(1)) for _ in range(2))
    assert made == again
    centres = [np.mean(points, axis=0) for points in (made.real, made.synthetic)]
    assert np.linalg.norm(centres[1] - centres[0]) > 1
    assert 0 < made.explained[1] <= made.explained[0] < 1
    narrow = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    assert panels.projection(narrow, narrow, column_roles(narrow), RNG) is None


def test_history_is_plain_numbers() -> None:
    class Fitted:
        history_ = pd.DataFrame(
            {"step": [1, 2], "shape": [0.5, np.nan], "seconds": [1.0, 2.0], "kind": ["a", "b"]}
        )

    assert panels.history(Fitted()) == {"step": [1.0, 2.0], "shape": [0.5, None]}
    assert panels.history(None) is None
    assert panels.history("text") is None


def test_words_that_are_numbers_in_the_other_table() -> None:
    made = draw([pd.DataFrame({"c": ["1", "2"]}), pd.DataFrame({"c": [2, 3]})], "c")
    assert sorted(made.labels) == ["1", "2", "3"]
