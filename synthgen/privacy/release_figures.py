"""Drawings of the release report; its curves are in ``release_curves``."""

from __future__ import annotations

from collections.abc import Sequence

from synthgen.page.svg import (
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
from synthgen.page.wording import amount, fit, fixed, listed, percent, shorten
from synthgen.privacy.release_content import AttackLine, Power, Step


def forest_figure(lines: Sequence[AttackLine], limit: float) -> str | None:
    """Return the area of every attack with its intervals; None without any area.

    The thick line is the interval of one attack, the thin one holds for all at once.
    """
    shown = [each for each in lines if each.auc is not None]
    if not shown:
        return None
    left, right, height = 210.0, 690.0, 26.0
    ends = [end for each in shown for end in (each.low_all, each.high_all) if end is not None]
    ends += [each.auc for each in shown if each.auc is not None]
    low, high = min(0.4, *ends), max(limit + 0.05, *ends)
    scale = Scale(max(0.0, low - 0.02), min(1.0, high + 0.02), left, right)
    bottom = 30 + height * len(shown)
    marks = labelled(ticks_that_fit(scale.low, scale.high, right - left, 10.5))
    parts = [
        horizontal_axis(scale, bottom, marks, top=20),
        line(scale(0.5), 20, scale(0.5), bottom, "guess"),
        text(scale(0.5) + 3, 12, "guessing", anchor="end"),
        line(scale(limit), 20, scale(limit), bottom, "limit-line"),
        text(max(scale(limit), scale(0.5) + 9) - 3, 12, f"limit {limit:g}", "tick limit-text"),
    ]
    for row, each in enumerate(shown):
        parts.append(_forest_row(each, scale, 20 + height * (row + 0.5)))
    words = [
        f"{shorten(each.attack, 40)} on {each.population} rows {fixed(each.auc, 2)}, "
        f"{fixed(each.low, 2)} to {fixed(each.high, 2)}"
        for each in shown
    ]
    label = f"Area under the curve of each attack with intervals: {'; '.join(words)}."
    return drawing(760, bottom + 24, label, *parts)


def _forest_row(each: AttackLine, scale: Scale, y: float) -> str:
    kind = "poor" if each.outcome == "above" else "none" if each.outcome == "no power" else "good"
    x = scale(each.auc if each.auc is not None else 0.5)
    parts = [text(200, y + 4, fit(each.attack, 190, 11.5), "label", anchor="end")]
    if each.low_all is not None and each.high_all is not None:
        parts.append(line(scale(each.low_all), y, scale(each.high_all), y, "wide-interval"))
    if each.low is not None and each.high is not None:
        parts.append(line(scale(each.low), y, scale(each.high), y, f"interval-{kind}"))
    if each.outcome == "above":
        parts.append(path(_triangle(x, y), f"mark-{kind}"))
    else:
        parts.append(element("circle", cx=x, cy=y, r=5, class_=f"mark-{kind}"))
    parts.append(text(700, y + 4, fixed(each.auc), "value"))
    return "".join(parts)


def _triangle(x: float, y: float) -> str:
    return (
        f"M{coordinate(x)} {coordinate(y - 6)}L{coordinate(x + 6)} {coordinate(y + 5)}"
        f"H{coordinate(x - 6)}Z"
    )


def waterfall_figure(steps: Sequence[Step], limit: float) -> str | None:
    """Return what each release added to epsilon, from nothing to what was spent."""
    if not steps:
        return None
    left, right, height = 250.0, 670.0, 30.0
    top = max(limit, steps[-1].after) * 1.02
    scale = Scale(0.0, top, left, right)
    bottom = 26 + height * (len(steps) + 1)
    marks = labelled(ticks_that_fit(0.0, top, right - left, 10.5))
    parts = [
        horizontal_axis(scale, bottom, marks, top=20),
        line(scale(limit), 20, scale(limit), bottom, "limit-line"),
        text(min(scale(limit), right - 20), 12, f"limit {amount(limit)}", anchor="middle"),
    ]
    rows = [(each.name, each.before, each.after, "step-bar") for each in steps]
    rows.append(("together", 0.0, steps[-1].after, "total-bar"))
    for row, (name, before, after, style) in enumerate(rows):
        y = 22 + height * row
        start, stop = scale(before), scale(after)
        title = f"{shorten(name, 80)}: epsilon from {amount(before)} to {amount(after)}"
        parts.append(text(left - 10, y + 18, fit(name, left - 14, 11.5), "label", anchor="end"))
        parts.append(rect(start, y + 5, max(stop - start, 1.5), 18, style, title))
        sign = "+" if style == "step-bar" else ""
        parts.append(text(stop + 6, y + 18, sign + amount(after - before), "value"))
        if row < len(steps):
            parts.append(line(stop, y + 23, stop, y + height + 5, "joint"))
    words = listed([f"{shorten(e.name, 50)} {amount(e.after - e.before)}" for e in steps], 10)
    label = f"Epsilon by release: {words}; together {amount(steps[-1].after)} of {amount(limit)}."
    return drawing(740, bottom + 24, label, *parts)


def power_figure(power: Power) -> str | None:
    """Return the area of the distance attack by the share of members that were copied."""
    known = [(share, area, found) for share, area, found in power.planted if area is not None]
    if not known:
        return None
    across, up = Scale(0, max(len(known) - 1, 1), 70, 560), Scale(0.4, 1.0, 200, 14)
    places = [(across(row), up(max(area, 0.4))) for row, (_, area, _) in enumerate(known)]
    parts = [
        vertical_axis(up, 46, 580, labelled(ticks(0.4, 1.0, 4))),
        line(46, up(0.5), 580, up(0.5), "guess"),
        path(polyline(places), "history-line"),
    ]
    for (x, y), (share, area, found) in zip(places, known, strict=True):
        style = "mark-good" if found else "mark-none"
        title = f"{percent(share)} copied: area {fixed(area)}, {'' if found else 'not '}found"
        parts.append(
            element("circle", element("title", title), cx=x, cy=y, r=6, class_=style)
            if found
            else rect(x - 4.5, y - 4.5, 9, 9, style, title)
        )
        parts.append(text(x, 218, percent(share), anchor="middle"))
    parts.append(text(313, 238, "Training rows copied on purpose", "label", anchor="middle"))
    words = [f"{percent(share)} {'found' if found else 'missed'}" for share, _, found in known]
    label = f"Copies planted on purpose, by share of the training rows: {listed(words, 10)}."
    return drawing(600, 248, label, *parts)
