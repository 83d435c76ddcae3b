"""What the pages of both quality reports have in common: scores, tables and training history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from synthgen.evaluate.report.content import Score
from synthgen.evaluate.report.figures import bullet_figure, history_figure
from synthgen.page.frame import RATINGS, is_number

_MOST_QUANTITIES: Final = 12


@dataclass(frozen=True)
class Line:
    """One score with its bar and the places that links jump to."""

    score: Score
    bullet: str | None
    anchor: str
    definition_anchor: str


def lines_of(scores: Sequence[Score]) -> list[Line]:
    """Return the scores with their bars and anchors."""
    return [
        Line(score, bullet_figure(score), f"score-{place}", f"definition-{place}")
        for place, score in enumerate(scores, start=1)
    ]


def counts(scores: Sequence[Score]) -> list[tuple[str, int]]:
    """Return how many scores there are of each rating."""
    numbers = [(rating, sum(score.rating == rating for score in scores)) for rating in RATINGS]
    return [(rating, number) for rating, number in numbers if number]


def families(lines: Sequence[Line]) -> list[tuple[str, list[Line]]]:
    """Group the scores; a family stands where its first score does."""
    grouped: dict[str, list[Line]] = {}
    for line in lines:
        grouped.setdefault(line.score.family, []).append(line)
    return list(grouped.items())


def table_keys(tables: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the columns of the table of what was compared, and which of them are numbers."""
    keys = list(dict.fromkeys(key for table in tables for key in table))
    numeric = [key for key in keys if all(is_number(table.get(key, 0)) for table in tables)]
    return {"table_keys": keys, "number_keys": numeric}


def history_figures(history: dict[str, list[float | None]]) -> tuple[list[tuple[str, str]], int]:
    """Draw the quantities of a training history that have values.

    Returns
    -------
    figures : list of (str, str)
        Name and drawing.
    omitted : int
        How many are not drawn.
    """
    given = history.get("step")
    names = [
        name
        for name, values in history.items()
        if name != "step" and any(value is not None for value in values)
    ]
    drawn = []
    for name in names[:_MOST_QUANTITIES]:
        values = history[name]
        at = [float(place) for place in range(len(values))]
        if given is not None and len(given) == len(values):
            at = [place if step is None else float(step) for place, step in enumerate(given)]
        drawn.append((name, history_figure(name, values, at)))
    return drawn, max(0, len(names) - _MOST_QUANTITIES)
