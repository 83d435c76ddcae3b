"""Quality against processor time: our synthesizer and its peers, each stopped at several points.

    SYNTHGEN_DATA=... python -m benchmarks.quality.curve            # measure what is missing, draw
    python -m benchmarks.quality.curve --only-draw

Budgets are those of curve.json; every one is a fit of its own, with the schedule of a fit of that
length. The last point of a curve is the model with its defaults, from the results of ``run.py``;
models without a budget have that point alone. One seed.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.cells import Cell
from benchmarks.quality import run
from benchmarks.quality.results import CONFIG, RESULTS, figure, read_results
from synthgen.page.svg import (
    Scale,
    drawing,
    element,
    escape,
    horizontal_axis,
    labelled,
    line,
    path,
    polyline,
    text,
    ticks,
    vertical_axis,
)

HERE: Final = Path(__file__).parent
#: Where the points are kept, apart from those of whole fits.
POINTS: Final = HERE / "curve"
PICTURE: Final = CONFIG.parents[2] / "docs" / "_static" / "quality_over_time.svg"
FIGURES: Final = (("c2st_trees", "C2ST"), ("utility", "utility"))

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 430.0, 300.0, 46.0, 100.0, 28.0, 40.0
_COLOURS: Final = ("#0b6bcb", "#c2410c", "#0f766e", "#7c3aed", "#6b7280", "#a16207", "#be185d")
_STYLE: Final = """
text { font: 11px sans-serif; fill: #1f2937 } .title { font-weight: bold }
.axis { stroke: #6b7280 } .grid { stroke: #e5e7eb } path { fill: none; stroke-width: 2 }
"""
Point = tuple[float, float]


def measure(config: dict[str, Any]) -> None:
    """Run the points that are not there yet."""
    for model, budget in config["budgets"].items():
        ((name, values),) = budget.items()
        for value in values:
            run.main([
                "--data", *config["data"], "--model", model, "--seeds", str(config["seed"]),
                "--set", f"{name}={value}", "--results", str(POINTS),
            ])  # fmt: skip


def curve_of(
    model: str, data: str, score: str, points: list[Cell], whole: list[Cell], seed: int
) -> list[Point]:
    """Return processor seconds of the fit and score of all points of a model, in that order.

    Whole fits count where they have no parameters: a model as it comes.
    """
    cells = points + [cell for cell in whole if not cell["parameters"]]
    found = []
    for cell in cells:
        if (cell["model"], cell["data"], cell["seed"]) != (model, data, seed):
            continue
        seconds, value = figure(cell, "fit_cpu_seconds"), figure(cell, score)
        if seconds is not None and value is not None:
            found.append((max(seconds, 0.1), value))
    return sorted(found)


def panel(curves: dict[str, list[Point]], title: str, left: float) -> str:
    """Return one drawing of curves over a logarithmic axis of seconds."""
    every = [point for curve in curves.values() for point in curve]
    first, last = (math.log10(choose(x for x, _ in every)) for choose in (min, max))
    across = Scale(first - 0.1, last + 0.1, left + _LEFT, left + _WIDTH - _RIGHT)
    centre = (across.low + across.high) / 2
    low = min(0.0, *(y for _, y in every))
    up = Scale(low, 1.0, _HEIGHT - _BOTTOM, _TOP)
    powers = range(math.ceil(across.low), math.floor(across.high) + 1)
    parts = [
        text(left + _LEFT, 16, title, "title"),
        vertical_axis(up, across.start, across.stop, labelled(ticks(low, 1.0))),
        horizontal_axis(across, _HEIGHT - _BOTTOM, [(k, f"{10.0**k:g}") for k in powers]),
        text(across(centre), _HEIGHT - 6, "CPU seconds of the fit", anchor="middle"),
    ]
    parts += [
        element(
            "g",
            path(polyline((across(math.log10(x)), up(y)) for x, y in curve), ""),
            *(_dot(across(math.log10(x)), up(y)) for x, y in curve),
            style=f"stroke: {colour}; color: {colour}",
        )
        for colour, curve in zip(_COLOURS, curves.values(), strict=False)
    ]
    return "".join(parts)


def _dot(x: float, y: float) -> str:
    return element("circle", cx=x, cy=y, r=2.5, fill="currentColor")


def legend(names: list[str], left: float) -> str:
    """Return the names beside their colours."""
    rows = []
    for place, (colour, name) in enumerate(zip(_COLOURS, names, strict=False)):
        y = _TOP + 8 + 18 * place
        stroke = element(
            "g", line(left, y, left + 16, y, ""), style=f"stroke: {colour}", stroke_width=2
        )
        rows += [stroke, text(left + 22, y + 4, name)]
    return "".join(rows)


def picture(points: list[Cell], whole: list[Cell], config: dict[str, Any]) -> str:
    """Return the drawing of all tables and figures as SVG."""
    names = [*config["budgets"], *config["whole"]]
    rows = []
    for number, data in enumerate(config["data"]):
        panels = []
        for place, (score, title) in enumerate(FIGURES):
            curves = {
                name: curve_of(name, data, score, points, whole, config["seed"]) for name in names
            }
            panels.append(panel(curves, f"{data}: {title}", place * (_WIDTH - _RIGHT + 10)))
        down = f"translate(0 {number * _HEIGHT:g})"
        rows.append(element("g", *panels, transform=down))
    width = 2 * (_WIDTH - _RIGHT + 10)
    return drawing(
        width + _RIGHT,
        _HEIGHT * len(config["data"]),
        f"Quality of synthetic rows over processor time: {', '.join(names)}.",
        element("style", escape(_STYLE)),
        *rows,
        legend(names, width),
    ).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def main(arguments: list[str] | None = None) -> int:
    """Measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only-draw", action="store_true", help="measure nothing")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args(arguments)
    config = json.loads((HERE / "curve.json").read_text())
    if not options.only_draw:
        measure(config)
    options.picture.write_text(picture(read_results(POINTS), read_results(RESULTS), config))
    print(options.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
