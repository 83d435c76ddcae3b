"""Domains of columns as a table shows them: ranges, categories, gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.values import to_numbers

_MEASURED = ("numeric", "integer", "datetime", "timedelta")
_LEVELS = ("categorical", "ordinal")


def observed_column(column: Column, series: pd.Series) -> Column:
    """Return a column with the domain that its values have; declared facts are kept.

    Parameters
    ----------
    column : Column
    series : pandas.Series
        Its values.
    """
    facts: dict[str, Any] = {"nullable": column.nullable or bool(series.isna().any())}
    if column.kind in _MEASURED:
        values = to_numbers(series, column)
        values = values[~np.isnan(values)]
        if len(values) and column.minimum is None:
            facts["minimum"] = float(values.min())
        if len(values) and column.maximum is None:
            facts["maximum"] = float(values.max())
    if column.kind in _LEVELS and column.categories is None:
        levels = series.dropna().unique()
        facts["categories"] = tuple(sorted(levels.tolist(), key=lambda x: (str(x), repr(x))))
    return column.changed(**facts)
