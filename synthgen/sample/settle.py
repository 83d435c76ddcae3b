"""Columns that follow from others, made to do so in generated rows.

The generator draws them as any other column, and what it draws nearly agrees. Here the total of a
sum is added up from its parts, and what a key decides is looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.data.cells import put_cells
from synthgen.data.lookup_rule import Lookup
from synthgen.data.sum_rule import Sum
from synthgen.data.values import from_numbers
from synthgen.encode.table import TableEncoder

_NUMBERS: Final = ("numeric", "integer")


def settle(
    frame: pd.DataFrame, encoder: TableEncoder, given: Mapping[Any, np.ndarray]
) -> pd.DataFrame:
    """Return rows that obey every sum and every lookup of the schema, where that can be.

    The total of a sum is worked out from its parts; where it is given, the part that varies most.
    Rows with a missing cell among them stay as they are, and so do those in which all cells are
    given or the one that is worked out would leave the range of its column: these break the
    constraint. What a key decides is looked up unless it is given.

    Parameters
    ----------
    frame : pandas.DataFrame
        Decoded rows.
    encoder : TableEncoder
        Knows the schema and the ranges.
    given : mapping from label to array of bool, shape (n,)
        Cells that must stay as they are; none in columns that are absent.

    Returns
    -------
    pandas.DataFrame
    """
    rules = [rule for rule in encoder.schema.constraints if isinstance(rule, (Sum, Lookup))]
    for rule in _in_order(rules, given):
        if isinstance(rule, Sum):
            frame = _add_up(frame, encoder, rule, given)
        else:
            frame = _look_up(frame, rule, given)
    return frame


def _in_order(rules: list[Sum | Lookup], given: Mapping[Any, np.ndarray]) -> list[Sum | Lookup]:
    """Put rules whose result is given first, then each after those that make what it goes by."""
    left = sorted(rules, key=lambda rule: _result(rule) not in given)
    ordered: list[Sum | Lookup] = []
    while left:
        results = {_result(rule) for rule in left}
        ready = next((rule for rule in left if not results & _sources(rule)), left[0])
        left.remove(ready)
        ordered.append(ready)
    return ordered


def _result(rule: Sum | Lookup) -> Any:
    return rule.total if isinstance(rule, Sum) else rule.column


def _sources(rule: Sum | Lookup) -> set[Any]:
    return set(rule.columns) - {_result(rule)}


def _add_up(
    frame: pd.DataFrame, encoder: TableEncoder, rule: Sum, given: Mapping[Any, np.ndarray]
) -> pd.DataFrame:
    values = rule.numbers(frame)
    open_rows = ~rule.holds(values)
    if not open_rows.any():
        return frame
    frame = frame.copy(deep=False)
    spread = np.nan_to_num(np.nanstd(values[:, 1:], axis=0))
    for place in (0, *(1 + np.argsort(-spread, kind="stable")).tolist()):
        name = rule.columns[place]
        rows = open_rows & ~given[name] if name in given else open_rows
        open_rows = open_rows & ~rows
        chosen = np.flatnonzero(rows)
        if not len(chosen) or encoder.schema[name].kind not in _NUMBERS:
            continue  # What is no number of its column's own cannot be worked out.
        solved = rule.solve(values[chosen], place)
        low, high = encoder.ranges.get(name, (-np.inf, np.inf))
        inside = (solved >= low) & (solved <= high)
        cells = from_numbers(solved[inside], encoder.schema[name]).astype(frame[name].dtype)
        frame[name] = put_cells(frame[name], chosen[inside], cells)
    return frame


def _look_up(frame: pd.DataFrame, rule: Lookup, given: Mapping[Any, np.ndarray]) -> pd.DataFrame:
    broken = ~rule.check(frame)
    if rule.column in given:
        broken &= ~given[rule.column]
    rows = np.flatnonzero(broken)
    if not len(rows):
        return frame
    frame = frame.copy(deep=False)
    _, cells = rule.values(frame.iloc[rows], frame[rule.column])
    frame[rule.column] = put_cells(frame[rule.column], rows, cells)
    return frame
