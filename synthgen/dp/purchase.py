"""Facts about columns that nobody declared, bought from the budget.

Kinds and types of columns must be public all the same; what can be bought is which categories there
are, in which range the numbers lie, and whether values are missing.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.schema import Schema
from synthgen.data.values import to_numbers
from synthgen.dp.errors import PrivacyError
from synthgen.dp.ledger import Ledger
from synthgen.dp.plan import MarginalPlan
from synthgen.dp.quantiles import private_bounds, private_gaps
from synthgen.dp.select import select_values

_LEVELS = ("categorical", "ordinal", "boolean")


def undeclared(schema: Schema) -> tuple[list[Hashable], list[Hashable]]:
    """Return the columns without declared categories, and those without a declared range.

    Booleans have two values whatever the data say; columns that are made by rule need nothing.
    """
    levels = [
        column.name
        for column in schema
        if column.kind in ("categorical", "ordinal") and column.categories is None
    ]
    ranges = [
        column.name
        for column in schema
        if column.modelled
        and column.kind not in _LEVELS
        and (column.minimum is None or column.maximum is None)
    ]
    return levels, ranges


def buy_facts(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    levels: Sequence[Hashable],
    ranges: Sequence[Hashable],
    gaps: Sequence[Hashable],
    plan: MarginalPlan,
    ledger: Ledger,
) -> dict[Hashable, dict[str, Any]]:
    """Buy facts about columns with the schema's share of a budget.

    Parameters
    ----------
    frame : pandas.DataFrame
    schema : Schema
        Kinds and dtypes; all of it public.
    levels, ranges, gaps : sequence of hashable
        Columns whose categories, whose range, and of which it is to be learned whether values are
        missing.
    plan : MarginalPlan
    ledger : Ledger

    Returns
    -------
    dict of label to dict
        Changes for :meth:`~synthgen.data.schema.Schema.with_column`: ``categories``, ``minimum``
        and ``maximum``, ``nullable``, and a ``reason``.

    Raises
    ------
    PrivacyError
        If a column has too few rows with a value, so that nothing can be told about it.
    """
    bought: dict[Hashable, dict[str, Any]] = {}
    tables = len(levels) + len(ranges) + len(gaps)
    if not tables:
        return bought
    # One noise level for all: together they are `tables` tables that a row is in once each.
    sigma = plan.sigma("schema", tables, ledger)
    for name, chosen in zip(
        levels,
        select_values(
            [_counted(frame[name]) for name in levels],
            sigma=sigma,
            failure=plan.failure,
            ledger=ledger,
            note=f"categories of {len(levels)} columns",
        ),
        strict=True,
    ):
        if not chosen.values:
            raise _too_few(name, "category", chosen.threshold)
        bought[name] = {"categories": chosen.values}
    numbers = [to_numbers(frame[name], schema[name]) for name in ranges]
    note = f"ranges of {len(ranges)} columns"
    for name, ends in zip(
        ranges, private_bounds(numbers, sigma=sigma, ledger=ledger, note=note), strict=True
    ):
        if ends is None:
            raise _too_few(name, "range", 4 * sigma)
        column = schema[name]
        low = ends[0] if column.minimum is None else column.minimum
        high = ends[1] if column.maximum is None else column.maximum
        bought[name] = {"minimum": min(low, high), "maximum": max(low, high)}
    masks: list[NDArray[np.bool_]] = [frame[name].isna().to_numpy(dtype=bool) for name in gaps]
    note = f"missing values of {len(gaps)} columns"
    for name, count in zip(
        gaps, private_gaps(masks, sigma=sigma, ledger=ledger, note=note), strict=True
    ):
        bought.setdefault(name, {})["nullable"] = count > 0
    for name, changes in bought.items():
        changes["reason"] = f"bought: {', '.join(changes)}"
        ledger.assume(f"Column {name!r}: kind and dtype are public; {changes['reason']}.")
    return bought


def _counted(series: pd.Series[Any]) -> tuple[list[Hashable], NDArray[np.int64]]:
    codes, values = pd.factorize(series)
    return list(values.tolist()), np.bincount(codes[codes >= 0], minlength=len(values))


def _too_few(name: Hashable, fact: str, rows: float) -> PrivacyError:
    return PrivacyError(
        f"No {fact} of column {name!r} is shared by about {rows:.0f} rows or more, so none can be "
        "told. Declare it in the schema, drop the column, or raise epsilon or schema_share."
    )
