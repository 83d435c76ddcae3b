from __future__ import annotations

import numpy as np

from synthgen.encode.layout import FAR, EncodedTable, Head, Layout, StateBlock


def small_layout() -> Layout:
    """Return a gate of two states, a block of three, and two heads, the first of them gated."""
    edges = np.array([-FAR, 0.0, FAR])
    wide = np.array([-FAR, -1.0, 1.0, FAR])
    return Layout(
        (
            StateBlock(0, np.array([0.5, 0.5]), np.empty((2, 0))),
            StateBlock(2, np.array([0.2, 0.3, 0.5]), np.ones((3, 2))),
        ),
        (
            Head(0, edges, np.array([False, True]), np.array([-1.0, 0.0, 1.0]), gate=0),
            Head(1, wide, np.zeros(3, bool), np.zeros(4)),
        ),
    )


def small_table() -> EncodedTable:
    return EncodedTable(
        np.array([[0, 2], [1, 0], [0, 1]], dtype=np.int32),
        np.array([[-0.5, 0.0], [0.0, -3.0], [0.0, 1.0]], dtype=np.float32),
    )


def test_cells_are_counted_blocks_first() -> None:
    layout = small_layout()
    assert layout.block_starts.tolist() == [0, 2, 5]
    assert layout.head_starts.tolist() == [5, 7, 10]
    assert (layout.n_states, layout.n_cells) == (5, 10)
    assert layout.cell_columns.tolist() == [0, 0, 2, 2, 2, 0, 0, 1, 1, 1]


def test_bins_are_closed_below_and_absent_behind_a_closed_gate() -> None:
    bins = small_layout().bin_codes(small_table())
    assert bins.tolist() == [[0, 1], [-1, 0], [1, 2]]


def test_each_row_occupies_one_cell_of_each_block_and_open_head() -> None:
    cells = small_layout().cells(small_table())
    assert cells.tolist() == [[0, 4, 5, 8], [1, 2, -1, 7], [0, 3, 6, 9]]


def test_a_layout_without_heads_or_blocks() -> None:
    layout = Layout(())
    assert (layout.n_states, layout.n_cells) == (0, 0)
    empty = EncodedTable(np.empty((4, 0), np.int32), np.empty((4, 0), np.float32))
    assert layout.cells(empty).shape == (4, 0)


def test_tables_are_cut_and_stacked() -> None:
    table = small_table()
    parts = [table.take(slice(0, 1)), table.take(np.array([1, 2]))]
    whole = EncodedTable.concatenate(parts)
    assert len(whole) == 3
    np.testing.assert_array_equal(whole.codes, table.codes)
    np.testing.assert_array_equal(whole.values, table.values)


def test_a_layout_comes_back_from_its_arrays() -> None:
    layout = small_layout()
    facts, arrays = layout.to_arrays()
    again = Layout.from_arrays(facts, arrays)
    assert [block.column for block in again.blocks] == [0, 2]
    assert [(head.column, head.gate) for head in again.heads] == [(0, 0), (1, None)]
    for name, array in again.to_arrays()[1].items():
        np.testing.assert_array_equal(array, arrays[name])
