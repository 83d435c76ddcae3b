"""The page of an image report: one file, pictures inside, no network."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.core.png import data_uri
from synthgen.evaluate.images.content import Closest, ImageContent, Look, Pair, Stage
from synthgen.evaluate.images.pictures import Images, shrink
from synthgen.evaluate.report.figures import patterns, swatch_figure, utility_figure
from synthgen.evaluate.report.overlays import overlay_figure, overlay_words
from synthgen.evaluate.report.parts import (
    counts,
    families,
    history_figures,
    lines_of,
    table_keys,
)
from synthgen.page.frame import frame, template
from synthgen.page.svg import element
from synthgen.page.wording import amount, clean, shorten

if TYPE_CHECKING:
    import jinja2

#: Larger images are averaged down in the page, smaller ones are shown enlarged.
_LARGEST: Final = 96
_SHOWN: Final = 44
_COLUMNS: Final = 10
_GAP: Final = 1

_SECTIONS: Final = (
    ("verdict", "Verdict"),
    ("tables", "Compared"),
    ("look", "Look"),
    ("memorisation", "Memorisation"),
    ("scores", "Scores"),
    ("classes", "Classes"),
    ("history", "Training"),
    ("notes", "Notes"),
    ("definitions", "Definitions"),
)


def render_page(content: ImageContent) -> str:
    """Return the page.

    Parameters
    ----------
    content : ImageContent

    Returns
    -------
    str
        HTML; the same content gives the same text.

    Raises
    ------
    MissingExtraError
        If jinja2 is not installed.
    """
    return _template().render(_context(content)).strip() + "\n"


@cache
def _template() -> jinja2.Template:
    return template("synthgen.evaluate", "images/page.html.j2")


def _context(content: ImageContent) -> dict[str, Any]:
    drawn, omitted = history_figures(content.history or {})
    shares = content.shares
    return {
        "content": content,
        "sections": _SECTIONS,
        **frame(package="synthgen.evaluate", style="images/page.css", sources="img-src data:; "),
        "patterns": patterns(),
        "swatches": {kind: swatch_figure(kind) for kind in ("real", "synthetic")},
        "counts": counts(content.scores),
        "families": families(lines_of(content.scores)),
        **table_keys(content.tables),
        "looks": [_look(look) for look in content.looks],
        "closest": _closest(content.closest),
        "classes": [_cells(row) for row in content.classes],
        "accuracy": utility_figure(content.accuracy) if content.accuracy else None,
        "shares": shares and {"svg": overlay_figure(shares), "words": overlay_words(shares)},
        "history": drawn,
        "history_omitted": omitted,
        "stages": [_stage(stage) for stage in content.stages],
    }


def _look(look: Look) -> dict[str, str]:
    of = f" of class {clean(look.name)}" if look.name else ""
    return {
        "name": look.name,
        "real": _picture(look.real, f"{len(look.real)} real images{of}"),
        "synthetic": _picture(look.synthetic, f"{len(look.synthetic)} synthetic images{of}"),
    }


def _closest(closest: Closest) -> dict[str, Any]:
    held = closest.control_side == "holdout"
    control = "Held-out" if held else "Training"
    other = "training image" if held else "other training image"
    distances = closest.distances
    return {
        "synthetic": [_pair(pair, "Synthetic", "training image") for pair in closest.synthetic],
        "control": [_pair(pair, control, other) for pair in closest.control],
        "held": held,
        "distances": distances and overlay_figure(distances),
        "words": distances and overlay_words(distances),
    }


def _pair(pair: Pair, side: str, other: str) -> dict[str, str]:
    words = f"{side} image, and the {other} nearest to it"
    far = "not measured" if pair.relative is None else f"{amount(pair.relative, 2)} of usual"
    return {"picture": _picture(pair.images, words), "words": far}


def _stage(stage: Stage) -> dict[str, str]:
    words = f"{len(stage.images)} generated images at {stage.name.lower()}"
    return {"name": stage.name, "picture": _picture(stage.images, words, columns=4)}


def _cells(row: Any) -> list[str]:
    figures = (row.real, row.synthetic, row.own, row.likeness_real, row.likeness)
    return [shorten(row.name, 60), *(amount(value) for value in figures)]


def _picture(images: Images, words: str, *, columns: int = _COLUMNS) -> str:
    """Return images row by row as one picture of the page; empty without any."""
    if not len(images):
        return ""
    small = shrink(images, _LARGEST)
    pixels = _tiled(small, min(columns, len(small)))
    factor = max(1, round(_SHOWN / max(small.shape[2:])))
    return element(
        "img",
        class_="tiles" if factor > 1 else "tiles smooth",
        alt=words,
        width=pixels.shape[1] * factor,
        height=pixels.shape[0] * factor,
        src=data_uri(pixels),
    )


def _tiled(images: Images, columns: int) -> NDArray[np.uint8]:
    """Return images on one sheet with see-through gaps, so that they suit light and dark."""
    n, channels, height, width = images.shape
    if channels not in (1, 3, 4):
        images = images.mean(axis=1, keepdims=True)
    pixels = np.round(np.clip(images, 0, 1) * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    if pixels.shape[3] == 1:
        pixels = np.repeat(pixels, 3, axis=3)
    rows = -(-n // columns)
    sheet = np.zeros((rows, height + _GAP, columns, width + _GAP, 4), dtype=np.uint8)
    for at, image in enumerate(pixels):
        place = sheet[at // columns, :height, at % columns, :width]
        place[..., 3] = 255
        place[..., : image.shape[2]] = image
    whole = sheet.reshape(rows * (height + _GAP), columns * (width + _GAP), 4)
    return whole[: whole.shape[0] - _GAP, : whole.shape[1] - _GAP]
