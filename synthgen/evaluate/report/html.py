"""The report as one HTML file that needs nothing else: no network, no fonts, no scripts to read it.

Names and values of a table may hold anything, scripts too. All text passes through the template's
escaping or through :func:`synthgen.page.svg.escape`; besides, the page forbids itself
(by its content security policy) to load anything or to run any script but its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from synthgen.evaluate.report.content import Overlay, ReportContent
from synthgen.evaluate.report.figures import (
    giveaway_figure,
    patterns,
    projection_figure,
    roc_figure,
    swatch_figure,
    utility_figure,
)
from synthgen.evaluate.report.heatmaps import (
    MANY_COLUMNS,
    heatmap_figure,
    most_associated,
    pairs_by_difference,
    scale_figure,
)
from synthgen.evaluate.report.overlays import drawn_places, overlay_figure, overlay_words
from synthgen.evaluate.report.parts import (
    counts,
    families,
    history_figures,
    lines_of,
    table_keys,
)
from synthgen.page.frame import embedded, frame, template

if TYPE_CHECKING:
    import jinja2

#: What is open at first; the rest is one click away.
FIRST_OVERLAYS: Final = 12
FIRST_FINDINGS: Final = 8
_MOST_PAIRS: Final = 8

_SECTIONS: Final = (
    ("verdict", "Verdict"),
    ("tables", "Compared"),
    ("findings", "Look at first"),
    ("scores", "Scores"),
    ("columns", "Columns"),
    ("associations", "Associations"),
    ("detection", "Detection"),
    ("utility", "Utility"),
    ("projection", "Projection"),
    ("history", "Training"),
    ("left-out", "Left out"),
    ("notes", "Notes"),
    ("definitions", "Definitions"),
)


def render_html(content: ReportContent) -> str:
    """Return the report as one self-contained page.

    Parameters
    ----------
    content : ReportContent
        What the report says.

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


def render_fragment(content: ReportContent) -> str:
    """Return the report for a place inside another page, such as the output of a notebook's cell.

    The page stands in a frame of its own, so that no style leaks in or out, and scrolls there.

    Parameters
    ----------
    content : ReportContent
        What the report says.

    Returns
    -------
    str
        One ``iframe`` element.

    Raises
    ------
    MissingExtraError
        If jinja2 is not installed.
    """
    return embedded(render_html(content), content.title)


@cache
def _template() -> jinja2.Template:
    return template("synthgen.evaluate", "report/page.html.j2")


@dataclass(frozen=True)
class _Panel:
    """One column with its drawing."""

    overlay: Overlay
    svg: str
    words: str
    hidden: int


def _context(content: ReportContent) -> dict[str, Any]:
    lines = lines_of(content.scores)
    return {
        "content": content,
        "sections": _SECTIONS,
        **frame(),
        "patterns": patterns(),
        "swatches": {kind: swatch_figure(kind) for kind in ("real", "synthetic", "holdout")},
        "counts": counts(content.scores),
        "families": families(lines),
        "anchors": {line.score.name: line.anchor for line in lines},
        "titles": {line.score.name: line.score.title for line in lines},
        "first_findings": FIRST_FINDINGS,
        "first_overlays": FIRST_OVERLAYS,
        "overlays": [_panel(overlay) for overlay in content.overlays],
        "held": any(overlay.holdout is not None for overlay in content.overlays),
        **table_keys(content.tables),
        **_figures(content),
    }


def _panel(overlay: Overlay) -> _Panel:
    bars = overlay.edges is None or overlay.role == "discrete"
    hidden = len(overlay.real) - len(drawn_places(overlay)) if bars else 0
    return _Panel(overlay, overlay_figure(overlay), overlay_words(overlay), hidden)


def _figures(content: ReportContent) -> dict[str, Any]:
    history, omitted = history_figures(content.history or {})
    projection = content.projection
    return {
        "heatmaps": _heatmaps(content),
        "roc": content.roc
        and {"curve": roc_figure(content.roc), "giveaways": giveaway_figure(content.roc)},
        "utility": _utility(content),
        "projection": projection
        and [(kind, projection_figure(projection, kind)) for kind in ("real", "synthetic")],
        "history": history,
        "history_omitted": omitted,
    }


def _heatmaps(content: ReportContent) -> dict[str, Any] | None:
    full = content.associations
    if full is None or len(full.columns) < 2:
        return None
    shown = most_associated(full)
    changed = [pair for pair in pairs_by_difference(full) if abs(pair.difference) >= 0.005]
    return {
        "shown": len(shown.columns),
        "omitted": len(full.columns) - len(shown.columns),
        "wide": len(shown.columns) >= MANY_COLUMNS,
        "pairs": changed[:_MOST_PAIRS],
        "maps": [
            {
                "title": "Synthetic minus real" if kind == "difference" else kind.capitalize(),
                "svg": heatmap_figure(shown, kind),
                "key": scale_figure(kind),
            }
            for kind in ("real", "synthetic", "difference")
        ],
    }


def _utility(content: ReportContent) -> list[dict[str, str]]:
    """Draw one figure per measure: an axis cannot serve two."""
    measures = dict.fromkeys(bar.measure for bar in content.utility)
    return [
        {
            "measure": measure,
            "svg": utility_figure([bar for bar in content.utility if bar.measure == measure]),
        }
        for measure in measures
    ]
