"""The scores of an image report by class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from synthgen.evaluate.images.content import ClassRow
from synthgen.evaluate.report.content import Overlay, UtilityBar
from synthgen.evaluate.result import Result
from synthgen.measure.stats import share_interval

#: Classes in the table, and drawn, those that lose most first.
_ROWS: Final = 100
_BARS: Final = 15


def class_rows(results: Mapping[str, Result]) -> list[ClassRow]:
    """Return the scores of each class, those that lose most first.

    Parameters
    ----------
    results : mapping of str to Result
    """
    accuracy, likeness = _table(results, "classifier_accuracy"), _table(results, "ms_ssim")
    if accuracy is None:
        return []
    alike = {} if likeness is None else {row["class"]: row for row in _records(likeness)}
    return [
        ClassRow(
            str(row["class"]),
            _number(row["real to real"]),
            _number(row["synthetic to real"]),
            _number(row["real to synthetic"]),
            _number(alike.get(row["class"], {}).get("synthetic")),
            _number(alike.get(row["class"], {}).get("real")),
        )
        for row in _records(accuracy.head(_ROWS))
    ]


def accuracy_bars(rows: list[ClassRow], tested: Mapping[str, int]) -> list[UtilityBar]:
    """Return the accuracy of each class after training on either side.

    Parameters
    ----------
    rows : list of ClassRow
    tested : mapping of str to int
        Number of real test images by class.
    """
    bars = []
    for row in rows[:_BARS]:
        count = tested.get(row.name, 0)
        if row.real is None or row.synthetic is None or not count:
            continue
        bars.append(
            UtilityBar(
                row.name,
                "accuracy",
                row.synthetic,
                row.real,
                share_interval(row.synthetic, count),
                share_interval(row.real, count),
            )
        )
    return bars


def class_shares(results: Mapping[str, Result]) -> Overlay | None:
    """Return the share of each class on both sides, the most neglected first."""
    table = _table(results, "class_coverage")
    if table is None:
        return None
    real, made = ([round(float(v), 6) for v in table[side]] for side in ("real", "synthetic"))
    names = [str(name) for name in table["class"]]
    return Overlay("share of each class", "discrete", None, names, real, made)


def _table(results: Mapping[str, Result], key: str) -> pd.DataFrame | None:
    return results[key].breakdown if key in results else None


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): value for name, value in record.items()} for record in table.to_dict("records")
    ]


def _number(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
