from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.encode.text import SurrogateEncoder
from synthgen.encode.wanted import Wanted
from synthgen.errors import ConditionError
from tests.encode.columns import column_of, decoded


def fitted(values: Any, kind: str | None = None) -> tuple[pd.DataFrame, SurrogateEncoder]:
    frame, column = column_of(values, kind)
    return frame, SurrogateEncoder.fit(frame, column)


def test_ids_are_new_and_unique_and_keep_their_form() -> None:
    real = [f"AB-{k:05d}" for k in range(200)]
    frame, encoder = fitted(real)
    assert encoder.column.kind == "id"
    codes, scores = encoder.transform(frame)
    assert (codes.shape, scores.shape) == ((200, 0), (200, 0))
    made = decoded(encoder, codes, scores)
    assert made.is_unique
    assert made.str.fullmatch(r"[A-Z]{2}-\d{5}").all()


def test_only_the_gaps_are_learned() -> None:
    real = pd.Series([f"AB-{k:05d}" for k in range(200)])
    real[::4] = None
    frame, encoder = fitted(real, "id")
    (block,) = encoder.blocks
    assert block.frequencies.tolist() == [0.75, 0.25]
    codes, scores = encoder.transform(frame)
    assert codes[:, 0].tolist() == [1, 0, 0, 0] * 50
    assert encoder.missing_states() == [(0, 1)]
    made = decoded(encoder, codes, scores)
    assert made.isna().tolist() == real.isna().tolist()
    renewed = encoder.renew(made, np.arange(1_000, 1_200), np.random.default_rng(0))
    assert renewed.isna().tolist() == real.isna().tolist()
    assert not set(renewed.dropna()) & set(made.dropna())


@pytest.mark.parametrize("value", ["same", 7, 2.5, True, pd.Timestamp("2020-01-01")])
def test_constants_stay(value: Any) -> None:
    frame, encoder = fitted(pd.Series([value] * 10))
    made = decoded(encoder, *encoder.transform(frame))
    assert made.tolist() == [value] * 10
    assert made.dtype == frame["c"].dtype


def test_a_column_of_only_gaps_stays_empty() -> None:
    frame, encoder = fitted(pd.Series([None] * 10, dtype=object))
    assert encoder.blocks == ()
    assert encoder.missing_states() == []
    assert decoded(encoder, *encoder.transform(frame)).isna().all()


def test_only_gaps_can_be_a_condition() -> None:
    real = pd.Series([f"AB-{k:05d}" for k in range(200)])
    _, whole = fitted(real, "id")
    real[::4] = None
    _, gaps = fitted(real, "id")
    (weights,) = gaps.condition("c", Wanted(missing=True)).states
    assert weights is not None
    assert weights.tolist() == [0, 1]
    for encoder, wanted in ((gaps, Wanted(("AB-00001",))), (whole, Wanted(missing=True))):
        with pytest.raises(ConditionError, match="'c' has the kind 'id': its content is made up"):
            encoder.condition("c", wanted)


def test_an_encoder_comes_back_from_its_state() -> None:
    real = pd.Series([f"AB-{k:05d}" for k in range(200)])
    real[::4] = None
    frame, encoder = fitted(real, "id")
    again = SurrogateEncoder.from_state(encoder.column, *encoder.to_state())
    codes, scores = encoder.transform(frame)
    assert decoded(again, codes, scores).equals(decoded(encoder, codes, scores))
