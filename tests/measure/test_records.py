"""Tables of records."""

from __future__ import annotations

import pandas as pd

from synthgen.measure.records import record_table


def test_text_is_kept_as_objects_and_none_stays_none() -> None:
    table = record_table([("a", 1.0, None), (None, None, None)], columns=["text", "x", "none"])
    assert table["text"].tolist() == ["a", None]
    assert table["text"].dtype == table["none"].dtype == object
    assert table["x"].dtype == "float64"


def test_options_reach_pandas() -> None:
    table = record_table([{"t": "a"}], index=pd.Index(["row"], name="metric"))
    assert table.index.tolist() == ["row"]
    assert table.index.name == "metric"
    assert record_table([], columns=["a", "b"]).shape == (0, 2)
