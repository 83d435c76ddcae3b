from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

from synthgen.evaluate.report.content import Overlay
from synthgen.evaluate.report.overlays import (
    MOST_BARS,
    drawn_places,
    overlay_figure,
    overlay_words,
)

NUMBERS = Overlay(
    "x", "continuous", 0.9, ["0 to 1", "1 to 2"], [0.5, 0.5], [0.25, 0.75], [0.5, 0.5], [0, 1, 2]
)
WORDS = Overlay("c", "discrete", 0.9, ["a", "b"], [0.5, 0.5], [0.4, 0.6], [0.45, 0.55])


def of_class(drawn: str, name: str) -> list[ElementTree.Element]:
    return [part for part in ElementTree.fromstring(drawn).iter() if part.get("class") == name]


def test_histogram_has_one_outline_per_table() -> None:
    drawn = overlay_figure(NUMBERS)
    outline = of_class(drawn, "synthetic-step")[0].attrib["d"]
    # From 40 to 282 pixels; .75 is the top (8), .25 two thirds of the way down to the base (136).
    assert outline == "M40 136V93.3H161V8H282V136"
    assert len(of_class(drawn, "real-step")) == len(of_class(drawn, "holdout-step")) == 1
    hints = [part[0].text for part in of_class(drawn, "hit")]
    assert hints[0] is not None
    assert "0 to 1: real 50" in hints[0]
    assert len(of_class(overlay_figure(dataclasses.replace(NUMBERS, holdout=None)),
                        "holdout-step")) == 0  # fmt: skip


def test_missing_values_stand_apart() -> None:
    more = dataclasses.replace(
        NUMBERS,
        labels=["0 to 1", "1 to 2", "missing"],
        real=[0.4, 0.4, 0.2],
        synthetic=[0.5, 0.5, 0.0],
        holdout=[0.4, 0.4, 0.2],
    )
    drawn = overlay_figure(more)
    assert len(of_class(drawn, "real-bar")) == 1
    assert "missing" in drawn
    assert "Largest gap at missing" in overlay_words(more)


def test_uneven_bins_get_slots_of_one_width() -> None:
    even = of_class(overlay_figure(NUMBERS), "hit")
    uneven = of_class(overlay_figure(dataclasses.replace(NUMBERS, edges=[0, 1, 100])), "hit")
    assert [part.attrib["width"] for part in uneven] == [part.attrib["width"] for part in even]


def test_dates_are_labels() -> None:
    dated = dataclasses.replace(NUMBERS, edge_labels=["2020-01-01", "2021-01-01", "2022-01-01"])
    drawn = overlay_figure(dated)
    assert "2020-01-01" in drawn
    assert "2022-01-01" in drawn


def test_bars_are_proportional() -> None:
    drawn = overlay_figure(WORDS)
    widths = [float(part.attrib["width"]) for part in of_class(drawn, "synthetic-bar")]
    assert widths[0] / widths[1] == (0.4 / 0.6) or abs(widths[0] / widths[1] - 2 / 3) < 0.01
    assert len(of_class(drawn, "holdout-mark")) == 2


def test_missing_values_are_among_the_drawn_bars() -> None:
    many = dataclasses.replace(
        WORDS, labels=[*map(str, range(40)), "missing"], real=[1 / 41] * 41, synthetic=[1 / 41] * 41
    )
    places = drawn_places(many)
    assert len(places) == MOST_BARS
    assert places[-1] == 40
    assert drawn_places(WORDS) == [0, 1]


def test_nothing_to_draw() -> None:
    for role in ("continuous", "discrete"):
        empty = Overlay("c", role, None, [], [], [], None, [])  # type: ignore[arg-type]  # a literal
        ElementTree.fromstring(overlay_figure(empty))
    zero = Overlay("c", "discrete", None, ["a"], [0.0], [0.0])
    ElementTree.fromstring(overlay_figure(zero))
    constant = Overlay("c", "continuous", None, ["5"], [1.0], [1.0], None, [5.0, 5.0])
    assert "nan" not in overlay_figure(constant)
