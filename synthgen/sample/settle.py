"""Columns that are sums of others, made to add up in generated rows.

The generator draws totals and parts alike, so they agree about; here one column of each sum is
worked out from the others. That changes it a little, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.cells import put_cells
from synthgen.data.sum_rule import Sum
from synthgen.data.values import from_numbers
from synthgen.encode.table import TableEncoder


def settle(
    frame: pd.DataFrame, encoder: TableEncoder, given: Mapping[Any, np.ndarray]
) -> pd.DataFrame:
    """Return rows in which every sum of the schema adds up where it can.

    The total is worked out from its parts; where it is given, the part that varies most. Rows with
    a missing cell among them stay as they are, and so do those in which all cells are given or the
    one that is worked out would leave the range of its column: these break the constraint.

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
    sums = [rule for rule in encoder.schema.constraints if isinstance(rule, Sum)]
    for rule in _in_order(sums, given):
        frame = _settle_one(frame, encoder, rule, given)
    return frame


def _in_order(rules: list[Sum], given: Mapping[Any, np.ndarray]) -> list[Sum]:
    """Put rules whose total is given first, then each after those that make its parts."""
    left = sorted(rules, key=lambda rule: rule.total not in given)
    ordered: list[Sum] = []
    while left:
        totals = {rule.total for rule in left}
        ready = next((rule for rule in left if not totals & set(rule.parts)), left[0])
        left.remove(ready)
        ordered.append(ready)
    return ordered


def _settle_one(
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
        solved = rule.solve(values[chosen], place)
        low, high = encoder.ranges.get(name, (-np.inf, np.inf))
        inside = (solved >= low) & (solved <= high)
        cells = from_numbers(solved[inside], encoder.schema[name]).astype(frame[name].dtype)
        frame[name] = put_cells(frame[name], chosen[inside], cells)
    return frame
