"""What findings are read from: results, and the yardstick of chance.

Two samples of the same source differ, the more so the smaller they are. A part of a score is worth
a finding if it lies farther from the real table than fresh real rows do, by more than chance makes
of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from math import inf, log, sqrt
from typing import Any, Final

import pandas as pd

from synthgen.evaluate.report.content import Finding
from synthgen.evaluate.result import Result

#: Largest difference of two distances (Kolmogorov-Smirnov or total variation) of samples of one
#: source to another, in units of chance, in about 5,000 trials.
_MOST_UNITS: Final = 1.5
#: A chance that is as good as none; several hundred columns may be looked at.
_NO_CHANCE: Final = 1e-4

#: Findings with their sizes, which are comparable over metrics: 1 is where "poor" begins.
Sized = list[tuple[float, Finding]]


@dataclass(frozen=True)
class Scored:
    """A metric's result for the synthetic rows and, if there is one, for real rows."""

    synthetic: Result
    ceiling: Result | None


@dataclass(frozen=True)
class Evidence:
    """What a reader of one metric may want to know of the others.

    Parameters
    ----------
    real_rows, synthetic_rows : int
        Rows that the scores look at; 0 if unknown.
    present : mapping
        Column to its shares of cells that are not missing, real and synthetic; 1 if not listed.
    off : mapping
        Column to how much farther from the real column it is than fresh real rows are.
    discrete : set
        Columns of categories.
    unrelated : set
        Columns that lost their relations to the others.
    relations : mapping
        Pair of columns to its mutual information in real, fresh real and synthetic rows.
    """

    real_rows: int
    synthetic_rows: int
    present: Mapping[Hashable, tuple[float, float]] = field(default_factory=dict)
    off: Mapping[Hashable, float] = field(default_factory=dict)
    discrete: frozenset[Hashable] = frozenset()
    unrelated: frozenset[Hashable] = frozenset()
    relations: Mapping[tuple[Hashable, Hashable], tuple[float, float, float]] = field(
        default_factory=dict
    )

    def unit(self, *columns: Hashable) -> float:
        """Return the unit of chance of a distance: sqrt(1 / real + 1 / synthetic rows).

        Only rows with values in all `columns` count; infinite without any.
        """
        rows = [float(self.real_rows), float(self.synthetic_rows)]
        for name in columns:
            for place, share in enumerate(self.present.get(name, (1.0, 1.0))):
                rows[place] *= share
        return sqrt(1 / rows[0] + 1 / rows[1]) if min(rows) > 0 else inf

    def chance(self, *columns: Hashable) -> float:
        """Return what two distances may differ by without meaning anything."""
        return _MOST_UNITS * self.unit(*columns)

    def news(self, rows: int) -> float:
        """Return how many of `rows` fresh rows may do what no real row does.

        That all `k` rows which are, say, above a threshold are among the fresh ones has the chance
        (rows / all rows) ** k.
        """
        if not self.real_rows or not rows:
            return inf
        return log(1 / _NO_CHANCE) / log(1 + self.real_rows / rows)


Reader = Callable[[Scored, Evidence], Sized]


def collect(results: Mapping[str, Scored]) -> Evidence:
    """Gather what all readers may want to know.

    Parameters
    ----------
    results : mapping of str to Scored
        By name of the metric; metrics that were not computed may be absent.
    """
    shape = results.get("shape")
    if shape is None or not shape.synthetic.applicable:
        return Evidence(0, 0)
    columns = table(shape.synthetic)
    usual = by_key(table(shape.ceiling), ["column"], "score")
    known = columns.dropna(subset=["score"])
    off = {
        name: usual.get((name,), 1.0) - score
        for name, score in zip(known["column"], known["score"], strict=True)
    }
    details = shape.synthetic.details
    gaps = results.get("missingness")
    missing = table(gaps.synthetic if gaps is not None else None)
    present = {
        row["column"]: (1 - row["real"], 1 - row["synthetic"])
        for row in missing.to_dict(orient="records")
    }
    is_discrete = columns["metric"] == "1 - total variation"
    return Evidence(
        real_rows=details["real_rows"],
        synthetic_rows=details["synthetic_rows"],
        present=present,
        off=off,
        discrete=frozenset(columns.loc[is_discrete, "column"]),
    )


def table(result: Result | None) -> pd.DataFrame:
    """Return the breakdown, or an empty frame."""
    return pd.DataFrame() if result is None or result.breakdown is None else result.breakdown


def by_key(frame: pd.DataFrame, keys: list[str], value: str) -> dict[tuple[Any, ...], float]:
    """Return a column of numbers by the labels in other columns, without missing ones."""
    if frame.empty:
        return {}
    labels = zip(*(frame[key] for key in keys), strict=True)
    return {
        tuple(label): float(number)
        for label, number in zip(labels, frame[value], strict=True)
        if not pd.isna(number)
    }


def weighed(size: float, fair: float, poor: float, **fields: Any) -> Sized:
    """Return a finding if `size` is larger than `fair`; "poor" if it is larger than `poor`."""
    if not size > fair:
        return []
    severity: Any = "poor" if size > poor else "fair"
    return [(size / poor, Finding(severity, **fields))]
