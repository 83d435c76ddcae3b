from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.core.documents import dump_json
from synthgen.data.constraints import FixedCombinations
from synthgen.data.schema import Schema
from synthgen.encode.base import Resolution
from synthgen.encode.layout import REST
from synthgen.encode.table import TableEncoder
from synthgen.encode.wanted import Between, parse_wanted
from synthgen.errors import ConditionError
from tests.encode.columns import RESOLUTION, assert_alike


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 600
    money = np.round(rng.lognormal(3, 1, n), 2)
    money[rng.random(n) < 0.3] = 0.0
    money[rng.random(n) < 0.1] = np.nan
    city = rng.choice(["Paris", "Lyon", "Oslo"], n)
    return pd.DataFrame(
        {
            "key": [f"K{k:06d}" for k in range(n)],
            "city": city,
            "money": money,
            "country": np.where(city == "Oslo", "Norway", "France"),
            "when": pd.Timestamp("2020-01-01 08:00")
            + pd.to_timedelta(rng.integers(0, 9_000, n), "h"),
            "size": rng.choice([1, 2, 3], n),
            7: rng.random(n) < 0.5,
        }
    )


@pytest.fixture(scope="module")
def encoder(frame: pd.DataFrame) -> TableEncoder:
    schema = Schema.infer(frame).with_constraints(FixedCombinations(["city", "country"]))
    return TableEncoder.fit(frame, schema, RESOLUTION)


def inverse(encoder: TableEncoder, table: Any, wanted: Any = None) -> pd.DataFrame:
    rows = np.arange(len(table), dtype=np.int64)
    return encoder.inverse(table, rows, np.random.default_rng(0), wanted)


def asked(encoder: TableEncoder, conditions: dict[Any, Any]) -> Any:
    return encoder.condition({name: parse_wanted(name, c) for name, c in conditions.items()})


def test_columns_come_back_in_order_and_dtype(encoder: TableEncoder, frame: pd.DataFrame) -> None:
    table = encoder.transform(frame, np.random.default_rng(0))
    assert (table.codes.dtype, table.values.dtype) == (np.int32, np.float32)
    assert (table.codes >= 0).all()
    back = inverse(encoder, table)
    assert list(back.columns) == list(frame.columns)
    for name in ("city", "country", "size", 7):
        assert_alike(back[name], frame[name])
    assert back.dtypes.equals(frame.dtypes)
    assert back["money"].isna().equals(frame["money"].isna())
    assert (back["money"] == 0).equals(frame["money"] == 0)
    assert back["key"].is_unique


def test_the_layout_says_where_everything_is(encoder: TableEncoder, frame: pd.DataFrame) -> None:
    layout = encoder.layout
    table = encoder.transform(frame)
    assert table.codes.shape[1] == len(layout.blocks)
    assert table.values.shape[1] == len(layout.heads)
    assert encoder.owner["city"] == encoder.owner["country"]
    for number, block in enumerate(layout.blocks):
        shares = np.bincount(table.codes[:, number], minlength=block.size) / len(frame)
        assert block.frequencies == pytest.approx(shares)
    blocks, heads = encoder.columns_of("money")
    (head,) = layout.heads[heads]
    assert head.gate == blocks.start
    assert head.column == layout.blocks[blocks.start].column
    open_gate = table.codes[:, blocks.start] == REST
    assert (table.values[~open_gate, heads.start] == 0).all()


def test_missing_states_are_counted_over_all_blocks(
    encoder: TableEncoder, frame: pd.DataFrame
) -> None:
    table = encoder.transform(frame)
    occupied = table.codes + encoder.layout.block_starts[:-1]
    gaps = np.isin(occupied, encoder.missing_states).any(axis=1)
    assert gaps.tolist() == frame["money"].isna().tolist()


def test_conditions_find_their_blocks(encoder: TableEncoder) -> None:
    condition = asked(encoder, {"size": [1, 2], "money": Between(5, 10)})
    size, _ = encoder.columns_of("size")
    gate, head = encoder.columns_of("money")
    assert set(condition.states) == {size.start, gate.start}
    assert set(condition.intervals) == {head.start}
    assert condition.states[size.start].sum() == 2
    assert condition.states[gate.start].tolist() == [1, 0, 0]


