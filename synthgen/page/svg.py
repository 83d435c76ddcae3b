"""Small building blocks of vector drawings: text in, text out, the same bytes every time.

Drawings stand inside an HTML page and take colours and line styles from its style sheet through
classes, so that they follow light, dark and paper.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from synthgen.page.wording import MINUS, percent, text_width

Point = tuple[float, float]


def coordinate(value: float) -> str:
    """Return a coordinate with at most one decimal.

    Examples
    --------
    >>> coordinate(3.0), coordinate(-0.04), coordinate(12.345)
    ('3', '0', '12.3')
    """
    shown = f"{value:.1f}".removesuffix(".0")
    return "0" if shown == "-0" else shown


def element(tag: str, *children: str, **attributes: str | float | None) -> str:
    """Return one element; children are markup, attributes are escaped, None is left out.

    A trailing underscore of an attribute's name is dropped, the others become hyphens.

    Examples
    --------
    >>> element("line", x1=0, x2=2.5, class_="grid", stroke_width=1)
    '<line x1="0" x2="2.5" class="grid" stroke-width="1"/>'
    >>> element("title", escape("a < b"))
    '<title>a &lt; b</title>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{written}>{''.join(children)}</{tag}>" if children else f"<{tag}{written}/>"


def _attribute(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else coordinate(value)


def escape(text: str) -> str:
    """Return text as markup, safe in an attribute too."""
    return html.escape(text, quote=True)


def drawing(width: float, height: float, label: str, *children: str, class_: str = "") -> str:
    """Return a drawing that says in words what it shows.

    Parameters
    ----------
    width, height : float
        Size in pixels; the page scales it down to what there is.
    label : str
        What the drawing says, for readers who cannot see it.
    *children : str
        Markup.
    class_ : str, default=""
        More classes.
    """
    return element(
        "svg",
        *(children or ("",)),
        viewBox=f"0 0 {coordinate(width)} {coordinate(height)}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
        class_=f"figure {class_}".strip(),
    )


def text(
    x: float, y: float, words: str, class_: str = "tick", *, anchor: str = "start", turn: float = 0
) -> str:
    """Return a line of text whose baseline starts, ends or is centred at a point."""
    return element(
        "text",
        escape(words),
        x=x,
        y=y,
        class_=class_,
        text_anchor=None if anchor == "start" else anchor,
        transform=f"rotate({coordinate(turn)} {coordinate(x)} {coordinate(y)})" if turn else None,
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def rect(
    x: float, y: float, width: float, height: float, class_: str, title: str | None = None
) -> str:
    """Return a rectangle, with text that is shown while the pointer is over it."""
    children = () if title is None else (element("title", escape(title)),)
    return element(
        "rect",
        *children,
        x=x,
        y=y,
        width=max(width, 0.0),
        height=max(height, 0.0),
        class_=class_,
    )


def path(d: str, class_: str) -> str:
    """Return a path."""
    return element("path", d=d, class_=class_)


def polyline(points: Iterable[Point | None]) -> str:
    """Return the path through points; None starts a new piece.

    Examples
    --------
    >>> polyline([(0, 0), (1, 2), None, (3, 3)])
    'M0 0L1 2M3 3h0'
    """
    pieces: list[list[Point]] = [[]]
    for point in points:
        if point is None:
            pieces.append([])
        else:
            pieces[-1].append(point)
    return "".join(_piece(piece) for piece in pieces if piece)


def _piece(points: list[Point]) -> str:
    first, *rest = (f"{coordinate(x)} {coordinate(y)}" for x, y in points)
    # A point alone has no length; with a round cap it is a dot all the same.
    return f"M{first}" + ("".join(f"L{point}" for point in rest) or "h0")


def steps(edges: Sequence[float], tops: Sequence[float], base: float) -> str:
    """Return the outline of touching bars, from the base line up, over, and down again.

    Examples
    --------
    >>> steps([0, 10, 20], [5, 3], base=9)
    'M0 9V5H10V3H20V9'
    """
    over = "".join(
        f"V{coordinate(top)}H{coordinate(right)}"
        for top, right in zip(tops, edges[1:], strict=True)
    )
    return f"M{coordinate(edges[0])} {coordinate(base)}{over}V{coordinate(base)}"


@dataclass(frozen=True)
class Scale:
    """A straight map from values to pixels.

    Parameters
    ----------
    low, high : float
        Range of values.
    start, stop : float
        Where they lie.

    Examples
    --------
    >>> Scale(0, 10, 100, 200)(5)
    150.0
    """

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Return the place of a value; the middle if the range is empty."""
        if self.high == self.low:
            return (self.start + self.stop) / 2
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)


def nice_step(span: float, count: int = 5) -> float:
    """Return the round step (1, 2, 2.5 or 5 times a power of ten) for about `count` ticks.

    Examples
    --------
    >>> nice_step(100, 5), nice_step(0.9, 4)
    (20.0, 0.25)
    """
    # Spans that have no logarithm, or whose fifth has none.
    if not 1e-300 < span < math.inf:
        return 1.0
    rough = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    # Steps of 2.5 would put marks between the values of columns of small whole numbers.
    steps = (1.0, 2.0, 5.0, 10.0) if power == 1 else (1.0, 2.0, 2.5, 5.0, 10.0)
    return next(step * power for step in steps if step * power >= rough * 0.95)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return the round values inside a range.

    Examples
    --------
    >>> ticks(17, 90, 4)
    [20.0, 40.0, 60.0, 80.0]
    """
    step = nice_step(high - low, count)
    if high == low or not math.isfinite(high - low):
        return [low]
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # Rounding removes 0.30000000000000004.
    decimals = max(0, 2 - math.floor(math.log10(step)))
    return [round(place * step, decimals) + 0.0 for place in range(first, last + 1)]


def tick_label(value: float) -> str:
    """Return a value of an axis, large ones with k, M or G.

    Examples
    --------
    >>> tick_label(0.25), tick_label(20_000), tick_label(2_500_000)
    ('0.25', '20k', '2.5M')
    """
    size = abs(value)
    if size >= 1e13 or 0 < size < 1e-4:
        return f"{value:.2g}".replace("-", MINUS)
    for least, unit, suffix in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if size >= least:
            return f"{value / unit:.4g}{suffix}".replace("-", MINUS)
    return f"{value:.6g}".replace("-", MINUS)


def ticks_that_fit(
    low: float, high: float, width: float, size: float, label: Callable[[float], str] = tick_label
) -> list[float]:
    """Return as many round values, up to six, as have room for their labels side by side."""
    for count in (6, 5, 4, 3, 2):
        found = ticks(low, high, count)
        needed = sum(text_width(label(value), size) + size for value in found)
        if needed <= width:
            return found
    return [value for value in (low, high) if math.isfinite(value)][:2]


def horizontal_axis(
    scale: Scale,
    y: float,
    marks: Sequence[tuple[float, str]],
    *,
    size: float = 10.5,
    top: float | None = None,
) -> str:
    """Return a base line with labels under it; with `top`, thin lines from it upwards."""
    left, right = sorted((scale.start, scale.stop))
    parts = [line(left, y, right, y, "axis")]
    for value, words in marks:
        x = scale(value)
        if top is not None:
            parts.append(line(x, top, x, y, "grid"))
        parts.append(line(x, y, x, y + 4, "axis"))
        half = text_width(words, size) / 2
        # Labels at the ends stay inside the drawing.
        parts.append(text(max(half + 1, min(x, right + 6 - half)), y + 16, words, anchor="middle"))
    return "".join(parts)


def vertical_axis(scale: Scale, x: float, right: float, marks: Sequence[tuple[float, str]]) -> str:
    """Return thin lines across, with labels left of them."""
    return "".join(
        line(x, scale(value), right, scale(value), "grid")
        + text(x - 6, scale(value) + 3.5, words, anchor="end")
        for value, words in marks
    )


def share_axis(scale: Scale, x: float, right: float) -> str:
    """Return the vertical axis of shares of rows."""
    marks = [(value, percent(value)) for value in ticks(scale.low, scale.high, 4)]
    return vertical_axis(scale, x, right, marks)


def labelled(values: Iterable[float]) -> list[tuple[float, str]]:
    """Return values with the words for an axis."""
    return [(value, tick_label(value)) for value in values]
