"""Curves of the release report: rows found by false alarms, at large and where alarms are few."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

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
    text,
    ticks,
    vertical_axis,
)
from synthgen.page.wording import fixed, percent, shorten
from synthgen.privacy.release_content import Meaning

Curve = Sequence[tuple[float, float]]

#: Where the logarithmic axes begin.
LEAST: Final = 1e-3
_BETWEEN: Final = np.geomspace(LEAST, 1.0, 61)
_SHARES: Final = ((-3.0, "0.1 %"), (-2.0, "1 %"), (-1.0, "10 %"), (0.0, "100 %"))
_QUARTERS: Final = ((0.0, "0"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (1.0, "100 %"))
_TOP, _BOTTOM, _SIDE = 34.0, 340.0, 330.0
_GAP: Final = 74.0
_WIDTH, _HEIGHT = 830.0, 388.0


@dataclass(frozen=True)
class _Panel:
    """One pair of axes.

    Parameters
    ----------
    low, high : float
        Range of both axes.
    left : float
        Where it begins.
    marks : sequence of (float, str)
    title : str
    """

    low: float
    high: float
    left: float
    marks: Sequence[tuple[float, str]]
    title: str

    def draw(self, bound: Curve, measured: Sequence[Curve]) -> str:
        """Return the axes with a bound, if there is one, and curves."""
        right = self.left + _SIDE
        across = Scale(self.low, self.high, self.left, right)
        up = Scale(self.low, self.high, _BOTTOM, _TOP)
        parts = [
            text(self.left, 16, self.title, "label"),
            vertical_axis(up, self.left, right, self.marks),
            horizontal_axis(across, _BOTTOM, self.marks, top=_TOP),
        ]
        if bound:
            outline = polyline([(across(x), up(y)) for x, y in bound])
            below = f"V{coordinate(_BOTTOM)}H{coordinate(across(bound[0][0]))}Z"
            parts.append(path(outline + below, "bound-area"))
            parts.append(path(outline, "bound-curve"))
        parts.append(
            line(across(self.low), up(self.low), across(self.high), up(self.high), "guess")
        )
        for place, points in enumerate(measured):
            curve = polyline([(across(x), up(y)) for x, y in points])
            parts.append(path(curve, f"measured-{place}"))
        middle = self.left + _SIDE / 2
        words = "Other rows taken for training rows"
        parts.append(text(middle, _BOTTOM + 36, words, "label", anchor="middle"))
        return "".join(parts)


def curve_figure(meaning: Meaning | None, measured: Sequence[tuple[str, Curve]]) -> str | None:
    """Return measured curves, and the most that any attack can find if there is a guarantee.

    The panel on the right has logarithmic axes: an attack that is sure of a few rows, and guesses
    at the others, shows there and nowhere else. A measured curve begins at its first point with a
    false alarm.

    References
    ----------
    Carlini et al. (2022), Membership inference attacks from first principles, arXiv:2112.03570.
    """
    bound = [] if meaning is None else meaning.curve
    if not bound and not measured:
        return None
    own = [points for _, points in measured]
    plain = _Panel(0.0, 1.0, 58.0, _QUARTERS, "All rows")
    start = plain.left + _SIDE + _GAP
    few = _Panel(math.log10(LEAST), 0.0, start, _SHARES, "Few false alarms, both axes logarithmic")
    parts = [
        text(12, (_TOP + _BOTTOM) / 2, "Training rows found", "label", anchor="middle", turn=-90),
        plain.draw(bound, own),
        few.draw(logarithms(bound), [logarithms(points) for points in own]),
    ]
    return drawing(_WIDTH, _HEIGHT, _label(meaning if bound else None, measured), *parts)


def logarithms(points: Curve) -> list[tuple[float, float]]:
    """Return a curve for logarithmic axes, from its first false alarm on.

    Between two points a curve is straight on plain axes, and bent on these.

    Examples
    --------
    >>> logarithms([(0, 0.2), (0.01, 0.5), (1, 1)])[0]
    (-2.0, -0.3010299956639812)
    """
    own = [(x, y) for x, y in points if x > 0]
    if not own:
        return []
    first = max(own[0][0], LEAST)
    between = [(float(x), _at(own, float(x))) for x in _BETWEEN if x > first]
    inner = sorted([(first, _at(own, first)), *between, *(each for each in own if each[0] > first)])
    return [(math.log10(x), math.log10(max(y, LEAST))) for x, y in inner]


def _at(points: Curve, alarms: float) -> float:
    return float(np.interp(alarms, [x for x, _ in points], [y for _, y in points]))


def _label(meaning: Meaning | None, measured: Sequence[tuple[str, Curve]]) -> str:
    words = ["Training rows found by the share of other rows that are taken for them."]
    if meaning is not None:
        words.append(
            f"At most, by any attack: {percent(meaning.hits)} at 1 % false alarms, "
            f"area {fixed(meaning.auc)}."
        )
    for name, points in measured:
        first = min((x for x, _ in points if x > 0), default=1.0)
        found = [
            f"{percent(_at(points, share))} at {percent(share)}"
            for share in (0.01, 0.001)
            if first <= share
        ]
        words.append(f"Measured, {shorten(name, 60)}: {', '.join(found) or 'too few rows'}.")
    return " ".join(words)


def distances_figure(lines: Sequence[tuple[str, Sequence[float]]]) -> str | None:
    """Return which share of rows has another row within a distance, a line per kind of rows.

    Parameters
    ----------
    lines : sequence of (str, sequence of float)
        Quantiles of distances at even steps; three lines at most.
    """
    if not lines:
        return None
    # The furthest rows would take up the room of all others.
    furthest = max(float(np.quantile(own, 0.98)) for _, own in lines) or 1.0
    left, right, top, bottom = 58.0, 796.0, 12.0, 220.0
    across, up = Scale(0.0, furthest, left, right), Scale(0.0, 1.0, bottom, top)
    parts = [
        vertical_axis(up, left, right, _QUARTERS),
        horizontal_axis(across, bottom, labelled(ticks(0.0, furthest, 6)), top=top),
        text(12, (top + bottom) / 2, "Share of rows", "label", anchor="middle", turn=-90),
        text((left + right) / 2, bottom + 36, "Distance", "label", anchor="middle"),
    ]
    for (_, own), style in zip(lines, ("measured-0", "measured-1", "bound-curve"), strict=False):
        shares = np.linspace(0.0, 1.0, len(own))
        within = [(x, y) for x, y in zip(own, shares, strict=True) if x <= furthest]
        points = [(0.0, 0.0), *within]
        parts.append(path(polyline([(across(x), up(float(y))) for x, y in points]), style))
    medians = [f"{shorten(name, 60)} {fixed(float(np.median(own)))}" for name, own in lines]
    label = f"Distances to the nearest row; medians: {', '.join(medians)}."
    return drawing(_WIDTH, bottom + 46, label, *parts)


def key_figure(kind: str) -> str:
    """Return the sample of a line for the key."""
    styles = {"bound": "bound-curve", "0": "measured-0", "1": "measured-1", "guess": "guess"}
    sample = line(1, 7, 27, 7, styles[kind])
    return element("svg", sample, width=28, height=14, aria_hidden="true", class_="swatch")
