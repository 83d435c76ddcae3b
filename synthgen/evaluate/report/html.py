"""The report as one HTML file that needs nothing else: no network, no fonts, no scripts to read it.

Names and values of a table may hold anything, scripts too. All text passes through the template's
escaping or through :func:`synthgen.evaluate.report.svg.escape`; besides, the page forbids itself
(by its content security policy) to load anything or to run any script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from numbers import Real
from typing import TYPE_CHECKING, Any, Final

from synthgen.errors import MissingExtraError
from synthgen.evaluate.report.content import Overlay, ReportContent, Score
from synthgen.evaluate.report.figures import (
    bullet_figure,
    giveaway_figure,
    history_figure,
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
from synthgen.evaluate.report.wording import amount, clean, fixed, shorten

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

#: What is open at first; the rest is one click away.
FIRST_OVERLAYS: Final = 12
FIRST_FINDINGS: Final = 8
_MOST_QUANTITIES: Final = 12
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
_RATING_WORDS: Final = {"good": "Good", "fair": "Fair", "poor": "Poor", "none": "Not rated"}
#: Shapes, so that a rating is not told by colour alone.
_RATING_MARKS: Final = {
    "good": "\N{BLACK CIRCLE}",
    "fair": "\N{BLACK DIAMOND}",
    "poor": "\N{BLACK UP-POINTING TRIANGLE}",
    "none": "\N{WHITE CIRCLE}",
}
_LINK: Final = re.compile(
    r"(?P<url>https?://[^\s<>\"]+)|(?:doi:\s?)(?P<doi>10\.\d{4,9}/[^\s<>\"]+)"
    r"|arXiv:\s?(?P<arxiv>\d{4}\.\d{4,5})",
    re.IGNORECASE,
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
    page = html.escape(render_html(content), quote=True)
    title = html.escape(shorten(content.title, 200), quote=True)
    return (
        f'<iframe title="{title}" sandbox="allow-scripts allow-popups" '
        'style="width:100%;height:720px;border:1px solid #8886;border-radius:8px" '
        f'srcdoc="{page}"></iframe>'
    )


@cache
def _template() -> jinja2.Template:
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtraError("The report as HTML", "jinja2", "evaluate") from error
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "cell": _cell,
        "clean": clean,
        "fixed": fixed,
        "heading": lambda name: clean(name).replace("_", " ").capitalize(),
        "mark": _RATING_MARKS.__getitem__,
        "rating_word": _RATING_WORDS.__getitem__,
        "references": _references,
        "short": shorten,
        "signed": lambda value, digits: ("+" if value > 0 else "") + fixed(value, digits),
    }
    return environment.from_string(_read("page.html.j2"))


@cache
def _read(name: str) -> str:
    return files("synthgen.evaluate.report").joinpath(name).read_text(encoding="utf-8")


@dataclass(frozen=True)
class _Line:
    """One score with its bar and the places that links jump to."""

    score: Score
    bullet: str | None
    anchor: str
    definition_anchor: str


@dataclass(frozen=True)
class _Panel:
    """One column with its drawing."""

    overlay: Overlay
    svg: str
    words: str
    hidden: int


def _context(content: ReportContent) -> dict[str, Any]:
    script = _read("page.js")
    digest = hashlib.sha256(script.encode()).digest()
    lines = [
        _Line(score, bullet_figure(score), f"score-{place}", f"definition-{place}")
        for place, score in enumerate(content.scores, start=1)
    ]
    return {
        "content": content,
        "sections": _SECTIONS,
        "script": script,
        "script_hash": base64.b64encode(digest).decode(),
        "style": _read("page.css"),
        "patterns": patterns(),
        "swatches": {kind: swatch_figure(kind) for kind in ("real", "synthetic", "holdout")},
        "counts": _counts(content.scores),
        "families": _families(lines),
        "anchors": {line.score.name: line.anchor for line in lines},
        "titles": {line.score.name: line.score.title for line in lines},
        "first_findings": FIRST_FINDINGS,
        "first_overlays": FIRST_OVERLAYS,
        "overlays": [_panel(overlay) for overlay in content.overlays],
        "held": any(overlay.holdout is not None for overlay in content.overlays),
        **_table_keys(content.tables),
        **_figures(content),
    }


def _counts(scores: list[Score]) -> list[tuple[str, int]]:
    numbers = [
        (rating, sum(score.rating == rating for score in scores)) for rating in _RATING_WORDS
    ]
    return [(rating, number) for rating, number in numbers if number]


def _families(lines: list[_Line]) -> list[tuple[str, list[_Line]]]:
    """Group the scores; a family stands where its first score does."""
    grouped: dict[str, list[_Line]] = {}
    for line in lines:
        grouped.setdefault(line.score.family, []).append(line)
    return list(grouped.items())


def _panel(overlay: Overlay) -> _Panel:
    bars = overlay.edges is None or overlay.role == "discrete"
    hidden = len(overlay.real) - len(drawn_places(overlay)) if bars else 0
    return _Panel(overlay, overlay_figure(overlay), overlay_words(overlay), hidden)


def _table_keys(tables: list[dict[str, Any]]) -> dict[str, list[str]]:
    keys = list(dict.fromkeys(key for table in tables for key in table))
    numeric = [key for key in keys if all(_is_number(table.get(key, 0)) for table in tables)]
    return {"table_keys": keys, "number_keys": numeric}


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None:
        return amount(None)
    return amount(float(value)) if _is_number(value) else shorten(value, 300)


def _figures(content: ReportContent) -> dict[str, Any]:
    history, omitted = _history(content.history or {})
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


def _history(history: dict[str, list[float | None]]) -> tuple[list[tuple[str, str]], int]:
    """Draw the quantities that have values."""
    given = history.get("step")
    names = [
        name
        for name, values in history.items()
        if name != "step" and any(value is not None for value in values)
    ]
    drawn = []
    for name in names[:_MOST_QUANTITIES]:
        values = history[name]
        at = [float(place) for place in range(len(values))]
        if given is not None and len(given) == len(values):
            at = [place if step is None else float(step) for place, step in enumerate(given)]
        drawn.append((name, history_figure(name, values, at)))
    return drawn, max(0, len(names) - _MOST_QUANTITIES)


def _references(text: str) -> Markup:
    """Return a reference with its DOI, arXiv number or address as a link; nothing is loaded."""
    from markupsafe import Markup

    line = clean(text)
    anchor = Markup('<a href="{}" rel="noreferrer noopener" target="_blank">{}</a>')
    parts: list[str] = []
    last = 0
    for found in _LINK.finditer(line):
        shown = found.group().rstrip(".,;)")
        target = _target(found)
        parts += [line[last : found.start()], anchor.format(target, shown)]
        last = found.start() + len(shown)
    # Joined and formatted by Markup, plain texts are escaped.
    return Markup("").join([*parts, line[last:]])


def _target(found: re.Match[str]) -> str:
    if found["doi"]:
        return "https://doi.org/" + found["doi"].rstrip(".,;)")
    if found["arxiv"]:
        return "https://arxiv.org/abs/" + found["arxiv"]
    return str(found["url"]).rstrip(".,;)")
