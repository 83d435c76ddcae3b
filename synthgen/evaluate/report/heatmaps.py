"""Heat maps of how strongly columns depend on each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from synthgen.evaluate.report.content import Associations, Matrix
from synthgen.page.svg import drawing, element, escape, rect, text
from synthgen.page.wording import MINUS, fit, fixed, listed, shorten

#: Columns that a heat map shows; tables with more show the most associated ones.
MOST_COLUMNS: Final = 40
#: From this many columns on, a map takes half the page instead of a third.
MANY_COLUMNS: Final = 17

Kind = Literal["real", "synthetic", "difference"]

_STEPS: Final = (0.0, 0.05, 0.2, 0.5, 1.0)
_TITLES: Final[dict[Kind, str]] = {
    "real": "Associations in the real table",
    "synthetic": "Associations in the synthetic table",
    "difference": "Difference, synthetic minus real",
}


@dataclass(frozen=True)
class Pair:
    """Two columns and how strongly they depend on each other.

    Parameters
    ----------
    first, second : str
        Columns.
    real, synthetic : float
        Association in each table.
    """

    first: str
    second: str
    real: float
    synthetic: float

    @property
    def difference(self) -> float:
        """Synthetic minus real."""
        return self.synthetic - self.real


def pairs_by_difference(associations: Associations) -> list[Pair]:
    """Return all pairs of columns that have both values, the largest difference first."""
    names = associations.columns
    found = []
    for row in range(len(names)):
        for column in range(row):
            real = associations.real[row][column]
            synthetic = associations.synthetic[row][column]
            if real is not None and synthetic is not None:
                found.append(Pair(names[column], names[row], real, synthetic))
    return sorted(found, key=lambda pair: -abs(pair.difference))


def most_associated(associations: Associations, limit: int = MOST_COLUMNS) -> Associations:
    """Keep the columns with the largest sum of real associations, in their order.

    Examples
    --------
    >>> full = [[1.0, 0.0, 0.1], [0.0, 1.0, 0.5], [0.1, 0.5, 1.0]]
    >>> most_associated(Associations(["a", "b", "c"], full, full), 2).columns
    ['b', 'c']
    """
    size = len(associations.columns)
    if size <= limit:
        return associations
    sums = [
        sum(value or 0.0 for other, value in enumerate(row) if other != place)
        for place, row in enumerate(associations.real)
    ]
    kept = sorted(sorted(range(size), key=lambda place: -sums[place])[:limit])
    return Associations(
        [associations.columns[place] for place in kept],
        [[associations.real[row][column] for column in kept] for row in kept],
        [[associations.synthetic[row][column] for column in kept] for row in kept],
    )


def heatmap_figure(associations: Associations, kind: Kind) -> str:
    """Return the drawing of one matrix; the diagonal says nothing and stays empty."""
    names = associations.columns
    count = len(names)
    wide = count >= MANY_COLUMNS
    size = 9.0 if count > 28 else 10.5
    width = 505.0 if wide else 296.0
    margin = 104.0 if wide else 92.0
    cell = min((width - margin) / max(count, 1), 34.0)
    values = _values(associations, kind)
    parts = []
    for place, name in enumerate(names):
        middle = margin + (place + 0.5) * cell
        words = fit(name, margin - 12, size)
        class_ = "label small" if size < 10 else "label"
        parts.append(text(margin - 6, middle + size / 3, words, class_, anchor="end"))
        parts.append(text(middle + size / 3, margin - 6, words, class_, turn=-90))
    for row in range(count):
        for column in range(count):
            if row != column:
                x, y = margin + column * cell, margin + row * cell
                hint = f"{shorten(names[row], 40)} and {shorten(names[column], 40)}"
                parts.append(_cell(x, y, cell, values[row][column], kind, hint))
    side = margin + count * cell + 1
    return drawing(width, side, heatmap_words(associations, kind), *parts)


def _values(associations: Associations, kind: Kind) -> Matrix:
    if kind != "difference":
        return associations.real if kind == "real" else associations.synthetic
    return [
        [
            None if real is None or synthetic is None else synthetic - real
            for real, synthetic in zip(reals, synthetics, strict=True)
        ]
        for reals, synthetics in zip(associations.real, associations.synthetic, strict=True)
    ]


def _cell(x: float, y: float, cell: float, value: float | None, kind: Kind, hint: str) -> str:
    inner = cell - (1 if cell > 6 else 0.5)
    if value is None:
        return rect(x, y, inner, inner, "cell-none", f"{hint}: not applicable")
    tone = kind if kind != "difference" else ("synthetic" if value > 0 else "real")
    sign = "+" if kind == "difference" and value > 0 else ""
    square = element(
        "rect",
        element("title", escape(f"{hint}: {sign}{fixed(value, 2)}")),
        x=x,
        y=y,
        width=inner,
        height=inner,
        class_=f"cell-{tone}",
        fill_opacity=f"{_strength(value):.2f}",
    )
    if kind == "difference" and abs(value) >= 0.05 and cell >= 10:
        mark = "+" if value > 0 else MINUS
        square += text(x + inner / 2, y + inner / 2 + 4, mark, "cell-mark", anchor="middle")
    return square


def _strength(value: float) -> float:
    """Return the opacity of a value: its root, because most associations are weak."""
    return min(1.0, 0.03 + 0.97 * math.sqrt(min(abs(value), 1.0)))


def heatmap_words(associations: Associations, kind: Kind) -> str:
    """Say in words what a heat map shows."""
    pairs = pairs_by_difference(associations)
    if kind != "difference":
        pairs = sorted(pairs, key=lambda pair: -getattr(pair, kind))
    strongest = [
        f"{shorten(pair.first, 40)} and {shorten(pair.second, 40)} {fixed(getattr(pair, kind), 2)}"
        for pair in pairs[:3]
    ]
    what = "largest" if kind == "difference" else "strongest"
    words = f"{_TITLES[kind]}, {len(associations.columns)} columns"
    return f"{words}; {what}: {listed(strongest)}." if strongest else f"{words}."


def scale_figure(kind: Kind) -> str:
    """Return the key to the colours of a heat map."""
    values = _STEPS if kind != "difference" else (-0.5, -0.2, -0.05, 0.05, 0.2, 0.5)
    parts = []
    for place, value in enumerate(values):
        tone = kind if kind != "difference" else ("synthetic" if value > 0 else "real")
        x = 4.0 + 42 * place
        parts.append(
            element(
                "rect",
                x=x,
                y=2,
                width=40,
                height=10,
                class_=f"cell-{tone}",
                fill_opacity=f"{_strength(value):.2f}",
            )
        )
        sign = "+" if kind == "difference" and value > 0 else ""
        words = f"{sign}{fixed(value, 2)}"
        parts.append(text(x + 20, 25, words, anchor="middle"))
    label = "Key to the colours: deeper is stronger"
    if kind == "difference":
        label = f"Key to the colours: {MINUS} is weaker, + is stronger in the synthetic table"
    return drawing(8 + 42 * len(values), 30, label, *parts, class_="key")
