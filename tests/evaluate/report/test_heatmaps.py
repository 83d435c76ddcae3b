from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from synthgen.evaluate.report.content import Associations, Matrix
from synthgen.evaluate.report.heatmaps import (
    MOST_COLUMNS,
    Kind,
    heatmap_figure,
    heatmap_words,
    most_associated,
    pairs_by_difference,
    scale_figure,
)

REAL: Matrix = [[1.0, 0.25, None], [0.25, 1.0, 0.0], [None, 0.0, 1.0]]
SYNTHETIC: Matrix = [[1.0, 0.0, 0.5], [0.0, 1.0, 0.2], [0.5, 0.2, 1.0]]
THREE = Associations(["a", "b", "c"], REAL, SYNTHETIC)
KINDS: tuple[Kind, ...] = ("real", "synthetic", "difference")


def cells(drawn: str, name: str) -> list[ElementTree.Element]:
    return [part for part in ElementTree.fromstring(drawn).iter() if part.get("class") == name]


def test_pairs_come_by_their_difference() -> None:
    pairs = pairs_by_difference(THREE)
    assert [(pair.first, pair.second, pair.difference) for pair in pairs] == [
        ("a", "b", -0.25),
        ("b", "c", 0.2),
    ]


def test_cells_and_their_strength() -> None:
    drawn = heatmap_figure(THREE, "real")
    assert len(cells(drawn, "cell-real")) == 4
    assert len(cells(drawn, "cell-none")) == 2
    # .03 + .97 times the root of .25
    assert cells(drawn, "cell-real")[0].attrib["fill-opacity"] in ("0.52", "0.51")


def test_difference_has_two_hues_and_signs() -> None:
    drawn = heatmap_figure(THREE, "difference")
    assert len(cells(drawn, "cell-real")) == len(cells(drawn, "cell-synthetic")) == 2
    assert {part.text for part in cells(drawn, "cell-mark")} == {"+", "\N{MINUS SIGN}"}


def test_words() -> None:
    assert "strongest: a and b 0.25" in heatmap_words(THREE, "real")
    assert "largest: a and b \N{MINUS SIGN}0.25, b and c 0.20" in heatmap_words(THREE, "difference")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 16, 17, 40])
def test_any_size_is_drawn(kind: Kind, count: int) -> None:
    matrix: Matrix = np.eye(count).tolist()
    names = [f"column {place}" for place in range(count)]
    drawn = heatmap_figure(Associations(names, matrix, matrix), kind)
    root = ElementTree.fromstring(drawn)
    side = float(root.attrib["width"])
    for part in root.iter("rect"):
        assert float(part.attrib["x"]) + float(part.attrib["width"]) <= side
    ElementTree.fromstring(scale_figure(kind))


def test_many_columns_are_cut_to_the_most_associated() -> None:
    count = MOST_COLUMNS + 20
    matrix = np.zeros((count, count))
    matrix[-1, 0] = matrix[0, -1] = 0.9
    kept = most_associated(Associations([str(place) for place in range(count)],
                                        matrix.tolist(), matrix.tolist()))  # fmt: skip
    assert len(kept.columns) == MOST_COLUMNS
    assert kept.columns[0] == "0"
    assert kept.columns[-1] == str(count - 1)
    assert kept.real[0][-1] == 0.9
