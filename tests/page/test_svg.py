from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from synthgen.page.svg import (
    Scale,
    coordinate,
    drawing,
    element,
    escape,
    horizontal_axis,
    nice_step,
    polyline,
    rect,
    steps,
    text,
    tick_label,
    ticks,
    ticks_that_fit,
)


def test_scale() -> None:
    scale = Scale(0, 10, 100, 0)
    assert [scale(value) for value in (0, 2.5, 10, 12)] == [100, 75, 0, -20]
    assert Scale(3, 3, 0, 50)(3) == 25


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 1, 4, [0, 0.25, 0.5, 0.75, 1]),
        (17, 90, 4, [20, 40, 60, 80]),
        (-3, 3, 3, [-2, 0, 2]),
        (0, 16, 6, [0, 5, 10, 15]),
        (1e-6, 5e-6, 2, [2e-6, 4e-6]),
        (4, 4, 5, [4]),
    ],
)
def test_ticks(low: float, high: float, count: int, expected: list[float]) -> None:
    assert ticks(low, high, count) == pytest.approx(expected)


def test_ticks_survive_extremes() -> None:
    assert nice_step(0) == 1
    assert nice_step(math.inf) == 1
    for low, high in ((-1e300, 1e300), (0, 5e-324), (1e18, 1e18 + 4096)):
        assert 1 <= len(ticks(low, high, 5)) <= 12


def test_tick_labels_are_short() -> None:
    shown = [tick_label(value) for value in (0, 0.1, 1500, 20_000, 1.5e6, 3e9, 1e15, -2e4, 1e-6)]
    assert shown == [
        "0",
        "0.1",
        "1500",
        "20k",
        "1.5M",
        "3G",
        "1e+15",
        "\N{MINUS SIGN}20k",
        "1e\N{MINUS SIGN}06",
    ]


def test_ticks_that_fit() -> None:
    assert len(ticks_that_fit(0, 1_000_000, 400, 10)) > len(ticks_that_fit(0, 1_000_000, 90, 10))
    assert ticks_that_fit(0, 1, 1, 10) == [0, 1]


def test_coordinates_are_short() -> None:
    assert [coordinate(value) for value in (1, 1.26, -0.01, 100.04)] == ["1", "1.3", "0", "100"]


def test_paths() -> None:
    assert polyline([(0, 0), (1, 1), None, None, (2, 2), (3, 3.5)]) == "M0 0L1 1M2 2L3 3.5"
    assert polyline([]) == ""
    assert steps([0, 1, 2], [5, 7], 10) == "M0 10V5H1V7H2V10"


def test_elements_escape_what_they_are_given() -> None:
    nasty = '<b onload="x">&\''
    for drawn in (
        element("g", class_=nasty),
        text(0, 0, nasty),
        rect(0, 0, 1, 1, "c", nasty),
        drawing(1, 1, nasty),
    ):
        root = ElementTree.fromstring(drawn)
        assert nasty in [*root.attrib.values(), *root.itertext()]
    assert escape("<'\"&") == "&lt;&#x27;&quot;&amp;"


def test_drawing_is_named() -> None:
    root = ElementTree.fromstring(drawing(30, 20.5, "what it shows", rect(0, 0, 1, -2, "c")))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "what it shows"
    assert root.attrib["viewBox"] == "0 0 30 20.5"
    assert root[0].attrib["height"] == "0"


def test_axis_keeps_its_labels_inside() -> None:
    drawn = horizontal_axis(Scale(0, 1, 0, 100), 50, [(0, "a long label"), (1, "another label")])
    places = [float(part.attrib["x"]) for part in ElementTree.fromstring(f"<g>{drawn}</g>")
              if part.tag == "text"]  # fmt: skip
    assert places[0] > 25
    assert places[1] < 80
