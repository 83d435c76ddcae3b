from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.data.schema import Schema
from synthgen.encode.base import Resolution
from synthgen.encode.joint import JointEncoder
from synthgen.encode.wanted import Between, Wanted
from synthgen.errors import ConditionError
from tests.encode.columns import RESOLUTION, assert_alike

FRAME = pd.DataFrame(
    {
        "city": ["Paris", "Lyon", "Oslo", None, "Paris"] * 4,
        "country": pd.Categorical(["F", "F", "N", "N", "F"] * 4, ["X", "F", "N"]),
        "zone": pd.array([1, 2, 3, None, 1] * 4, dtype="Int64"),
    }
)


def fitted(frame: pd.DataFrame = FRAME, resolution: Resolution = RESOLUTION) -> JointEncoder:
    return JointEncoder.fit(frame, Schema.infer(frame).columns, resolution)


def inverse(encoder: JointEncoder, codes: Any, wanted: Any = None) -> dict[Any, Any]:
    states = np.asarray(codes, dtype=np.int32)[:, None]
    empty = np.empty((len(states), 0))
    rng = np.random.default_rng(0)
    return encoder.inverse(states, empty, np.arange(len(states)), rng, wanted or {})


def test_combinations_round_trip_in_their_dtypes() -> None:
    encoder = fitted()
    codes, scores = encoder.transform(FRAME)
    assert codes.shape == (20, 1)
    assert scores.shape == (20, 0)
    assert encoder.blocks[0].frequencies == pytest.approx([0.4, 0.2, 0.2, 0.2])
    back = inverse(encoder, codes[:, 0])
    for name in FRAME.columns:
        assert_alike(back[name], FRAME[name])


def test_new_combinations_have_no_state() -> None:
    frame = FRAME.head(2).assign(city=["Oslo", "Lyon"])
    assert (fitted().transform(frame)[0][:, 0] == -1).tolist() == [True, False]


def test_conditions_on_single_columns() -> None:
    encoder = fitted()
    combinations = inverse(encoder, range(4))
    (weights,) = encoder.condition("country", Wanted(("F",))).states
    assert weights is not None
    expected = [float(value == "F") for value in combinations["country"]]
    assert weights.tolist() == expected
    (weights,) = encoder.condition("city", Wanted(missing=True)).states
    assert weights is not None
    assert weights.tolist() == pd.isna(combinations["city"]).astype(float).tolist()
    (weights,) = encoder.condition("zone", Wanted(between=Between(2, None))).states
    assert weights is not None
    assert weights.sum() == 2
    with pytest.raises(ConditionError, match="'city' is never 'Rome' in the data"):
        encoder.condition("city", Wanted(("Rome",)))
    with pytest.raises(ConditionError, match="'city'"):
        encoder.condition("city", Wanted(between=Between(1, 2)))


def test_rare_combinations_share_a_state_and_obey_conditions() -> None:
    rng = np.random.default_rng(0)
    number = np.append(np.arange(200), np.zeros(100, int))
    frame = pd.DataFrame({"a": number, "b": number % 7 + rng.integers(0, 1, 300)})
    encoder = JointEncoder.fit(frame, Schema.infer(frame).columns, RESOLUTION)
    assert encoder.blocks[0].size == RESOLUTION.levels
    wanted = {"b": Wanted((3,))}
    back = inverse(encoder, np.full(40, RESOLUTION.levels - 1), wanted)
    assert set(back["b"]) == {3}
    assert (np.asarray(back["a"]) % 7 == 3).all()


def test_known_cells_choose_a_combination() -> None:
    encoder = fitted()
    frame = pd.DataFrame({"city": ["Paris", None, "Rome"], "country": ["F", "N", "F"]})
    known = np.array([[True, False, False], [False, True, False], [True, False, False]])
    states = encoder.agreeing(frame, known, np.random.default_rng(0))
    assert states[2] == -1
    back = inverse(encoder, states[:2])
    assert back["city"][0] == "Paris"
    assert list(back["country"]) == ["F", "N"]
    many = encoder.agreeing(
        pd.DataFrame({"country": ["F"] * 3_000}),
        np.tile([False, True, False], (3_000, 1)),
        np.random.default_rng(0),
    )
    cities = pd.Series(inverse(encoder, many)["city"])
    assert (cities == "Paris").mean() == pytest.approx(2 / 3, abs=0.03)


def test_an_encoder_comes_back_from_its_state() -> None:
    encoder = fitted()
    again = JointEncoder.from_state(encoder.columns, *encoder.to_state())
    codes, _ = again.transform(FRAME)
    np.testing.assert_array_equal(codes, encoder.transform(FRAME)[0])
    for name, array in inverse(again, codes[:, 0]).items():
        assert_alike(array, FRAME[name])


def test_conditions_in_the_order_of_the_column() -> None:
    frame = pd.DataFrame(
        {
            "level": pd.Categorical(
                ["low", "mid", "high"] * 5, ["low", "mid", "high"], ordered=True
            ),
            "day": pd.to_datetime(["2020-01-01", "2020-02-01", "2020-03-01"] * 5),
        }
    )
    encoder = fitted(frame)
    levels = inverse(encoder, range(3))
    for name, wanted, expected in (
        ("level", Wanted(between=Between("mid", None)), {"mid", "high"}),
        ("day", Wanted(between=Between("2020-02-01", None)), {"mid", "high"}),
        ("day", Wanted(("2020-02-01",)), {"mid"}),
        ("level", Wanted(("low", "none")), {"low"}),
    ):
        (weights,) = encoder.condition(name, wanted).states
        assert weights is not None
        assert {levels["level"][k] for k in np.flatnonzero(weights)} == expected
    for name, end in (("level", "none"), ("day", "soon")):
        with pytest.raises(ConditionError, match=f"'{name}'"):
            encoder.condition(name, Wanted(between=Between(end, None)))
