from __future__ import annotations

import pandas as pd
import pytest

from synthgen.errors import InvalidDataError, SchemaMismatchError
from synthgen.evaluate import baseline_frames, c2st, copy_share, membership, shape, trend

from .tables import related


def test_floor_keeps_columns_and_dtypes_but_not_rows() -> None:
    train = related(500, 1).assign(
        group=lambda frame: frame["group"].astype("category"),
        day=pd.date_range("2020-01-01", periods=500, tz="Europe/Berlin"),
        count=pd.array(range(500), dtype="Int64"),
    )
    floor = baseline_frames(train, train).independent
    assert floor.dtypes.equals(train.dtypes)
    assert shape(train, floor).value == pytest.approx(1.0)
    for name in train:
        assert sorted(floor[name].map(str)) == sorted(train[name].map(str))
    assert copy_share(train, floor).value == 0.0


def test_the_ranking_is_ceiling_before_floor() -> None:
    train, holdout = related(1000, 1), related(1000, 2)
    frames = baseline_frames(train, holdout)
    assert c2st(holdout, frames.real).value > 0.9 > 0.4 > c2st(holdout, frames.independent).value
    assert trend(holdout, frames.real).value > trend(holdout, frames.independent).value
    fair = membership(frames.members, frames.fresh, holdout=holdout)
    assert fair.interval[0] < 0.5 < fair.interval[1]


def test_halves_share_no_row_and_seeds_matter() -> None:
    train = pd.DataFrame({"x": range(101), "y": range(101)})
    frames = baseline_frames(train, train, 3)
    assert len(frames.members) == len(frames.fresh) == 50
    assert not set(frames.members["x"]) & set(frames.fresh["x"])
    assert sorted(frames.real["x"]) == list(range(101))
    assert (frames.real["x"] == frames.real["y"]).all()
    assert (frames.independent["x"] != frames.independent["y"]).any()
    assert frames.independent.equals(baseline_frames(train, train, 3).independent)
    assert not frames.independent.equals(baseline_frames(train, train, 4).independent)


def test_bad_input_is_refused() -> None:
    train = related(10, 1)
    with pytest.raises(InvalidDataError, match="two training rows"):
        baseline_frames(train.iloc[:1], train)
    with pytest.raises(SchemaMismatchError):
        baseline_frames(train, train.drop(columns="x"))
