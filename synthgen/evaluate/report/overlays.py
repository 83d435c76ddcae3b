"""The distribution of one column in the real, the synthetic and the held-out table."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from synthgen.evaluate.report.content import Overlay
from synthgen.page.svg import (
    Scale,
    coordinate,
    drawing,
    element,
    escape,
    horizontal_axis,
    labelled,
    line,
    path,
    rect,
    share_axis,
    steps,
    text,
    tick_label,
    ticks,
    ticks_that_fit,
)
from synthgen.page.wording import fit, percent, shorten, text_width

WIDTH: Final = 290.0
#: Categories that are drawn; the rest is counted in the caption.
MOST_BARS: Final = 14

_SIZE = 10.5
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 282.0, 8.0, 136.0
_MISSING_WIDTH = 38.0


def overlay_figure(overlay: Overlay) -> str:
    """Return the drawing: histograms over each other, or pairs of bars per category."""
    label = f"{shorten(overlay.column)}. {overlay_words(overlay)}"
    if not overlay.real:
        return drawing(WIDTH, 40, label, text(0, 24, "No values", "tick"))
    if overlay.role == "continuous" and overlay.edges and len(overlay.edges) > 1:
        return _histogram(overlay, overlay.edges, label)
    return _bars(overlay, label)


def overlay_words(overlay: Overlay) -> str:
    """Say where the real and the synthetic column differ most.

    Examples
    --------
    >>> column = Overlay("c", "discrete", 0.9, ["a", "b"], [0.5, 0.5], [0.6, 0.4])
    >>> overlay_words(column).startswith("Largest gap at a: real 50")
    True
    """
    gaps = [
        abs(real - synthetic)
        for real, synthetic in zip(overlay.real, overlay.synthetic, strict=True)
    ]
    if not gaps or max(gaps) < 5e-4:
        return "Real and synthetic shares agree everywhere."
    place = gaps.index(max(gaps))
    return (
        f"Largest gap at {shorten(overlay.labels[place], 40)}: "
        f"real {percent(overlay.real[place])}, synthetic {percent(overlay.synthetic[place])}."
    )


def _hint(overlay: Overlay, place: int) -> str:
    """Return the text under the pointer."""
    shares = [f"real {percent(overlay.real[place])}"]
    shares.append(f"synthetic {percent(overlay.synthetic[place])}")
    if overlay.holdout is not None:
        shares.append(f"holdout {percent(overlay.holdout[place])}")
    return f"{shorten(overlay.labels[place], 80)}: {', '.join(shares)}"


def _series(overlay: Overlay) -> list[tuple[str, list[float]]]:
    """Return the tables in the order of drawing: the synthetic one on top."""
    held = [] if overlay.holdout is None else [("holdout", overlay.holdout)]
    return [("real", overlay.real), *held, ("synthetic", overlay.synthetic)]


def _histogram(overlay: Overlay, edges: list[float], label: str) -> str:
    bins = len(edges) - 1
    gap = len(overlay.real) > bins
    right = _RIGHT - (_MISSING_WIDTH + 14 if gap else 0)
    top = max(max(shares) for _, shares in _series(overlay)) or 1.0
    scale = Scale(0, top, _BOTTOM, _TOP)
    across, axis = _across(overlay, edges, right)
    parts = [share_axis(scale, _LEFT, _RIGHT)]
    for kind, shares in _series(overlay):
        outline = steps(across, [scale(share) for share in shares[:bins]], _BOTTOM)
        parts.append(path(outline, f"{kind}-step"))
    if gap:
        parts.append(_missing(overlay, bins, scale))
    parts.append(axis)
    for place in range(bins):
        start, stop = across[place], across[place + 1]
        hint = _hint(overlay, place)
        parts.append(rect(start, _TOP, stop - start, _BOTTOM - _TOP, "hit", hint))
    return drawing(WIDTH, 158, label, *parts, class_="card-figure")


def _across(overlay: Overlay, edges: list[float], right: float) -> tuple[list[float], str]:
    """Place the bin edges and draw the axis under them.

    Bins of one width stand on a true axis. Others (quantiles) get slots of one width, because bars
    whose height is a share mislead if they differ in width.
    """
    widths = [after - before for before, after in pairwise(edges)]
    even = max(widths) - min(widths) <= 1e-3 * max(widths)
    if even and overlay.edge_labels is None:
        scale = Scale(edges[0], edges[-1], _LEFT, right)
        marks = labelled(ticks_that_fit(edges[0], edges[-1], right - _LEFT, _SIZE))
        return [scale(edge) for edge in edges], horizontal_axis(scale, _BOTTOM, marks)
    scale = Scale(0, len(edges) - 1, _LEFT, right)
    words = overlay.edge_labels or [tick_label(edge) for edge in edges]
    marks = _spread([shorten(word, 24) for word in words], right - _LEFT)
    return [scale(place) for place in range(len(edges))], horizontal_axis(scale, _BOTTOM, marks)


def _spread(words: list[str], width: float) -> list[tuple[float, str]]:
    """Choose labels at even distances that fit side by side."""
    last = len(words) - 1
    for count in (5, 4, 3, 2):
        places = sorted({round(part * last / (count - 1)) for part in range(count)})
        if sum(text_width(words[place], _SIZE) + _SIZE for place in places) <= width:
            break
    return [(float(place), words[place]) for place in places]


def _missing(overlay: Overlay, place: int, scale: Scale) -> str:
    """Draw the bars of missing values apart from the numbers."""
    left = _RIGHT - _MISSING_WIDTH
    width = _MISSING_WIDTH / 2 - 3
    parts = [line(left - 4, _BOTTOM, _RIGHT, _BOTTOM, "axis")]
    pair = (("real", overlay.real[place]), ("synthetic", overlay.synthetic[place]))
    for number, (kind, share) in enumerate(pair):
        x, y = left + number * (width + 2), scale(share)
        parts.append(rect(x, y, width, _BOTTOM - y, f"{kind}-bar"))
    if overlay.holdout is not None:
        y = scale(overlay.holdout[place])
        parts.append(line(left - 2, y, _RIGHT, y, "holdout-step"))
    parts.append(text(_RIGHT + 2, _BOTTOM + 16, "missing", anchor="end"))
    hint = _hint(overlay, place)
    return "".join(parts) + rect(left, _TOP, _MISSING_WIDTH, _BOTTOM - _TOP, "hit", hint)


def _bars(overlay: Overlay, label: str) -> str:
    places = drawn_places(overlay)
    left, height = 106.0, 22.0
    bottom = 6 + height * len(places)
    top = max(max(shares[place] for place in places) for _, shares in _series(overlay)) or 1.0
    scale = Scale(0, top, left, _RIGHT - 6)
    marks = [(value, percent(value)) for value in ticks(0, top, 3)]
    parts = [horizontal_axis(scale, bottom, marks, top=4)]
    for row, place in enumerate(places):
        y = 7 + row * height
        parts.append(element("g", *_pair(overlay, place, y, scale)))
    return drawing(WIDTH, bottom + 22, label, *parts, class_="card-figure")


def _pair(overlay: Overlay, place: int, y: float, scale: Scale) -> list[str]:
    real, synthetic = overlay.real[place], overlay.synthetic[place]
    parts = [
        element("title", escape(_hint(overlay, place))),
        text(
            scale.start - 8,
            y + 12,
            fit(overlay.labels[place], scale.start - 10, 11),
            "label",
            anchor="end",
        ),
        rect(scale.start, y, scale(real) - scale.start, 8, "real-bar"),
        rect(scale.start, y + 9, scale(synthetic) - scale.start, 8, "synthetic-bar"),
    ]
    if overlay.holdout is not None:
        x = scale(overlay.holdout[place])
        parts.append(path(f"M{coordinate(x)} {coordinate(y - 1)}v19", "holdout-mark"))
    return parts


def drawn_places(overlay: Overlay) -> list[int]:
    """Return the bars that are drawn; missing values always are."""
    places = list(range(len(overlay.real)))
    if len(places) <= MOST_BARS:
        return places
    return [*places[: MOST_BARS - 1], places[-1]]
