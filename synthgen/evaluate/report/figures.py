"""Drawings of the report besides columns and associations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from synthgen.evaluate.report.content import Projection, Roc, Score, UtilityBar
from synthgen.page.svg import (
    Point,
    Scale,
    coordinate,
    drawing,
    element,
    horizontal_axis,
    labelled,
    line,
    path,
    polyline,
    rect,
    text,
    ticks,
    ticks_that_fit,
    vertical_axis,
)
from synthgen.page.wording import (
    amount,
    fit,
    fixed,
    listed,
    percent,
    shorten,
    text_width,
)

#: Bars of one drawing; more do not help.
MOST_BARS: Final = 12
#: Points of one cloud and of one line.
MOST_POINTS: Final = 1_500
MOST_STEPS: Final = 240


def thinned(values: Sequence[Point], limit: int) -> list[Point]:
    """Keep every k-th value so that at most `limit` remain.

    Examples
    --------
    >>> thinned([(0, 0), (1, 1), (2, 2)], 2)
    [(0, 0), (2, 2)]
    """
    stride = -(-len(values) // limit) if values else 1
    return list(values[::stride])


def label_room(names: Sequence[str], most: float) -> float:
    """Return the width for labels left of bars: what the longest needs, up to `most`."""
    return min(most, max(text_width(shorten(name, 60), 12) for name in names) + 18)


def bullet_position(score: Score) -> float | None:
    """Return where a score lies between floor (0) and ceiling (1), or None.

    There is no such place if the floor is as good as the ceiling: then the score does not tell
    independent columns from real rows.

    Examples
    --------
    >>> bullet_position(Score("s", "S", "?", "F", 0.7, "lower", None, 0.9, 0.5))
    0.5
    """
    value, floor, ceiling = score.value, score.floor, score.ceiling
    if value is None or floor is None or ceiling is None:
        return None
    span = ceiling - floor
    if span == 0 or (span > 0) != (score.direction == "higher"):
        return None
    return round((value - floor) / span, 9)


def bullet_figure(score: Score) -> str | None:
    """Return the bar that shows a score between its floor and its ceiling, or None."""
    position = bullet_position(score)
    if position is None or score.floor is None or score.ceiling is None:
        return None
    scale = Scale(-0.12, 1.12, 0, 180)
    y = 13.0
    x = scale(min(max(position, -0.12), 1.12))
    parts = [
        rect(scale(0), y - 4, scale(1) - scale(0), 8, "track"),
        rect(scale(0), y - 4, max(0.0, min(x, scale(1)) - scale(0)), 8, f"fill-{score.rating}"),
        line(scale(0), y - 8, scale(0), y + 8, "stop"),
        line(scale(1), y - 8, scale(1), y + 8, "stop"),
    ]
    if score.interval is not None:
        span = score.ceiling - score.floor
        ends = [(end - score.floor) / span for end in score.interval]
        low, high = (scale(min(max(end, -0.12), 1.12)) for end in sorted(ends))
        parts.append(line(low, y, high, y, "whisker"))
    parts.append(_marker(x, y, position, score.rating))
    label = (
        f"{shorten(score.title)}: {percent(position)} of the way from the floor "
        f"{amount(score.floor)} to the ceiling {amount(score.ceiling)}"
    )
    return drawing(180, 26, label, *parts, class_="bullet")


def _marker(x: float, y: float, position: float, rating: str) -> str:
    """Return the mark of the value: a dot, or an arrow where it leaves the bar."""
    if -0.12 <= position <= 1.12:
        # Half the radius away from the border is still inside the drawing.
        return element("circle", cx=min(max(x, 6), 174), cy=y, r=5.5, class_=f"mark-{rating}")
    side = 1 if position > 1 else -1
    tip = min(max(x, 3), 177)
    back = coordinate(tip - 9 * side)
    return path(
        f"M{coordinate(tip)} {coordinate(y)}L{back} {coordinate(y - 6)}V{coordinate(y + 6)}Z",
        f"mark-{rating}",
    )


def roc_figure(roc: Roc) -> str:
    """Return the curve of true over false positives, with the diagonal of guessing."""
    across, up = Scale(0, 1, 46, 328), Scale(0, 1, 292, 10)
    marks = labelled([0, 0.25, 0.5, 0.75, 1])
    places = [
        (across(x), up(y))
        for x, y in thinned(list(zip(roc.false_positive, roc.true_positive, strict=True)), 400)
    ]
    places.append((across(1), up(1)))
    curve = polyline(places)
    parts = [
        vertical_axis(up, 46, 328, marks),
        horizontal_axis(across, 292, marks),
        path(f"{curve}V{coordinate(up(0))}H{coordinate(across(0))}Z", "roc-area"),
        line(across(0), up(0), across(1), up(1), "guess"),
        path(curve, "roc-curve"),
        text(across(0.97), up(0.06), f"AUC {fixed(roc.auc)}", "value strong", anchor="end"),
        text(187, 326, "Real rows called synthetic", "label", anchor="middle"),
        text(10, 151, "Synthetic rows found", "label", anchor="middle", turn=-90),
    ]
    label = (
        f"Curve of a classifier that tells real from synthetic rows: area {fixed(roc.auc)}; "
        "0.5 is guessing, 1 is telling every row."
    )
    return drawing(340, 334, label, *parts)


def giveaway_figure(roc: Roc) -> str | None:
    """Return bars of the area that is lost without each column, or None without any."""
    shown = roc.giveaways[:MOST_BARS]
    if not shown:
        return None
    height = 24.0
    left = label_room([name for name, _ in shown], 150.0)
    bottom = 6 + height * len(shown)
    top = max(1e-9, *(lost for _, lost in shown))
    low = min(0.0, *(lost for _, lost in shown))
    scale = Scale(low, top, left, 420)
    marks = labelled(ticks_that_fit(low, top, 270, 10.5))
    parts = [horizontal_axis(scale, bottom, marks, top=2)]
    for row, (name, lost) in enumerate(shown):
        y = 6 + row * height
        start, stop = sorted((scale(0), scale(lost)))
        words = f"{shorten(name, 80)}: {amount(lost)}"
        parts.append(text(left - 8, y + 14, fit(name, left - 10, 11.5), "label", anchor="end"))
        parts.append(rect(start, y + 3, stop - start, 15, "synthetic-bar", words))
        parts.append(text(stop + 6, y + 14, amount(lost), "value"))
    most = listed([f"{shorten(name, 40)} {amount(lost)}" for name, lost in shown])
    label = f"Area under the curve that is lost without each column: {most}."
    return drawing(480, bottom + 24, label, *parts)


def utility_figure(bars: Sequence[UtilityBar]) -> str:
    """Return pairs of bars, trained on real and on synthetic rows, with 95 % intervals.

    Parameters
    ----------
    bars : sequence of UtilityBar
        All with one measure.
    """
    height = 56.0
    left = label_room([bar.model for bar in bars], 170.0)
    bottom = 6 + height * len(bars)
    ends = [end for bar in bars for end in (*bar.real_interval, *bar.synthetic_interval)]
    ends += [value for bar in bars for value in (bar.real, bar.synthetic)]
    # A score can fall far below zero; the bar then stops at the edge and its figure tells.
    low, high = max(min(0.0, *ends), -1.0), max(*ends, 0.1)
    high = 1.0 if 0.5 < high <= 1 else high
    scale = Scale(low, high, left, 600)
    measure = bars[0].measure
    parts = [horizontal_axis(scale, bottom, labelled(ticks(low, high, 5)), top=2)]
    for row, bar in enumerate(bars):
        y = 8 + row * height
        parts.append(text(left - 10, y + 25, fit(bar.model, left - 14, 12), "label", anchor="end"))
        parts.append(_utility_bar(scale, y, "real", bar.real, bar.real_interval))
        parts.append(
            _utility_bar(scale, y + 20, "synthetic", bar.synthetic, bar.synthetic_interval)
        )
    words = [
        f"{shorten(bar.model, 40)} {fixed(bar.synthetic)} after synthetic and "
        f"{fixed(bar.real)} after real rows"
        for bar in bars
    ]
    return drawing(720, bottom + 24, f"{shorten(measure)}: {listed(words, 8)}.", *parts)


def _utility_bar(
    scale: Scale, y: float, kind: str, value: float, interval: tuple[float, float]
) -> str:
    start, stop = sorted((scale(max(0.0, scale.low)), scale(max(value, scale.low))))
    low, high = (scale(max(end, scale.low)) for end in interval)
    words = f"{kind}: {fixed(value)} ({fixed(interval[0])} to {fixed(interval[1])})"
    middle = y + 8
    return "".join(
        (
            rect(start, y, stop - start, 16, f"{kind}-bar", words),
            line(low, middle, high, middle, "error"),
            line(low, middle - 4, low, middle + 4, "error"),
            line(high, middle - 4, high, middle + 4, "error"),
            text(max(stop, high) + 8, y + 12, fixed(value), "value"),
        )
    )


def projection_figure(projection: Projection, kind: str) -> str:
    """Return the cloud of one table; both tables share the axes.

    Parameters
    ----------
    projection : Projection
    kind : {"real", "synthetic"}
        Which table stands in front; the other is a shadow behind it.
    """
    every = [*projection.real, *projection.synthetic]
    low_x, high_x = _range([x for x, _ in every])
    low_y, high_y = _range([y for _, y in every])
    across, up = Scale(low_x, high_x, 46, 462), Scale(low_y, high_y, 300, 8)
    front = projection.real if kind == "real" else projection.synthetic
    behind = projection.synthetic if kind == "real" else projection.real
    first, second = projection.explained
    parts = [
        vertical_axis(up, 46, 462, labelled(ticks(low_y, high_y, 5))),
        horizontal_axis(across, 300, labelled(ticks(low_x, high_x, 6))),
        path(_cloud(behind, across, up, "real"), "cloud-shadow"),
        path(_cloud(front, across, up, kind), f"cloud-{kind}"),
        text(
            254,
            334,
            f"First component ({percent(first)} of the variance)",
            "label",
            anchor="middle",
        ),
        text(10, 154, f"Second component ({percent(second)})", "label", anchor="middle", turn=-90),
    ]
    label = (
        f"{kind.capitalize()} rows on the first two principal components of the real table, "
        f"{len(front)} points; {_centre_words(projection)}"
    )
    return drawing(470, 342, label, *parts)


def _range(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    room = (high - low) * 0.03 or 1.0
    return low - room, high + room


def _cloud(points: Sequence[Point], across: Scale, up: Scale, kind: str) -> str:
    """Return one path for all points: dots for real rows, small crosses for synthetic ones."""
    mark = "h0" if kind == "real" else "l3 3m0-3l-3 3"
    shift = 0.0 if kind == "real" else 1.5
    return "".join(
        f"M{coordinate(across(x) - shift)} {coordinate(up(y) - shift)}{mark}"
        for x, y in thinned(points, MOST_POINTS)
    )


def _centre_words(projection: Projection) -> str:
    def centre(points: Sequence[Point]) -> str:
        if not points:
            return "nowhere"
        means = (sum(point[axis] for point in points) / len(points) for axis in (0, 1))
        return "({}, {})".format(*(fixed(mean, 2) for mean in means))

    return f"centre of real rows {centre(projection.real)}, of synthetic rows " + (
        f"{centre(projection.synthetic)}."
    )


def history_figure(name: str, values: Sequence[float | None], at: Sequence[float]) -> str:
    """Return the line of one quantity over the steps of training."""
    # None is a step at which the quantity was not measured: the line goes on to the next one.
    known = [(x, y) for x, y in zip(at, values, strict=False) if y is not None]
    title = shorten(name, 60)
    if not known:
        return drawing(290, 40, f"{title}: no values", text(0, 24, "No values"))
    low, high = _range([y for _, y in known])
    across, up = Scale(min(at), max(at), 44, 282), Scale(low, high, 128, 10)
    # The last step is always shown.
    chosen = [*thinned(known[:-1], MOST_STEPS), known[-1]]
    places = [(across(x), up(y)) for x, y in chosen]
    dots = [place for point in places for place in (point, None)] if len(known) <= 40 else []
    label = (
        f"{title}: from {amount(known[0][1])} to {amount(known[-1][1])}, {len(known)} measurements"
    )
    return drawing(
        290,
        150,
        label,
        vertical_axis(up, 44, 282, labelled(ticks(low, high, 3))),
        horizontal_axis(across, 128, labelled(ticks_that_fit(min(at), max(at), 236, 10.5))),
        path(polyline(places), "history-line"),
        path(polyline(dots), "history-dots"),
        class_="card-figure",
    )


def swatch_figure(kind: str) -> str:
    """Return the sample of a table's style for the key."""
    styles = {
        "real": rect(1, 2, 26, 10, "real-bar"),
        "synthetic": rect(1, 2, 26, 10, "synthetic-bar"),
        "holdout": line(1, 7, 27, 7, "holdout-step"),
    }
    return element("svg", styles[kind], width=28, height=14, aria_hidden="true", class_="swatch")


def patterns() -> str:
    """Return the hatchings that the drawings of a page refer to."""
    hatch = element(
        "pattern",
        rect(0, 0, 5, 5, "hatch-ground"),
        path("M-1 1L1 -1M0 5L5 0M4 6L6 4", "hatch-line"),
        id="hatch-synthetic",
        width=5,
        height=5,
        patternUnits="userSpaceOnUse",
    )
    none = element(
        "pattern",
        path("M-1 1L1 -1M0 6L6 0M5 7L7 5", "hatch-none"),
        id="hatch-none",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
    )
    return element("svg", element("defs", hatch, none), class_="patterns", aria_hidden="true")