def test_conditions_on_one_group_are_combined(encoder: TableEncoder) -> None:
    condition = asked(encoder, {"country": "France", "city": ["Paris", "Oslo"]})
    (weights,) = condition.states.values()
    assert weights.sum() == 1
    with pytest.raises(ConditionError, match="never occur together"):
        asked(encoder, {"country": "Norway", "city": "Paris"})


def test_conditions_name_what_is_wrong(encoder: TableEncoder) -> None:
    with pytest.raises(ConditionError, match="no column 'town'; the columns are 'key', 'city'"):
        asked(encoder, {"town": "Paris"})
    with pytest.raises(ConditionError, match="'key' has the kind 'id'"):
        asked(encoder, {"key": "K000001"})
    with pytest.raises(ConditionError, match="'city' is never 'Rome'"):
        asked(encoder, {"city": "Rome"})


def test_ids_are_renumbered(encoder: TableEncoder, frame: pd.DataFrame) -> None:
    back = inverse(encoder, encoder.transform(frame))
    picked = back.iloc[[3, 3, 5]].reset_index(drop=True)
    rows = np.arange(100, 103, dtype=np.int64)
    renewed = encoder.renumber(picked, rows, np.random.default_rng(0))
    assert renewed["key"].is_unique
    assert list(renewed.columns) == list(frame.columns)
    assert renewed.drop(columns="key").equals(picked.drop(columns="key"))


def test_an_encoder_comes_back_from_its_state(encoder: TableEncoder, frame: pd.DataFrame) -> None:
    facts, arrays = encoder.to_state()
    dump_json(facts)
    again = TableEncoder.from_state(encoder.schema, facts, arrays)
    table, other = encoder.transform(frame), again.transform(frame)
    np.testing.assert_array_equal(table.codes, other.codes)
    np.testing.assert_array_equal(table.values, other.values)
    pd.testing.assert_frame_equal(inverse(encoder, table), inverse(again, table))


def test_more_than_ten_encoders_keep_their_arrays_apart() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{k}": rng.normal(k, 1, 200) for k in range(12)})
    encoder = TableEncoder.fit(frame, Schema.infer(frame), RESOLUTION)
    again = TableEncoder.from_state(encoder.schema, *encoder.to_state())
    table = encoder.transform(frame)
    pd.testing.assert_frame_equal(inverse(encoder, table), inverse(again, table))


def test_groups_that_share_a_column_are_one(frame: pd.DataFrame) -> None:
    schema = Schema.infer(frame).with_constraints(
        FixedCombinations(["city", "country"]), FixedCombinations(["country", "size"])
    )
    encoder = TableEncoder.fit(frame, schema, RESOLUTION)
    assert encoder.owner["city"] == encoder.owner["size"] == encoder.owner["country"]
    back = inverse(encoder, encoder.transform(frame))
    assert_alike(back["size"], frame["size"])


def test_a_table_of_surrogates_has_nothing_to_learn() -> None:
    frame = pd.DataFrame({"a": ["x"] * 20, "b": [f"K{k:03d}" for k in range(20)]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = Schema.infer(frame)
    encoder = TableEncoder.fit(frame, schema, RESOLUTION)
    assert encoder.layout.n_cells == 0
    table = encoder.transform(frame)
    assert (table.codes.shape, table.values.shape) == ((20, 0), (20, 0))
    assert inverse(encoder, table)["a"].tolist() == ["x"] * 20


@pytest.mark.parametrize(
    ("n_rows", "n_columns"), [(10, 1), (1_000, 10), (50_000, 15), (10**6, 30), (500, 5_000)]
)
def test_resolution_follows_the_size_of_the_table(n_rows: int, n_columns: int) -> None:
    resolution = Resolution.for_table(n_rows, n_columns)
    assert 8 <= resolution.bins <= 48
    assert 8 <= resolution.few <= 192
    assert 32 <= resolution.levels <= 512
    finer = Resolution.for_table(n_rows * 10, n_columns)
    assert finer.bins >= resolution.bins
    assert Resolution.for_table(n_rows, n_columns * 100).bins <= resolution.bins
