from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from synthgen.evaluate.report.content import Projection, Roc, Score, UtilityBar
from synthgen.evaluate.report.figures import (
    MOST_POINTS,
    bullet_figure,
    bullet_position,
    giveaway_figure,
    history_figure,
    patterns,
    projection_figure,
    roc_figure,
    swatch_figure,
    thinned,
    utility_figure,
)

SCORE = Score("s", "Score", "?", "F", 0.75, "higher", (0.7, 0.8), 0.5, 1.0, "fair")


def of_class(drawn: str, name: str) -> list[ElementTree.Element]:
    return [part for part in ElementTree.fromstring(drawn).iter() if part.get("class") == name]


def drawn_bullet(score: Score) -> str:
    drawn = bullet_figure(score)
    assert drawn is not None
    return drawn


def test_position_between_floor_and_ceiling() -> None:
    assert bullet_position(SCORE) == 0.5
    assert bullet_position(replace(SCORE, direction="lower", floor=1.0, ceiling=0.5)) == 0.5


@pytest.mark.parametrize(
    "change",
    [{"value": None}, {"floor": None}, {"ceiling": None}, {"floor": 1.0}, {"direction": "lower"}],
)
def test_no_bullet_without_room(change: dict[str, object]) -> None:
    assert bullet_figure(replace(SCORE, **change)) is None  # type: ignore[arg-type]  # mixed types


def test_bullet_places() -> None:
    drawn = drawn_bullet(SCORE)
    assert of_class(drawn, "mark-fair")[0].attrib["cx"] == "90"
    whisker = of_class(drawn, "whisker")[0].attrib
    assert float(whisker["x1"]) < 90 < float(whisker["x2"])
    label = ElementTree.fromstring(drawn).attrib["aria-label"]
    assert "of the way from the floor 0.500 to the ceiling 1" in label


@pytest.mark.parametrize("value", [-5.0, 7.0])
def test_bullet_beyond_its_ends_is_an_arrow(value: float) -> None:
    mark = of_class(drawn_bullet(replace(SCORE, value=value)), "mark-fair")[0]
    assert mark.tag == "path"


def test_roc() -> None:
    drawn = roc_figure(Roc([0.0, 0.5, 1.0], [0.0, 0.9, 1.0], 0.7, []))
    # x from 46 to 328, y from 292 up to 10.
    assert of_class(drawn, "roc-curve")[0].attrib["d"].startswith("M46 292L187 38.2L328 10")
    assert "AUC 0.700" in drawn


def test_giveaways() -> None:
    assert giveaway_figure(Roc([0, 1], [0, 1], 0.5, [])) is None
    drawn = giveaway_figure(Roc([0, 1], [0, 1], 0.5, [("a", 0.2), ("b", 0.1), ("c", -0.01)]))
    assert drawn is not None
    widths = [float(part.attrib["width"]) for part in of_class(drawn, "synthetic-bar")]
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)
    assert widths[2] > 0


def test_utility_bars_start_at_zero() -> None:
    bar = UtilityBar("model", "AUC", 0.5, 1.0, (0.4, 0.6), (0.9, 1.0))
    drawn = utility_figure([bar])
    real, synthetic = (of_class(drawn, f"{kind}-bar")[0].attrib for kind in ("real", "synthetic"))
    assert real["x"] == synthetic["x"]
    assert float(real["width"]) == pytest.approx(2 * float(synthetic["width"]), abs=0.2)
    assert len(of_class(drawn, "error")) == 6


def test_very_bad_utility_stays_in_the_drawing() -> None:
    bar = UtilityBar("model", "R2", -40.0, 0.2, (-60.0, -30.0), (0.1, 0.3))
    drawn = utility_figure([bar])
    for part in of_class(drawn, "synthetic-bar") + of_class(drawn, "real-bar"):
        assert 0 <= float(part.attrib["x"]) <= 600
    assert "\N{MINUS SIGN}40.000" in drawn


def test_projection() -> None:
    points = [(float(place), float(-place)) for place in range(5 * MOST_POINTS)]
    drawn = projection_figure(Projection(points, [(0.0, 0.0)], (0.5, 0.25)), "real")
    assert of_class(drawn, "cloud-real")[0].attrib["d"].count("M") == MOST_POINTS
    assert of_class(drawn, "cloud-shadow")[0].attrib["d"].count("M") == 1
    ElementTree.fromstring(projection_figure(Projection([], [], (0.0, 0.0)), "synthetic"))


def test_thinned() -> None:
    assert thinned([], 5) == []
    points = [(float(place), 0.0) for place in range(11)]
    assert len(thinned(points, 5)) == 4
    assert thinned(points, 11) == points


def test_history_goes_on_over_steps_without_a_measurement() -> None:
    drawn = history_figure("loss", [1.0, None, 3.0], [0.0, 1.0, 2.0])
    line = of_class(drawn, "history-line")[0].attrib["d"]
    assert line.count("M") == 1
    assert line.count("L") == 1
    assert of_class(drawn, "history-dots")[0].attrib["d"].count("M") == 2
    assert "no values" in history_figure("loss", [None], [0.0])
    long = history_figure("loss", [float(step) for step in range(5_000)], list(range(5_000)))
    assert len(of_class(long, "history-line")[0].attrib["d"]) < 5_000


def test_samples_and_patterns_are_well_formed() -> None:
    for kind in ("real", "synthetic", "holdout"):
        ElementTree.fromstring(swatch_figure(kind))
    assert 'id="hatch-synthetic"' in patterns()
