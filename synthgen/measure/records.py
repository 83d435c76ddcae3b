"""Tables of figures from records, the same with every version of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd


def record_table(records: Sequence[Any], **options: Any) -> pd.DataFrame:
    """Return a table of records in which text is kept as objects, so that None stays None.

    Parameters
    ----------
    records : sequence of dict or tuple
        One per row.
    **options
        Passed to ``pandas.DataFrame``.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> record_table([{"level": "a", "n": 1}, {"level": None, "n": 2}])["level"].tolist()
    ['a', None]
    """
    table = pd.DataFrame(records, **options)
    # Text has a dtype of its own from pandas 3 on, whose missing value is NaN.
    for place, dtype in enumerate(table.dtypes):
        if isinstance(dtype, pd.StringDtype):
            text = table.iloc[:, place]
            objects: Any = text.astype(object).where(text.notna(), None)
            table.isetitem(place, objects)
    return table
