import numpy as np
import pandas as pd
import pytest

from synthgen.data.column import Column
from synthgen.dp.coarsen import Coarse
from synthgen.encode.public import (
    LevelCells,
    NumberCells,
    PublicEncoder,
    fine_codes,
    granularity,
    public_cells,
    public_column,
)
from synthgen.encode.wanted import Between, Wanted
from synthgen.errors import ConditionError

RNG = np.random.default_rng(0)
AGE = Column("age", "integer", "int64", minimum=0, maximum=9)
SEX = Column("sex", "categorical", "object", True, categories=("f", "m"))
SIZE = Column("size", "ordinal", "object", categories=("S", "M", "L"))


def encoder(column: Column, groups: list[int], within: list[float]) -> PublicEncoder:
    size = max(groups) + 1
    coarse = Coarse(np.array(groups), np.array(within))
    return PublicEncoder(column, public_cells(column), coarse, np.full(size, 1 / size))


def test_cells_come_from_the_declaration() -> None:
    cells = public_cells(AGE)
    assert isinstance(cells, NumberCells)
    assert cells.size == 10
    assert cells.encode(pd.Series([0, 9, 4, 77])).tolist() == [0, 9, 4, 9]
    levels = public_cells(SEX)
    assert isinstance(levels, LevelCells)
    assert levels.encode(pd.Series(["m", "f", "x", None])).tolist() == [1, 0, -1, -1]
    assert public_cells(Column("b", "boolean", "bool")).size == 2
    assert public_column(levels, SEX).size == 3
    assert fine_codes(levels, SEX, pd.Series(["m", None, "x"])).tolist() == [1, 2, -1]


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        (AGE, 1.0),
        (Column("x", "numeric", "float64", decimals=2), 0.01),
        (Column("x", "numeric", "float64"), 0.0),
        (Column("x", "integer", "int64", decimals=-2), 100.0),
        (Column("t", "datetime", "datetime64[ns]", resolution="h"), 3_600.0),
    ],
)
def test_granularity_is_declared(column: Column, unit: float) -> None:
    assert granularity(column) == unit


def test_values_are_drawn_within_their_state() -> None:
    ages = encoder(AGE, [0] * 5 + [1] * 5, [0.2] * 5 + [0.0, 0.0, 1.0, 0.0, 0.0])
    codes = np.repeat([[0], [1]], 200, axis=0).astype(np.int32)
    made = ages.inverse(codes, np.empty((400, 0)), np.arange(400), RNG, {})["age"]
    assert set(made[:200]) == {0, 1, 2, 3, 4}
    assert set(made[200:]) == {7}
    back, _ = ages.transform(pd.DataFrame({"age": np.asarray(made)}))
    assert back.tolist() == codes.tolist()


def test_conditions_restrict_states_and_values() -> None:
    ages = encoder(AGE, [0] * 5 + [1] * 5, [0.2] * 10)
    (weights,) = ages.condition("age", Wanted(between=Between(3, 6))).states
    np.testing.assert_allclose(weights, [0.4, 0.4])
    wanted = {"age": Wanted(between=Between(3, 6))}
    codes = np.zeros((100, 1), dtype=np.int32)
    made = ages.inverse(codes, np.empty((100, 0)), np.arange(100), RNG, wanted)["age"]
    assert set(made) == {3, 4}
    (weights,) = ages.condition("age", Wanted(values=(8,))).states
    np.testing.assert_allclose(weights, [0.0, 0.2])
    with pytest.raises(ConditionError, match="between 20"):
        ages.condition("age", Wanted(between=Between(20, 30)))
    with pytest.raises(ConditionError, match="no missing"):
        ages.condition("age", Wanted(missing=True))


def test_missing_is_a_state_if_it_has_one_of_its_own() -> None:
    alone = encoder(SEX, [0, 1, 2], [1.0, 1.0, 1.0])
    assert alone.missing_states() == [(0, 2)]
    (weights,) = alone.condition("sex", Wanted(values=("f",), missing=True)).states
    assert weights.tolist() == [1.0, 0.0, 1.0]
    codes = np.array([[2], [1]], dtype=np.int32)
    made = alone.inverse(codes, np.empty((2, 0)), np.arange(2), RNG, {})["sex"]
    assert pd.isna(made[0])
    assert made[1] == "m"
    assert encoder(SEX, [0, 1, 1], [1.0, 0.5, 0.5]).missing_states() == []


def test_ordinal_ranges() -> None:
    sizes = encoder(SIZE, [0, 1, 2], [1.0, 1.0, 1.0])
    (weights,) = sizes.condition("size", Wanted(between=Between("M", None))).states
    assert weights.tolist() == [0.0, 1.0, 1.0]
    assert sizes.blocks[0].features.shape == (3, 1)
    with pytest.raises(ConditionError, match="no value 'XL'"):
        sizes.condition("size", Wanted(values=("XL",)))
    with pytest.raises(ConditionError, match="an order"):
        encoder(SEX, [0, 1, 2], [1.0] * 3).condition("sex", Wanted(between=Between("f", "m")))


def test_state_round_trip() -> None:
    for original in (
        encoder(AGE, [0] * 5 + [1] * 5, [0.2] * 10),
        encoder(SEX, [0, 1, 2], [1.0] * 3),
    ):
        facts, arrays = original.to_state()
        again = PublicEncoder.from_state(original.column, facts, arrays)
        codes = np.array([[0], [1], [1]], dtype=np.int32)
        made = [
            e.inverse(codes, np.empty((3, 0)), np.arange(3), np.random.default_rng(1), {})
            for e in (original, again)
        ]
        name = original.column.name
        assert list(made[0][name]) == list(made[1][name])
